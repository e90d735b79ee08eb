"""Which lots a payment takes at a shop, in the order of the rule of the day."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger import LotTerms
from onsil.ledger.rules.merchants import MerchantRule, MerchantStatus, eligibility
from onsil.ledger.rules.spending import SpendingRule, payment_legs, usable

CITY, PERSON = "pyeongtaek", "citizen:1"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
PLACE = eligibility(
    MerchantStatus(date(2020, 1, 1), "cafe", "비전동", 10**9, date(2026, 7, 1)),
    MerchantRule(3 * 10**9), date(2026, 11, 22),
)  # fmt: skip
POLICY_FIRST = SpendingRule(first=("policy",))


@dataclass
class Lot:
    terms: LotTerms
    amount: int


def lot(fund: str, amount: int, rule: str = "ordinary", days: int = 100) -> Lot:
    return Lot(LotTerms(fund, NOW + timedelta(days=days), rule), amount)


def legs(lots: list[Lot], amount: int, rule: SpendingRule = POLICY_FIRST, place=PLACE):
    return payment_legs(
        lots=lots, place=place, rule=rule, now=NOW, asset=f"local:{CITY}", source=PERSON,
        destination="merchant:m", amount=amount,
    )  # fmt: skip


def test_policy_money_goes_first_where_the_rule_says_so() -> None:
    lots = [lot("own", 5_000, days=3), lot("policy:a", 3_000, "policy"), lot("cashback:city", 400)]
    made = legs(lots, 4_000)
    assert not isinstance(made, Refusal)
    assert [(leg.only.funds, leg.amount) for leg in made if leg.only] == [
        ({"policy:a"}, 3_000), ({"own", "cashback:city"}, 1_000),
    ]  # fmt: skip


def test_without_a_named_order_it_is_one_leg_in_the_ledgers_order() -> None:
    made = legs([lot("own", 5_000), lot("policy:a", 3_000, "policy")], 6_000, SpendingRule())
    assert not isinstance(made, Refusal)
    (leg,) = made
    assert leg.only is not None
    assert leg.only.funds is None
    assert leg.only.merchant_rules == PLACE.rules


def test_what_is_not_for_this_shop_or_has_ended_does_not_pay() -> None:
    lots = [lot("own", 100), lot("own", 50, days=0), lot("policy:a", 900, "kind:market")]
    no = legs(lots, 101)
    assert isinstance(no, Refusal)
    assert (no.code, no.facts["usable_krw"], no.facts["held_krw"]) == (
        "not-enough-here", 100, 1_050,
    )  # fmt: skip


def test_a_stopped_fund_pays_nowhere() -> None:
    lots = [lot("own", 100), lot("policy:old", 900, "policy")]
    stopped = SpendingRule(excluded_funds=frozenset({"policy:old"}))
    no = legs(lots, 101, stopped)
    assert isinstance(no, Refusal)
    made = legs(lots, 100, stopped)
    assert not isinstance(made, Refusal)
    assert made[0].only is not None
    assert made[0].only.funds == {"own"}


def test_an_excluded_shop_says_why() -> None:
    shut = eligibility(
        replace(PLACE.status, kind="adult"),
        MerchantRule(1, frozenset({"adult"})),
        date(2026, 11, 22),
    )
    no = legs([lot("own", 10)], 1, place=shut)
    assert isinstance(no, Refusal)
    assert no.code == "shop-excluded"


held = st.builds(
    lot, st.sampled_from(["own", "policy:a", "policy:b", "cashback:city", "award"]),
    st.integers(1, 10_000), st.sampled_from(["", "ordinary", "policy", "kind:market"]),
    st.integers(-2, 30),
)  # fmt: skip


@given(st.lists(held, max_size=8), st.integers(1, 20_000), st.booleans())
def test_legs_add_up_and_never_take_what_is_not_allowed(lots, amount, first) -> None:
    rule = POLICY_FIRST if first else SpendingRule()
    fits = usable(lots, PLACE, rule, NOW)
    made = legs(lots, amount, rule)
    if isinstance(made, Refusal):
        assert sum(x.amount for x in fits) < amount
        return
    assert sum(leg.amount for leg in made) == amount
    if first and len(made) == 2:
        policy = sum(x.amount for x in fits if x.terms.fund.startswith("policy"))
        assert made[0].amount == policy, "policy money first, all of it"


def test_the_ledger_takes_the_lots_as_planned(conn: Connection) -> None:
    asset = f"local:{CITY}"
    ledger.open_accounts(
        conn, CITY,
        [
            ledger.AccountSpec("issuer:local", asset, "issuer", minimum=None),
            ledger.AccountSpec(PERSON, asset, "citizen", lots=True),
            ledger.AccountSpec("merchant:m", asset, "merchant", lots=True),
        ],
    )  # fmt: skip
    given = [lot("own", 5_000, days=3), lot("policy:a", 3_000, "policy", days=90),
             lot("policy:b", 700, "kind:market")]  # fmt: skip
    issue = tuple(
        ledger.Leg("issuer:local", PERSON, asset, one.amount, lot=one.terms) for one in given
    )
    clock = FixedClock(NOW)
    ledger.post(conn, CITY, [ledger.TransferRequest("issue", "issue", issue)], clock)
    made = legs(ledger.lots(conn, CITY, PERSON, asset), 4_000)  # pyright: ignore
    assert not isinstance(made, Refusal)
    request = ledger.TransferRequest("pay", "payment", made)
    assert ledger.post(conn, CITY, [request], clock)["pay"]
    left = {x.terms.fund: x.amount for x in ledger.lots(conn, CITY, PERSON, asset)}
    assert left == {"own": 4_000, "policy:b": 700}
