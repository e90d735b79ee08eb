"""Looking at claims: search, a meter's bands over time, refused attempts, what lies inside what."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.citizen.models import Role
from onsil.console.claims.bands import drawn
from onsil.console.claims.forms import BoundaryForm, ReleaseForm, SearchForm, kind_word
from onsil.console.export import csv_response
from onsil.console.frame import STAFF, Request, needs, page
from onsil.footprint.claims import Hit, insides, refused_attempts, search, timeline
from onsil.tenancy import transaction

READERS = (*STAFF, Role.VERIFIER)
_LISTED, _PAGE = 5_000, 40
_BANDS = 400


def claims_page(request: Request, template: str, tab: str, **context: Any) -> HttpResponse:
    """A screen of this part, with what all of them show."""
    return page(
        request, f"console/claims/{template}.html", section="claims", tab=tab,
        may_change=bool(request.roles.intersection(STAFF)), **context,
    )  # fmt: skip


@require_safe
@needs(*READERS)
def listing(request: Request) -> HttpResponse:
    """Every meter and record that was claimed, newest first, narrowed down by what is asked."""
    form = SearchForm(request.GET or None)
    asked = form.asked(request.city)
    with transaction(request.city.code) as conn:
        found = search(conn, request.city.code, limit=_LISTED, **asked)
    if request.GET.get("format") == "csv":
        return _csv(request, found)
    shown = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return claims_page(
        request, "list", "meters", form=form, rows=shown, count=len(found), asked=any(
            asked.values())
    )  # fmt: skip


def _csv(request: Request, found: list[Hit]) -> HttpResponse:
    header = [
        _("계량기·기록"), _("물리량"), _("단위"), _("프로그램"), _("등록"), _("처음"), _("끝"),
        _("거절된 시도"),
    ]  # fmt: skip
    rows = [
        (hit.meter, hit.quantity, hit.unit, " ".join(hit.programmes), hit.claims,
         hit.period.start, hit.period.end, hit.refused)
        for hit in found
    ]  # fmt: skip
    return csv_response(f"{request.city.code}-claims", header, rows)


@require_safe
@needs(*READERS)
def meter(request: Request) -> HttpResponse:
    """One meter: its claims as bands over time and shares, and who was refused there."""
    return meter_page(request, (request.GET.get("meter") or "").strip()[:300])


def meter_page(request: Request, name: str, status: int = 200, **context: Any) -> HttpResponse:
    """The page of a meter; also after an entry that could not be taken."""
    if not name:
        raise Http404
    city, form = request.city, SearchForm(request.GET or None)
    period = form.asked(city)["period"]
    with transaction(city.code) as conn:
        bands = timeline(conn, city.code, name, period)[:_BANDS]
        attempts = [
            one for one in refused_attempts(conn, city.code, meter=name) if name in one.meters
        ]
        around = insides(conn, city.code, name)
        released = [
            held
            for held in footprint.claims(conn, city.code, limit=_LISTED, released=True)
            if held.released_at and any(line.meter == name for line in held.lines)
        ]
    drawing = drawn(bands, attempts, city.zone, period)
    kinds = [(kind, kind_word(kind)) for kind in (drawing.kinds if drawing else ())]
    return claims_page(
        request, "meter", "meters", status=status, meter=name, bands=bands, attempts=attempts,
        drawing=drawing, kinds=kinds, form=form, released=released,
        parts=[one for one in around if one.whole == name],
        wholes=[one for one in around if one.part == name],
        **({"release_form": ReleaseForm()} | context),
    )  # fmt: skip


@require_safe
@needs(*READERS)
def refused(request: Request) -> HttpResponse:
    """Every refused attempt with both sides, newest first."""
    form = SearchForm(request.GET or None)
    asked = form.asked(request.city)
    with transaction(request.city.code) as conn:
        found = refused_attempts(
            conn, request.city.code, asked["meter"], asked["programme"], _LISTED
        )
    period = asked["period"]
    found = [
        one for one in found
        if (not asked["kind"] or one.kind == asked["kind"])
        and (period is None or one.period.overlaps(period))
    ]  # fmt: skip
    shown = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return claims_page(
        request, "refused", "refused", form=form, rows=shown, count=len(found)
    )  # fmt: skip


@require_safe
@needs(*READERS)
def boundaries(request: Request) -> HttpResponse:
    """What lies inside what, and a form to state it."""
    return boundaries_page(request, BoundaryForm())


def boundaries_page(request: Request, form: BoundaryForm, status: int = 200) -> HttpResponse:
    """The list of boundaries; also after one that could not be taken."""
    with transaction(request.city.code) as conn:
        found = insides(conn, request.city.code)
    shown = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    return claims_page(
        request, "boundaries", "boundaries", rows=shown, boundary_form=form, status=status
    )  # fmt: skip
