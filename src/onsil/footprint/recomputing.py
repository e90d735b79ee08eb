"""Doing every run again: one after the other, each answer kept, to be gone on with after a stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.quantification import recompute
from onsil.footprint.store import execute
from onsil.footprint.store import rows as select
from onsil.footprint.terms import Recomputation


@dataclass(frozen=True)
class Sweep:
    """A recomputation of many runs: how far it is, and which runs differed."""

    id: UUID
    total: int
    done: int
    differing: tuple[UUID, ...]


@dataclass(frozen=True)
class Again:
    """One run done again within a sweep."""

    run_id: UUID
    methodology: str
    version: str
    done: int
    total: int
    identical: bool
    note: str


# Runs whose tonnes went into an issuance, or all that there are.
_WANTED = """FROM footprint_run r WHERE r.city = %(city)s AND (NOT %(issued)s OR EXISTS (
  SELECT FROM footprint_claim c
  JOIN footprint_monitoring_claim m ON m.city = c.city AND m.claim_id = c.id
  JOIN footprint_batch b ON b.city = m.city AND b.monitoring_id = m.monitoring_id
  WHERE c.city = r.city AND c.run_id = r.id))"""
_PENDING = """NOT EXISTS (SELECT FROM footprint_recomputation d
  WHERE d.city = r.city AND d.run_id = r.id AND d.sweep = %(sweep)s)"""


def sweep_of(conn: Connection, city: str, sweep: UUID, *, issued: bool = False) -> Sweep:
    """How far a sweep is."""
    values = {"city": city, "sweep": sweep, "issued": issued}
    total = select(conn, f"SELECT count(*) AS n {_WANTED}", values)[0]["n"]
    left = select(conn, f"SELECT count(*) AS n {_WANTED} AND {_PENDING}", values)[0]["n"]
    differing = select(
        conn,
        """SELECT run_id FROM footprint_recomputation
        WHERE city = %s AND sweep = %s AND NOT identical ORDER BY run_id""",
        (city, sweep),
    )
    return Sweep(sweep, total, total - left, tuple(row["run_id"] for row in differing))


def last_sweep(conn: Connection, city: str) -> UUID | None:
    """The newest sweep, to go on with; None when there was none."""
    found = select(
        conn,
        """SELECT sweep FROM footprint_recomputation WHERE city = %s AND sweep IS NOT NULL
        ORDER BY id DESC LIMIT 1""",
        (city,),
    )
    return found[0]["sweep"] if found else None


def recompute_all(
    conn: Connection,
    city: str,
    actor: str,
    clock: Clock,
    *,
    sweep: UUID | None = None,
    issued: bool = False,
    limit: int | None = None,
) -> Iterator[Again]:
    """Do the runs again that a sweep has not come to yet, oldest first, keeping each answer.

    `issued` takes only those whose tonnes were issued; `limit` stops after so many, so that the
    caller can commit and call again with the same `sweep`.
    """
    sweep = sweep or new_id()
    state = sweep_of(conn, city, sweep, issued=issued)
    found = select(
        conn,
        f"""SELECT r.id, r.methodology, r.version {_WANTED} AND {_PENDING}
        ORDER BY r.id LIMIT %(limit)s""",
        {"city": city, "sweep": sweep, "issued": issued, "limit": limit},
    )
    for number, row in enumerate(found, state.done + 1):
        again = recompute(conn, city, row["id"])
        assert not isinstance(again, Refusal)
        note_recomputation(conn, city, row["id"], again, actor, clock, sweep)
        yield Again(
            row["id"], row["methodology"], row["version"], number, state.total, again.identical,
            again.note,
        )  # fmt: skip


def note_recomputation(
    conn: Connection,
    city: str,
    run_id: UUID,
    again: Recomputation,
    actor: str,
    clock: Clock,
    sweep: UUID | None = None,
) -> None:
    """Keep that a run was done again, by whom, and what came out."""
    execute(
        conn,
        """INSERT INTO footprint_recomputation (city, id, run_id, sweep, identical,
          recomputed_sha256, code_sha256, note, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, new_id(), run_id, sweep, again.identical, again.recomputed_digest,
            engine.code_digest(), again.note, actor, clock.now(),
        ),
    )  # fmt: skip
