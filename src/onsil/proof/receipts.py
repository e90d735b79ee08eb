"""Receipts (c2sp.org/tlog-proof): what a citizen takes away and anybody verifies, offline.

A receipt's leaf data is the salted commitment. Its `extra` line holds, as canonical JSON, the
content as it was committed to, the salt, and where a checkpoint that covers the leaf is anchored:

    {"anchor": {…}, "commitment": hex, "content": text, "format": "onsil-receipt@v1", "salt": hex}

The format has no room for prose outside the `extra` line, and prose that nothing proves would only
mislead: verifiers say in words what the content, once proved, says.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from onsil.core.canonical import canonical_bytes
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.proof import anchors
from onsil.proof.entries import entry_bytes, leaf
from onsil.proof.home import Place, covering_checkpoint, published_key
from onsil.proof.merkle import inclusion_proof
from onsil.proof.receipt_check import FORMAT, HEADER
from onsil.proof.sequencer import log_folder


@dataclass(frozen=True)
class Proven:
    """A leaf's place in the newest signed tree of its year, and the way up from it."""

    year: int
    index: int
    size: int
    path: list[bytes]
    note: str
    salt: bytes
    commitment: bytes


def receipt(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Place,
    entry: Mapping[str, Any] | None = None,
) -> str | Refusal:  # fmt: skip
    """The tlog-proof of one subject's leaf in the newest tree of its year.

    With `entry` it holds the content and the salt, so it belongs to the subject's owner; without,
    only the commitment. Refuses with `not-logged`, `not-sequenced-yet` or `erased`.
    """
    made = prove(conn, city, kind, subject_id, folder)
    if isinstance(made, Refusal):
        return made
    extra: dict[str, Any] = {"format": FORMAT, "commitment": made.commitment.hex()}
    if entry is not None:
        extra["content"] = entry_bytes(city, kind, subject_id, entry).decode()
        extra["salt"] = made.salt.hex()
    anchor = _anchor(conn, city, folder, made)
    if anchor is not None:
        extra["anchor"] = anchor
    packed = base64.b64encode(canonical_bytes(extra)).decode()
    lines = [HEADER, f"extra {packed}", f"index {made.index}"]
    lines += [base64.b64encode(step).decode() for step in made.path]
    return "\n".join(lines) + "\n\n" + made.note


def prove(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Place
) -> Proven | Refusal:
    """The inclusion proof of a subject's leaf; refuses as `receipt` does.

    Raises OperationError when the log on disk is damaged or behind the database.
    """
    found = leaf(conn, city, kind, subject_id)
    facts = {"kind": kind, "id": str(subject_id)}
    if found is None:
        return _not_logged(facts)
    if found.erased:
        return _erased(facts)
    if found.index is None or found.year is None:
        return _not_yet(facts)
    log = log_folder(folder, city, found.year)
    held = covering_checkpoint(log, found.index, published_key(folder, city, found.year))
    if held is None:
        return _not_yet(facts)
    path = inclusion_proof(log.hashes(held.size), found.index, held.size)
    return Proven(found.year, found.index, held.size, path, held.note, found.salt, found.commitment)


def _anchor(conn: Connection, city: str, folder: Place, made: Proven) -> dict[str, Any] | None:
    """Where the smallest confirmed anchor that covers the leaf stands, and the way up to it."""
    record = anchors.covering(conn, city, made.year, made.index, made.size)
    if record is None:
        return None
    hashes = log_folder(folder, city, made.year).hashes(record.size)
    return {
        "place": record.place,
        "size": record.size,
        "root": record.root.hex(),
        "transaction": record.transaction,
        "block": record.block_number or 0,
        "proof": [step.hex() for step in inclusion_proof(hashes, made.index, record.size)],
    }


def _not_logged(facts: Mapping[str, Any]) -> Refusal:
    return Refusal(
        "not-logged",
        "이 기록은 투명성 로그에 등록되어 있지 않습니다. 식별자를 확인해 주세요.",
        "This record is not in the transparency log. Please check its identifier.",
        facts,
    )


def _erased(facts: Mapping[str, Any]) -> Refusal:
    return Refusal(
        "erased",
        "이 기록의 내용은 지워졌습니다. 로그에는 뜻을 알 수 없는 지문만 남아 있어 영수증을 만들 수 "
        "없습니다.",
        "The content of this record was erased. The log keeps only a fingerprint that says "
        "nothing, so there is no receipt.",
        facts,
    )


def _not_yet(facts: Mapping[str, Any]) -> Refusal:
    """Waiting for its place, or for the witnesses without whom no checkpoint is published."""
    return Refusal(
        "not-sequenced-yet",
        "이 기록은 곧 서명된 로그에 들어갑니다. 몇 초 뒤에 다시 시도해 주세요.",
        "This record is about to enter the signed log. Please try again in a few seconds.",
        facts,
    )
