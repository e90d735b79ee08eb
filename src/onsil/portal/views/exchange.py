"""The public registry for programs: its description, units, retirements, files, factor sets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from onsil import footprint
from onsil.core.canonical import plain
from onsil.footprint import credits, exchange
from onsil.footprint.factors import shipped_library
from onsil.hub.datasets.registry import Said
from onsil.hub.datasets.store import catalogue_of
from onsil.hub.steps import run
from onsil.portal import openapi
from onsil.portal.carbon_catalogue import Offer, Place, records_alone
from onsil.portal.views.inventory import sealed_years
from onsil.portal.views.units import unit_row
from onsil.tenancy import transaction


def _json(content: Any, media: str = "application/json") -> JsonResponse:
    return JsonResponse(
        plain(content), content_type=media, json_dumps_params={"ensure_ascii": False}
    )


def _address(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _registry(request: HttpRequest) -> exchange.Registry:
    city = request.city
    return exchange.Registry(city.code, city.name("en"), _address(request), city.zone)


@require_safe
def description(request: HttpRequest) -> HttpResponse:
    """What can be asked here, in OpenAPI 3.1."""
    return _json(openapi.description(request.city.name("en"), _address(request)))


@require_safe
def unit(request: HttpRequest, block: UUID) -> HttpResponse:
    """A live block; one that was moved or divided leads to where its first serial is now."""
    city = request.city.code
    with transaction(city) as conn:
        kept = credits.block(conn, city, block)
        if kept is None:
            raise Http404
        found = credits.units_of(conn, city, block)
        if found is None:
            now = credits.block_of_serial(conn, city, kept.first)
            assert now is not None
            return redirect("registry-api-unit", block=now.id)
        adjustment = credits.adjustment(conn, city, kept.batch_id)
        content = {
            **unit_row(request, found),
            "id": kept.id,
            "batch": kept.batch_id,
            "labels": [
                {"label": one.label, "starts": one.starts, "ends": one.ends,
                 "reference": one.reference}
                for one in credits.labels_of(conn, city, kept.batch_id)
            ],
            "adjustment": {
                "declaration": adjustment.declaration, "status": adjustment.status,
                "country": adjustment.country, "letter": adjustment.letter,
                "letter_on": adjustment.letter_on,
            },
            "retirements": credits.retirements_of(conn, city, kept),
            "history": [
                {"kind": one.kind, "at": one.at, "spans": [list(span) for span in one.spans],
                 "source": one.source, "destination": one.destination}
                for one in credits.history(conn, city, kept)
            ],
        }  # fmt: skip
    return _json(content)


@require_safe
def retirement(request: HttpRequest, retirement: UUID) -> HttpResponse:
    """One retirement; the company whose account it came from is not told."""
    city = request.city.code
    with transaction(city) as conn:
        made = footprint.retirement(conn, city, retirement)
        if made is None:
            raise Http404
        batch = credits.any_batch(conn, city, made.batch_id)
        assert batch is not None
    page = reverse("certificate", args=(made.id,))
    proof = reverse("certificate-credential", args=(made.id,))
    return _json({
        "id": made.id,
        "batch": made.batch_id,
        "serials": f"{batch.serial_prefix}-{credits.spans_text(made.stretches)}",
        "units": made.tonnes,
        "beneficiary": made.beneficiary,
        "purpose": made.purpose,
        "reason": made.reason,
        "jurisdiction": made.jurisdiction,
        "served": None if made.served is None else list(made.served),
        "retired_at": made.created_at,
        "certificate": request.build_absolute_uri(page),
        "credential": request.build_absolute_uri(proof),
    })  # fmt: skip


@require_safe
def cad_trust(request: HttpRequest, form: str) -> HttpResponse:
    """The registry in CAD Trust's tables: JSON, or CSV files in one ZIP."""
    with transaction(request.city.code) as conn:
        found = exchange.records(conn, request.city.code)
    filled = exchange.tables(_registry(request), found)
    if form == "json":
        return _json(filled)
    answer = HttpResponse(exchange.archive(filled), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{request.city.code}-cad-trust.zip"'
    return answer


@require_safe
def cdop(request: HttpRequest) -> HttpResponse:
    """The registry in the fields of the Carbon Data Open Protocol."""
    with transaction(request.city.code) as conn:
        found = exchange.records(conn, request.city.code)
    return _json(exchange.document(_registry(request), found))


@require_safe
def factor_sets(request: HttpRequest) -> HttpResponse:
    """Every factor set that comes with the product; sets that a city brought in are its own."""
    return _json({"sets": [
        {
            "id": one.id, "version": one.version, "reference": one.reference,
            "publisher": one.publisher, "document": one.title, "published": one.published,
            "maturity": one.maturity, "sha256": one.digest,
        }
        for one in shipped_library().sets
    ]})  # fmt: skip


@require_safe
def factor_set(request: HttpRequest, reference: str) -> HttpResponse:
    """One factor set, as it is hashed."""
    try:
        found = shipped_library().factor_set(reference)
    except KeyError as unknown:
        raise Http404 from unknown
    return _json(found.content())


@require_safe
def methodologies(request: HttpRequest) -> HttpResponse:
    """Every methodology in every version that still recomputes, with its sources."""
    return _json({"methodologies": [
        {
            "id": one.ID, "version": one.VERSION, "title": {"ko": one.TITLE_KO, "en": one.TITLE_EN},
            "formula": one.FORMULA, "sources": list(one.SOURCES),
        }
        for one in footprint.methodologies()
    ]})  # fmt: skip


def carbon_offers(request: HttpRequest, years: Sequence[int]) -> list[Offer]:
    """The city's carbon records as data sets: each with the files it can be had as."""
    at = _address(request)
    json, csv, archive = "application/json", "text/csv", "application/zip"
    sealed = {
        at + reverse("city-inventory-file", args=(year, form)): media
        for year in years
        for form, media in (("csv", csv), ("json", json))
    }
    cdop = "https://github.com/Carbon-Data-Open-Protocol/Carbon-Data-Open-Protocol"
    return [
        Offer(
            "credit-units", Said("발행한 크레딧과 그 상태", "Credits issued, and their state"),
            Said("일련번호 구간마다 사업, 발행 연도, 상태와 그 이력.",
                 "Each stretch of serials with its project, vintage, state and history."),
            (Said("탄소 크레딧", "carbon credits"), Said("등록부", "registry")),
            {at + reverse("registry-units-json"): json, at + reverse("registry-units-csv"): csv,
             at + reverse("exchange-cad-trust-json"): json,
             at + reverse("exchange-cad-trust-zip"): archive, at + reverse("exchange-cdop"): json},
            at + reverse("registry-units"),
            {"https://github.com/Chia-Network/cadt": "CAD Trust data model 2",
             cdop: "Carbon Data Open Protocol"},
        ),
        Offer(
            "credit-retirements", Said("소각한 크레딧", "Credits retired"),
            Said("누구를 위해 왜 소각했는지. 계정의 주인은 알리지 않습니다.",
                 "For whom and why; whose account they came from is not told."),
            (Said("소각", "retirement"), Said("상쇄", "offset")),
            {f"{at}{reverse('registry-units-json')}?state=retired": json,
             f"{at}{reverse('registry-units-csv')}?state=retired": csv},
            at + reverse("registry"),
        ),
        Offer(
            "emission-factors", Said("배출계수 묶음과 출처", "Emission factors with provenance"),
            Said("제품에 들어 있는 배출계수와 그 문서, 쪽, 읽은 날, 근거 등급.",
                 "The factor sets that ship, with document, page, day read and maturity."),
            (Said("배출계수", "emission factors"),),
            {at + reverse("factor-sets-api"): json},
        ),
        Offer(
            "methodologies", Said("산정 방법론", "Methodologies"),
            Said("모든 방법론의 모든 판: 식과 출처.",
                 "Every methodology in every version: formula and sources."),
            (Said("방법론", "methodology"), Said("온실가스 산정", "quantification")),
            {at + reverse("methodologies-api"): json},
        ),
        *([Offer(
            "inventory", Said("온실가스 인벤토리", "Greenhouse-gas inventory"),
            Said("확정한 연도별 배출량을 부문, 스코프, 가스별로.",
                 "Sealed yearly emissions by sector, scope and gas."),
            (Said("온실가스 인벤토리", "greenhouse-gas inventory"),),
            sealed, at + reverse("city-inventory"),
            {"https://ghgprotocol.org/ghg-protocol-cities-accounting-standard":
             "Global Protocol for Community-Scale Greenhouse Gas Inventories"},
        )] if years else []),
    ]  # fmt: skip


def carbon_place(request: HttpRequest, catalogue: str, publisher: Said) -> Place:
    at = _address(request)
    return Place(
        catalogue, at + reverse("registry-catalogue"), publisher,
        Said(request.city.name("ko"), request.city.name("en")),
        at + reverse("registry-units-json"), at + reverse("registry-openapi"),
    )  # fmt: skip


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """The carbon records of the city's catalogue alone, in DCAT-AP 3.0.1 as JSON-LD."""
    ko, en, city = request.city.name("ko"), request.city.name("en"), request.city.code
    with transaction(city) as conn:
        years, about = sealed_years(conn, city), run(conn, catalogue_of(city))
    place = carbon_place(
        request, request.build_absolute_uri(reverse("registry-catalogue")), about.publisher
    )
    graph = records_alone(
        place, Said(f"{ko} 탄소 등록부", f"Carbon registry of {en}"),
        Said("크레딧, 배출계수, 방법론, 인벤토리.",
             "Credits, emission factors, methodologies, inventories."),
        carbon_offers(request, years),
    )  # fmt: skip
    spaces = {prefix: str(space) for prefix, space in graph.namespaces()
              if prefix in ("dcat", "dct", "foaf", "rdfs", "skos")}  # fmt: skip
    content = graph.serialize(format="json-ld", encoding="utf-8", context=spaces, auto_compact=True)
    return HttpResponse(content, content_type="application/ld+json")
