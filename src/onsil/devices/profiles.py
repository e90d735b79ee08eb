"""Simulated devices' profiles: plausible values by the hour, pure and repeatable.

None of them is measured and none may be shown as if it were; the series they fill say `simulated`.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from onsil.hub import SeriesSpec

# One day of a household in W, by local hour: low at night, a morning and an evening peak.
_HOUSEHOLD_W = (
    180, 160, 150, 145, 150, 190, 320, 480, 420, 300, 260, 270,
    310, 290, 260, 270, 330, 480, 690, 820, 780, 620, 420, 260,
)  # fmt: skip
# Bus taps an hour at one gate, by local hour, on a working day.
_TAPS_PER_HOUR = (
    2, 0, 0, 0, 1, 12, 60, 180, 210, 95, 60, 62,
    75, 70, 65, 72, 95, 170, 205, 120, 75, 55, 35, 14,
)  # fmt: skip


@dataclass(frozen=True)
class SimulatedAttribute:
    """One attribute of a profile: unit, kind, bounds, and its value for an interval.

    `value(local time, interval in s, random source)` is pure; times are the city's wall clock.
    """

    unit: str
    kind: str
    minimum: Decimal | None
    maximum: Decimal | None
    value: Callable[[datetime, int, random.Random], float]

    def spec(self, entity: str, attribute: str, interval_s: int) -> SeriesSpec:
        return SeriesSpec(
            entity, attribute, self.unit, interval_s, self.kind,  # pyright: ignore
            self.minimum, self.maximum, "simulated", "모의 기기 / simulated device",
        )  # fmt: skip


def _by_hour(table: tuple[int, ...], at: datetime) -> float:
    """Linear between the hours' values, taken at half past."""
    position = (at.hour + at.minute / 60 + at.second / 3600 - 0.5) % 24
    low = int(position)
    share = position - low
    return table[low] * (1 - share) + table[(low + 1) % 24] * share


def sun_share(at: datetime) -> float:
    """0 to 1: a clear sky's half sine between 6 and 18 h local, for pictures, not for estimates."""
    hour = at.hour + at.minute / 60
    return max(0.0, math.sin(math.pi * (hour - 6) / 12)) if 6 < hour < 18 else 0.0


def _household_w(at: datetime, _interval_s: int, source: random.Random) -> float:
    return round(max(60.0, _by_hour(_HOUSEHOLD_W, at) * source.uniform(0.7, 1.35)), 1)


def _household_wh(at: datetime, interval_s: int, source: random.Random) -> float:
    return round(_household_w(at, interval_s, source) * interval_s / 3600, 3)


def _solar_w(at: datetime, _interval_s: int, source: random.Random) -> float:
    return round(3_000 * sun_share(at) * source.uniform(0.75, 0.95), 1)


def _solar_wh(at: datetime, interval_s: int, source: random.Random) -> float:
    return round(_solar_w(at, interval_s, source) * interval_s / 3600, 3)


def _taps(at: datetime, interval_s: int, source: random.Random) -> float:
    """A Poisson count (Knuth's product method) at the hour's rate, a third of it at weekends."""
    rate = _by_hour(_TAPS_PER_HOUR, at) * (0.35 if at.weekday() >= 5 else 1.0)
    limit, count, product = math.exp(-rate * interval_s / 3600), 0, source.random()
    while product > limit:
        count, product = count + 1, product * source.random()
    return count


def _moisture(at: datetime, _interval_s: int, source: random.Random) -> float:
    drying = (at.hour + at.minute / 60 + 18) % 24 / 24
    return round(34 - 9 * drying + source.gauss(0, 0.3), 2)


def _soil_degc(at: datetime, _interval_s: int, source: random.Random) -> float:
    return round(14 + 4 * math.sin(math.pi * (at.hour - 9) / 12) + source.gauss(0, 0.2), 2)


_ZERO = Decimal(0)
PROFILES: Mapping[str, Mapping[str, SimulatedAttribute]] = {
    "household": {
        "activePower": SimulatedAttribute("W", "gauge", _ZERO, Decimal(20_000), _household_w),
        "activeEnergy": SimulatedAttribute("Wh", "interval", _ZERO, Decimal(20_000), _household_wh),
    },
    "solar": {
        "activePower": SimulatedAttribute("W", "gauge", _ZERO, Decimal(5_000), _solar_w),
        "activeEnergy": SimulatedAttribute("Wh", "interval", _ZERO, Decimal(5_000), _solar_wh),
    },
    "bus-gate": {
        "taps": SimulatedAttribute("count", "interval", _ZERO, Decimal(100_000), _taps),
    },
    "soil": {
        "soilMoisture": SimulatedAttribute("percent", "gauge", _ZERO, Decimal(100), _moisture),
        "soilTemperature": SimulatedAttribute(
            "degC", "gauge", Decimal(-30), Decimal(60), _soil_degc
        ),
    },
}
TYPES = {"household": "Meter", "solar": "Inverter", "bus-gate": "BusGate", "soil": "SoilProbe"}
