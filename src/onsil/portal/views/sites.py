"""A site's own page: what its meters show today, where its readings went, whose data they are."""

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil import hub
from onsil.building import services as building
from onsil.building.models import Meter, Site
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.periods import Period, local_day, midnight
from onsil.core.refusal import Refusal
from onsil.portal.access import sees_everything
from onsil.portal.terms import Chart
from onsil.portal.trace.readings import day_chart
from onsil.portal.trace.walk import Walk
from onsil.tenancy import transaction

_DAY = timedelta(days=1)


@require_safe
def site(request: HttpRequest, code: str) -> HttpResponse:
    """One site. A home's page is for its own people, officials and verifiers."""
    city = request.city
    found = building.site(city.code, code)
    if isinstance(found, Refusal) or not _may_see(request, found):
        raise Http404
    with transaction(city.code) as conn:
        meters = [_meter(conn, request, found, meter) for meter in found.meters.all()]
    runs = building.site_runs(city.code, found.pk, limit=24)
    return render(
        request,
        "portal/site.html",
        {
            "site": found,
            "name": found.name(get_language() or "ko"),
            "attribution": found.attribution(get_language() or "ko"),
            "note": found.note(get_language() or "ko"),
            "meters": meters,
            "runs": runs,
            "place": [
                {"id": "here", "name": found.name(get_language() or "ko"), "lon": found.lon,
                 "lat": found.lat, "kind": "building", "note": found.get_kind_display()}
            ],
        },
    )  # fmt: skip


@require_safe
def chart(request: HttpRequest, code: str) -> HttpResponse:
    """The newest day of a site's first meter that has one, for the map's pop-ups."""
    city = request.city
    found = building.site(city.code, code)
    if isinstance(found, Refusal) or not _may_see(request, found):
        raise Http404
    with transaction(city.code) as conn:
        meters = (_meter(conn, request, found, meter) for meter in found.meters.all())
        shown = next((item for item in meters if item["chart"]), None)
    return render(request, "portal/_site_chart.html", {"item": shown})


def _may_see(request: HttpRequest, found: Site) -> bool:
    if found.person is None:
        return True
    return sees_everything(request) or found.person == request.user.pk


def _meter(conn: Connection, request: HttpRequest, found: Site, meter: Meter) -> dict[str, Any]:
    """A meter with its newest day's chart and the way onward from its newest reading."""
    city = request.city
    series = hub.find_series(conn, city.code, entities=[meter.entity], attribute=meter.attribute)
    shown: dict[str, Any] = {"meter": meter, "chart": None, "latest": None, "rate": None}
    if not series:
        return shown
    newest = hub.latest(conn, city.code, [series[0].id]).get(series[0].id)
    if newest is None:
        return shown
    day = midnight(local_day(newest.observed_at, city.zone), city.zone)
    walk = Walk(conn, city.code, city.zone)
    chart = day_chart(walk, series[0], Period(day, day + _DAY), None)
    now = SystemClock().now()
    return shown | {
        "chart": _plot(chart, series[0], city.zone) if chart else None,
        "latest": newest,
        "series": series[0],
        "today": now - newest.observed_at < _DAY,
        "forward": _forward(meter, newest.observed_at),
    }


def _plot(chart: Chart, series: hub.Series, zone: Any) -> dict[str, Any]:
    english = (get_language() or "ko").startswith("en")
    return {
        "title": chart.title.text("en" if english else "ko"),
        "description": series.note,
        "kind": "line",
        "unit": chart.unit,
        "labels": [time.astimezone(zone).strftime("%H:%M") for time in chart.times],
        "series": [{"name": series.attribute, "kind": series.source, "values": list(chart.values)}],
    }


def _forward(meter: Meter, instant: datetime) -> str:
    query = {"entity": meter.entity, "attribute": meter.attribute, "at": instant.isoformat()}
    return f"{reverse('trace-reading')}?{urlencode(query)}"
