"""Programme files: every problem is named with its field, and content has one name."""

import copy
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from onsil.core.refusal import Refusal
from onsil.rewards.programme_file import read_programme, terms_of
from onsil.rewards.terms import Season

FILE = Path(__file__).parents[2] / "cities/pyeongtaek/programmes/bus-weekly.toml"
TABLE = tomllib.loads(FILE.read_text("utf-8"), parse_float=Decimal)


def changed(path: str, value: object) -> list[str]:
    table = copy.deepcopy(TABLE)
    *parents, last = path.split(".")
    place = table
    for part in parents:
        place = place[int(part)] if part.isdigit() else place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return terms_of(table)[1]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("code", None, "code is missing"),
        ("name.en", None, "name.en is missing"),
        ("kind", "lottery", "no rule kind 'lottery'"),
        ("window.cut", "fortnight", "window.cut"),
        ("window.grace_days", -1, "window.grace_days is negative"),
        ("evidence.minimum_level", "hearsay", "evidence.minimum_level"),
        ("rule.weekdays", [0, 8], "rule.weekdays"),
        ("rule.bonus", 5, "rule.bonus is unknown"),
        ("cap.0.points", {"adult": 2900}, "cap 1: points for group teen"),
        ("cap.0.window", "day", "cap 1: day is shorter than window.cut"),
        ("cap.0.window", "year", "two caps for the same window"),
        ("budget.0.krw", -1, "budget 1: krw is negative"),
        ("budget.0.year", 2026, "two lines for the same year"),
        ("effective.until", date(2024, 1, 1), "effective.until must come after"),
        ("season", {"from": "02-30", "until": "11-30"}, "season"),
        ("group", [], "group: at least one"),
        ("surprise", 1, "surprise: unknown field"),
        ("source.confirmed", "yes", "source.confirmed: not a bool"),
    ],
)
def test_each_problem_is_told_with_its_field(path, value, told):
    problems = changed(path, value)
    assert any(told in problem for problem in problems), problems


def test_all_problems_are_told_at_once():
    table = copy.deepcopy(TABLE)
    del table["code"], table["name"]["ko"]
    table["window"]["cut"] = "fortnight"
    assert len(terms_of(table)[1]) >= 3


def test_a_broken_file_is_a_refusal_that_names_it(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("code = ", "utf-8")
    found = read_programme(path)
    assert isinstance(found, Refusal)
    assert "broken.toml" in found.ko
    assert "broken.toml" in found.en


def test_content_names_the_version():
    same, _ = terms_of(copy.deepcopy(TABLE))
    other_table = copy.deepcopy(TABLE)
    other_table["cap"][0]["points"]["adult"] = 2901
    other, _ = terms_of(other_table)
    assert same.digest == terms_of(TABLE)[0].digest
    assert other.digest != same.digest


def test_a_season_may_run_over_new_year():
    winter = Season((12, 1), (3, 31))
    inside = [date(2025, 12, 1), date(2026, 1, 15), date(2024, 2, 29), date(2026, 3, 31)]
    assert all(day in winter for day in inside)
    assert date(2026, 4, 1) not in winter
    assert date(2025, 11, 30) not in winter
