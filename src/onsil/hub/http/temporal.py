"""The temporal door: entities with their series' points instead of one value."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.hub.contexts import CORE
from onsil.hub.documents import parse_time, time_text
from onsil.hub.history import last_points
from onsil.hub.http.asking import Asked, answer, listed, number, paging
from onsil.hub.http.criteria import from_parameters
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.gate import bad_data, not_found
from onsil.hub.query.filters import Filter, by_ids
from onsil.hub.query.finding import Found, find
from onsil.hub.query.units import unit_code
from onsil.hub.series import find_series
from onsil.hub.steps import run
from onsil.hub.terms import Points, Series

POINTS_MAX = 10_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2200, 1, 1, tzinfo=UTC)


class _Span(NamedTuple):
    """Which points: half-open in time, the last `count` of each series."""

    period: Period
    count: int


def routes(door: Door) -> list[Route]:
    """The routes of the temporal interface."""
    gate = door.gate

    async def query(request: Request) -> Response:
        """GET /temporal/entities."""
        form = door.asked(request)
        span = _span(request)
        criteria = from_parameters(request.query_params, form.context)
        filter_ = criteria.filter
        if not (criteria.narrow or filter_.selectors):
            raise bad_data("one of type, id, attrs, q or georel is needed")
        # A series' attribute need not be in the document, so attrs picks series, not entities.
        filter_ = Filter(filter_.selectors, filter_.q, geo=filter_.geo)
        limit = number(request, "limit", 20, 1, 100)
        offset = number(request, "offset", 0, 0, 10_000_000)
        city, attrs = door.tenant(request), listed(request, "attrs")

        def work() -> tuple[int, list[dict[str, Any]]]:
            with gate.connection(city) as conn:
                found = run(conn, find(city, filter_, limit, offset))
                return len(found), [_evolution(conn, city, f, span, form, attrs) for f in found]

        found, body = await run_in_threadpool(work)
        shown = [one for one in body if len(one) > 2]
        headers = paging(request, [None] * found, limit, offset)
        return answer(shown, form, headers=headers)

    async def retrieve(request: Request) -> Response:
        """GET /temporal/entities/{id}."""
        form, span, city = door.asked(request), _span(request, needed=False), door.tenant(request)
        uri, attrs = request.path_params["id"], listed(request, "attrs")

        def work() -> dict[str, Any] | None:
            with gate.connection(city) as conn:
                found = run(conn, find(city, by_ids(uri), 1))
                return _evolution(conn, city, found[0], span, form, attrs) if found else None

        body = await run_in_threadpool(work)
        if body is None:
            raise not_found(uri)
        return answer(body, form)

    return [
        Route(f"{PREFIX}/temporal/entities", query, methods=["GET"]),
        Route(f"{PREFIX}/temporal/entities/{{id}}", retrieve, methods=["GET"]),
    ]


def _span(request: Request, *, needed: bool = True) -> _Span:
    """timerel, timeAt, endTimeAt and lastN. Raises Problem or DocumentError."""
    ask = request.query_params
    if ask.get("timeproperty", "observedAt") != "observedAt":
        raise bad_data("timeproperty is observedAt")
    last = number(request, "lastN", POINTS_MAX, 1, POINTS_MAX)
    relation = ask.get("timerel")
    if relation is None:
        if needed and "lastN" not in ask:
            raise bad_data("timerel or lastN is needed")
        return _Span(Period(_BEGINNING, _END), last)
    at = parse_time(ask.get("timeAt"))
    bounds = {"before": (_BEGINNING, at), "after": (at, _END)}
    if relation == "between":
        bounds["between"] = (at, parse_time(ask.get("endTimeAt")))
    if relation not in bounds:
        raise bad_data("timerel is before, after or between")
    start, end = bounds[relation]
    if end <= start:
        raise bad_data("endTimeAt must be after timeAt")
    return _Span(Period(start, end), last)


def _evolution(
    conn: Connection, city: str, found: Found, span: _Span, form: Asked, attrs: list[str]
) -> dict[str, Any]:
    """An entity with each series as a list of instances, or of [value, time] pairs."""
    types = [form.context.term(t) for t in found.document.types]
    made: dict[str, Any] = {
        "id": found.document.uri,
        "type": types[0] if len(types) == 1 else types,
    }
    only = {form.context.iri(a) for a in attrs}
    for series in find_series(conn, city, entities=[found.document.uri]):
        iri = CORE.iri(series.attribute)
        if only and iri not in only:
            continue
        points = last_points(conn, city, series.id, span.count, span.period)
        if points.times:
            made[form.context.term(iri)] = _instances(points, series, form)
    return made


def _instances(points: Points, series: Series, form: Asked) -> Any:
    pairs = zip(points.times, points.values, strict=True)
    if form.temporal_values or form.representation == "simplified":
        return {"type": "Property", "values": [[float(v), time_text(t)] for t, v in pairs]}
    return [
        {"type": "Property", "value": float(value), "unitCode": unit_code(series.unit),
         "observedAt": time_text(time)}
        for time, value in pairs
    ]  # fmt: skip
