"""What types and attributes there are (GS CIM 009 V1.9.1 §5.7.5-5.7.10), as steps.

Counted on what is stored now; entities that have expired do not count. Attributes of series count
as the entity's, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from onsil.hub.steps import Ask, Steps

_LIVING = "(e.expires_at IS NULL OR e.expires_at > $2::timestamptz)"
_TYPES = """
SELECT t.iri, count(*) FROM hub_entity_type k JOIN hub_term t
    ON t.city = $1 AND t.term_id = k.type_id
 WHERE k.city = $1 AND k.eid NOT IN (
       SELECT x.eid FROM hub_entity x WHERE x.city = $1 AND x.expires_at <= $2::timestamptz
       UNION ALL SELECT hub_hidden($1))
 GROUP BY 1 ORDER BY 1
"""
# Every attribute of these entities with the kinds of its instances; those of series are Properties.
_ATTRIBUTES = f"""
WITH e AS MATERIALIZED (
  SELECT e.eid, e.type_ids, e.doc FROM hub_entity e WHERE e.city = $1 AND {_LIVING}
     AND ($3::text IS NULL OR e.eid IN (
          SELECT k.eid FROM hub_entity_type k JOIN hub_term t
              ON t.city = $1 AND t.term_id = k.type_id WHERE k.city = $1 AND t.iri = $3))
     AND ($4::text IS NULL OR jsonb_exists(e.doc, $4) OR EXISTS (
          SELECT FROM hub_series s JOIN hub_term t ON t.city = $1 AND t.term_id = s.attr_id
           WHERE s.city = $1 AND s.eid = e.eid AND t.iri = $4))
), held AS (
  SELECT e.eid, e.type_ids, a.iri, i.instance ->> 'type' AS kind
    FROM e, jsonb_each(CASE WHEN $4::text IS NULL THEN e.doc
                            ELSE jsonb_build_object($4, coalesce(e.doc -> $4, '[]')) END)
                AS a(iri, instances),
         jsonb_array_elements(a.instances) AS i(instance)
  UNION ALL
  SELECT e.eid, e.type_ids, t.iri, 'Property' FROM e
    JOIN hub_series s ON s.city = $1 AND s.eid = e.eid
    JOIN hub_term t ON t.city = $1 AND t.term_id = s.attr_id
    JOIN hub_latest l ON l.city = $1 AND l.series_id = s.series_id AND l.ts IS NOT NULL
   WHERE $4::text IS NULL OR t.iri = $4
)
SELECT h.iri, array_agg(DISTINCT h.kind), count(DISTINCT h.eid),
       array_agg(DISTINCT y.iri)
  FROM held h CROSS JOIN LATERAL unnest(h.type_ids) AS n(type_id)
  JOIN hub_term y ON y.city = $1 AND y.term_id = n.type_id
 GROUP BY 1 ORDER BY 1
"""
_PAIRS = f"""
WITH pairs AS (
  SELECT DISTINCT n.type_id, a.iri
    FROM hub_entity e, unnest(e.type_ids) AS n(type_id), jsonb_object_keys(e.doc) AS a(iri)
   WHERE e.city = $1 AND {_LIVING}
  UNION
  SELECT n.type_id, t.iri FROM hub_series s
    JOIN hub_entity e ON e.city = $1 AND e.eid = s.eid AND {_LIVING}
    JOIN hub_latest l ON l.city = $1 AND l.series_id = s.series_id AND l.ts IS NOT NULL
    JOIN hub_term t ON t.city = $1 AND t.term_id = s.attr_id,
    LATERAL unnest(e.type_ids) AS n(type_id)
   WHERE s.city = $1
)
SELECT y.iri, coalesce(array_agg(p.iri ORDER BY p.iri) FILTER (WHERE p.iri IS NOT NULL), '{{}}')
  FROM (SELECT DISTINCT n.type_id FROM hub_entity e, unnest(e.type_ids) AS n(type_id)
         WHERE e.city = $1 AND {_LIVING}) k
  JOIN hub_term y ON y.city = $1 AND y.term_id = k.type_id
  LEFT JOIN pairs p ON p.type_id = k.type_id
 GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class AttributeInfo:
    """An attribute in use: its kinds (`Property` …), by how many entities, of which types."""

    iri: str
    kinds: list[str]
    count: int
    types: list[str] = field(default_factory=list)


def types_with_counts(city: str, now: datetime | None = None) -> Steps[list[tuple[str, int]]]:
    """Each type's IRI with how many entities have it."""
    rows = yield Ask(_TYPES, (city, now or datetime.now(UTC)))
    return [(iri, number) for iri, number in rows]


def types_with_attributes(
    city: str, now: datetime | None = None
) -> Steps[list[tuple[str, list[str]]]]:
    """Each type's IRI with the attributes that its entities have."""
    rows = yield Ask(_PAIRS, (city, now or datetime.now(UTC)))
    return [(iri, list(attributes)) for iri, attributes in rows]


def attributes(
    city: str,
    *,
    type_iri: str | None = None,
    attribute_iri: str | None = None,
    now: datetime | None = None,
) -> Steps[list[AttributeInfo]]:
    """The attributes in use, of a type's entities, or just one of them."""
    values: tuple[Any, ...] = (city, now or datetime.now(UTC), type_iri, attribute_iri)
    rows: Sequence[Sequence[Any]] = yield Ask(_ATTRIBUTES, values)
    return [
        AttributeInfo(iri, list(kinds), number, list(types)) for iri, kinds, number, types in rows
    ]


def type_count(city: str, iri: str, now: datetime | None = None) -> Steps[int]:
    """How many entities have a type."""
    rows = yield Ask(_TYPES.replace("GROUP BY", "AND t.iri = $3 GROUP BY"),
                     (city, now or datetime.now(UTC), iri))  # fmt: skip
    return rows[0][1] if rows else 0
