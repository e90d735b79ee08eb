"""Bringing the budgets that the currency's rules plan (cashback, fee subsidies) to their sums."""

from onsil import ledger, proof
from onsil.citizen.services import postings, rulebook
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.ledger.rules import budgets, names
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

JOB = "job:budgets"


def fund_budgets(*, clock: Clock = SYSTEM, patience_s: float = 10.0) -> list[str]:
    """Bring every budget planned for this year to its sum; the accounts that received money.

    Done again it finds nothing missing. A raised plan brings the difference.
    """
    city = current_city()
    plans = budgets.planned(rulebook.rules_at(city_profile(city), clock.now()))
    with transaction() as tx:
        ledger.open_accounts(tx, city, budgets.accounts(plans))
        asked: dict[str, budgets.Planned] = {}
        requests: list[ledger.TransferRequest] = []
        for plan in plans:
            asset = budgets.received_asset(plan.year)
            request = budgets.top_up(plan, ledger.balance(tx, city, plan.account, asset))
            if request is not None:
                requests.append(request)
                asked[request.key] = plan
        ledger.submit(tx, city, requests)
        for plan in asked.values():
            proof.audit(
                tx, city, JOB, "budget.planned", "account", plan.account, None,
                {"year": plan.year, "planned_krw": plan.krw, "rule": plan.topic},
            )  # fmt: skip
    found = ledger.wait(postings.dsn(), city, list(asked), patience_s) if asked else {}
    return [plan.account for key, plan in asked.items() if found.get(key)]


def subsidy_left() -> int:
    """Won that the city can still repay of fees."""
    with transaction() as tx:
        return ledger.balance(tx, current_city(), names.SUBSIDY, names.KRW)
