"""How long records are kept: dated rules, counted as the Civil Act counts."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.citizen.retention import RetentionRule, kept, read_retention, years_after
from onsil.core.refusal import OperationError

CITIES = Path(__file__).parents[2] / "cities"


def rule(since: date, years: int, kind: str = "transfer") -> RetentionRule:
    return RetentionRule(kind, since, years, "근거", "ground", False)


@pytest.mark.parametrize(
    ("made_on", "free_from"),
    [
        (date(2026, 2, 10), date(2031, 2, 11)), (date(2026, 12, 31), date(2032, 1, 1)),
        (date(2024, 2, 28), date(2029, 3, 1)), (date(2024, 2, 29), date(2029, 3, 1)),
    ],
)  # fmt: skip
def test_the_first_day_does_not_count(made_on: date, free_from: date):
    held = kept([rule(date(2007, 1, 1), 5)], "transfer", made_on)
    assert held.free_from == free_from
    assert held.over(free_from)
    assert not held.over(date.fromordinal(free_from.toordinal() - 1))


def test_the_rule_of_the_day_counts():
    rules = [rule(date(2030, 1, 1), 10), rule(date(2007, 1, 1), 5)]
    assert kept(rules, "transfer", date(2029, 12, 31)).free_from == date(2035, 1, 1)
    assert kept(rules, "transfer", date(2030, 1, 1)).free_from == date(2040, 1, 2)


def test_what_has_no_rule_is_never_free():
    for held in (kept([], "transfer", date(2026, 1, 1)),
                 kept([rule(date(2007, 1, 1), 5)], "claim", date(2026, 1, 1)),
                 kept([rule(date(2027, 1, 1), 5)], "transfer", date(2026, 1, 1))):  # fmt: skip
        assert (held.free_from, held.rule) == (None, None)
        assert not held.over(date(9000, 1, 1))


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(0, 30))
def test_years_never_go_back_and_never_skip_a_month(day: date, years: int):
    later = years_after(day, years)
    assert (later.year, later >= day) == (day.year + years, True)
    assert later.month in (day.month, day.month + (day.month == 2))


@pytest.mark.parametrize("city", ["pyeongtaek", "goyang"])
def test_every_city_keeps_money_for_five_years(city: str):
    rules = read_retention(CITIES / city / "retention.toml")
    for kind in ("transfer", "award"):
        assert kept(rules, kind, date(2026, 1, 1)).free_from == date(2031, 1, 2)
    assert not any(one.confirmed for one in rules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rule"), ("[[rule]]\nkind = 'x'", "since"), ("rule = 1", "int"),
        ("[[rule]]\nkind='x'\nsince='2007'\nyears=5\nconfirmed=false", "since is a date"),
        ("[[rule]]\nkind='x'\nsince=2007-01-01\nyears=-1\nconfirmed=false", "years"),
        ("[[rule]]\nkind='x'\nsince=2007-01-01\nyears=1\nconfirmed='no'", "confirmed"),
    ],
)  # fmt: skip
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, said: str):
    path = tmp_path / "retention.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(OperationError, match=said):
        read_retention(path)
    with pytest.raises(OperationError, match=r"none\.toml"):
        read_retention(tmp_path / "none.toml")
