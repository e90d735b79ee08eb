"""What the transparency log checks of this room: every live row as the entry it was logged with."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.database import Connection
from onsil.footprint import rows
from onsil.footprint.claims.releasing import release_by_id
from onsil.footprint.credits import (
    batch,
    batch_entry,
    event,
    event_entry,
    retirement,
    retirement_entry,
)
from onsil.footprint.factors.imports import common_entry, import_entry
from onsil.footprint.inventory.versions import (
    decided_version,
    decision_entry,
    version_entry,
    version_of,
)
from onsil.footprint.projects.proofs import READERS as PROJECT_READERS
from onsil.footprint.quality import inspection_entry
from onsil.footprint.reports.kept import report_entry
from onsil.footprint.store import rows as select
from onsil.footprint.targets.reviews import review, review_entry

Entry = Mapping[str, Any]
Reader = Callable[[Connection, str, UUID], Entry | None]


def _quantification(conn: Connection, city: str, run_id: UUID) -> Entry | None:
    made = rows.run(conn, city, run_id)
    return None if made is None else rows.run_entry(made)


def _claim(conn: Connection, city: str, claim_id: UUID) -> Entry | None:
    made = rows.claim_of(conn, city, claim_id)
    return None if made is None else rows.claim_entry(made)


def _claim_release(conn: Connection, city: str, release_id: UUID) -> Entry | None:
    made = release_by_id(conn, city, release_id)
    return None if made is None else made.entry()


def _issuance(conn: Connection, city: str, batch_id: UUID) -> Entry | None:
    made = batch(conn, city, batch_id)
    return None if made is None else batch_entry(made)


def _retirement(conn: Connection, city: str, retirement_id: UUID) -> Entry | None:
    made = retirement(conn, city, retirement_id)
    return None if made is None else retirement_entry(made)


def _unit_event(conn: Connection, city: str, event_id: UUID) -> Entry | None:
    made = event(conn, city, event_id)
    return None if made is None else event_entry(made)


def _factor_set(conn: Connection, city: str, row_id: UUID) -> Entry | None:
    found = select(
        conn,
        """SELECT set_id, content, created_at FROM footprint_factor_set
        WHERE city = %s AND id = %s""",
        (city, row_id),
    )
    if not found:
        return None
    sha256 = rows.sha256_of(found[0]["content"].encode())
    return rows.factor_set_entry(found[0]["set_id"], sha256, found[0]["created_at"])


def _review(conn: Connection, city: str, review_id: UUID) -> Entry | None:
    made = review(conn, city, review_id)
    return None if made is None or made.status != "approved" else review_entry(made)


def _inventory(conn: Connection, city: str, version_id: UUID) -> Entry | None:
    made = version_of(conn, city, version_id)
    return None if made is None else version_entry(made)


def _inventory_decision(conn: Connection, city: str, decision_id: UUID) -> Entry | None:
    made = decided_version(conn, city, decision_id)
    return None if made is None else decision_entry(made)


def _report(conn: Connection, city: str, report_id: UUID) -> Entry | None:
    return report_entry(conn, city, report_id)


# Looks at runs since they have leaves. One without a leaf is of before: nothing newer than a look
# that has one.
_INSPECTIONS = """SELECT id FROM (
  SELECT i.* FROM footprint_inspection i WHERE i.logged OR EXISTS (
    SELECT FROM footprint_inspection e WHERE e.city = i.city AND e.run_id = i.run_id
      AND e.logged AND e.number < i.number)) looked"""

_READERS: dict[str, tuple[str, Reader]] = {
    **PROJECT_READERS,
    "inventory": ("SELECT id FROM footprint_inventory_version", _inventory),
    "inventory-decision": ("SELECT id FROM footprint_inventory_decision", _inventory_decision),
    "quantification": ("SELECT id FROM footprint_run", _quantification),
    "inspection": (_INSPECTIONS, inspection_entry),
    "claim": ("SELECT id FROM footprint_claim", _claim),
    "claim-release": ("SELECT id FROM footprint_claim_release", _claim_release),
    "issuance": (
        "SELECT id FROM (SELECT * FROM footprint_batch WHERE origin = 'issued') issued",
        _issuance,
    ),
    "retirement": ("SELECT id FROM footprint_retirement", _retirement),
    "unit-event": (
        "SELECT id FROM (SELECT * FROM footprint_unit_event WHERE kind <> 'opening') stated",
        _unit_event,
    ),
    "factor-import": ("SELECT id FROM footprint_factor_import", import_entry),
    "common-factors": ("SELECT id FROM footprint_common_factor", common_entry),
    "factor-set": ("SELECT id FROM footprint_factor_set", _factor_set),
    "report": ("SELECT id FROM footprint_report", _report),
    "implementation-review": (
        "SELECT id FROM (SELECT * FROM footprint_review WHERE status = 'approved') r",
        _review,
    ),
}


def entry_of(conn: Connection, city: str, kind: str, subject_id: UUID) -> Entry | None:
    """The log entry of one live row of this room; None for an unknown row."""
    return _READERS[kind][1](conn, city, subject_id)


def _source(select_ids: str, read: Reader) -> proof.EntrySource:
    def page(
        conn: Connection, city: str, after: UUID | None, limit: int
    ) -> list[tuple[UUID, Entry]]:
        found = select(
            conn,
            f"""{select_ids} WHERE city = %(city)s
              AND (%(after)s::uuid IS NULL OR id > %(after)s::uuid) ORDER BY id LIMIT %(limit)s""",
            {"city": city, "after": after, "limit": limit},
        )
        made = [(row["id"], read(conn, city, row["id"])) for row in found]
        return [(subject, entry) for subject, entry in made if entry is not None]

    return proof.PagedSource(page)


entry_sources: dict[str, proof.EntrySource] = {
    kind: _source(ids, read) for kind, (ids, read) in _READERS.items()
}
