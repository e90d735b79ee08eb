"""Which entities' temporal evolution is meant by a query (GS CIM 009 V1.9.1 §5.7.4.4).

Candidates come from the database in the order of their ids; values, places and scopes are then held
against the instances within the time range, by the rules that current entities are queried by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onsil.hub.arrays import microseconds
from onsil.hub.documents import VALUE_KEYS, Document, Instance
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.geo import place_matches
from onsil.hub.query.matching import matches
from onsil.hub.query.ordering import Ordering
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.q import META, Path, attributes_of
from onsil.hub.query.scopes import ScopeTree, scope_matches
from onsil.hub.query.type_selection import types_in, types_match
from onsil.hub.steps import Ask, Steps
from onsil.hub.temporal.asking import TemporalQuery
from onsil.hub.temporal.instances import SCOPE
from onsil.hub.temporal.reading import KNOWN, Evolution, Known, Range, Seen, read_range

CHUNK = 200
INSTANCES_MAX = 100_000
_OF_TYPES = """
 AND te.teid IN (SELECT y.teid FROM hub_temporal_type y
                  JOIN hub_term n ON n.city = $1 AND n.term_id = y.type_id
                 WHERE y.city = $1 AND n.iri = ANY($3::text[]) AND y.uri > $4)
"""
_CANDIDATES = """
 AND te.uri > $4 AND ($5::text[] IS NULL OR te.uri = ANY($5)) ORDER BY te.uri LIMIT $6
"""


@dataclass(frozen=True)
class Wanted:
    """What is looked for: what happened in a time range to the entities that a filter names."""

    query: TemporalQuery
    filter: Filter = field(default_factory=Filter)
    datasets: frozenset[str] | None = None

    @property
    def looks_inside(self) -> bool:
        """Whether instances decide beyond their being there."""
        wanted = self.filter
        return bool(wanted.q or wanted.geo or wanted.scopes or wanted.ordering)


@dataclass
class Hit:
    """An entity that fits; `periods` are the times at which a scope that was asked for held."""

    known: Known
    scopes: list[Seen] = field(default_factory=list)
    periods: list[tuple[int, int]] | None = None
    order: Evolution = field(default_factory=dict)

    def narrowed(self, evolution: Evolution, datasets: frozenset[str] | None) -> Evolution:
        """The entity's evolution without what datasets and scopes leave out."""
        made: Evolution = {}
        for (iri, dataset), series in evolution.items():
            if datasets is not None and (dataset or "@none") not in datasets:
                continue
            if self.periods is not None and iri != SCOPE:
                series = [s for s in series if any(a <= s.at < b for a, b in self.periods)]
            if series:
                made[iri, dataset] = series
        if self.scopes:
            made[SCOPE, ""] = self.scopes
        return made


def find(
    city: str, wanted: Wanted, now: datetime, limit: int, offset: int, *, counted: bool
) -> Steps[tuple[list[Hit], int | None]]:
    """The hits of a page, and how many there are in all if that is asked for."""
    if wanted.filter.ordering:
        every = [hit for chunk in (yield from _all(city, wanted, now)) for hit in chunk]
        every = _ordered(every, wanted.filter.ordering)
        return every[offset : offset + limit], len(every)
    page: list[Hit] = []
    total, after = 0, ""
    while True:
        candidates = yield from _candidates(city, wanted, now, after)
        hits = yield from _fitting(city, wanted, candidates)
        page += hits[max(0, offset - total) : max(0, offset + limit - total)]
        total += len(hits)
        if len(candidates) < CHUNK or (total >= offset + limit and not counted):
            return page, total if counted else None
        after = candidates[-1].uri


def _all(city: str, wanted: Wanted, now: datetime) -> Steps[list[list[Hit]]]:
    made, after = [], ""
    while True:
        candidates = yield from _candidates(city, wanted, now, after)
        made.append((yield from _fitting(city, wanted, candidates)))
        if len(candidates) < CHUNK:
            return made
        after = candidates[-1].uri


def _candidates(city: str, wanted: Wanted, now: datetime, after: str) -> Steps[list[Known]]:
    selectors = wanted.filter.selectors
    types = sorted({iri for one in selectors for iri in types_in(one.types)})
    ids = sorted({uri for one in selectors for uri in one.ids})
    by_type = bool(selectors) and all(one.types is not None for one in selectors)
    by_id = bool(selectors) and all(one.ids for one in selectors)
    sql = KNOWN + (_OF_TYPES if by_type else " AND $3::text[] IS NOT NULL") + _CANDIDATES
    rows: Any = yield Ask(sql, (city, now, types, after, ids if by_id else None, CHUNK))
    return [Known(*row) for row in rows]


def _named(selectors: Sequence[Selector], known: Known) -> bool:
    return not selectors or any(
        types_match(one.types, known.types) and (not one.ids or known.uri in one.ids)
        and (not one.id_pattern or bool(compiled_pattern(one.id_pattern).search(known.uri)))
        for one in selectors
    )  # fmt: skip


