"""solar-self-consumption 2: net of export and of what the plant draws, each meter by its class."""

from datetime import date
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, energy_grid, require
from onsil_verifier.electricity import leave_out_uncalibrated, of_energy
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import days, legal_duty, line
from onsil_verifier.uncertainty import FACTOR_NOTE, component, stated

_CLASS_PCT = {"0.2S": "0.2", "0.5S": "0.5", "1": "1", "2": "2"}
_NAMES = {
    "generation": {"ko": "발전 전력량계", "en": "Generation meter"},
    "export": {"ko": "역송 전력량계", "en": "Export meter"},
}
_NONE = Decimal(0)


def solar(given: Given) -> dict[str, Any]:
    stated_here = given.parameters
    if stated_here["equipment_moved"]:
        raise Refused("equipment-moved")
    begun = stated_here.get("commissioned")
    if begun is not None and days(given).first < date.fromisoformat(begun):
        raise Refused("before-commissioning")
    if not stated_here["no_export"] and "export" not in given.series:
        raise Refused("export-unknown")
    legal_duty(given)
    made = _metered(given, "generation", "calibrated_until")
    sent = None
    if "export" in given.series:
        sent = _metered(given, "export", "export_calibrated_until")
        if sent.step_s != made.step_s:
            raise Refused("intervals-differ")
    sums = _net(made, sent, given.number("capacity_kw"))
    coverage = made.coverage()
    require(coverage, given.number("coverage_min_pct"))
    energy = sums["generated_wh"] - sums["own_use_wh"] - sums["exported_wh"]
    if energy <= 0:
        raise Refused("nothing-generated")
    out = of_energy(given, energy)
    by_day = made.by_day()
    whole = all(wh >= 0 for wh in by_day.values())
    meter = given.series["generation"].meter
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": [line(meter, "solar-generation", energy, "Wh", by_day if whole else None)],
        "uncertainty": _uncertainty(given, sums, energy, out.tonnes),
        "coverage": {"generation": coverage},
        "details": {**sums, "monthly_wh": made.by_month()},
    }


def _metered(given: Given, role: str, calibrated: str) -> Grid:
    grid = energy_grid(given, given.series[role])
    if grid.step_s > 86_400:
        raise Refused("interval-too-long")
    leave_out_uncalibrated(given, grid, calibrated)
    return grid


def _net(made: Grid, sent: Grid | None, capacity_kw: Decimal) -> dict[str, Decimal]:
    """What is left of each interval, in place; sums of what was made, drawn and sent away."""
    rated = capacity_kw * 1000 * made.step_s / 3600
    generated = drawn = away = _NONE
    for place, value in enumerate(made.values):
        if value is None:
            continue
        gone = _NONE if sent is None else sent.values[place]
        if value < rated * Decimal("-0.05"):
            made.exclude(place, "negative")
        elif value > rated * Decimal("1.1"):
            made.exclude(place, "above-capacity")
        elif gone is None:
            assert sent is not None
            made.exclude(place, f"export-{sent.fates[place]}")
        elif gone < 0 or (gone and gone > value):
            made.exclude(place, "export-impossible")
        else:
            if value > 0:
                generated += value
            else:
                drawn -= value
            away += gone
            made.values[place] = value - gone
    return {"generated_wh": generated, "own_use_wh": drawn, "exported_wh": away}


def _uncertainty(
    given: Given, sums: dict[str, Decimal], energy: Decimal, tonnes: Decimal
) -> dict[str, Any]:
    each = tonnes / energy
    counted = {"generation": sums["generated_wh"] + sums["own_use_wh"]}
    if sums["exported_wh"]:
        counted["export"] = -sums["exported_wh"]
    parts = [
        _of_meter(given, given.series[role].meter, wh * each, _NAMES[role])
        for role, wh in counted.items()
    ]
    if "factor_uncertainty_pct" not in given.parameters:
        return stated(tonnes, parts, note=FACTOR_NOTE)
    factor = given.factors["electricity"]
    parts.append(
        component(
            f"factor:{factor['set']}:{factor['id']}", tonnes,
            given.number("factor_uncertainty_pct"), ko="배출계수", en="Grid factor",
        )
    )  # fmt: skip
    return stated(tonnes, parts)


def _of_meter(given: Given, meter: str, tonnes: Decimal, name: dict[str, str]) -> dict[str, Any]:
    """By the certificate, or anywhere within the class's limits."""
    if "meter_uncertainty_pct" in given.parameters:
        percent = given.number("meter_uncertainty_pct")
        return component(f"meter:{meter}", tonnes, percent, ko=name["ko"], en=name["en"])
    percent = Decimal(_CLASS_PCT[given.parameters["meter_class"]])
    return component(
        f"meter:{meter}", tonnes, percent, confidence_pct=100, distribution="uniform",
        ko=name["ko"], en=name["en"],
    )  # fmt: skip


METHODS = {("solar-self-consumption", "2"): solar}
