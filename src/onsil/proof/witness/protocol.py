"""The body of `add-checkpoint` and what a witness makes of it (c2sp.org/tlog-witness). Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from onsil.proof.checkpoint import Checkpoint, parse_checkpoint
from onsil.proof.cosignature import check_cosignature
from onsil.proof.keys import ED25519, NoteError, VerifierKey, decode
from onsil.proof.merkle import verify_consistency
from onsil.proof.note import split_note

PROOF_LINES_MAX = 63
BODY_BYTES_MAX = 256 * 1024
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True)
class Request:
    """An old size, the way from it to the checkpoint, and the checkpoint; nothing verified yet."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint


def format_request(old_size: int, proof: Sequence[bytes], checkpoint: Checkpoint) -> bytes:
    """The body that asks for a cosignature."""
    lines = [f"old {old_size}", *(base64.b64encode(step).decode() for step in proof), ""]
    return ("\n".join(lines) + "\n" + checkpoint.note).encode()


def parse_request(body: bytes) -> Request:
    """Old size, proof and checkpoint of a body. Raises NoteError when it is malformed."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the body is not UTF-8") from error
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or not lines[0].startswith("old "):
        raise NoteError("the body has an old size, a proof, an empty line and a checkpoint")
    number = lines[0][4:]
    plain = number.isascii() and number.isdigit() and (number == "0" or number[0] != "0")
    if not plain or int(number) >= 1 << 63:
        raise NoteError("the old size is a plain number")
    if len(lines) - 1 > PROOF_LINES_MAX:
        raise NoteError(f"a proof has {PROOF_LINES_MAX} lines at most")
    proof = tuple(decode(line) for line in lines[1:])
    if any(len(step) != 32 for step in proof):
        raise NoteError("a proof line is a hash of 32 bytes")
    return Request(int(number), proof, parse_checkpoint(note))


def signed_by(checkpoint: Checkpoint, trusted: Sequence[VerifierKey]) -> bool:
    """Whether a trusted key has signed, and no line of a trusted key is false."""
    text, signatures = split_note(checkpoint.note)
    known = {(key.name, key.id): key for key in trusted}
    found = False
    for signature in signatures:
        key = known.get((signature.name, signature.id))
        if key is None:
            continue
        if key.kind == ED25519:
            if not key.holds(text.encode(), signature.value):
                return False
        else:
            try:
                check_cosignature(checkpoint, signature, key)
            except NoteError:
                return False
        found = True
    return found


@dataclass(frozen=True)
class Verdict:
    """What follows for a witness at a known tree: a status, and 200 means to go on to the new."""

    status: int
    words: str = ""


def judge(request: Request, known_size: int, known_root: bytes) -> Verdict:
    """What a witness that has cosigned `known_size` leaves may do. The signature is checked before.

    The order of the checks is the specification's.
    """
    new = request.checkpoint
    if request.old_size > new.size:
        return Verdict(400, "the old size is above the checkpoint's")
    if request.old_size != known_size:
        return Verdict(409)
    if known_size == new.size and known_root != new.root:
        return Verdict(409)
    if not verify_consistency(known_size, new.size, known_root, new.root, request.proof):
        return Verdict(422, "the consistency proof does not hold")
    return Verdict(200)
