"""Cashback by several funders: never above a cap, a budget or the base, and taken back exactly."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest
from onsil.ledger.rules import cashback
from onsil.ledger.rules.cashback import CashbackRule, Funder, Grant, Shop

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CITY, PERSON, LOCAL = "pyeongtaek", "citizen:1", "local:pyeongtaek"
PLENTY = {"city": 10**9, "district": 10**9, "market": 10**9}


def funder(code: str, percent: int | str | None, cap: int | None = None, **rest) -> Funder:
    exact = None if percent is None else Decimal(percent)
    return Funder(code, code, code, exact, month_base_krw=cap, **rest)


# Incheon Seo-gu, February 2026: city 10 %, district 2 %, the shop 1–5 %.
SEOGU = CashbackRule((
    funder("city", 10, 300_000), funder("district", 2, 300_000),
    funder("shop", None, least_percent=Decimal(1), most_percent=Decimal(5)),
))  # fmt: skip
# Ulsan: 10 % of the first 300,000 a month, 5 % more at markets.
ULSAN = CashbackRule((
    funder("city", 10, 300_000),
    funder("market", 5, 300_000, only_kinds=frozenset({"market"})),
))  # fmt: skip
CAFE = Shop("m", "cafe", own_percent=Decimal(3))


def won(granted) -> dict[str, int]:
    return {grant.funder: grant.amount for grant in granted}


def test_three_funders_share_a_payment() -> None:
    assert won(cashback.grants(SEOGU, CAFE, 10_000, {}, PLENTY)) == {
        "city": 1_000, "district": 200, "shop": 300,
    }  # fmt: skip


def test_a_market_gives_more() -> None:
    market = Shop("m", "market")
    assert won(cashback.grants(ULSAN, market, 20_000, {}, PLENTY)) == {
        "city": 2_000, "market": 1_000,
    }  # fmt: skip
    assert won(cashback.grants(ULSAN, CAFE, 20_000, {}, PLENTY)) == {"city": 2_000}


def test_the_first_300_000_of_a_month_count() -> None:
    counted = {"city": 290_000, "market": 0}
    market = Shop("m", "market")
    assert won(cashback.grants(ULSAN, market, 50_000, counted, PLENTY)) == {
        "city": 1_000, "market": 2_500,
    }  # fmt: skip


@pytest.mark.parametrize(("own", "given"), [("0.5", 0), ("1", 100), ("5", 500), ("9", 500)])
def test_a_shops_own_rate_keeps_to_its_bounds(own: str, given: int) -> None:
    shop = replace(CAFE, own_percent=Decimal(own))
    assert won(cashback.grants(SEOGU, shop, 10_000, {}, PLENTY)).get("shop", 0) == given


def test_marks_and_regions_bind_a_share() -> None:
    rule = CashbackRule((
        funder("good", 5, only_tags=frozenset({"good-price"})),
        funder("disaster", 7, only_regions=frozenset({"북구"})),
    ))  # fmt: skip
    budgets = {"good": 10**6, "disaster": 10**6}
    assert won(cashback.grants(rule, CAFE, 1_000, {}, budgets)) == {}
    both = replace(CAFE, tags=frozenset({"good-price"}), region="북구")
    assert won(cashback.grants(rule, both, 1_000, {}, budgets)) == {"good": 50, "disaster": 70}


def test_allowances_and_cashback_itself_bring_none() -> None:
    paid = [("own", 500), ("policy:coupon", 300), ("cashback:city", 200), ("policyish", 7)]
    assert cashback.base_of(paid, ULSAN) == 507


def test_a_budget_at_its_end_gives_what_is_left_and_stops_nobody_else() -> None:
    granted = cashback.grants(SEOGU, CAFE, 10_000, {}, {"city": 400, "district": 10**6})
    assert [(g.funder, g.amount, g.short) for g in granted] == [
        ("city", 400, 600), ("district", 200, 0), ("shop", 300, 0),
    ]  # fmt: skip
    stern = replace(SEOGU, when_short="nothing")
    assert won(cashback.grants(stern, CAFE, 10_000, {}, {"city": 400}))["city"] == 0


def test_odd_won_by_rule() -> None:
    floor = won(cashback.grants(SEOGU, CAFE, 999, {}, PLENTY))
    assert floor == {"city": 99, "district": 19, "shop": 29}
    whole = replace(SEOGU, rounding="largest-remainder")
    split = won(cashback.grants(whole, CAFE, 999, {}, PLENTY))
    assert sum(split.values()) == 149  # 15 % of 999, cut once
    assert split == {"city": 99, "district": 20, "shop": 30}


bases = st.integers(0, 10**7)
percents = st.integers(0, 10_000).map(lambda n: Decimal(n) / 100)
rules = st.builds(
    CashbackRule,
    st.lists(st.tuples(percents, st.none() | st.integers(0, 10**6)), min_size=1, max_size=4).map(
        lambda parts: tuple(funder(f"f{i}", str(p), cap) for i, (p, cap) in enumerate(parts))
    ),
    rounding=st.sampled_from(["floor", "largest-remainder"]),
    when_short=st.sampled_from(["rest", "nothing"]),
)


@given(rules, bases, st.integers(0, 10**6), st.integers(0, 10**6))
def test_never_above_a_cap_a_budget_or_the_base(rule, base, counted, budget) -> None:
    codes = [f.code for f in rule.funders]
    granted = cashback.grants(
        rule, CAFE, base, dict.fromkeys(codes, counted), dict.fromkeys(codes, budget)
    )
    caps = {f.code: f.month_base_krw for f in rule.funders}
    assert sum(g.amount for g in granted) <= base
    for grant in granted:
        cap = caps[grant.funder]
        assert 0 <= grant.amount <= budget
        assert grant.base <= base
        assert cap is None or counted + grant.base <= max(cap, counted)
        assert grant.amount + grant.short <= grant.base * grant.percent / 100 + 1


@given(rules, st.integers(1, 10**7), st.lists(st.integers(1, 10**7), max_size=5))
def test_part_cancellations_take_back_everything_once_and_never_more(rule, base, parts) -> None:
    budgets = {f.code: 10**9 for f in rule.funders}
    granted = list(cashback.grants(rule, CAFE, base, {}, budgets))
    before, standing, left = sum(g.amount for g in granted), granted, base
    taken = 0
    for part in [*parts, base]:
        part = min(part, left)
        back = {b.funder: b for b in cashback.claw_back(rule, standing, left, part)}
        assert all(b.amount >= 0 and b.base >= 0 for b in back.values())
        taken += sum(b.amount for b in back.values())
        assert taken <= before
        standing = [
            replace(g, amount=g.amount - back[g.funder].amount, base=g.base - back[g.funder].base)
            if g.funder in back else g
            for g in standing
        ]  # fmt: skip
        left -= part
    assert left == 0
    assert taken == before
    assert all(g.amount == 0 and g.base == 0 for g in standing)


def test_half_a_payment_cancelled_takes_half_back() -> None:
    granted = cashback.grants(SEOGU, CAFE, 10_000, {}, PLENTY)
    back = cashback.claw_back(SEOGU, granted, 10_000, 5_000)
    assert [(b.funder, b.amount, b.base) for b in back] == [
        ("city", 500, 5_000), ("district", 100, 5_000), ("shop", 150, 5_000),
    ]  # fmt: skip


def test_what_the_cap_had_cut_is_used_up_before_anything_is_taken_back() -> None:
    granted = cashback.grants(ULSAN, CAFE, 50_000, {"city": 270_000}, PLENTY)
    assert won(granted) == {"city": 3_000}
    assert cashback.claw_back(ULSAN, granted, 50_000, 20_000) == ()
    (back,) = cashback.claw_back(ULSAN, granted, 50_000, 30_000)
    assert (back.amount, back.base) == (1_000, 10_000)


def test_more_than_was_paid_cannot_be_cancelled() -> None:
    with pytest.raises(ValueError, match="cannot cancel"):
        cashback.claw_back(ULSAN, (), 10, 11)


# ---- in the ledger


@pytest.fixture
def town(conn: Connection) -> Connection:
    ledger.open_accounts(
        conn, CITY,
        [
            *cashback.accounts(SEOGU, PERSON, NOW, SEOUL), cashback.shop_account(CAFE),
            AccountSpec("external:bank", "KRW", minimum=None), AccountSpec("trust:local", "KRW"),
            AccountSpec("issuer:local", LOCAL, minimum=None),
            AccountSpec(PERSON, LOCAL, "citizen", lots=True),
            AccountSpec("merchant:m", LOCAL, "merchant", lots=True),
        ],
    )  # fmt: skip
    legs = tuple(
        Leg("external:bank", f"budget:cashback:{code}:2026", "KRW", 1_000)
        for code in ("city", "district")
    )
    assert all(post(conn, TransferRequest("fund", "fund", legs)))
    return conn


def post(conn: Connection, *requests: TransferRequest) -> list[ledger.Answer]:
    return [ledger.post(conn, CITY, [r], FixedClock(NOW))[r.key] for r in requests]


def grant(conn: Connection, base: int, payment: str, budgets=PLENTY) -> tuple[Grant, ...]:
    granted = cashback.grants(SEOGU, CAFE, base, {}, budgets)
    answers = post(
        conn,
        *cashback.grant_requests(
            rule=SEOGU, granted=granted, city=CITY, person=PERSON, shop=CAFE, payment_id=payment,
            at=NOW, zone=SEOUL,
        ),
    )  # fmt: skip
    return tuple(g for g, a in zip(granted, answers, strict=True) if a)


def balance(conn: Connection, code: str, asset: str = "KRW") -> int:
    return ledger.balance(conn, CITY, code, asset)


def test_each_funder_pays_its_share_and_the_trust_covers_it(town: Connection) -> None:
    assert len(grant(town, 10_000, "p1")) == 3
    assert balance(town, PERSON, LOCAL) == balance(town, "trust:local") == 1_500
    assert balance(town, "budget:cashback:city:2026") == 0
    assert balance(town, "budget:cashback:district:2026") == 800
    assert balance(town, "receivable:m") == -300
    assert balance(town, PERSON, "quota:cashback-city:2026-11") == 10_000
    terms = {lot.terms.fund: lot.terms for lot in ledger.lots(town, CITY, PERSON, LOCAL)}
    assert set(terms) == {"cashback:city", "cashback:district", "cashback:shop"}
    assert not any(t.refundable for t in terms.values())
    # the city's budget has ended: the ledger itself refuses its share, the others go on
    assert [g.funder for g in grant(town, 10_000, "p2")] == ["district", "shop"]


def test_the_ledger_holds_the_months_cap_whatever_was_planned(town: Connection) -> None:
    first = [Grant("district", Decimal(2), 290_000, 5)]
    more = [Grant("district", Decimal(2), 20_000, 5)]
    made = [
        cashback.grant_requests(
            rule=SEOGU, granted=g, city=CITY, person=PERSON, shop=CAFE, payment_id=str(i), at=NOW,
            zone=SEOUL,
        )[0]
        for i, g in enumerate([first, more])
    ]  # fmt: skip
    yes, no = post(town, *made)
    assert yes
    assert no.refusal is not None
    assert no.refusal.code == "account-limit"


def claw(conn: Connection, granted, base: int, cancelled: int, name: str) -> None:
    lots = ledger.lots(conn, CITY, PERSON, LOCAL)
    for back in cashback.claw_back(SEOGU, granted, base, cancelled):
        there = cashback.reclaimable(ledger.lots(conn, CITY, PERSON, LOCAL), SEOGU, NOW)  # pyright: ignore
        request = cashback.claw_back_request(
            rule=SEOGU, back=back, city=CITY, person=PERSON, shop=CAFE, payment_id="p1",
            cancellation_id=name, there=there, paid_at=NOW, zone=SEOUL,
        )  # fmt: skip
        assert post(conn, request)[0], lots


def test_a_cancelled_payment_takes_every_share_back(town: Connection) -> None:
    granted = grant(town, 10_000, "p1")
    claw(town, granted, 10_000, 10_000, "c1")
    assert balance(town, PERSON, LOCAL) == balance(town, "trust:local") == 0
    assert balance(town, "budget:cashback:city:2026") == 1_000
    assert balance(town, "receivable:m") == 0
    assert balance(town, PERSON, "quota:cashback-city:2026-11") == 0


def test_cashback_that_was_spent_stands_as_a_debt_and_is_collected_later(town: Connection) -> None:
    granted = grant(town, 10_000, "p1")
    spent = Leg(PERSON, "merchant:m", LOCAL, 1_200)
    assert post(town, TransferRequest("spend", "payment", (spent,)))[0]
    policy = LotTerms("policy:a", merchant_rule="policy")
    allowance = (Leg("issuer:local", PERSON, LOCAL, 5_000, lot=policy),)
    assert post(town, TransferRequest("allowance", "grant", allowance))[0]
    claw(town, granted, 10_000, 10_000, "c1")
    owed = {f: balance(town, PERSON, f"claim:{f}") for f in ("city", "district", "shop")}
    assert owed == {"city": 700, "district": 200, "shop": 300}
    assert balance(town, PERSON, LOCAL) == 5_000, "policy money is never taken"
    own = LotTerms("own", merchant_rule="ordinary", refundable=True)
    charge = (
        Leg("external:bank", "trust:local", "KRW", 800),
        Leg("issuer:local", PERSON, LOCAL, 800, lot=own),
    )
    assert post(town, TransferRequest("charge", "charge", charge))[0]
    request = cashback.collection_request(
        rule=SEOGU, funder="city", owed=700, there=800, city=CITY, person=PERSON, merchant="m",
        year=2026, key="collect:1",
    )  # fmt: skip
    assert request is not None
    assert post(town, request)[0]
    assert balance(town, PERSON, "claim:city") == 0
    assert balance(town, "budget:cashback:city:2026") == 1_000
    nothing = cashback.collection_request(
        rule=SEOGU, funder="shop", owed=300, there=0, city=CITY, person=PERSON, merchant="m",
        year=2026, key="collect:2",
    )  # fmt: skip
    assert nothing is None
