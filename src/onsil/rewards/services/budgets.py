"""Budgets by programme, year and source: putting money in, and when it will be gone."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Sum

from onsil.core.clock import Clock, FixedClock, SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.ledger import AccountSpec, Leg, TransferRequest, open_accounts, post
from onsil.proof import audit
from onsil.rewards import refusals
from onsil.rewards.budgeting import Forecast, forecast
from onsil.rewards.models import Award, Budget, BudgetFunding, Programme
from onsil.rewards.services.versions import stored_terms, versions_of
from onsil.rewards.terms import BudgetLine, Text
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile

BANK = "external:bank"


@dataclass(frozen=True)
class SourceStatus:
    """One source's money, in won; `confirmed` says whether a document stands behind the sum."""

    source: str
    amount: int
    used: int
    confirmed: bool
    note: str


@dataclass(frozen=True)
class BudgetStatus:
    """A programme's budget of one year: what is left, how it burns down, when it runs out."""

    programme: str
    name: Text
    year: int
    amount: int
    used: int
    sources: tuple[SourceStatus, ...]
    days: tuple[tuple[date, int], ...]
    forecast: Forecast
    message: Text

    @property
    def left(self) -> int:
        return self.amount - self.used

    @property
    def share_used(self) -> Decimal:
        """Percent of the budget used, to a tenth; 0 for an empty one."""
        if not self.amount:
            return Decimal(0)
        share = Decimal(self.used) * 100 / self.amount
        return share.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)

    @property
    def warning(self) -> bool:
        return self.forecast.state in ("warning", "empty")


def budget_account(programme: str, year: int) -> str:
    """The ledger account that holds a year's budget in won."""
    return f"budget:{programme}:{year}"


def fund_budget(
    city: str,
    programme: str,
    year: int,
    source: str,
    amount: int,
    *,
    actor: str,
    key: str,
    account: str = BANK,
    clock: Clock | None = None,
) -> Budget | Refusal:
    """Put won into a budget from a ledger account, such as `fund:incentive`. Once a key.

    The ledger may refuse, for want of money in the account; then nothing changes.
    """
    if amount <= 0:
        return refusals.bad_amount(amount)
    now = (clock or SystemClock()).now()
    with transaction(city) as tx:
        row = Programme.objects.select_for_update().filter(city=city, code=programme).first()
        if row is None:
            return refusals.unknown_programme(programme)
        known = BudgetFunding.objects.filter(city=city, key=key).select_related("budget").first()
        if known is not None:
            return known.budget
        budget = _budget(city, row, year, source)
        refusal = _move(tx, city, row.code, budget, amount, account, key, actor, now)
        return refusal if refusal is not None else budget


def plan_budget(
    tx: Connection,
    city: str,
    programme: Programme,
    line: BudgetLine,
    position: int,
    actor: str,
    now: datetime,
) -> Refusal | None:
    """Bring one source's budget to the sum its programme file plans; None when it is done.

    Money put in beside the plan (`fund_budget`) stays. The programme is locked by the caller.
    """
    budget = _budget(city, programme, line.year, line.source)
    difference = line.krw - budget.planned_krw
    if budget.amount_krw + difference < budget.used_krw:
        return refusals.budget_below_spent(
            programme.code, line.year, line.source, line.krw, budget.used_krw
        )
    if difference:
        number = budget.fundings.count() + 1
        key = f"plan:{programme.code}:{line.year}:{line.source}:{number}"
        refusal = _move(tx, city, programme.code, budget, difference, BANK, key, actor, now)
        if refusal is not None:
            return refusal
    budget.planned_krw, budget.position = line.krw, position
    budget.confirmed, budget.note = line.confirmed, line.note
    budget.save(update_fields=["planned_krw", "position", "confirmed", "note"])
    return None


def _budget(city: str, programme: Programme, year: int, source: str) -> Budget:
    budget, _ = Budget.objects.select_for_update().get_or_create(
        city=city, programme=programme, year=year, source=source, defaults={"position": 99}
    )
    return budget


