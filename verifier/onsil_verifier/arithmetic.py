"""What all methodologies share: intervals and gaps, factors, and how lines are said."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

from onsil_verifier.given import Given, Series
from onsil_verifier.methods import Refused
from onsil_verifier.potentials import GWP

# How many joules, exactly. A thermochemical calorie is 4.184 J; a British thermal unit is ISO's.
_PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_JOULES = {f"{prefix}J": Fraction(by) for prefix, by in _PREFIXES.items()}
_JOULES |= {f"{prefix}cal": by * Fraction("4.184") for prefix, by in _PREFIXES.items()}
_JOULES |= {"JOU": Fraction(1), "3B": Fraction(10**6), "GV": Fraction(10**9)}
_JOULES |= {"BTU": Fraction("1055.056")}
_ENERGY_WH = {f"{prefix}Wh": by for prefix, by in _PREFIXES.items()}
_ENERGY_WH |= {"WHR": 1, "KWH": 1000, "MWH": 1_000_000}
_POWER_W = {f"{prefix}W": by for prefix, by in _PREFIXES.items()}
_POWER_W |= {"WTT": 1, "KWT": 1000}


def weight(gwp_set: str | None, gas: str) -> Decimal:
    """kg CO2e of a kg of a gas."""
    if gwp_set is None or gas not in GWP[gwp_set]:
        raise Refused(f"{gwp_set} values no {gas}")
    return Decimal(GWP[gwp_set][gas])


class Grid:
    """The expected intervals of a period: a value or None, and each one's fate."""

    def __init__(self, given: Given, step_s: int) -> None:
        seconds = int((given.end - given.start).total_seconds())
        count = (seconds + step_s - 1) // step_s
        self.start, self.step_s, self.zone = given.start, step_s, given.zone
        self.values: list[Decimal | None] = [None] * count
        self.fates = ["missing"] * count
        self.off_grid = 0

    def put(self, series: Series, end: datetime) -> None:
        """Lay readings on the grid; one at no interval's start is counted and left."""
        step = timedelta(seconds=self.step_s)
        for at, value in zip(series.times, series.values, strict=True):
            if self.start <= at < end:
                place, rest = divmod(at - self.start, step)
                if rest:
                    self.off_grid += 1
                else:
                    self.values[place], self.fates[place] = value, "used"

    def exclude(self, place: int, reason: str) -> None:
        self.values[place], self.fates[place] = None, reason

    def total(self) -> Decimal:
        return sum((one for one in self.values if one is not None), Decimal(0))

    def coverage(self) -> dict[str, Any]:
        """Counts and gaps as the page on bundles states them."""
        counts = Counter(self.fates)
        expected, used = len(self.fates), counts["used"]
        gaps, place = [], 0
        for fate, stretch in groupby(self.fates):
            length = len(list(stretch))
            if fate != "used":
                gaps.append([place, place + length, fate])
            place += length
        reasons = sorted(set(counts) - {"used", "missing"})
        return {
            "start": self.start, "step_s": self.step_s, "expected": expected, "used": used,
            "missing": counts["missing"], "excluded": {name: counts[name] for name in reasons},
            "off_grid": self.off_grid, "gaps": gaps,
            "used_pct": (Decimal(100 * used) / expected).quantize(Decimal("0.01")),
        }  # fmt: skip

    def local(self, place: int) -> datetime:
        """The local time at which an interval begins."""
        return (self.start + place * timedelta(seconds=self.step_s)).astimezone(self.zone)

    def by_day(self) -> dict[str, Decimal]:
        """Sums by local day of days that have any, an interval in the day it begins in."""
        return self._sums("%Y-%m-%d")

    def by_month(self) -> dict[str, Decimal]:
        return self._sums("%Y-%m")

    def _sums(self, form: str) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for place, value in enumerate(self.values):
            if value is not None:
                name = self.local(place).strftime(form)
                found[name] = found.get(name, Decimal(0)) + value
        return {name: total for name, total in found.items() if total}


def energy_grid(given: Given, series: Series) -> Grid:
    """Energy in Wh by interval: interval energy, mean power times its hours, or a counter's
    differences (the last state has no end; a state that falls is a reset)."""
    if series.interval_s <= 0:
        raise Refused("no-interval")
    grid = Grid(given, series.interval_s)
    grid.put(series, given.end)
    if series.kind == "counter":
        _differences(grid)
    scale = Decimal(_ENERGY_WH.get(series.unit, 0))
    if series.unit in _JOULES:
        exact = _JOULES[series.unit] / 3600
        scale = Decimal(exact.numerator) / Decimal(exact.denominator)
    if series.unit in _POWER_W:
        scale = Decimal(_POWER_W[series.unit]) * series.interval_s / 3600
    if not scale:
        raise Refused("unit-mismatch")
    grid.values = [None if one is None else one * scale for one in grid.values]
    return grid


def _differences(grid: Grid) -> None:
    states = list(grid.values)
    for place, state in enumerate(states):
        if state is None:
            continue
        after = states[place + 1] if place + 1 < len(states) else None
        if after is None:
            grid.exclude(place, "counter-open")
        elif after < state:
            grid.exclude(place, "counter-reset")
        else:
            grid.values[place] = after - state


def require(coverage: dict[str, Any], least_pct: Decimal) -> None:
    """The share of intervals that must be usable."""
    if coverage["used_pct"] < least_pct:
        raise Refused("coverage-too-low")


def gases_of(factor: dict[str, Any]) -> dict[str, Decimal] | None:
    """kg by gas per unit of activity; None where a total alone is published."""
    gases = factor.get("gases_kg", factor.get("gases_kg_per_mwh"))
    return None if gases is None else {gas: Decimal(kg) for gas, kg in gases.items()}


def co2e_per_unit(factor: dict[str, Any], gwp_set: str | None) -> Decimal:
    """kg CO2e per unit of activity under a GWP set."""
    gases = gases_of(factor)
    if gases is None:
        return Decimal(factor["co2e_kg"] if "co2e_kg" in factor else factor["co2e_kg_per_mwh"])
    return sum((kg * weight(gwp_set, gas) for gas, kg in gases.items()), Decimal(0))


def emission(
    amount: Decimal, factor: dict[str, Any], gwp_set: str | None
) -> tuple[Decimal, dict[str, Decimal] | None]:
    """Tonnes CO2e and kg by gas of an amount in the factor's own unit of activity."""
    gases = gases_of(factor)
    tonnes = amount * co2e_per_unit(factor, gwp_set) / 1000
    return tonnes, None if gases is None else {gas: amount * kg for gas, kg in gases.items()}
