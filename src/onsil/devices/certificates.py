"""Client certificates of devices (mTLS): which device a certificate is, and who may say so.

At the HTTP door a TLS-terminating proxy passes the certificate on in `Client-Cert` (RFC 9440 §2.2,
a byte sequence of RFC 8941); it is believed only from the proxies the operator names. At the
broker, a TLS listener with `use_identity_as_username` takes the common name `<city>.<device>`.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509

from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError, Refusal
from onsil.devices.collecting.reach import Network, networks

HEADER = "Client-Cert"
HEADER_MAX = 16_000

__all__ = ["HEADER", "Certificate", "Network", "assign_certificate", "networks", "of_header",
           "of_pem", "trusted"]  # fmt: skip


class Certificate(NamedTuple):
    """What identifies a client: the SHA-256 of its certificate, its subject (RFC 4514), its end."""

    sha256: bytes
    subject: str
    until: datetime

    @property
    def fingerprint(self) -> str:
        return ":".join(f"{byte:02X}" for byte in self.sha256)


def trusted(peer: str | None, proxies: Sequence[Network]) -> bool:
    """Whether a peer is one of the proxies that may speak for clients."""
    try:
        address = ip_address(peer or "")
    except ValueError:
        return False
    return any(address in network for network in proxies if network.version == address.version)


def of_header(text: str) -> Certificate | None:
    """The certificate in a `Client-Cert` header; None where it is none."""
    raw = text.strip()
    if len(raw) > HEADER_MAX or not (raw.startswith(":") and raw.endswith(":") and len(raw) > 2):
        return None
    try:
        return _certificate(base64.b64decode(raw[1:-1], validate=True))
    except (binascii.Error, ValueError):
        return None


def of_pem(text: str) -> Certificate:
    """The certificate in a PEM file. Raises OperationError."""
    try:
        made = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise OperationError(f"not a certificate in PEM: {error}", retry=False) from error
    return _of(made)


def _certificate(der: bytes) -> Certificate:
    return _of(x509.load_der_x509_certificate(der))


def _of(made: x509.Certificate) -> Certificate:
    from cryptography.hazmat.primitives.serialization import Encoding

    body = made.public_bytes(Encoding.DER)
    subject = made.subject.rfc4514_string()
    return Certificate(hashlib.sha256(body).digest(), subject, made.not_valid_after_utc)


def assign_certificate(
    conn: Connection, city: str, device_id: str, certificate: Certificate | None
) -> Refusal | None:
    """Let a device in by this certificate; None: by none. Refusal: `certificate-in-use`."""
    with cursor(conn) as cur:
        if certificate is not None:
            cur.execute(
                "SELECT 1 FROM devices_device WHERE (certificate_sha256 = %s"
                " OR certificate_subject = %s) AND NOT (city = %s AND device_id = %s)",
                (certificate.sha256, certificate.subject, city, device_id),
            )
            if cur.fetchone():
                return Refusal(
                    "certificate-in-use",
                    "다른 기기가 쓰는 인증서입니다. 기기마다 따로 만드세요.",
                    "Another device uses this certificate. Make one for each device.",
                )
        cur.execute(
            "UPDATE devices_device SET certificate_sha256 = %s, certificate_subject = %s,"
            " certificate_until = %s WHERE city = %s AND device_id = %s",
            (*(certificate or (None, None, None)), city, device_id),
        )
    return None
