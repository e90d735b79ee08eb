"""Yearly budgets are brought to their plan once."""

from datetime import date
from pathlib import Path

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.ledger.rules import budgets, read_rules

FILE = Path(__file__).parents[3] / "cities/pyeongtaek/currency.toml"
CITY = "pyeongtaek"


def test_the_plans_of_a_year() -> None:
    plans = budgets.planned(read_rules(FILE).rule_set_on(date(2026, 11, 22)))
    assert {(p.account, p.krw) for p in plans} == {
        ("budget:cashback:city:2026", 3_000_000_000),
        ("budget:cashback:market:2026", 200_000_000),
        ("budget:cashback:good-price:2026", 200_000_000),
        ("subsidy:fee", 30_000_000),
    }


def test_a_budget_is_brought_to_its_plan_once_and_raised_by_the_difference(
    conn: Connection,
) -> None:
    plan = budgets.Planned("subsidy:fee", 2026, 1_000, "settlement")
    more = budgets.Planned("subsidy:fee", 2026, 1_500, "settlement")
    ledger.open_accounts(conn, CITY, budgets.accounts((plan,)))
    for each, expected in ((plan, 1_000), (plan, 1_000), (more, 1_500), (plan, 1_500)):
        received = ledger.balance(conn, CITY, plan.account, budgets.received_asset(2026))
        request = budgets.top_up(each, received)
        if request is not None:
            assert ledger.post(conn, CITY, [request], FixedClock())[request.key]
        assert ledger.balance(conn, CITY, plan.account, "KRW") == expected
    assert budgets.top_up(plan, 1_500) is None
