"""Units of a year's reductions, and who has them now: the second half of the exclusive claim."""

from collections.abc import Collection
from typing import Any

from onsil.core.database import Connection
from onsil.footprint.credits.batches import BUFFER, ISSUER
from onsil.footprint.store import rows

_OUT = ("pending-export", "exported")
# What was retired or converted no longer says who had it; the event that did it does.
_HOLDINGS = """
SELECT b.id AS batch, p.code AS project, b.vintage, k.state,
       CASE WHEN k.state = 'held' THEN k.account ELSE e.source END AS holder,
       'project:' || b.project_id AS own,
       sum(upper(k.serials) - lower(k.serials))::bigint AS tonnes
  FROM footprint_unit_block k
  JOIN footprint_batch b ON b.city = k.city AND b.id = k.batch_id
  JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
  JOIN footprint_unit_event e ON e.city = k.city AND e.id = k.born_by
 WHERE k.city = %s AND k.ended_by IS NULL AND b.vintage = %s
   AND b.origin = 'issued' AND b.unit = 'tCO2e'
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 1, 4, 5
"""


def sold_units(
    conn: Connection, city: str, year: int, inside: Collection[str]
) -> list[dict[str, Any]]:
    """Units of the vintage that left their project, by batch, holder and state.

    `added_back_t` counts those of holders outside the city and all that were exported; `inside_t`
    those of holders named `inside`. Unsold units, the buffer and what the project itself
    cancelled stay in the city's account and are not listed.
    """
    made: list[dict[str, Any]] = []
    for row in rows(conn, _HOLDINGS, (city, year)):
        kept = row["holder"] in (row["own"], BUFFER, ISSUER, "") and row["state"] not in _OUT
        if kept:
            continue
        within = row["holder"] in inside and row["state"] not in _OUT
        made.append(
            {
                "batch": row["batch"],
                "project": row["project"],
                "vintage": row["vintage"],
                "holder": row["holder"],
                "state": row["state"],
                "added_back_t": 0 if within else row["tonnes"],
                "inside_t": row["tonnes"] if within else 0,
            }
        )
    return made
