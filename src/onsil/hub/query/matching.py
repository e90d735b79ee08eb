"""Whether a document in memory meets a query: the same rules as in the database (see jsonpath).

Subscriptions decide with it what concerns them; tests hold it against the database.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from onsil.hub.documents import Document, Instance, time_text
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.q import ABSENT, META, SYSTEM, TIMES, Comparison, Path, Span, Tree
from onsil.hub.rows import instant_of

Resolve = Callable[[str], Document | None]
# Members that carry values; relationships know only equal and unequal.
VALUES = ("value", "valueList", "vocab", "json")
LINKS = ("object", "objectList")


def matches(
    tree: Tree,
    document: Document,
    *,
    system: Mapping[str, datetime | None] | None = None,
    resolve: Resolve | None = None,
    now: datetime | None = None,
) -> bool:
    """Whether a query holds of an entity.

    `system` has the entity's own createdAt, modifiedAt, expiresAt; `resolve` finds linked entities
    by id, without it there are none; instances that have expired by `now` do not count.
    """
    if not isinstance(tree, Comparison):
        decide = any if tree.word == "or" else all
        return decide(
            matches(part, document, system=system, resolve=resolve, now=now) for part in tree.parts
        )
    path = tree.path
    if tree.operator == ABSENT:
        there = Comparison(path)
        return not matches(there, document, system=system, resolve=resolve, now=now)
    if path.attribute in SYSTEM:
        moment = (system or {}).get(path.attribute)
        return _holds(tree, [time_text(moment)] if moment else [], [])
    if path.link:
        inner = Comparison(path.link.path, tree.operator, tree.values)
        return any(
            (not path.link.types or set(path.link.types) & set(other.types))
            and matches(inner, other, resolve=resolve, now=now)
            for other in _linked(path, document, resolve, now)
        )
    return any(_instance_holds(tree, one) for one in _instances(path, document.attrs, now))


def _linked(
    path: Path, document: Document, resolve: Resolve | None, now: datetime | None
) -> Iterator[Document]:
    if resolve is None:
        return
    for instance in _instances(path, document.attrs, now):
        for uri in _links(instance):
            other = resolve(uri) if isinstance(uri, str) else None
            if other is not None:
                yield other


def _instances(
    path: Path, attrs: Mapping[str, list[Instance]], now: datetime | None
) -> Iterator[Instance]:
    names = [path.attribute, *(n for n in path.inner if n not in META)]
    level: Iterable[Instance] = [{"attrs": attrs}]
    for name in names:
        level = [i for outer in level for i in outer.get("attrs", {}).get(name, [])
                 if not _expired(i, now)]  # fmt: skip
    yield from level


def _expired(instance: Instance, now: datetime | None) -> bool:
    expiry = instant_of(instance.get("expiresAt", "")) if now is not None else None
    return expiry is not None and now is not None and expiry <= now


def _instance_holds(term: Comparison, instance: Instance) -> bool:
    path = term.path
    if path.meta:
        found = instance.get(path.meta)
        return found is not None and _holds(term, [found], [])
    if path.member:
        values = list(_members(path.member, instance))
        return bool(values) and _holds(term, [v for one in values for v in _items(one)], [], True)
    values = [v for key in VALUES for v in _items(instance.get(key))]
    words = instance.get("languageMap", {})
    values += [v for word in words.values() for v in _items(word)]
    return _holds(term, values, _links(instance), True)


def _members(member: tuple[str, ...], instance: Instance) -> Iterator[Any]:
    for key in ("value", "json"):
        if key in instance:
            yield from _within([instance[key]], member)
    if len(member) == 1 and "languageMap" in instance:
        words = instance["languageMap"]
        yield from words.values() if member[0] == "*" else _within([words], member)


def _within(level: Iterable[Any], member: tuple[str, ...]) -> Iterable[Any]:
    for name in member:
        objects = [one for v in level for one in (v if isinstance(v, list) else [v])]
        level = [o[name] for o in objects if isinstance(o, dict) and name in o]
    return level


def _items(value: Any) -> Iterator[Any]:
    """What a value is compared by: itself, the members of a list, a typed literal's content."""
    if value is None:
        return
    for one in value if isinstance(value, list) else [value]:
        yield one["@value"] if isinstance(one, dict) and "@value" in one else one


def _links(instance: Instance) -> list[Any]:
    return [
        one["object"] if isinstance(one, dict) and "object" in one else one
        for key in LINKS
        for one in _items(instance.get(key))
    ]


def _holds(term: Comparison, values: list[Any], links: list[Any], exists: bool = False) -> bool:
    """Whether one target, with what it is compared by, meets a term."""
    there = exists or bool(values) or bool(links)
    match term.operator:
        case "":
            return there
        case "==":
            return _equals(term, values, links)
        case "!=":
            return there and not _equals(term, values, links)
        case "~=" | "!~=":
            texts = [v for v in values if isinstance(v, str)]
            found = any(compiled_pattern(term.values[0]).search(text) for text in texts)
            return found if term.operator == "~=" else bool(texts) and not found
    return any(_ordered(v, term.operator, term.values[0]) for v in values)


def _equals(term: Comparison, values: list[Any], links: list[Any]) -> bool:
    """Whether any value, or link, is one of those wanted; links have no ranges."""
    if any(link == wanted for link in links for wanted in term.values):
        return True
    return any(_equal(value, wanted) for value in values for wanted in term.values)


def _equal(stored: Any, wanted: Any) -> bool:
    if isinstance(wanted, Span):
        return _ordered(stored, ">=", wanted.low) and _ordered(stored, "<=", wanted.high)
    if isinstance(wanted, bool) or isinstance(stored, bool):
        return stored is wanted
    return _ordered(stored, "==", wanted)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _ordered(stored: Any, operator: str, wanted: Any) -> bool:
    """A stored value against one of a query: only what is of one kind compares."""
    if isinstance(stored, bool):
        return False
    if isinstance(wanted, float):
        return isinstance(stored, int | float) and _COMPARE[operator](stored, wanted)
    if not isinstance(stored, str):
        return False
    if isinstance(wanted, str):
        return _COMPARE[operator](stored, wanted)
    if isinstance(wanted, time):
        return _COMPARE[operator](moment, _zoned(wanted)) if (moment := _clock(stored)) else False
    moment = instant_of(stored)
    if moment is None:
        return False
    if not isinstance(wanted, datetime):
        assert isinstance(wanted, date)
        wanted = datetime(wanted.year, wanted.month, wanted.day, tzinfo=UTC)
    return _COMPARE[operator](moment, wanted)


_CLOCK = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$", re.ASCII)


def _clock(text: str) -> time | None:
    try:
        return _zoned(time.fromisoformat(text)) if _CLOCK.match(text) else None
    except ValueError:
        return None


def _zoned(moment: time) -> time:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["TIMES", "Resolve", "matches"]
