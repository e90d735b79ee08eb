"""Registering series, and the entities they belong to."""

from collections.abc import Sequence

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.quantities import UnitError, same_dimension
from onsil.core.refusal import OperationError
from onsil.hub.contexts import CORE
from onsil.hub.entities import ensure_entities
from onsil.hub.series import series_of
from onsil.hub.terms import Series, SeriesSpec, uri_city
from onsil.hub.vocabulary import learn_terms

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
