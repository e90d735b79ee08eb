"""Reading the temporal evolution over HTTP: GS CIM 009 V1.9.1 §5.7.3, §5.7.4, §6.18 to §6.24.

One entity or a query, as a GET or as a Query in a body; instances, pairs or aggregates.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onsil.hub.documents import DocumentError, is_uri, parse_languages
from onsil.hub.entity_maps import HERE
from onsil.hub.http import temporal_provision
from onsil.hub.http.asking import LIMIT_MAX, Asked, answer, is_counted, number, paging
from onsil.hub.http.criteria import Criteria, from_parameters, from_query
from onsil.hub.http.distributing import Spread, entity_path
from onsil.hub.http.door import PREFIX, Door
from onsil.hub.http.entity_maps import asks_for_map, made_answer, refer
from onsil.hub.http.gate import Problem, bad_data, bad_request, not_found
from onsil.hub.http.surveying import evolutions_spread
from onsil.hub.http.temporal_maps import PATH, map_temporal, within_map
from onsil.hub.query.ordering import Ordering
from onsil.hub.steps import Steps
from onsil.hub.temporal.aggregating import aggregate
from onsil.hub.temporal.asking import (
    Aggregation,
    TemporalQuery,
    parse_aggregation,
    parse_temporal,
)
from onsil.hub.temporal.durations import DurationError
from onsil.hub.temporal.finding import Hit, TooMuch, Wanted, find
from onsil.hub.temporal.reading import Range, find_known, read_range
from onsil.hub.temporal.representation import (
    Form,
    content_range,
    cut,
    render_evolution,
    render_known,
)

FORMATS = frozenset(
    ("normalized", "concise", "simplified", "keyValues", "temporalValues", "aggregatedValues")
)
_TEMPORAL = ("timerel", "timeAt", "endTimeAt", "timeproperty")
_OPTIONS = FORMATS | {"sysAttrs", "count"}
PAGE = 30  # instances of one entity in an answer, where nothing else is set
PAGE_MAX = 10_000  # instances of one entity that a client may ask for in one answer


@dataclass(frozen=True)
class Question:
    """A whole request: what is looked for and how the answer is wanted."""

    asked: Asked
    criteria: Criteria
    query: TemporalQuery
    form: Form
    aggregation: Aggregation | None
    zone: ZoneInfo | None
    room: int
    capped: bool

    @property
    def most(self) -> int:
        """The most instances of one entity in an answer."""
        return self.room if self.capped else max(self.room, 500)


def routes(door: Door) -> list[Route]:
    """The routes of the temporal interface."""
    base = f"{PREFIX}/temporal/entities"
    own = _Evolution(door)
    return [
        Route(base, own.query, methods=["GET"]),
        Route(f"{base}/{{id}}", own.retrieve, methods=["GET"]),
        Route(PATH, own.map_query, methods=["GET", "POST"]),
        Route(f"{PREFIX}/temporal/entityOperations/query", own.query_by_body, methods=["POST"]),
        *temporal_provision.routes(door),
    ]


class _Evolution:
    """What reads the temporal evolution, one method each."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def query(self, request: Request) -> Response:
        """GET /temporal/entities."""
        return await _answer_query(self.door, request, self._asked(request))

    async def query_by_body(self, request: Request) -> Response:
        """POST /temporal/entityOperations/query."""
        question, body = await self._asked_in_body(request)
        return await _answer_query(self.door, request, question, body)

    async def map_query(self, request: Request) -> Response:
        """GET and POST /temporal/entityMaps."""
        door, question = self.door, None
        if request.method == "POST":
            question, _ = await self._asked_in_body(request)
        wanted = _wanted(request, question or self._asked(request))
        one = await map_temporal(door, request, wanted, lambda steps: _read(door, request, steps))
        return made_answer(one, door.asked(request))

    def _asked(self, request: Request) -> Question:
        asked, given = self.door.asked(request), request.query_params
        return _question(given, asked, from_parameters(given, asked.context), given)

    async def _asked_in_body(self, request: Request) -> tuple[Question, Any]:
        body, context = await self.door.body(request)
        asked = self.door.asked(request)._replace(context=context)
        return _question_of(body, asked, request), body

    async def retrieve(self, request: Request) -> Response:
        """GET /temporal/entities/{id}."""
        door, uri = self.door, request.path_params["id"]
        if not is_uri(uri):
            raise bad_data(f"an id is a URI, not {uri[:80]!r}")
        asked = door.asked(request)
        given = request.query_params
        own = {k: given[k] for k in ("attrs", "pick", "omit", "datasetId", "lang") if k in given}
        question = _question(given, asked, from_parameters(own, asked.context), given)
        steps = _retrieve(door.tenant(request), uri, question, door.clock.now())
        found = await _read(door, request, steps)
        spread = await _sources(door, request, "retrieveTemporal")
        if spread is None:
            if found is None:
                raise not_found(uri)
            body, headers = found
            shown = answer(body, asked, 206 if headers else 200, headers)
            return await self._referring(request, shown)
        held = [found[0]] if found is not None else []
        path = f"/temporal{entity_path(uri)}"
        together = await evolutions_spread(spread, path, held, uri)
        if not together:
            raise spread.missing(not_found(uri))
        headers = found[1] if found is not None else {}
        shown = answer(together[0], asked, 206 if headers else 200, headers)
        return await self._referring(request, spread.warned(shown))

    async def _referring(self, request: Request, response: Response) -> Response:
        if not asks_for_map(request):
            return response
        uri, city = request.path_params["id"], self.door.tenant(request)
        return await refer(self.door, request, city, {uri: [HERE]}, response)


