"""The second program on self-consumed solar, version 2: noise, gaps, meters, and every refusal."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.periods import Period
from onsil.footprint.terms import ActivitySeries, MethodInputs
from second_program import compare, example

NAME = "solar-self-consumption"
START = datetime(2025, 6, 1, 10, tzinfo=UTC)
Watts = Decimal | int | None


def read(role: str, watts: list[Watts], step_s: int, **more: Any) -> ActivitySeries:
    kept = [(START + n * timedelta(seconds=step_s), w) for n, w in enumerate(watts)]
    made = ActivitySeries(
        role, f"urn:ngsi-ld:Meter:y:{role}", "power", "W", step_s, "gauge", "measured",
        tuple(at for at, w in kept if w is not None),
        tuple(Decimal(w) for _, w in kept if w is not None),
    )  # fmt: skip
    return replace(made, **more)


def asked(
    watts: list[Watts], exported: list[Watts] | None = None, step_s: int = 900, **parameters: Any
) -> MethodInputs:
    inputs = example(NAME, "2")
    series = {"generation": read("generation", watts, step_s)}
    if exported is not None:
        series["export"] = read("export", exported, step_s)
    stated = {
        **inputs.parameters, "no_export": exported is None, "coverage_min_pct": Decimal(80),
        **parameters,
    }  # fmt: skip
    period = Period(START, START + len(watts) * timedelta(seconds=step_s))
    return replace(inputs, period=period, parameters=stated, series=series)


CALM: list[Watts] = [4000] * 10


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (asked(CALM, no_export=False), "export-unknown"),
        (asked([0] * 10), "nothing-generated"),
        (asked([-250] * 10), "nothing-generated"),
        (asked(CALM, equipment_moved=True), "equipment-moved"),
        (asked(CALM, commissioned=date(2025, 6, 2)), "before-commissioning"),
        (asked(CALM, legal_duty_from=date(2025, 6, 1)), "legally-required"),
        (asked([4000] * 7 + [None] * 3), "coverage-too-low"),
        (asked(CALM, calibrated_until=date(2025, 6, 1)), "coverage-too-low"),
        (asked(CALM, [0] * 10, export_calibrated_until=date(2025, 6, 1)), "coverage-too-low"),
        (asked(CALM, step_s=90_000), "interval-too-long"),
        (
            replace(asked(CALM), series={
                "generation": read("generation", CALM, 900, unit="degC"),
            }),
            "unit-mismatch",
        ),
        (
            replace(asked(CALM, [0] * 10), series={
                "generation": read("generation", CALM, 900),
                "export": read("export", [0] * 5, 1800),
            }),
            "intervals-differ",
        ),
    ],
)  # fmt: skip
def test_both_refuse_with_one_code(inputs: MethodInputs, code: str) -> None:
    assert compare(NAME, "2", inputs) == code


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"meter_class": "0.2S"},
        {"meter_class": "0.5S", "factor_uncertainty_pct": Decimal("3.5")},
        {"meter_uncertainty_pct": Decimal("1.25")},
        {"meter_uncertainty_pct": Decimal(0), "factor_uncertainty_pct": Decimal(0)},
        {"calibrated_until": date(2025, 6, 2), "commissioned": date(2025, 6, 1)},
    ],
)
def test_every_way_to_state_uncertainty_has_the_same_bytes(parameters: dict[str, Any]) -> None:
    for exported in (None, [0, 3000, 250, None, *[1] * 6, 4000]):
        watts: list[Watts] = [4000, 4000, 250, 4000, *[Decimal("1234.567")] * 6, -40]
        outputs = compare(NAME, "2", asked(watts, exported, **parameters))
        assert isinstance(outputs, dict)
        assert outputs["uncertainty"]["components"]


def test_gaps_and_a_winter_night_have_the_same_bytes() -> None:
    """Two local days, the second below zero: no part of the run can be claimed by itself."""
    watts: list[Watts] = [*[2000] * 5, *[-3] * 20, None, -260, 6000, *[-1] * 12]
    outputs = compare(NAME, "2", asked(watts, step_s=3600))
    assert isinstance(outputs, dict)
    assert outputs["lines"][0].get("parts") is None
    assert {*outputs["coverage"]["generation"]["excluded"]} == {"negative", "above-capacity"}


def test_a_counter_has_the_same_bytes() -> None:
    inputs = asked(CALM)
    states: list[Watts] = [Decimal(n) / 2 for n in range(11)]
    counter = read("generation", states[:10], 900, unit="kWh", kind="counter")
    outputs = compare(NAME, "2", replace(inputs, series={"generation": counter}))
    assert isinstance(outputs, dict)
    assert outputs["coverage"]["generation"]["excluded"] == {"counter-open": 1}


_PLAUSIBLE = st.decimals(-300, 5500, places=3)
WATTS = st.one_of(*[_PLAUSIBLE] * 15, st.decimals(-999, 9999, places=3), st.none())


@settings(max_examples=60)
@given(
    readings=st.lists(st.tuples(WATTS, WATTS), min_size=3, max_size=60),
    metered=st.booleans(),
    step_s=st.sampled_from([300, 900, 3600, 86_400]),
    meter_class=st.sampled_from(["0.2S", "0.5S", "1", "2"]),
)
def test_noise_has_the_same_bytes(
    readings: list[tuple[Watts, Watts]], metered: bool, step_s: int, meter_class: str
) -> None:
    exported = [sent for _, sent in readings] if metered else None
    compare(
        NAME, "2",
        asked([made for made, _ in readings], exported, step_s, meter_class=meter_class),
    )  # fmt: skip
