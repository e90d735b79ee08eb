"""Which registrations a request is for, and which part of it (§5.12, §4.3.6). Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onsil.hub.documents import parse_time
from onsil.hub.query.filters import Selector
from onsil.hub.query.geo import GeoQuery, place_matches
from onsil.hub.query.matching import matches
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.q import Tree
from onsil.hub.query.scopes import ScopeTree, scope_matches
from onsil.hub.query.type_selection import types_match
from onsil.hub.sources.terms import EntityInfo, Info, Registration, Share

Names = frozenset[str]


@dataclass(frozen=True)
class Sought:
    """What registrations are looked for; what is empty or None does not narrow it.

    `via` are the pseudonyms of the brokers that a request has come by.
    """

    operations: tuple[str, ...] = ()
    selectors: tuple[Selector, ...] = ()
    attrs: Names = frozenset()
    csf: Tree | None = None
    geo: GeoQuery | None = None
    scopes: ScopeTree | None = None
    datasets: Names = frozenset()
    via: Names = frozenset()
    # None: the request is not about the temporal evolution; empty: it is, whatever the time.
    temporal: Mapping[str, str] | None = field(default=None)


def considered(registration: Registration, sought: Sought, now: datetime) -> bool:
    """Whether a registration counts at all: offered, not expired, no loop, its properties fit."""
    if registration.expires_at is not None and registration.expires_at <= now:
        return False
    if sought.operations and registration.operations.isdisjoint(sought.operations):
        return False
    if registration.alias and registration.alias in sought.via:
        return False
    held = registration.datasets
    if sought.datasets and held and held.isdisjoint(sought.datasets):
        return False
    document = registration.document
    if sought.csf is not None and not matches(sought.csf, document):
        return False
    if sought.geo is not None and not place_matches(sought.geo, document):
        return False
    if sought.scopes is not None and not scope_matches(sought.scopes, document.scopes):
        return False
    return _in_time(registration, sought.temporal)


def _in_time(registration: Registration, wanted: Mapping[str, str] | None) -> bool:
    """Whether the temporal query meets the interval it is about (§5.10.2.4)."""
    if wanted is None:
        return not registration.temporal
    if not wanted:
        return registration.temporal
    observed = wanted.get("timeproperty", "observedAt") == "observedAt"
    interval = registration.doc.get("observationInterval" if observed else "managementInterval")
    if interval is None:
        return False
    if "timeAt" not in wanted:
        return True
    start = parse_time(interval["startAt"])
    end = parse_time(interval["endAt"]) if "endAt" in interval else None
    at = parse_time(wanted["timeAt"])
    if wanted.get("timerel") == "between" and "endTimeAt" in wanted:
        return start <= parse_time(wanted["endTimeAt"]) and (end is None or end >= at)
    if wanted.get("timerel") == "after":
        return end is None or end >= at
    return start <= at


def entity_share(
    registration: Registration, uri: str, types: Collection[str], attrs: Names | None = None
) -> Share | None:
    """What a source has to do with one entity: which of its attributes. None: nothing.

    `types` is empty where nobody knows them. `attrs`: those in question (None: all).
    """
    found: set[str] = set()
    everything = False
    for info in registration.information:
        if info.entities and not any(_covers(one, uri, types) for one in info.entities):
            continue
        if not info.attrs:
            everything = True
        else:
            found |= info.attrs
    if everything:
        return Share(registration, attrs)
    if attrs is not None:
        found &= attrs
    return Share(registration, frozenset(found), whole=False) if found else None


def _covers(info: EntityInfo, uri: str, types: Collection[str]) -> bool:
    if types and not info.types.issubset(types):
        return False
    if info.uri is not None:
        return info.uri == uri
    return info.pattern is None or info.pattern.search(uri) is not None


def query_share(
    registration: Registration, selectors: Sequence[Selector], attrs: Names
) -> Share | None:
    """What of a query is one source's, narrowed to what it has registered. None: nothing."""
    parts = [
        part for info in registration.information
        if (part := _part(registration, info, selectors, attrs)) is not None
    ]  # fmt: skip
    if not parts:
        return None
    first = parts[0]
    if len(parts) == 1:
        return first
    ids = {uri for part in parts for uri in part.ids} if all(p.ids for p in parts) else ()
    named: Names | None = None
    if all(part.attrs is not None for part in parts):
        named = frozenset(iri for part in parts for iri in part.attrs or ())
    types = {t for part in parts for t in part.types} if all(p.types for p in parts) else ()
    same = all(part.pattern == first.pattern for part in parts)
    return Share(
        registration, named, tuple(sorted(ids)), first.pattern if same else "",
        tuple(sorted(types)), all(part.whole for part in parts),
    )  # fmt: skip


