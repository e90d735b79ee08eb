"""Signed notes (c2sp.org/signed-note) with Ed25519 signatures. Pure but for the key's file."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from onsil.core.refusal import OperationError

_ED25519 = b"\x01"
_SIGNATURES_MAX = 32


class NoteError(ValueError):
    """A text that is no signed note, or one whose signature does not hold."""


def key_id(name: str, public_key: bytes) -> bytes:
    """The four bytes by which a note names an Ed25519 key."""
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The key's text form, `<name>+<key id>+<base64 of type and key>`."""
    _check_name(name)
    encoded = base64.b64encode(_ED25519 + public_key).decode()
    return f"{name}+{key_id(name, public_key).hex()}+{encoded}"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """Name and 32-byte public key of a text form. Raises NoteError when it is none."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteError("a verifier key has three parts joined by +")
    name, identity, encoded = parts
    _check_name(name)
    raw = _decode(encoded)
    if len(raw) != 33 or raw[:1] != _ED25519:
        raise NoteError("not an Ed25519 verifier key")
    if key_id(name, raw[1:]).hex() != identity:
        raise NoteError("the verifier key's id does not fit its key")
    return name, raw[1:]


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name):
        raise NoteError(f"not a key name: {name!r}")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error


@dataclass(frozen=True)
class Signer:
    """A city's signing key. It signs under the origin of each of the city's logs."""

    private: Ed25519PrivateKey

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that verify what this signer signs."""
        return self.private.public_key().public_bytes_raw()

    def verifier_key(self, origin: str) -> str:
        """The public key's text form under one log's origin."""
        return verifier_key(origin, self.public_key)

    def sign(self, text: str, name: str) -> str:
        """The signed note of `text`, which must end with a newline."""
        _check_name(name)
        _check_text(text)
        raw = key_id(name, self.public_key) + self.private.sign(text.encode())
        return f"{text}\n— {name} {base64.b64encode(raw).decode()}\n"


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("a note's text ends with a newline")
    if any(c < " " and c != "\n" for c in text):
        raise NoteError("a note holds no control characters")


def open_note(note: str, keys: Mapping[str, bytes]) -> str:
    """The text of a note that one of the known `keys` (name to public key) has signed.

    Raises NoteError when a known key's signature is wrong, or none is there.
    """
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteError("not a signed note")
    text = head + "\n"
    _check_text(note)
    lines = tail[:-1].split("\n")
    if len(lines) > _SIGNATURES_MAX:
        raise NoteError("too many signatures")
    signed = False
    for line in lines:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise NoteError("malformed signature line")
        raw = _decode(parts[2])
        public_key = keys.get(parts[1])
        if public_key is None or raw[:4] != key_id(parts[1], public_key):
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(raw[4:], text.encode())
        except InvalidSignature as error:
            raise NoteError(f"the signature of {parts[1]} does not hold") from error
        signed = True
    if not signed:
        raise NoteError("no known key has signed this")
    return text


def load_or_create_signer(key_folder: Path, city: str) -> Signer:
    """The city's signing key from `<key_folder>/<city>.pem`, made at the first call.

    The file is readable by its owner alone. Raises OperationError for a damaged file.
    """
    path = key_folder / f"{city}.pem"
    key_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        fresh = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        staging = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(staging, path)  # fails, rather than replaces, when somebody was faster
        except FileExistsError:
            pass
        finally:
            staging.unlink()
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise OperationError(f"{path} is not a signing key", retry=False) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise OperationError(f"{path} is not an Ed25519 key", retry=False)
    return Signer(private)
