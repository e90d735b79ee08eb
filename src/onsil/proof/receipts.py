"""Receipts (c2sp.org/tlog-proof) and offline bundles: what a citizen or auditor takes away.

Both are verified with the city's public key alone, without the operator's server.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from onsil.core.canonical import plain
from onsil.core.database import Connection
from onsil.core.refusal import OperationError, Refusal
from onsil.proof.checkpoint import Checkpoint, open_checkpoint
from onsil.proof.entries import commitment, entry_bytes, leaf
from onsil.proof.merkle import inclusion_proof, leaf_hash, verify_inclusion
from onsil.proof.note import NoteError, parse_verifier_key
from onsil.proof.sequencer import log_folder, read_checkpoint

_HEADER = "c2sp.org/tlog-proof@v1"
BUNDLE_FORMAT = "onsil-proof-bundle@v1"


@dataclass(frozen=True)
class ReceiptCheck:
    """What a verified receipt or bundle shows; `findings` says in words why it is not valid.

    `content_checked` tells whether the entry itself was there and fits the leaf, or only the
    leaf's place in the signed tree was shown.
    """

    valid: bool
    findings: list[str] = field(default_factory=list)
    origin: str = ""
    index: int = -1
    size: int = 0
    kind: str = ""
    subject_id: UUID | None = None
    entry: Mapping[str, Any] | None = None
    content_checked: bool = False


def published_key(folder: Path, city: str, year: int) -> bytes:
    """The public key published beside a log: for convenience, trust has to come from elsewhere.

    Raises OperationError when it is missing or malformed.
    """
    path = log_folder(folder, city, year).path / "verifier-key"
    try:
        return parse_verifier_key(path.read_text("utf-8"))[1]
    except (FileNotFoundError, NoteError) as error:
        raise OperationError(f"{path}: {error}", retry=False) from error


def receipt(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Path,
    entry: Mapping[str, Any] | None = None,
) -> str | Refusal:  # fmt: skip
    """The tlog-proof of one subject's leaf in the newest tree of its year.

    Its extra data hold the salt, and the entry when given, so it belongs to the subject's owner.
    Refuses with `not-logged` or `not-sequenced-yet`.
    """
    made = _prove(conn, city, kind, subject_id, folder)
    if isinstance(made, Refusal):
        return made
    index, path, note, salt, value = made
    extra: dict[str, Any] = {
        "city": city, "kind": kind, "id": str(subject_id), "salt": salt.hex(),
        "commitment": value.hex(),
    }  # fmt: skip
    if entry is not None:
        extra["entry"] = plain(entry)
    packed = base64.b64encode(json.dumps(extra, ensure_ascii=False).encode()).decode()
    lines = [_HEADER, f"extra {packed}", f"index {index}"]
    lines += [base64.b64encode(step).decode() for step in path]
    return "\n".join(lines) + "\n\n" + note


def _prove(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Path
) -> tuple[int, list[bytes], str, bytes, bytes] | Refusal:
    found = leaf(conn, city, kind, subject_id)
    if found is None:
        return Refusal(
            "not-logged",
            "이 기록은 투명성 로그에 등록되어 있지 않습니다. 식별자를 확인해 주세요.",
            "This record is not in the transparency log. Please check its identifier.",
            {"kind": kind, "id": str(subject_id)},
        )
    if found.index is None or found.year is None:
        return Refusal(
            "not-sequenced-yet",
            "이 기록은 곧 서명된 로그에 들어갑니다. 몇 초 뒤에 다시 시도해 주세요.",
            "This record is about to enter the signed log. Please try again in a few seconds.",
            {"kind": kind, "id": str(subject_id)},
        )
    log = log_folder(folder, city, found.year)
    held = read_checkpoint(log, published_key(folder, city, found.year))
    if held is None or held.size <= found.index:
        raise OperationError(f"{log.path} is behind the database", retry=False)
    path = inclusion_proof(log.hashes(held.size), found.index, held.size)
    return found.index, path, held.note, found.salt, found.commitment


def verify_receipt(text: str, public_key: bytes) -> ReceiptCheck:
    """Check a receipt with the city's 32-byte public key, offline. Never raises for bad input."""
    try:
        index, path, extra, note = _parse(text)
        held = open_checkpoint(note, public_key)
    except NoteError as error:
        return ReceiptCheck(False, [str(error)])
    return _check(extra, index, path, held)


