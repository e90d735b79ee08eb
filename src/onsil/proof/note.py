"""Signed notes (c2sp.org/signed-note): a text, a blank line, signature lines. Pure."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onsil.proof.keys import ED25519, NoteError, VerifierKey, check_name, decode

_SIGNATURES_MAX = 64


@dataclass(frozen=True)
class Signature:
    """One signature line: under which name, with the key of which id, and what."""

    name: str
    id: bytes
    value: bytes

    @property
    def line(self) -> str:
        return f"— {self.name} {base64.b64encode(self.id + self.value).decode()}\n"


def parse_verifier_key(text: str) -> tuple[str, bytes]:
    """Name and 32-byte key of a log's Ed25519 text form. Raises NoteError when it is none."""
    parsed = VerifierKey.parse(text)
    if parsed.kind != ED25519:
        raise NoteError("not an Ed25519 verifier key")
    return parsed.name, parsed.key


def check_text(text: str) -> None:
    """Raises NoteError for what cannot be a note's text."""
    if not text.endswith("\n"):
        raise NoteError("a note's text ends with a newline")
    if any(c < " " and c != "\n" for c in text):
        raise NoteError("a note holds no control characters")


def split_note(note: str) -> tuple[str, list[Signature]]:
    """A note's text and its signatures, none of them verified.

    Raises NoteError when it is malformed, or has more than 64 signatures.
    """
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteError("not a signed note")
    text = head + "\n"
    check_text(note)
    return text, parse_lines(tail)


def parse_lines(lines: str) -> list[Signature]:
    """Signature lines, each ending with a newline. Raises NoteError when one is malformed."""
    if not lines.endswith("\n"):
        raise NoteError("a signature line ends with a newline")
    parts = [line.split(" ") for line in lines[:-1].split("\n")]
    if len(parts) > _SIGNATURES_MAX:
        raise NoteError("too many signatures")
    found = []
    for part in parts:
        if len(part) != 3 or part[0] != "—":
            raise NoteError("malformed signature line")
        check_name(part[1])
        raw = decode(part[2])
        if len(raw) < 5:
            raise NoteError("a signature has a key id and a value")
        found.append(Signature(part[1], raw[:4], raw[4:]))
    return found


def join_note(text: str, signatures: Iterable[Signature]) -> str:
    """The note of a text and its signatures, each of them once."""
    check_text(text)
    return text + "\n" + "".join(dict.fromkeys(signature.line for signature in signatures))


def open_note(note: str, keys: Mapping[str, bytes]) -> str:
    """The text of a note that one of the known Ed25519 `keys` (name to public key) has signed.

    Signatures of unknown keys are passed over. Raises NoteError when a known key's signature is
    wrong, or none is there.
    """
    text, signatures = split_note(note)
    signed = False
    for signature in signatures:
        known = keys.get(signature.name)
        if known is None:
            continue
        key = VerifierKey(signature.name, known)
        if signature.id != key.id:
            continue
        if not key.holds(text.encode(), signature.value):
            raise NoteError(f"the signature of {signature.name} does not hold")
        signed = True
    if not signed:
        raise NoteError("no known key has signed this")
    return text
