"""Waste at its edges: the last lot that counts, each gas, each source, and what a refusal tells."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from typed_kit import rows_of, run, said_no, stated

from onsil.core.canonical import canonical_bytes
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import coefficient_table, factor_set
from onsil.footprint.methodologies import (
    incineration_avoidance,
    landfill_avoidance,
    pet_recycling,
    pyrolysis_mass_balance,
    waste_rows,
)
from onsil.footprint.terms import Outcome
from onsil.footprint.waste import burn, decay_by_year, degradable_carbon, methane_of_decay

LANDFILL: Any = landfill_avoidance
BURNING: Any = incineration_avoidance
PET: Any = pet_recycling
PYROLYSIS: Any = pyrolysis_mass_balance
TABLE = coefficient_table("ipcc-2006-waste-burning")


def near(one: Decimal, other: Decimal | int, most: str = "1e-20") -> bool:
    return abs(one - other) < Decimal(most)


def counted(made: Any, inputs: Any = None, **tables: Any) -> Outcome:
    found = run(made, stated(made) if inputs is None else inputs, **tables)
    assert isinstance(found, Outcome), found
    return found


def refused(made: Any, code: str, inputs: Any = None, **tables: Any) -> Refusal:
    return said_no(run(made, stated(made) if inputs is None else inputs, **tables), code)


def widths(found: Outcome) -> dict[str, Decimal]:
    return {one["source"]: one["half_width_t"] for one in found.uncertainty["components"]}


# ----------------------------------------------------------------------------------- formulas


def test_ten_tonnes_of_paper_burn():
    """10 t × 0.9 × 0.46 of carbon, a hundredth of it fossil; 0.0002 and 0.05 kg a tonne."""
    with localcontext(ARITHMETIC):
        found = burn(Decimal(10), TABLE.rows["paper"])
        carbon = Decimal(10_000) * Decimal("0.9") * Decimal("0.46")
        assert near(found.co2_kg, carbon / 100 * 44 / 12)
        assert near(found.biogenic_co2_kg, carbon * 99 / 100 * 44 / 12)
        assert (found.ch4_kg, found.n2o_kg) == (Decimal("0.002"), Decimal("0.5"))
        half = burn(Decimal(10), {**TABLE.rows["paper"], "oxidation": Decimal("0.5")})
        assert near(half.co2_kg * 2, found.co2_kg)


def test_carbon_decays_from_the_year_after():
    """With e^-k of one half: nothing, then a half, a quarter, and the later carbon beside it."""
    with localcontext(ARITHMETIC):
        k = Decimal(2).ln()
        found = decay_by_year({2020: Decimal(8), 2022: Decimal(4)}, k, 2020, 2024)
        for year, gone in ((2020, 0), (2021, 4), (2022, 2), (2023, 1 + 2), (2024, Decimal("1.5"))):
            assert near(found[year], gone), year
        assert set(found) == {2020, 2021, 2022, 2023, 2024}
        later = decay_by_year({2020: Decimal(8)}, k, 2022, 2022)
        assert set(later) == {2022}
        assert near(later[2022], 2)
        assert decay_by_year({2024: Decimal(8)}, k, 2022, 2023) == {2022: 0, 2023: 0}
        assert decay_by_year({}, k, 2022, 2022) == {2022: 0}


def test_methane_and_the_other_carbon():
    """12 t of carbon, half of it methane: 8 t, of which a quarter is recovered, and so on."""
    assert degradable_carbon(
        Decimal(100), Decimal("0.2"), Decimal("0.5"), Decimal("0.8")
    ) == 8  # fmt: skip
    with localcontext(ARITHMETIC):
        found = methane_of_decay(
            Decimal(12), methane_fraction=Decimal("0.5"), recovered_share=Decimal("0.25"),
            oxidation=Decimal("0.1"),
        )  # fmt: skip
        assert near(found.methane, Decimal("5.4"))
        assert near(found.biogenic_co2, (12 - Decimal("4.05")) * 44 / 12)


# ------------------------------------------------------------------------------------- shared


def test_tickets_are_told_in_order():
    rows = [{"ticket": t} for t in ("c", "b", "a", "c", "b", "b")]
    answer = said_no(waste_rows.ticket_used_twice(rows), "duplicate-ticket")
    assert answer.facts == {"tickets": ["b", "c"]}
    assert answer.en.endswith("b, c.")
    assert answer.ko.endswith("b, c.")
    many = [{"ticket": f"{n}"} for n in range(6)] * 2
    assert said_no(waste_rows.ticket_used_twice(many), "duplicate-ticket").en.endswith("3, 4.")
    assert waste_rows.ticket_used_twice([{"ticket": "a"}, {"ticket": "b"}]) is None


def test_gases_become_tonnes_by_the_stated_set():
    gases = {"co2": Decimal(1000), "ch4": Decimal(10), "n2o": Decimal(1)}
    assert waste_rows.co2e_t(gases, "SAR") == Decimal("1.52")
    assert waste_rows.co2e_t(gases, "AR5") == Decimal("1.545")
    nothing = waste_rows.no_gases()
    assert nothing == {"co2": 0, "ch4": 0, "n2o": 0}
    assert canonical_bytes(nothing) == b'{"ch4":"0","co2":"0","n2o":"0"}'


def test_a_lot_of_a_gram_is_a_line_and_one_of_nothing_is_none():
    lots = [
        ({"id": name, "date": date(2025, 6, 1)}, Decimal(kg))
        for name, kg in (("a", "0.001"), ("b", "0"))
    ]
    (line,) = waste_rows.daily_lines(lots, "waste-diverted")
    assert (line.meter, line.quantity, line.unit) == ("a", "waste-diverted", "kg")
    assert line.parts == {"2025-06-01": Decimal("0.001")}
    assert line.amount == Decimal("0.001")


def test_factors_of_another_gwp_set_are_refused():
    inputs = stated(LANDFILL, gwp_set="AR5")
    assert waste_rows.gwp_differs(inputs) is None
    grid = {"electricity": factor_set("kr-grid-2018").factors[0]}
    with_factor = replace(inputs, factors=grid)
    answer = said_no(waste_rows.gwp_differs(with_factor), "gwp-differs")
    assert answer.facts == {"stated": "AR5", "chosen": "SAR"}
    assert waste_rows.gwp_differs(replace(with_factor, gwp_set="AR5")) is None
    unset: Any = None
    assert waste_rows.gwp_differs(replace(with_factor, gwp_set=unset)) is None
    refused(LANDFILL, "gwp-differs", with_factor)


# ----------------------------------------------------------------------------------- landfill


def lot(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"urn:ngsi-ld:Lot:t:{number}", "ticket": f"T-{number}", "kind": "food",
        "wet_t": Decimal(100), "route": "recycling", "date": date(2024, 5, 1), **more,
    }  # fmt: skip


def test_lots_of_two_kinds_and_years():
    """The example's food beside itself and paper: kinds apart, lots of a kind and year together."""
    alone = counted(LANDFILL)
    rows = [lot(1), lot(2), lot(3, kind="paper"), lot(4, date=date(2025, 2, 1)),
            lot(5, date=date(2026, 1, 1)), lot(6, wet_t=Decimal(0))]  # fmt: skip
    found = counted(LANDFILL, diverted=rows)
    by_kind = found.details["methane_by_kind_t"]
    assert list(by_kind) == ["food", "paper"]
    with localcontext(ARITHMETIC):
        assert near(by_kind["food"], 2 * alone.details["methane_by_kind_t"]["food"])
        # 100 t × 0.40 × 0.5 × (1 − e^-0.06) × 0.5 × 16/12 × 0.8 × 0.9
        paper = 20 * (1 - Decimal("-0.06").exp()) * Decimal("0.5") * 16 / 12 * Decimal("0.72")
        assert near(by_kind["paper"], paper)
        methane_t = (by_kind["food"] + paper) * 3 / 4
        assert near(found.details["methane_counted_kg"], methane_t * 1000)
        assert near(found.co2e_t, methane_t * 21)
        assert near(found.gases_kg["ch4"], methane_t * 1000) if found.gases_kg else False
        parts = widths(found)
        assert near(parts.pop("coefficient:ipcc-2006-landfill-decay:food"),
                    by_kind["food"] * 3 / 4 * 21 * 30 / 100)  # fmt: skip
        assert near(parts.pop("coefficient:ipcc-2006-landfill-decay:paper"),
                    paper * 3 / 4 * 21 * 30 / 100)  # fmt: skip
        assert parts == {"record:diverted:scale": found.co2e_t / 100}
    assert found.details["maturity"].keys() == {"food", "paper"}
    assert found.details["year"] == 2025
    assert found.coverage["diverted"]["left_out"] == [["urn:ngsi-ld:Lot:t:5", "later"]]
    assert [(line.meter[-1], line.quantity, line.amount, line.unit) for line in found.lines] == [
        (n, "landfill-decay", 100_000, "kg") for n in "123"
    ]


