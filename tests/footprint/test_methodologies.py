"""Methodologies: each reproduces its worked example and says no where it does not apply."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext

import pytest

from onsil.core.canonical import canonical_bytes, plain
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.engines import run_2
from onsil.footprint.factors import factor_set
from onsil.footprint.factors.gwp import gwp
from onsil.footprint.intervals import energy_intervals, fate_at, temperature_intervals
from onsil.footprint.methodologies import (
    Methodology,
    building_energy_savings,
    check_parameters,
    check_tables,
    coefficients_of,
    creditable,
    methodologies,
    methodology,
    monitoring_of,
    solar_self_consumption,
)
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome

START = datetime(2025, 6, 1, tzinfo=UTC)


def run(made: Methodology, inputs: MethodInputs) -> Outcome | Refusal:
    with localcontext(ARITHMETIC):
        return made.quantify(inputs)


def series(values, *, unit="W", step=900, kind="gauge", role="generation") -> ActivitySeries:
    kept = [(START + i * timedelta(seconds=step), v) for i, v in enumerate(values) if v is not None]
    return ActivitySeries(
        role, "urn:ngsi-ld:Meter:x:1", role, unit, step, kind, "measured",
        tuple(t for t, _ in kept), tuple(Decimal(v) for _, v in kept),
    )  # fmt: skip


def solar(values, exported=None, **parameters) -> Outcome | Refusal:
    period = Period(START, START + len(values) * timedelta(minutes=15))
    stated = {
        "capacity_kw": Decimal(5), "no_export": exported is None,
        "meter_uncertainty_pct": Decimal(2), "coverage_min_pct": Decimal(80), **parameters,
    }  # fmt: skip
    found = {"generation": series(values)}
    if exported is not None:
        found["export"] = series(exported, role="export")
    factor = factor_set("kr-grid-2018").factors[0]
    return run(
        solar_self_consumption,
        MethodInputs(period, "Asia/Seoul", stated, found, {"electricity": factor}, "SAR"),
    )


# The kit that every installed methodology passes.


@pytest.mark.parametrize("made", methodologies(), ids=lambda m: f"{m.ID}-{m.VERSION}")
class TestEveryMethodology:
    def test_reproduces_its_worked_example(self, made):
        example = made.worked_example()
        found = run(made, example.inputs)
        assert isinstance(found, Outcome), found
        assert found.co2e_t == example.co2e_t

    def test_gives_the_same_twice(self, made):
        inputs = made.worked_example().inputs
        assert run(made, inputs) == run(made, inputs)

    def test_names_sources_formula_and_conditions_in_both_languages(self, made):
        assert made.SOURCES
        assert "=" in made.FORMULA
        assert made.TITLE_KO
        assert made.TITLE_EN
        assert all(ko and en for ko, en in made.CONDITIONS)
        assert made.__doc__

    def test_is_found_by_its_name(self, made):
        assert methodology(made.ID, made.VERSION) is made

    def test_gases_add_up_to_the_total(self, made):
        """Where they are known apart; a CO2e total alone has nothing to add up."""
        inputs = made.worked_example().inputs
        found = run(made, inputs)
        assert isinstance(found, Outcome)
        if found.gases_kg is None:
            return
        with localcontext(ARITHMETIC):
            total = sum(kg * gwp(inputs.gwp_set, gas) for gas, kg in found.gases_kg.items()) / 1000
        assert abs(total - found.co2e_t) < Decimal("1e-30")

    def test_the_examples_tables_and_parameters_are_well_typed(self, made):
        inputs = made.worked_example().inputs
        assert check_tables(made, inputs.tables) == {
            role: tuple(sorted(rows, key=lambda row: row["id"]))
            for role, rows in inputs.tables.items()
        }
        assert check_tables(made, plain(inputs.tables)) == check_tables(made, inputs.tables)
        assert check_parameters(made, inputs.parameters) == inputs.parameters
        assert {need.table for need in coefficients_of(made)} == set(inputs.coefficients)

    def test_a_column_or_table_nobody_knows_is_refused(self, made, refused):
        inputs = made.worked_example().inputs
        refused(check_tables(made, {**inputs.tables, "colours": []}), "role-missing")
        for role, rows in inputs.tables.items():
            odd = [{**rows[0], "colour": "red"}, *rows[1:]]
            refused(check_tables(made, {**inputs.tables, role: odd}), "row-invalid")
            twice = [*rows, rows[0]]
            refused(check_tables(made, {**inputs.tables, role: twice}), "row-invalid")

    def test_parts_sum_to_their_amount(self, made):
        found = run(made, made.worked_example().inputs)
        assert isinstance(found, Outcome)
        for line in found.lines:
            assert line.amount > 0
            if line.parts is not None:
                assert sum(line.parts.values()) == line.amount
                assert all(part >= 0 for part in line.parts.values())

    def test_uncertainty_names_its_sources(self, made):
        found = run(made, made.worked_example().inputs)
        assert isinstance(found, Outcome)
        assert found.uncertainty["sources"]
        for one in found.uncertainty.get("components", []):
            assert one["ko"]
            assert one["en"]
            assert one["source"].partition(":")[0] in (
                "meter", "meters", "factor", "coefficient", "model", "sampling", "record",
            )  # fmt: skip

    def test_outputs_can_be_written_canonically(self, made):
        found = run(made, made.worked_example().inputs)
        assert isinstance(found, Outcome)
        assert canonical_bytes(run_2.quantified(found))

    def test_what_is_monitored_is_said_in_both_languages(self, made):
        for one in monitoring_of(made):
            assert all(getattr(one, field.name) for field in fields(one))


def test_behaviour_and_moved_energy_never_become_units():
    rewards = {made.ID for made in methodologies() if not creditable(made)}
    assert rewards >= {"bus-modal-shift", "citizen-actions", "demand-response"}
    assert creditable(solar_self_consumption)


def test_an_unknown_methodology_is_refused(refused):
    assert "solar-self-consumption" in refused(methodology("phlogiston"), "unknown-methodology").en
    refused(methodology("solar-self-consumption", "99"), "unknown-methodology")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"capacity_kw": "5", "colour": "red"},
        {"capacity_kw": 5.0},
        {"capacity_kw": "-1"},
        {"capacity_kw": "NaN"},
        {"capacity_kw": "five"},
        {"capacity_kw": "5", "no_export": "yes"},
        {"capacity_kw": "5", "meter_uncertainty_pct": "6"},
    ],
)
def test_wrong_parameters_are_refused(refused, given):
    refused(check_parameters(solar_self_consumption, given), "parameter-invalid")


def test_parameters_are_typed_and_completed():
    found = check_parameters(solar_self_consumption, {"capacity_kw": 5, "no_export": True})
    assert found == {
        "capacity_kw": Decimal(5), "no_export": True,
        "meter_uncertainty_pct": Decimal("2.0"), "coverage_min_pct": Decimal(90),
    }  # fmt: skip


def test_a_gap_is_missing_and_never_zero():
    found = solar([4000] * 9 + [None])
    assert isinstance(found, Outcome)
    coverage = found.coverage["generation"]
    assert found.lines[0].amount == 9000
    assert (coverage["used"], coverage["missing"], coverage["excluded"]) == (9, 1, {})
    assert coverage["gaps"] == [[9, 10, "missing"]]


def test_impossible_intervals_are_excluded_with_their_reasons():
    found = solar([4000] * 16 + [-5, 6000, 4000, 4000], [0] * 18 + [5000, None])
    assert isinstance(found, Outcome)
    assert found.coverage["generation"]["excluded"] == {
        "above-capacity": 1, "export-impossible": 1, "export-missing": 1, "negative": 1,
    }  # fmt: skip
    assert found.lines[0].amount == 16_000


def test_a_little_above_capacity_is_still_possible():
    found = solar([5500] * 10)
    assert isinstance(found, Outcome)
    assert found.lines[0].amount == 13_750


def test_too_many_gaps_and_unknown_export_are_refused(refused):
    answer = refused(solar([4000] * 7 + [None] * 3), "coverage-too-low")
    assert answer.facts["used_pct"] == 70
    refused(solar([4000] * 10, no_export=False), "export-unknown")
    refused(solar([0] * 10), "nothing-generated")


def test_the_meters_uncertainty_is_carried():
    found = solar([4000] * 10, meter_uncertainty_pct=Decimal(3))
    assert isinstance(found, Outcome)
    assert found.uncertainty["half_width_wh"] == 300


@pytest.mark.parametrize(
    ("made", "total_wh"),
    [
        (series([1000, 1000]), 500),
        (series([1, 2], unit="kW"), 750),
        (series([1, 2], unit="kWh", kind="interval"), 3000),
        (series([1, 2], unit="KWH", kind="interval"), 3000),
        (series([3600], unit="kJ", kind="interval"), 1000),
        (series([100, 103, 110], unit="kWh", kind="counter"), 10_000),
        (series([100, 103, 2, 5], unit="kWh", kind="counter"), 6000),
    ],
)
def test_energy_whatever_the_unit_and_the_kind(made, total_wh):
    period = Period(START, START + len(made.times) * timedelta(minutes=15))
    found = energy_intervals(made, period)
    assert not isinstance(found, Refusal)
    assert sum(v for v in found.values if v is not None) == total_wh


def test_a_counters_reset_and_open_end_are_excluded():
    made = series([100, 103, 2, 5], unit="kWh", kind="counter")
    found = energy_intervals(made, Period(START, START + timedelta(hours=1)))
    assert not isinstance(found, Refusal)
    assert found.fates == ["used", "counter-reset", "used", "counter-open"]


def test_other_units_are_refused(refused):
    period = Period(START, START + timedelta(hours=1))
    refused(energy_intervals(series([1], unit="degC"), period), "unit-mismatch")
    refused(temperature_intervals(series([1], unit="kWh"), period), "unit-mismatch")
    refused(energy_intervals(series([1], step=0), period), "no-interval")


def test_readings_off_the_grid_and_outside_are_not_used():
    made = series([1000] * 4)
    shifted = replace(made, times=tuple(t + timedelta(minutes=2) for t in made.times))
    found = energy_intervals(shifted, Period(START, START + timedelta(minutes=45)))
    assert not isinstance(found, Refusal)
    assert found.coverage()["used"] == 0
    assert found.off_grid == 3


def test_the_fate_of_one_interval_is_told():
    coverage = {"step_s": 900, "expected": 4, "gaps": [[1, 3, "missing"]]}
    assert [fate_at(coverage, 900 * i) for i in range(5)] == [
        "used", "missing", "missing", "used", "outside",
    ]  # fmt: skip


def building(**changes) -> MethodInputs:
    inputs = building_energy_savings.worked_example().inputs
    parameters = {**inputs.parameters, **changes.pop("parameters", {})}
    found = {**inputs.series, **changes.pop("series", {})}
    factors = {**inputs.factors, "city-gas": factor_set("kr-city-gas-2022").factors[0]}
    return replace(inputs, parameters=parameters, series=found, factors=factors, **changes)


def scaled(one: ActivitySeries, share: str, role: str = "electricity") -> ActivitySeries:
    """The same use in the first year, a share of it in the second."""
    values = [v if i < 365 else v * Decimal(share) for i, v in enumerate(one.values)]
    return replace(one, role=role, attribute=role, values=tuple(values))


@pytest.fixture
def plain_use() -> ActivitySeries:
    """The worked example's electricity without its saving."""
    one = building().series["electricity"]
    return replace(
        one, values=tuple(v if i < 365 else v * 10 / 8 for i, v in enumerate(one.values))
    )


