"""Waste: what recycling, landfill, burning and pyrolysis may count, and what they may not."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_kit import rows_of, run, said_no, stated, tonnes

from onsil.core.periods import Period
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import coefficient_table
from onsil.footprint.methodologies import (
    incineration_avoidance,
    landfill_avoidance,
    pet_recycling,
    pyrolysis_mass_balance,
)
from onsil.footprint.methodologies.pet_recycling import bottle_grams
from onsil.footprint.methodologies.pyrolysis_mass_balance import closure
from onsil.footprint.terms import Outcome
from onsil.footprint.waste import burn, decay_by_year, degradable_carbon, methane_of_decay

BURNING = coefficient_table("ipcc-2006-waste-burning")
CLOSE = Decimal("1e-12")


@pytest.fixture
def refused():
    return said_no


# ------------------------------------------------------------------------------- pure formulas

# From bonsai_ipcc 0.5.3 (MIT), which needs 770 MB and so is no dependency. In an environment of its
# own (`pip install bonsai_ipcc==0.5.3`), after `from bonsai_ipcc.waste.swd import elementary as e`:
#   gone = e.ddoc_m_decomp_t(held, k)
#   held = e.ddoc_ma_t(e.ddoc_from_wd_data(waste, doc, docf, mcf), held, k)
#   e.ch4_emissions(e.ch4_generated(gone, f), ox, recovered)
# for each year from 2020; `waste.incineration.elementary.co2_emissions(12, 1, 0.75, 1, 1)`,
# `(7, 0.8, 0.5, 0.2, 1)`, `ch4_emissions(22, 0.2)`, `n2o_emissions(22, 50)`. They are floats.
FOOD = {
    2020: "0.0", 2021: "0.6080245781323477", 2022: "1.1133564097055233",
    2025: "2.172486891330026", 2030: "0.8614593099409149",
}  # fmt: skip
PAPER = {2021: "0.24847132337387215", 2023: "0.593081279699253", 2030: "0.38968216871823835"}


def methane(waste: dict[int, int], doc: str, mcf: str, k: str, ox: str, recovered: str) -> Any:
    with localcontext(ARITHMETIC):
        laid = {
            year: degradable_carbon(Decimal(t), Decimal(doc), Decimal("0.5"), Decimal(mcf))
            for year, t in waste.items()
        }
        return {
            year: methane_of_decay(
                gone, methane_fraction=Decimal("0.5"), recovered_share=Decimal(recovered),
                oxidation=Decimal(ox),
            ).methane
            for year, gone in decay_by_year(laid, Decimal(k), 2020, 2030).items()
        }  # fmt: skip


def test_decay_as_an_independent_package_has_it():
    """100 t of food a year 2020–2024 (k 0.185, OX 0.1, 20 % recovered); paper in two years."""
    food = methane(dict.fromkeys(range(2020, 2025), 100), "0.15", "1", "0.185", "0.1", "0.2")
    paper = methane({2020: 40, 2022: 60}, "0.40", "0.8", "0.06", "0", "0")
    for found, known in ((food, FOOD), (paper, PAPER)):
        assert all(abs(found[year] - Decimal(text)) < CLOSE for year, text in known.items())


def test_burning_as_an_independent_package_has_it():
    """12 t of plastics 33.0; 7 t of textiles 2.0533333333333332; 22 t at 0.2 and 50 kg/Gg."""
    with localcontext(ARITHMETIC):
        assert burn(Decimal(12), BURNING.rows["plastics"]).co2_kg == 33_000
        textiles = burn(Decimal(7), BURNING.rows["textiles"])
        assert abs(textiles.co2_kg / 1000 - Decimal("2.0533333333333332")) < CLOSE
        both = burn(Decimal(22), BURNING.rows["food"])
        assert abs(both.ch4_kg - Decimal("0.0044")) < CLOSE
        assert abs(both.n2o_kg - Decimal("1.1")) < CLOSE


@settings(deadline=None)
@given(st.integers(1, 1000), st.sampled_from(sorted(BURNING.rows)))
def test_all_burnt_carbon_leaves_as_fossil_or_biogenic_co2(wet_t, kind):
    row = BURNING.rows[kind]
    with localcontext(ARITHMETIC):
        found = burn(Decimal(wet_t), row)
        dry, carbon = row["dry_matter"], row["carbon"]
        assert isinstance(dry, Decimal)
        assert isinstance(carbon, Decimal)
        whole = Decimal(wet_t) * 1000 * dry * carbon * 44 / 12
        assert abs(found.co2_kg + found.biogenic_co2_kg - whole) < CLOSE


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(5, 100))
def test_decay_never_gives_more_carbon_than_was_laid_down(wet_t, years):
    with localcontext(ARITHMETIC):
        laid = {2020: Decimal(wet_t)}
        gone = decay_by_year(laid, Decimal("0.185"), 2020, 2020 + years)
        assert gone[2020] == 0
        assert 0 < sum(gone.values()) < wet_t
        found = methane_of_decay(
            Decimal(wet_t), methane_fraction=Decimal("0.5"), recovered_share=Decimal(0),
            oxidation=Decimal("0.1"),
        )  # fmt: skip
        carbon = found.methane * 12 / 16 + found.biogenic_co2 * 12 / 44
        assert abs(carbon - wet_t) < CLOSE


# ------------------------------------------------------------------------------- PET


def test_golden_20_a_bottles_mass_is_a_band_and_no_quantity():
    """1.18 million bottles of 70 t are 59.3 g each: within the band, far from half a litre's."""
    assert round(bottle_grams(Decimal(70_000), Decimal(1_180_000)), 1) == Decimal("59.3")
    lots = rows_of(
        pet_recycling, "lots", weight_kg=Decimal(70_000), accepted_kg=Decimal(70_000),
        bottles=Decimal(1_180_000),
    )  # fmt: skip
    by_weight = run(pet_recycling, stated(pet_recycling), lots=lots)
    del lots[0]["bottles"]
    uncounted = run(pet_recycling, stated(pet_recycling), lots=lots)
    assert tonnes(by_weight) == tonnes(uncounted)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"bottles": Decimal(10_000_000)}, "bottle-mass-implausible"),
        ({"bottles": Decimal(1000)}, "bottle-mass-implausible"),
        ({"accepted_kg": None}, "acceptance-missing"),
        ({"accepted_kg": Decimal(1001)}, "accepted-above-weighed"),
        ({"outlet": "pyrolysis"}, "resin-not-displaced"),
        ({"date": date(2025, 7, 1)}, "outside-period"),
    ],
)
def test_auditor_17_lots_that_cannot_be_do_not_count(refused, changes, reason):
    lots = rows_of(pet_recycling, "lots", **changes)
    answer = refused(run(pet_recycling, stated(pet_recycling), lots=lots), "no-row-usable")
    assert reason in [why for _, why in answer.facts["left_out"]]


