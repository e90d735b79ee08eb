"""Entities by place: candidates by their boxes in the database, the exact test here.

The test comes before the page is cut, so that pages are full and counts exact.
"""

from collections.abc import Sequence
from typing import Any

from onsil.hub.query.conditions import Conditions
from onsil.hub.query.filters import Filter
from onsil.hub.query.geo import (
    WORLD,
    Box,
    GeoQuery,
    Placed,
    geometries_of,
    place_filter,
    search_boxes,
)
from onsil.hub.query.sorting import key_values, sort_in_memory
from onsil.hub.steps import Ask, Steps

_CHUNK = 2000


def place_candidates(
    query: GeoQuery, conditions: Conditions, condition: str, enough: int | None
) -> Steps[list[int]]:
    """The numbers, in order, of the entities that meet a condition and a geo-query.

    With `enough` the search may end once so many are found.
    """
    attr = conditions.terms.get(query.iri)
    if attr is None:
        return []
    boxes = search_boxes(query)
    bind = conditions.statement.bind
    attribute, name = bind(attr, "int"), bind(query.iri, "text")
    everywhere = boxes == [WORLD]
    shown = f"e.doc -> {name}"
    if everywhere:
        inside = f"SELECT g.eid FROM hub_attr_geo g WHERE g.city = $1 AND g.attr_id = {attribute}"
    else:
        inside = _in_boxes(boxes, attribute, conditions)
    if query.relation == "disjoint":
        # Nothing to decide where not even the boxes meet.
        near = _in_boxes([query.shape.bounds], attribute, conditions)
        shown = f"CASE WHEN e.eid IN ({near}) THEN {shown} END"
    # In parts, where there may be many or the search may end early.
    chunk = f" LIMIT {_CHUNK}" if everywhere or enough is not None else ""
    found: list[int] = []
    last = 0
    while True:
        after = [*conditions.statement.values, last]
        rows = yield Ask(
            f"SELECT e.eid, {shown} FROM hub_entity e WHERE {condition} AND e.eid IN ({inside})"
            f" AND e.eid > ${len(after)}::bigint ORDER BY e.eid{chunk}",
            tuple(after),
        )
        found += _decided(query, rows)
        if not chunk or len(rows) < _CHUNK or (enough is not None and len(found) >= enough):
            return found
        last = rows[-1][0]


def _in_boxes(boxes: Sequence[Box], attribute: str, conditions: Conditions) -> str:
    areas = conditions.statement.bind([_text(one) for one in boxes], "text[]")
    return f"SELECT hub_entities_in_boxes($1, {attribute}, {areas}::box[])"


def _decided(query: GeoQuery, rows: Sequence[Sequence[Any]]) -> list[int]:
    sure = {eid for eid, instances in rows if instances is None}
    unsure = [Placed(eid, geometries_of(i)) for eid, i in rows if i is not None]
    sure.update(place_filter(query, unsure))
    return [row[0] for row in rows if row[0] in sure]


def _text(bounds: Box) -> str:
    west, south, east, north = bounds
    return f"(({east},{north}),({west},{south}))"


def ordered_in_memory(wanted: Filter, conditions: Conditions, condition: str) -> Steps[list[int]]:
    """The numbers of the entities that meet a condition, ordered by distance or by collation."""
    ordering = wanted.ordering
    assert ordering is not None
    keyed, columns = key_values(ordering, conditions)
    rows = yield Ask(
        f"SELECT e.eid, {', '.join(columns)} FROM hub_entity e, {keyed}"
        f" WHERE {condition} ORDER BY e.eid",
        tuple(conditions.statement.values),
    )
    return sort_in_memory(ordering, rows)
