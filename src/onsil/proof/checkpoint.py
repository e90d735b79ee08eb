"""Checkpoints (c2sp.org/tlog-checkpoint): what a log's signature is put under. Pure."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace

from onsil.proof.keys import NoteError
from onsil.proof.note import Signature, join_note, open_note, split_note


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: whose log, how many leaves, which root; `note` is its signed text."""

    origin: str
    size: int
    root: bytes
    note: str = ""

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @property
    def signatures(self) -> list[Signature]:
        """The lines below its text, none of them verified here."""
        return split_note(self.note)[1] if self.note else []

    def with_signatures(self, more: Iterable[Signature]) -> "Checkpoint":
        """The same checkpoint with further lines behind those it has."""
        text = split_note(self.note)[0] if self.note else self.text
        return replace(self, note=join_note(text, [*self.signatures, *more]))


def origin(city: str, year: int) -> str:
    """The identity of a city's log of one year."""
    return f"onsil/{city}/{year}"


def parse_text(text: str, note: str = "") -> Checkpoint:
    """A checkpoint from its text. Raises NoteError when it is none."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteError("a checkpoint has three lines")
    if not (lines[1].isascii() and lines[1].isdigit()) or (lines[1][0] == "0" and lines[1] != "0"):
        raise NoteError("a checkpoint's size is a plain number")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error as error:
        raise NoteError("a checkpoint's root is base64") from error
    if len(root) != 32 or int(lines[1]) >= 1 << 63:
        raise NoteError("a checkpoint's root has 32 bytes")
    return Checkpoint(lines[0], int(lines[1]), root, note)


def parse_checkpoint(note: str) -> Checkpoint:
    """A checkpoint from its note, no signature verified. Raises NoteError when malformed."""
    return parse_text(split_note(note)[0], note)


def open_checkpoint(note: str, public_key: bytes) -> Checkpoint:
    """The checkpoint in a note signed with `public_key` under the name of its own origin.

    Raises NoteError when it is malformed or not signed so.
    """
    name = note.split("\n", 1)[0]
    return parse_text(open_note(note, {name: public_key}), note)