def test_bricks_displace_no_resin():
    found = run(pet_recycling, stated(pet_recycling))
    assert isinstance(found, Outcome)
    assert found.coverage["lots"]["excluded"] == {"resin-not-displaced": 1}
    assert found.details["not_resin_kg"] == 500
    assert [line.amount for line in found.lines] == [1000]


def test_tickets_energy_and_duty(refused):
    lots = rows_of(pet_recycling, "lots", ticket="W-2")
    refused(run(pet_recycling, stated(pet_recycling), lots=lots), "duplicate-ticket")
    july = rows_of(pet_recycling, "energy", date=date(2025, 7, 1))
    refused(run(pet_recycling, stated(pet_recycling), energy=july), "energy-outside-period")
    much = rows_of(pet_recycling, "energy", electricity_kwh=Decimal(9000))
    refused(run(pet_recycling, stated(pet_recycling), energy=much), "nothing-saved")
    duty = stated(pet_recycling, legal_duty_from="2025-06-01")
    refused(run(pet_recycling, duty), "legally-required")


@settings(deadline=None)
@given(st.integers(200, 5000), st.integers(1, 2000))
def test_more_resin_never_spares_less(kg, more):
    def spared(weight: int) -> Decimal:
        lots = rows_of(
            pet_recycling, "lots", weight_kg=Decimal(weight), accepted_kg=Decimal(weight)
        )
        return tonnes(run(pet_recycling, stated(pet_recycling), lots=lots))

    assert spared(kg + more) > spared(kg)


