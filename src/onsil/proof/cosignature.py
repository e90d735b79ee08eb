"""Cosignatures of checkpoints (c2sp.org/tlog-cosignature): statements with a time. Pure.

Type 0x04 is Ed25519 over the header `cosignature/v1`, the time and the checkpoint's text. Type 0x06
is ML-DSA-44 (FIPS 204) over a `cosigned_message`, which also names the cosigner.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from onsil.proof.checkpoint import Checkpoint
from onsil.proof.keys import COSIGNATURE, MLDSA44, NoteError, VerifierKey
from onsil.proof.note import Signature, split_note

_LABEL = b"subtree/v1\n\x00"
_SIGNATURE_BYTES = {COSIGNATURE: 64, MLDSA44: 2420}


@dataclass(frozen=True)
class Cosignature:
    """Who has cosigned, and at which second."""

    key: VerifierKey
    at: datetime


def ed25519_message(text: str, timestamp: int) -> bytes:
    """What an Ed25519 cosigner signs: header line, time line, the checkpoint's whole text."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def cosigned_message(
    cosigner: str, timestamp: int, log_origin: str, start: int, end: int, root: bytes
) -> bytes:
    """The `cosigned_message` of the leaves from `start` up to `end`, whose subtree has `root`.

    Raises NoteError for an origin that does not fit.
    """
    name, origin = cosigner.encode(), log_origin.encode()
    if not 1 <= len(origin) <= 255:
        raise NoteError("an origin has 1 to 255 bytes")
    return b"".join(
        [
            _LABEL, bytes([len(name)]), name, struct.pack(">Q", timestamp),
            bytes([len(origin)]), origin, struct.pack(">QQ", start, end), root,
        ]
    )  # fmt: skip


def mldsa44_message(cosigner: str, timestamp: int, checkpoint: Checkpoint) -> bytes:
    """What an ML-DSA-44 cosigner of a checkpoint signs: the tree from its first leaf."""
    return cosigned_message(
        cosigner, timestamp, checkpoint.origin, 0, checkpoint.size, checkpoint.root
    )


def cosign_ed25519(
    checkpoint: Checkpoint, name: str, private: Ed25519PrivateKey, timestamp: int
) -> Signature:
    """A cosignature/v1 line of `checkpoint`, whose note must be there if it has extensions."""
    key = VerifierKey(name, private.public_key().public_bytes_raw(), COSIGNATURE)
    value = private.sign(ed25519_message(_text(checkpoint), timestamp))
    return Signature(name, key.id, struct.pack(">Q", timestamp) + value)


def cosign_mldsa44(
    checkpoint: Checkpoint, name: str, private: MLDSA44PrivateKey, timestamp: int
) -> Signature:
    """An ML-DSA-44 cosignature line of `checkpoint`."""
    key = VerifierKey(name, private.public_key().public_bytes_raw(), MLDSA44)
    value = private.sign(mldsa44_message(name, timestamp, checkpoint))
    return Signature(name, key.id, struct.pack(">Q", timestamp) + value)


def _text(checkpoint: Checkpoint) -> str:
    return split_note(checkpoint.note)[0] if checkpoint.note else checkpoint.text


def check_cosignature(
    checkpoint: Checkpoint, signature: Signature, key: VerifierKey
) -> Cosignature:
    """The statement in a line whose name and id are the key's. Raises NoteError if it is false."""
    if (signature.name, signature.id) != (key.name, key.id) or key.kind not in _SIGNATURE_BYTES:
        raise NoteError(f"not a cosignature of {key.name}")
    if len(signature.value) != 8 + _SIGNATURE_BYTES[key.kind]:
        raise NoteError(f"the cosignature of {key.name} has the wrong length")
    (timestamp,) = struct.unpack(">Q", signature.value[:8])
    if key.kind == MLDSA44:
        message = mldsa44_message(key.name, timestamp, checkpoint)
    else:
        message = ed25519_message(_text(checkpoint), timestamp)
    if not key.holds(message, signature.value[8:]):
        raise NoteError(f"the cosignature of {key.name} does not hold")
    try:
        return Cosignature(key, datetime.fromtimestamp(timestamp, UTC))
    except (OverflowError, ValueError, OSError) as error:
        raise NoteError(f"the cosignature of {key.name} has no possible time") from error


def verified_cosignatures(checkpoint: Checkpoint, keys: Iterable[VerifierKey]) -> list[Cosignature]:
    """The cosignatures of known keys on a checkpoint's note; those of strangers are passed over.

    Raises NoteError when one of a known key does not hold.
    """
    known = {(key.name, key.id): key for key in keys}
    return [
        check_cosignature(checkpoint, signature, known[signature.name, signature.id])
        for signature in checkpoint.signatures
        if (signature.name, signature.id) in known
    ]
