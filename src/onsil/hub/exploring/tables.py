"""Answers as tables: entities in rows, evolutions with a row for each value. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from onsil.hub.datasets.content import Column, Table
from onsil.hub.documents import VALUE_KEYS, parse_time
from onsil.hub.query.units import UNIT_CODES

_UNITS = {code: unit for unit, code in UNIT_CODES.items() if unit != "dimensionless"}
_PLURALS = ("values", "objects", "languageMaps", "vocabs", "jsons", "valueLists", "objectLists")
_OWN = ("id", "type", "scope", "@context")
METHODS = ("avg", "sum", "min", "max", "totalCount", "distinctCount", "stddev", "sumsq")


def unit_of(code: str) -> str:
    """A unit's common name for its UN/CEFACT code."""
    return _UNITS.get(code) or code


def tabled(body: Any) -> Table:
    """The answer's table: of entities, or of what they were in time."""
    entities = [one for one in (body if isinstance(body, list) else [body]) if "id" in one]
    if any(True for _ in _values(entities)):
        return evolution_table(entities)
    return entity_table(entities)


def entity_table(entities: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each entity, with when it was measured last and where it is."""
    rows: list[dict[Column, Any]] = []
    for entity in entities:
        row: dict[Column, Any] = {Column("id"): entity["id"], Column("type"): _text(entity["type"])}
        newest = ""
        for name, given in entity.items():
            if name in _OWN:
                continue
            one = given[0] if isinstance(given, list) and given else given
            value = value_of(one)
            if isinstance(value, dict) and "coordinates" in value:
                continue
            unit = unit_of(one.get("unitCode", "")) if isinstance(one, dict) else ""
            row[Column(name, unit)] = value
            if isinstance(one, dict):
                newest = max(newest, str(one.get("observedAt", "")))
        if newest:
            row[Column("observedAt")] = parse_time(newest)
        place = place_of(entity)
        if place:
            row |= {Column("longitude", "deg"): place[0], Column("latitude", "deg"): place[1]}
        rows.append(row)
    last = [Column("observedAt"), Column("longitude", "deg"), Column("latitude", "deg")]
    seen = dict.fromkeys(column for row in rows for column in row if column not in last)
    columns = (*seen, *(one for one in last if any(one in row for row in rows)))
    return Table(columns, [[row.get(one) for one in columns] for row in rows])


def _text(given: Any) -> Any:
    return ", ".join(given) if isinstance(given, list) else given


def value_of(given: Any) -> Any:
    """An attribute's value in whatever form it stands."""
    if not isinstance(given, dict):
        return given
    keys = (VALUE_KEYS.get(str(given.get("type")), "value"), "value", *VALUE_KEYS.values())
    return next((given[key] for key in keys if key in given), given)


def spoken(value: Any, language: str) -> Any:
    """A value as a page tells it: texts of several languages in the reader's or in one there is,
    structures and truth as JSON."""
    if isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        return value.get(language[:2]) or next(iter(value.values()))
    if isinstance(value, bool | dict | list):
        return orjson.dumps(value).decode()
    return value


def place_of(entity: Mapping[str, Any]) -> tuple[float, float] | None:
    """Where an entity is: its location's point, or the first corner of its shape."""
    given = entity.get("location")
    geometry = value_of(given[0] if isinstance(given, list) and given else given)
    found = geometry.get("coordinates") if isinstance(geometry, dict) else None
    while isinstance(found, list) and found and isinstance(found[0], list):
        found = found[0]
    if not isinstance(found, list) or len(found) < 2:
        return None
    return float(found[0]), float(found[1])


def evolution_table(entities: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each value: entity, attribute, how it was summed up, from when to when."""
    rows = [list(one) for one in _values(entities)]
    names = ("id", "attribute", "method", "from", "until", "value")
    kept = [n for n in range(len(names)) if n in (0, 1, 5) or any(row[n] for row in rows)]
    columns = tuple(Column(names[n]) for n in kept)
    return Table(columns, [[row[n] for n in kept] for row in rows])


def _values(entities: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Any, ...]]:
    """(id, attribute, method, from, until, value) of everything told in time."""
    for entity in entities:
        for name, given in entity.items():
            if name in _OWN:
                continue
            for one in given if isinstance(given, list) else [given]:
                if not isinstance(one, dict):
                    continue
                for told in _told(one):
                    yield (entity["id"], name, *told)


def _told(one: Mapping[str, Any]) -> Iterable[tuple[str, Any, Any, Any]]:
    if "instanceId" in one:
        at = one.get("observedAt")
        yield "", parse_time(at) if at else None, None, value_of(one)
    for method in METHODS:
        for value, start, end in one.get(method) or () if isinstance(one.get(method), list) else ():
            yield method, parse_time(start), parse_time(end), value
    for plural in _PLURALS:
        for value, at in one.get(plural) or ():
            yield "", parse_time(at) if at else None, None, value
