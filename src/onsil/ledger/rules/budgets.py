"""The yearly budgets that rules plan: who gives cashback, who repays fees, and how much."""

from dataclasses import dataclass

from onsil.ledger.rules import names
from onsil.ledger.rules.rule_set import RuleSet
from onsil.ledger.terms import AccountSpec, Leg, TransferRequest


@dataclass(frozen=True)
class Planned:
    """Won that an account is to receive in a year. `topic` says which rule plans it."""

    account: str
    year: int
    krw: int
    topic: str


def planned(rules: RuleSet) -> tuple[Planned, ...]:
    """The budgets of the year of a rule set's day. The subsidy's account runs on over the years."""
    year = rules.day.year
    made = [
        Planned(names.cashback_budget(funder.code, year), year, funder.year_krw, "cashback")
        for funder in rules.cashback.funders
        if funder.year_krw and not funder.by_shop
    ]
    if rules.settlement.subsidy_year_krw:
        made.append(Planned(names.SUBSIDY, year, rules.settlement.subsidy_year_krw, "settlement"))
    return tuple(made)


def accounts(plans: tuple[Planned, ...]) -> list[AccountSpec]:
    """The accounts of the plans, and the counters of what each has received in its year."""
    specs = [AccountSpec(names.BANK, names.KRW, "external", minimum=None)]
    for plan in plans:
        kind = "subsidy" if plan.account == names.SUBSIDY else "budget"
        specs += [
            AccountSpec(plan.account, names.KRW, kind),
            AccountSpec(plan.account, received_asset(plan.year), "quota"),
            AccountSpec(names.QUOTA, received_asset(plan.year), "issuer", minimum=None),
        ]
    return specs


def received_asset(year: int) -> str:
    return f"quota:funded:{year}"


def top_up(plan: Planned, received: int) -> TransferRequest | None:
    """Bring a budget to its planned sum, `received` won of it having come in this year.

    The key names what had come in, so that the same top-up is made once. A plan that was lowered
    takes nothing back.
    """
    missing = plan.krw - received
    if missing <= 0:
        return None
    return TransferRequest(
        key=f"budget:{plan.account}:{plan.year}:{received}", kind="fund",
        legs=(
            Leg(names.BANK, plan.account, names.KRW, missing),
            Leg(names.QUOTA, plan.account, received_asset(plan.year), missing),
        ),
        memo=f"{plan.topic} {plan.year}",
    )  # fmt: skip
