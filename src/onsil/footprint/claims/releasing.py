"""Giving a claim back before anything was made of it. What was made of claims is in `uses`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.claims.uses import in_use, unknown_claim
from onsil.footprint.store import execute, savepoint
from onsil.footprint.store import rows as select

_RELEASE = "SELECT id, claim_id, reason, actor, created_at FROM footprint_claim_release"


@dataclass(frozen=True)
class Release:
    """A claim given back: from `created_at` on, others may claim what it held."""

    id: UUID
    claim_id: UUID
    reason: str
    actor: str
    created_at: datetime

    def entry(self) -> dict[str, Any]:
        """What the log holds of it."""
        return {
            "claim": self.claim_id, "reason": self.reason, "actor": self.actor,
            "created_at": self.created_at,
        }  # fmt: skip


def release_claim(
    conn: Connection, city: str, claim_id: UUID, reason: str, actor: str, clock: Clock
) -> Release | Refusal:
    """Give a claim back. The claim stays in the books; what it held is free again.

    A claim that was handed in with a monitoring period, rewarded or otherwise used stays; the
    refusal lists its uses in `facts["uses"]`. Releasing it again gives the release that is there.

    Refused: `unknown-claim`, `reason-missing`, `claim-used`.
    """
    if not reason.strip():
        return Refusal(
            "reason-missing", "해제 사유를 적어 주세요.", "Please give the reason for the release."
        )
    if rows.claim_of(conn, city, claim_id) is None:
        return unknown_claim(claim_id)
    earlier = release_of(conn, city, claim_id)
    if earlier is not None:
        return earlier
    made = new_id()
    try:
        with savepoint(conn):
            execute(
                conn,
                """INSERT INTO footprint_claim_release
                (city, id, claim_id, reason, actor, created_at) VALUES (%s,%s,%s,%s,%s,%s)""",
                (city, made, claim_id, reason.strip(), actor, clock.now()),
            )
    except psycopg.errors.CheckViolation:
        return in_use(conn, city, claim_id)
    except psycopg.errors.UniqueViolation:
        earlier = release_of(conn, city, claim_id)
        assert earlier is not None
        return earlier
    stored = release_of(conn, city, claim_id)
    assert stored is not None
    proof.append(conn, city, "claim-release", made, stored.entry())
    proof.audit(
        conn, city, actor, "claim.released", "claim", str(claim_id), None, {"reason": stored.reason}
    )
    return stored


def release_of(conn: Connection, city: str, claim_id: UUID) -> Release | None:
    """The release of a claim, or None."""
    found = select(conn, f"{_RELEASE} WHERE city = %s AND claim_id = %s", (city, claim_id))
    return Release(**found[0]) if found else None


def release_by_id(conn: Connection, city: str, release_id: UUID) -> Release | None:
    """A release by its own id, or None."""
    found = select(conn, f"{_RELEASE} WHERE city = %s AND id = %s", (city, release_id))
    return Release(**found[0]) if found else None