def _parse(text: str) -> tuple[int, list[bytes], dict[str, Any], str]:
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != _HEADER or len(lines) < 3:
        raise NoteError("not a transparency log receipt")
    if not lines[1].startswith("extra "):
        raise NoteError("the receipt does not say what it is for")
    number = lines[2].removeprefix("index ")
    if number == lines[2] or not (number.isascii() and number.isdigit()):
        raise NoteError("the receipt has no index")
    try:
        extra = json.loads(base64.b64decode(lines[1][6:], validate=True))
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    except (binascii.Error, ValueError) as error:
        raise NoteError("the receipt is damaged") from error
    if not isinstance(extra, dict):
        raise NoteError("the receipt is damaged")
    return int(number), path, extra, note


def _check(
    extra: Mapping[str, Any], index: int, path: list[bytes], held: Checkpoint
) -> ReceiptCheck:
    try:
        city, kind = str(extra["city"]), str(extra["kind"])
        subject_id = UUID(str(extra["id"]))
        salt, value = bytes.fromhex(extra["salt"]), bytes.fromhex(extra["commitment"])
    except (KeyError, TypeError, ValueError):
        return ReceiptCheck(False, ["the receipt is damaged"])
    findings: list[str] = []
    if not held.origin.startswith(f"onsil/{city}/"):
        findings.append(f"the checkpoint is of {held.origin}, not of {city}")
    if not verify_inclusion(leaf_hash(value), index, held.size, path, held.root):
        findings.append("the leaf is not in the signed tree")
    entry = extra.get("entry")
    if entry is not None:
        try:
            content = entry_bytes(city, kind, subject_id, entry)
        except (TypeError, ValueError):
            content = b""
        if commitment(salt, content) != value:
            findings.append("the content is not what was logged")
    return ReceiptCheck(
        not findings, findings, held.origin, index, held.size, kind, subject_id, entry,
        entry is not None,
    )  # fmt: skip


def bundle(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Path,
    entry: Mapping[str, Any],
) -> dict[str, Any] | Refusal:  # fmt: skip
    """Everything needed to verify one subject offline, as JSON values: entry, salt, commitment,
    inclusion proof, checkpoint and public key. Refuses as `receipt` does."""
    made = _prove(conn, city, kind, subject_id, folder)
    if isinstance(made, Refusal):
        return made
    index, path, note, salt, value = made
    year = int(note.split("\n", 1)[0].rsplit("/", 1)[1])
    return {
        "format": BUNDLE_FORMAT,
        "city": city,
        "kind": kind,
        "id": str(subject_id),
        "entry": plain(entry),
        "salt": salt.hex(),
        "commitment": value.hex(),
        "index": index,
        "proof": [step.hex() for step in path],
        "checkpoint": note,
        "public_key": published_key(folder, city, year).hex(),
    }


def verify_bundle(content: Mapping[str, Any], public_key: bytes | None = None) -> ReceiptCheck:
    """Check a bundle offline. Without `public_key` the bundle's own is used, which shows only that
    it is consistent in itself. Never raises for bad input."""
    try:
        if content["format"] != BUNDLE_FORMAT or content["entry"] is None:
            raise ValueError
        key = bytes.fromhex(content["public_key"])
        path = [bytes.fromhex(step) for step in content["proof"]]
        index, note = int(content["index"]), str(content["checkpoint"])
    except (KeyError, TypeError, ValueError):
        return ReceiptCheck(False, ["not a proof bundle"])
    if public_key is not None and key != public_key:
        return ReceiptCheck(False, ["the bundle is signed with another key than the city's"])
    try:
        held = open_checkpoint(note, key)
    except (NoteError, ValueError) as error:
        return ReceiptCheck(False, [str(error)])
    return _check(content, index, path, held)
