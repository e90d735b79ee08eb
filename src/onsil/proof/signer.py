"""Signing keys and their files: a log's own, and a cosigner's. The files are all the I/O."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.cosignature import cosign_ed25519, cosign_mldsa44
from onsil.proof.keys import COSIGNATURE, MLDSA44, VerifierKey, check_name
from onsil.proof.note import Signature, join_note

PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


@dataclass(frozen=True)
class Signer:
    """A city's signing keys. They sign under the origin of each of the city's logs.

    Every checkpoint has an Ed25519 signature (0x01), which public witnesses ask for; with an
    ML-DSA-44 key it also has a cosignature (0x06) that outlives quantum computers.
    """

    private: Ed25519PrivateKey
    mldsa44: MLDSA44PrivateKey | None = None

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that verify the Ed25519 signature."""
        return self.private.public_key().public_bytes_raw()

    def verifier_keys(self, origin: str) -> list[VerifierKey]:
        """The public keys under one log's origin: Ed25519, then ML-DSA-44 where there is one."""
        keys = [VerifierKey(origin, self.public_key)]
        if self.mldsa44:
            raw = self.mldsa44.public_key().public_bytes_raw()
            keys.append(VerifierKey(origin, raw, MLDSA44))
        return keys

    def verifier_key(self, origin: str) -> str:
        """The Ed25519 key's text form under one log's origin."""
        return self.verifier_keys(origin)[0].text

    def signature(self, text: str, name: str) -> Signature:
        """The Ed25519 signature line of `text`."""
        check_name(name)
        key = VerifierKey(name, self.public_key)
        return Signature(name, key.id, self.private.sign(text.encode()))

    def sign(self, text: str, name: str) -> str:
        """The note of `text`, which must end with a newline, signed with Ed25519."""
        return join_note(text, [self.signature(text, name)])

    def sign_checkpoint(self, checkpoint: Checkpoint, at: datetime) -> Checkpoint:
        """The checkpoint with its note, signed at an instant under the name of its origin."""
        name = checkpoint.origin
        lines = [self.signature(checkpoint.text, name)]
        if self.mldsa44:
            lines.append(cosign_mldsa44(checkpoint, name, self.mldsa44, int(at.timestamp())))
        return checkpoint.with_signatures(lines)


@dataclass(frozen=True)
class Cosigner:
    """A witness's name and keys."""

    name: str
    ed25519: Ed25519PrivateKey
    mldsa44: MLDSA44PrivateKey

    @property
    def keys(self) -> list[VerifierKey]:
        """Both public keys, Ed25519 first."""
        return [
            VerifierKey(self.name, self.ed25519.public_key().public_bytes_raw(), COSIGNATURE),
            VerifierKey(self.name, self.mldsa44.public_key().public_bytes_raw(), MLDSA44),
        ]

    def cosign(self, checkpoint: Checkpoint, at: datetime) -> list[Signature]:
        """A line of each key, saying that at `at` this was the largest tree seen."""
        timestamp = int(at.timestamp())
        return [
            cosign_ed25519(checkpoint, self.name, self.ed25519, timestamp),
            cosign_mldsa44(checkpoint, self.name, self.mldsa44, timestamp),
        ]


def load_or_create_signer(key_folder: Path, city: str) -> Signer:
    """The city's keys from `<key_folder>/<city>.pem` and `<city>.ml-dsa-44.pem`.

    They are made at the first call, readable by their owner alone. Raises OperationError for a
    damaged file.
    """
    return Signer(
        _key(key_folder / f"{city}.pem", Ed25519PrivateKey, "an Ed25519"),
        _key(key_folder / f"{city}.ml-dsa-44.pem", MLDSA44PrivateKey, "an ML-DSA-44"),
    )


def load_or_create_issuer(key_folder: Path, city: str) -> Ed25519PrivateKey:
    """The key under which the city issues credentials, from `<key_folder>/<city>.issuer.pem`, as
    above. It signs no checkpoints: a key has one use."""
    return _key(key_folder / f"{city}.issuer.pem", Ed25519PrivateKey, "an Ed25519")


def load_or_create_cosigner(folder: Path, name: str) -> Cosigner:
    """A witness's keys from `<folder>/witness.pem` and `witness.ml-dsa-44.pem`, as above."""
    check_name(name)
    return Cosigner(
        name,
        _key(folder / "witness.pem", Ed25519PrivateKey, "an Ed25519"),
        _key(folder / "witness.ml-dsa-44.pem", MLDSA44PrivateKey, "an ML-DSA-44"),
    )


def _key(path: Path, kind: Any, words: str) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _create(path, kind.generate)
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise OperationError(f"{path} is not a signing key", retry=False) from error
    if not isinstance(private, kind):
        raise OperationError(f"{path} is not {words} key", retry=False)
    return private


def _create(path: Path, generate: Callable[[], PrivateKey]) -> None:
    fresh = generate().private_bytes(
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
