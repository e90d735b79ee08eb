"""A call answered within what may be seen: the door's own criteria, finding, rendering, as steps.

Errors are answers, too: a status and ProblemDetails as the door gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onsil.hub.contexts import CORE
from onsil.hub.documents import is_uri, parse_languages, render
from onsil.hub.exploring.calls import (
    ENTITIES,
    EVOLUTION_QUERY,
    EVOLUTIONS,
    QUERY,
    Call,
)
from onsil.hub.exploring.sources import Source
from onsil.hub.http.asking import LIMIT_MAX
from onsil.hub.http.criteria import Criteria, from_parameters, from_query
from onsil.hub.http.gate import Problem, bad_data, bad_request, not_found, problem_of
from onsil.hub.http.routing import PARAMETERS
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import count, find
from onsil.hub.steps import Steps
from onsil.hub.temporal.aggregating import aggregate
from onsil.hub.temporal.asking import TemporalQuery, parse_aggregation, parse_temporal
from onsil.hub.temporal.finding import TooMuch, Wanted
from onsil.hub.temporal.finding import find as find_evolutions
from onsil.hub.temporal.reading import Range, read_range
from onsil.hub.temporal.representation import Form, cut, render_evolution, render_known

LIMIT = 20
INSTANCES_MAX = 10_000
_FORMATS = {"concise": "concise", "simplified": "simplified", "keyValues": "simplified"}


@dataclass(frozen=True)
class Answer:
    """What came back. `total`: how many there are, where that was asked; `cut`: instances are
    missing (206)."""

    status: int
    body: Any
    total: int | None = None
    cut: bool = False

    @property
    def good(self) -> bool:
        return self.status < 400


def answer(city: str, source: Source, call: Call, now: datetime) -> Steps[Answer]:
    """Run a call. What cannot be answered is an Answer with its Problem; the rest is raised."""
    try:
        unknown = sorted(set(call.given) - PARAMETERS)
        if unknown:
            raise bad_request(f"there is no parameter {unknown[0][:40]!r}")
        return (yield from _answered(city, source, call, now))
    except TooMuch as error:
        problem = Problem(403, "TooComplexQuery", "The query takes too long", str(error))
    except Exception as error:
        found = problem_of(error)
        if found is None:
            raise
        problem = found
    return Answer(problem.status, problem.body())


def _answered(city: str, source: Source, call: Call, now: datetime) -> Steps[Answer]:
    given = call.given
    if call.body is not None:
        if call.path == QUERY:
            return (yield from _entities(city, source, from_query(call.body, CORE), given, now))
        if call.path != EVOLUTION_QUERY:
            raise _elsewhere()
        body = dict(call.body)
        temporal, parameters = body.pop("temporalQ", {}), body.pop("aggrParams", {})
        if not isinstance(temporal, dict) or not isinstance(parameters, dict):
            raise bad_data("temporalQ and aggrParams are objects")
        asked = {**temporal, **parameters, **given}
        if parameters and "format" not in given:
            asked["format"] = "aggregatedValues"
        return (yield from _evolutions(city, source, from_query(body, CORE), asked, now))
    for base, way in ((EVOLUTIONS, _evolutions), (ENTITIES, _entities)):
        if call.path.rstrip("/") == base:
            return (yield from way(city, source, from_parameters(given, CORE), given, now))
        if call.path.startswith(f"{base}/"):
            return (yield from _one(city, source, call, base, now))
    raise _elsewhere()


def _elsewhere() -> Problem:
    return Problem(
        404, "ResourceNotFound", "This console does not call that",
        f"It calls {ENTITIES}, {ENTITIES}/{{id}}, {EVOLUTIONS}, {EVOLUTIONS}/{{id}} and the queries"
        " by POST.",
    )  # fmt: skip


def _one(city: str, source: Source, call: Call, base: str, now: datetime) -> Steps[Answer]:
    """One entity by its id: the query for this id, told alone."""
    uri = unquote(call.path.removeprefix(f"{base}/"))
    if "/" in uri:
        raise _elsewhere()
    if not is_uri(uri):
        raise bad_data(f"an id is a URI, not {uri[:80]!r}")
    given = {name: value for name, value in call.given.items() if name not in ("limit", "offset")}
    criteria = from_parameters(given | {"id": uri}, CORE)
    way = _evolutions if base == EVOLUTIONS else _entities
    found = yield from way(city, source, criteria, given, now)
    if not found.body:
        raise not_found(uri)
    return replace(found, body=found.body[0])


def _entities(
    city: str, source: Source, criteria: Criteria, given: Mapping[str, Any], now: datetime
) -> Steps[Answer]:
    criteria = source.bound(criteria)
    limit, offset, counted = _paging(given)
    found = []
    if limit:
        found = yield from find(city, criteria.filter, limit, offset, now=now)
    total = (yield from count(city, criteria.filter, now=now)) if counted else None
    form = given.get("format") or str(given.get("options", "")).split(",")[0]
    languages = parse_languages(criteria.lang) if criteria.lang else ()
    body = [
        render(
            source.shown(one.document), CORE, _FORMATS.get(form, "normalized"),  # pyright: ignore
            attrs=criteria.attrs, selection=criteria.selection, languages=languages,
            datasets=criteria.datasets, system="sysAttrs" in str(given.get("options", "")),
        )
        for one in found
    ]  # fmt: skip
    return Answer(200, body, total)


def _paging(given: Mapping[str, Any]) -> tuple[int, int, bool]:
    numbers = []
    for name, default, most in (("limit", LIMIT, LIMIT_MAX), ("offset", 0, 1_000_000)):
        text = str(given.get(name, default))
        if not text.isascii() or not text.isdigit() or int(text[:9]) > most:
            raise bad_request(f"{name} is a whole number from 0 to {most}")
        numbers.append(int(text))
    counted = given.get("count") == "true"
    if not numbers[0] and not counted:
        raise bad_data("limit=0 goes with count=true")
    return numbers[0], numbers[1], counted


def _evolutions(
    city: str, source: Source, criteria: Criteria, given: Mapping[str, Any], now: datetime
) -> Steps[Answer]:
    query = parse_temporal(given)
    if not (query.asked or query.last):
        raise bad_data("a temporal query is needed: timerel and timeAt, or lastN")
    limit, offset, _ = _paging(given)
    attrs = criteria.attrs
    filter_ = criteria.filter
    if source.bounded:
        # Who may be seen is decided on what the entities are now, what happened on its own time.
        standing = criteria._replace(filter=replace(filter_, q=None, attrs=()))
        source.bound(criteria)
        now_there = source.bound(standing).filter
        found = yield from find(city, now_there, limit, offset, now=now)
        if not found:
            return Answer(200, [])
        ids = tuple(one.document.uri for one in found)
        filter_ = Filter((Selector(ids=ids),), filter_.q, filter_.attrs)
        attrs = source.allowed if attrs is None else attrs
        offset = 0
    wanted = Wanted(query, filter_, criteria.datasets)
    hits, _ = yield from find_evolutions(city, wanted, now, limit, offset, counted=False)
    if not hits:
        return Answer(200, [])
    names = sorted(attrs) if attrs is not None else None
    form = _form(given, criteria)
    if "aggregatedValues" in _forms(given):
        if given.get("aggrMethods") is None:
            raise bad_data("aggregatedValues goes with aggrMethods")
        how = parse_aggregation(given["aggrMethods"], given.get("aggrPeriodDuration"))
        sums = yield from aggregate(
            city, hits, query, how, names, criteria.datasets, _zone(given.get("timezone"))
        )
        told = [{iri: one for iri, one in entity.items() if one} for entity in sums]
        return Answer(
            200, [render_known(h.known, m, form) for h, m in zip(hits, told, strict=True)]
        )
    return (yield from _instances(city, hits, query, names, criteria, form, given))


def _instances(
    city: str, hits: list[Any], query: TemporalQuery, names: list[str] | None, criteria: Criteria,
    form: Form, given: Mapping[str, Any],
) -> Steps[Answer]:  # fmt: skip
    most = _room(given.get("instanceLimit"))
    reach = Range(query, names, min(query.last or most + 1, most + 1), from_end=bool(query.last))
    seen = yield from read_range(city, [hit.known.teid for hit in hits], reach)
    evolutions = [
        hit.narrowed(seen.get(hit.known.teid, {}), criteria.datasets) for hit in hits
    ]  # fmt: skip
    page = cut(evolutions, query, most, most)
    body = [
        render_evolution(hit.known, one, query, form)
        for hit, one in zip(hits, page.evolutions, strict=True)
    ]
    partial = page.cut is not None
    return Answer(206 if partial else 200, body, cut=partial)


def _forms(given: Mapping[str, Any]) -> set[str]:
    return {str(given["format"])} if given.get("format") else set(
        str(given.get("options", "")).split(",")
    )  # fmt: skip


def _form(given: Mapping[str, Any], criteria: Criteria) -> Form:
    forms = _forms(given)
    languages = parse_languages(criteria.lang) if criteria.lang else ()
    values = bool(forms & {"temporalValues", "simplified", "keyValues"})
    return Form(CORE, "concise" if "concise" in forms else "normalized", values,
                languages=languages, selection=criteria.selection)  # fmt: skip


def _room(text: Any) -> int:
    if text is None:
        return 1000
    if not str(text).isdigit() or not 0 < int(str(text)[:9]) <= INSTANCES_MAX:
        raise bad_request(f"instanceLimit is a whole number from 1 to {INSTANCES_MAX}")
    return int(text)


def _zone(name: Any) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise bad_data(f"no such time zone: {str(name)[:40]!r}") from None
