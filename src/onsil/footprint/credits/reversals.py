"""Losses of what was credited: they draw the project's buffer, then stop issuance until made good.

A loss is counted in whole units of the sum of all of a project's losses, rounded up once, so that
many small losses cost no more than one large (Gold Standard 403 v2.1, five years to recover).
"""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation, localcontext
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits import spans as of
from onsil.footprint.credits.events import events, state
from onsil.footprint.credits.rules import reversal_rule, years_after
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.terms import (
    BUFFER,
    CANCELLED,
    CAUSES,
    Action,
    Move,
    Shortfall,
    UnitBlock,
    UnitEvent,
    state_of,
)
from onsil.footprint.credits.units import blocks, buffer_of, lock_units, move
from onsil.footprint.credits.vintages import EXACT
from onsil.footprint.projects import project
from onsil.footprint.store import lock
from onsil.footprint.terms import CreditBatch

_COVERS = ("buffer-draw", "recovery")


def check_reversal(
    conn: Connection, city: str, terms: Mapping[str, Any], clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """A reversal's terms: project, cause, tonnes (decimal text), happened_on, evidence.

    Refused: unknown-project, reversal-invalid."""
    found = project(conn, city, UUID(str(terms["project"])))
    if found is None:
        return Refusal("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")
    try:
        lost, day = Decimal(terms["tonnes"]), date.fromisoformat(terms["happened_on"])
    except (InvalidOperation, ValueError):
        return _invalid()
    known = terms["cause"] in CAUSES and bool(str(terms["evidence"]).strip())
    if lost.is_finite() and lost > 0 and day <= local_day(clock.now(), zone) and known:
        return None
    return _invalid()


def _invalid() -> Refusal:
    return Refusal(
        "reversal-invalid",
        "손실량(0보다 큼), 원인, 오늘까지의 날짜, 근거를 모두 적어 주세요.",
        "State the loss (above zero), its cause, a day not in the future, and the evidence.",
    )


def approve_reversal(
    conn: Connection, city: str, action: Action, actor: str, clock: Clock
) -> UnitEvent | Refusal:
    """Record an approved loss and draw the buffer for it, as far as the buffer goes."""
    project_id = UUID(action.terms["project"])
    lock(conn, city, [f"issue {project_id}"])
    before = _losses(conn, city, project_id)
    with localcontext(EXACT):
        total = sum((Decimal(one.facts["tonnes"]) for one in before), Decimal(0))
        total += Decimal(action.terms["tonnes"])
    whole = int(total.to_integral_value(ROUND_CEILING))
    units = whole - sum(one.facts["units"] for one in before)
    made = state(
        conn, city, "reversal", action.key, actor, clock, {**action.terms, "units": units},
        project_id=project_id, action_id=action.id,
    )  # fmt: skip
    if isinstance(made, Refusal):
        return made
    _draw(conn, city, project_id, units, made, actor, clock)
    return made


def _draw(
    conn: Connection, city: str, project_id: UUID, units: int, cause: UnitEvent, actor: str,
    clock: Clock,
) -> None:  # fmt: skip
    found = buffer_of(conn, city, project_id)
    lock_units(conn, city, {one.batch_id for one in found})
    for batch_id, chosen in _by_batch(buffer_of(conn, city, project_id), units).items():
        drawn = move(
            conn, city,
            Move(
                batch_id, "buffer-draw", BUFFER, CANCELLED, of.count(chosen),
                f"{cause.id}:{batch_id}", actor, chosen, parent_id=cause.id, project_id=project_id,
            ),
            clock,
        )  # fmt: skip
        assert not isinstance(drawn, Refusal), drawn


def _by_batch(held: list[UnitBlock], units: int) -> dict[UUID, tuple[Span, ...]]:
    """The lowest serials of the blocks, up to `units`, by batch."""
    spans = [one.span for one in held]
    chosen = of.lowest(spans, min(units, of.count(spans))) or ()
    made = {
        batch_id: of.common([one.span for one in held if one.batch_id == batch_id], chosen)
        for batch_id in sorted({one.batch_id for one in held})
    }
    return {batch_id: part for batch_id, part in made.items() if part}


def _losses(conn: Connection, city: str, project_id: UUID) -> list[UnitEvent]:
    return events(conn, city, project_id=project_id, kinds=("reversal",))


def shortfall(conn: Connection, city: str, project_id: UUID) -> Shortfall:
    """What a project's losses come to, what has been cancelled for them, and by when the rest."""
    losses = _losses(conn, city, project_id)
    covered = sum(one.tonnes for one in events(conn, city, project_id=project_id, kinds=_COVERS))
    lost, due = 0, None
    for one in losses:
        lost += one.facts["units"]
        if due is None and lost > covered:
            happened = date.fromisoformat(one.facts["happened_on"])
            due = years_after(happened, reversal_rule()["recovery_years"])
    return Shortfall(project_id, lost, covered, due)


def blocked(
    conn: Connection, city: str, project_id: UUID, clock: Clock, zone: ZoneInfo, *, recover: bool
) -> Refusal | None:
    """Why a project may not issue now. Refused: issuance-blocked, recovery-overdue."""
    owed = shortfall(conn, city, project_id)
    if owed.units <= 0:
        return None
    assert owed.due is not None
    facts = {"units": owed.units, "due": owed.due.isoformat()}
    if not recover:
        return Refusal(
            "issuance-blocked",
            f"손실 {owed.units}단위가 아직 메워지지 않아 새로 발행할 수 없습니다 ({owed.due}까지).",
            f"A loss of {owed.units} units is not made good yet, so nothing can be issued"
            f" (due by {owed.due}).",
            facts,
        )
    if local_day(clock.now(), zone) >= owed.due:
        return Refusal(
            "recovery-overdue",
            f"메울 기한({owed.due})이 지나 새 발행분으로는 메울 수 없습니다."
            " 다른 크레딧을 취소해 메워 주세요.",
            f"The time to recover ended on {owed.due}; cancel other units to make the loss good.",
            facts,
        )
    return None


def recover_from(conn: Connection, city: str, made: CreditBatch, actor: str, clock: Clock) -> None:
    """Cancel newly issued units for what their project still owes: its own first, then buffer."""
    for account in (f"project:{made.project_id}", BUFFER):
        owed = shortfall(conn, city, made.project_id).units
        held = of.count(one.span for one in blocks(conn, city, made.id, account))
        units = min(owed, held)
        if units <= 0:
            continue
        moved = move(
            conn, city,
            Move(
                made.id, "recovery", account, CANCELLED, units, f"{made.id}:{account}", actor,
                project_id=made.project_id,
            ),
            clock,
        )  # fmt: skip
        assert not isinstance(moved, Refusal), moved


def make_good(
    conn: Connection, city: str, project_id: UUID, batch_id: UUID, account: str, units: int,
    key: str, actor: str, clock: Clock,
) -> UnitEvent | Refusal:  # fmt: skip
    """Cancel units that somebody holds for what a project still owes.

    Refused: account-not-held (buffer or gone), nothing-owed (less is owed than that), and `move`'s
    codes."""
    if state_of(account) != "held":
        return not_held(account)
    lock(conn, city, [f"issue {project_id}"])
    asked = Move(batch_id, "recovery", account, CANCELLED, units, key, actor, project_id=project_id)
    already = [one.key for one in events(conn, city, project_id=project_id, kinds=("recovery",))]
    owed = shortfall(conn, city, project_id).units
    if f"recovery:{key}" not in already and units > owed:
        return Refusal(
            "nothing-owed",
            f"메울 것은 {owed}단위입니다.",
            f"{owed} units are owed.",
            {"owed": owed, "units": units},
        )
    return move(conn, city, asked, clock)


def not_held(account: str) -> Refusal:
    return Refusal(
        "account-not-held",
        f"{account} 계정은 크레딧 보유자의 계정이 아닙니다.",
        f"{account} is not the account of a holder.",
        {"account": account},
    )
