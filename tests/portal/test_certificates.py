"""The certificate's files: anybody takes them, and checks them with what the city publishes."""

import base64
import json
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def resolved(did: str) -> dict[str, Any]:
    """The DID document as did:web says: the host with its port, at /.well-known/did.json."""
    method, name, host, *path = did.split(":")
    assert (method, name, path) == ("did", "web", [])
    answer = Client(SERVER_NAME=unquote(host).partition(":")[0]).get(
        "/.well-known/did.json", headers={"host": unquote(host)}
    )
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/did+json"
    return answer.json()


def verified(token: str) -> dict[str, Any]:
    """The content of a token, checked by hand: RFC 7515 with Ed25519, the key from did:web."""
    head, body, seal = token.split(".")
    header = json.loads(decoded(head))
    assert (header["alg"], header["typ"]) == ("EdDSA", "vc+jwt")
    did, _, fragment = header["kid"].partition("#")
    document = resolved(did)
    assert document["id"] == did
    (method,) = [one for one in document["verificationMethod"] if one["id"].endswith(fragment)]
    assert method["id"] in document["assertionMethod"]
    key = method["publicKeyJwk"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    public.verify(decoded(seal), f"{head}.{body}".encode())
    content = json.loads(decoded(body))
    assert content["issuer"] == did
    return content


@pytest.mark.parametrize("host", ["localhost", "localhost:8443"])
def test_the_credential_stands_without_our_own_library(world: World, host: str):
    path = reverse("certificate-credential", args=(world.retirement.id,))
    token = client().get(path, headers={"host": host}).content.decode()
    found = verified(token)
    assert found["issuer"] == f"did:web:{host.replace(':', '%3A')}"
    assert found["credentialSubject"]["retirement"] == str(world.retirement.id)
    head, body, seal = token.split(".")
    other = base64.urlsafe_b64encode(decoded(body).replace(b'"2025"', b'"2024"') + b" ")
    with pytest.raises(InvalidSignature):
        verified(f"{head}.{other.decode().rstrip('=')}.{seal}")


def test_a_retirement_is_final_so_nothing_revokes_it(world: World):
    path = reverse("certificate-credential", args=(world.retirement.id,))
    found = verified(client().get(path).content.decode())
    assert "credentialStatus" not in found
    assert [one["type"] for one in found["termsOfUse"]] == ["FinalRetirement"]