# ------------------------------------------------------------------------------- landfill


def test_waste_of_the_year_itself_is_not_counted_ahead(refused):
    rows = rows_of(landfill_avoidance, "diverted", date=date(2025, 5, 1))
    answer = refused(
        run(landfill_avoidance, stated(landfill_avoidance), diverted=rows), "not-yet-measurable"
    )
    assert "next year" in answer.en


def test_decay_is_counted_by_calendar_years(refused):
    inputs = stated(landfill_avoidance)
    start = datetime(2024, 12, 31, 15, tzinfo=UTC)
    half = replace(inputs, period=Period(start, datetime(2025, 6, 30, 15, tzinfo=UTC)))
    refused(run(landfill_avoidance, half), "not-a-year")


def test_composting_gives_gases_of_its_own(refused):
    old = rows_of(landfill_avoidance, "diverted")
    more = {**old[0], "id": "urn:ngsi-ld:Lot:example:new", "ticket": "F-2",
            "date": date(2025, 3, 1)}  # fmt: skip
    clean = run(landfill_avoidance, stated(landfill_avoidance), diverted=[*old, more])
    assert tonnes(clean) == tonnes(run(landfill_avoidance, stated(landfill_avoidance)))
    composted = run(
        landfill_avoidance, stated(landfill_avoidance),
        diverted=[*old, {**more, "wet_t": Decimal(10), "route": "composting"}],
    )  # fmt: skip
    expected = 10 * (4 * Decimal(21) + Decimal("0.3") * 310) / 1000
    assert abs(tonnes(clean) - tonnes(composted) - expected) < CLOSE
    burnt = run(
        landfill_avoidance, stated(landfill_avoidance),
        diverted=[*old, {**more, "kind": "textiles", "route": "incineration"}],
    )  # fmt: skip
    assert tonnes(burnt) < tonnes(clean)


def test_gas_recovered_anyway_and_the_kind_of_site_count():
    example = tonnes(run(landfill_avoidance, stated(landfill_avoidance)))
    none = tonnes(run(landfill_avoidance, stated(landfill_avoidance, recovered_share="0")))
    assert abs(example - none * Decimal("0.8")) < CLOSE
    assert tonnes(run(landfill_avoidance, stated(landfill_avoidance, recovered_share="1"))) == 0
    shallow = tonnes(run(landfill_avoidance, stated(landfill_avoidance, site="unmanaged-shallow")))
    assert shallow < example


def test_the_gwp_set_is_the_stated_one():
    sar = tonnes(run(landfill_avoidance, stated(landfill_avoidance)))
    ar5 = tonnes(run(landfill_avoidance, stated(landfill_avoidance, gwp_set="AR5")))
    assert abs(ar5 / sar - Decimal(28) / 21) < CLOSE


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(1, 20), st.randoms())
def test_landfill_is_linear_and_blind_to_order(wet_t, times, random):
    def rows(factor: int) -> list[dict[str, Any]]:
        old = rows_of(landfill_avoidance, "diverted", wet_t=Decimal(wet_t * factor))
        paper = {**old[0], "id": "urn:ngsi-ld:Lot:example:p", "ticket": "P", "kind": "paper",
                 "date": date(2021, 2, 2)}  # fmt: skip
        return [*old, paper]

    one, many = rows(1), rows(times)
    random.shuffle(many)
    single = tonnes(run(landfill_avoidance, stated(landfill_avoidance), diverted=one))
    multiple = tonnes(run(landfill_avoidance, stated(landfill_avoidance), diverted=many))
    assert abs(multiple - single * times) < CLOSE


# ------------------------------------------------------------------------------- incineration


