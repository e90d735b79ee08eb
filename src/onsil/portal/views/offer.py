"""The catalogue of open data: search, a data set's page, its files, and its description as RDF."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.configuration import configuration
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.hub.catalogue.dcat import FORMATS, Addresses, describe, serialize
from onsil.hub.datasets.content import ENTITIES_MAX, current_table, entities_of, series_of_dataset
from onsil.hub.datasets.content import table_of as whole_table
from onsil.hub.datasets.downloads import FILES, FORMS, as_geojson
from onsil.hub.datasets.store import (
    Entry,
    catalogue_of,
    count_use,
    dataset,
    datasets_of,
    uses,
)
from onsil.hub.steps import run
from onsil.portal.offer import Wish, chart_of, curl, facet, lines_of
from onsil.tenancy import transaction

_ROWS = 10
_CLOCK = SystemClock()


def theme_words() -> dict[str, str]:
    """The European Union's data themes in words."""
    return {
        "AGRI": _("농림수산"), "ECON": _("경제"), "EDUC": _("교육과 문화"), "ENER": _("에너지"),
        "ENVI": _("환경"), "GOVE": _("행정"), "HEAL": _("보건"), "INTR": _("국제"),
        "JUST": _("법과 안전"), "OP_DATPRO": _("임시 자료"), "REGI": _("지역"),
        "SOCI": _("인구와 사회"), "TECH": _("과학기술"), "TRAN": _("교통"),
    }  # fmt: skip


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every data set; `?q=`, `?theme=`, `?licence=`, `?origin=` narrow."""
    city, language = request.city.code, get_language() or "ko"
    with transaction(city) as conn:
        entries = run(conn, datasets_of(city))
        about = run(conn, catalogue_of(city))
    given = request.GET
    wish = Wish(given.get("q", "")[:100].strip(), given.get("theme", ""),
                given.get("licence", ""), given.get("origin", ""))  # fmt: skip
    words = theme_words()
    found = [
        {"id": one.dataset.id, "title": one.dataset.title.text(language),
         "description": one.dataset.description.text(language), "set": one.dataset,
         "theme": words[one.dataset.theme]}
        for one in entries if wish.meets(one.dataset)
    ]  # fmt: skip
    return render(request, "portal/data_sets.html", {
        "found": found, "wish": wish, "total": len(entries), "forms": list(FORMS),
        "about": about.description.text(language),
        "themes": [(k, words[k], n) for k, n in facet(entries, lambda one: one.theme)],
        "licences": facet(entries, lambda one: one.licence),
        "origins": facet(entries, lambda one: one.origin),
    })  # fmt: skip


@require_safe
def data_set(request: HttpRequest, id: str) -> HttpResponse:
    """One data set: what it is, a look into it, how to get and to cite it."""
    city, language, now = request.city, get_language() or "ko", _CLOCK.now()
    with transaction(city.code) as conn:
        entry = _entry(conn, city.code, id)
        one = entry.dataset
        run(conn, count_use(city.code, id, "page", now))
        documents = run(conn, entities_of(city.code, one, _ROWS, now))
        series = run(conn, series_of_dataset(city.code, one, documents))
        lines = run(conn, lines_of(city.code, series))
        used = run(conn, uses(city.code, id, now.date()))
    title = one.title.text(language)
    at = addresses(request)
    return render(request, "portal/data_set.html", {
        "set": one, "entry": entry, "title": title, "id": id,
        "description": one.description.text(language), "provider": one.provider.text(language),
        "attribution": one.attribution.text(language), "region": one.region.text(language),
        "keywords": one.keywords(language), "theme": theme_words()[one.theme],
        "table": current_table(one, documents), "uses": used,
        "chart": chart_of(series, lines, title, city.zone),
        "forms": [(form, reverse(f"data-set-{form}", args=[id])) for form in FORMS],
        "rdf": [(form, reverse(f"data-set-{form}", args=[id])) for form in FORMATS],
        "query": at.query(one), "curl": curl(at, one), "address": at.dataset(id),
    })  # fmt: skip


@require_safe
def download(request: HttpRequest, id: str, form: str) -> HttpResponse | StreamingHttpResponse:
    """A data set as a file: the newest values, bounded; counted."""
    city, now = request.city.code, _CLOCK.now()
    with transaction(city) as conn:
        one = _entry(conn, city, id).dataset
        run(conn, count_use(city, id, form, now))
        if form == "geojson":
            pieces = iter((as_geojson(one, run(conn, entities_of(city, one, ENTITIES_MAX, now))),))
        else:
            pieces = FILES[form](run(conn, whole_table(city, one, now)), one)
    response = StreamingHttpResponse(pieces, content_type=FORMS[form].media)
    response["Content-Disposition"] = f'attachment; filename="{id}.{form}"'
    return response


@require_safe
def rdf(request: HttpRequest, form: str, id: str = "") -> HttpResponse:
    """The catalogue, or one data set, as DCAT-AP 3.0.1."""
    city = request.city.code
    with transaction(city) as conn:
        about = run(conn, catalogue_of(city))
        entries = [_entry(conn, city, id)] if id else run(conn, datasets_of(city))
    content, media = serialize(describe(about, entries, addresses(request), whole=not id), form)
    return HttpResponse(content, content_type=media)


def _entry(conn: Connection, city: str, id: str) -> Entry:
    found = run(conn, dataset(city, id))
    if found is None:
        raise Http404
    return found


def addresses(request: HttpRequest) -> Addresses:
    """Where this city's data are: its own pages and files, and the hub's interface."""

    def here(name: str, *args: str) -> str:
        return request.build_absolute_uri(reverse(name, args=args))

    return Addresses(
        catalogue=here("data-sets"),
        dataset=lambda id: here("data-set", id),
        download=lambda id, form: here(f"data-set-{form}", id),
        broker=configuration().hub_address,
        tenant=request.city.code,
        page=lambda id: here("data-set", id),
    )
