"""Simple moves: between holders, out of the market, past their time; and into compliance units."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import any_batch, unknown_batch
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.pools import pool_of_batch
from onsil.footprint.credits.reversals import shortfall
from onsil.footprint.credits.rules import conversion_rule, years_after
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import (
    BUFFER,
    CANCELLED,
    CONVERTED,
    EXPIRED,
    Action,
    Move,
    UnitEvent,
)
from onsil.footprint.credits.units import move, units_invalid
from onsil.footprint.projects import monitoring, project
from onsil.footprint.terms import CreditBatch

_SEOUL = ZoneInfo("Asia/Seoul")


def transfer(
    conn: Connection, city: str, batch_id: UUID, source: str, destination: str, units: int,
    key: str, actor: str, clock: Clock, *, spans: tuple[Span, ...] | None = None, memo: str = "",
) -> UnitEvent | Refusal:  # fmt: skip
    """Move units from a holder to another. Refused: account-not-held, and `move`'s codes."""
    for account in (source, destination):
        if not a_holder(account):
            return not_held(account)
    asked = Move(
        batch_id, "transfer", source, destination, units, key, actor, spans, {"memo": memo}, memo
    )
    return move(conn, city, asked, clock)


def cancel(
    conn: Connection, city: str, batch_id: UUID, account: str, units: int, reason: str, key: str,
    actor: str, clock: Clock, *, spans: tuple[Span, ...] | None = None,
) -> UnitEvent | Refusal:  # fmt: skip
    """Take a holder's units off the market for good, for nobody's benefit.

    Refused: account-not-held, reason-missing, and `move`'s codes."""
    if not a_holder(account):
        return not_held(account)
    if not reason.strip():
        return Refusal("reason-missing", "취소 사유를 적어 주세요.", "Please give the reason.")
    asked = Move(
        batch_id, "cancellation", account, CANCELLED, units, key, actor, spans,
        {"reason": reason}, reason,
    )  # fmt: skip
    return move(conn, city, asked, clock)


def conversion_limit(
    conn: Connection, city: str, made: CreditBatch, zone: ZoneInfo = _SEOUL
) -> date | None:
    """The first day on which a batch can no longer be converted; None where no rule applies to it:
    another programme, another unit, or certified before the rule began."""
    if made.project_id is None or made.unit != "tCO2e":
        return None
    owner, period = project(conn, city, made.project_id), monitoring(conn, city, made.monitoring_id)
    assert owner is not None
    assert period is not None
    assert period.decided_at is not None
    rule = conversion_rule(owner.programme)
    certified = local_day(period.decided_at, zone)
    if rule is None or certified < rule["valid_from"]:
        return None
    return years_after(certified, rule["years"])


