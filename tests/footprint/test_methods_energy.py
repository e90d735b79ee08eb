"""Grid solar, lamps, appliances and district heat: what counts, what does not, and why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from method_kit import changed, electricity, outcome, reasons, refusal, run

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies import (
    district_heat_saving,
    efficient_appliances,
    grid_solar,
    led_replacement,
)
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.terms import ActivitySeries, MethodInputs

START = datetime(2025, 6, 1, 3, tzinfo=UTC)
POUND_KG = Decimal("0.45359237")


def plant(sent, taken=None, **parameters) -> MethodInputs:
    """A plant of 25 kW whose quarter-hours are given in W; None was not measured."""

    def series(role, watts):
        kept = [(i, w) for i, w in enumerate(watts) if w is not None]
        return ActivitySeries(
            role, f"urn:ngsi-ld:Meter:x:{role}", "power", "W", 900, "gauge", "measured",
            tuple(START + i * timedelta(minutes=15) for i, _ in kept),
            tuple(Decimal(w) for _, w in kept),
        )  # fmt: skip

    found = {"generation": series("generation", sent)}
    if taken is not None:
        found["import"] = series("import", taken)
    inputs = changed(grid_solar, parameters={"no_import": taken is None, **parameters})
    period = Period(START, START + len(sent) * timedelta(minutes=15))
    return replace(inputs, series=found, period=period)


class TestGridSolar:
    def test_what_is_imported_is_taken_off(self):
        found = outcome(grid_solar, plant([20_000] * 10, [400] * 10))
        assert found.lines[0].amount == 49_000
        assert found.lines[0].parts is None
        assert found.details["imported_wh"] == 1000

    def test_generation_not_measured_adds_nothing(self):
        found = outcome(grid_solar, plant([20_000] * 9 + [None]))
        assert found.lines[0].amount == 45_000
        assert found.lines[0].parts == {"2025-06-01": 45_000}
        assert found.coverage["generation"]["missing"] == 1

    def test_import_not_measured_is_taken_for_the_largest_known(self):
        found = outcome(grid_solar, plant([20_000] * 10, [400] * 8 + [800, None]))
        assert found.details["imported_wh"] == 800 + 200 + 200
        assert found.details["import_intervals_filled"] == 1

    def test_the_boundary_is_the_stated_one(self):
        consumption = factor_set("kr-grid-2018").factors[0]
        inputs = plant([20_000] * 10)
        mixed = replace(inputs, factors={"electricity": consumption})
        facts = refusal(grid_solar, mixed, "factor-boundary-differs").facts
        assert facts == {"stated": "generation", "factor": "kr-grid-2018/electricity/consumption"}
        stated = plant([20_000] * 10, displaced_at="consumption")
        used = outcome(grid_solar, replace(stated, factors={"electricity": consumption}))
        assert used.co2e_t == Decimal("0.05") * Decimal("0.4594106")
        refusal(grid_solar, stated, "factor-boundary-differs")

    def test_not_before_commissioning_nor_after_a_legal_duty(self):
        refusal(
            grid_solar, plant([20_000] * 10, commissioned=date(2025, 6, 2)), "before-commissioning"
        )
        duty = plant([20_000] * 10, legal_duty_from=date(2025, 6, 1))
        assert (
            refusal(grid_solar, duty, "legally-required").facts["legal_duty_from"] == "2025-06-01"
        )
        outcome(grid_solar, plant([20_000] * 10, legal_duty_from=date(2025, 6, 2)))

    def test_days_are_those_of_the_city(self):
        inputs = plant([20_000] * 8, commissioned=date(2025, 6, 1))
        start = datetime(2025, 5, 31, 15, tzinfo=UTC)
        one = inputs.series["generation"]
        times = tuple(start + i * timedelta(minutes=15) for i in range(8))
        late = replace(
            inputs, period=Period(start, start + timedelta(hours=2)),
            series={"generation": replace(one, times=times)},
        )  # fmt: skip
        found = outcome(grid_solar, late)
        assert found.lines[0].parts == {"2025-06-01": 40_000}
        assert found.details["import_intervals_filled"] == 0
        early = replace(late, parameters={**late.parameters, "commissioned": date(2025, 6, 2)})
        facts = refusal(grid_solar, early, "before-commissioning").facts
        assert facts == {"commissioned": "2025-06-02"}

    def test_import_must_be_known(self):
        refusal(grid_solar, plant([20_000] * 10, no_import=False), "import-unknown")

    def test_impossible_intervals_and_too_few_are_refused(self):
        found = outcome(grid_solar, plant([20_000] * 18 + [-1, 28_000]))
        assert found.coverage["generation"]["excluded"] == {"above-capacity": 1, "negative": 1}
        assert outcome(grid_solar, plant([27_500] * 10)).lines[0].amount == 68_750
        refusal(grid_solar, plant([20_000] * 8 + [None] * 2), "coverage-too-low")
        refusal(grid_solar, plant([20_000] * 10, [1] * 8 + [None] * 2), "coverage-too-low")
        refusal(grid_solar, plant([100] * 10, [200] * 10), "nothing-saved")

    def test_readings_out_of_calibration_do_not_count(self):
        answer = plant([20_000] * 10, calibrated_until=date(2025, 6, 1))
        facts = refusal(grid_solar, answer, "coverage-too-low").facts
        assert facts["used"] == 0
        outcome(grid_solar, plant([20_000] * 10, calibrated_until=date(2025, 6, 2)))

    def test_another_unit_is_refused(self):
        inputs = plant([20_000] * 10)
        wrong = {"generation": replace(inputs.series["generation"], unit="degC")}
        refusal(grid_solar, replace(inputs, series=wrong), "unit-mismatch")


@given(st.lists(st.integers(0, 5000), min_size=10, max_size=40), st.integers(2, 5))
@settings(deadline=None, max_examples=40)
def test_plants_linear_in_what_is_sent_out(watts, times):
    once, more = (run(grid_solar, plant([w * k for w in watts])) for k in (1, times))
    if isinstance(once, Refusal):
        assert not any(watts)
        return
    assert not isinstance(more, Refusal)
    assert more.co2e_t == times * once.co2e_t > 0


def fixture(number=1, **columns):
    return {
        "id": f"lamp-{number}", "count": Decimal(1), "before_w": Decimal(43), "after_w": Decimal(9),
        "installed": date(2025, 1, 1), "hours_basis": "logged", "hours": Decimal(300), **columns,
    }  # fmt: skip


def lamps(*rows, **parameters) -> MethodInputs:
    stated = {"interactive_pct": Decimal(0), **parameters}
    return changed(led_replacement, {"fixtures": rows}, stated)


class TestLed:
    def test_the_environmental_agencys_lamp(self):
        """Golden 17: 37.2 kWh × 1,558.8 lb/MWh = 2.63E-02 t a lamp and year."""
        us = electricity(str(Decimal("1558.8") * POUND_KG))
        printed = Decimal("2.63E-2")
        assert emissions(Decimal(37_200), us, "AR5")["co2e_t"].quantize(printed) == printed
        year = Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
        inputs = lamps(fixture(hours=Decimal(3 * 365)))
        inputs = replace(
            inputs, period=year, zone="UTC", factors={"electricity": us}, gwp_set="AR5"
        )
        found = outcome(led_replacement, inputs)
        assert round(found.lines[0].amount, -2) == 37_200
        assert found.co2e_t.quantize(printed) == printed

    def test_metered_hours_come_from_the_new_lamps_energy(self):
        row = fixture(hours_basis="metered", metered_kwh=Decimal("0.9"), count=Decimal(2))
        assert outcome(led_replacement, lamps(row)).lines[0].amount == 2 * 34 * 50

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ({"after_w": Decimal(43)}, "not-less-power"),
            ({"hours": None}, "hours-missing"),
            ({"hours": Decimal(721)}, "hours-impossible"),
            ({"installed": date(2025, 6, 16), "hours": Decimal(361)}, "hours-impossible"),
            ({"installed": date(2025, 7, 1)}, "installed-later"),
            ({"hours_basis": "metered"}, "hours-missing"),
            (
                {"hours_basis": "metered", "metered_kwh": Decimal(1), "after_w": Decimal(0)},
                "hours-missing",
            ),
            (
                {
                    "hours_basis": "metered", "metered_kwh": Decimal(1),
                    "calibrated_until": date(2025, 6, 30),
                },
                "out-of-calibration",
            ),
            ({"old_life_ends": date(2025, 6, 30)}, "standard-power-missing"),
        ],
    )  # fmt: skip
    def test_a_row_that_does_not_count_says_why(self, columns, reason):
        bad = {k: v for k, v in fixture(2, **columns).items() if v is not None}
        found = outcome(led_replacement, lamps(fixture(), bad))
        assert reasons(found, "fixtures") == {"lamp-2": reason}
        assert [line.meter for line in found.lines] == ["lamp-1"]
        coverage = found.coverage["fixtures"]
        assert coverage["missing"] == (1 if reason.endswith("missing") else 0)
        assert coverage["expected"] == coverage["used"] + 1 == 2
        assert reasons(refusal(led_replacement, lamps(bad), "no-row-usable"), "") == {
            "lamp-2": reason
        }

    @pytest.mark.parametrize(
        "columns",
        [
            {"hours": Decimal(720)},
            {"installed": date(2025, 6, 16), "hours": Decimal(360)},
            {"installed": date(2025, 6, 30), "hours": Decimal(24)},
            {"old_life_ends": date(2025, 7, 1)},
            {"calibrated_until": date(2025, 1, 1)},
        ],
    )
    def test_the_last_hour_possible_counts(self, columns):
        outcome(led_replacement, lamps(fixture(**columns)))

    def test_after_the_old_lamps_life_the_standard_lamp_is_the_baseline(self):
        row = fixture(old_life_ends=date(2025, 6, 11), standard_w=Decimal(19))
        assert outcome(led_replacement, lamps(row)).lines[0].amount == 100 * 34 + 200 * 10
        lesser = fixture(old_life_ends=date(2025, 6, 11), standard_w=Decimal(5))
        assert outcome(led_replacement, lamps(lesser)).lines[0].amount == 100 * 34
        greater = fixture(old_life_ends=date(2025, 6, 11), standard_w=Decimal(100))
        assert outcome(led_replacement, lamps(greater)).lines[0].amount == 300 * 34

    def test_installed_within_the_period_and_the_old_lamps_life_ending_in_it(self):
        row = fixture(
            installed=date(2025, 6, 11), old_life_ends=date(2025, 6, 21), standard_w=Decimal(19)
        )
        assert outcome(led_replacement, lamps(row)).lines[0].amount == 150 * 34 + 150 * 10

    def test_heating_that_replaces_the_lamps_warmth_is_taken_off(self):
        whole = outcome(led_replacement, lamps(fixture()))
        less = outcome(led_replacement, lamps(fixture(), interactive_pct=Decimal(20)))
        assert less.co2e_t == whole.co2e_t * Decimal("0.8")
        refusal(led_replacement, lamps(fixture(hours=Decimal(0))), "nothing-saved")

    def test_law_ends_the_crediting(self):
        refusal(
            led_replacement, lamps(fixture(), legal_duty_from=date(2025, 6, 30)), "legally-required"
        )
        outcome(led_replacement, lamps(fixture(), legal_duty_from=date(2025, 7, 1)))

    def test_stipulated_hours_are_less_certain_than_logged_ones(self):
        logged = outcome(led_replacement, lamps(fixture()))
        guessed = outcome(led_replacement, lamps(fixture(hours_basis="stipulated")))
        assert (logged.uncertainty["relative_pct"], guessed.uncertainty["relative_pct"]) == (5, 20)
        two = outcome(led_replacement, lamps(fixture(), fixture(2)))
        assert two.uncertainty["relative_pct"] == 5
        assert two.details == {"saved_wh_by_hours_basis": {"logged": 20_400}}
        both = outcome(led_replacement, lamps(fixture(), fixture(2, hours_basis="stipulated")))
        assert len(both.uncertainty["components"]) == 2


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(10, 200), st.integers(1, 720)), min_size=1,
        max_size=6,
    ),
    st.integers(2, 4),
    st.randoms(use_true_random=False),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_lamps_linear_never_below_nothing_and_free_of_order(shape, times, random):
    def rows(factor):
        return [
            fixture(i, count=Decimal(n * factor), before_w=Decimal(9 + w), hours=Decimal(h))
            for i, (n, w, h) in enumerate(shape)
        ]

    once = outcome(led_replacement, lamps(*rows(1)))
    shuffled = rows(times)
    random.shuffle(shuffled)
    more = outcome(led_replacement, lamps(*shuffled))
    assert more.co2e_t == times * once.co2e_t > 0
    assert sum(line.amount for line in once.lines) == sum(n * w * h for n, w, h in shape)


def fridge(number=1, **columns):
    return {
        "id": f"fridge-{number}", "kind": "refrigerator", "baseline_kwh_per_year": Decimal(730),
        "rated_kwh_per_year": Decimal(365), "installed": date(2025, 1, 1), "old_scrapped": True,
        "in_service": True, **columns,
    }  # fmt: skip


def fridges(*rows, **parameters) -> MethodInputs:
    stated = {"rebound_pct": Decimal(0), **parameters}
    return changed(efficient_appliances, {"appliances": rows}, stated)


class TestAppliances:
    def test_by_label_over_thirty_days(self):
        assert outcome(efficient_appliances, fridges(fridge())).lines[0].amount == 30_000

    def test_what_was_metered_goes_before_the_label(self):
        row = fridge(metered_kwh=Decimal(3), metered_days=Decimal(6))
        assert outcome(efficient_appliances, fridges(row)).lines[0].amount == 45_000

    def test_one_not_seen_counts_at_the_surveyed_rate(self):
        row = {k: v for k, v in fridge().items() if k != "in_service"}
        found = outcome(efficient_appliances, fridges(row, rebound_pct=Decimal(10)))
        assert found.lines[0].amount == 30_000 * Decimal("0.9") * Decimal("0.9")
        sources = [one["source"] for one in found.uncertainty["components"]]
        assert sources == ["sampling:appliances:rated use", "sampling:appliances:in service"]
        # 1.96 × sqrt(0.9 × 0.1 / 50) / 0.9 = 9.24 % beside the label's 20 %
        assert found.uncertainty["relative_pct"] == Decimal("22.03")

    def test_days_before_and_after_do_not_count(self):
        late = outcome(efficient_appliances, fridges(fridge(installed=date(2025, 6, 16))))
        assert late.lines[0].amount == 15_000
        ended = outcome(efficient_appliances, fridges(fridge(life_ends=date(2025, 6, 4))))
        assert ended.lines[0].amount == 3_000

    @pytest.mark.parametrize(
        ("columns", "reason"),
        [
            ({"old_scrapped": False}, "old-not-scrapped"),
            ({"in_service": False}, "not-in-service"),
            ({"installed": date(2025, 7, 1)}, "not-in-period"),
            ({"life_ends": date(2025, 6, 1)}, "not-in-period"),
            ({"rated_kwh_per_year": None}, "project-use-missing"),
            ({"metered_kwh": Decimal(1)}, "project-use-missing"),
            ({"rated_kwh_per_year": Decimal(730)}, "not-less-use"),
            (
                {
                    "metered_kwh": Decimal(3), "metered_days": Decimal(6),
                    "calibrated_until": date(2025, 6, 30),
                },
                "out-of-calibration",
            ),
        ],
    )  # fmt: skip
    def test_a_row_that_does_not_count_says_why(self, columns, reason):
        bad = {k: v for k, v in fridge(2, **columns).items() if v is not None}
        found = outcome(efficient_appliances, fridges(fridge(), bad))
        assert reasons(found, "appliances") == {"fridge-2": reason}
        assert len(found.lines) == 1
        answer = refusal(efficient_appliances, fridges(bad), "no-row-usable")
        assert answer.facts["table"] == "appliances"

    def test_rows_are_told_by_how_they_were_known(self):
        metered = fridge(2, metered_kwh=Decimal(3), metered_days=Decimal(6))
        unseen = {k: v for k, v in fridge(3).items() if k != "in_service"}
        found = outcome(efficient_appliances, fridges(fridge(), metered, unseen))
        assert found.details == {"rows_metered": 1, "rows_seen_in_service": 2}

    def test_law_ends_the_crediting(self):
        answer = fridges(fridge(), legal_duty_from=date(2025, 6, 2))
        refusal(efficient_appliances, answer, "legally-required")

    def test_none_in_service_saves_nothing(self):
        row = {k: v for k, v in fridge().items() if k != "in_service"}
        refusal(efficient_appliances, fridges(row, in_service_pct=Decimal(0)), "nothing-saved")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.randoms())
@settings(deadline=None, max_examples=30)
def test_appliances_free_of_order_and_the_sum_of_its_rows(savings, random):
    rows = [fridge(i, baseline_kwh_per_year=Decimal(365 + s)) for i, s in enumerate(savings)]
    alone = [outcome(efficient_appliances, fridges(row)).co2e_t for row in rows]
    random.shuffle(rows)
    together = outcome(efficient_appliances, fridges(*rows)).co2e_t
    assert abs(together - sum(alone)) < Decimal("1e-25")
    assert together > 0


class TestDistrictHeat:
    @pytest.mark.parametrize(
        ("parameters", "code"),
        [
            ({"baseline_start": date(2023, 2, 1)}, "baseline-too-short"),
            (
                {"baseline_start": date(2023, 1, 2), "baseline_end": date(2024, 1, 2)},
                "baseline-overlaps",
            ),
            ({"heated_area_changed": True}, "area-changed"),
            ({"legal_duty_from": date(2024, 6, 1)}, "legally-required"),
        ],
    )
    def test_where_it_does_not_apply(self, parameters, code):
        refusal(district_heat_saving, changed(district_heat_saving, parameters=parameters), code)

    def test_a_fuels_factor_is_refused(self):
        """Net and gross are a fuel's; heat delivered has no such basis."""
        gas = replace(factor_set("kr-city-gas-2022").factors[0], commodity="district-heat")
        wrong = changed(district_heat_saving, factors={"district-heat": gas})
        assert refusal(district_heat_saving, wrong, "heat-is-no-fuel").facts["factor"] == gas.id

    def test_versions_of_the_branchs_factor_differ_more_than_twice(self):
        def tonnes(set_id):
            factor = factor_set(set_id).factors[0]
            inputs = changed(district_heat_saving, factors={"district-heat": factor})
            return outcome(district_heat_saving, inputs).co2e_t

        high, low = tonnes("kdhc-pyeongtaek-heat-2021"), tonnes("kdhc-pyeongtaek-heat-2024")
        assert (high / low).quantize(Decimal("0.01")) == Decimal("1.61")

    @pytest.mark.parametrize(("unit", "scale"), [("MWh", Decimal(10) / 36), ("MJ", 1000)])
    def test_any_unit_of_heat_will_do(self, unit, scale):
        inputs = changed(district_heat_saving)
        one = inputs.series["heat"]
        other = replace(one, unit=unit, values=tuple(v * scale for v in one.values))
        again = replace(inputs, series={**inputs.series, "heat": other})
        assert abs(
            outcome(district_heat_saving, again).co2e_t
            - district_heat_saving.worked_example().co2e_t
        ) < Decimal("1e-6")

    def test_volumes_are_refused(self):
        inputs = changed(district_heat_saving)
        wrong = replace(inputs.series["heat"], unit="m3")
        answer = replace(inputs, series={**inputs.series, "heat": wrong})
        refusal(district_heat_saving, answer, "unit-mismatch")

    def test_nothing_saved_is_not_yet_measurable(self):
        inputs = changed(district_heat_saving)
        one = inputs.series["heat"]
        same = replace(
            one, values=tuple(v if i < 365 else v * 10 / 8 for i, v in enumerate(one.values))
        )
        answer = replace(inputs, series={**inputs.series, "heat": same})
        refusal(district_heat_saving, answer, "not-yet-measurable")

    def test_too_many_gaps_are_refused(self):
        inputs = changed(district_heat_saving)
        one = inputs.series["heat"]
        kept = [i for i in range(730) if not 400 <= i < 440]
        gapped = replace(
            one, times=tuple(one.times[i] for i in kept), values=tuple(one.values[i] for i in kept)
        )
        answer = replace(inputs, series={**inputs.series, "heat": gapped})
        refusal(district_heat_saving, answer, "coverage-too-low")
