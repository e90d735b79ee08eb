"""The last steps back: a meter's readings on the very day, and where the meter stands."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from onsil import hub
from onsil.building.models import Meter, Site
from onsil.core.periods import Period, days_of, local_day, local_days
from onsil.portal.terms import Chart, Figure, Place, Proof, ProofState, Step, StepKind, Words
from onsil.portal.trace.figures import days
from onsil.portal.trace.walk import Walk

_CHART_VALUES = 96
_HOUR_S = 3600
_COVERED = Proof(
    ProofState.COVERED,
    note=Words(
        "이 값들의 지문이 위 산정의 봉인된 내용에 들어 있습니다.",
        "The digest of these values lies in the sealed entry of the run above.",
    ),
)
ORIGINS = {
    "measured": Words("실측", "Measured"),
    "replayed": Words("과거 실측 재생", "Past measurements replayed"),
    "simulated": Words("모의", "Simulated"),
}


@dataclass(frozen=True)
class Metered:
    """What a run read from one meter: over which period, fixed by which snapshot."""

    entity: str
    attribute: str
    period: Period
    snapshot_digest: str
    at: datetime

    @property
    def key(self) -> str:
        local = f"{self.entity}#{self.attribute}".rsplit(":", 1)[-1]
        return f"readings-{local}-{self.snapshot_digest[:12]}".replace("#", "-")


def visit_readings(walk: Walk, metered: Metered, focus: Period | None = None) -> str | None:
    """Add the readings of one meter, then its sensor; the step's key (None: no such series).

    `focus` is where the value that is traced came from: its day is drawn; otherwise the day of
    the period with most in it.
    """
    found = hub.find_series(
        walk.conn, walk.city, entities=[metered.entity], attribute=metered.attribute
    )
    if not found:
        return None
    series = found[0]
    if not walk.has(metered.key):
        site = site_of(walk.city, metered.entity, metered.attribute)
        walk.add(_readings_step(walk, metered, series, site, focus))
        walk.link(metered.key, _visit_sensor(walk, series, site, metered.period.end))
    return metered.key


def site_of(city: str, entity: str, attribute: str) -> Site | None:
    """The site whose meter a series is, where the building room knows one."""
    meter = (
        Meter.objects.select_related("site")
        .filter(city=city, entity=entity, attribute=attribute)
        .first()
    )
    return meter.site if meter else None


def is_home(site: Site | None) -> bool:
    """Whether a site's place and readings are somebody's private matter."""
    return site is not None and bool(site.person)


def _readings_step(
    walk: Walk, metered: Metered, series: hub.Series, site: Site | None, focus: Period | None
) -> Step:
    hidden = walk.public and is_home(site)
    chart = None if hidden else day_chart(walk, series, metered.period, focus)
    ko, en = days(metered.period, walk.zone)
    rows = hub.rollups(walk.conn, walk.city, series.id, metered.period, "day", walk.zone)
    count = sum(row.count for row in rows)
    return Step(
        key=metered.key,
        kind=StepKind.READINGS,
        id=f"{series.entity}#{series.attribute}",
        at=metered.period.end,
        station="measure",
        title=Words("계량기가 잰 값", "What the meter measured"),
        words=Words(
            f"{ko}에 계량기가 {count:,}번 잰 값입니다. 빠진 값은 0으로 치지 않고 빠진 채로 둡니다.",
            f"The meter's {count:,} readings of {en}. What is missing stays missing, never zero.",
        ),
        figures=(
            Figure(Words("측정값", "Readings"), count),
            Figure(Words("간격", "Interval"), series.interval_s, "s"),
        ),
        digest=metered.snapshot_digest,
        proof=_COVERED,
        chart=chart,
        simulated=series.source == "simulated",
    )


def day_chart(walk: Walk, series: hub.Series, period: Period, focus: Period | None) -> Chart | None:
    """One local day of a series, the hours inside `period` shaded where there are values."""
    day = _day_to_draw(walk, series, period, focus)
    if day is None:
        return None
    whole = local_days(day, day + timedelta(days=1), walk.zone)
    points = hub.points(walk.conn, walk.city, series.id, whole)
    step_s = _step_s(series.interval_s, whole)
    times = _grid(whole, step_s)
    values = _onto_grid(points, times, step_s, series)
    inside = [
        value is not None and time in period for time, value in zip(times, values, strict=True)
    ]
    return Chart(
        title=Words(f"{day.month}월 {day.day}일의 하루", f"The day of {day.day} {day:%B}"),
        times=tuple(times),
        values=tuple(values),
        unit=series.unit,
        shaded=_runs(inside),
        source=series.source,
        note=series.note,
    )


def _day_to_draw(
    walk: Walk, series: hub.Series, period: Period, focus: Period | None
) -> date | None:
    wanted = focus or period
    if focus is not None and focus.length <= timedelta(days=1):
        return local_day(focus.start, walk.zone)
    rows = hub.rollups(walk.conn, walk.city, series.id, wanted, "day", walk.zone)
    if not rows:
        return None
    fullest = max(row.count for row in rows)
    best = max((row for row in rows if row.count == fullest), key=lambda row: row.total)
    day = local_day(best.start, walk.zone)
    assert day in set(days_of(wanted, walk.zone))
    return day


def _step_s(interval_s: int, whole: Period) -> int:
    """The series' own interval, or an hour where a day of it were too many values to draw."""
    if whole.length.total_seconds() / interval_s <= _CHART_VALUES:
        return interval_s
    return _HOUR_S


