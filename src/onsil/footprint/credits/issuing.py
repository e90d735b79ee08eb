"""Issuing units for approved periods: one batch a vintage, floored once, the rest carried."""

from datetime import date
from decimal import Decimal, localcontext
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

from onsil import ledger, proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint import rows as stored
from onsil.footprint.credits import pools, reversals, vintages, water
from onsil.footprint.credits.batches import (
    BUFFER,
    ISSUER,
    RETIRED,
    batch,
    batch_entry,
    batches,
    batches_of_period,
    next_serial,
    post,
)
from onsil.footprint.credits.events import draft, state, write
from onsil.footprint.credits.planned import planned_overdue
from onsil.footprint.credits.rules import Rule, buffer_rule, vintage_rule
from onsil.footprint.credits.spans import Span
from onsil.footprint.credits.units import open_blocks
from onsil.footprint.issuance import IssuanceAmounts, issuance_amounts
from onsil.footprint.projects import issuable, monitoring, project
from onsil.footprint.projects.members import all_excluded, excluded
from onsil.footprint.projects.vintages import VintageRule, rule_for
from onsil.footprint.store import execute, lock
from onsil.footprint.terms import Claim, CreditBatch, Monitoring, Project

_SEOUL = ZoneInfo("Asia/Seoul")


def issue(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    actor: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
    *,
    recover: bool = False,
) -> CreditBatch | Refusal:
    """Issue an approved period's whole units to its project; again, the batch that was issued.

    The last of its vintages, where there are several; see `issue_vintages` for all.
    """
    made = issue_vintages(conn, city, monitoring_id, actor, clock, zone, recover=recover)
    return made if isinstance(made, Refusal) else made[-1]


