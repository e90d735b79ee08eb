"""The public registry for programs: its description, units, retirements, files, factor sets."""

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
from onsil.portal import openapi
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
def catalogue(request: HttpRequest) -> HttpResponse:
    """The registry and the factor library as data sets in DCAT 3, as JSON-LD."""
    ko, en, at = request.city.name("ko"), request.city.name("en"), _address(request)

    def said(ko: str, en: str) -> list[dict[str, str]]:
        return [{"@value": ko, "@language": "ko"}, {"@value": en, "@language": "en"}]

    def dataset(id: str, ko: str, en: str, files: dict[str, str]) -> dict[str, Any]:
        return {
            "@id": f"{at}/registry/catalog.jsonld#{id}", "@type": "dcat:Dataset",
            "dct:identifier": id, "dct:title": said(ko, en),
            "dcat:distribution": [
                {"@type": "dcat:Distribution", "dcat:accessURL": {"@id": at + path},
                 "dcat:mediaType": {
                     "@id": f"https://www.iana.org/assignments/media-types/{media}"}}
                for path, media in files.items()
            ],
        }  # fmt: skip

    units = {
        reverse("registry-units-json"): "application/json",
        reverse("registry-units-csv"): "text/csv",
        reverse("exchange-cad-trust-json"): "application/json",
        reverse("exchange-cad-trust-zip"): "application/zip",
        reverse("exchange-cdop"): "application/json",
    }
    factors = {reverse("factor-sets-api"): "application/json"}
    return _json({
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
        "@id": f"{at}/registry/catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": said(f"{ko} 탄소 등록부", f"Carbon registry of {en}"),
        "dct:publisher": said(ko, en),
        "dcat:dataset": [
            dataset("credit-units", "발행한 크레딧과 그 상태", "Credits issued, and their state",
                    units),
            dataset("emission-factors", "배출계수 묶음과 출처", "Emission factors with provenance",
                    factors),
        ],
        "dcat:service": [{
            "@type": "dcat:DataService", "dct:title": "Onsil registry",
            "dcat:endpointURL": {"@id": at},
            "dcat:endpointDescription": {"@id": at + reverse("registry-openapi")},
        }],
    }, "application/ld+json")  # fmt: skip
