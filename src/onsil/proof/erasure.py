"""Erasing: the salt of a leaf goes, the leaf stays, and the act itself is logged.

Without its 32 random bytes a commitment says nothing about anybody, so the tree stays valid and the
content cannot be guessed back, provided the room blanks or deletes its row too. An operator could
erase to hide a falsified row: so every erasure is an act in the audit trail and a leaf of its own,
which names what was erased and on which ground, never what it said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import Refusal
from onsil.proof.audit import audit
from onsil.proof.entries import PagedSource, append_many, leaf
from onsil.proof.findings import Finding

KIND = "erasure"
ACTION = "leaf.erased"
_FINDINGS_MAX = 1000


@dataclass(frozen=True)
class Erased:
    """A subject whose leaf says nothing any more; `now` tells whether this call did it."""

    kind: str
    subject_id: UUID
    now: bool


def erase(
    conn: Connection, city: str, kind: str, subject_id: UUID, *, actor: str, basis: str,
    clock: Clock,
) -> Erased | Refusal:  # fmt: skip
    """Erase one leaf's salt in the caller's transaction; the caller blanks the row beside it.

    `basis` is the ground, in words that say nothing of the content. Once erased stays erased: a
    second call changes nothing. Refuses with `not-logged` or `erasure-is-kept`.
    """
    done = erase_many(conn, city, [(kind, subject_id)], actor=actor, basis=basis, clock=clock)
    return done if isinstance(done, Refusal) else done[0]


def erase_many(
    conn: Connection, city: str, subjects: Iterable[tuple[str, UUID]], *, actor: str, basis: str,
    clock: Clock,
) -> list[Erased] | Refusal:  # fmt: skip
    """The same for several leaves, all or none; their records enter the tree together."""
    wanted = list(subjects)
    for kind, subject_id in wanted:
        no = _refused(conn, city, kind, subject_id)
        if no is not None:
            return no
    at, done, fresh = clock.now(), [], []
    for kind, subject_id in wanted:
        erased = _erase_salt(conn, city, kind, subject_id)
        done.append(Erased(kind, subject_id, erased))
        if erased:
            said = {"basis": basis, "at": at}
            act = audit(conn, city, actor, ACTION, kind, str(subject_id), None, said)
            fresh.append((act, _entry(kind, str(subject_id), basis, at)))
    append_many(conn, city, KIND, fresh)
    return done


def _refused(conn: Connection, city: str, kind: str, subject_id: UUID) -> Refusal | None:
    facts = {"kind": kind, "id": str(subject_id)}
    if kind == KIND:
        return Refusal(
            "erasure-is-kept",
            "무엇을 지웠는지의 기록은 지울 수 없습니다. 여기에는 개인의 내용이 없습니다.",
            "The record of an erasure cannot itself be erased. It holds no personal content.",
            facts,
        )
    if leaf(conn, city, kind, subject_id) is None:
        return Refusal(
            "not-logged",
            "이 기록은 투명성 로그에 등록되어 있지 않습니다. 식별자를 확인해 주세요.",
            "This record is not in the transparency log. Please check its identifier.",
            facts,
        )
    return None


def _erase_salt(conn: Connection, city: str, kind: str, subject_id: UUID) -> bool:
    with cursor(conn) as run:
        (erased,) = next(
            run.execute("SELECT onsil_erase_salt(%s, %s, %s)", (city, kind, subject_id))
        )
    return erased


def _entry(kind: str, subject_id: str, basis: str, at: datetime | str) -> Mapping[str, Any]:
    return {"subject_kind": kind, "subject_id": subject_id, "basis": basis, "at": at}


def _page(
    conn: Connection, city: str, after: UUID | None, limit: int
) -> list[tuple[UUID, Mapping[str, Any]]]:
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT id, subject_kind, subject_id, after ->> 'basis', after ->> 'at'
            FROM proof_audit WHERE city = %s AND action = %s
              AND (%s::uuid IS NULL OR id > %s::uuid) ORDER BY id LIMIT %s""",
            (city, ACTION, after, after, limit),
        ).fetchall()
    return [(row[0], _entry(*row[1:])) for row in rows]


erasure_entries = PagedSource(_page)
"""Where the leaves of kind `erasure` are read again: the audit trail's own rows."""


def unrecorded_erasures(conn: Connection, city: str) -> list[Finding]:
    """Salts that went without an act on record: somebody erased behind the log's back."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT kind, subject_id FROM proof_erased_salt e WHERE city = %s
              AND NOT EXISTS (SELECT FROM proof_audit a
                WHERE (a.city, a.action, a.subject_kind, a.subject_id)
                    = (e.city, %s, e.kind, e.subject_id::text))
            ORDER BY kind, subject_id LIMIT %s""",
            (city, ACTION, _FINDINGS_MAX),
        ).fetchall()
    return [
        Finding(
            kind, key, "erasure-unrecorded",
            f"{kind} {key}: 지운 기록을 남기지 않고 소금을 지웠습니다.",
            f"{kind} {key}: its salt was erased without a record of the act.",
        )
        for kind, key in rows
    ]  # fmt: skip