def issue_vintages(
    conn: Connection,
    city: str,
    monitoring_id: UUID,
    actor: str,
    clock: Clock,
    zone: ZoneInfo | None = None,
    *,
    recover: bool = False,
) -> list[CreditBatch] | Refusal:
    """Issue an approved period: a batch for each local year; again, the batches there are.

    A period that crosses years is divided by its claims' daily quantities, else by the programme's
    rule. What is left of a unit is carried to the project's next batch, so a small period may
    issue nothing and still count. Vintages behind the Paris gate are withheld, and said so in the
    journal. While a loss is not made good nothing is issued; with `recover`, new units first make
    it good. Refused: unknown-monitoring, monitoring-state, legal-duty, unit-unknown,
    vintage-undivided, vintage-gated (all of it), issuance-blocked, recovery-overdue,
    planned-overdue, and the ledger's codes.
    """
    found = monitoring(conn, city, monitoring_id)
    if found is None:
        return Refusal(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    lock(conn, city, [f"issue {found.project_id}", "serials"])
    there = batches_of_period(conn, city, found.id)
    if there:
        return there
    found = monitoring(conn, city, monitoring_id)
    assert found is not None
    if found.status != "approved":
        return Refusal(
            "monitoring-state",
            f"승인된 모니터링 기간만 발행할 수 있습니다 (지금: {found.status}).",
            f"Only an approved monitoring period can be issued (it is {found.status}).",
            {"monitoring": str(found.id), "status": found.status},
        )
    owner = project(conn, city, found.project_id)
    assert owner is not None
    refusal = issuable(conn, city, found.id)
    if refusal is not None:
        return refusal
    refusal = reversals.blocked(conn, city, owner.id, clock, zone or _SEOUL, recover=recover)
    if refusal is None:
        refusal = planned_overdue(conn, city, owner.id, clock, zone or _SEOUL)
    if refusal is not None:
        return refusal
    return _issue_parts(conn, city, found, owner, actor, clock, zone or _SEOUL)


def _issue_parts(
    conn: Connection, city: str, found: Monitoring, owner: Project, actor: str, clock: Clock,
    zone: ZoneInfo,
) -> list[CreditBatch] | Refusal:  # fmt: skip
    claims = [c for c in (stored.claim_of(conn, city, i) for i in found.claim_ids) if c is not None]
    barred = {one.claim_id: one for one in excluded(conn, city, owner, claims, zone)}
    counted = [one for one in claims if one.id not in barred]
    if not counted:
        return all_excluded(list(barred.values()))
    for one in (held for held in claims if held.id in barred):
        why = all_excluded([barred[one.id]])
        _withhold(
            conn, city, found, one.period.start.astimezone(zone).year, _quantity(one, owner.unit),
            why, actor, clock, str(one.id),
        )  # fmt: skip
    claims = counted
    rules = _rules(conn, city, owner, claims)
    parts = _parts(conn, city, claims, owner, zone, rules)
    if isinstance(parts, Refusal):
        return parts
    if all(behind for _, behind in parts):
        return _gated(rules)
    rule = buffer_rule(owner.programme, owner.methodology, local_day(clock.now(), zone))
    made: list[CreditBatch] = []
    for (vintage, behind), quantity in parts.items():
        if behind:
            _withhold(conn, city, found, vintage, quantity, _gated(rules), actor, clock)
            continue
        answer = _issue(conn, city, found, owner, vintage, quantity, rule, actor, clock)
        if isinstance(answer, Refusal):
            assert not made, "the ledger refused a later vintage"
            return answer
        made.append(answer)
    execute(
        conn,
        "UPDATE footprint_monitoring SET status = 'issued' WHERE city = %s AND id = %s",
        (city, found.id),
    )
    for one in made:
        reversals.recover_from(conn, city, one, actor, clock)
    return made


def _quantity(held: Claim, unit: str) -> Decimal:
    if unit == "tCO2e":
        return held.co2e_t
    with localcontext(vintages.EXACT):
        return sum((line.amount for line in held.lines if line.unit == unit), Decimal(0))


def _rules(conn: Connection, city: str, owner: Project, claims: list[Claim]) -> list[VintageRule]:
    """The gates of the methodologies that a period's runs used."""
    runs = [stored.run(conn, city, held.run_id) for held in claims]
    used = sorted({run.methodology for run in runs if run is not None})
    return [rule_for(owner.programme, one) for one in used]


def _gated(rules: list[VintageRule]) -> Refusal:
    behind = next(one for one in rules if one.aligned_from is not None)
    return Refusal(
        "vintage-gated",
        f"{behind.aligned_from}부터의 발생분은 파리협정에 맞춘 방법론만 발행할 수 있습니다.",
        f"Vintages from {behind.aligned_from} want a Paris-aligned methodology, which this is not.",
        {"from": str(behind.aligned_from), "maturity": behind.maturity, "basis": behind.basis},
    )


def _parts(
    conn: Connection, city: str, claims: list[Claim], owner: Project, zone: ZoneInfo,
    rules: list[VintageRule],
) -> vintages.Weights | Refusal:  # fmt: skip
    """What the period's claims come to, by vintage and gate."""

    def blocks(day: date) -> bool:
        return any(rule.blocks(day) for rule in rules)

    made: list[vintages.Weights] = []
    for held in claims:
        quantity = _quantity(held, owner.unit)
        if quantity <= 0:
            return Refusal(
                "unit-unknown",
                f"청구에 {owner.unit} 단위의 수량이 없습니다.",
                f"A claim holds no quantity in {owner.unit}.",
                {"claim": str(held.id), "unit": owner.unit},
            )
        days = vintages.by_calendar(held.period, zone, blocks)
        if len(days) == 1:
            made.append(dict.fromkeys(days, quantity))
            continue
        run = stored.run(conn, city, held.run_id)
        assert run is not None
        weights = vintages.by_quantity(run.lines, held.period, zone, blocks)
        if weights is None:
            rule = vintage_rule(owner.programme)
            if rule is None or rule["by"] != "calendar-days":
                return _undivided(held, sorted({year for year, _ in days}))
            weights = days
        made.append(vintages.shared(quantity, weights))
    return vintages.added(made)


def _undivided(held: Claim, years: list[int]) -> Refusal:
    return Refusal(
        "vintage-undivided",
        f"{years[0]}–{years[-1]}년에 걸친 청구인데 날짜별 수량이 없어 발생 연도로 나눌 수"
        " 없습니다. 연도별로 청구해 주세요.",
        f"A claim spans {years[0]} to {years[-1]} without daily quantities, so it cannot be"
        " divided into vintages; claim each year by itself.",
        {"claim": str(held.id), "years": years},
    )


def _withhold(
    conn: Connection, city: str, found: Monitoring, vintage: int, quantity: Decimal,
    why: Refusal, actor: str, clock: Clock, part: str = "",
) -> None:  # fmt: skip
    facts = {
        "monitoring": found.id, "vintage": vintage, "quantity": quantity, "code": why.code,
        "facts": why.facts,
    }  # fmt: skip
    state(
        conn, city, "withheld", f"{found.id}:{part or vintage}", actor, clock, facts,
        project_id=found.project_id,
    )  # fmt: skip


def _issue(
    conn: Connection,
    city: str,
    found: Monitoring,
    owner: Project,
    vintage: int,
    quantity: Decimal,
    rule: Rule | None,
    actor: str,
    clock: Clock,
) -> CreditBatch | Refusal:
    steps = water.stepped(conn, city, owner, vintage, quantity)
    quantity = quantity if steps is None else steps.units
    last = batches(conn, city, owner.id)
    carried_in_t = last[0].carried_out_t if last else Decimal(0)
    position = last[0].position + 1 if last else 1
    amounts = issuance_amounts(quantity, carried_in_t, _share_bp(owner, rule))
    made, transfer_id, serials = new_id(), None, None
    if amounts.tonnes:
        answer = _post_issuance(conn, city, made, owner, found, amounts, clock)
        if isinstance(answer, Refusal):
            return answer
        transfer_id = answer
        top = next_serial(conn, city)
        serials = Range[int](top, top + amounts.tonnes)
    execute(
        conn,
        """INSERT INTO footprint_batch (city, id, project_id, monitoring_id, position, vintage,
          tonnes, buffer_tonnes, serials, quantified_t, carried_in_t, carried_out_t, transfer_id,
          unit, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s::int8range,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, owner.id, found.id, position, vintage, amounts.tonnes,
            amounts.buffer_tonnes, serials, quantity, carried_in_t, amounts.carried_out_t,
            transfer_id, owner.unit, actor, clock.now(),
        ),
    )  # fmt: skip
    if steps is not None:
        water.note(conn, city, owner, made, vintage, steps, actor, clock)
    stored_batch = batch(conn, city, made)
    assert stored_batch is not None
    proof.append(conn, city, "issuance", made, batch_entry(stored_batch))
    proof.audit(
        conn, city, actor, "credits.issued", "batch", str(made), None,
        {"project": owner.code, "tonnes": stored_batch.tonnes, "serials": stored_batch.serials},
    )  # fmt: skip
    if amounts.tonnes:
        _first_blocks(conn, city, stored_batch, owner, amounts, actor, clock)
    if rule is not None and amounts.buffer_tonnes:
        end = stored_batch.serial_last + 1
        pools.put_in(
            conn, city, stored_batch, owner.id, ((end - amounts.buffer_tonnes, end),),
            rule["pool"], str(made), actor, clock, rule,
        )  # fmt: skip
    return stored_batch


def _share_bp(owner: Project, rule: Rule | None) -> int:
    """What is kept back: the project's share, or the pool's where that is more."""
    return owner.buffer_bp if rule is None else max(owner.buffer_bp, rule["share_bp"])


def _first_blocks(
    conn: Connection, city: str, made: CreditBatch, owner: Project, amounts: IssuanceAmounts,
    actor: str, clock: Clock,
) -> None:  # fmt: skip
    """The project's units have the lowest serials, the buffer's the highest."""
    first, end = made.serial_first, made.serial_last + 1
    middle = first + amounts.project_tonnes
    parts: list[tuple[str, Span]] = [(owner.account, (first, middle)), (BUFFER, (middle, end))]
    parts = [(account, span) for account, span in parts if span[0] < span[1]]
    event = draft(
        "issuance", str(made.id), actor, clock, batch_id=made.id, project_id=owner.id,
        tonnes=made.tonnes, spans=((first, end),), transfer_id=made.transfer_id,
        facts={"blocks": [[account, a, b - 1] for account, (a, b) in parts]},
    )  # fmt: skip
    open_blocks(conn, city, made, write(conn, city, event), parts)


def _post_issuance(
    conn: Connection, city: str, made: UUID, owner: Project, found: Monitoring,
    amounts: IssuanceAmounts, clock: Clock,
) -> UUID | Refusal:  # fmt: skip
    asset = f"credit:{made}"
    ledger.open_accounts(
        conn,
        city,
        [
            ledger.AccountSpec(ISSUER, asset, "issuer", minimum=None),
            ledger.AccountSpec(owner.account, asset, "project"),
            ledger.AccountSpec(BUFFER, asset, "buffer"),
            ledger.AccountSpec(RETIRED, asset, "retired"),
        ],
    )
    split = ((owner.account, amounts.project_tonnes), (BUFFER, amounts.buffer_tonnes))
    legs = tuple(ledger.Leg(ISSUER, to, asset, amount) for to, amount in split if amount)
    request = ledger.TransferRequest(
        f"issuance:{made}", "issuance", legs, found.period.end, owner.code, "batch", str(made)
    )
    return post(conn, city, request, clock)
