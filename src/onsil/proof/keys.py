"""Public keys as signed notes name them (c2sp.org/signed-note, c2sp.org/tlog-cosignature). Pure."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519 = 0x01
"""A log's Ed25519 signature over the note's text."""
COSIGNATURE = 0x04
"""A timestamped Ed25519 cosignature (cosignature/v1)."""
MLDSA44 = 0x06
"""A timestamped ML-DSA-44 cosignature (subtree/v1)."""
KEY_BYTES = {ED25519: 32, COSIGNATURE: 32, MLDSA44: 1312}
_NAME_BYTES_MAX = 255


class NoteError(ValueError):
    """A text that is no signed note, or one whose signature does not hold."""


def check_name(name: str) -> None:
    """Raises NoteError for what is no key name: no spaces, no plus, 255 bytes at most."""
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise NoteError(f"not a key name: {name!r}")
    if len(name.encode()) > _NAME_BYTES_MAX:
        raise NoteError(f"a key name has {_NAME_BYTES_MAX} bytes at most")


def decode(text: str) -> bytes:
    """Standard base64 (RFC 4648 §4), strictly. Raises NoteError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error


def key_id(name: str, public_key: bytes, kind: int = ED25519) -> bytes:
    """The four bytes by which a note names a key of a signature type."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The text form of a log's Ed25519 key."""
    return VerifierKey(name, public_key).text


@dataclass(frozen=True)
class VerifierKey:
    """A public key under a name, for one type of signature."""

    name: str
    key: bytes
    kind: int = ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in KEY_BYTES:
            raise NoteError(f"signature type 0x{self.kind:02x} is not known here")
        if len(self.key) != KEY_BYTES[self.kind]:
            raise NoteError(f"a key of type 0x{self.kind:02x} has {KEY_BYTES[self.kind]} bytes")

    @property
    def id(self) -> bytes:
        return key_id(self.name, self.key, self.kind)

    @property
    def text(self) -> str:
        """`<name>+<key id>+<base64 of type and key>`, also called a vkey."""
        encoded = base64.b64encode(bytes([self.kind]) + self.key).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """A key from its text form. Raises NoteError when it is none, or its id does not fit."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise NoteError("a verifier key has three parts joined by +")
        raw = decode(parts[2])
        if not raw:
            raise NoteError("a verifier key has a type and a key")
        parsed = cls(parts[0], raw[1:], raw[0])
        if parsed.id.hex() != parts[1]:
            raise NoteError("the verifier key's id does not fit its key")
        return parsed

    def holds(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` (without timestamp) is this key's over `message`."""
        if self.kind == MLDSA44:
            public = MLDSA44PublicKey.from_public_bytes(self.key)
        else:
            public = Ed25519PublicKey.from_public_bytes(self.key)
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True