def check_conversion(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """A conversion's terms: batch, account, units. Refused: unknown-batch, account-not-held,
    units-invalid, not-convertible, conversion-late."""
    found = any_batch(conn, city, UUID(str(terms["batch"])))
    if found is None:
        return unknown_batch(UUID(str(terms["batch"])))
    if not a_holder(terms["account"]):
        return not_held(terms["account"])
    if terms["units"] < 1:
        return units_invalid(terms["units"])
    limit = conversion_limit(conn, city, found, zone)
    if limit is None:
        return Refusal(
            "not-convertible",
            "이 크레딧을 배출권으로 바꾸는 규칙이 등록되어 있지 않습니다.",
            "No rule on file converts these units into compliance units.",
            {"batch": str(found.id)},
        )
    if local_day(clock.now(), zone) >= limit:
        return Refusal(
            "conversion-late",
            f"전환 기한이 지났습니다 ({limit} 전까지였습니다).",
            f"The time to convert is over (it was before {limit}).",
            {"batch": str(found.id), "limit": limit.isoformat()},
        )
    return None


def approve_conversion(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Swap units one for one; the compliance units' own serials are the national registry's, kept
    as given (`reference`, empty while not known)."""
    batch_id = UUID(action.terms["batch"])
    refusal = check_conversion(conn, city, action.terms, clock, _SEOUL)
    if refusal is not None:
        return refusal
    made = any_batch(conn, city, batch_id)
    assert made is not None
    owner = project(conn, city, made.project_id)
    assert owner is not None
    rule = conversion_rule(owner.programme)
    assert rule is not None
    facts = {"into": rule["into"], "reference": str(action.outcome.get("reference", ""))}
    asked = Move(
        batch_id, "conversion", action.terms["account"], CONVERTED, action.terms["units"],
        action.key, actor, facts=facts, memo=rule["into"], action_id=action.id,
    )  # fmt: skip
    return move(conn, city, asked, clock)


def expire(
    conn: Connection, city: str, batch_id: UUID, account: str, units: int, key: str, actor: str,
    clock: Clock, zone: ZoneInfo = _SEOUL,
) -> UnitEvent | Refusal:  # fmt: skip
    """Put units whose time to convert is over out of use.

    Refused: unknown-batch, account-not-held, not-expired, and `move`'s codes."""
    found = any_batch(conn, city, batch_id)
    if found is None:
        return unknown_batch(batch_id)
    if not a_holder(account):
        return not_held(account)
    limit = conversion_limit(conn, city, found, zone)
    if limit is None or local_day(clock.now(), zone) < limit:
        return Refusal(
            "not-expired",
            "아직 기한이 지나지 않았거나 기한이 없는 크레딧입니다.",
            "These units have no time limit, or it is not over yet.",
            {"limit": None if limit is None else limit.isoformat()},
        )
    asked = Move(
        batch_id, "expiry", account, EXPIRED, units, key, actor,
        facts={"limit": limit.isoformat()},
    )  # fmt: skip
    return move(conn, city, asked, clock)


def check_buffer(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """The terms of taking units out of the buffer: batch, units, reason.

    Refused: unknown-batch, units-invalid, reason-missing, reversal-open (the project still owes
    units for a loss). A release also: buffer-pooled."""
    found = any_batch(conn, city, UUID(str(terms["batch"])))
    if found is None or found.project_id is None:
        return unknown_batch(UUID(str(terms["batch"])))
    if terms["units"] < 1:
        return units_invalid(terms["units"])
    if not str(terms["reason"]).strip():
        return Refusal("reason-missing", "사유를 적어 주세요.", "Please give the reason.")
    owed = shortfall(conn, city, found.project_id)
    if owed.units > 0:
        return Refusal(
            "reversal-open",
            f"손실 {owed.units}단위를 먼저 메워야 합니다.",
            f"A loss of {owed.units} units has to be made good first.",
            {"units": owed.units},
        )
    return None


def check_release(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """As `check_buffer`; what is in a pool is not given back to one project."""
    refusal = check_buffer(conn, city, terms, clock, zone)
    if refusal is not None:
        return refusal
    pool = pool_of_batch(conn, city, UUID(str(terms["batch"])))
    if pool is None:
        return None
    return Refusal(
        "buffer-pooled",
        f"공동 버퍼({pool})에 들어간 크레딧은 사업에 되돌려 주지 않습니다.",
        f"Units in the pool {pool} are not given back to a project.",
        {"pool": pool},
    )


def approve_buffer(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Release buffer units to their project, or cancel them."""
    batch_id = UUID(action.terms["batch"])
    check = check_release if action.kind == "buffer-release" else check_buffer
    refusal = check(conn, city, action.terms, clock, _SEOUL)
    if refusal is not None:
        return refusal
    made = any_batch(conn, city, batch_id)
    assert made is not None
    released = action.kind == "buffer-release"
    destination = f"project:{made.project_id}" if released else CANCELLED
    reason = action.terms["reason"]
    asked = Move(
        batch_id, action.kind, BUFFER, destination, action.terms["units"], action.key, actor,
        facts={"reason": reason}, memo=reason, action_id=action.id, project_id=made.project_id,
    )  # fmt: skip
    return move(conn, city, asked, clock)
