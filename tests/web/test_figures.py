"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.web.templatetags import _figures as figures


@pytest.mark.parametrize(
    ("value", "korean", "english"),
    [
        (None, "–", "–"),
        (0, "0원", "₩0"),
        (12400, "12,400원", "₩12,400"),
        (-500, "-500원", "-₩500"),
        (Decimal("1999.5"), "2,000원", "₩2,000"),
    ],
)
def test_won_is_whole_and_missing_is_a_dash(value, korean, english):
    assert figures.won(value) == korean
    assert figures.won(value, "en") == english


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("12.44"), "12.4 tCO₂e"),
        (Decimal("0.34"), "340 kgCO₂e"),
        (Decimal("0.000012"), "12 gCO₂e"),
        (12540, "12.5 ktCO₂e"),
        (0, "0 tCO₂e"),
        (None, "–"),
    ],
)
def test_tonnes_take_the_prefix_that_leaves_a_readable_number(value, text):
    assert figures.tonnes(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Decimal("12.4"), "12.4 kWh"), (1_250_000, "1.25 GWh"), (Decimal("0.5"), "500 Wh"), ("", "–")],
)
def test_energy_takes_the_right_prefix(value, text):
    assert figures.kwh(value) == text


@pytest.mark.parametrize(
    ("value", "spoken", "short"),
    [
        (123_456_789, "1억 2,345만 6,789", "1.23억"),
        (2_800_000_000, "28억", "28억"),
        (10_000, "1만", "1만"),
        (9_999, "9,999", "9,999"),
        (-45_000, "-4만 5,000", "-4.5만"),
    ],
)
def test_large_numbers_are_grouped_as_koreans_say_them(value, spoken, short):
    assert figures.korean_number(value) == spoken
    assert figures.short(value) == short


def test_english_groups_by_thousands():
    assert figures.korean_number(123_456_789, "en") == "123,456,789"
    assert figures.short(123_456_789, "en") == "123 M"
    assert figures.short(45_000, "en") == "45 k"


@given(st.integers(min_value=0, max_value=10**19))
@settings(max_examples=60)
def test_the_spoken_number_holds_every_digit(number):
    sizes = {"": 1, "만": 10**4, "억": 10**8, "조": 10**12, "경": 10**16}
    total = 0
    for part in figures.korean_number(number).split():
        word = part[-1] if part[-1] in sizes else ""
        total += int(part.removesuffix(word).replace(",", "")) * sizes[word]
    assert total == number


@pytest.mark.parametrize(
    ("back", "korean", "english"),
    [
        (timedelta(seconds=5), "방금", "just now"),
        (timedelta(minutes=3), "3분 전", "3 min ago"),
        (timedelta(hours=2), "2시간 전", "2 h ago"),
        (timedelta(days=40), "1개월 전", "1 mo ago"),
        (-timedelta(minutes=3), "3분 후", "in 3 min"),
    ],
)
def test_age_is_said_in_one_unit(back, korean, english):
    now = datetime(2025, 6, 1, tzinfo=UTC)
    assert figures.ago(now - back, now) == korean
    assert figures.ago(now - back, now, "en") == english


def test_no_number_is_a_dash_not_zero():
    for text in ("", None, "없음", float("nan"), True):
        assert figures.exact(text) == "–"
        assert figures.kwh(text) == "–"
        assert figures.percent(text) == "–"


def test_a_share_is_a_percentage():
    assert figures.percent(Decimal("0.9134")) == "91.3%"


def test_a_digest_keeps_both_ends():
    assert figures.short_hash("a" * 8 + "b" * 52 + "cdef") == "aaaaaaaa…cdef"
    assert figures.short_hash("short") == "short"