def test_carbon_that_is_no_methane_leaves_as_biogenic_co2():
    found = counted(LANDFILL)
    with localcontext(ARITHMETIC):
        gone = Decimal("7.5") * (1 - Decimal("-0.185").exp())
        methane_carbon = found.details["methane_by_kind_t"]["food"] * 12 / 16
        assert near(found.details["biogenic_co2_avoided_t"], (gone - methane_carbon) * 44 / 12)


def test_the_years_own_waste_gives_its_treatments_gases():
    """10 t each: composted 40 and 3 kg; burnt textiles 2,933.33 kg of CO2, 0.002 and 0.5 kg."""
    rows = [
        lot(1), lot(2, date=date(2025, 1, 1), wet_t=Decimal(10), route="composting"),
        lot(3, date=date(2025, 12, 31), wet_t=Decimal(10), route="incineration", kind="textiles"),
        lot(4, date=date(2025, 12, 31), wet_t=Decimal(10), route="incineration", kind="textiles"),
    ]  # fmt: skip
    found = counted(LANDFILL, diverted=rows)
    alone = counted(LANDFILL)
    assert found.gases_kg is not None
    assert alone.gases_kg is not None
    with localcontext(ARITHMETIC):
        fossil = Decimal(10_000) * Decimal("0.8") * Decimal("0.5") * Decimal("0.2") * 44 / 12
        assert near(found.gases_kg["co2"], -2 * fossil)
        assert near(alone.gases_kg["ch4"] - found.gases_kg["ch4"], 40 + Decimal("0.004"))
        assert near(found.gases_kg["n2o"], -(3 + Decimal(1)))
        treated = (2 * fossil + Decimal("40.004") * 21 + 4 * 310) / 1000
        assert near(found.details["treatment_t"], treated)
        assert near(found.co2e_t, alone.co2e_t - treated)


