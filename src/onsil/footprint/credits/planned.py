"""Planned units: what a project expects of coming years. They may change hands, and are never
retired, only fulfilled or dropped.

Gold Standard 403 v2.1: at most five years ahead, not retirable, what falls short made good within
five years. The ledger holds them as `planned:<id>`, so that more than was planned can neither be
handed on, fulfilled nor cancelled. Whoever holds them gets the issued units when they are
fulfilled.
"""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from onsil import ledger
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.credits.batches import batch, post, short_of, unknown_batch
from onsil.footprint.credits.events import draft, events, repeated, write
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.rules import planned_rule, years_after
from onsil.footprint.credits.terms import Move, Planned, UnitEvent
from onsil.footprint.credits.units import move, units_invalid
from onsil.footprint.projects import project
from onsil.footprint.store import lock

PLANNER, FULFILLED, DROPPED = "issuer:planned", "fulfilled", "cancelled"
_SEOUL = ZoneInfo("Asia/Seoul")
_ENDS = ("planned-fulfilled", "planned-cancelled")


def plan(
    conn: Connection, city: str, project_id: UUID, vintage: int, units: int, basis: str, key: str,
    actor: str, clock: Clock, zone: ZoneInfo = _SEOUL,
) -> Planned | Refusal:  # fmt: skip
    """Note units expected of a project's vintage, this year or up to five ahead.

    Refused: unknown-project, planned-invalid, key-reused."""
    facts = {"vintage": vintage, "units": units, "basis": basis}
    there = repeated(conn, city, "planned", key, facts)
    if there is not None:
        return there if isinstance(there, Refusal) else _one(conn, city, there.id)
    owner = project(conn, city, project_id)
    if owner is None:
        return Refusal("unknown-project", "사업을 찾을 수 없습니다.", "There is no such project.")
    this_year, ahead = local_day(clock.now(), zone).year, planned_rule()["years_ahead"]
    if units < 1 or not basis.strip() or not this_year <= vintage <= this_year + ahead:
        return Refusal(
            "planned-invalid",
            f"1단위 이상, {this_year}년부터 {this_year + ahead}년까지, 근거와 함께 적어 주세요.",
            f"One unit or more, for {this_year} to {this_year + ahead}, with its basis.",
            {"vintage": vintage, "units": units},
        )
    made = draft("planned", key, actor, clock, facts=facts, project_id=project_id)
    asset = f"planned:{made.id}"
    ledger.open_accounts(
        conn, city,
        [
            ledger.AccountSpec(PLANNER, asset, "issuer", minimum=None),
            ledger.AccountSpec(owner.account, asset, "project"),
            ledger.AccountSpec(FULFILLED, asset, "fulfilled"),
            ledger.AccountSpec(DROPPED, asset, "cancelled"),
        ],
    )  # fmt: skip
    transfer_id = _post(conn, city, asset, PLANNER, owner.account, units, made, clock)
    if isinstance(transfer_id, Refusal):
        return transfer_id
    write(conn, city, UnitEvent(**{**vars(made), "transfer_id": transfer_id}))
    return _one(conn, city, made.id)


def hand_on(
    conn: Connection, city: str, planned_id: UUID, source: str, destination: str, units: int,
    key: str, actor: str, clock: Clock, zone: ZoneInfo = _SEOUL,
) -> Planned | Refusal:  # fmt: skip
    """Move planned units from a holder to another; their fulfilment goes to whom they are with.

    Refused: unknown-planned, account-not-held, units-invalid, planned-late (their year is over, so
    that they should have been issued), insufficient-balance, key-reused."""
    found = planned_of(conn, city, planned_id)
    if found is None:
        return _unknown()
    lock(conn, city, [f"planned {found.project_id}"])
    facts = {
        "planned": planned_id, "units": units, "source": source, "destination": destination
    }  # fmt: skip
    there = repeated(conn, city, "planned-transferred", key, facts)
    if there is not None:
        return there if isinstance(there, Refusal) else _one(conn, city, planned_id)
    for account in (source, destination):
        if not a_holder(account):
            return not_held(account)
    if units < 1 or source == destination:
        return units_invalid(units)
    if local_day(clock.now(), zone).year > found.vintage:
        return Refusal(
            "planned-late",
            f"{found.vintage}년이 지나 계획분을 넘길 수 없습니다. 발행분으로 채워야 합니다.",
            f"The year {found.vintage} is over; these planned units can only be fulfilled now.",
            {"vintage": found.vintage},
        )
    refusal = short_of(conn, city, source, found.asset, units)
    if refusal is not None:
        return refusal
    made = draft(
        "planned-transferred", key, actor, clock, facts=facts, project_id=found.project_id,
        parent_id=found.id,
    )  # fmt: skip
    ledger.open_accounts(conn, city, [ledger.AccountSpec(destination, found.asset, "company")])
    transfer_id = _post(conn, city, found.asset, source, destination, units, made, clock)
    if isinstance(transfer_id, Refusal):
        return transfer_id
    write(conn, city, UnitEvent(**{**vars(made), "transfer_id": transfer_id}))
    return _one(conn, city, found.id)


