"""Demand response, version 1. For DR programmes and rewards only: never units.

For each event at a site, per metered interval i of the event:

    curtailed = Σ_i (CBL_i + adjustment − use_i)                        energy shifted
    recovered = Σ_j max(0, use_j − CBL_j − adjustment) after the event  energy taken back
    emission reduction = Σ_events max(0, curtailed − recovered) · EF_grid

Source: the Korean market's customer baseline loads as the trade press reports them (KPX's rule text
was not reachable): Max(4/5), the last five working days without the lowest; Mid(6/10), the last ten
without the two highest and two lowest; Mid(8/10), the last ten without the highest and the lowest.
Saturdays, Sundays, holidays and event days are left out, and days whose mean is under 75 % of the
candidates' mean, looking back over twice the days at most. The symmetric additive adjustment is
PJM's pattern: the mean gap over the hours before the event, capped. What is used again after the
event was shifted, not saved; only what is not taken back reduces emissions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, midnight
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.intervals import Intervals, energy_intervals
from onsil.footprint.methodologies.components import FACTOR_NOTE
from onsil.footprint.methodologies.conditions import (
    CALIBRATED,
    CALIBRATION_CONDITION,
    exclude_uncalibrated,
)
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.methodologies.records import Row, days_of_period, judge, none_usable
from onsil.footprint.methodologies.registry import (
    Column,
    FactorNeed,
    MonitoringParameter,
    Parameter,
    Role,
    TableRole,
    WorkedExample,
)
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "demand-response"
VERSION = "1"
CREDITABLE = False
TITLE_KO = "수요반응"
TITLE_EN = "Demand response"
SOURCES = (
    "전력거래소 수요반응 고객기준부하(CBL) Max(4/5)·Mid(6/10)·Mid(8/10), 언론에 보도된 내용",
    "PJM, symmetric additive adjustment (recalled; its window and cap are parameters here)",
)
FORMULA = (
    "ER [tCO2e] = Σ_e max(0, Σ_i (CBL_i + adj − use_i) − Σ_j max(0, use_j − CBL_j − adj)) [MWh] "
    "× EF_grid [kgCO2e/MWh] / 1000"
)
CONDITIONS = (
    (
        "수요반응과 보상에만 쓰이고 크레딧이 될 수 없습니다. 옮긴 전력은 아낀 전력이 아닙니다.",
        "For DR programmes and rewards only, never units. Energy moved is not energy saved.",
    ),
    (
        "발령 구간과 그 뒤 회복 구간은 모두 측정되어야 합니다. 하나라도 빠진 발령은 제외됩니다.",
        "Every interval of the event and of the recovery after it was measured; an event with a "
        "gap is excluded.",
    ),
    (
        "기준부하의 날은 주말, 쉬는 날, 발령일이 아니고 같은 시각이 모두 측정된 날입니다.",
        "Baseline days are no weekends, days off or event days, and measured at the same hours.",
    ),
    (
        "방법(cbl)은 등록 때 정하고 결과를 보고 바꾸지 않습니다.",
        "The baseline method (cbl) is fixed at registration, never chosen for its result.",
    ),
    CALIBRATION_CONDITION,
)
ROLES = (Role("electricity", "energy or power", "전력 사용량", "Electricity use"),)
TABLES = (
    TableRole(
        "events", "발령", "Events",
        (
            Column("day", "date", "날짜", "Day"),
            Column(
                "start_minute", "integer", "시작 (자정부터 분)", "Start, minutes after midnight",
                "min", minimum=Decimal(0), maximum=Decimal(1439),
            ),
            Column(
                "minutes", "integer", "길이", "Length", "min", minimum=Decimal(5),
                maximum=Decimal(480),
            ),
        ),
    ),
    TableRole(
        "days_off", "쉬는 날", "Days off", (Column("day", "date", "날짜", "Day"),),
        required=False,
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "cbl", "choice", "고객기준부하", "Baseline load", default="mid-6-10",
        choices=("max-4-5", "mid-6-10", "mid-8-10"),
    ),
    Parameter(
        "adjustment_cap_pct", "decimal", "당일 조정의 상한 (0은 조정 없음)",
        "Cap of the adjustment by the day itself; 0 is none", "%", default="20",
        minimum=Decimal(0), maximum=Decimal(50),
    ),
    Parameter(
        "recovery_hours", "integer", "회복을 보는 시간", "Hours watched for recovery", "h",
        default="6", minimum=Decimal(1), maximum=Decimal(24),
    ),
    Parameter(
        "baseline_uncertainty_pct", "decimal", "기준부하의 불확도 (95 %, 기준부하에 대한 비율)",
        "Uncertainty of the baseline at 95 %, of the baseline", "%", default="10",
        minimum=Decimal(0), maximum=Decimal(50),
    ),
    CALIBRATED,
)  # fmt: skip
FACTORS = (FactorNeed("electricity", "consumption", ("electricity",)),)
MONITORING = (
    MonitoringParameter(
        "P", "kW", "전력 사용량", "Electricity demand", "15분 이하", "every 15 minutes or oftener",
        "검정받은 원격검침 전력량계", "type-approved remotely read meter",
        "발령 없는 날의 기준부하 오차(RRMSE)를 함께 공개",
        "the baseline's error on days without events (RRMSE) is published beside it",
    ),
)  # fmt: skip

# Taken days, and how many of the highest and of the lowest are dropped.
_RULES = {"max-4-5": (5, 0, 1), "mid-6-10": (10, 2, 2), "mid-8-10": (10, 1, 1)}
_LOOK_BACK_DAYS = 45
_LOW_DAY = Decimal("0.75")
_BEFORE_MINUTES = (240, 60)
_DAY_MINUTES = 1440


@dataclass(frozen=True)
class _Settled:
    """One event's energy in Wh: what its baseline was, what was curtailed, what was taken back."""

    baseline_wh: Decimal
    curtailed_wh: Decimal
    recovered_wh: Decimal

    @property
    def saved_wh(self) -> Decimal:
        return max(Decimal(0), self.curtailed_wh - self.recovered_wh)


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: from before the first baseline day to the last recovery."""
    after = timedelta(hours=int(parameters["recovery_hours"]))
    return Period(period.start - timedelta(days=_LOOK_BACK_DAYS), period.end + after)


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Energy curtailed in events, and the emissions of what was not taken back afterwards.

    Refused: `unit-mismatch`, `no-interval`, `no-row-usable`, `nothing-curtailed`.
    """
    watched = span(inputs.parameters, inputs.period, inputs.zone)
    made = energy_intervals(inputs.series["electricity"], watched)
    if isinstance(made, Refusal):
        return made
    exclude_uncalibrated(made, inputs.parameters, inputs.zone)
    load = _Load(made, inputs)
    settled: dict[str, _Settled] = {}

    def reason(row: Row) -> str | None:
        found = load.settle(row)
        if isinstance(found, str):
            return found
        settled[row["id"]] = found
        return None

    judged = judge(inputs.tables["events"], reason)
    refusal = none_usable("events", judged)
    if refusal is not None:
        return refusal
    by_day: dict[str, Decimal] = {}
    for row in judged.used:
        day = row["day"].isoformat()
        by_day[day] = by_day.get(day, Decimal(0)) + max(Decimal(0), settled[row["id"]].curtailed_wh)
    curtailed_wh = sum(by_day.values(), Decimal(0))
    if curtailed_wh <= 0:
        return Refusal(
            "nothing-curtailed",
            "발령 때 기준부하보다 적게 쓰지 않았습니다.",
            "No less than the baseline was used in the events.",
            {"events": len(judged.used)},
        )
    return _outcome(inputs, judged.coverage(), settled, by_day, curtailed_wh)


