"""Series: registering and finding them."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.quantities import UnitError, same_dimension, shortest_decimal
from onsil.core.refusal import OperationError
from onsil.hub.contexts import CORE
from onsil.hub.entities import ensure_entities
from onsil.hub.steps import Ask, Steps, run
from onsil.hub.terms import Series, SeriesSpec, uri_city
from onsil.hub.vocabulary import learn_terms

_COLUMNS = """
SELECT e.uri, t.iri, s.unit, s.interval_s, s.kind, s.minimum, s.maximum, s.source, s.note,
       s.grace_s, s.series_id
  FROM hub_series s
  JOIN hub_entity e ON e.city = s.city AND e.eid = s.eid
  JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id
"""

# What is measured has a temporal evolution, whoever made the entity.
_IN_HISTORY = """
WITH kept AS (
  INSERT INTO hub_temporal_entity (city, uri, type_ids, created_at, modified_at)
  SELECT %s, uri, type_ids, %s, %s FROM hub_entity WHERE city = %s AND eid = ANY(%s) ORDER BY uri
  ON CONFLICT (city, uri) DO NOTHING
  RETURNING city, uri, teid, type_ids
)
INSERT INTO hub_temporal_type (city, type_id, uri, teid)
SELECT city, type_id, uri, teid FROM kept, unnest(type_ids) type_id ON CONFLICT DO NOTHING
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
        _COLUMNS + "JOIN unnest($1::text[], $2::text[]) k(uri, iri)"
        " ON k.uri = e.uri AND k.iri = t.iri WHERE s.city = $3 AND e.city = $3 AND t.city = $3",
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


def _check(spec: SeriesSpec, city: str) -> None:
    named = uri_city(spec.entity)
    if named is not None and named != city:
        raise OperationError(f"{spec.entity} is not an entity of {city}", retry=False)
    try:
        same_dimension(spec.unit, "Wh")
    except UnitError as error:
        raise OperationError(f"{spec.entity} {spec.attribute}: {error}", retry=False) from error


def ensure_series(
    conn: Connection, city: str, specs: Sequence[SeriesSpec], clock: Clock | None = None
) -> dict[tuple[str, str], Series]:
    """Register series, and entities not there yet; limits, interval and note may change later.

    Raises OperationError for another city's entity, an unknown unit, or when the unit or kind of a
    series that is there would change: its points would then mean something else.
    """
    for spec in specs:
        _check(spec, city)
    merged = {(s.entity, CORE.iri(s.attribute)): s for s in specs}
    clock = clock or SystemClock()
    eids = ensure_entities(conn, city, {key[0] for key in merged}, clock)
    terms = learn_terms(conn, city, {key[1] for key in merged})
    rows = sorted((eids[uri], terms[iri], spec) for (uri, iri), spec in merged.items())
    parameters = [
        (city, eid, attr, s.unit, s.interval_s, s.grace_s, s.kind,
         None if s.minimum is None else float(s.minimum),
         None if s.maximum is None else float(s.maximum), s.source, s.note)
        for eid, attr, s in rows
    ]  # fmt: skip
    with cursor(conn) as cur:
        cur.executemany(
            "INSERT INTO hub_series (city, eid, attr_id, unit, interval_s, grace_s, kind, minimum,"
            " maximum, source, note) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
            " ON CONFLICT (city, eid, attr_id) DO UPDATE SET interval_s = EXCLUDED.interval_s,"
            " grace_s = EXCLUDED.grace_s, minimum = EXCLUDED.minimum, maximum = EXCLUDED.maximum,"
            " source = EXCLUDED.source, note = EXCLUDED.note",
            parameters,
        )
        cur.execute(_IN_HISTORY, (city, clock.now(), clock.now(), city, sorted(eids.values())))
        made = series_of(conn, city, merged)
        cur.execute(
            "INSERT INTO hub_latest (city, series_id) SELECT %s, id FROM unnest(%s::int[]) id"
            " ON CONFLICT DO NOTHING",
            (city, sorted(s.id for s in made.values())),
        )
    for key, spec in merged.items():
        series = made[key]
        if (series.unit, series.kind) != (spec.unit, spec.kind):
            raise OperationError(
                f"{spec.entity} {spec.attribute} is a {series.kind} in {series.unit};"
                f" it cannot become a {spec.kind} in {spec.unit}", retry=False,
            )  # fmt: skip
    return {(s.entity, s.attribute): made[(s.entity, CORE.iri(s.attribute))] for s in specs}
