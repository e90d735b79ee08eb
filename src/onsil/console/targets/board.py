"""What the plan's screens show, put together from the footprint room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil.core.database import Connection
from onsil.footprint import inventory, targets
from onsil.footprint.factors import Library

STATUS_SIGNS = {
    "reached": "good", "under-way": "info", "no-evidence": "watch", "no-target": "plain",
    "not-yet": "plain", "ended": "plain",
}  # fmt: skip
VERDICT_SIGNS = {
    "done": "good", "on-track": "good", "behind": "watch", "not-started": "watch",
    "stopped": "bad",
}  # fmt: skip


def english() -> bool:
    return (get_language() or "ko").startswith("en")


def status_word(status: str) -> str:
    """A measure's state in a year, in words."""
    return {
        "reached": _("달성"), "under-way": _("추진 중"), "no-evidence": _("근거 없음"),
        "no-target": _("목표 없음"), "not-yet": _("시작 전"), "ended": _("끝남"),
    }[status]  # fmt: skip


def verdict_word(verdict: str) -> str:
    """A review's verdict in words."""
    return {
        "done": _("완료"), "on-track": _("정상 추진"), "behind": _("지연"),
        "not-started": _("미착수"), "stopped": _("중단"),
    }[verdict]  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A measure in a year, worded for the reader."""

    progress: targets.Progress
    name: str
    owner: str
    indicator: str
    sign: str
    word: str
    verdict_sign: str = ""
    verdict: str = ""

    @property
    def share(self) -> str:
        """The share of the target as a bar's length, 0 to 100."""
        found = self.progress.share_pct
        return "0" if found is None else f"{min(max(found, Decimal(0)), Decimal(100)):.1f}"


def line(one: targets.Progress) -> Line:
    """Word one measure's year."""
    terms, in_english = one.measure.terms, english()
    return Line(
        one,
        terms.name_en if in_english else terms.name_ko,
        terms.owner_en if in_english else terms.owner_ko,
        terms.indicator_en if in_english else terms.indicator_ko,
        STATUS_SIGNS[one.status],
        status_word(one.status),
        "" if one.line is None else VERDICT_SIGNS[one.line.verdict],
        "" if one.line is None else verdict_word(one.line.verdict),
    )


def emitted(conn: Connection, city: str) -> dict[int, Decimal]:
    """The city's inventory totals in tCO2e by year, sealed ones alone."""
    return dict(inventory.totals_by_year(conn, city))


def drawn(value: Decimal | None) -> Decimal | None:
    """A figure as a chart says it, to a kilogram; the exact one stands in the books."""
    return None if value is None else round(value, 3)


def planned_reductions(measures: Sequence[targets.Measure]) -> dict[int, Decimal]:
    """What the measures shall take off by year; only years in which any target has tonnes."""
    found: dict[int, Decimal] = {}
    for one in measures:
        for year, target in one.targets.items():
            if target.co2e_t is not None:
                found[year] = found.get(year, Decimal(0)) + target.co2e_t
    return found


def measured_reductions(evidence: Sequence[targets.Evidence]) -> dict[int, Decimal]:
    """What evidence in force shows by year."""
    found: dict[int, Decimal] = {}
    for one in evidence:
        if one.co2e_t is not None and not one.withdrawn:
            found[one.year] = found.get(one.year, Decimal(0)) + one.co2e_t
    return found


def wedges_chart(
    gaps: Sequence[targets.Gap], measures: Sequence[targets.Measure], this_year: int
) -> dict[str, Any] | None:
    """The base year's emission taken apart: what is allowed, what measures take off, what is left.

    Years gone by show what evidence has shown, the others what the measures shall bring. None
    without the base year's inventory, for shares cannot be stacked against tonnes.
    """
    years = [one for one in gaps if one.allowed_t is not None]
    if not years:
        return None
    names = {m.code: m.terms.name_en if english() else m.terms.name_ko for m in measures}

    def part(one: targets.Gap, code: str) -> Decimal | None:
        return drawn((one.shown if one.year <= this_year else one.expected).get(code))

    series: list[dict[str, Any]] = [
        {
            "name": _("허용 배출량"),
            "kind": "modelled",
            "values": [drawn(one.allowed_t) for one in years],
        }
    ]
    for code, name in names.items():
        values = [part(one, code) for one in years]
        if any(value is not None for value in values):
            series.append({"name": name, "kind": "modelled", "values": values})
    rest = [one.left(one.year <= this_year) or Decimal(0) for one in years]
    series.append(
        {"name": _("아직 메우지 못한 양"), "kind": "modelled",
         "values": [drawn(max(value, Decimal(0))) for value in rest]}
    )  # fmt: skip
    return {
        "title": _("기준연도 배출량을 무엇으로 줄이나"),
        "description": " ".join(
            (
                _("허용 배출량 위에 과제의 감축량을 쌓습니다."),
                _("지난 해는 확인된 양, 앞으로는 계획한 양입니다."),
            )
        ),
        "kind": "stacked",
        "unit": "tCO₂e",
        "labels": [str(one.year) for one in years],
        "series": series,
        "label_name": _("연도"),
    }


