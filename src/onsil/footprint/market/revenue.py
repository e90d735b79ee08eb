"""Rules of how revenue is shared: proposed by one person, in force once another approved."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.market.sharing import EVERYTHING, WHOLE_BP, RevenueShare
from onsil.footprint.projects import project
from onsil.footprint.projects.workflow import person
from onsil.footprint.store import Row, execute, lock, rows

_ACCOUNT = re.compile(r"^(fund|revenue):[a-z0-9-]+$")
_RULE = """SELECT id, project_id, starts_on, shares, reason, maker, proposed_at, checker,
  approved_at FROM footprint_revenue_rule"""


@dataclass(frozen=True)
class RevenueRule:
    """Shares from a day on, of one project or, where none is named, of every other."""

    id: UUID
    project_id: UUID | None
    starts_on: date
    shares: tuple[RevenueShare, ...]
    reason: str
    maker: str
    proposed_at: datetime
    checker: str | None
    approved_at: datetime | None


def _rule(row: Row) -> RevenueRule:
    shares = tuple(RevenueShare(one["account"], one["bp"]) for one in row.pop("shares"))
    return RevenueRule(shares=shares, **row)


def propose_revenue_rule(
    conn: Connection,
    city: str,
    shares: Sequence[RevenueShare],
    starts_on: date,
    reason: str,
    actor: str,
    clock: Clock,
    project_id: UUID | None = None,
) -> RevenueRule | Refusal:
    """Propose how revenue is shared. Refused: `unknown-project`, `shares-invalid`,
    `reason-missing`."""
    if project_id is not None and project(conn, city, project_id) is None:
        return Refusal("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")
    accounts = [one.account for one in shares]
    whole = sum(one.bp for one in shares) == WHOLE_BP and all(one.bp > 0 for one in shares)
    if not whole or len(set(accounts)) != len(accounts) or not all(map(_ACCOUNT.match, accounts)):
        return Refusal(
            "shares-invalid",
            "몫의 합이 100%여야 하고, 계정은 fund: 또는 revenue:로 시작하며 겹치지 않아야 합니다.",
            "Shares add up to 100 %; accounts begin with fund: or revenue: and differ.",
            {"shares": [[one.account, one.bp] for one in shares]},
        )
    if not reason.strip():
        return Refusal("reason-missing", "사유를 적어 주세요.", "Please give the reason.")
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_revenue_rule
        (city, id, project_id, starts_on, shares, reason, maker, proposed_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, project_id, starts_on,
            Jsonb([{"account": one.account, "bp": one.bp} for one in shares]), reason, actor,
            clock.now(),
        ),
    )  # fmt: skip
    proof.audit(
        conn, city, actor, "revenue.proposed", "revenue-rule", str(made), None,
        {"project": project_id, "shares": [[one.account, one.bp] for one in shares]},
    )  # fmt: skip
    return _stored(conn, city, made)


def approve_revenue_rule(
    conn: Connection, city: str, rule_id: UUID, actor: str, clock: Clock
) -> RevenueRule | Refusal:
    """Put a proposed rule in force, by another person; again, the rule as it stands.

    Refused: `unknown-rule`, `maker-is-checker`.
    """
    lock(conn, city, [f"revenue rule {rule_id}"])
    found = revenue_rule(conn, city, rule_id)
    if found is None:
        return Refusal("unknown-rule", "배분 규칙을 찾을 수 없습니다.", "There is no such rule.")
    if found.checker is not None:
        return found
    if person(found.maker) == person(actor):
        return Refusal(
            "maker-is-checker",
            "제안한 사람은 승인할 수 없습니다. 다른 담당자가 확인해야 합니다.",
            "Whoever proposed it cannot approve it; another person has to check.",
        )
    execute(
        conn,
        """UPDATE footprint_revenue_rule SET checker = %s, approved_at = %s
        WHERE city = %s AND id = %s""",
        (actor, clock.now(), city, rule_id),
    )
    proof.audit(
        conn, city, actor, "revenue.approved", "revenue-rule", str(rule_id), None,
        {"starts_on": found.starts_on},
    )  # fmt: skip
    return _stored(conn, city, rule_id)


def revenue_rule(conn: Connection, city: str, rule_id: UUID) -> RevenueRule | None:
    found = rows(conn, f"{_RULE} WHERE city = %s AND id = %s", (city, rule_id))
    return _rule(found[0]) if found else None


def revenue_rules(conn: Connection, city: str) -> list[RevenueRule]:
    """Every rule, proposed or in force, newest first."""
    return [_rule(row) for row in rows(conn, f"{_RULE} WHERE city = %s ORDER BY id DESC", (city,))]


def shares_on(
    conn: Connection, city: str, project_id: UUID | None, day: date
) -> tuple[RevenueShare, ...]:
    """The shares in force on a day: the project's own rule, else the city's, else all of it to
    the incentive fund."""
    found: list[dict[str, Any]] = rows(
        conn,
        f"""{_RULE} WHERE city = %s AND checker IS NOT NULL AND starts_on <= %s
          AND (project_id IS NULL OR project_id = %s)
        ORDER BY project_id IS NULL, starts_on DESC, id DESC LIMIT 1""",
        (city, day, project_id),
    )
    return _rule(found[0]).shares if found else EVERYTHING


def _stored(conn: Connection, city: str, rule_id: UUID) -> RevenueRule:
    found = revenue_rule(conn, city, rule_id)
    assert found is not None
    return found
