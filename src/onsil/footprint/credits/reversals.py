"""Losses of what was credited: they draw the project's buffer, then the pool that it is part of,
and stop issuance until made good.

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
from onsil.footprint.credits import pools
from onsil.footprint.credits import spans as of
from onsil.footprint.credits.batches import any_batch, unknown_batch
from onsil.footprint.credits.events import events, state
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.rules import reversal_rule, years_after
from onsil.footprint.credits.terms import (
    BUFFER,
    CANCELLED,
    CAUSES,
    Action,
    Move,
    Shortfall,
    UnitEvent,
)
from onsil.footprint.credits.units import blocks, lock_units, move
from onsil.footprint.credits.vintages import EXACT
from onsil.footprint.projects import project
from onsil.footprint.store import lock
from onsil.footprint.terms import CreditBatch, Project

_COVERS = ("buffer-draw", "recovery", "pool-replenishment")


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
    """Record an approved loss and draw the buffer for it, then the pool, as far as they go."""
    project_id = UUID(action.terms["project"])
    lock(conn, city, [f"issue {project_id}"])
    drawn_on = pools.lock_pools(conn, city, project_id)
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
    left = units - _draw(conn, city, project_id, units, made, actor, clock)
    for pool in drawn_on:
        left -= pools.draw(conn, city, project_id, pool, left, made, actor, clock) if left else 0
    return made


def _draw(
    conn: Connection, city: str, project_id: UUID, units: int, cause: UnitEvent, actor: str,
    clock: Clock,
) -> int:  # fmt: skip
    lock_units(conn, city, pools.own_buffer(conn, city, project_id))
    units_drawn = 0
    own = pools.own_buffer(conn, city, project_id)
    for batch_id, chosen in pools.chosen_of(own, units).items():
        drawn = move(
            conn, city,
            Move(
                batch_id, "buffer-draw", BUFFER, CANCELLED, of.count(chosen),
                f"{cause.id}:{batch_id}", actor, chosen, parent_id=cause.id, project_id=project_id,
            ),
            clock,
        )  # fmt: skip
        assert not isinstance(drawn, Refusal), drawn
        units_drawn += drawn.tonnes
    return units_drawn


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
    pool = sum(pools.owed_to(conn, city, project_id).values())
    return Shortfall(project_id, lost, covered, due, pool)


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
    """Cancel newly issued units for what their project still owes, its own first, then buffer; and
    put back from its own what a pool has paid for it."""
    own = f"project:{made.project_id}"
    for account in (own, BUFFER):
        owes = shortfall(conn, city, made.project_id)
        owed = owes.units - owes.pool
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
    for pool, owed in sorted(pools.owed_to(conn, city, made.project_id).items()):
        units = min(owed, of.count(one.span for one in blocks(conn, city, made.id, own)))
        if units > 0:
            back = pools.replenish(
                conn, city, made.project_id, pool, made, own, units, f"{made.id}:{pool}", actor,
                clock,
            )  # fmt: skip
            assert not isinstance(back, Refusal), back


def make_good(
    conn: Connection, city: str, project_id: UUID, batch_id: UUID, account: str, units: int,
    key: str, actor: str, clock: Clock,
) -> UnitEvent | Refusal:  # fmt: skip
    """Cancel units that somebody holds for what a project still owes; what a pool has paid for it,
    they put back there instead. First the loss, then the pool.

    Refused: account-not-held (buffer or gone), unknown-batch, unit-other (m³ for tonnes),
    nothing-owed (less is owed than that), loss-first (for loss and pool at once), pool-other
    (units of projects outside the pool), and `move`'s codes."""
    if not a_holder(account):
        return not_held(account)
    found, owner = any_batch(conn, city, batch_id), project(conn, city, project_id)
    if found is None:
        return unknown_batch(batch_id)
    if owner is None:
        return Refusal("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")
    lock(conn, city, [f"issue {project_id}"])
    done = events(conn, city, project_id=project_id, kinds=("recovery", "pool-replenishment"))
    before = next((one for one in done if one.key == f"{one.kind}:{key}"), None)
    owes = shortfall(conn, city, project_id)
    pool = _pool_to_fill(conn, city, project_id, before, owes)
    if before is None:
        refusal = _misfit(conn, city, owner, found, units, owes, pool)
        if refusal is not None:
            return refusal
    if pool is not None:
        return pools.replenish(
            conn, city, project_id, pool, found, account, units, key, actor, clock
        )
    asked = Move(batch_id, "recovery", account, CANCELLED, units, key, actor, project_id=project_id)
    return move(conn, city, asked, clock)


def _pool_to_fill(
    conn: Connection, city: str, project_id: UUID, before: UnitEvent | None, owes: Shortfall
) -> str | None:
    """The pool that the next units go to; None where the loss itself comes first."""
    if before is not None:
        return before.facts.get("pool")
    owed = pools.owed_to(conn, city, project_id)
    return min(owed) if owed and owes.units == owes.pool else None


def _misfit(
    conn: Connection, city: str, owner: Project, found: CreditBatch, units: int,
    owes: Shortfall, pool: str | None,
) -> Refusal | None:  # fmt: skip
    unit = owner.unit
    if found.unit != unit:
        return Refusal(
            "unit-other",
            f"{unit} 단위의 손실은 {found.unit} 단위로 메울 수 없습니다.",
            f"A loss in {unit} is not made good with units of {found.unit}.",
            {"unit": found.unit, "owed": unit},
        )
    owed = owes.units if pool is None else pools.owed_to(conn, city, owner.id)[pool]
    if units > owed:
        return Refusal(
            "nothing-owed",
            f"메울 것은 {owed}단위입니다.",
            f"{owed} units are owed.",
            {"owed": owed, "units": units},
        )
    loss = owes.units - owes.pool
    if pool is None and units > loss:
        return Refusal(
            "loss-first",
            f"손실 {loss}단위를 먼저 메우고, 그다음에 공동 버퍼의 {owes.pool}단위를 채워 주세요.",
            f"Make the loss of {loss} units good first, then put {owes.pool} back into the pool.",
            {"loss": loss, "pool": owes.pool},
        )
    if pool is None or pools.pool_of_batch(conn, city, found.id) == pool:
        return None
    return Refusal(
        "pool-other",
        f"공동 버퍼({pool})에는 그 버퍼에 참여하는 사업의 크레딧만 넣을 수 있습니다.",
        f"Only units of projects in the pool {pool} can be put into it.",
        {"pool": pool},
    )
