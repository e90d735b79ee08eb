"""Sites and their meters as officials see them: state, charts, the calendar of gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from onsil import hub
from onsil.building import services as building
from onsil.console import linkage
from onsil.core.database import Connection
from onsil.core.periods import Period, days_of
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

GOOD, WATCH = Decimal("0.9"), Decimal("0.7")
SPANS = {"day": 1, "week": 7, "month": 31, "year": 365}


@dataclass
class SiteLine:
    """A site in the list: its meters' sources, newest reading and linkage rate."""

    site: Any
    sources: list[str] = field(default_factory=list)
    newest: datetime | None = None
    rate: Decimal | None = None
    meters: int = 0

    @property
    def status(self) -> str:
        """good from 90 %, watch from 70 %, bad below; empty where nothing is expected."""
        if self.rate is None:
            return ""
        return "good" if self.rate >= GOOD else "watch" if self.rate >= WATCH else "bad"


def site_lines(city: CityProfile, now: datetime) -> list[SiteLine]:
    """Every site of the city with the state of its data."""
    sites = list(building.sites(city.code))
    with transaction(city.code) as conn:
        wanted = {m.entity for s in sites for m in s.meters.all()}
        series = hub.find_series(conn, city.code, entities=wanted) if wanted else []
        newest = hub.latest(conn, city.code, [s.id for s in series])
        rates = linkage.linkage_of(conn, city.code, series, now, city.zone)
    lines = []
    for site in sites:
        keys = {(m.entity, m.attribute) for m in site.meters.all()}
        own = [s for s in series if (s.entity, s.attribute) in keys]
        lines.append(
            SiteLine(
                site, sorted({s.source for s in own}),
                max((newest[s.id].observed_at for s in own if s.id in newest), default=None),
                linkage.together(rates[s.id] for s in own if s.id in rates), len(keys),
            )
        )  # fmt: skip
    return lines


def places(lines: Sequence[SiteLine], language: str, href: Any) -> list[dict[str, Any]]:
    """The sites for a map; `href` makes a site's address from its id."""
    return [
        {
            "id": line.site.id, "name": name_of(line.site, language),
            "lon": line.site.lon, "lat": line.site.lat, "kind": "building",
            "status": line.status, "href": href(line.site.id),
            "note": "–" if line.rate is None else f"{line.rate * 100:.0f}%",
        }
        for line in lines
    ]  # fmt: skip


def name_of(site: Any, language: str) -> str:
    return site.name_en if language.startswith("en") else site.name_ko


@dataclass
class MeterView:
    """One meter of a site: its series, the chart of the chosen days, its own linkage."""

    meter: Any
    series: hub.Series | None
    newest: hub.LatestPoint | None
    chart: Mapping[str, Any] | None
    rate: Decimal | None


@dataclass
class SiteView:
    """A site with its meters over a period, and the year's calendar."""

    site: Any
    meters: list[MeterView]
    period: Period | None
    calendar: "Calendar | None"


def site_view(
    city: CityProfile, site: Any, span: str, until: date | None, now: datetime
) -> SiteView:
    """A site's meters over `span` (day, week, month, year) until a local day, or its newest."""
    with transaction(city.code) as conn:
        meters = list(site.meters.all())
        entities = {m.entity for m in meters}
        known = hub.find_series(conn, city.code, entities=entities) if entities else []
        found = {(s.entity, s.attribute): s for s in known}
        series = [found[m.entity, m.attribute] for m in meters if (m.entity, m.attribute) in found]
        newest = hub.latest(conn, city.code, [s.id for s in series])
        period = _period(newest, span, until, city)
        rates = linkage.linkage_of(conn, city.code, series, now, city.zone)
        views = []
        for meter in meters:
            one = found.get((meter.entity, meter.attribute))
            point = newest.get(one.id) if one else None
            chart = meter_chart(conn, city, one, period, span) if one and period else None
            rate = rates[one.id].rate if one and one.id in rates else None
            views.append(MeterView(meter, one, point, chart, rate))
        calendar = None
        if newest:
            end = max(p.observed_at for p in newest.values()) + timedelta(seconds=1)
            year = Period(end - timedelta(days=364), end)
            live = [s for s in series if s.id in newest]
            calendar = Calendar.of(linkage.daily(conn, city.code, live, year, city.zone))
    return SiteView(site, views, period, calendar)


