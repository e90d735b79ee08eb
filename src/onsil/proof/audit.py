"""The audit trail: who did what to which thing, with its state before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil.core.canonical import plain
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id


@dataclass(frozen=True)
class AuditRecord:
    """One act, as recorded."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def audit(
    conn: Connection, city: str, actor: str, action: str, subject_kind: str, subject_id: str,
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None,
) -> UUID:  # fmt: skip
    """Record an act in the caller's transaction; it can be neither changed nor removed.

    Returns the record's id.
    """
    act = new_id()
    states = [None if state is None else Jsonb(plain(state)) for state in (before, after)]
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_audit
            (city, id, actor, action, subject_kind, subject_id, before, after)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
            (city, act, actor, action, subject_kind, str(subject_id), *states),
        )
    return act


def audit_trail(
    conn: Connection, city: str, limit: int = 100, *, before: UUID | None = None,
    subject_kind: str | None = None, subject_id: str | None = None, actor: str | None = None,
) -> list[AuditRecord]:  # fmt: skip
    """The newest acts first, optionally of one kind, subject or actor; `before` pages back."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, at, actor, action, subject_kind, subject_id, before, after
            FROM proof_audit WHERE city = %(city)s
              AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid)
              AND (%(kind)s::text IS NULL OR subject_kind = %(kind)s::text)
              AND (%(subject)s::text IS NULL OR subject_id = %(subject)s::text)
              AND (%(actor)s::text IS NULL OR actor = %(actor)s::text)
            ORDER BY id DESC LIMIT %(limit)s""",
            {
                "city": city, "before": before, "kind": subject_kind, "limit": limit,
                "subject": None if subject_id is None else str(subject_id), "actor": actor,
            },
        ).fetchall()  # fmt: skip
    return [AuditRecord(*row) for row in rows]