def _grid(whole: Period, step_s: int) -> list[datetime]:
    times, time = [], whole.start
    while time < whole.end:
        times.append(time)
        time += timedelta(seconds=step_s)
    return times


def _onto_grid(
    points: hub.Points, times: list[datetime], step_s: int, series: hub.Series
) -> list[Decimal | None]:
    """Amounts are added up within a step, states averaged; a step without points stays None."""
    slots: list[list[Decimal]] = [[] for _ in times]
    for time, value in zip(points.times, points.values, strict=True):
        slot = int((time - times[0]).total_seconds() // step_s)
        if 0 <= slot < len(slots):
            slots[slot].append(value)
    if series.kind == "interval":
        return [sum(slot, Decimal(0)) if slot else None for slot in slots]
    return [sum(slot, Decimal(0)) / len(slot) if slot else None for slot in slots]


def _runs(flags: list[bool]) -> tuple[tuple[int, int], ...]:
    """Index pairs [first, last) of the stretches of True."""
    found: list[tuple[int, int]] = []
    start = None
    for i, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            found.append((start, i))
            start = None
    return tuple(found)


def _visit_sensor(walk: Walk, series: hub.Series, site: Site | None, at: datetime) -> str:
    hidden = walk.public and is_home(site)
    local = f"{series.entity}-{series.attribute}".rsplit(":", 1)[-1]
    key = f"sensor-{local}"
    if walk.has(key):
        return key
    if site is not None and is_home(site) and not walk.public:
        walk.owners.add(str(site.person))
    name = _place_name(site, series, hidden)
    place = None
    if site is not None and not hidden:
        place = Place(name.ko, Decimal(str(site.lon)), Decimal(str(site.lat)))
    return walk.add(
        Step(
            key=key,
            kind=StepKind.SENSOR,
            id=series.entity,
            at=at,
            station="measure",
            title=name,
            words=_source_words(series, hidden),
            figures=(
                Figure(Words("계열", "Series"), f"{series.entity}#{series.attribute}"),
                Figure(Words("단위", "Unit"), series.unit),
            )
            if not hidden
            else (),
            place=place,
            simulated=series.source == "simulated",
        )
    )


def _place_name(site: Site | None, series: hub.Series, hidden: bool) -> Words:
    if hidden:
        return Words("어느 가정의 계량기", "A home's meter")
    if site is None:
        local = series.entity.rsplit(":", 1)[-1]
        return Words(f"계량기 {local}", f"Meter {local}")
    return Words(site.name_ko, site.name_en)


def _source_words(series: hub.Series, hidden: bool) -> Words:
    if hidden:
        return Words(
            "개인의 집이어서 위치와 값은 본인과 검증인만 봅니다.",
            "A private home: only its people and the verifier see place and values.",
        )
    told = {
        "measured": ("현장에서 잰 값입니다.", "Measured on site."),
        "replayed": (
            "실제로 잰 옛 자료를 날짜를 옮겨 재생한 값입니다.",
            "Real measurements of the past, replayed with shifted dates.",
        ),
        "simulated": ("모의 기기의 값입니다.", "Values of a simulated device."),
    }
    ko, en = told[series.source]
    note = f" {series.note}" if series.note else ""
    return Words(ko + note, en + note)
