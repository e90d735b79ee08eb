"""A retirement as a verifiable credential: W3C VC Data Model 2.0, secured as a JWT (VC-JOSE-COSE).

The issuer is the city under did:web; its key is published at /.well-known/did.json. Whoever holds
the token checks it with any JOSE library: EdDSA over Ed25519 (RFC 8037), type `vc+jwt`.

A retirement is final: the database lets no unit that was used come back, so a credential is never
revoked and names no `credentialStatus`; its terms of use say so.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from onsil.core.canonical import canonical_bytes, instant_text, plain
from onsil.footprint.terms import CreditBatch, Retirement

CONTEXT = "https://www.w3.org/ns/credentials/v2"
TYPE = "vc+jwt"
_ALGORITHM = "EdDSA"
_FRAGMENT = "credentials"


def did_of(host: str) -> str:
    """The did:web of a host, its port encoded as the method's specification says."""
    return f"did:web:{quote(host, safe='.-')}"


def _public_jwk(private: Ed25519PrivateKey) -> dict[str, Any]:
    key = OKPKey.import_key(private.public_key())
    return dict(key.as_dict(private=False))


def did_document(host: str, private: Ed25519PrivateKey) -> dict[str, Any]:
    """The issuer's DID document with the public key that credentials are checked with."""
    did = did_of(host)
    method = {
        "id": f"{did}#{_FRAGMENT}", "type": "JsonWebKey", "controller": did,
        "publicKeyJwk": {**_public_jwk(private), "alg": _ALGORITHM},
    }  # fmt: skip
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": did,
        "verificationMethod": [method],
        "assertionMethod": [method["id"]],
    }


def retirement_credential(
    made: Retirement, batch: CreditBatch, serials: str, project: str, host: str, page: str
) -> dict[str, Any]:
    """The credential's content. `serials` and `project` as people read them, `page` its address."""
    subject: dict[str, Any] = {
        "type": "CarbonCreditRetirement",
        "retirement": made.id,
        "beneficiary": made.beneficiary,
        "reason": made.reason,
        "purpose": made.purpose,
        "tonnesCO2e": str(made.tonnes),
        "vintage": batch.vintage,
        "serials": serials,
        "project": project,
        "retiredAt": made.created_at,
    }
    if made.jurisdiction:
        subject["jurisdiction"] = made.jurisdiction
    if made.served is not None:
        subject["servedFrom"], subject["servedUntil"] = made.served
    return plain(
        {
            "@context": [CONTEXT, {"@vocab": f"https://{host}/terms#"}],
            "id": f"urn:uuid:{made.id}",
            "type": ["VerifiableCredential", "RetirementCredential"],
            "issuer": did_of(host),
            "validFrom": instant_text(made.created_at),
            "evidence": [{"type": "TransparencyLog", "id": page}],
            "termsOfUse": [{"type": "FinalRetirement", "id": f"https://{host}/terms#final"}],
            "credentialSubject": subject,
        }
    )


def sign(credential: dict[str, Any], private: Ed25519PrivateKey, at: datetime) -> str:
    """The credential as a compact JWS whose payload is the credential itself."""
    key = OKPKey.import_key(private)
    head = {
        "alg": _ALGORITHM, "typ": TYPE, "cty": "vc", "kid": f"{credential['issuer']}#{_FRAGMENT}",
        "iat": int(at.timestamp()),
    }  # fmt: skip
    token = jws.serialize_compact(head, canonical_bytes(credential), key, registry=_registry())
    assert isinstance(token, str)
    return token


def check(token: str, document: dict[str, Any]) -> dict[str, Any] | None:
    """The credential of a token that the DID document's key signed; None for any other text."""
    try:
        key = OKPKey.import_key(document["verificationMethod"][0]["publicKeyJwk"])
        found = jws.deserialize_compact(token.encode(), key, registry=_registry())
        made = json.loads(found.payload)
    except (JoseError, ValueError, KeyError, IndexError, TypeError):
        return None
    head = found.headers()
    fits = head.get("typ") == TYPE and made.get("issuer") == document.get("id")
    return made if fits and head.get("kid", "").startswith(f"{made['issuer']}#") else None


def _registry() -> jws.JWSRegistry:
    return jws.JWSRegistry(algorithms=[_ALGORITHM], strict_check_header=False)