def _fitting(city: str, wanted: Wanted, candidates: Sequence[Known]) -> Steps[list[Hit]]:
    """Those of the candidates that fit, each held against what happened in the time range."""
    filter_ = wanted.filter
    named = [known for known in candidates if _named(filter_.selectors, known)]
    if not named:
        return []
    teids = [known.teid for known in named]
    attrs = list(filter_.attrs) or None
    there = yield from read_range(city, teids, Range(wanted.query, attrs, count=1))
    hits = [Hit(known) for known in named]
    hits = [hit for hit in hits if hit.narrowed(there.get(hit.known.teid, {}), wanted.datasets)]
    if not hits or not wanted.looks_inside:
        return hits
    asked = set(attributes_of(filter_.q)) if filter_.q else set()
    if filter_.geo:
        asked.add(filter_.geo.iri)
    if filter_.ordering:
        asked |= {key.path.attribute for key in filter_.ordering.keys}
    teids = [hit.known.teid for hit in hits]
    held = yield from read_range(
        city, teids, Range(wanted.query, sorted(asked), count=INSTANCES_MAX + 1, from_end=True)
    )
    scopes: dict[int, Evolution] = {}
    if filter_.scopes:
        scopes = yield from read_range(city, teids, Range(TemporalQuery(), [SCOPE]))
    made = []
    for hit in hits:
        evolution = held.get(hit.known.teid, {})
        if any(len(series) > INSTANCES_MAX for series in evolution.values()):
            raise TooMuch(f"{hit.known.uri} has over {INSTANCES_MAX} instances in the time range")
        if not _holds(filter_, hit.known, evolution):
            continue
        hit.order = evolution
        if filter_.scopes:
            series = scopes.get(hit.known.teid, {}).get((SCOPE, ""), [])
            hit.scopes, hit.periods = _scoped(series, wanted.query, filter_.scopes)
            if not hit.periods:
                continue
        made.append(hit)
    return made


class TooMuch(Exception):
    """A query that would have to look at too many instances (the standard's TooComplexQuery)."""


def _holds(wanted: Filter, known: Known, evolution: Evolution) -> bool:
    attrs: dict[str, list[Instance]] = {}
    for (iri, _), series in evolution.items():
        attrs.setdefault(iri, []).extend(seen.instance for seen in series)
    document = Document(known.uri, known.types, [], attrs)
    system = {"createdAt": known.created_at, "modifiedAt": known.modified_at}
    if wanted.q and not matches(wanted.q, document, system=system):
        return False
    return wanted.geo is None or place_matches(wanted.geo, document)


def _scoped(
    series: Sequence[Seen], query: TemporalQuery, tree: ScopeTree
) -> tuple[list[Seen], list[tuple[int, int]]]:
    """The scopes that fit and held within the range, and when they did (§4.18, §C.5.16)."""
    first, last = microseconds(query.at), microseconds(query.end)
    scopes, periods = [], []
    for place, seen in enumerate(series):
        until = series[place + 1].at if place + 1 < len(series) else last
        start, end = max(first, seen.at), min(last, until)
        value = seen.instance.get("value")
        held = value if isinstance(value, list) else [value]
        if start < end and scope_matches(tree, [str(one) for one in held]):
            scopes.append(seen)
            periods.append((start, end))
    return scopes, periods


def _ordered(hits: list[Hit], ordering: Ordering) -> list[Hit]:
    """By each criterion, the first one above all; what has no value comes last."""
    for key in reversed(ordering.keys):
        keyed = [(_sort_value(hit, key.path), hit) for hit in hits]
        there = [(value, hit) for value, hit in keyed if value is not None]
        there.sort(key=lambda pair: pair[0], reverse=key.descending)
        hits = [h for _, h in there] + [h for value, h in keyed if value is None]
    return hits


def _sort_value(hit: Hit, path: Path) -> tuple[int, Any] | None:
    known = hit.known
    own = {
        "id": known.uri, "type": known.types[0] if known.types else "",
        "createdAt": known.created_at.isoformat(), "modifiedAt": known.modified_at.isoformat(),
    }  # fmt: skip
    if path.attribute in own:
        return (1, own[path.attribute])
    found = [seen for (iri, _), series in hit.order.items() if iri == path.attribute
             for seen in series]  # fmt: skip
    if not found:
        return None
    instance: Instance = max(found, key=lambda seen: seen.at).instance
    for name in path.inner:
        if name in META:
            return (1, str(instance[name])) if name in instance else None
        inner = instance.get("attrs", {}).get(name)
        if not inner:
            return None
        instance = inner[0]
    value: Any = instance.get(VALUE_KEYS[instance["type"]])
    for member in path.member:
        value = value.get(member) if isinstance(value, dict) else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return (0, value)
    return (1, str(value))