def told_gaps(
    gaps: Sequence[targets.Gap], goals: Sequence[targets.Goal], this_year: int
) -> list[tuple[targets.Gap, Decimal | None]]:
    """The years that have something to say, each with what is left of the reduction needed."""
    goal_years = {goal.year for goal in goals}
    return [
        (one, one.left(one.year <= this_year))
        for one in gaps
        if one.emitted_t is not None or one.expected or one.shown or one.year in goal_years
    ]


def pathway_chart(points: Sequence[targets.Point]) -> dict[str, Any]:
    """The way to the last goal: in tonnes where the base year is known, else in per cent."""
    in_tonnes = any(p.allowed_t is not None for p in points)
    allowed = [drawn(p.allowed_t if in_tonnes else p.allowed_pct) for p in points]
    series: list[dict[str, Any]] = [{"name": _("허용 경로"), "kind": "modelled", "values": allowed}]
    if in_tonnes:
        series += [
            {"name": _("인벤토리"), "kind": "measured",
             "values": [drawn(p.emitted_t) for p in points]},
            {"name": _("과제를 다 했을 때"), "kind": "modelled",
             "values": [drawn(p.planned_t) for p in points]},
        ]  # fmt: skip
    return {
        "title": _("2050년까지의 길"),
        "description": _(
            "목표 연도 사이는 직선으로 잇습니다. 인벤토리가 없는 해는 그리지 않습니다."
        ),
        "kind": "line",
        "unit": "tCO₂e" if in_tonnes else _("기준연도 대비 %"),
        "labels": [str(p.year) for p in points],
        "series": [one for one in series if any(v is not None for v in one["values"])],
        "label_name": _("연도"),
    }


def reductions_chart(
    planned: Mapping[int, Decimal], shown: Mapping[int, Decimal], years: Sequence[int]
) -> dict[str, Any]:
    """Planned against shown reductions by year, for the measures board."""
    return {
        "title": _("과제의 연간 감축량"),
        "description": _("목표는 점선, 산정과 등록으로 확인된 양은 실선입니다."),
        "kind": "bar",
        "unit": "tCO₂e",
        "labels": [str(y) for y in years],
        "series": [
            {
                "name": _("목표"),
                "kind": "modelled",
                "values": [drawn(planned.get(y)) for y in years],
            },
            {
                "name": _("확인된 양"),
                "kind": "measured",
                "values": [drawn(shown.get(y)) for y in years],
            },
        ],
        "label_name": _("연도"),
    }


def units_by_year(full: Decimal, first: int, last: int, until: int) -> dict[int, Decimal]:
    """Units in force each year: even steps from `first` to all of them in `last`, then steady."""
    steps = last - first + 1
    return {
        year: full if year >= last else (full * (year - first + 1) / steps)
        for year in range(first, until + 1)
    }


def effects(
    levers: Sequence[targets.Lever],
    full: Mapping[str, Decimal],
    first: int,
    last: int,
    until: int,
    as_of: date,
    zone: ZoneInfo,
    library: Library | None = None,
) -> list[targets.Effect]:
    """Every lever that has units, in every year from `first` to `until`, with a library."""
    planned = [
        replace(one, units=units_by_year(full[one.code], first, last, until))
        for one in levers
        if full.get(one.code)
    ]
    return targets.simulate(planned, list(range(first, until + 1)), as_of, zone, library)


def effects_chart(
    found: Sequence[targets.Effect], levers: Sequence[targets.Lever]
) -> dict[str, Any]:
    """What each lever brings, stacked by year; all of it planned."""
    years = sorted({e.year for e in found})
    by_key = {(e.lever, e.year): e.co2e_t for e in found}
    in_english = english()
    return {
        "title": _("가정한 과제의 감축량"),
        "description": _("실측이 아니라 계획한 물량을 같은 방법론으로 계산한 값입니다."),
        "kind": "stacked",
        "unit": "tCO₂e",
        "labels": [str(y) for y in years],
        "series": [
            {"name": one.en if in_english else one.ko, "kind": "modelled",
             "values": [by_key.get((one.code, y)) for y in years]}
            for one in levers
            if any((one.code, y) in by_key for y in years)
        ],
        "label_name": _("연도"),
    }  # fmt: skip