def test_days_with_a_gap_are_left_out_of_both_sides():
    one = building().series["electricity"]
    holes = set(range(400, 430))
    kept = [i for i in range(730) if i not in holes]
    gapped = replace(
        one, times=tuple(one.times[i] for i in kept), values=tuple(one.values[i] for i in kept)
    )
    found = run(building_energy_savings, building(series={"electricity": gapped}))
    assert isinstance(found, Outcome)
    coverage = found.coverage["electricity"]["reporting"]
    assert (coverage["expected"], coverage["used"], coverage["missing"]) == (365, 335, 30)
    whole = run(building_energy_savings, building())
    assert isinstance(whole, Outcome)
    lost = sum(one.values[i] / 4 for i in holes)
    assert whole.lines[0].amount - found.lines[0].amount == lost


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"baseline_start": date(2023, 2, 1)}, "baseline-too-short"),
        (
            {"baseline_start": date(2023, 1, 2), "baseline_end": date(2024, 1, 2)},
            "baseline-overlaps",
        ),
        ({"solar_added": True}, "solar-not-metered"),
    ],
)
def test_where_whole_facility_does_not_apply(refused, parameters, code):
    refused(run(building_energy_savings, building(parameters=parameters)), code)


def test_a_building_needs_a_meter_and_gas_its_basis(refused, plain_use):
    inputs = building()
    bare = replace(inputs, series={"temperature": inputs.series["temperature"]})
    refused(run(building_energy_savings, bare), "no-carrier")
    gas = building(series={"gas": scaled(plain_use, "0.9", "gas")})
    refused(run(building_energy_savings, gas), "gas-basis-unknown")


