"""Until when value holds, who is told, and who keeps what is left over."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.periods import local_day
from onsil.ledger.rules import expiry
from onsil.ledger.rules.expiry import Breakage, ExpiryRule, Term

SEOUL = ZoneInfo("Asia/Seoul")
RULE = ExpiryRule(
    (Term("own", years=5), Term("cashback", months=6), Term("award", year_end=True)),
    breakage=(Breakage("policy", "budget:returned"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("issued", "fund", "last_day"),
    [
        (date(2026, 11, 22), "own", date(2031, 11, 21)),
        (date(2026, 8, 31), "cashback:city", date(2027, 2, 28)),
        (date(2026, 12, 15), "cashback", date(2027, 6, 14)),
        (date(2026, 1, 1), "award", date(2026, 12, 31)),
        (date(2028, 2, 29), "own", date(2033, 2, 28)),
    ],
)
def test_the_last_day(issued: date, fund: str, last_day: date) -> None:
    ends = expiry.expires_at(issued, fund, RULE, SEOUL)
    assert ends is not None
    assert expiry.last_day(ends, SEOUL) == last_day


def test_a_fund_without_a_term_never_ends() -> None:
    assert expiry.expires_at(date(2026, 1, 1), "other", RULE, SEOUL) is None


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(1, 60))
def test_value_ends_at_midnight_after_its_term(issued: date, months: int) -> None:
    ends = expiry.expires_at(issued, "x", ExpiryRule((Term("x", months=months),)), SEOUL)
    assert ends is not None
    assert ends.astimezone(SEOUL).time().isoformat() == "00:00:00"
    days = (local_day(ends, SEOUL) - issued).days
    assert 28 * months <= days <= 31 * months + 1
    assert expiry.ends(expiry.last_day(ends, SEOUL), SEOUL) == ends


def test_people_are_told_thirty_seven_and_one_day_before() -> None:
    today = date(2026, 11, 22)
    ends = [expiry.ends(today + timedelta(days=n), SEOUL) for n in (30, 29, 7, 1, 0)]
    lots = [("policy:a", end, 100) for end in ends] + [("policy:a", ends[2], 50), ("own", None, 9)]
    told = expiry.notices([*lots, ("own", ends[3], 0)], RULE, today, SEOUL)
    assert [(n.days, n.amount) for n in told] == [(1, 100), (7, 150), (30, 100)]


def test_the_won_behind_it_are_kept_apart_or_go_back_to_the_funder() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    request = expiry.breakage_request(
        expired=[("policy:a", 100), ("policy:b", 20), ("own", 5), ("own", 6)], rule=RULE, key="k",
        at=at,
    )  # fmt: skip
    assert request is not None
    assert [(leg.source, leg.destination, leg.amount) for leg in request.legs] == [
        ("trust:local", "breakage:own", 11), ("trust:local", "budget:returned", 120),
    ]  # fmt: skip
    assert expiry.breakage_request(expired=[], rule=RULE, key="k", at=at) is None
