"""Payment codes: what is in them, how long they hold, and how they are told from forged ones.

A code says nothing about a person or an amount: it names a row of ours by a random-looking id and
is signed, so that only codes we made are looked up at all. The same row gives the eight characters
that can be typed instead of scanned, and the four that both phones show after paying.

Validity of three minutes: Korean QR payment standard of the Financial Services Commission
(2018), which also forbids personal data inside a code.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from onsil.citizen import refusals
from onsil.core.refusal import Refusal

VALIDITY = timedelta(minutes=3)
# No 0/O, 1/I/L or U/V: read aloud across a counter, none is taken for another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTWXYZ"
TYPED_LENGTH = 8
CONFIRMATION_LENGTH = 4
_VERSION = 1
_HEAD = struct.Struct(">BBI16s")
_MAC_BYTES = 16
_LONGEST = 200


class ShownBy(StrEnum):
    """Whose screen shows the code: the shop's (amount bound) or the citizen's (amount to come)."""

    MERCHANT = "merchant"
    CITIZEN = "citizen"


_KINDS = (ShownBy.MERCHANT, ShownBy.CITIZEN)


@dataclass(frozen=True)
class Token:
    """What a scanned code says, once its signature has been checked."""

    city: str
    shown_by: ShownBy
    code_id: UUID
    expires_at: datetime


def sign(token: Token, key: bytes) -> str:
    """The text that goes into the QR: URL-safe base64 of the fields and a 128-bit HMAC-SHA-256."""
    body = _HEAD.pack(
        _VERSION, _KINDS.index(token.shown_by), int(token.expires_at.timestamp()),
        token.code_id.bytes,
    ) + token.city.encode()  # fmt: skip
    return base64.urlsafe_b64encode(body + _mac(body, key)).rstrip(b"=").decode()


def read(text: str, key: bytes, city: str, now: datetime) -> Token | Refusal:
    """Check a scanned text, which may be a whole address that ends in the code.

    Refusals: `qr-not-ours` (forged, cut or something else), `qr-wrong-city`, `qr-expired`.
    """
    token = opened(text, key)
    if token is None:
        return refusals.qr_not_ours()
    if token.city != city:
        return refusals.qr_wrong_city(token.city, city)
    if now >= token.expires_at:
        return refusals.qr_expired(token.expires_at)
    return token


def opened(text: str, key: bytes) -> Token | None:
    """The token in a text when it is one of ours, whatever its city or age."""
    part = text.strip().rstrip("/").rsplit("/", 1)[-1]
    if not part.isascii() or not part or len(part) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        return None  # another spelling of the same bytes is not what we signed
    body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(body) <= _HEAD.size or not hmac.compare_digest(mac, _mac(body, key)):
        return None
    version, kind, expires, identity = _HEAD.unpack_from(body)
    if version != _VERSION or kind >= len(_KINDS):
        return None
    return Token(
        city=body[_HEAD.size :].decode(),
        shown_by=_KINDS[kind],
        code_id=UUID(bytes=identity),
        expires_at=datetime.fromtimestamp(expires, UTC),
    )


def expiry(now: datetime) -> datetime:
    """When a code made now stops holding: three minutes on, on a whole second."""
    return (now + VALIDITY).replace(microsecond=0)


def new_typed_code(choose: Callable[[str], str] = secrets.choice) -> str:
    """Eight characters (about 39 bits) for typing where no camera works."""
    return "".join(choose(ALPHABET) for _ in range(TYPED_LENGTH))


def spaced(typed: str) -> str:
    """A typed code as people read it: `ABCD 2345`."""
    return f"{typed[:4]} {typed[4:]}"


def typed_code(text: str) -> str | None:
    """The typed code in what somebody entered (spaces, hyphens and case forgiven), or None."""
    cleaned = "".join(c for c in text.upper() if c not in " -\u00b7\u3000")
    if len(cleaned) != TYPED_LENGTH or any(c not in ALPHABET for c in cleaned):
        return None
    return cleaned


def confirmation(payment_id: UUID) -> str:
    """The four characters both phones show for one payment; they tell nothing about who paid."""
    number = int.from_bytes(_digest(payment_id)[:8], "big")
    characters = []
    for _ in range(CONFIRMATION_LENGTH):
        number, place = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[place])
    return "".join(characters)


def _digest(payment_id: UUID) -> bytes:
    return hashlib.sha256(b"onsil-confirmation" + payment_id.bytes).digest()


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:_MAC_BYTES]