def test_gas_counts_by_net_calorific_value(plain_use):
    def tonnes(basis: str) -> Decimal:
        inputs = building(
            series={"gas": scaled(plain_use, "0.9", "gas")}, parameters={"gas_energy_basis": basis}
        )
        without = dict(inputs.series)
        del without["electricity"]
        found = run(building_energy_savings, replace(inputs, series=without))
        assert isinstance(found, Outcome)
        return found.co2e_t

    ratio = tonnes("gcv") / tonnes("ncv")
    assert ratio.quantize(Decimal("0.0001")) == (Decimal("38.5") / Decimal("42.7")).quantize(
        Decimal("0.0001")
    )


def test_more_of_one_carrier_is_taken_off_the_other(plain_use):
    found = run(
        building_energy_savings,
        building(
            series={"gas": scaled(plain_use, "1.1", "gas")},
            parameters={"gas_energy_basis": "ncv"},
        ),
    )
    alone = run(building_energy_savings, building())
    assert isinstance(found, Outcome)
    assert isinstance(alone, Outcome)
    assert found.co2e_t < alone.co2e_t
    assert [line.quantity for line in found.lines] == ["electricity-saved"]


def test_nothing_saved_is_not_yet_measurable(refused, plain_use):
    inputs = building(series={"electricity": plain_use})
    answer = refused(run(building_energy_savings, inputs), "not-yet-measurable")
    assert answer.facts["carriers"]["electricity"]["counted_wh"] == 0