def test_lots_treated_in_the_year_are_added_in_any_order():
    """20 t composted in two lots give 80 and 6 kg, burnt textiles between them their own."""
    burnt = lot(3, date=date(2025, 6, 1), wet_t=Decimal(10), route="incineration", kind="textiles")
    composted = [
        lot(n, date=date(2025, n, 1), wet_t=Decimal(10), route="composting") for n in (2, 4)
    ]
    found = counted(LANDFILL, diverted=[lot(1), composted[0], burnt, composted[1]])
    alone = counted(LANDFILL, diverted=[lot(1), burnt])
    assert found.gases_kg is not None
    assert alone.gases_kg is not None
    with localcontext(ARITHMETIC):
        assert near(alone.gases_kg["ch4"] - found.gases_kg["ch4"], 80)
        assert near(alone.gases_kg["n2o"] - found.gases_kg["n2o"], 6)


def test_what_landfills_refusals_tell():
    inputs = stated(LANDFILL)
    for start, end in (
        (datetime(2024, 12, 30, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)),
        (datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2026, 12, 31, 15, tzinfo=UTC)),
    ):
        odd = replace(inputs, period=replace(inputs.period, start=start, end=end))
        answer = refused(LANDFILL, "not-a-year", odd)
        first, last = (
            ("2024-12-31", "2026-01-01") if start.day == 30 else ("2025-01-01", "2027-01-01")
        )
        assert answer.facts == {"first": first, "end": last}
    rows = [lot(1, date=date(2025, 5, 1), wet_t=Decimal(10), route="composting")]
    answer = refused(LANDFILL, "not-yet-measurable", diverted=rows)
    # 10 × (4 × 21 + 0.3 × 310) kg
    assert answer.facts == {"year": 2025, "methane_kg": 0, "treatment_t": Decimal("1.77")}
    assert "(0.0 kg)" in answer.en
    assert "1.770 tCO2e" in answer.en
    assert "1.770 tCO2e" in answer.ko.replace('"', "")
    later = refused(LANDFILL, "no-row-usable", diverted=[lot(1, date=date(2026, 5, 1))])
    assert later.facts["table"] == "diverted"
    refused(LANDFILL, "duplicate-ticket", diverted=[lot(1), lot(2, ticket="T-1")])
    refused(LANDFILL, "legally-required", stated(LANDFILL, legal_duty_from="2025-06-01"))


# ------------------------------------------------------------------------------- incineration


