"""Self-consumed solar, version 2: own use, limits in time, and uncertainty by named sources."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from method_kit import changed, outcome, refusal

from onsil import footprint
from onsil.core.canonical import canonical_bytes
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.engines import run_2
from onsil.footprint.methodologies import Methodology, methodology
from onsil.footprint.methodologies import solar_self_consumption as first
from onsil.footprint.methodologies import solar_self_consumption_2 as solar
from onsil.footprint.terms import ActivitySeries, MethodInputs
from onsil.footprint.uncertainty import combine

START = datetime(2025, 6, 1, 3, tzinfo=UTC)
Watts = int | Decimal | None


def read(role: str, watts: list[Watts], step_s: int = 900) -> ActivitySeries:
    kept = [(START + i * timedelta(seconds=step_s), w) for i, w in enumerate(watts)]
    return ActivitySeries(
        role, f"urn:ngsi-ld:Meter:x:{role}", "power", "W", step_s, "gauge", "measured",
        tuple(at for at, w in kept if w is not None),
        tuple(Decimal(w) for _, w in kept if w is not None),
    )  # fmt: skip


def made(
    watts: list[Watts],
    exported: list[Watts] | None = None,
    step_s: int = 900,
    without: tuple[str, ...] = (),
    **parameters: Any,
) -> MethodInputs:
    inputs = changed(
        solar,
        parameters={"no_export": exported is None, "coverage_min_pct": Decimal(80), **parameters},
        period=Period(START, START + len(watts) * timedelta(seconds=step_s)),
    )
    series = {"generation": read("generation", watts, step_s)}
    if exported is not None:
        series["export"] = read("export", exported, step_s)
    kept = {name: value for name, value in inputs.parameters.items() if name not in without}
    return replace(inputs, series=series, parameters=kept)


def test_the_newest_version_is_this_one_and_the_first_stays() -> None:
    assert methodology("solar-self-consumption") is solar
    assert methodology("solar-self-consumption", "1") is first


@pytest.mark.parametrize(
    ("version", "digest"),
    [
        (first, "6840bf537f3e70cdbaffa905e7bb1dcfe08156f11ddee2dfb3db5029969cfbce"),
        (solar, "a2f0a787dcf8f7cdd6ce0786d4110691b3bbe0a1d1a57d4ef9738cb70b291aa3"),
    ],
)
def test_each_version_keeps_the_bytes_it_writes(version: Methodology, digest: str) -> None:
    """Whoever moves a byte makes a new version: stored runs are recomputed with this one."""
    found = outcome(version, version.worked_example().inputs)
    assert hashlib.sha256(canonical_bytes(run_2.quantified(found))).hexdigest() == digest


def test_what_the_plant_draws_at_night_is_taken_off() -> None:
    found = outcome(solar, made([4000] * 9 + [-40]))
    assert found.lines[0].amount == 9000 - 10
    assert found.details["own_use_wh"] == 10
    assert found.coverage["generation"]["used"] == 10


def test_a_reading_far_below_zero_is_wrong_and_not_own_use() -> None:
    found = outcome(solar, made([4000] * 8 + [-250, -251]))
    assert found.coverage["generation"]["excluded"] == {"negative": 1}
    assert found.details["own_use_wh"] == Decimal("62.5")


def test_nothing_is_sent_away_while_nothing_is_made() -> None:
    found = outcome(solar, made([4000] * 8 + [-40, 4000], [0] * 8 + [1, 4001]))
    assert found.coverage["generation"]["excluded"] == {"export-impossible": 2}


def test_a_missing_export_leaves_the_interval_out() -> None:
    found = outcome(solar, made([4000] * 10, [0] * 9 + [None]))
    assert found.coverage["generation"]["excluded"] == {"export-missing": 1}
    assert found.lines[0].amount == 9000


def test_a_day_below_zero_has_no_part_to_claim() -> None:
    winter = [*[2000] * 24, *[-10] * 24]
    found = outcome(solar, made(winter, step_s=3600))
    assert found.lines[0].amount == 24 * 2000 - 24 * 10
    assert found.lines[0].parts is None
    assert outcome(solar, made([2000] * 48, step_s=3600)).lines[0].parts is not None


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (made([4000] * 10, no_export=False), "export-unknown"),
        (made([0] * 10), "nothing-generated"),
        (made([-10] * 10), "nothing-generated"),
        (made([4000] * 10, equipment_moved=True), "equipment-moved"),
        (made([4000] * 10, commissioned=date(2025, 6, 2)), "before-commissioning"),
        (made([4000] * 10, legal_duty_from=date(2025, 6, 1)), "legally-required"),
        (made([4000] * 7 + [None] * 3), "coverage-too-low"),
        (made([4000] * 10, calibrated_until=date(2025, 6, 1)), "coverage-too-low"),
        (made([4000] * 9, step_s=86_401), "interval-too-long"),
        (
            replace(made([4000] * 4, [0] * 4), series={
                "generation": read("generation", [4000] * 4),
                "export": read("export", [0] * 2, 1800),
            }),
            "intervals-differ",
        ),
    ],
)  # fmt: skip
def test_what_does_not_apply_is_refused(inputs: MethodInputs, code: str) -> None:
    refusal(solar, inputs, code)


def test_the_bounds_of_time_are_inside() -> None:
    outcome(solar, made([4000] * 10, commissioned=date(2025, 6, 1)))
    outcome(solar, made([4000] * 10, legal_duty_from=date(2025, 6, 2)))
    outcome(solar, made([4000] * 10, step_s=3600, calibrated_until=date(2025, 6, 2)))


def test_the_export_meters_calibration_is_its_own() -> None:
    inputs = made([4000] * 20, [0] * 20, step_s=3600, export_calibrated_until=date(2025, 6, 2))
    refusal(solar, inputs, "coverage-too-low")
    half = replace(inputs, parameters={**inputs.parameters, "coverage_min_pct": Decimal(50)})
    found = outcome(solar, half)
    assert found.coverage["generation"]["excluded"] == {"export-out-of-calibration": 8}


def test_a_class_is_a_range_and_a_certificate_an_interval() -> None:
    """Class 1 alone: 1 % / √3 × 1.96 = 1.13 %; a certificate's 1 % at 95 % stays 1 %."""
    by_class = outcome(solar, made([4000] * 10, meter_class="1")).uncertainty
    assert by_class["relative_pct"] == Decimal("1.13")
    assert by_class["components"][0]["distribution"] == "uniform"
    by_paper = outcome(solar, made([4000] * 10, meter_uncertainty_pct=Decimal(1))).uncertainty
    assert by_paper["relative_pct"] == 1
    assert outcome(solar, made([4000] * 10, meter_class="0.2S")).uncertainty["relative_pct"] == (
        Decimal("0.23")
    )


