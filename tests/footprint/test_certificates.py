"""A retirement's certificate and credential: whole, signed, and of no use when altered."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from footprint_world import CITY, World

from onsil import footprint
from onsil.footprint.market import certificate, credential

HOST = "pyeongtaek.example:8000"


@pytest.fixture
def retired(world: World) -> tuple[footprint.Retirement, footprint.CreditBatch]:
    batch = world.issued("12")
    buyer = world.company("company:c", 1_000_000)
    footprint.list_for_sale(world.conn, CITY, batch.id, 4, 1000, "official", world.clock)
    footprint.buy(world.conn, CITY, batch.id, buyer, 3, 1000, "k", "buyer", world.clock)
    made = footprint.retire(
        world.conn, CITY, batch.id, buyer, 2, "<b>수혜자</b>", "시험", "r", "buyer", world.clock
    )
    assert isinstance(made, footprint.Retirement), made
    return made, batch


def token_of(retired, private, world) -> str:
    made, batch = retired
    content = credential.retirement_credential(made, batch, "S-1…2", "사업", HOST, "https://x/")
    return credential.sign(content, private, world.clock.now())


def test_a_credential_is_checked_with_the_published_key(world, retired):
    private = Ed25519PrivateKey.generate()
    document = credential.did_document(HOST, private)
    assert document["id"] == "did:web:pyeongtaek.example%3A8000"
    assert "d" not in document["verificationMethod"][0]["publicKeyJwk"]
    found = credential.check(token_of(retired, private, world), document)
    assert found is not None
    assert found["issuer"] == document["id"]
    assert found["credentialSubject"]["tonnesCO2e"] == "2"
    assert found["type"] == ["VerifiableCredential", "RetirementCredential"]


def test_an_altered_or_foreign_credential_is_none(world, retired):
    private = Ed25519PrivateKey.generate()
    document = credential.did_document(HOST, private)
    token = token_of(retired, private, world)
    head, body, seal = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=="))
    content["credentialSubject"]["tonnesCO2e"] = "200"
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
    assert credential.check(f"{head}.{forged}.{seal}", document) is None
    other = credential.did_document(HOST, Ed25519PrivateKey.generate())
    assert credential.check(token, other) is None
    elsewhere = credential.did_document("other.example", private)
    assert credential.check(token, elsewhere) is None
    for text in ("", "a.b.c", token[:-3], "한글"):
        assert credential.check(text, document) is None


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_certificate_names_all_and_escapes(retired, language):
    made, batch = retired
    page = certificate.certificate_page(
        made, batch, "S-1…2", "사업", "평택시", "https://x/r/1/", language
    )
    assert "<b>수혜자" not in page
    assert "<svg" in page
    for text in ("시험", "S-1…2", str(made.id), "https://x/r/1/"):
        assert text in page


def test_the_certificate_is_a_pdf(retired):
    made, batch = retired
    found = certificate.certificate_pdf(made, batch, "S", "사업", "평택시", "https://x/", "ko")
    assert found.startswith(b"%PDF-")