def planned_holders(conn: Connection, city: str, found: Planned) -> dict[str, int]:
    """Who holds how many of the planned units that are still open, by the ledger."""
    return {
        one.code: one.balance
        for one in ledger.accounts(conn, city, asset=found.asset)
        if one.balance and one.code not in (PLANNER, FULFILLED, DROPPED)
    }


def planned_due(found: Planned) -> date:
    """The day by which what a planned vintage fell short of is made good."""
    return years_after(date(found.vintage + 1, 1, 1), planned_rule()["recovery_years"])


def planned_overdue(
    conn: Connection, city: str, project_id: UUID, clock: Clock, zone: ZoneInfo
) -> Refusal | None:
    """Why a project may not issue to itself: others hold planned units of it whose time to be made
    good is over. Refused: planned-overdue."""
    today, own = local_day(clock.now(), zone), f"project:{project_id}"
    late = [
        (one, units)
        for one in planned(conn, city, project_id)
        if one.open and today >= planned_due(one)
        for account, units in planned_holders(conn, city, one).items()
        if account != own
    ]
    if not late:
        return None
    units, due = sum(units for _, units in late), min(planned_due(one) for one, _ in late)
    return Refusal(
        "planned-overdue",
        f"다른 보유자에게 넘긴 계획분 {units}단위를 채울 기한({due})이 지났습니다."
        " 가진 발행분으로 채우거나, 사유를 적고 취소해 주세요.",
        f"The time to fulfil {units} planned units that others hold ended on {due}; fulfil them"
        " from issued units or drop them with the reason.",
        {"units": units, "due": due.isoformat()},
    )


def fulfil(
    conn: Connection, city: str, planned_id: UUID, batch_id: UUID, units: int, key: str,
    actor: str, clock: Clock, holder: str = "", zone: ZoneInfo = _SEOUL,
) -> Planned | Refusal:  # fmt: skip
    """Set issued units of the same project and vintage against planned ones; once the vintage's
    year is over, of a later vintage too. Where another than the project holds the planned units
    (`holder`), it gets the issued ones from the project.

    Refused: unknown-planned, unknown-batch, planned-other (project or vintage), planned-exceeds
    (the batch has not so many that fulfil nothing yet), insufficient-balance, key-reused."""
    found, made = planned_of(conn, city, planned_id), batch(conn, city, batch_id)
    if found is None:
        return _unknown()
    if made is None:
        return unknown_batch(batch_id)
    lock(conn, city, [f"planned {found.project_id}"])
    own = f"project:{found.project_id}"
    holder = holder or own
    facts = {"planned": planned_id, "units": units}
    facts |= {} if holder == own else {"holder": holder}
    there = repeated(conn, city, "planned-fulfilled", key, facts, batch_id)
    if there is not None:
        return there if isinstance(there, Refusal) else _one(conn, city, planned_id)
    over = local_day(clock.now(), zone).year > found.vintage
    fits = made.vintage == found.vintage or (over and made.vintage > found.vintage)
    if made.project_id != found.project_id or not fits:
        return Refusal(
            "planned-other",
            "같은 사업, 같은 발생 연도의 크레딧만 계획분을 채울 수 있습니다."
            " 그 해가 지나면 뒤의 연도도 됩니다.",
            "Only units of the same project and vintage fulfil planned ones, and of later vintages"
            " when the year is over.",
        )
    ends = events(conn, city, batch_id=batch_id, kinds=("planned-fulfilled",))
    free = made.tonnes - made.buffer_tonnes - sum(one.facts["units"] for one in ends)
    if not 0 < units <= free:
        return Refusal(
            "planned-exceeds",
            f"이 묶음으로 채울 수 있는 것은 {free}단위입니다.",
            f"This batch can fulfil {free} units.",
            {"free": free, "units": units},
        )
    refusal = short_of(conn, city, holder, found.asset, units)
    if refusal is None and holder != own:
        delivered = move(
            conn, city,
            Move(
                batch_id, "planned-delivery", own, holder, units, key, actor,
                facts={"planned": planned_id},
            ),
            clock,
        )  # fmt: skip
        refusal = delivered if isinstance(delivered, Refusal) else None
    if refusal is not None:
        return refusal
    return _end(conn, city, found, FULFILLED, units, key, actor, clock, batch_id, facts, holder)