def _period(
    newest: Mapping[int, hub.LatestPoint], span: str, until: date | None, city: CityProfile
) -> Period | None:
    if until is not None:
        end = datetime.combine(until + timedelta(days=1), datetime.min.time(), city.zone)
    elif newest:
        last = max(p.observed_at for p in newest.values()).astimezone(city.zone).date()
        end = datetime.combine(last + timedelta(days=1), datetime.min.time(), city.zone)
    else:
        return None
    return Period(end - timedelta(days=SPANS[span]), end)


def meter_chart(
    conn: Connection, city: CityProfile, series: hub.Series, period: Period, span: str
) -> dict[str, Any]:
    """A series over a period: by hour up to a month's days, by day beyond; gaps stay gaps."""
    step = "hour" if span in ("day", "week") else "day"
    rows = hub.rollups(conn, city.code, series.id, period, step, city.zone)
    added = series.kind == "interval"
    known = {r.start: r.total if added else r.mean for r in rows}
    if step == "hour":
        hours = int(period.length / timedelta(hours=1))
        slots = [period.start + timedelta(hours=i) for i in range(hours)]
        labels = [t.astimezone(city.zone).strftime("%m-%d %H:%M") for t in slots]
    else:
        days = list(days_of(period, city.zone))
        slots = [datetime.combine(d, datetime.min.time(), city.zone).astimezone(UTC) for d in days]
        labels = [d.isoformat() for d in days]
    names = {"measured": _("실측"), "replayed": _("과거 실측 재생"), "simulated": _("모의")}
    return {
        "title": series.attribute, "unit": series.unit,
        "kind": "bar" if added and step == "day" else "line",
        "description": _("시간별 합계") if added and step == "hour" else _("일별 합계") if added
        else _("시간별 평균") if step == "hour" else _("일별 평균"),
        "labels": labels, "label_name": _("때"),
        "series": [{"name": names[series.source], "kind": series.source,
                    "values": [known.get(t) for t in slots]}],
    }  # fmt: skip


@dataclass(frozen=True)
class Square:
    x: int
    y: int
    level: str
    title: str


@dataclass(frozen=True)
class Calendar:
    """A year of days as squares, weeks in columns, Mondays on top; and the months in figures."""

    squares: tuple[Square, ...]
    months: tuple[tuple[int, str], ...]
    rates: tuple[tuple[str, Decimal | None, int], ...]
    width: int

    @classmethod
    def of(cls, rates: Mapping[str, Decimal | None]) -> "Calendar":
        squares, months, weeks = [], [], 0
        monthly: dict[str, list[Decimal | None]] = {}
        days = [(date.fromisoformat(key), rate) for key, rate in rates.items()]
        offset = days[0][0].weekday() if days else 0
        for index, (day, rate) in enumerate(days):
            column, row = divmod(index + offset, 7)
            weeks = column + 1
            shown = "–" if rate is None else f"{min(rate, Decimal(1)) * 100:.0f}%"
            squares.append(Square(14 + column * 14, 14 + row * 14, level(rate), f"{day}: {shown}"))
            if day.day == 1:
                months.append((14 + column * 14, f"{day.month}"))
            monthly.setdefault(day.strftime("%Y-%m"), []).append(rate)
        return cls(
            tuple(squares), tuple(months),
            tuple((m, _mean(r), sum(x is None for x in r)) for m, r in monthly.items()),
            20 + weeks * 14,
        )  # fmt: skip


def level(rate: Decimal | None) -> str:
    """none for a day without anything; 0 (under half) to 4 (from 90 %)."""
    if rate is None:
        return "none"
    bounds = (Decimal("0.5"), Decimal("0.7"), Decimal("0.8"), Decimal("0.9"))
    return str(sum(rate >= bound for bound in bounds))


def _mean(rates: Sequence[Decimal | None]) -> Decimal | None:
    known = [min(r, Decimal(1)) for r in rates if r is not None]
    return sum(known, Decimal(0)) / len(rates) if known else None
