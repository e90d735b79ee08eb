"""Units sold out of the city: what its inventory has to add back."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from onsil.core.database import Connection
from onsil.footprint.store import rows as select


@dataclass(frozen=True)
class SoldOut:
    """Tonnes of one batch that others may count: sold, retired by a buyer, exported, converted.

    `quantified_t` is what the batch's claims hold; `tonnes` of the batch's `issued` left the city.
    """

    year: int
    batch_id: UUID
    project: str
    programme: str
    kind: str
    methodology: str
    issued: int
    tonnes: int
    quantified_t: Decimal
    claim_ids: tuple[UUID, ...]


def sold_out(conn: Connection, city: str, year: int) -> list[SoldOut]:
    """What of a vintage year's units left the hands of the city's projects, by batch.

    A reduction that somebody else counts cannot lower the city's own account: its inventory adds
    these tonnes back (GPC, global protocol for community-scale inventories: offsets sold from
    within the boundary are reported apart and not deducted). Counted are units in a company's
    account and those retired, exported, in export or converted; not counted are those a project
    retired itself, the buffer, and what was cancelled or has expired.
    """
    found = select(
        conn,
        """SELECT b.id AS batch_id, p.code AS project, p.programme, p.methodology,
          footprint_programme_kind(p.programme) AS kind, b.tonnes AS issued, b.quantified_t,
          greatest(0, coalesce((SELECT sum(upper(u.serials) - lower(u.serials))
              FROM footprint_unit_block u
              WHERE u.city = b.city AND u.batch_id = b.id AND u.ended_by IS NULL
                AND (u.account LIKE 'company:%%'
                     OR u.state IN ('retired', 'exported', 'pending-export', 'converted'))), 0)
            - coalesce((SELECT sum(r.tonnes) FROM footprint_retirement r
              WHERE r.city = b.city AND r.batch_id = b.id AND r.company LIKE 'project:%%'), 0)
          )::bigint AS tonnes,
          ARRAY(SELECT m.claim_id FROM footprint_monitoring_claim m
            WHERE m.city = b.city AND m.monitoring_id = b.monitoring_id ORDER BY 1) AS claim_ids
        FROM footprint_batch b JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
        WHERE b.city = %s AND b.vintage = %s AND b.unit = 'tCO2e' ORDER BY b.id""",
        (city, year),
    )
    return [
        SoldOut(
            year, row["batch_id"], row["project"], row["programme"], row["kind"],
            row["methodology"], row["issued"], row["tonnes"], row["quantified_t"],
            tuple(row["claim_ids"]),
        )
        for row in found
        if row["tonnes"]
    ]  # fmt: skip
