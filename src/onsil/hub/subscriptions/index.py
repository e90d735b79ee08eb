"""The subscriptions of a city in memory, by type and attribute, as of a version.

Matching asks the database for one number a transaction. Only when it differs from the one at hand
are the subscriptions read that have changed since; so what was committed before the write is always
taken into account, in whatever process it was made.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onsil.hub.steps import Ask, Steps
from onsil.hub.subscriptions.compiling import compiled
from onsil.hub.subscriptions.terms import Subscription

_CITIES_MAX = 1000
ANY = ""


@dataclass(frozen=True)
class CityIndex:
    """One version of a city's subscriptions; never altered."""

    version: int
    subscriptions: Mapping[int, Subscription]
    entities: Mapping[str, tuple[Subscription, ...]] = field(default_factory=dict)
    sources: tuple[Subscription, ...] = ()

    def candidates(self, types: Iterable[str], attributes: Iterable[str]) -> list[Subscription]:
        """Subscriptions to entities that may concern entities of these types and attributes."""
        found: dict[int, Subscription] = {}
        for one in (ANY, *types):
            for subscription in self.entities.get(one, ()):
                found[subscription.number] = subscription
        named = frozenset(attributes)
        return [s for s in found.values() if not s.watched or not s.watched.isdisjoint(named)]


EMPTY = CityIndex(0, {})
_kept: OrderedDict[tuple[str, str], CityIndex] = OrderedDict()


def indexed(version: int, subscriptions: Mapping[int, Subscription]) -> CityIndex:
    """Put a city's subscriptions in order by the types they speak of."""
    by_type: dict[str, list[Subscription]] = defaultdict(list)
    for one in subscriptions.values():
        if one.kind == "entities" and one.interval_s is None:
            for name in _types_of(one):
                by_type[name].append(one)
    return CityIndex(
        version,
        subscriptions,
        {name: tuple(many) for name, many in by_type.items()},
        tuple(s for s in subscriptions.values() if s.kind == "sources"),
    )


def _types_of(subscription: Subscription) -> set[str]:
    names: set[str] = set()
    for selector in subscription.selectors:
        names |= selector.type_names or {ANY}
    return names or {ANY}


def city_index(city: str) -> Steps[CityIndex]:
    """The subscriptions of a city as they are at this moment of the transaction."""
    rows = yield Ask(
        "SELECT version, lineage::text FROM hub_subscription_version WHERE city = $1", (city,)
    )
    if not rows:
        return EMPTY
    version, lineage = rows[0]
    key = (city, lineage)
    kept = _kept.get(key)
    if kept is not None and kept.version == version:
        return kept
    # A lower version than the one at hand: another past of the same database was restored.
    since = kept if kept is not None and kept.version < version else EMPTY
    fresh = yield from _read(city, version, since)
    current = _kept.get(key)
    if current is None or current.version < fresh.version or since is EMPTY:
        _kept[key] = fresh
        _kept.move_to_end(key)
        while len(_kept) > _CITIES_MAX:
            _kept.popitem(last=False)
    return fresh


def _read(city: str, version: int, since: CityIndex) -> Steps[CityIndex]:
    rows = yield Ask(
        "SELECT sub_no, uri, kind, doc, names, context, created_at FROM hub_subscription"
        " WHERE city = $1 AND version > $2",
        (city, since.version),
    )
    there = yield Ask("SELECT sub_no FROM hub_subscription WHERE city = $1", (city,))
    numbers = {row[0] for row in there}
    subscriptions = {n: s for n, s in since.subscriptions.items() if n in numbers}
    for row in rows:
        if row[0] in numbers:
            subscriptions[row[0]] = _compiled(city, *row)
    return indexed(version, dict(sorted(subscriptions.items())))


def _compiled(city: str, number: int, *rest: Any) -> Subscription:
    return compiled(city, number, *rest)
