"""demand-response 1: a customer's baseline load less its use in events, less what came back."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.arithmetic import Grid, energy_grid
from onsil_verifier.electricity import known, leave_out_uncalibrated, of_energy
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import Row, day, days, judge, line, midnight, total
from onsil_verifier.uncertainty import FACTOR_NOTE, component, stated

_BACK = 45
# Days taken, and of these the highest and the lowest that do not count.
_RULES = {"max-4-5": (5, 0, 1), "mid-6-10": (10, 2, 2), "mid-8-10": (10, 1, 1)}
_NONE = Decimal(0)


def events(given: Given) -> dict[str, Any]:
    series = given.series["electricity"]
    watched = replace(
        given,
        start=given.start - timedelta(days=_BACK),
        end=given.end + timedelta(hours=int(given.parameters["recovery_hours"])),
    )
    grid = energy_grid(watched, series)
    leave_out_uncalibrated(given, grid)
    load = _Load(given, grid)
    judged = judge(given.tables["events"], load.settle)
    by_day: dict[str, Decimal] = {}
    for row in judged.used:
        less = max(load.settled[row["id"]]["curtailed_wh"], _NONE)
        by_day[row["day"]] = by_day.get(row["day"], _NONE) + less
    curtailed = total(by_day.values())
    if curtailed <= 0:
        raise Refused("nothing-curtailed")
    saved = total(one["saved_wh"] for one in load.settled.values())
    out = of_energy(given, saved)
    baseline = of_energy(given, total(one["baseline_wh"] for one in load.settled.values()))
    sources = [
        component(
            f"model:{series.meter}:cbl", baseline.tonnes,
            given.number("baseline_uncertainty_pct"),
            ko="고객기준부하", en="Customer baseline load",
        )
    ]  # fmt: skip
    return {
        "co2e_t": out.tonnes,
        "gases_kg": out.gases,
        "lines": [line(series.meter, "electricity-shifted", curtailed, "Wh", by_day)],
        "uncertainty": stated(out.tonnes, sources, note=FACTOR_NOTE),
        "coverage": {"events": judged.coverage()},
        "details": {
            "events": load.settled, "saved_wh": saved, "shifted_wh": curtailed - saved,
        },
    }  # fmt: skip


@dataclass(frozen=True)
class _Window:
    """Minutes after a day's midnight."""

    first: int
    end: int


class _Load:
    def __init__(self, given: Given, grid: Grid) -> None:
        self.given, self.grid = given, grid
        self.settled: dict[str, dict[str, Decimal]] = {}
        rows = [*given.tables["events"], *given.tables.get("days_off", [])]
        self.off = {day(row, "day") for row in rows}

    def settle(self, row: Row) -> str | None:
        """An event's sums, kept; or why there are none."""
        own, first = day(row, "day"), int(row["start_minute"])
        last = first + int(row["minutes"])
        event = _Window(first, last)
        later = _Window(last, last + int(self.given.parameters["recovery_hours"]) * 60)
        if not days(self.given).holds(own):
            return "outside-period"
        used, back = self.energy(own, event), self.energy(own, later)
        if used is None or back is None:
            return "use-missing"
        chosen = self.chosen(own, event, later)
        if chosen is None:
            return "too-few-baseline-days"
        usual, usual_later = self.mean(chosen, event), self.mean(chosen, later)
        shift = self.shift(own, first, chosen, usual)
        baseline = total(usual) + shift * len(usual)
        curtailed = baseline - total(used)
        recovered = total(
            max(_NONE, one - other - shift) for one, other in zip(back, usual_later, strict=True)
        )
        self.settled[row["id"]] = {
            "baseline_wh": baseline, "curtailed_wh": curtailed, "recovered_wh": recovered,
            "saved_wh": max(_NONE, curtailed - recovered),
        }  # fmt: skip
        return None

    def energy(self, one: date, window: _Window) -> list[Decimal] | None:
        """Wh of the intervals that lie whole in a window; None where one is not known."""
        begins = midnight(self.given, one) - self.grid.start
        step = timedelta(seconds=self.grid.step_s)
        first = -(-(begins + timedelta(minutes=window.first)) // step)
        after = (begins + timedelta(minutes=window.end)) // step
        if not 0 <= first < after <= len(self.grid.values):
            return None
        found = known(self.grid.values[first:after])
        return found if len(found) == after - first else None

    def chosen(self, own: date, event: _Window, later: _Window) -> list[date] | None:
        """The days of the baseline, lowest first."""
        wanted, high, low = _RULES[self.given.parameters["cbl"]]
        candidates: list[tuple[Decimal, date]] = []
        earlier = own
        while len(candidates) < 2 * wanted and (own - earlier).days < _BACK - 1:
            earlier -= timedelta(days=1)
            if earlier.weekday() in (5, 6) or earlier in self.off:
                continue
            used = self.energy(earlier, event)
            if used is not None and self.energy(earlier, later) is not None:
                candidates.append((total(used), earlier))
        if len(candidates) < wanted:
            return None
        mean = total(wh for wh, _ in candidates[:wanted]) / wanted
        kept = [one for one in candidates if one[0] >= Decimal("0.75") * mean][:wanted]
        if len(kept) < wanted:
            return None
        return [one for _, one in sorted(kept)][low : wanted - high]

    def mean(self, chosen: list[date], window: _Window) -> list[Decimal]:
        rows = [self.energy(one, window) or [] for one in chosen]
        return [total(column) / len(chosen) for column in zip(*rows, strict=True)]

    def shift(self, own: date, first: int, chosen: list[date], usual: list[Decimal]) -> Decimal:
        """The day's own level against the baseline's from four hours to one before, capped."""
        share = self.given.number("adjustment_cap_pct")
        window = _Window(first - 240, first - 60)
        before = [self.energy(one, window) for one in (own, *chosen)]
        mine = before[0]
        if share.is_zero() or mine is None or None in before:
            return _NONE
        gap = (total(mine) - total(self.mean(chosen, window))) / len(mine)
        most = total(usual) / len(usual) * share / 100
        return min(most, max(gap, -most)) if most >= 0 else -most


METHODS = {("demand-response", "1"): events}
