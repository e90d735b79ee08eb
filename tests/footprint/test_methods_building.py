"""Building savings, version 2: what was not routine is taken out; only what was metered helps."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from method_kit import changed, outcome, reasons, refusal

from onsil.footprint.methodologies import building_energy_savings as first
from onsil.footprint.methodologies import building_energy_savings_2 as second
from onsil.footprint.terms import MethodInputs


def event(number=1, **columns):
    made = {
        "id": f"event-{number}", "carrier": "electricity", "since": date(2024, 3, 1),
        "until": date(2024, 3, 11), "change_kwh": Decimal(10), "basis": "metered",
        "evidence": "submeter", **columns,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


def building(*events, series=None, **parameters) -> MethodInputs:
    inputs = changed(second, {"non_routine": events}, parameters)
    return replace(inputs, series={**inputs.series, **(series or {})})


def test_without_events_it_is_version_1():
    old, new = outcome(first, first.worked_example().inputs), outcome(second, building())
    assert (new.lines, new.co2e_t, new.gases_kg) == (old.lines, old.co2e_t, old.gases_kg)
    for key in ("confidence_pct", "half_width_t", "relative_pct"):
        assert new.uncertainty[key] == old.uncertainty[key]
    assert new.uncertainty["components"][0]["source"].startswith("model:urn:ngsi-ld:Building")


def test_metered_growth_is_no_loss_and_shrinking_is_no_saving():
    plain = outcome(second, building()).lines[0].amount
    assert outcome(second, building(event())).lines[0].amount == plain + 10_000
    for basis in ("metered", "estimated"):
        less = building(event(change_kwh=Decimal(-10), basis=basis))
        assert outcome(second, less).lines[0].amount == plain - 10_000


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"basis": "estimated"}, "estimated-in-favour"),
        ({"since": date(2023, 12, 31)}, "outside-period"),
        ({"until": date(2025, 1, 2)}, "outside-period"),
        ({"until": date(2024, 3, 1)}, "outside-period"),
        ({"carrier": "gas"}, "carrier-not-metered"),
    ],
)
def test_an_event_that_does_not_count_says_why(columns, reason):
    found = outcome(second, building(event(**columns)))
    assert reasons(found, "non_routine") == {"event-1": reason}
    assert found.lines == outcome(second, building()).lines
    assert found.details["non_routine_wh"] == 0


def test_an_event_of_unknown_size_stops_everything():
    answer = refusal(second, building(event(change_kwh=None)), "event-unmeasured")
    assert answer.facts == {"event": "event-1", "evidence": "submeter"}


def test_added_vehicles_are_metered_and_taken_off():
    inputs = building()
    one = inputs.series["electricity"]
    charged = tuple(Decimal(0 if i < 365 else 500) for i in range(730))
    used = tuple(v + c for v, c in zip(one.values, charged, strict=True))
    series = {
        "electricity": replace(one, values=used),
        "ev_charging": replace(one, role="ev_charging", attribute="ev", values=charged),
    }
    refusal(second, building(ev_added=True), "ev-not-metered")
    found = outcome(second, building(series=series, ev_added=True))
    assert found.lines == outcome(second, building()).lines
    forgotten = outcome(second, building(series=series))
    assert forgotten.lines[0].amount == found.lines[0].amount - 365 * 500


def test_a_day_whose_charging_is_not_known_is_left_out():
    inputs = building()
    one = inputs.series["electricity"]
    kept = [i for i in range(730) if i != 400]
    gapped = replace(
        one, role="ev_charging", attribute="ev", times=tuple(one.times[i] for i in kept),
        values=(Decimal(0),) * 729,
    )  # fmt: skip
    found = outcome(second, building(series={"ev_charging": gapped}, ev_added=True))
    assert found.coverage["electricity"]["reporting"]["missing"] == 1
    hourly = replace(gapped, interval_s=3600)
    answer = building(series={"ev_charging": hourly}, ev_added=True)
    refusal(second, answer, "intervals-differ")
    other = building(series={"ev_charging": replace(gapped, unit="m3")}, ev_added=True)
    refusal(second, other, "unit-mismatch")


def test_law_ends_the_crediting():
    refusal(second, building(legal_duty_from=date(2024, 7, 1)), "legally-required")


def test_version_1s_refusals_stay():
    refusal(second, building(solar_added=True), "solar-not-metered")
    refusal(second, building(baseline_start=date(2023, 6, 1)), "baseline-too-short")