def test_what_burning_avoided_states():
    """Plastics 12 t: 33,000 kg of CO2; food none that is fossil; power for 22 t is lost."""
    found = counted(BURNING)
    with localcontext(ARITHMETIC):
        grid = factor_set("kr-grid-2018").factors[0]
        lost = Decimal("6.6") * grid.co2e_kg("SAR") / 1000
        burning = (33_000 + Decimal("0.0044") * 21 + Decimal("1.1") * 310) / 1000
        assert near(found.details["power_lost_t"], lost)
        assert near(found.details["burning_t"], burning)
        assert near(found.co2e_t, burning - lost)
        # Food: 10 t × 0.4 × 0.38 of carbon, all of it biogenic.
        assert near(found.details["biogenic_co2_kg"], Decimal(1520) * 44 / 12)
        assert found.details["wet_t"] == 22
        assert found.gases_kg is not None
        assert near(found.gases_kg["co2"], 33_000 - Decimal("6.6") * Decimal("456.7"))
        assert near(found.gases_kg["n2o"], Decimal("1.1") - Decimal("6.6") * Decimal("0.0085"))
        parts = widths(found)
        food = (Decimal("0.002") * 21 + Decimal("0.5") * 310) / 1000
        assert near(parts["coefficient:ipcc-2006-waste-burning:food"], food * 40 / 100)
        assert near(
            parts["coefficient:ipcc-2006-waste-burning:plastics"], (burning - food) * 40 / 100
        )
        assert near(parts["record:diverted:scale"], found.co2e_t / 100)
        assert len(parts) == 3
    assert found.details["maturity"].keys() == {"food", "plastics"}
    assert [(line.quantity, line.amount) for line in found.lines] == [
        ("waste-diverted", 10_000), ("waste-diverted", 12_000),
    ]  # fmt: skip


def test_lots_of_a_kind_share_its_coefficients():
    row = rows_of(BURNING, "diverted")[1]
    twice = [row, {**row, "id": "urn:ngsi-ld:Lot:t:2", "ticket": "T-2"}]
    one, both = counted(BURNING, diverted=[row]), counted(BURNING, diverted=twice)
    with localcontext(ARITHMETIC):
        for source, half_width in widths(one).items():
            assert near(widths(both)[source], 2 * half_width)


def test_what_burnings_refusals_tell():
    rows = rows_of(BURNING, "diverted", date=date(2025, 7, 1))
    found = counted(BURNING, diverted=rows)
    assert found.coverage["diverted"]["left_out"] == [[rows[0]["id"], "outside-period"]]
    answer = refused(BURNING, "no-row-usable", diverted=rows[:1])
    assert answer.facts["table"] == "diverted"
    refused(BURNING, "duplicate-ticket", diverted=[rows[1], {**rows[1], "id": "urn:ngsi-ld:x:2"}])
    refused(BURNING, "legally-required", stated(BURNING, legal_duty_from="2025-06-01"))


def test_power_known_as_a_total_leaves_the_gases_unknown():
    inputs = stated(BURNING)
    total = replace(
        inputs.factors["electricity"], gases_kg=None, co2e_total_kg=Decimal(460), co2e_gwp_set="SAR"
    )
    found = counted(BURNING, replace(inputs, factors={"electricity": total}))
    assert found.gases_kg is None
    assert found.details["power_lost_t"] == Decimal("3.036")


# ----------------------------------------------------------------------------------------- PET


def energy(**more: Any) -> list[dict[str, Any]]:
    return rows_of(PET, "energy", **more)


def test_what_a_tonne_of_resin_states():
    """0.75 t spared: 1.11 MWh and 15 GJ a tonne; 100 kWh and 20 Nm3 taken in two rows."""
    second = {**energy()[0], "id": "urn:ngsi-ld:Energy:t:2", "electricity_kwh": Decimal(50),
              "gas_nm3": Decimal(8)}  # fmt: skip
    rows = [*energy(electricity_kwh=Decimal(50), gas_nm3=Decimal(12)), second]
    found = counted(PET, energy=rows)
    inputs = stated(PET)
    with localcontext(ARITHMETIC):
        grid, gas = (inputs.factors[n].co2e_kg("SAR") for n in ("electricity", "city-gas"))
        spared = Decimal("0.75") * (Decimal("1.11") * grid + 15 / Decimal("3.6") * gas) / 1000
        assert near(found.details["spared_t"], spared, "1e-18")
        heating = inputs.factors["city-gas"].heating
        assert heating is not None
        assert heating.ncv_mj is not None
        taken = (grid / 10 + 20 * heating.ncv_mj / 3600 * gas) / 1000
        assert near(found.details["project_t"], taken, "1e-18")
        assert near(found.co2e_t, spared - taken, "1e-18")
        assert found.gases_kg is not None
        total = waste_rows.co2e_t(dict(found.gases_kg), "SAR")
        assert near(total, found.co2e_t, "1e-18")
        parts = widths(found)
        assert near(parts["record:lots:scale"], spared / 100, "1e-18")
        assert near(parts["coefficient:ams-iii-aj-resin:pet"], spared / 5, "1e-18")
        assert len(parts) == 2
    assert (found.details["recycled_t"], found.details["counted_t"]) == (1, Decimal("0.75"))
    assert found.details["not_resin_kg"] == 500
    assert found.details["coefficient_maturity"]
    assert [line.quantity for line in found.lines] == ["plastic-recycled"]