def drop(
    conn: Connection, city: str, planned_id: UUID, units: int, reason: str, key: str, actor: str,
    clock: Clock, holder: str = "",
) -> Planned | Refusal:  # fmt: skip
    """Cancel planned units that will not come: the project's, or those of a `holder`.

    Refused: unknown-planned, reason-missing, insufficient-balance, key-reused."""
    found = planned_of(conn, city, planned_id)
    if found is None:
        return _unknown()
    if units < 1 or not reason.strip():
        return Refusal(
            "reason-missing", "수량과 사유를 적어 주세요.", "State how many units, and why."
        )
    lock(conn, city, [f"planned {found.project_id}"])
    holder = holder or f"project:{found.project_id}"
    facts = {"planned": planned_id, "units": units, "reason": reason}
    facts |= {} if holder == f"project:{found.project_id}" else {"holder": holder}
    there = repeated(conn, city, "planned-cancelled", key, facts)
    if there is not None:
        return there if isinstance(there, Refusal) else _one(conn, city, planned_id)
    return _end(conn, city, found, DROPPED, units, key, actor, clock, None, facts, holder)


def _end(
    conn: Connection, city: str, found: Planned, destination: str, units: int, key: str,
    actor: str, clock: Clock, batch_id: UUID | None, facts: dict, source: str,
) -> Planned | Refusal:  # fmt: skip
    refusal = short_of(conn, city, source, found.asset, units)
    if refusal is not None:
        return refusal
    kind = "planned-fulfilled" if destination == FULFILLED else "planned-cancelled"
    made = draft(
        kind, key, actor, clock, facts=facts, project_id=found.project_id, batch_id=batch_id,
        parent_id=found.id,
    )  # fmt: skip
    transfer_id = _post(conn, city, found.asset, source, destination, units, made, clock)
    if isinstance(transfer_id, Refusal):
        return transfer_id
    write(conn, city, UnitEvent(**{**vars(made), "transfer_id": transfer_id}))
    return _one(conn, city, found.id)


def _post(
    conn: Connection, city: str, asset: str, source: str, destination: str, units: int,
    made: UnitEvent, clock: Clock,
) -> UUID | Refusal:  # fmt: skip
    request = ledger.TransferRequest(
        made.key, made.kind, (ledger.Leg(source, destination, asset, units),), clock.now(), "",
        "unit-event", str(made.id),
    )  # fmt: skip
    return post(conn, city, request, clock)


def planned(conn: Connection, city: str, project_id: UUID | None = None) -> list[Planned]:
    """Planned units, oldest first, optionally of one project."""
    found = events(conn, city, project_id=project_id, kinds=("planned", *_ENDS))
    made: list[Planned] = []
    for one in found:
        if one.kind != "planned":
            continue
        ends = [other for other in found if other.parent_id == one.id]
        done = {
            kind: sum(other.facts["units"] for other in ends if other.kind == kind)
            for kind in _ENDS
        }
        assert one.project_id is not None
        made.append(
            Planned(
                one.id, one.project_id, one.facts["vintage"], one.facts["units"],
                one.facts["basis"], done["planned-fulfilled"], done["planned-cancelled"],
                one.key.partition(":")[2], one.actor, one.created_at,
            )
        )  # fmt: skip
    return made


def planned_of(conn: Connection, city: str, planned_id: UUID) -> Planned | None:
    return next((one for one in planned(conn, city) if one.id == planned_id), None)


def _one(conn: Connection, city: str, planned_id: UUID) -> Planned:
    found = planned_of(conn, city, planned_id)
    assert found is not None
    return found


def _unknown() -> Refusal:
    return Refusal("unknown-planned", "없는 계획분입니다.", "There are no such planned units.")
