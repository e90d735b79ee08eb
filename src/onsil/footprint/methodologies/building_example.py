"""The made-up building of the worked example: exact days, so that the regression has no residue."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from onsil.core.periods import Period
from onsil.footprint.factors import factor_set
from onsil.footprint.terms import ActivitySeries, MethodInputs

_BEND_C = 15
_BASE_WH, _SLOPE_WH = 10_000, 1_000
_PATTERN_C = tuple(range(-5, 28))


def example_inputs() -> tuple[MethodInputs, Decimal]:
    """Two years of days with a baseline on the line, and the tonnes that must come out."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=i) for i in range(730)]
    felt = [_PATTERN_C[i % len(_PATTERN_C)] for i in range(730)]
    line = [Decimal(_BASE_WH + _SLOPE_WH * max(_BEND_C - t, 0)) for t in felt]
    used = [wh if i < 365 else wh * 8 / 10 for i, wh in enumerate(line)]
    factor = factor_set("kr-grid-2018").factors[0]
    saved_wh = sum(line[365:], Decimal(0)) / 5

    def series(role: str, unit: str, kind: str, values: list[Decimal]) -> ActivitySeries:
        return ActivitySeries(
            role, "urn:ngsi-ld:Building:example:b1", role, unit, 86_400, kind, "measured",
            tuple(days), tuple(values),
        )  # fmt: skip

    inputs = MethodInputs(
        period=Period(days[365], days[-1] + timedelta(days=1)),
        zone="UTC",
        parameters={
            "baseline_start": date(2023, 1, 1), "baseline_end": date(2024, 1, 1),
            "resolution": "daily", "model_electricity": "3P-heating", "model_gas": "3P-heating",
            "solar_added": False, "coverage_min_pct": Decimal(90),
        },
        series={
            "temperature": series("temperature", "degC", "gauge", [Decimal(t) for t in felt]),
            "electricity": series("electricity", "Wh", "interval", used),
        },
        factors={"electricity": factor},
        gwp_set="SAR",
    )  # fmt: skip
    return inputs, saved_wh * factor.co2e_kg("SAR") / 1_000_000_000
