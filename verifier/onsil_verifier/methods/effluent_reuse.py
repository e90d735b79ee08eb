"""effluent-reuse 1: water, nitrogen and phosphorus by meter; tap water spared less pumping."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from onsil_verifier.factors import Emitted, add_gases, emitted, emitted_co2
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import Days, Row, day, days, judge, legal_duty, line, number, total
from onsil_verifier.uncertainty import component, stated

_LOADS = {"nitrogen-removed": "nitrogen_mg_l", "phosphorus-removed": "phosphorus_mg_l"}


def reused(given: Given) -> dict[str, Any]:
    deliveries, within = given.tables["deliveries"], days(given)
    legal_duty(given)
    if date.fromisoformat(given.parameters["permit_until"]) < within.end:
        raise Refused("no-permit")
    _apart(deliveries)
    most_l = given.number("unit_day_most_l")
    judged = judge(deliveries, lambda row: _reason(row, within, most_l))
    water = total(map(_kept, judged.used))
    if water <= 0:
        raise Refused("nothing-reused")
    pumping, avoided = _pumping(given, judged.used), _avoided(given, judged.used)
    net_t = avoided.tonnes - pumping.tonnes
    counted = max(net_t, Decimal(0))
    gases = dict.fromkeys(("co2", "ch4", "n2o"), Decimal(0))
    if net_t > 0:
        gases = add_gases(avoided.gases, pumping.turned().gases)
    percent, before = given.number("meter_uncertainty_pct"), given.number("volume_before_m3")
    components = [
        component(
            "record:deliveries:water", avoided.tonnes, percent, ko="수량계", en="Water meter"
        ),
        component(
            "record:deliveries:pumping", -pumping.tonnes, percent, ko="펌프 전력량계",
            en="Pump's electricity meter",
        ),
    ]  # fmt: skip
    return {
        "co2e_t": counted,
        "gases_kg": gases,
        "lines": _lines(judged.used),
        "uncertainty": stated(counted, components),
        "coverage": {"deliveries": judged.coverage()},
        "details": {
            "water_m3": water,
            "water_half_width_m3": water * percent / 100,
            "water_benefits": _benefits(before + water) - _benefits(before),
            "avoided_t": avoided.tonnes,
            "pumping_t": pumping.tonnes,
            "net_t": net_t,
            "load_relative_pct": (percent**2 + given.number("quality_uncertainty_pct") ** 2).sqrt(),
            "unanalysed_m3": {
                quantity: total(_kept(row) for row in judged.used if column not in row)
                for quantity, column in _LOADS.items()
            },
        },
    }


def _apart(rows: Sequence[Row]) -> None:
    """Two rows of one meter share no day."""
    last_of: dict[str, date] = {}
    for row in sorted(rows, key=lambda row: (day(row, "first_date"), row["id"])):
        last = last_of.get(row["meter"])
        if last is not None and day(row, "first_date") <= last:
            raise Refused("counted-twice")
        last_of[row["meter"]] = day(row, "last_date")


def _reason(row: Row, within: Days, most_l: Decimal) -> str | None:
    first, last = day(row, "first_date"), day(row, "last_date")
    if not within.holds(first) or not within.holds(last):
        return "outside-period"
    if last < first:
        return "dates-reversed"
    for column, reason in (("water_m3", "volume-missing"), ("pumping_kwh", "pumping-missing")):
        if column not in row:
            return reason
    if "calibrated_until" in row and day(row, "calibrated_until") <= last:
        return "out-of-calibration"
    water = number(row, "water_m3")
    if "source_m3" in row and water > number(row, "source_m3") * Decimal("1.02"):
        return "above-source"
    if _drained(row) > water:
        return "drained-impossible"
    if "units_served" in row:
        unit_days = number(row, "units_served") * ((last - first).days + 1)
        if water * 1000 > unit_days * most_l:
            return "volume-implausible"
    return None


def _drained(row: Row) -> Decimal:
    return number(row, "drained_m3") if "drained_m3" in row else Decimal(0)


def _kept(row: Row) -> Decimal:
    """Delivered and not drained away again."""
    return number(row, "water_m3") - _drained(row)


def _pumping(given: Given, rows: Sequence[Row]) -> Emitted:
    pumped = total(number(row, "pumping_kwh") for row in rows)
    return emitted(pumped, "kWh", given.factors["electricity"], given.gwp_set)


def _avoided(given: Given, rows: Sequence[Row]) -> Emitted:
    """Only water in place of tap water, and only where tap water has a factor."""
    tap = given.factors.get("tap-water")
    if tap is None:
        return Emitted(Decimal(0), {"co2": Decimal(0)})
    replaced = total(_kept(row) for row in rows if row["replaces"] == "tap-water")
    if tap["co2_only"]:
        return emitted_co2(replaced, "m3", tap)
    return emitted(replaced, "m3", tap, given.gwp_set)


def _benefits(volume: Decimal) -> Decimal:
    """A certificate per m3 up to 40,000, per 10 up to 1,300,000, per 100 above."""
    first = min(volume, Decimal(40_000))
    second = max(min(volume, Decimal(1_300_000)) - 40_000, Decimal(0))
    third = max(volume - 1_300_000, Decimal(0))
    return first + second / 10 + third / 100


def _lines(rows: Sequence[Row]) -> list[Row]:
    lines = []
    for meter in sorted({row["meter"] for row in rows}):
        own = [row for row in rows if row["meter"] == meter]
        water = total(map(_kept, own))
        if water > 0:
            lines.append(line(meter, "water-reused", water, "m3", _months(own)))
        for quantity, column in _LOADS.items():
            grams = total(_kept(row) * number(row, column) for row in own if column in row)
            if grams > 0:
                lines.append(line(meter, quantity, grams / 1000, "kg"))
    return lines


def _months(rows: Sequence[Row]) -> dict[str, Decimal] | None:
    """By month; None as soon as a row lies in two."""
    months: dict[str, Decimal] = {}
    for row in rows:
        month = row["first_date"][:7]
        if row["last_date"][:7] != month:
            return None
        months[month] = months.get(month, Decimal(0)) + _kept(row)
    return months


METHODS = {("effluent-reuse", "1"): reused}
