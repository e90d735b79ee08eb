"""The certificate's files: anybody takes them, and checks them with what the city publishes."""

from uuid import uuid4

from django.test import Client
from django.urls import reverse
from portal_world import World

from onsil.footprint.market import credential


def client() -> Client:
    return Client(SERVER_NAME="localhost")


def test_the_pdf_and_the_credential_are_public(world: World):
    base = reverse("certificate", args=(world.retirement.id,))
    paper = client().get(reverse("certificate-pdf", args=(world.retirement.id,)))
    assert (paper.status_code, paper["Content-Type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-")
    token = client().get(reverse("certificate-credential", args=(world.retirement.id,)))
    assert token["Content-Type"] == "application/vc+jwt"
    document = client().get("/.well-known/did.json").json()
    found = credential.check(token.content.decode(), document)
    assert found is not None
    assert found["credentialSubject"]["retirement"] == str(world.retirement.id)
    assert found["evidence"][0]["id"].endswith(base)
    assert "자격증명" in client().get(base).content.decode()


def test_an_unknown_retirement_has_neither(world: World):
    for name in ("certificate-pdf", "certificate-credential"):
        assert client().get(reverse(name, args=(uuid4(),))).status_code == 404