def test_a_baseline_without_weather_in_it_is_not_yet_measurable(refused):
    one = building().series["electricity"]
    wild = replace(
        one, values=tuple(Decimal(1000 + 90_000 * (i % 61 > 30)) for i in range(len(one.values)))
    )
    answer = run(building_energy_savings, building(series={"electricity": wild}))
    assert refused(answer, "not-yet-measurable").facts["carrier"] == "electricity"


def test_added_solar_is_metered_back(plain_use):
    """What the panels made and the house used is use, not savings."""
    made = Decimal(3000)
    grid = replace(
        plain_use,
        values=tuple(v if i < 365 else v - made for i, v in enumerate(plain_use.values)),
    )
    flat = [made] * 730
    inputs = building(
        series={
            "electricity": grid,
            "generation": replace(plain_use, role="generation", values=tuple(flat)),
            "export": replace(plain_use, role="export", values=tuple([Decimal(0)] * 730)),
        },
        parameters={"solar_added": True},
    )
    assert isinstance(run(building_energy_savings, inputs), Refusal)
    forgotten = run(building_energy_savings, building(series={"electricity": grid}))
    assert isinstance(forgotten, Outcome)
    assert forgotten.lines[0].amount == 365 * made


def test_hourly_buildings_are_judged_by_the_hour():
    count = 730 * 24
    start = datetime(2023, 1, 1, tzinfo=UTC)
    times = tuple(start + timedelta(hours=i) for i in range(count))
    felt = [10 + (i // 24) % 20 - (i % 24) // 4 for i in range(count)]
    level = [300 if 8 <= i % 24 < 18 else 100 for i in range(count)]
    use = [Decimal(a + 20 * max(15 - t, 0)) for a, t in zip(level, felt, strict=True)]
    saved = [v if i < 365 * 24 else v * 9 / 10 for i, v in enumerate(use)]

    def hourly(role: str, unit: str, values) -> ActivitySeries:
        return ActivitySeries(
            role, "urn:ngsi-ld:Building:x:1", role, unit, 3600, "interval", "measured", times,
            tuple(Decimal(v) for v in values),
        )  # fmt: skip

    inputs = building(
        period=Period(times[365 * 24], times[-1] + timedelta(hours=1)),
        series={
            "temperature": hourly("temperature", "degC", felt),
            "electricity": hourly("electricity", "Wh", saved),
        },
        parameters={"resolution": "hourly", "model_electricity": "TOWT"},
    )
    found = run(building_energy_savings, inputs)
    assert isinstance(found, Outcome), found
    detail = found.details["carriers"]["electricity"]
    assert detail["judged_at"] == "hourly"
    assert abs(detail["savings_pct"] - 10) < Decimal("0.5")


def test_months_are_cut_in_the_citys_zone():
    """15:00 UTC on 30 June is the first of July in Seoul."""
    start = datetime(2025, 6, 30, 14, tzinfo=UTC)
    values = [1000] * 8
    made = replace(series(values), times=tuple(start + i * timedelta(minutes=15) for i in range(8)))
    inputs = replace(
        solar_self_consumption.worked_example().inputs,
        period=Period(start, start + timedelta(hours=2)),
        series={"generation": made},
        parameters={
            "capacity_kw": Decimal(5), "no_export": True,
            "meter_uncertainty_pct": Decimal(2), "coverage_min_pct": Decimal(90),
        },
    )  # fmt: skip
    found = run(solar_self_consumption, inputs)
    assert isinstance(found, Outcome)
    assert found.details["monthly_wh"] == {"2025-06": 1000, "2025-07": 1000}