def _outcome(
    inputs: MethodInputs,
    coverage: Mapping[str, Any],
    settled: Mapping[str, _Settled],
    by_day: Mapping[str, Decimal],
    curtailed_wh: Decimal,
) -> Outcome:
    factor, meter = inputs.factors["electricity"], inputs.series["electricity"].meter
    saved_wh = sum((one.saved_wh for one in settled.values()), Decimal(0))
    baseline_wh = sum((one.baseline_wh for one in settled.values()), Decimal(0))
    found = emissions(saved_wh, factor, inputs.gwp_set)
    return Outcome(
        lines=(RunLine(meter, "electricity-shifted", curtailed_wh, parts=by_day),),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=stated(
            found["co2e_t"],
            [
                component(
                    f"model:{meter}:cbl",
                    emissions(baseline_wh, factor, inputs.gwp_set)["co2e_t"],
                    inputs.parameters["baseline_uncertainty_pct"],
                    ko="고객기준부하", en="Customer baseline load",
                )
            ],
            note=FACTOR_NOTE,
        ),
        coverage={"events": coverage},
        details={
            "events": {
                key: {
                    "baseline_wh": one.baseline_wh, "curtailed_wh": one.curtailed_wh,
                    "recovered_wh": one.recovered_wh, "saved_wh": one.saved_wh,
                }
                for key, one in sorted(settled.items())
            },
            "saved_wh": saved_wh,
            "shifted_wh": curtailed_wh - saved_wh,
        },
    )  # fmt: skip