async def _sources(
    door: Door, request: Request, operation: str, body: Mapping[str, Any] | None = None
) -> Spread | None:
    """The context sources that have a part of the temporal evolution asked for (§5.7.3, §5.7.4)."""
    given = request.query_params if body is None else body["temporalQ"]
    wanted = {name: given[name] for name in _TEMPORAL if name in given}
    return await door.sources.of(request, door.tenant(request), operation, temporal=wanted)


async def _read(door: Door, request: Request, steps: Steps[Any]) -> Any:
    try:
        return await door.db.read(door.tenant(request), steps)
    except TooMuch as error:
        raise Problem(403, "TooComplexQuery", "The query takes too long", str(error)) from None
    except DurationError as error:
        raise bad_data(str(error)) from None


def _question_of(body: Any, asked: Asked, request: Request) -> Question:
    """What a Query of temporal evolution asks (§5.2.23). Raises Problem or DocumentError."""
    if not isinstance(body, dict):
        raise bad_data("the body is an object of type Query")
    temporal = body.get("temporalQ")
    if not isinstance(temporal, dict):
        raise bad_data("temporalQ is needed, an object")
    parameters = body.get("aggrParams", {})
    if not isinstance(parameters, dict):
        raise bad_data("aggrParams is an object")
    temporal_only = ("temporalQ", "aggrParams", "@context")
    rest = {k: v for k, v in body.items() if k not in temporal_only}
    given = {**temporal, **parameters, "lang": body.get("lang")}
    given |= {name: request.query_params.get(name) for name in ("options", "format")}
    given = {name: value for name, value in given.items() if value is not None}
    return _question(given, asked, from_query(rest, asked.context), request.query_params)


def _question(
    given: Mapping[str, Any], asked: Asked, criteria: Criteria, parameters: Mapping[str, str]
) -> Question:
    """What is asked. Raises Problem or DocumentError."""
    if asked.geo_json:
        raise Problem(406, "InvalidRequest", "The temporal evolution is not served as GeoJSON")
    options = [o for o in str(given.get("options", "")).split(",") if o]
    wanted = [given["format"]] if given.get("format") else []
    unknown = [o for o in options if o not in _OPTIONS] + [f for f in wanted if f not in FORMATS]
    if unknown:
        raise bad_request(f"no such option or format: {unknown[0][:40]}")
    forms = set(wanted or options)
    query = parse_temporal(given)
    methods = given.get("aggrMethods")
    by_body = given is not parameters and methods is not None and not forms & FORMATS
    aggregation = None
    if "aggregatedValues" in forms or by_body:
        if methods is None:
            raise bad_data("aggregatedValues goes with aggrMethods")
        aggregation = parse_aggregation(methods, given.get("aggrPeriodDuration"))
    elif methods is not None or given.get("aggrPeriodDuration") is not None:
        parse_aggregation(methods or "avg", given.get("aggrPeriodDuration"))
    form = Form(
        asked.context, "concise" if "concise" in forms else "normalized",
        bool(forms & {"temporalValues", "simplified", "keyValues"}), "sysAttrs" in options,
        parse_languages(criteria.lang) if criteria.lang else (), criteria.selection,
    )  # fmt: skip
    capped = "instanceLimit" in parameters
    room = int(os.environ.get("ONSIL_TEMPORAL_PAGE", PAGE))
    if capped:
        room = _whole(parameters["instanceLimit"], PAGE_MAX)
    return Question(asked, criteria, query, form, aggregation, _zone(parameters), room, capped)


