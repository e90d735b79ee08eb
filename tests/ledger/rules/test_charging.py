"""Caps on charging: as figures for people, and in the ledger under any order of charges."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.ledger.rules import charging
from onsil.ledger.rules.charging import ChargingRule, Counters

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CITY = "pyeongtaek"
PERSON = "citizen:0190a000-0000-7000-8000-000000000001"
# Sejong 2025 as the knowledge page has it: 300,000 a month, 1,500,000 held, first come.
SEJONG = ChargingRule(300_000, 1_500_000, 10_000_000, 10_000, 10_000, 5)


@pytest.mark.parametrize(
    ("amount", "code"),
    [(10_000, None), (300_000, None), (9_999, "charge-too-small"), (15_000, "charge-uneven")],
)
def test_an_amount_by_itself(amount: int, code: str | None) -> None:
    no = charging.examine(amount, SEJONG)
    assert (None if no is None else no.code) == code


def test_the_room_is_the_tightest_cap_in_whole_steps() -> None:
    assert charging.room(SEJONG, Counters()) == 300_000
    assert charging.room(SEJONG, Counters(charged=280_000)) == 20_000
    assert charging.room(SEJONG, Counters(charged=295_000)) == 0
    assert charging.room(SEJONG, Counters(own=1_485_000)) == 10_000
    assert charging.room(SEJONG, Counters(city_issued=9_990_000)) == 10_000
    free = ChargingRule(None, None, None, 1, 1, 5)
    assert charging.room(free, Counters(charged=10**9)) is None


@given(st.integers(0, 10**6), st.integers(0, 2 * 10**6), st.integers(0, 2 * 10**7))
def test_the_room_never_passes_a_cap(charged: int, own: int, city: int) -> None:
    room = charging.room(SEJONG, Counters(charged, city, 0, 0, own))
    assert room is not None
    assert room == 0 or charging.examine(room, SEJONG) is None
    assert room == 0 or charged + room <= 300_000
    assert room == 0 or own + room <= 1_500_000
    assert room == 0 or city + room <= 10_000_000


def test_a_charge_holds_five_years_to_the_citys_midnight() -> None:
    late = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)  # 23 November in Seoul
    assert charging.expires_at(late, 5, SEOUL) == datetime(2031, 11, 22, 15, tzinfo=UTC)
    leap = datetime(2028, 2, 29, 3, tzinfo=UTC)
    assert charging.expires_at(leap, 5, SEOUL) == datetime(2033, 2, 28, 15, tzinfo=UTC)


# ---- in the ledger


def opened(conn: Connection, rule: ChargingRule = SEJONG) -> None:
    ledger.open_accounts(
        conn, CITY,
        [
            *charging.accounts(rule, PERSON, "2026-11"),
            ledger.AccountSpec("external:bank", "KRW", minimum=None),
            ledger.AccountSpec("trust:local", "KRW", "trust"),
            ledger.AccountSpec("issuer:local", f"local:{CITY}", "issuer", minimum=None),
            ledger.AccountSpec(PERSON, f"local:{CITY}", "citizen", lots=True),
            ledger.AccountSpec("merchant:m", f"local:{CITY}", "merchant"),
        ],
    )  # fmt: skip


def counters(conn: Connection) -> Counters:
    def at(code: str, asset: str) -> int:
        return ledger.balance(conn, CITY, code, asset)

    return Counters(
        charged=at(PERSON, "quota:charge:2026-11"),
        city_issued=at("budget:issue:2026-11", "quota:issue:2026-11"),
        holding=at(PERSON, charging.HOLDING), released=at(PERSON, charging.RELEASED),
        own=at(PERSON, f"local:{CITY}"),
    )  # fmt: skip


def asked(amount: int, key: str, seen: Counters, rule: ChargingRule = SEJONG):
    return charging.charge(
        city=CITY, person=PERSON, amount=amount, key=key, charge_id=key, at=NOW, zone=SEOUL,
        rule=rule, counters=seen,
    )  # fmt: skip


def post(conn: Connection, *requests: ledger.TransferRequest) -> list[ledger.Answer]:
    clock = FixedClock(NOW)
    return [ledger.post(conn, CITY, [one], clock)[one.key] for one in requests]


def spend(conn: Connection, amount: int, key: str) -> None:
    leg = ledger.Leg(PERSON, "merchant:m", f"local:{CITY}", amount)
    (answer,) = post(conn, ledger.TransferRequest(key, "payment", (leg,)))
    assert answer


def test_the_ledger_refuses_what_passes_the_months_cap(conn: Connection) -> None:
    opened(conn)
    first, second = post(conn, asked(200_000, "a", Counters()), asked(200_000, "b", Counters()))
    assert first
    assert second.refusal is not None
    no = charging.explained(second.refusal, SEJONG, Counters(charged=200_000))
    assert (no.code, no.facts["limit_krw"]) == ("charge-over-month", 300_000)
    assert "200,000" in no.ko
    assert counters(conn) == Counters(200_000, 200_000, 200_000, 0, 200_000)
    assert ledger.balance(conn, CITY, "trust:local", "KRW") == 200_000
    (lot,) = ledger.lots(conn, CITY, PERSON, f"local:{CITY}")
    assert (lot.terms.fund, lot.terms.merchant_rule, lot.terms.refundable) == (
        "own", "ordinary", True,
    )  # fmt: skip


def test_the_city_stops_when_the_months_issue_is_out(conn: Connection) -> None:
    tight = ChargingRule(None, None, 100_000, 10_000, 10_000, 5)
    opened(conn, tight)
    yes, no = post(conn, asked(70_000, "a", Counters()), asked(40_000, "b", Counters()))
    assert yes
    assert no.refusal is not None
    assert charging.explained(no.refusal, tight).code == "charge-city-full"


def test_spending_makes_room_for_holding_exactly_once(conn: Connection) -> None:
    small = ChargingRule(None, 100_000, None, 10_000, 10_000, 5)
    opened(conn, small)
    assert post(conn, asked(100_000, "a", Counters(), small))[0]
    (full,) = post(conn, asked(10_000, "b", counters(conn), small))
    assert full.refusal is not None
    assert charging.explained(full.refusal, small).code == "charge-over-holding"
    spend(conn, 60_000, "pay")
    seen = counters(conn)
    release = charging.holding_release(PERSON, seen)
    assert release is not None
    # two charges see the same gap: it is released once, and the cap holds for both together
    answers = post(
        conn, release, asked(60_000, "c", seen, small), release, asked(60_000, "d", seen, small)
    )
    assert [a.state for a in answers] == ["applied", "applied", "replayed", "refused"]
    after = counters(conn)
    assert (after.own, after.holding) == (100_000, 100_000)
    assert charging.holding_release(PERSON, after) is None


def test_a_gap_seen_late_is_not_released_twice(conn: Connection) -> None:
    small = ChargingRule(None, 100_000, None, 10_000, 10_000, 5)
    opened(conn, small)
    post(conn, asked(100_000, "a", Counters(), small))
    spend(conn, 50_000, "p1")
    early = charging.holding_release(PERSON, counters(conn))
    spend(conn, 20_000, "p2")
    late = charging.holding_release(PERSON, counters(conn))
    assert early is not None
    assert late is not None
    first, second = post(conn, late, early)
    assert first
    assert second.refusal is not None
    assert second.refusal.code == "key-reused"
    assert counters(conn).holding == counters(conn).own == 30_000


def test_what_came_back_to_the_wallet_counts_along(conn: Connection) -> None:
    small = ChargingRule(None, 100_000, None, 10_000, 10_000, 5)
    opened(conn, small)
    post(conn, asked(100_000, "a", Counters(), small))
    leg = ledger.Leg(PERSON, "merchant:m", f"local:{CITY}", 50_000)
    (paid,) = post(conn, ledger.TransferRequest("p", "payment", (leg,)))
    release = charging.holding_release(PERSON, counters(conn))
    assert release is not None
    post(conn, release)
    assert paid.transfer_id is not None
    assert ledger.reverse(conn, CITY, paid.transfer_id, "back", FixedClock(NOW))
    seen = counters(conn)
    assert (seen.own, seen.holding) == (100_000, 50_000)
    (no,) = post(conn, asked(10_000, "b", seen, small))
    assert no.refusal is not None, "the cap would have been passed by what was cancelled"


def test_caps_come_back_in_the_month_of_the_charge_only() -> None:
    same = charging.returned_quota(person=PERSON, amount=5, charged_at=NOW, now=NOW, zone=SEOUL)
    assert [leg.destination for leg in same] == ["issuer:quota", "issuer:quota"]
    december = datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert not charging.returned_quota(
        person=PERSON, amount=5, charged_at=NOW, now=december, zone=SEOUL
    )


def test_other_refusals_stay_as_they_are() -> None:
    other = Refusal("insufficient-balance", "가", "a", {"asset": "KRW"})
    limit = Refusal("account-limit", "가", "a", {"asset": "local:pyeongtaek"})
    assert charging.explained(other, SEJONG) is other
    assert charging.explained(limit, SEJONG) is limit