def test_energy_known_as_a_total_leaves_the_gases_unknown():
    inputs = stated(PET)
    total = replace(
        inputs.factors["electricity"], gases_kg=None, co2e_total_kg=Decimal(460), co2e_gwp_set="SAR"
    )
    found = counted(PET, replace(inputs, factors={**inputs.factors, "electricity": total}))
    assert found.gases_kg is None


@pytest.mark.parametrize(
    "changes",
    [
        {"bottles": Decimal(125_000), "weight_kg": Decimal(1000)},  # 8 g each
        {"bottles": Decimal(1000), "weight_kg": Decimal(70), "accepted_kg": Decimal(70)},
        {"date": date(2025, 6, 1)},
        {"date": date(2025, 6, 30)},
    ],
)
def test_the_last_lot_that_counts(changes):
    found = counted(PET, lots=rows_of(PET, "lots", **changes), energy=energy(
        electricity_kwh=Decimal(0)))  # fmt: skip
    assert len(found.lines) == 1


def test_what_plastics_refusals_tell():
    rows = [{**energy()[0], "id": f"e{n}", "date": date(2025, 7 if n else 6, 1)} for n in range(8)]
    answer = refused(PET, "energy-outside-period", energy=rows)
    assert answer.facts == {"rows": [f"e{n}" for n in range(1, 8)]}
    assert answer.en.endswith("e1, e2, e3, e4, e5.")
    assert answer.ko.endswith("e1, e2, e3, e4, e5.")
    lots = rows_of(PET, "lots", date=date(2025, 7, 1))
    assert refused(PET, "no-row-usable", lots=lots).facts["table"] == "lots"
    resin = [{**row, "outlet": "resin"} for row in rows_of(PET, "lots")]
    assert canonical_bytes(counted(PET, lots=resin).details["not_resin_kg"]) == b'"0"'


# ----------------------------------------------------------------------------------- pyrolysis


def batches(**changes: Any) -> list[dict[str, Any]]:
    return rows_of(PYROLYSIS, "batches", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"lowest_c": Decimal(50)}, {"highest_c": Decimal(270)}, {"dioxin_ng": Decimal(5)},
        {"lowest_c": Decimal(265)}, {"bricks": Decimal(50)},
        # 0.6 × 1.5 × 50 = 45 of 50 kg is 0.90; 51 of 50 is 1.02.
        {"bricks": Decimal(51), "residue_kg": Decimal(45), "oil_kg": Decimal(305)},
        {"oil_kg": Decimal(220)}, {"oil_kg": Decimal(340)},
        {"date": date(2025, 6, 30)},
    ],
)  # fmt: skip
def test_the_last_batch_that_counts(changes):
    counted(PYROLYSIS, batches=batches(**changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lowest_c": Decimal("49.9")}, "temperature-outside"),
        ({"highest_c": Decimal("270.1")}, "temperature-outside"),
        ({"lowest_c": Decimal(266)}, "temperature-outside"),
        ({"dioxin_ng": Decimal("5.01")}, "dioxin-above-limit"),
        ({"feed_kg": Decimal(1000), "hours": Decimal("23.9")}, "above-capacity"),
        ({"bricks": Decimal(49)}, "bricks-do-not-close"),
        ({"bricks": Decimal(57)}, "bricks-do-not-close"),
        ({"oil_kg": Decimal(219)}, "mass-does-not-close"),
        ({"oil_kg": Decimal(341)}, "mass-does-not-close"),
        ({"date": date(2025, 5, 31)}, "outside-period"),
    ],
)
def test_the_first_batch_that_does_not(changes, reason):
    answer = refused(PYROLYSIS, "no-row-usable", batches=batches(**changes))
    assert answer.facts["left_out"] == [["urn:ngsi-ld:Batch:example:1", reason]]
    assert answer.facts["table"] == "batches"


