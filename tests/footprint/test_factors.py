"""Factors by authority: published totals rebuilt, and every wrong use refused with its reason."""

from datetime import date
from decimal import Decimal

import pytest

from onsil.footprint import (
    FactorAuthority,
    choose_factor,
    equivalents,
    factor_sets,
    published_examples,
    use_plan_coefficient,
)
from onsil.footprint.factors import FactorError, gwp, recalculate
from onsil.footprint.factors.library import Factor, data_text, parse_factor_sets

TODAY = date(2026, 3, 1)


def authority(**changes: object) -> FactorAuthority:
    stated = {
        "programme": "kr-offset", "factor_set": "kr-grid-2018", "boundary": "consumption",
        "gwp_set": "SAR", **changes,
    }  # fmt: skip
    return FactorAuthority(**stated)  # pyright: ignore


def electricity(factor_set: str) -> Factor:
    return next(f for f in factor_sets()[factor_set].factors if f.boundary == "consumption")


@pytest.mark.parametrize(
    ("factor_set", "gwp_set", "printed"),
    [
        ("kr-grid-2018", "SAR", "0.45941"),
        ("kr-grid-2021", "SAR", "0.4781"),
        ("kr-grid-2021", "AR5", "0.4777"),
        ("kr-grid-2024", "AR5", "0.4541"),
        ("kr-grid-2025", "AR5", "0.4173"),
    ],
)
def test_published_totals_come_out_of_the_gases(factor_set, gwp_set, printed):
    total_t = electricity(factor_set).co2e_kg(gwp_set) / 1000
    assert total_t.quantize(Decimal(printed)) == Decimal(printed)


def test_co2_alone_is_not_the_total():
    assert electricity("kr-grid-2021").co2e_kg("SAR") != Decimal("474.7")


def test_generation_end_2021_is_our_own_sum():
    factor = next(f for f in factor_sets()["kr-grid-2021"].factors if f.boundary == "generation")
    assert (factor.co2e_kg("SAR") / 1000).quantize(Decimal("0.0001")) == Decimal("0.4434")


def test_city_gas_per_cubic_metre_lies_in_the_known_range():
    for name, kg in (("kr-city-gas-2022", "2.151"), ("kr-city-gas-kets-2025", "2.184")):
        factor = factor_sets()[name].factors[0]
        assert factor.gases_kg_per_mwh is not None
        assert factor.ncv_mj_per_nm3 is not None
        per_nm3 = factor.gases_kg_per_mwh["co2"] * factor.ncv_mj_per_nm3 / 3600
        assert per_nm3.quantize(Decimal("0.001")) == Decimal(kg)


def test_gwp_sets_are_the_reports_own():
    table = {name: (gwp(name, "ch4"), gwp(name, "n2o")) for name in ("SAR", "AR4", "AR5", "AR6")}
    assert table == {
        "SAR": (21, 310), "AR4": (25, 298), "AR5": (28, 265), "AR6": (Decimal("27.9"), 273),
    }  # fmt: skip
    with pytest.raises(KeyError):
        gwp("AR7", "ch4")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"programme": "nobody"}, "unknown-programme"),
        ({"factor_set": "kr-grid-1999"}, "unknown-factor-set"),
        ({"factor_set": "kr-grid-2025"}, "factor-not-for-programme"),
        ({"gwp_set": "AR5"}, "gwp-not-for-programme"),
        ({"boundary": "combustion"}, "factor-boundary-unknown"),
        ({"statistic_years": (2017, 2019)}, "factor-years-differ"),
        ({"published": date(2020, 1, 1)}, "factor-publication-differs"),
        (
            {"programme": "disclosure", "factor_set": "kr-grid-2025", "gwp_set": "SAR"},
            "gwp-not-convertible",
        ),
    ],
)
def test_wrong_use_is_refused_with_its_reason(refused, changes, code):
    assert choose_factor(authority(), TODAY)
    refused(choose_factor(authority(**changes), TODAY), code)


