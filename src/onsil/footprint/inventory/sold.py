"""Units of a year's reductions, and who has them now: the second half of the exclusive claim."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from onsil.core.database import Connection
from onsil.footprint.credits.batches import BUFFER, ISSUER
from onsil.footprint.credits.labels import adjustment
from onsil.footprint.credits.terms import Adjustment
from onsil.footprint.store import rows

_OUT = ("pending-export", "exported")
# What was retired or converted no longer says who had it; the event that did it does.
_HOLDINGS = """
SELECT b.id AS batch, p.code AS project, b.vintage, k.state,
       CASE WHEN k.state = 'held' THEN k.account ELSE e.source END AS holder,
       'project:' || b.project_id AS own,
       sum(upper(k.serials) - lower(k.serials))::bigint AS tonnes,
       array_agg(lower(k.serials) ORDER BY lower(k.serials)) AS firsts,
       array_agg(upper(k.serials) - 1 ORDER BY lower(k.serials)) AS lasts
  FROM footprint_unit_block k
  JOIN footprint_batch b ON b.city = k.city AND b.id = k.batch_id
  JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
  JOIN footprint_unit_event e ON e.city = k.city AND e.id = k.born_by
 WHERE k.city = %s AND k.ended_by IS NULL AND b.vintage = %s
   AND b.origin = 'issued' AND b.unit = 'tCO2e'
 GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 1, 4, 5
"""
_ISSUED = """
SELECT b.id AS batch, p.code AS project, b.vintage, b.tonnes AS issued_t FROM footprint_batch b
  JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
 WHERE b.city = %s AND b.vintage = %s AND b.origin = 'issued' AND b.unit = 'tCO2e'
   AND b.tonnes > 0
 ORDER BY 2, 1
"""


def sold_units(
    conn: Connection, city: str, year: int, inside: Collection[str]
) -> list[dict[str, Any]]:
    """Units of the vintage that left their project, by batch, holder and state.

    `added_back_t` counts those of holders outside the city and all that were exported; `inside_t`
    those of holders named `inside`. Unsold units, the buffer and what the project itself
    cancelled stay in the city's account and are not listed. `serials` are [first, last] each;
    `declaration` and `adjustment` say how the batch's corresponding adjustment stands, in the
    words of CAD Trust. The adjustment decides nothing here: what was sold outside is added back
    whether or not a country has adjusted for it.
    """
    made: list[dict[str, Any]] = []
    stated: dict[Any, Adjustment] = {}
    for row in rows(conn, _HOLDINGS, (city, year)):
        if _kept(row):
            continue
        within = row["holder"] in inside and row["state"] not in _OUT
        batch = row["batch"]
        stated[batch] = stated.get(batch) or adjustment(conn, city, batch)
        made.append(
            {
                "batch": batch,
                "project": row["project"],
                "vintage": row["vintage"],
                "holder": row["holder"],
                "state": row["state"],
                "added_back_t": 0 if within else row["tonnes"],
                "inside_t": row["tonnes"] if within else 0,
                "serials": [list(s) for s in zip(row["firsts"], row["lasts"], strict=True)],
                "declaration": stated[batch].declaration,
                "adjustment": stated[batch].status,
                "country": stated[batch].country,
            }
        )
    return made


def _kept(row: dict[str, Any]) -> bool:
    return row["holder"] in (row["own"], BUFFER, ISSUER, "") and row["state"] not in _OUT


def lots(conn: Connection, city: str, year: int) -> list[dict[str, Any]]:
    """Every batch of the vintage: what was issued, and what of it is still the city's own."""
    kept: dict[Any, int] = {}
    for row in rows(conn, _HOLDINGS, (city, year)):
        if _kept(row):
            kept[row["batch"]] = kept.get(row["batch"], 0) + row["tonnes"]
    return [
        {**row, "kept_t": kept.get(row["batch"], 0)} for row in rows(conn, _ISSUED, (city, year))
    ]


def reconciled(
    units: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Each batch's issued units taken apart: kept, sold within, added back. Pure.

    `difference_t` is what is left over: anything but 0 says that the books do not agree.
    """
    made = []
    for lot in found:
        mine = [one for one in units if str(one["batch"]) == str(lot["batch"])]
        inside_t = sum(int(one["inside_t"]) for one in mine)
        added_t = sum(int(one["added_back_t"]) for one in mine)
        issued_t, kept_t = int(lot["issued_t"]), int(lot["kept_t"])
        made.append(
            {
                **lot, "inside_t": inside_t, "added_back_t": added_t,
                "difference_t": issued_t - kept_t - inside_t - added_t,
            }
        )  # fmt: skip
    return made
