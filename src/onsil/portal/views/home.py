"""The city's front page: what it saved, live, and where its meters stand."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from onsil.building import geography
from onsil.building import services as building
from onsil.building.models import Site
from onsil.portal.compact import compact_carbon, compact_energy, compact_points, compact_won
from onsil.portal.totals import Totals, totals


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The page itself; its figures are fetched again while it is open."""
    city = request.city.code
    shown = [site for site in building.sites(city) if site.person is None]
    homes = len(building.sites(city)) - len(shown)
    context = _figures(city) | {"places": [_place(site) for site in shown], "homes": homes}
    return render(request, "portal/home.html", context)


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """The part of the front page that is alive."""
    return render(request, "portal/_totals.html", _figures(request.city.code))


def _figures(city: str) -> dict[str, Any]:
    found = totals(city)
    return {"totals": found, "stations": stations(found, get_language() or "ko")}


def stations(found: Totals, language: str) -> dict[str, dict[str, str]]:
    """The ring's eight figures, some with the page that shows more."""
    return {
        "measure": {"figure": _("%d계열") % found.series.amount, "href": "#sites"},
        "quantify": {"figure": compact_energy(found.energy_wh.amount)},
        "claim": {"figure": compact_carbon(found.claimed_t.amount)},
        "credit": {"figure": compact_carbon(found.issued.amount), "href": reverse("registry")},
        "sell": {"figure": compact_carbon(found.sold.amount), "href": reverse("registry")},
        "fund": {"figure": compact_won(found.sold_krw.amount, language)},
        "reward": {"figure": compact_points(found.points.amount, language)},
        "spend": {"figure": compact_won(found.paid_krw.amount, language)},
    }


def _place(site: Site) -> dict[str, Any]:
    origins = {"measured": _("실측"), "replayed": _("과거 실측 재생"), "simulated": _("모의")}
    return {
        "id": str(site.pk),
        "name": site.name(get_language() or "ko"),
        "lon": site.lon,
        "lat": site.lat,
        "href": reverse("site", args=[site.code]),
        "kind": "building",
        "note": f"{site.get_kind_display()} · {origins[site.origin]}",
    }


@require_safe
@cache_control(public=True, max_age=86_400)
def boundary(request: HttpRequest) -> HttpResponse:
    """The city's outline (GeoJSON)."""
    return JsonResponse(geography.boundary_geojson(request.city.code))


@require_safe
@cache_control(public=True, max_age=86_400)
def districts(request: HttpRequest) -> HttpResponse:
    """The city's districts (GeoJSON)."""
    return JsonResponse(geography.districts_geojson(request.city.code))
