"""The first screen of the morning, and its parts for live renewal."""

import json
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil.building import geography
from onsil.console import burndown, energy, kpis, loop, measures, sitework, watchlist
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.rewards import services as rewards

_CLOCK = SystemClock()


def _figures(request: Request) -> list[kpis.Kpi]:
    found = measures.gather(request.city, _CLOCK.now())
    return kpis.read(request.city.data.get("kpi", ()), found, get_language() or "ko")


def _kpis(request: Request) -> dict[str, Any]:
    return {"kpis": _figures(request)}


def _ring(request: Request) -> dict[str, Any]:
    return {"stations": loop.ring(request.city, get_language() or "ko")}


def _alarms(request: Request) -> dict[str, Any]:
    language = get_language() or "ko"
    found = watchlist.alarm_list(request.city, _CLOCK.now())
    return {
        "alarms": [
            {"status": a.status, "what": a.what(language), "do": a.do(language), "href": a.href,
             "at": a.at}
            for a in found[:12]
        ],
        "alarm_count": len(found),
    }  # fmt: skip


def _flow(request: Request) -> dict[str, Any]:
    return {"flow": energy.flow_chart(request.city)}


def _map(request: Request) -> dict[str, Any]:
    lines = sitework.site_lines(request.city, _CLOCK.now())
    return {"places": sitework.places(lines, get_language() or "ko", _site)}


def _site(site: Any) -> str:
    return reverse("console-site", args=[site])


def _budgets(request: Request) -> dict[str, Any]:
    found = rewards.budget_status(request.city.code)
    today = _CLOCK.now().astimezone(request.city.zone).date()
    current = [one for one in found if one.forecast.state != "closed"]
    return {"budgets": [burndown.card(one, get_language() or "ko", today) for one in current]}


_PARTS = {"kpis": _kpis, "ring": _ring, "alarms": _alarms, "flow": _flow, "budgets": _budgets}


@needs(*STAFF)
def board(request: Request) -> HttpResponse:
    """The whole dashboard; `?wall=1` for the wall."""
    context: dict[str, Any] = {"layers": [("building", _("그린빌딩"))]}
    for make in (*_PARTS.values(), _map):
        context |= make(request)
    return page(request, "console/dashboard.html", section="dashboard", **context)


@needs(*STAFF)
def part(request: Request, part: str) -> HttpResponse:
    """One part of it anew, for live pages."""
    if part not in _PARTS:
        raise Http404
    return render(request, f"console/parts/{part}.html", _PARTS[part](request))


@needs(*STAFF)
def kpis_csv(request: Request) -> HttpResponse:
    """The plan's figures as a table, with what is missing said."""
    header = [
        _("지표"), _("값"), _("단위"), _("목표"), _("상태"), _("잰 때"), _("담당"),
        _("방법 또는 빠진 것"),
    ]  # fmt: skip
    rows = [
        (k.label, "" if k.exact is None else str(k.exact), k.unit, k.target_text,
         k.status_word, k.at, k.owner, k.method or k.missing)
        for k in _figures(request)
    ]  # fmt: skip
    return csv_response(f"{request.city.code}-kpi", header, rows)


def _geojson(shape: Any) -> HttpResponse:
    response = HttpResponse(json.dumps(shape), content_type="application/geo+json")
    response["Cache-Control"] = "max-age=86400"
    return response


@needs(*STAFF)
def boundary(request: Request) -> HttpResponse:
    return _geojson(geography.boundary_geojson(request.city.code))


@needs(*STAFF)
def districts(request: Request) -> HttpResponse:
    return _geojson(geography.districts_geojson(request.city.code))