def test_a_set_published_later_is_not_yet_valid(refused):
    answer = choose_factor(authority(), date(2019, 1, 1))
    assert "2019-01-02" in refused(answer, "factor-not-yet-valid").en
    assert choose_factor(authority(), date(2019, 1, 2))


def test_a_total_is_refused_where_gases_are_needed(refused, monkeypatch):
    from dataclasses import replace

    from onsil.footprint.factors import choice

    wider = dict(choice.factor_programmes())
    wider["kr-offset"] = replace(wider["kr-offset"], sets=("kr-grid-2025",), gwp_sets=("AR5",))
    monkeypatch.setattr(choice, "factor_programmes", lambda: wider)
    answer = choose_factor(authority(factor_set="kr-grid-2025", gwp_set="AR5"), TODAY)
    refused(answer, "factor-not-per-gas")


def test_unconfirmed_sets_say_so():
    confirmed = [found.id for found in factor_sets().values() if found.confirmed]
    assert confirmed == ["kdhc-pyeongtaek-heat-2021"]
    assert all(found.note and found.read for found in factor_sets().values())


def broken(old: str, new: str) -> str:
    text = data_text("kr-grid.toml")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('printed_t_per_mwh = "0.45941"', 'printed_t_per_mwh = "0.4567"'),
        ('unit = "kg/MWh"', 'unit = "kg/kWh"'),
        ('ch4 = "0.0036"\n', ""),
        ('co2e_gwp_set = "AR5"', 'co2e_gwp_set = "AR99"'),
        ('maturity = "press"', 'maturity = "hearsay"'),
    ],
)
def test_a_file_that_contradicts_itself_is_not_loaded(old, new):
    with pytest.raises(FactorError):
        parse_factor_sets(broken(old, new))


def test_carbon_content_must_give_the_stated_co2():
    text = data_text("kr-city-gas.toml").replace('co2 = "201.1152"', 'co2 = "201.12"')
    with pytest.raises(FactorError, match="tC/TJ"):
        parse_factor_sets(text)


@pytest.mark.parametrize("example", published_examples(), ids=lambda e: e.id)
def test_published_examples_get_the_verdict_on_file(example):
    assert recalculate(example)[1] == example.verdict


def test_the_examples_hold_each_verdict():
    verdicts = [example.verdict for example in published_examples()]
    assert set(verdicts) == {"match", "match-if-rounded-constant", "publisher-error"}


def test_the_plans_pine_is_seventeen_years_growth(refused):
    answer = refused(use_plan_coefficient("pine", "yearly-removal"), "cumulative-not-yearly")
    assert answer.facts["yearly_mean_kg"] == Decimal("9.8")
    assert use_plan_coefficient("pine", "display")
    refused(use_plan_coefficient("urban-maple", "credit"), "plan-not-for-credit")


@pytest.mark.parametrize("per", ["car", "km", "year"])
def test_the_plans_car_counts_kilometres_not_cars(refused, per):
    answer = use_plan_coefficient("ev-for-combustion-car", "display", per)
    assert answer is not None
    assert refused(answer, "plan-unit-differs").facts["per"] == "10000 km"
    assert use_plan_coefficient("ev-for-combustion-car", "display", "10000 km")


@pytest.mark.parametrize("purpose", ["yearly-removal", "credit"])
def test_no_use_of_the_pine_but_the_picture(refused, purpose):
    refused(use_plan_coefficient("pine", purpose, "tree"), "cumulative-not-yearly")


def test_the_plans_car_is_rebuilt():
    found = use_plan_coefficient("ev-for-combustion-car", "display")
    rebuilt = (Decimal("141.3") * 10_000 - Decimal(1661) * Decimal("459.4")) / 1_000_000
    assert found
    assert rebuilt.quantize(Decimal("0.01")) == found.value_t  # pyright: ignore


def test_equivalents_round_down():
    assert equivalents(Decimal(1)) == {
        "pines_grown_17_years": 6, "urban_maple_years": 250, "electric_car_km": 15384,
    }  # fmt: skip