def _move(
    tx: Connection,
    city: str,
    programme: str,
    budget: Budget,
    krw: int,
    account: str,
    key: str,
    actor: str,
    now: datetime,
) -> Refusal | None:
    """Transfer won into the budget's account (out of it, when negative) and note it."""
    here = budget_account(programme, budget.year)
    specs = [AccountSpec(here, "KRW", kind="budget")]
    if account == BANK:
        specs.append(AccountSpec(BANK, "KRW", kind="external", minimum=None))
    open_accounts(tx, city, specs)
    leg = Leg(account, here, "KRW", krw) if krw > 0 else Leg(here, account, "KRW", -krw)
    request = TransferRequest(
        key=f"budget:{key}",
        kind="budget",
        legs=(leg,),
        effective_at=now,
        memo=f"{programme} {budget.year} {budget.source}",
        origin_kind="budget",
        origin_id=str(budget.id),
    )
    answer = post(tx, city, [request], FixedClock(now))[request.key]
    if answer.transfer_id is None:
        assert answer.refusal is not None
        return answer.refusal
    before = budget.amount_krw
    budget.amount_krw += krw
    budget.save(update_fields=["amount_krw"])
    BudgetFunding.objects.create(
        city=city,
        budget=budget,
        key=key,
        krw=krw,
        account=account,
        actor=actor,
        transfer_id=answer.transfer_id,
        funded_at=now,
    )
    subject = f"{programme}:{budget.year}:{budget.source}"
    after = {"krw": budget.amount_krw}
    audit(tx, city, actor, "budget.fund", "budget", subject, {"krw": before}, after)
    return None


def budget_status(city: str, today: date | None = None) -> list[BudgetStatus]:
    """Every programme's budgets by year, newest year first, with burn-down and forecast."""
    day = today or local_day(SystemClock().now(), city_profile(city).zone)
    found: list[BudgetStatus] = []
    with transaction(city):
        for programme in Programme.objects.order_by("code"):
            versions = versions_of(programme)
            if not versions:
                continue
            terms = stored_terms(versions[0])
            budgets = list(programme.budgets.order_by("-year", "position", "source"))
            for year in sorted({budget.year for budget in budgets}, reverse=True):
                of_year = [budget for budget in budgets if budget.year == year]
                found.append(_status(programme, terms.name, year, of_year, day, terms.warn_weeks))
    return found


def _status(
    programme: Programme, name: Text, year: int, budgets: list[Budget], today: date, weeks: int
) -> BudgetStatus:
    amount = sum(budget.amount_krw for budget in budgets)
    rows = (
        Award.objects.filter(programme=programme, year=year)
        .exclude(posting__state="refused")
        .values("earned_on")
        .annotate(krw=Sum("krw"))
        .order_by("earned_on")
    )
    days = tuple((row["earned_on"], int(row["krw"])) for row in rows)
    outlook = forecast(amount, dict(days), today, year, weeks)
    return BudgetStatus(
        programme=programme.code,
        name=name,
        year=year,
        amount=amount,
        used=sum(budget.used_krw for budget in budgets),
        sources=tuple(
            SourceStatus(b.source, b.amount_krw, b.used_krw, b.confirmed, b.note) for b in budgets
        ),
        days=days,
        forecast=outlook,
        message=_message(outlook, year),
    )


def _message(outlook: Forecast, year: int) -> Text:
    if outlook.state == "empty":
        return Text(f"{year}년 예산이 모두 소진되었습니다.", f"The budget of {year} is used up.")
    if outlook.state == "closed":
        return Text(f"{year}년 회계가 끝났습니다.", f"The year {year} is over.")
    if outlook.state == "unspent":
        return Text(
            "최근 지급이 없어 소진일을 예상할 수 없습니다.",
            "Nothing was paid lately, so no run-out day can be projected.",
        )
    if outlook.state == "lasts" or outlook.run_out is None:
        return Text(
            f"지금 속도라면 {year}년 말까지 예산이 남습니다.",
            f"At this pace the budget lasts beyond the end of {year}.",
        )
    day = outlook.run_out.isoformat()
    early = (outlook.run_out_earliest or outlook.run_out).isoformat()
    late = min(outlook.run_out_latest or date(year, 12, 31), date(year, 12, 31)).isoformat()
    return Text(
        f"지금 속도라면 {day}쯤(10번 중 8번은 {early}~{late}) 예산이 소진됩니다. "
        f"{outlook.weeks_left}주 남았습니다.",
        f"At this pace the budget runs out about {day} (four times in five between {early} and "
        f"{late}): {outlook.weeks_left} weeks from now.",
    )
