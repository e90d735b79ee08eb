"""What was made of a claim: while anything is, it cannot be released, nor used after a release.

A claim has one fate, which PostgreSQL keeps as a row that uses and releases both refer to: it
becomes units, or something is given for it, or it is released.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.store import execute, savepoint
from onsil.footprint.store import rows as select

WORDS: dict[str, tuple[str, str]] = {
    "monitoring": ("모니터링 기간", "monitoring period"),
    "issuance": ("크레딧 발행", "issued credits"),
    "evidence": ("보상 증빙", "evidence for a reward"),
    "award": ("보상 지급", "award"),
    "rec-retirement": ("재생에너지 인증서 사용", "certificate retired"),
}


@dataclass(frozen=True)
class Use:
    """One thing made of a claim. `subject` is the id of what was made, or a name of it.

    `label` names it for people: a project and the number of its period, for instance.
    """

    kind: str
    subject: str
    created_at: datetime | None
    label: str = ""

    @property
    def ko(self) -> str:
        return f"{WORDS.get(self.kind, (self.kind, ''))[0]} {self.label or self.subject}"

    @property
    def en(self) -> str:
        return f"{WORDS.get(self.kind, ('', self.kind))[1]} {self.label or self.subject}"


def uses_of(conn: Connection, city: str, claim_id: UUID) -> list[Use]:
    """Everything that was made of a claim, the oldest first; a period it is handed in with too."""
    found = select(
        conn,
        """SELECT 'monitoring' AS kind, m.id::text AS subject, m.submitted_at AS created_at,
          p.code || ' #' || m.sequence AS label
        FROM footprint_monitoring_claim c
        JOIN footprint_monitoring m ON m.city = c.city AND m.id = c.monitoring_id
        JOIN footprint_project p ON p.city = m.city AND p.id = m.project_id
        WHERE c.city = %(city)s AND c.claim_id = %(claim)s
        UNION ALL
        SELECT u.kind, u.subject, u.created_at, coalesce(p.code || ' ' || b.vintage, '')
        FROM footprint_claim_use u
        LEFT JOIN footprint_batch b
          ON u.kind = 'issuance' AND b.city = u.city AND b.id::text = u.subject
        LEFT JOIN footprint_project p ON p.city = b.city AND p.id = b.project_id
        WHERE u.city = %(city)s AND u.claim_id = %(claim)s
        ORDER BY created_at, kind, subject""",
        {"city": city, "claim": claim_id},
    )
    return [Use(row["kind"], row["subject"], row["created_at"], row["label"]) for row in found]


def use(
    conn: Connection, city: str, claim_id: UUID, kind: str, subject: str, clock: Clock
) -> Refusal | None:
    """State that something was made of a claim (an award, a contract): it cannot be released now.

    Stating it again changes nothing. Refused: `unknown-claim`, `claim-released`, and
    `claim-served` where the claim is handed in for units, or was, and this is something else.
    """
    return use_many(conn, city, [(claim_id, kind, subject)], clock)


def use_many(
    conn: Connection, city: str, made: Sequence[tuple[UUID, str, str]], clock: Clock
) -> Refusal | None:
    """State uses of many claims as (claim, kind, subject): all of them or, refused, none.

    Refused as `use` is; the facts name the claim.
    """
    wanted = sorted(set(made))
    if not wanted:
        return None
    try:
        with savepoint(conn):
            execute(
                conn,
                """INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
                SELECT %s, c, k, s, %s FROM unnest(%s::uuid[], %s::text[], %s::text[])
                  AS u (c, k, s) ON CONFLICT DO NOTHING""",
                (city, clock.now(), *(list(part) for part in zip(*wanted, strict=True))),
            )
    except (psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation):
        return _why_not(conn, city, [claim_id for claim_id, _, _ in wanted])
    return None


def _why_not(conn: Connection, city: str, claim_ids: Sequence[UUID]) -> Refusal:
    for claim_id in claim_ids:
        held = rows.claim_of(conn, city, claim_id)
        if held is None:
            return unknown_claim(claim_id)
        if held.released_at is not None:
            return Refusal(
                "claim-released",
                "해제된 청구는 쓸 수 없습니다.",
                "A claim that was released cannot be used.",
                {"claim": str(claim_id)},
            )
    return Refusal(
        "claim-served",
        "한 청구는 크레딧이나 보상 가운데 하나로만 쓰입니다. 이미 다른 쪽에 쓰였습니다.",
        "A claim serves either units or rewards, and one of these already serves the other.",
        {"claims": [str(one) for one in claim_ids]},
    )


def in_use(conn: Connection, city: str, claim_id: UUID) -> Refusal:
    """The refusal of a release: `claim-used`, with what uses the claim."""
    uses = uses_of(conn, city, claim_id)
    ko, en = ", ".join(one.ko for one in uses), ", ".join(one.en for one in uses)
    return Refusal(
        "claim-used",
        f"이미 쓰인 청구는 해제할 수 없습니다. 쓰인 곳: {ko or '보상'}.",
        f"A claim that is in use cannot be released. It serves: {en or 'a reward'}.",
        {"claim": str(claim_id),
         "uses": [{"kind": one.kind, "subject": one.subject} for one in uses]},
    )  # fmt: skip


def unknown_claim(claim_id: UUID) -> Refusal:
    return Refusal(
        "unknown-claim",
        "청구를 찾을 수 없습니다.",
        f"There is no claim {claim_id}.",
        {"claim": str(claim_id)},
    )