def _part(
    registration: Registration, info: Info, selectors: Sequence[Selector], attrs: Names
) -> Share | None:
    fitting = [one for one in info.entities if _meets_any(one, selectors)]
    if info.entities and not fitting:
        return None
    if info.attrs and attrs and info.attrs.isdisjoint(attrs):
        return None
    ids = tuple(one.uri for one in fitting if one.uri) if all(e.uri for e in fitting) else ()
    patterns = {one.pattern_text for one in fitting}
    pattern = patterns.pop() if len(patterns) == 1 and not ids else ""
    typed = any(one.types is not None for one in selectors)
    types = () if typed else tuple(sorted({t for one in fitting for t in one.types}))
    named = info.attrs & attrs if info.attrs and attrs else info.attrs or attrs
    return Share(registration, named or None, ids, pattern, types, not info.attrs)


def _meets_any(info: EntityInfo, selectors: Sequence[Selector]) -> bool:
    return not selectors or any(meets(info, one) for one in selectors)


def meets(info: EntityInfo, selector: Selector) -> bool:
    """Whether what is selected can be among what an EntityInfo speaks of (§5.12)."""
    if not types_match(selector.types, info.types):
        return False
    if info.uri is None and info.pattern is None:
        return True
    if selector.ids:
        if info.uri is not None:
            return info.uri in selector.ids
        assert info.pattern is not None
        return any(info.pattern.search(uri) for uri in selector.ids)
    if selector.id_pattern and info.uri is not None:
        return compiled_pattern(selector.id_pattern).search(info.uri) is not None
    return True


def informs(info: Info, sought: Sought) -> bool:
    """Whether a RegistrationInfo is among what is looked for."""
    if info.entities and not any(_meets_any(one, sought.selectors) for one in info.entities):
        return False
    return not sought.attrs or not info.attrs or not info.attrs.isdisjoint(sought.attrs)


def narrowed(registration: Registration, sought: Sought, now: datetime) -> dict[str, Any] | None:
    """A registration with only the RegistrationInfo that matches; None when it does not match."""
    if not considered(registration, sought, now):
        return None
    pairs = zip(registration.information, registration.doc["information"], strict=True)
    information = [raw for info, raw in pairs if informs(info, sought)]
    return {**registration.doc, "information": information} if information else None


def overlap(one: Registration, other: Registration) -> bool:
    """Whether two proxied registrations speak of the same attributes of the same entity, where at
    least one of them is exclusive (§4.3.6.3)."""
    if "exclusive" not in (one.mode, other.mode):
        return False
    return any(_overlap(a, b) for a in one.information for b in other.information)


def _overlap(one: Info, other: Info) -> bool:
    if one.attrs and other.attrs and one.attrs.isdisjoint(other.attrs):
        return False
    if not one.entities or not other.entities:
        return True
    return any(_same_entity(a, b) for a in one.entities for b in other.entities)


def _same_entity(one: EntityInfo, other: EntityInfo) -> bool:
    for a, b in ((one, other), (other, one)):
        if a.uri is not None:
            return _covers(b, a.uri, a.types) or b.uri == a.uri
    return not one.types.isdisjoint(other.types)


def pseudonyms(via: Iterable[str]) -> Names:
    """The brokers that a request has come by, of its Via headers (RFC 9110 §7.6.3)."""
    entries = (entry.split() for line in via for entry in line.split(","))
    return frozenset(entry[1] for entry in entries if len(entry) > 1)
