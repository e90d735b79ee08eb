"""District heat and buildings at their edges: local days, months, scatter, units, and gaps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from method_kit import changed, outcome, reasons, refusal, run

from onsil.core.canonical import canonical_bytes
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies import building_energy_savings as first
from onsil.footprint.methodologies import building_energy_savings_2 as second
from onsil.footprint.methodologies import district_heat_saving as heat
from onsil.footprint.terms import ActivitySeries, MethodInputs

# Any modules: pyright takes them for a Methodology only with its optional members.
HEAT: Any = heat
FIRST: Any = first
SECOND: Any = second


def moved(inputs: MethodInputs, hours: int, zone: str) -> MethodInputs:
    """The same days, which begin so many hours later, in another zone."""
    by = timedelta(hours=hours)
    series = {
        role: replace(one, times=tuple(at + by for at in one.times))
        for role, one in inputs.series.items()
    }
    period = Period(inputs.period.start + by, inputs.period.end + by)
    return replace(inputs, series=series, period=period, zone=zone)


def scattered(one: ActivitySeries) -> ActivitySeries:
    """Every other day of the first year a twentieth more, the others as much less."""
    values = [
        v * (100 + (5 if i % 2 else -5)) / 100 if i < 365 else v for i, v in enumerate(one.values)
    ]
    return replace(one, values=tuple(values))


# -------------------------------------------------------------------------------- district heat


def test_a_baseline_a_day_short_says_its_days():
    inputs = changed(HEAT, parameters={"baseline_end": date(2023, 12, 31)})
    assert refusal(HEAT, inputs, "baseline-too-short").facts == {"days": 364}


def test_local_days_of_the_baseline():
    seoul = moved(changed(HEAT), -9, "Asia/Seoul")
    assert outcome(HEAT, seoul).co2e_t == outcome(HEAT, changed(HEAT)).co2e_t
    begun = datetime(2022, 12, 31, 15, tzinfo=UTC)
    assert heat.span(seoul.parameters, seoul.period, "Asia/Seoul").start == begun
    early = replace(seoul, period=Period(seoul.period.start - timedelta(hours=1), seoul.period.end))
    refusal(HEAT, early, "baseline-overlaps")


def test_a_day_is_a_days_sum_whatever_the_meters_interval():
    """Each day's heat over two halves: as many days, as many tonnes."""
    inputs = changed(HEAT)

    def halved(one: ActivitySeries, shares: tuple[Decimal, Decimal]) -> ActivitySeries:
        return replace(
            one, interval_s=43_200,
            times=tuple(at + timedelta(hours=12 * h) for at in one.times for h in (0, 1)),
            values=tuple(v * share for v in one.values for share in shares),
        )  # fmt: skip

    series = {
        "temperature": halved(inputs.series["temperature"], (Decimal(1), Decimal(1))),
        "heat": halved(inputs.series["heat"], (Decimal("0.75"), Decimal("0.25"))),
    }
    found = outcome(HEAT, replace(inputs, series=series))
    assert found.coverage["heat"]["baseline"]["expected"] == 365
    assert found.coverage["heat"]["reporting"]["used"] == 365
    assert abs(found.co2e_t - heat.worked_example().co2e_t) < Decimal("1e-6")


@pytest.mark.parametrize(("days", "months"), [(365, 12), (350, 12), (349, 11), (20, 1), (9, 1)])
def test_months_reported_are_rounded_and_never_none(days, months, monkeypatch):
    """By mean months of 365/12 days: 350 days are 11.51 months, 349 are 11.47, 9 are 0.3."""
    asked: list[float] = []

    def measured(*given: Any) -> Refusal:
        asked.append(given[5])
        return Refusal("asked", "물음", "asked")

    monkeypatch.setattr(heat, "measure_savings", measured)
    inputs = changed(HEAT)
    period = Period(inputs.period.start, inputs.period.start + timedelta(days=days))
    run(HEAT, replace(inputs, period=period))
    assert asked == [months]


def test_scatter_about_the_line_is_the_models_uncertainty():
    inputs = changed(HEAT)
    series = {**inputs.series, "heat": scattered(inputs.series["heat"])}
    found = outcome(HEAT, replace(inputs, series=series))
    model, meter = found.uncertainty["components"]
    assert model["half_width_t"] > 0
    # The relative uncertainty of the savings is stated to two places.
    told = 100 * model["half_width_t"] / found.co2e_t
    assert abs(told - found.details["uncertainty_pct"]) < Decimal("0.006")
    assert meter["half_width_t"] == found.co2e_t * 5 / 100


# ------------------------------------------------------------------------------------ buildings


def event(**columns: Any) -> dict[str, Any]:
    return {
        "id": "event-1", "carrier": "electricity", "since": date(2024, 3, 1),
        "until": date(2024, 3, 11), "change_kwh": Decimal(10), "basis": "metered",
        "evidence": "submeter", **columns,
    }  # fmt: skip


def building(*events: dict[str, Any], **series: ActivitySeries) -> MethodInputs:
    inputs = changed(SECOND, {"non_routine": events})
    return replace(inputs, series={**inputs.series, **series})


