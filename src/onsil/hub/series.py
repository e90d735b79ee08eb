"""Series: finding them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from onsil.core.database import Connection, cursor
from onsil.core.quantities import shortest_decimal
from onsil.hub.contexts import CORE
from onsil.hub.steps import Ask, Steps, run
from onsil.hub.terms import Series

_COLUMNS = """
SELECT e.uri, t.iri, s.unit, s.interval_s, s.kind, s.minimum, s.maximum, s.source, s.note,
       s.grace_s, s.series_id
  FROM hub_series s
  JOIN hub_entity e ON e.city = s.city AND e.eid = s.eid
  JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id
"""

# One look-up after the other, whatever the statistics say: a batch asks for some thousands.
_BY_KEY = """
SELECT k.uri, k.iri, s.unit, s.interval_s, s.kind, s.minimum, s.maximum, s.source, s.note,
       s.grace_s, s.series_id
  FROM unnest($1::text[], $2::text[]) k(uri, iri)
 CROSS JOIN LATERAL (SELECT eid FROM hub_entity WHERE city = $3 AND uri = k.uri OFFSET 0) e
 CROSS JOIN LATERAL (SELECT term_id FROM hub_term WHERE city = $3 AND iri = k.iri OFFSET 0) t
 CROSS JOIN LATERAL (SELECT * FROM hub_series WHERE city = $3 AND eid = e.eid
                        AND attr_id = t.term_id OFFSET 0) s
"""


def _series(row: Sequence[Any]) -> Series:
    uri, iri, unit, interval_s, kind, low, high, source, note, grace_s, number = row
    return Series(
        uri, CORE.term(iri), unit, interval_s, kind, _exact(low), _exact(high), source, note,
        grace_s, number,
    )  # fmt: skip


def _exact(bound: float | None) -> Decimal | None:
    return None if bound is None else shortest_decimal(bound)


def series_of(
    conn: Connection, city: str, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Series]:
    """The known series among (entity, attribute) pairs; attributes as short names or IRIs."""
    return run(conn, series_by_key(city, keys))


def series_by_key(
    city: str, keys: Iterable[tuple[str, str]]
) -> Steps[dict[tuple[str, str], Series]]:
    """`series_of` without a driver."""
    wanted = list(set(keys))
    rows = yield Ask(
        _BY_KEY,
        ([k[0] for k in wanted], [CORE.iri(k[1]) for k in wanted], city),
    )
    found = {(s.entity, CORE.iri(s.attribute)): s for s in map(_series, rows)}
    hits = ((key, found.get((key[0], CORE.iri(key[1])))) for key in wanted)
    return {key: series for key, series in hits if series}


def find_series(
    conn: Connection,
    city: str,
    *,
    entities: Iterable[str] | None = None,
    attribute: str | None = None,
    ids: Iterable[int] | None = None,
) -> list[Series]:
    """A city's series, in order of entity and attribute, narrowed by what is given."""
    text, values = _COLUMNS + "WHERE s.city = %s", [city]
    if entities is not None:
        text, values = text + " AND e.uri = ANY(%s)", [*values, list(entities)]
    if attribute is not None:
        text, values = text + " AND t.iri = %s", [*values, CORE.iri(attribute)]
    if ids is not None:
        text, values = text + " AND s.series_id = ANY(%s)", [*values, list(ids)]
    with cursor(conn) as cur:
        cur.execute(text + " ORDER BY e.uri, t.iri", values)
        return [_series(row) for row in cur]
