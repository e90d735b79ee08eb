"""The rules file: what it states, when it held, and how its mistakes are named."""

import copy
import tomllib
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.refusal import OperationError, Refusal
from onsil.ledger.rules import TOPICS, USUAL, RuleBook, read_rules, rules_of

CITIES = Path(__file__).parents[3] / "cities"
FILE = CITIES / "pyeongtaek/currency.toml"


def table() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text("utf-8"), parse_float=Decimal)


def problems(changed: dict[str, Any]) -> str:
    answer = rules_of(changed, "currency.toml")
    assert isinstance(answer, Refusal), "nothing was found wrong"
    assert answer.code == "currency-rules-unusable"
    assert "currency.toml" in answer.ko
    return answer.en


@pytest.mark.parametrize(
    "path", sorted(CITIES.glob("*/currency.toml")), ids=lambda p: p.parent.name
)
def test_every_citys_file_can_be_used_and_says_where_it_comes_from(path: Path) -> None:
    book = read_rules(path)
    assert book.begins <= date(2020, 1, 1)
    for topic in TOPICS:
        for version in book.history(topic):
            assert version.source
    today = book.rule_set_on(date(2026, 11, 22))
    assert set(today.unconfirmed) <= set(TOPICS)


def test_a_payment_of_last_march_is_judged_by_last_march() -> None:
    book = read_rules(FILE)
    march, november = book.rule_set_on(date(2025, 3, 15)), book.rule_set_on(date(2025, 11, 15))
    assert march.cashback.funders[0].percent == 10
    assert november.cashback.funders[0].percent == 13
    assert march.merchants.exceptions == ()
    assert [e.code for e in november.merchants.exceptions] == ["township"]
    assert march.sources["cashback"].until == date(2025, 10, 1)


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_every_day_has_exactly_one_rule_of_each_topic(day: date) -> None:
    book = read_rules(FILE)
    rules = book.rule_set_on(day)
    for topic in TOPICS:
        held = [version for version in book.history(topic) if version.holds(day)]
        assert held == [rules.sources[topic]]
        assert getattr(rules, topic) is held[0].rule


def test_rules_change_on_the_first_day_they_hold() -> None:
    book = read_rules(FILE)
    for day in book.changes()[1:]:
        before, after = book.rule_set_on(day - timedelta(days=1)), book.rule_set_on(day)
        assert any(before.sources[t] is not after.sources[t] for t in TOPICS)