def test_only_fossil_carbon_counts_and_lost_power_comes_off(refused):
    inputs = stated(incineration_avoidance)
    food = [rows_of(incineration_avoidance, "diverted")[0]]
    refused(run(incineration_avoidance, inputs, diverted=food), "nothing-saved")
    none = run(incineration_avoidance, stated(incineration_avoidance, power_kwh_per_t="0"))
    less = run(incineration_avoidance, inputs)
    assert abs(tonnes(none) - tonnes(less) - Decimal("3.03210996")) < CLOSE
    assert isinstance(less, Outcome)
    assert less.details["biogenic_co2_kg"] > 0


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 9))
def test_burning_avoided_is_linear(wet_t, times):
    def of(amount: int) -> Decimal:
        row = {**rows_of(incineration_avoidance, "diverted")[1], "wet_t": Decimal(amount)}
        return tonnes(run(incineration_avoidance, stated(incineration_avoidance), diverted=[row]))

    assert abs(of(wet_t * times) - of(wet_t) * times) < CLOSE


# ------------------------------------------------------------------------------- pyrolysis


def test_golden_bricks_close_to_99_per_cent():
    """55 × 1.5 × 0.60 = 49.5 of 50 kg; 33 bricks of 30 kg close just so."""
    brick, share = Decimal("1.5"), Decimal("0.60")
    assert closure(Decimal(55), brick, share, Decimal(50)) == Decimal("0.99")
    assert closure(Decimal(33), brick, share, Decimal(30)) == Decimal("0.99")


@pytest.mark.parametrize("lacking", ["electricity_kwh", "gas_nm3", "fossil_carbon_kg", "oil_kg"])
def test_no_credit_without_energy_and_products(refused, lacking):
    rows = rows_of(pyrolysis_mass_balance, "batches", **{lacking: None})
    answer = refused(
        run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance), batches=rows),
        "not-yet-measurable",
    )
    assert answer.facts["bricks_closure_pct"] == {"urn:ngsi-ld:Batch:example:1": 99}
    assert answer.facts["lacking"]


def test_no_credit_without_a_published_factor_of_what_bricks_displace(refused):
    inputs = stated(pyrolysis_mass_balance)
    bare = replace(inputs, factors={})
    answer = refused(run(pyrolysis_mass_balance, bare), "not-yet-measurable")
    assert answer.facts["lacking"] == ["factor: displaced-product", "factor: electricity"]
    assert "tCO2e" in answer.ko


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feed_kg": Decimal(1001)}, "above-capacity"),
        ({"highest_c": Decimal(271)}, "temperature-outside"),
        ({"lowest_c": Decimal(20)}, "temperature-outside"),
        ({"dioxin_ng": Decimal("5.1")}, "dioxin-above-limit"),
        ({"bricks": Decimal(70)}, "bricks-do-not-close"),
        ({"bricks": Decimal(40)}, "bricks-do-not-close"),
        ({"oil_kg": Decimal(400)}, "mass-does-not-close"),
        ({"date": date(2025, 7, 1)}, "outside-period"),
    ],
)
def test_batches_that_do_not_count(refused, changes, reason):
    rows = rows_of(pyrolysis_mass_balance, "batches", **changes)
    answer = refused(
        run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance), batches=rows), "no-row-usable"
    )
    assert answer.facts["left_out"][0][1] == reason


def test_a_measured_dioxin_below_the_limit_is_fine():
    rows = rows_of(pyrolysis_mass_balance, "batches", dioxin_ng=Decimal("0.293"))
    found = run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance), batches=rows)
    assert isinstance(found, Outcome)


def test_fossil_carbon_burnt_comes_off(refused):
    rows = rows_of(pyrolysis_mass_balance, "batches", fossil_carbon_kg=Decimal(3))
    found = run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance), batches=rows)
    whole = run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance))
    assert abs(tonnes(whole) - tonnes(found) - Decimal("0.011")) < CLOSE
    much = rows_of(pyrolysis_mass_balance, "batches", fossil_carbon_kg=Decimal(30))
    refused(
        run(pyrolysis_mass_balance, stated(pyrolysis_mass_balance), batches=much), "nothing-saved"
    )
