"""Proof bundles: one subject's proof as JSON, with its key, for traces and evidence files.

A receipt is what a person takes away; a bundle is the same proof for programs, many in one file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from onsil.core.canonical import plain
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.proof.checkpoint import Checkpoint, open_checkpoint
from onsil.proof.entries import commitment, entry_bytes
from onsil.proof.merkle import leaf_hash, verify_inclusion
from onsil.proof.note import NoteError
from onsil.proof.receipts import prove, published_key

BUNDLE_FORMAT = "onsil-proof-bundle@v1"


@dataclass(frozen=True)
class BundleCheck:
    """What a verified bundle shows; `findings` says in words why it is not valid."""

    valid: bool
    findings: list[str] = field(default_factory=list)
    origin: str = ""
    index: int = -1
    size: int = 0
    kind: str = ""
    subject_id: UUID | None = None
    entry: Mapping[str, Any] | None = None


def bundle(
    conn: Connection, city: str, kind: str, subject_id: UUID, folder: Path,
    entry: Mapping[str, Any],
) -> dict[str, Any] | Refusal:  # fmt: skip
    """Everything needed to verify one subject offline, as JSON values: entry, salt, commitment,
    inclusion proof, checkpoint and public key. Refuses as `receipt` does."""
    made = prove(conn, city, kind, subject_id, folder)
    if isinstance(made, Refusal):
        return made
    return {
        "format": BUNDLE_FORMAT,
        "city": city,
        "kind": kind,
        "id": str(subject_id),
        "entry": plain(entry),
        "salt": made.salt.hex(),
        "commitment": made.commitment.hex(),
        "index": made.index,
        "proof": [step.hex() for step in made.path],
        "checkpoint": made.note,
        "public_key": published_key(folder, city, made.year).hex(),
    }


def verify_bundle(content: Mapping[str, Any], public_key: bytes | None = None) -> BundleCheck:
    """Check a bundle offline. Without `public_key` the bundle's own is used, which shows only that
    it is consistent in itself. Never raises for bad input."""
    try:
        if content["format"] != BUNDLE_FORMAT or content["entry"] is None:
            raise ValueError
        key = bytes.fromhex(content["public_key"])
        path = [bytes.fromhex(step) for step in content["proof"]]
        index, note = int(content["index"]), str(content["checkpoint"])
    except (KeyError, TypeError, ValueError):
        return BundleCheck(False, ["not a proof bundle"])
    if public_key is not None and key != public_key:
        return BundleCheck(False, ["the bundle is signed with another key than the city's"])
    try:
        held = open_checkpoint(note, key)
    except (NoteError, ValueError) as error:
        return BundleCheck(False, [str(error)])
    return _check(content, index, path, held)


def _check(
    content: Mapping[str, Any], index: int, path: list[bytes], held: Checkpoint
) -> BundleCheck:
    try:
        city, kind, entry = str(content["city"]), str(content["kind"]), content["entry"]
        subject_id = UUID(str(content["id"]))
        salt, value = bytes.fromhex(content["salt"]), bytes.fromhex(content["commitment"])
    except (KeyError, TypeError, ValueError):
        return BundleCheck(False, ["the bundle is damaged"])
    findings: list[str] = []
    if not held.origin.startswith(f"onsil/{city}/"):
        findings.append(f"the checkpoint is of {held.origin}, not of {city}")
    if not verify_inclusion(leaf_hash(value), index, held.size, path, held.root):
        findings.append("the leaf is not in the signed tree")
    try:
        logged = entry_bytes(city, kind, subject_id, entry)
    except (TypeError, ValueError):
        logged = b""
    if commitment(salt, logged) != value:
        findings.append("the content is not what was logged")
    return BundleCheck(
        not findings, findings, held.origin, index, held.size, kind, subject_id, entry
    )