def gas_factor() -> Any:
    return factor_set("kr-city-gas-2022").factors[0]


def test_what_two_batches_state():
    """110 bricks of 1.5 kg spare 33 kg at 0.2 a kg; 20 kWh, 2 Nm3 and 0.3 kg of carbon come off."""
    first = batches(gas_nm3=Decimal(2), fossil_carbon_kg=Decimal("0.3"))[0]
    second = {**batches()[0], "id": "urn:ngsi-ld:Batch:t:2", "date": date(2025, 6, 11)}
    inputs = stated(PYROLYSIS)
    inputs = replace(inputs, factors={**inputs.factors, "city-gas": gas_factor()})
    found = counted(PYROLYSIS, inputs, batches=[first, second])
    with localcontext(ARITHMETIC):
        grid, gas = (inputs.factors[n].co2e_kg("SAR") for n in ("electricity", "city-gas"))
        heating = inputs.factors["city-gas"].heating
        assert heating is not None
        assert heating.ncv_mj is not None
        carbon = Decimal("0.3") * 44 / 12 / 1000
        taken = carbon + (Decimal("0.02") * grid + 2 * heating.ncv_mj / 3600 * gas) / 1000
        assert near(found.details["project_t"], taken, "1e-18")
        assert near(found.details["spared_t"], Decimal("0.033"))
        assert near(found.co2e_t, Decimal("0.033") - taken, "1e-18")
        assert found.gases_kg is not None
        assert near(waste_rows.co2e_t(dict(found.gases_kg), "SAR"), found.co2e_t, "1e-18")
        assert widths(found) == {"record:batches:scale": found.details["spared_t"] / 100}
    balance = {k: v for k, v in found.details.items() if k not in ("spared_t", "project_t")}
    assert balance == {
        "batches": 2, "feed_kg": 2000, "residue_kg": 100, "residue_kg_per_t": 50, "bricks": 110,
        "bricks_closure_pct": {first["id"]: 99, second["id"]: 99},
        "whole_closure_pct": {first["id"]: 98, second["id"]: 98},
    }  # fmt: skip
    assert [(line.quantity, line.amount) for line in found.lines] == [("waste-diverted", 1000)] * 2
    assert found.coverage["batches"]["used"] == 2


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"electricity_kwh": None}, ["electricity_kwh"]),
        ({"gas_nm3": None, "fossil_carbon_kg": None}, ["gas_nm3", "fossil_carbon_kg"]),
        ({"oil_kg": None}, ["oil, gas and water"]),
        ({"water_kg": None, "gas_kg": None}, ["oil, gas and water"]),
        ({"gas_nm3": Decimal(1)}, ["factor: city-gas"]),
    ],
)
def test_what_is_lacking_is_named(changes, lacking):
    answer = refused(PYROLYSIS, "not-yet-measurable", batches=batches(**changes))
    assert answer.facts["lacking"] == lacking
    assert ", ".join(lacking) in answer.en
    assert ", ".join(lacking) in answer.ko
    whole = None if "oil, gas and water" in lacking else 98
    assert answer.facts["whole_closure_pct"] == {"urn:ngsi-ld:Batch:example:1": whole}
    assert answer.facts["batches"] == 1


def test_one_batch_that_lacks_is_enough():
    second = {**batches()[0], "id": "urn:ngsi-ld:Batch:t:2"}
    del second["gas_nm3"]
    answer = refused(PYROLYSIS, "not-yet-measurable", batches=[*batches(), second])
    assert answer.facts["lacking"] == ["gas_nm3"]


def test_no_power_needs_no_factor_and_unknown_gases_stay_unknown():
    inputs = stated(PYROLYSIS)
    without = replace(inputs, factors={"displaced-product": inputs.factors["displaced-product"]})
    found = counted(PYROLYSIS, without, batches=batches(electricity_kwh=Decimal(0)))
    assert found.co2e_t == found.details["spared_t"] == Decimal("0.0165")
    total = replace(
        inputs.factors["electricity"], gases_kg=None, co2e_total_kg=Decimal(460), co2e_gwp_set="SAR"
    )
    vague = counted(PYROLYSIS, replace(inputs, factors={**inputs.factors, "electricity": total}))
    assert vague.gases_kg is None
    refused(PYROLYSIS, "legally-required", stated(PYROLYSIS, legal_duty_from="2025-06-01"))
