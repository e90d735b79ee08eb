"""The second program on energy and mobility: every fate of a row, every model, every refusal."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.canonical import canonical_bytes
from onsil.core.periods import Period
from onsil.footprint.factors import factor_set
from onsil.footprint.terms import ActivitySeries, MethodInputs
from second_program import by_engine, compare, evidence, example, packed, second

DAYS_A_YEAR = 365
YEARS = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))


def tabled(name: str, role: str, *changes: Mapping[str, Any], **parameters: Any) -> MethodInputs:
    """The worked example with rows made of its first one; None leaves a column out."""
    inputs = example(name)
    rows = tuple(
        {
            column: value
            for column, value in {**inputs.tables[role][0], "id": f"row:{n}", **change}.items()
            if value is not None
        }
        for n, change in enumerate(changes, 1)
    )
    return replace(
        inputs, tables={**inputs.tables, role: rows},
        parameters={**inputs.parameters, **parameters},
    )  # fmt: skip


LAMPS = (
    {}, {"after_w": Decimal(40)}, {"installed": date(2025, 6, 20)},
    {"installed": date(2025, 7, 1)}, {"hours": None}, {"hours": Decimal(9999)},
    {"hours_basis": "logged", "hours": Decimal(77) / 8},
    {"hours_basis": "metered", "metered_kwh": Decimal(7)},
    {"hours_basis": "metered", "metered_kwh": Decimal(7), "after_w": Decimal(0)},
    {"hours_basis": "metered", "metered_kwh": Decimal(7), "calibrated_until": date(2025, 6, 9)},
    {"old_life_ends": date(2025, 6, 11)},
    {"old_life_ends": date(2025, 6, 11), "standard_w": Decimal(27)},
    {"old_life_ends": date(2025, 6, 11), "standard_w": Decimal(7)},
)  # fmt: skip
APPLIANCES = (
    {}, {"old_scrapped": False}, {"in_service": False}, {"in_service": True},
    {"installed": date(2025, 8, 1)}, {"rated_kwh_per_year": None},
    {"metered_kwh": Decimal(7)}, {"metered_kwh": Decimal(7), "metered_days": Decimal(11)},
    {"metered_kwh": Decimal(7), "metered_days": Decimal(3), "calibrated_until": date(2025, 6, 1)},
    {"rated_kwh_per_year": Decimal(900)}, {"life_ends": date(2025, 6, 12)},
)  # fmt: skip
CARS = (
    {}, {"replaced": False}, {"since": date(2026, 1, 1)}, {"odometer_end_km": None},
    {"charged_kwh": None}, {"odometer_end_km": Decimal(1)}, {"odometer_end_km": Decimal(10**6)},
    {"calibrated_until": date(2025, 2, 1)}, {"charged_kwh": Decimal(10)},
    {"charged_kwh": Decimal(0)}, {"metered_at": "vehicle"},
)  # fmt: skip
RIDES = (
    {}, {"evidence": "declared"}, {"day": date(2025, 7, 1)}, {"passenger_km": None},
    {"passenger_km": Decimal(10**6)}, {"passenger_km": Decimal(1) / 8, "evidence": "server"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "role", "changes"),
    [
        ("led-replacement", "fixtures", LAMPS),
        ("efficient-appliances", "appliances", APPLIANCES),
        ("ev-replacement", "vehicles", CARS),
        ("bus-modal-shift", "rides", RIDES),
    ],
)
def test_every_fate_of_a_row(name: str, role: str, changes: tuple[dict[str, Any], ...]) -> None:
    outputs = compare(name, "1", tabled(name, role, *changes))
    assert isinstance(outputs, dict)
    assert len(outputs["coverage"][role]["left_out"]) >= 4


DUTY = {"legal_duty_from": date(2020, 1, 1)}


@pytest.mark.parametrize(
    ("inputs", "name", "code"),
    [
        (tabled("led-replacement", "fixtures", {}, **DUTY), "led-replacement", "legally-required"),
        (
            tabled("led-replacement", "fixtures", {"after_w": Decimal(99)}),
            "led-replacement", "no-row-usable",
        ),
        (
            tabled("led-replacement", "fixtures", {"hours": Decimal(0)}),
            "led-replacement", "nothing-saved",
        ),
        (
            tabled("ev-replacement", "vehicles", {"charged_kwh": Decimal(5000)}),
            "ev-replacement", "nothing-saved",
        ),
        (
            tabled("bus-modal-shift", "survey", {"share_pct": Decimal(99)}),
            "bus-modal-shift", "survey-incomplete",
        ),
        (
            tabled("bus-modal-shift", "service", {"charged_kwh": None}),
            "bus-modal-shift", "service-fuel-unknown",
        ),
        (
            tabled("bus-modal-shift", "service", {"diesel_l": Decimal(1)}),
            "bus-modal-shift", "factor-missing",
        ),
        (
            tabled("solar-fleet", "sites", {"no_export": False}), "solar-fleet", "export-unknown",
        ),
        (tabled("solar-fleet", "sites", {"expected": 9}), "solar-fleet", "counts-differ"),
        (
            tabled("solar-fleet", "sites", {"used": 1, "missing": 9, "energy_wh": Decimal(1)}),
            "solar-fleet", "coverage-too-low",
        ),
        (
            tabled("solar-fleet", "files", {"month": "2025-05"}), "solar-fleet", "lake-incomplete",
        ),
        (
            tabled("demand-response", "events", {"day": date(2025, 7, 1)}),
            "demand-response", "no-row-usable",
        ),
        (
            tabled("demand-response", "events", {"start_minute": Decimal(120)}),
            "demand-response", "nothing-curtailed",
        ),
    ],
)  # fmt: skip
def test_refusals_are_the_same(inputs: MethodInputs, name: str, code: str) -> None:
    assert compare(name, "1", inputs) == code


def test_trips_that_make_up_a_distance() -> None:
    trips = tuple(
        {"id": f"t{n}", "vehicle": "row:1", "day": date(2025, 1, 1) + timedelta(n // 2),
         "distance_km": Decimal(n) / 4}
        for n in range(60)
    )  # fmt: skip
    inputs = tabled(
        "ev-replacement", "vehicles",
        {"odometer_end_km": None, "charged_kwh": Decimal(70)},
        {"odometer_end_km": Decimal(12_090), "charged_kwh": Decimal(10)},
    )  # fmt: skip
    outputs = compare(
        "ev-replacement", "1", replace(inputs, tables={**inputs.tables, "trips": trips})
    )
    assert isinstance(outputs, dict)
    assert len(outputs["lines"][0]["parts"]) == 30
    strange = ({**trips[0], "vehicle": "none"},)
    with_strange = replace(inputs, tables={**inputs.tables, "trips": strange})
    assert compare("ev-replacement", "1", with_strange) == "unknown-vehicle"


def test_a_plant_that_imports_nothing_or_too_much() -> None:
    inputs = example("grid-solar")
    alone = replace(inputs, series={"generation": inputs.series["generation"]})
    assert compare("grid-solar", "1", alone) == "import-unknown"
    stated = replace(alone, parameters={**alone.parameters, "no_import": True})
    outputs = compare("grid-solar", "1", stated)
    assert isinstance(outputs, dict)
    assert outputs["lines"][0]["parts"]
    for change, code in (
        ({"displaced_at": "consumption"}, "factor-boundary-differs"),
        ({"commissioned": date(2026, 1, 1)}, "before-commissioning"),
        ({"calibrated_until": date(2025, 6, 1)}, "coverage-too-low"),
        ({"capacity_kw": Decimal("0.01")}, "coverage-too-low"),
    ):
        changed = replace(inputs, parameters={**inputs.parameters, **change})
        assert compare("grid-solar", "1", changed) == code


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_lamps_always_come_to_the_same_bytes(data: st.DataObject) -> None:
    watts = st.decimals(0, 300, places=1)
    row = st.fixed_dictionaries(
        {
            "before_w": watts, "after_w": watts, "count": st.integers(1, 50).map(Decimal),
            "installed": st.dates(date(2025, 5, 20), date(2025, 7, 5)),
            "hours_basis": st.sampled_from(("stipulated", "logged", "metered")),
            "hours": st.none() | st.decimals(0, 800, places=2),
            "metered_kwh": st.none() | st.decimals(0, 900, places=3),
            "old_life_ends": st.none() | st.dates(date(2025, 5, 20), date(2025, 7, 5)),
            "standard_w": st.none() | watts,
        }
    )  # fmt: skip
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    compare("led-replacement", "1", tabled("led-replacement", "fixtures", *rows))


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    cbl=st.sampled_from(("max-4-5", "mid-6-10", "mid-8-10")),
    cap=st.sampled_from((0, 7, 20)),
    start=st.integers(0, 1380),
    minutes=st.integers(5, 300),
)
def test_events_always_come_to_the_same_bytes(
    seed: int, cbl: str, cap: int, start: int, minutes: int
) -> None:
    inputs, random = example("demand-response"), Random(seed)
    series = inputs.series["electricity"]
    kept = [
        (at, value * random.randint(60, 130) / 100)
        for at, value in zip(series.times, series.values, strict=True)
        if random.random() < 0.999
    ]
    event = inputs.tables["events"][0]
    events = (
        {**event, "start_minute": Decimal(start), "minutes": Decimal(minutes)},
        {**event, "id": "event-2", "day": date(2025, 6, 4)},
    )
    changed = replace(
        inputs,
        series={
            "electricity": replace(
                series, times=tuple(at for at, _ in kept), values=tuple(v for _, v in kept)
            )
        },
        tables={"events": events, "days_off": ({"id": "off", "day": date(2025, 6, 3)},)},
        parameters={**inputs.parameters, "cbl": cbl, "adjustment_cap_pct": Decimal(cap)},
    )
    compare("demand-response", "1", changed)


def noisy(
    role: str, unit: str, scale: str, seed: int, *, step_s: int = 86_400, saved_pct: int = 20,
    noise_pct: int = 8, gaps: float = 0.0,
) -> ActivitySeries:  # fmt: skip
    """Two years of use that follows weather and week with noise, or of the weather itself."""
    random, weather = Random(seed), Random(4)
    times, values = [], []
    many = 2 * DAYS_A_YEAR * 86_400 // step_s
    for n in range(many):
        at = YEARS[0] + timedelta(seconds=n * step_s)
        season = abs((at.timetuple().tm_yday - 15) % DAYS_A_YEAR - 182) / 182
        felt = Decimal(round(270 - 320 * season + weather.randint(-50, 50))) / 10
        use = 40 + 3 * max(16 - felt, Decimal(0)) + 2 * max(felt - 22, Decimal(0))
        use += 9 if at.weekday() < 5 and (step_s > 3600 or 8 <= at.hour < 19) else 0
        if at >= YEARS[1]:
            use = use * (100 - saved_pct) / 100
        use = use * (1000 + random.randint(-10 * noise_pct, 10 * noise_pct)) / 1000
        if random.random() >= gaps:
            times.append(at)
            values.append(felt if role == "temperature" else use * Decimal(scale))
    kind = "gauge" if role == "temperature" else "interval"
    return ActivitySeries(
        role, "urn:ngsi-ld:Building:example:b1", role, unit, step_s, kind, "measured",
        tuple(times), tuple(values),
    )  # fmt: skip


def building(version: str = "1", **parameters: Any) -> MethodInputs:
    inputs = example("building-energy-savings", version)
    step_s = 3600 if parameters.get("resolution") == "hourly" else 86_400
    return replace(
        inputs,
        period=Period(YEARS[1], YEARS[0] + timedelta(days=2 * DAYS_A_YEAR)),
        parameters={**inputs.parameters, **parameters},
        series={
            "temperature": noisy("temperature", "degC", "1", 1, step_s=step_s, gaps=0.01),
            "electricity": noisy("electricity", "kWh", "1.37", 2, step_s=step_s, gaps=0.01),
        },
    )


@pytest.mark.parametrize(
    "kind", ["2P", "3P-heating", "3P-cooling", "4P", "5P", "degree-days", "TOWT"]
)
def test_every_model_on_noisy_days(kind: str) -> None:
    outputs = compare("building-energy-savings", "1", building(model_electricity=kind))
    assert isinstance(outputs, dict)
    if outputs["status"] == "quantified":
        told = outputs["details"]["carriers"]["electricity"]
        assert told["model"] == kind
        assert told["uncertainty_pct"] is not None


def test_hours_of_the_week() -> None:
    inputs = building(model_electricity="TOWT", resolution="hourly")
    outputs = compare("building-energy-savings", "1", inputs)
    assert isinstance(outputs, dict)
    assert outputs["status"] == "quantified"


@pytest.mark.parametrize("resolution", ["daily", "hourly"])
def test_hours_where_clocks_change(resolution: str) -> None:
    inputs = building(model_electricity="TOWT", resolution="hourly")
    hour = timedelta(hours=1)
    changed = replace(
        inputs,
        zone="Europe/Berlin",
        period=Period(inputs.period.start - hour, inputs.period.end - hour),
        parameters={**inputs.parameters, "resolution": resolution},
        series={
            "temperature": noisy("temperature", "degC", "1", 1, step_s=3600),
            "electricity": noisy("electricity", "kWh", "1.37", 2, step_s=3600, gaps=0.002),
        },
    )
    assert isinstance(compare("building-energy-savings", "1", changed), dict)


@pytest.mark.parametrize(("saved", "noise"), [(-10, 8), (1, 90), (0, 5)])
def test_what_is_not_yet_measurable_is_said_alike(saved: int, noise: int) -> None:
    inputs = building()
    use = noisy("electricity", "kWh", "1.37", 3, saved_pct=saved, noise_pct=noise)
    outputs = compare(
        "building-energy-savings",
        "1",
        replace(inputs, series={**inputs.series, "electricity": use}),
    )
    assert isinstance(outputs, dict)
    assert outputs["status"] == "not-yet-measurable"


def test_a_baseline_without_any_use_is_not_yet_measurable() -> None:
    inputs = building()
    use = inputs.series["electricity"]
    unused = replace(use, values=tuple(Decimal(0) for _ in use.values))
    outputs = compare(
        "building-energy-savings",
        "1",
        replace(inputs, series={**inputs.series, "electricity": unused}),
    )
    assert isinstance(outputs, dict)
    assert "Nothing was used in the baseline" in outputs["refusal"]["en"]


def test_two_carriers_with_solar_vehicles_and_events() -> None:
    inputs = building(
        "2", solar_added=True, ev_added=True, gas_energy_basis="gcv", model_gas="3P-heating"
    )
    series = {
        **inputs.series,
        "gas": noisy("gas", "MJ", "5.3", 5, saved_pct=15),
        "generation": noisy("generation", "kWh", "0.11", 6, gaps=0.01),
        "export": noisy("export", "kWh", "0.03", 7),
        "ev_charging": noisy("ev_charging", "kWh", "0.05", 8, gaps=0.01),
    }
    first = date(2024, 3, 4)
    event = {
        "id": "e1", "carrier": "electricity", "since": first, "until": first + timedelta(7),
        "change_kwh": Decimal(10), "basis": "metered", "evidence": "meter",
    }  # fmt: skip
    events = (
        event, {**event, "id": "e2", "basis": "estimated"},
        {**event, "id": "e3", "carrier": "gas", "change_kwh": Decimal(-9), "basis": "estimated"},
        {**event, "id": "e4", "since": date(2023, 3, 4)},
    )  # fmt: skip
    gas = next(one for one in factor_set("kr-city-gas-2022").factors if one.commodity == "city-gas")
    factors = {**inputs.factors, "city-gas": gas}
    changed = replace(
        inputs, series=series, tables={"non_routine": events}, factors=factors
    )  # fmt: skip
    outputs = compare("building-energy-savings", "2", changed)
    assert isinstance(outputs, dict)
    assert outputs["status"] == "quantified"
    assert outputs["coverage"]["non_routine"]["used"] == 2
    assert {*outputs["details"]["carriers"]} == {"electricity", "gas"}
    assert outputs["gases_kg"] is not None


@pytest.mark.parametrize("noise", [8, 95])
def test_a_run_of_form_1(noise: int) -> None:
    inputs = building(gas_energy_basis="gcv")
    use = noisy("electricity", "kWh", "1.37", 2, noise_pct=noise)
    gas = next(one for one in factor_set("kr-city-gas-2022").factors if one.per == "MWh")
    inputs = replace(
        inputs,
        series={**inputs.series, "electricity": use, "gas": noisy("gas", "MJ", "5.3", 5)},
        factors={**inputs.factors, "city-gas": gas},
    )
    members = evidence("building-energy-savings", "1", inputs)
    stated = json.loads(members["inputs.json"])
    stated = {k: v for k, v in stated.items() if k not in ("tables", "coefficients")}
    stated["format"] = "onsil-run-1"
    stated["factors"] = {name: one.document_1() for name, one in inputs.factors.items()}
    members["inputs.json"] = canonical_bytes(stated)
    expected = by_engine(members)
    assert isinstance(expected, bytes)
    assert b"energy_wh" in expected
    bundle = second("archive").open_bundle(packed(members, expected))
    assert second("recompute").recompute(bundle) == expected


@pytest.mark.parametrize("model", ["degree-days", "3P-heating", "4P"])
def test_noisy_heat(model: str) -> None:
    inputs = example("district-heat-saving")
    changed = replace(
        inputs,
        parameters={**inputs.parameters, "model": model},
        series={
            "temperature": noisy("temperature", "degC", "1", 1),
            "heat": noisy("heat", "Gcal", "0.013", 2, gaps=0.01),
        },
    )
    assert isinstance(compare("district-heat-saving", "1", changed), dict)


@pytest.mark.parametrize(
    ("unit", "scale", "zero"), [("degF", "1.8", "32"), ("K", "1", "273.15"), ("CEL", "1", "0")]
)
def test_weather_in_other_units(unit: str, scale: str, zero: str) -> None:
    inputs = example("district-heat-saving")
    felt = noisy("temperature", "degC", "1", 1)
    other = tuple(one * Decimal(scale) + Decimal(zero) for one in felt.values)
    series = {
        "temperature": replace(felt, unit=unit, values=other),
        "heat": noisy("heat", "GJ", "0.05", 2),
    }
    outputs = compare("district-heat-saving", "1", replace(inputs, series=series))
    assert isinstance(outputs, dict)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"baseline_end": date(2023, 6, 1)}, "baseline-too-short"),
        ({"baseline_end": date(2024, 2, 1)}, "baseline-overlaps"),
        ({"heated_area_changed": True}, "area-changed"),
        (DUTY, "legally-required"),
    ],
)
def test_heat_that_cannot_be_compared(change: dict[str, Any], code: str) -> None:
    inputs = example("district-heat-saving")
    changed = replace(inputs, parameters={**inputs.parameters, **change})
    assert compare("district-heat-saving", "1", changed) == code


@settings(max_examples=40, deadline=None)
@given(freedom=st.floats(1, 9000))
def test_students_quantile_by_another_way(freedom: float) -> None:
    from onsil.footprint.savings import t_quantile

    assert second("savings").student(freedom) == t_quantile(0.68, freedom)
