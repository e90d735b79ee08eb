"""Sites and meters: the list, one site, its points as a file, and what was set aside."""

from datetime import date
from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from onsil import hub
from onsil.building import services as building
from onsil.building.models import SiteKind
from onsil.console import sitework
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.core.clock import SystemClock
from onsil.core.refusal import Refusal
from onsil.tenancy import transaction

_CLOCK = SystemClock()


def _language() -> str:
    return get_language() or "ko"


@needs(*STAFF)
def listing(request: Request) -> HttpResponse:
    """Every site with its newest reading and linkage rate; `?kind=`, `?status=`, `?format=csv`."""
    every = sitework.site_lines(request.city, _CLOCK.now())
    kind, status = request.GET.get("kind", ""), request.GET.get("status", "")
    lines = [s for s in every if kind in ("", s.site.kind) and status in ("", s.status)]
    if request.GET.get("format") == "csv":
        header = [
            _("현장"), _("종류"), _("계량기"), _("자료의 성격"), _("마지막 값"),
            _("데이터 연계율"),
        ]  # fmt: skip
        rows = [
            (s.site.name(_language()), s.site.get_kind_display(), s.meters, " ".join(s.sources),
             s.newest, None if s.rate is None else str(s.rate))
            for s in lines
        ]  # fmt: skip
        return csv_response(f"{request.city.code}-sites", header, rows)
    return page(
        request, "console/sites.html", section="sites", lines=lines, total=len(every),
        kinds=SiteKind.choices, kind=kind, linked=status, scope=request.city.data.get("scope", {}),
        places=sitework.places(lines, _language(), lambda s: reverse("console-site", args=[s])),
    )  # fmt: skip


def _site(request: Request, site: UUID) -> object:
    found = building.site(request.city.code, site)
    if isinstance(found, Refusal):
        raise Http404(found.ko)
    return found


def _until(request: Request) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("until", ""))
    except ValueError:
        return None


@needs(*STAFF)
def detail(request: Request, site: UUID) -> HttpResponse:
    """One site: its meters over `?span=day|week|month|year` until `?until=`, its calendar."""
    span = request.GET.get("span", "week")
    span = span if span in sitework.SPANS else "week"
    view = sitework.site_view(
        request.city, _site(request, site), span, _until(request), _CLOCK.now()
    )
    spans = (("day", _("하루")), ("week", _("일주일")), ("month", _("한 달")), ("year", _("한 해")))
    return page(
        request, "console/site.html", section="sites", view=view, site=view.site, span=span,
        spans=spans, until=request.GET.get("until", ""),
    )  # fmt: skip


@needs(*STAFF)
def points_csv(request: Request, site: UUID) -> HttpResponse:
    """Every point of the site's meters over the chosen span, exactly as stored."""
    span = request.GET.get("span", "week")
    view = sitework.site_view(
        request.city, _site(request, site), span if span in sitework.SPANS else "week",
        _until(request), _CLOCK.now(),
    )  # fmt: skip
    rows = []
    with transaction(request.city.code) as conn:
        for meter in view.meters:
            if meter.series is None or view.period is None:
                continue
            found = hub.points(conn, request.city.code, meter.series.id, view.period)
            rows += [
                (meter.series.entity, meter.series.attribute, at, str(value), meter.series.unit,
                 meter.series.source)
                for at, value in zip(found.times, found.values, strict=True)
            ]  # fmt: skip
    header = [_("개체"), _("항목"), _("때"), _("값"), _("단위"), _("자료의 성격")]
    return csv_response(f"{request.city.code}-points", header, rows)


@needs(*STAFF)
def quarantine(request: Request) -> HttpResponse:
    """Readings set aside, newest first, with the reason and the raw message."""
    with transaction(request.city.code) as conn:
        entries = hub.quarantine_list(conn, request.city.code, 500)
    if request.GET.get("format") == "csv":
        header = [_("받은 때"), _("출처"), _("이유"), _("설명"), _("원래 값")]
        rows = [(e.received_at, e.origin, e.code, e.ko, str(e.raw)) for e in entries]
        return csv_response(f"{request.city.code}-quarantine", header, rows)
    shown = [
        {"at": e.received_at, "origin": e.origin, "code": e.code, "raw": e.raw,
         "why": e.en if _language().startswith("en") else e.ko}
        for e in entries
    ]  # fmt: skip
    return page(request, "console/quarantine.html", section="sites", entries=shown)