def _whole(text: str, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= most:
        raise bad_request(f"instanceLimit is a whole number from 1 to {most}")
    return int(text)


def _zone(parameters: Mapping[str, str]) -> ZoneInfo | None:
    """Whose months and years the periods of aggregation are; UTC's when nothing is said."""
    name = parameters.get("timezone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise bad_data(f"no such time zone: {name[:40]!r}") from None


async def _answer_query(
    door: Door, request: Request, question: Question, query: Mapping[str, Any] | None = None
) -> Response:
    """The answer to a query, in parameters or (`query`) in a body."""
    wanted = _wanted(request, question)
    limit = number(request, "limit", 20, 0, LIMIT_MAX)
    offset = number(request, "offset", 0, 0, 10_000_000)
    counted = is_counted(request)
    if not limit and not counted:
        raise bad_data("limit=0 goes with count=true")
    wanted, told, new = await within_map(
        door, request, wanted, lambda steps: _read(door, request, steps)
    )
    steps = _find(door.tenant(request), wanted, question, door.clock.now(), limit, offset, counted)
    body, found, total, headers = await _read(door, request, steps)
    partial = bool(headers)
    spread = await _sources(door, request, "queryTemporal", query)
    if spread is not None:
        path = "/temporal/entities" if query is None else "/temporal/entityOperations/query"
        body = (await evolutions_spread(spread, path, body, query=query))[:limit]
    headers |= paging(request, [None] * found, limit, offset) | told
    if counted:
        headers["NGSILD-Results-Count"] = str(total)
    status = 206 if partial else 201 if new else 200
    response = answer(body, question.asked, status, headers)
    return spread.warned(response) if spread else response


def _wanted(request: Request, question: Question) -> Wanted:
    """What is looked for. Raises Problem for what is too wide, or no temporal query."""
    criteria = question.criteria
    if not (question.query.asked or question.query.last):
        raise bad_data("a temporal query is needed: timerel and timeAt, or lastN")
    if not criteria.narrow and request.query_params.get("local") != "true":
        raise bad_data("one of type, attrs, q or georel is needed")
    _orderable(criteria.filter.ordering)
    return Wanted(question.query, criteria.filter, criteria.datasets)


def _orderable(ordering: Ordering | None) -> None:
    if ordering is not None and any(key.by_distance for key in ordering.keys):
        raise DocumentError("the temporal evolution is not ordered by distance")


Found = tuple[list[dict[str, Any]], int, int | None, dict[str, str]]


def _find(
    city: str, wanted: Wanted, question: Question, now: Any, limit: int, offset: int, counted: bool
) -> Steps[Found]:
    hits, total = yield from find(city, wanted, now, limit, offset, counted=counted)
    if not hits:
        return [], 0, total, {}
    bodies, headers = yield from _shown(city, hits, question)
    return [body for body in bodies if body], len(hits), total, headers


def _retrieve(
    city: str, uri: str, question: Question, now: Any
) -> Steps[tuple[dict[str, Any], dict[str, str]] | None]:
    known = yield from find_known(city, [uri], now)
    if not known:
        return None
    bodies, headers = yield from _shown(city, [Hit(known[0])], question)
    criteria = question.criteria
    own = frozenset(("id", "type", "createdAt", "modifiedAt", "deletedAt", "expiresAt", "scope"))
    left = bodies[0].keys() - own
    nothing = not bodies[0] or (criteria.filter.attrs and not left)
    return None if nothing else (bodies[0], headers)


def _shown(
    city: str, hits: list[Hit], question: Question
) -> Steps[tuple[list[dict[str, Any]], dict[str, str]]]:
    """The entities as they go out, and the Content-Range where they had to be cut."""
    criteria, query, form = question.criteria, question.query, question.form
    attrs = sorted(criteria.attrs) if criteria.attrs is not None else None
    if question.aggregation:
        answers = yield from aggregate(
            city, hits, query, question.aggregation, attrs, criteria.datasets, question.zone
        )
        _eligible(attrs, answers, question)
        told = [{iri: one for iri, one in entity.items() if one} for entity in answers]
        return [render_known(hit.known, one, form) for hit, one in zip(hits, told, strict=True)], {}
    most = question.most
    count = min(query.last or most + 1, most + 1)
    brief = question.form.values and query.timeproperty == "observedAt"
    wanted = Range(query, attrs, count, from_end=bool(query.last), brief=brief)
    found = yield from read_range(city, [hit.known.teid for hit in hits], wanted)
    evolutions = [
        hit.narrowed(found.get(hit.known.teid, {}), criteria.datasets) for hit in hits
    ]  # fmt: skip
    page = cut(evolutions, query, question.room, most)
    headers = {} if page.cut is None else {"Content-Range": content_range(page, query)}
    return [
        render_evolution(hit.known, one, query, form)
        for hit, one in zip(hits, page.evolutions, strict=True)
    ], headers


def _eligible(attrs: list[str] | None, answers: list[dict[str, Any]], question: Question) -> None:
    """An attribute that was asked for by name has at least one of the methods (§5.7.4.4)."""
    for iri in attrs or ():
        there = [entity[iri] for entity in answers if iri in entity]
        if there and not any(there):
            methods = ", ".join(question.aggregation.methods if question.aggregation else ())
            raise bad_request(
                f"{question.form.context.term(iri)} cannot be aggregated by {methods}"
            )
