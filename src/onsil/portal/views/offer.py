"""The catalogue of open data: search, a data set's page, its files, and its description as RDF."""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from onsil.configuration import configuration
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.hub.catalogue.dcat import FORMATS, Addresses, describe, serialize
from onsil.hub.datasets.access import NOTHING, may_read, opened_by, veil
from onsil.hub.datasets.content import ENTITIES_MAX, current_table, entities_of, series_of_dataset
from onsil.hub.datasets.content import table_of as whole_table
from onsil.hub.datasets.downloads import FILES, FORMS, as_geojson, forms_of
from onsil.hub.datasets.lineage import lineage_of
from onsil.hub.datasets.measuring import MEASURED_FOR, quality_by_day
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import (
    Entry,
    catalogue_of,
    count_use,
    dataset,
    datasets_of,
    uses,
    uses_by_day,
)
from onsil.hub.exploring.asking import call_of_source
from onsil.hub.exploring.sources import source_of
from onsil.hub.steps import run
from onsil.portal.carbon_catalogue import add_records
from onsil.portal.lineage import draw
from onsil.portal.offer import (
    USAGE_DAYS,
    Wish,
    chart_of,
    curl,
    facet,
    formats,
    lines_of,
    places_of,
    rows_of,
    usage_chart,
)
from onsil.portal.quality import quality_of
from onsil.portal.views.exchange import carbon_offers, carbon_place
from onsil.portal.views.explore import urls
from onsil.portal.views.inventory import sealed_years
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
                given.get("licence", ""), given.get("origin", ""), given.get("form", ""),
                given.get("access", ""))  # fmt: skip
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
        "formats": facet(entries, formats),
        "accesses": facet(entries, lambda one: one.access),
    })  # fmt: skip


@require_safe
def data_set(request: HttpRequest, id: str) -> HttpResponse:
    """One data set: what it is, a look into it, how to get and to cite it."""
    city, language, now = request.city, get_language() or "ko", _CLOCK.now()
    with transaction(city.code) as conn:
        entry = _entry(conn, city.code, id)
        one = entry.dataset
        run(conn, count_use(city.code, id, "page", now))
        view = reader_view(conn, request, one)
        run(conn, veil(view))
        documents = run(conn, entities_of(city.code, one, _ROWS, now))
        series = run(conn, series_of_dataset(city.code, one, documents))
        lines = run(conn, lines_of(city.code, series))
        used = run(conn, uses(city.code, id, now.date()))
        days = run(conn, uses_by_day(city.code, now.date() - timedelta(days=USAGE_DAYS), id))
        since = now.date() - MEASURED_FOR
        measured = run(conn, quality_by_day(city.code, since, id))
        datasets = [other.dataset for other in run(conn, datasets_of(city.code))]
    title, source = one.title.text(language), source_of(one)
    table = current_table(one, documents)
    at = addresses(request)
    return render(request, "portal/data_set.html", {
        "set": one, "entry": entry, "title": title, "id": id,
        "description": one.description.text(language), "provider": one.provider.text(language),
        "attribution": one.attribution.text(language), "region": one.region.text(language),
        "keywords": one.keywords(language), "theme": theme_words()[one.theme],
        "table": table, "rows": rows_of(table, language), "uses": used,
        "chart": chart_of(series, lines, title, city.zone),
        "forms": [(form, reverse(f"data-set-{form}", args=[id])) for form in forms_of(one)],
        "readable": one.open or view == id,
        "usage": usage_chart(days, now.date(), _("최근 30일"), use_words()),
        "quality": quality_of(measured.get(id, {}), local_day(now, city.zone)),
        "lineage": draw(lineage_of(one, datasets), id, language, _("바깥 출처")),
        "rdf": [(form, reverse(f"data-set-{form}", args=[id])) for form in FORMATS],
        "query": at.query(one), "curl": curl(at, one), "address": at.dataset(id),
        "explore_key": source.key, "urls": urls(), "call": call_of_source(source).said,
        "places": places_of(documents),
    })  # fmt: skip


@require_safe
def download(request: HttpRequest, id: str, form: str) -> HttpResponse | StreamingHttpResponse:
    """A data set as a file: the newest values, bounded; counted. One on request is for who was
    approved, signed in or with a key."""
    city, now = request.city.code, _CLOCK.now()
    with transaction(city) as conn:
        one = _entry(conn, city, id).dataset
        view = reader_view(conn, request, one)
        if not one.open and view != id:
            return _closed(request, id)
        run(conn, veil(view))
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
    """The catalogue with the city's carbon records, or one data set, as DCAT-AP 3.0.1."""
    city = request.city.code
    with transaction(city) as conn:
        about = run(conn, catalogue_of(city))
        entries = [_entry(conn, city, id)] if id else run(conn, datasets_of(city))
        measured = run(conn, quality_by_day(city, _CLOCK.now().date() - MEASURED_FOR, id))
        years = [] if id else sealed_years(conn, city)
    at = addresses(request)
    graph = describe(about, entries, at, whole=not id, quality=measured)
    if not id:
        place = carbon_place(request, at.catalogue, about.publisher)
        add_records(graph, place, carbon_offers(request, years))
    content, media = serialize(graph, form)
    return HttpResponse(content, content_type=media)


def reader_view(conn: Connection, request: HttpRequest, one: Dataset) -> str:
    """What of closed entities this reader sees on a data set's pages: its own, or nothing."""
    if one.open:
        return NOTHING
    now, city = _CLOCK.now(), request.city.code
    kind, _space, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and run(conn, opened_by(city, key.strip(), now)) == one.id:
        return one.id
    user = request.user
    if user.is_authenticated and run(conn, may_read(city, one, f"user:{user.pk}", now)):
        return one.id
    return NOTHING


def _closed(request: HttpRequest, id: str) -> HttpResponse:
    """To the page where one asks for it; a program is told so."""
    if "text/html" in request.headers.get("Accept", ""):
        return redirect("data-request", id=id)
    told = _("신청하고 승인받은 뒤 열쇠로 읽는 데이터입니다.")
    response = HttpResponse(told, status=401, content_type="text/plain; charset=utf-8")
    response["WWW-Authenticate"] = 'Bearer realm="onsil"'
    return response


def use_words() -> dict[str, str]:
    """What a data set was used by: views of its page, files, calls of the interface."""
    return {"files": _("내려받기"), "api": _("API 호출"), "page": _("화면")}


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
