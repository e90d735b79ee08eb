"""A retirement's certificate as PDF, as a verifiable credential, and the key to check it with."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from onsil import footprint, proof
from onsil.configuration import configuration
from onsil.core.database import Connection
from onsil.footprint import credits
from onsil.footprint.market import certificate, credential
from onsil.tenancy import transaction

Found = tuple[footprint.Retirement, footprint.CreditBatch, str, str]


def _found(conn: Connection, city: str, retirement: UUID) -> Found:
    """A retirement, its batch, its serials and its project's name."""
    made = footprint.retirement(conn, city, retirement)
    if made is None:
        raise Http404
    batch = credits.any_batch(conn, city, made.batch_id)
    assert batch is not None
    serials = f"{batch.serial_prefix}-{credits.spans_text(made.stretches)}"
    if batch.project_id is None:
        outside = credits.outside_facts(conn, city, batch.id)
        return made, batch, serials, str(outside.get("project", ""))
    owner = footprint.project(conn, city, batch.project_id)
    assert owner is not None
    english = (get_language() or "ko").startswith("en")
    return made, batch, serials, owner.name_en if english else owner.name_ko


def _address(request: HttpRequest, retirement: UUID) -> str:
    return request.build_absolute_uri(reverse("certificate", args=(retirement,)))


@require_safe
def paper(request: HttpRequest, retirement: UUID) -> HttpResponse:
    """The certificate as a tagged PDF."""
    city, language = request.city, (get_language() or "ko")[:2]
    with transaction(city.code) as conn:
        made, batch, serials, project = _found(conn, city.code, retirement)
    drawn = certificate.certificate_pdf(
        made, batch, serials, project, city.name(language), _address(request, retirement), language
    )
    response = HttpResponse(drawn, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="retirement-{made.id}.pdf"'
    return response


@require_safe
def token(request: HttpRequest, retirement: UUID) -> HttpResponse:
    """The retirement as a W3C verifiable credential, signed by the city."""
    city = request.city.code
    with transaction(city) as conn:
        made, batch, serials, project = _found(conn, city, retirement)
    content = credential.retirement_credential(
        made, batch, serials, project, request.get_host(), _address(request, retirement)
    )
    key = proof.load_or_create_issuer(configuration().key_folder, city)
    signed = credential.sign(content, key, made.created_at)
    response = HttpResponse(signed, content_type="application/vc+jwt")
    response["Content-Disposition"] = f'attachment; filename="retirement-{made.id}.vc.jwt"'
    return response


@require_safe
def did(request: HttpRequest) -> HttpResponse:
    """The city's DID document: with its key anybody checks the credentials."""
    key = proof.load_or_create_issuer(configuration().key_folder, request.city.code)
    document = credential.did_document(request.get_host(), key)
    return JsonResponse(document, content_type="application/did+json")