def with_gas(*events: dict[str, Any], used: str, **series: ActivitySeries) -> MethodInputs:
    """Gas as the electricity of the baseline, in the second year so much of it."""
    inputs = building(*events, **series)
    one = building().series["electricity"]
    values = tuple(v if i < 365 else v * Decimal(used) * 10 / 8 for i, v in enumerate(one.values))
    gas = replace(one, role="gas", attribute="gas", values=values)
    return replace(
        inputs,
        series={**inputs.series, "gas": gas},
        parameters={**inputs.parameters, "gas_energy_basis": "ncv"},
        factors={**inputs.factors, "city-gas": factor_set("kr-city-gas-2022").factors[0]},
    )


def test_power_of_any_unit_is_adjusted_as_energy():
    one = building().series["electricity"]
    watts = replace(one, unit="kW", kind="gauge", values=tuple(v / 24_000 for v in one.values))
    found = outcome(SECOND, building(event(), electricity=watts))
    known = outcome(SECOND, building(event()))
    assert abs(found.lines[0].amount - known.lines[0].amount) <= 1
    counted = [one.values[0]]
    for value in one.values[1:]:
        counted.append(counted[-1] + value)
    at = (*one.times, one.times[-1] + timedelta(days=1))
    counter = replace(one, kind="counter", times=at, values=(Decimal(0), *counted))
    plain = outcome(SECOND, building(electricity=counter))
    added = outcome(SECOND, building(event(), electricity=counter))
    assert added.lines[0].amount == plain.lines[0].amount + 10_000


def test_events_are_of_local_days():
    seoul = moved(building(event()), -9, "Asia/Seoul")
    assert outcome(SECOND, seoul).lines == outcome(SECOND, building(event())).lines


def test_a_gap_within_an_event_stays_a_gap():
    one = building().series["electricity"]
    gone = one.times.index(datetime(2024, 3, 5, tzinfo=UTC))
    gapped = replace(
        one, times=one.times[:gone] + one.times[gone + 1 :],
        values=one.values[:gone] + one.values[gone + 1 :],
    )  # fmt: skip
    plain = outcome(SECOND, building(electricity=gapped))
    found = outcome(SECOND, building(event(), electricity=gapped))
    assert found.coverage["electricity"] == plain.coverage["electricity"]
    # A kilowatt-hour a day, on the nine days that were metered.
    assert found.lines[0].amount == plain.lines[0].amount + 9_000


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"basis": "estimated", "change_kwh": Decimal("0.5")}, "estimated-in-favour"),
        ({"basis": "estimated", "change_kwh": Decimal(0)}, None),
        ({"since": date(2024, 12, 1), "until": date(2024, 12, 31)}, None),
        ({"since": date(2024, 12, 1), "until": date(2025, 1, 1)}, "outside-period"),
        ({"since": date(2024, 1, 1)}, None),
    ],
)
def test_the_last_event_that_counts(columns, reason):
    """Two years of 365 days from 2023 on end with 2024-12-30."""
    found = outcome(SECOND, building(event(**columns)))
    assert reasons(found, "non_routine") == ({} if reason is None else {"event-1": reason})


def test_without_a_table_of_events_there_are_none():
    inputs = building()
    found = outcome(SECOND, replace(inputs, tables={}))
    assert found == outcome(SECOND, inputs)
    assert canonical_bytes(found.details["non_routine_wh"]) == b'"0"'


def test_another_interval_of_charging_is_told():
    inputs = building()
    one = inputs.series["electricity"]
    hourly = replace(one, role="ev_charging", attribute="ev", interval_s=3600)
    added = replace(
        inputs,
        series={**inputs.series, "ev_charging": hourly},
        parameters={**inputs.parameters, "ev_added": True},
    )
    assert refusal(SECOND, added, "intervals-differ").facts == {"role": "ev_charging"}


def test_events_of_gas_are_taken_out_of_gas():
    plain = outcome(SECOND, with_gas(used="0.8"))
    found = outcome(SECOND, with_gas(event(carrier="gas"), used="0.8"))
    before, after = ({x.quantity: x.amount for x in o.lines} for o in (plain, found))
    assert after["gas-saved"] == before["gas-saved"] + 10_000
    assert after["electricity-saved"] == before["electricity-saved"]


def test_each_carriers_scatter_is_its_own_source():
    """By approach 1 the two give version 1's figure; a carrier that counts nothing gives none."""
    one = scattered(building().series["electricity"])
    both = with_gas(used="0.8", electricity=one)
    old, new = outcome(FIRST, both), outcome(SECOND, both)
    assert [c["en"] for c in new.uncertainty["components"]] == [
        "Baseline model of electricity", "Baseline model of gas",
    ]  # fmt: skip
    assert new.uncertainty["half_width_t"] > 0
    assert abs(new.uncertainty["half_width_t"] - old.uncertainty["half_width_t"]) < Decimal("1e-20")
    # A thousandth less is within the scatter: neither proven nor an increase.
    unsaved = tuple(v if i < 365 else v * Decimal("1.24875") for i, v in enumerate(one.values))
    gas_alone = outcome(SECOND, with_gas(used="0.8", electricity=replace(one, values=unsaved)))
    assert [c["en"] for c in gas_alone.uncertainty["components"]] == ["Baseline model of gas"]