def test_a_difference_of_two_meters_is_less_sure_than_either() -> None:
    alone = outcome(solar, made([4000] * 10, meter_uncertainty_pct=Decimal(2)))
    netted = outcome(solar, made([4000] * 10, [3000] * 10, meter_uncertainty_pct=Decimal(2)))
    assert alone.uncertainty["relative_pct"] == 2
    # √(4² + 3²) × 2 % of what is left, 1
    assert netted.uncertainty["relative_pct"] == 10
    signs = [one["half_width_t"] > 0 for one in netted.uncertainty["components"]]
    assert signs == [True, False]


def test_a_factors_uncertainty_is_one_source_for_all_runs() -> None:
    found = outcome(solar, made([4000] * 10, meter_uncertainty_pct=Decimal(0),
                                factor_uncertainty_pct=Decimal(3)))  # fmt: skip
    assert found.uncertainty["components"][-1]["source"].startswith("factor:kr-grid-2018:")
    both = combine([(found.co2e_t, found.uncertainty)] * 2)
    assert both.relative_pct == 3
    assert found.uncertainty["note"] == ""
    silent = outcome(solar, made([4000] * 10)).uncertainty
    assert "state no uncertainty" in silent["note"]


@given(
    watts=st.lists(st.none() | st.integers(-300, 6000), min_size=4, max_size=40),
    exported=st.none() | st.lists(st.none() | st.integers(-5, 6000), min_size=40, max_size=40),
)
def test_no_more_is_counted_than_was_generated(
    watts: list[Watts], exported: list[Watts] | None
) -> None:
    sent = None if exported is None else exported[: len(watts)]
    inputs = made(watts, sent, coverage_min_pct=Decimal(0))
    found = solar.quantify(inputs)
    if isinstance(found, Refusal):
        assert found.code == "nothing-generated"
        return
    most = sum(Decimal(w) / 4 for w in watts if w is not None and 0 < w <= 5500)
    assert 0 < found.lines[0].amount <= most
    assert found.uncertainty["half_width_t"] > 0
    counted = found.coverage["generation"]
    assert counted["expected"] == (
        counted["used"] + counted["missing"] + sum(counted["excluded"].values())
    )
    earlier = first.quantify(
        replace(inputs, parameters={**inputs.parameters, "meter_uncertainty_pct": Decimal(2)})
    )
    if not isinstance(earlier, Refusal):
        assert found.lines[0].amount <= earlier.lines[0].amount


def test_both_versions_run_in_one_city_and_recompute(conn: Connection) -> None:
    world = World(conn)
    newest = world.solar_run("2.5", date(2025, 6, 1))
    assert newest.version == "2"
    meter = newest.lines[0].meter
    old = footprint.quantify(
        conn, CITY, "solar-self-consumption", {"generation": meter},
        {"capacity_kw": "9000", "no_export": True}, newest.period,
        footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR"), "analyst",
        world.clock, version="1",
    )  # fmt: skip
    assert isinstance(old, footprint.Run), old
    assert (old.version, old.co2e_t) == ("1", newest.co2e_t)
    for run in (newest, old):
        again = footprint.recompute(conn, CITY, run.id)
        assert isinstance(again, footprint.Recomputation)
        assert again.identical