class _Load:
    """A site's metered use, asked by local day and minute of the day."""

    def __init__(self, made: Intervals, inputs: MethodInputs) -> None:
        self._made, self._zone = made, ZoneInfo(inputs.zone)
        self._given, self._days = inputs.parameters, days_of_period(inputs)
        events = {row["day"] for row in inputs.tables["events"]}
        self._off = events | {row["day"] for row in inputs.tables.get("days_off", ())}

    def settle(self, row: Row) -> _Settled | str:
        """An event's energy, or the reason why it cannot be settled."""
        day, start = row["day"], int(row["start_minute"])
        end = start + int(row["minutes"])
        after = end + 60 * int(self._given["recovery_hours"])
        if day not in self._days:
            return "outside-period"
        used, later = self._slice(day, start, end), self._slice(day, end, after)
        if used is None or later is None:
            return "use-missing"
        chosen = self._baseline_days(day, start, end, after)
        if chosen is None:
            return "too-few-baseline-days"
        baseline, following = self._mean(chosen, start, end), self._mean(chosen, end, after)
        shift = self._adjustment(day, start, chosen, baseline)
        curtailed = sum(baseline, Decimal(0)) + shift * len(baseline) - sum(used, Decimal(0))
        recovered = sum(
            (max(Decimal(0), u - b - shift) for u, b in zip(later, following, strict=True)),
            Decimal(0),
        )
        whole = sum(baseline, Decimal(0)) + shift * len(baseline)
        return _Settled(whole, curtailed, recovered)

    def _slice(self, day: date, first_minute: int, end_minute: int) -> list[Decimal] | None:
        """Energy per interval between two minutes after a day's midnight; None if any is not known.

        Intervals that straddle a bound are outside it, as settlement counts whole ones.
        """
        step, begin = self._made.step_s, midnight(day, self._zone)
        offset = int((begin - self._made.period.start).total_seconds())
        first = -(-(offset + 60 * first_minute) // step)
        end = (offset + 60 * end_minute) // step
        if first < 0 or end <= first or end > len(self._made.values):
            return None
        found = self._made.values[first:end]
        return None if any(v is None for v in found) else [v for v in found if v is not None]

    def _baseline_days(self, day: date, start: int, end: int, after: int) -> list[date] | None:
        """The days that make the baseline, low days left out once; None when there are too few."""
        wanted, drop_high, drop_low = _RULES[self._given["cbl"]]
        found: list[tuple[Decimal, date]] = []
        for back in range(1, _LOOK_BACK_DAYS):
            earlier = day - timedelta(days=back)
            if earlier.weekday() >= 5 or earlier in self._off:
                continue
            used = self._slice(earlier, start, end)
            if used is None or self._slice(earlier, end, after) is None:
                continue
            found.append((sum(used, Decimal(0)), earlier))
            if len(found) == 2 * wanted:
                break
        mean = sum((u for u, _ in found[:wanted]), Decimal(0)) / max(1, len(found[:wanted]))
        kept = [one for one in found if one[0] >= _LOW_DAY * mean][:wanted]
        if len(kept) < wanted:
            return None
        ordered = sorted(kept)
        return [d for _, d in ordered[drop_low : len(ordered) - drop_high]]

    def _mean(self, days: list[date], first: int, end: int) -> list[Decimal]:
        rows: list[list[Decimal]] = []
        for day in days:
            one = self._slice(day, first, end)
            assert one is not None
            rows.append(one)
        return [sum(column, Decimal(0)) / len(rows) for column in zip(*rows, strict=True)]

    def _adjustment(
        self, day: date, start: int, days: list[date], baseline: list[Decimal]
    ) -> Decimal:
        """Mean gap per interval over the hours before the event, capped; none where not known."""
        cap_pct = self._given["adjustment_cap_pct"]
        first, last = start - _BEFORE_MINUTES[0], start - _BEFORE_MINUTES[1]
        own = self._slice(day, first, last)
        others = [self._slice(d, first, last) for d in days]
        if not cap_pct or own is None or any(one is None for one in others):
            return Decimal(0)
        before = self._mean(days, first, last)
        gap = (sum(own, Decimal(0)) - sum(before, Decimal(0))) / len(own)
        cap = sum(baseline, Decimal(0)) / len(baseline) * cap_pct / 100
        return max(-cap, min(cap, gap))


def worked_example() -> WorkedExample:
    """Ten equal working days, then an event: two hours at 600 kW instead of 1,000 kW."""
    zone = ZoneInfo("Asia/Seoul")
    first, event = date(2025, 5, 19), date(2025, 6, 5)
    start = midnight(first, zone)
    hours = [start + timedelta(hours=i) for i in range(19 * 24)]

    def power(at: datetime) -> Decimal:
        local = at.astimezone(zone)
        if local.date() == event and 14 <= local.hour < 16:
            return Decimal(600)
        return Decimal(1100 if local.date() == event and local.hour == 16 else 1000)

    series = ActivitySeries(
        "electricity", "urn:ngsi-ld:Building:example:b1", "power", "kW", 3600, "gauge",
        "measured", tuple(hours), tuple(power(at) for at in hours),
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(midnight(date(2025, 6, 1), zone), midnight(date(2025, 6, 6), zone)),
        zone="Asia/Seoul",
        parameters={
            "cbl": "mid-6-10", "adjustment_cap_pct": Decimal(20), "recovery_hours": Decimal(6),
            "baseline_uncertainty_pct": Decimal(10),
        },
        series={"electricity": series},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={
            "events": (
                {
                    "id": "event-1", "day": event, "start_minute": Decimal(840),
                    "minutes": Decimal(120),
                },
            ),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 consumption-end factor (0.45941 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.3215874200"),
        steps=(
            "Baseline of ten equal working days: 2 h × 1,000 kW = 2,000 kWh; adjustment 0",
            "Used 2 h × 600 kW = 1,200 kWh: 800 kWh curtailed, which is what a DR programme counts",
            "The hour after: 1,100 kW, 100 kWh taken back; 700 kWh × 0.4594106 = 321.58742 kg",
        ),
    )