def test_a_day_before_the_first_rule_is_an_error() -> None:
    with pytest.raises(OperationError, match=r"currency\.toml: \[\[charging\]\] has no rule"):
        read_rules(FILE).rule_set_on(date(2019, 12, 31))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("gift"), "gift: is missing"),
        (lambda t: t.update(gift={}), "gift: must be [[gift]]"),
        (lambda t: t.update(gifts=[]), "gifts: unknown topic"),
        (lambda t: t.update(gift=[3]), "gift[1]: must be a table"),
        (lambda t: t["charging"][1].pop("source"), "charging[2].source: is missing"),
        (lambda t: t["charging"][1].pop("from"), "charging[2].from: is missing"),
        (lambda t: t["charging"][1].update(minimum_krw="1000"), "charging[2].minimum_krw: must be"),
        (lambda t: t["charging"][1].update(minimum_krw=True), "charging[2].minimum_krw: must be"),
        (lambda t: t["charging"][1].update(minimum_krw=-1), "charging[2].minimum_krw: must be"),
        (lambda t: t["charging"][1].update(minimum_krw=1_500), "must be a multiple of step_krw"),
        (lambda t: t["charging"][1].update(person_krw=1), "charging[2].person_krw: unknown key"),
        (lambda t: t["charging"][1].update(confirmed="no"), "confirmed: must be true or false"),
        (lambda t: t["charging"][1].update(source=3), "charging[2].source: must be a text"),
        (lambda t: t["charging"][1].update({"from": "2023"}), "charging[2].from: must be a day"),
        (
            lambda t: t["charging"][1].update({"from": date(2023, 6, 1)}),
            "charging.until: the rules from 2020-01-01 and 2023-06-01 overlap",
        ),
        (
            lambda t: t["charging"][1].update({"from": date(2023, 8, 1)}),
            "charging.from: no rule from 2023-07-01 to 2023-08-01",
        ),
        (lambda t: t["charging"][0].pop("until"), "2020-01-01 and 2023-07-01 overlap"),
        (
            lambda t: t["charging"][1].update(until=date(2026, 1, 1)),
            "charging.until: no rule from 2026-01-01 on",
        ),
        (lambda t: t["charging"][0].update(until=date(2019, 1, 1)), "until: must come after from"),
        (lambda t: t["cashback"][2]["funder"][0].update(percent=101), "must be from 0 to 100"),
        (lambda t: t["cashback"][2]["funder"][0].update(percent="ten"), "must be a percentage"),
        (lambda t: t["cashback"][2]["funder"][0].pop("percent"), "only the funder 'shop'"),
        (lambda t: t["cashback"][2]["funder"][1].update(code="city"), "have the same code"),
        (lambda t: t["cashback"][2]["funder"][1].update(colour="red"), "colour: unknown key"),
        (lambda t: t["cashback"][2].update(rounding="up"), "rounding: must be one of floor"),
        (lambda t: t["cashback"][2].update(funder="city"), "funder: must be a list of tables"),
        (lambda t: t["merchants"][2].update(recheck_months=[13]), "recheck_months: must be a list"),
        (lambda t: t["merchants"][2].update(excluded_kinds="adult"), "must be a list of texts"),
        (
            lambda t: t["merchants"][2].update(recheck_grace_days=30, recheck_months=[]),
            "recheck_months: is needed where recheck_grace_days is set",
        ),
        (lambda t: t["refund"][0]["used"].pop(), "used: needs exactly one entry without"),
        (lambda t: t["refund"][0].update(measure="mood"), "measure: must be one of charge"),
        (lambda t: t["gift"][0].update(maximum_krw=10), "maximum_krw: is below minimum_krw"),
        (lambda t: t["gift"][0].update(timeout_hours=0), "timeout_hours: must be from 1"),
        (lambda t: t["expiry"][0]["term"][0].update(year_end=True), "give years or months"),
        (lambda t: t["policy"][0].update(merchant_rule="ordinary"), "needs a rule of its own"),
        (lambda t: t["settlement"][0]["fee"].pop(), "needs one entry without up_to_sales_krw"),
        (
            lambda t: t["settlement"][0]["fee"][1].update(up_to_sales_krw=300_000_000),
            "two fees have the same up_to_sales_krw",
        ),
        (lambda t: t["settlement"][0].update(closed_days=["x"]), "closed_days: must be a list of"),
    ],
)
def test_a_mistake_is_named_with_its_key(change, said: str) -> None:
    changed = copy.deepcopy(table())
    change(changed)
    assert said in problems(changed)


def test_all_mistakes_are_told_at_once() -> None:
    changed = table()
    changed["gift"][0]["maximum_krw"] = "much"
    changed["trust"][1]["means"] = "hope"
    told = problems(changed)
    assert "gift[1].maximum_krw" in told
    assert "trust[2].means" in told


def test_a_file_that_is_none_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match=r"currency\.toml"):
        read_rules(tmp_path / "currency.toml")
    broken = tmp_path / "currency.toml"
    broken.write_text("[[gift]\n")
    with pytest.raises(OperationError, match=r"currency\.toml"):
        read_rules(broken)
    broken.write_text("")
    with pytest.raises(OperationError, match="charging: is missing"):
        read_rules(broken)


def test_the_table_as_it_is_has_no_mistake() -> None:
    assert isinstance(rules_of(table()), RuleBook)


def test_a_new_city_begins_with_rules_that_nothing_confirms() -> None:
    rules = read_rules(USUAL).rule_set_on(date(2026, 11, 22))
    assert rules.unconfirmed == TOPICS
    assert rules.cashback.funders == (), "nobody gives cashback before somebody decided to"
