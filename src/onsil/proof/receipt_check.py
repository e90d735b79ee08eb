"""Verifying a receipt with the room's own parts: tree, notes, cosignatures, policies. Pure.

It follows the same rules as the file that is handed out (`standalone`), written a second time on
different ground, so that a mistake in one of them shows: the tests hold both against one another
on every receipt they can think of. The words for what is wrong are that file's.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import accumulate
from typing import Any

from onsil.core.canonical import canonical_bytes
from onsil.proof import standalone
from onsil.proof.checkpoint import Checkpoint, parse_checkpoint
from onsil.proof.cosignature import check_cosignature
from onsil.proof.keys import COSIGNATURE, ED25519, NoteError, VerifierKey
from onsil.proof.merkle import leaf_hash, verify_inclusion
from onsil.proof.note import Signature, split_note
from onsil.proof.policy import Policy, PolicyError

HEADER = "c2sp.org/tlog-proof@v1"
FORMAT = "onsil-receipt@v1"
_HEX32 = re.compile("[0-9a-f]{64}")
_PLACE = re.compile("[a-z][a-z0-9-]{0,19}:[!-~]{1,200}")
_TRANSACTION = re.compile("[!-~]{0,200}")
_INDEX = re.compile("index (0|[1-9][0-9]{0,14})")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_DEPTH_MAX = 64
_ANCHOR_MEMBERS = {"place", "size", "root", "transaction", "block", "proof"}


@dataclass(frozen=True)
class Fault:
    """One thing about a receipt that does not hold."""

    code: str
    ko: str
    en: str


@dataclass(frozen=True)
class ReceiptCheck:
    """What a verified receipt shows; `findings` name what is wrong, one by one.

    `shown` is the whole result as JSON values, in the form the stand-alone verifier prints.
    """

    shown: Mapping[str, Any]
    findings: tuple[Fault, ...] = field(default=())

    @property
    def valid(self) -> bool:
        return not self.findings

    @property
    def content(self) -> Mapping[str, Any] | None:
        """What was logged, with its kind, city and id; None when the receipt withholds it."""
        return self.shown["content"]

    @property
    def anchor(self) -> Mapping[str, Any] | None:
        """The tree said to be anchored, which holds the leaf; the place was not asked."""
        return self.shown["anchor"]

    def lines(self, language: str = "ko") -> list[str]:
        """The result in words, wrong things first."""
        return standalone.lines(dict(self.shown), not language.startswith("en"))


def verify_receipt(raw: bytes, logs: Sequence[str], policy: str = "") -> ReceiptCheck:
    """Check a receipt against logs' verifier keys and a policy's text, offline.

    Never raises for a bad receipt. Raises NoteError for a key or a policy that cannot be used.
    """
    keys = [VerifierKey.parse(key) for key in logs]
    if any(key.kind == COSIGNATURE for key in keys):
        raise NoteError("not the key of a log, but of a witness")
    try:
        trusted = Policy.parse(policy) if policy else None
    except PolicyError as error:
        raise NoteError(str(error)) from error
    if trusted is not None:
        keys += [log.key for log in trusted.logs]
    return _Check(keys, trusted).of(raw)


class _No(Exception):
    """The receipt cannot be read further."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail


class _Check:
    def __init__(self, logs: list[VerifierKey], policy: Policy | None) -> None:
        self.logs, self.policy = logs, policy
        self.faults: list[Fault] = []
        self.shown: dict[str, Any] = {
            "leaf": None, "content": None, "logs": [], "witnesses": [], "unchecked": [],
            "other_signatures": 0, "quorum": None, "anchor": None,
        }  # fmt: skip

    def of(self, raw: bytes) -> ReceiptCheck:
        try:
            extra, index, path, held = _read(raw)
        except _No as no:
            self.fault(no.code, no.detail)
        else:
            self.check(extra, index, path, held)
        told = [vars(fault) for fault in self.faults]
        shown = {"valid": not told, "findings": told, **self.shown}
        return ReceiptCheck(shown, tuple(self.faults))

    def fault(self, code: str, detail: str = "") -> None:
        self.faults.append(Fault(**standalone.Wrong(code, detail).told()))

    def check(
        self, extra: Mapping[str, Any], index: int, path: list[bytes], held: Checkpoint
    ) -> None:
        leaf = leaf_hash(bytes.fromhex(extra["commitment"]))
        self.shown["leaf"] = {
            "origin": held.origin, "index": index, "size": held.size, "root": held.root.hex(),
            "commitment": extra["commitment"],
        }  # fmt: skip
        if "content" in extra:
            self.content(extra, held)
        if not verify_inclusion(leaf, index, held.size, path, held.root):
            self.fault("not-in-the-tree")
        self.signatures(held)
        if "anchor" in extra:
            self.anchor(extra["anchor"], leaf, index)

    def content(self, extra: Mapping[str, Any], held: Checkpoint) -> None:
        raw = extra["content"].encode()
        if sha256(bytes.fromhex(extra["salt"]) + raw).hexdigest() != extra["commitment"]:
            self.fault("content-differs")
            return
        try:
            content = self.shown["content"] = _canonical(raw)
        except ValueError as error:
            self.fault("content-malformed", str(error)[:60])
            return
        if not held.origin.startswith(f"onsil/{content.get('city')}/"):
            self.fault("city-differs", held.origin)

    def signatures(self, held: Checkpoint) -> None:
        """The log's own lines, then those of the policy's witnesses; strangers' are counted."""
        logs = {(key.name, key.id): key for key in self.logs if key.name == held.origin}
        witnesses = self.policy.witnesses if self.policy else ()
        names = {(w.key.name, w.key.id): w for w in witnesses}
        times: dict[str, int] = {}
        log_is_wrong = False
        for signature in held.signatures:
            whose = (signature.name, signature.id)
            if whose not in logs and whose not in names:
                self.shown["other_signatures"] += 1
            if key := logs.get(whose):
                if not _signed_by(held, signature, key):
                    log_is_wrong = True
                    self.fault("signature-wrong", key.name)
                elif key.name not in self.shown["logs"]:
                    self.shown["logs"].append(key.name)
            if witness := names.get(whose):
                try:
                    at = check_cosignature(held, signature, witness.key).at
                    times[witness.name] = max(int(at.timestamp()), times.get(witness.name, 0))
                except NoteError:
                    self.fault("signature-wrong", witness.key.name)
        keys = {w.name: w.key.name for w in witnesses}
        self.shown["witnesses"] = [
            {"name": name, "key": keys[name], "time": times[name]} for name in sorted(times)
        ]
        if not self.shown["logs"] and not log_is_wrong:
            self.fault("log-unknown", held.origin)
        if self.policy is not None:
            met = self.policy.met_by(times)
            self.shown["quorum"] = {"met": met, "signed": len(times), "known": len(witnesses)}
            if not met:
                self.fault("quorum-not-met", f"{len(times)}/{len(witnesses)}")

    def anchor(self, anchor: Any, leaf: bytes, index: int) -> None:
        if not _is_anchor(anchor):
            self.fault("anchor-malformed")
            return
        path = [bytes.fromhex(step) for step in anchor["proof"]]
        if not verify_inclusion(leaf, index, anchor["size"], path, bytes.fromhex(anchor["root"])):
            self.fault("anchor-does-not-cover")
            return
        self.shown["anchor"] = {name: anchor[name] for name in anchor if name != "proof"}


def _signed_by(held: Checkpoint, signature: Signature, key: VerifierKey) -> bool:
    if key.kind == ED25519:
        return key.holds(split_note(held.note)[0].encode(), signature.value)
    try:
        check_cosignature(held, signature, key)
    except NoteError:
        return False
    return True


def _read(raw: bytes) -> tuple[Mapping[str, Any], int, list[bytes], Checkpoint]:
    """Extra data, index, path and checkpoint of a tlog-proof. Raises _No."""
    try:
        head, _, note = raw.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise _No("not-a-receipt", "UTF-8") from error
    lines = head.split("\n")
    if not note or lines[0] != HEADER or len(lines) < 3 or not lines[1].startswith("extra "):
        raise _No("not-a-receipt", HEADER)
    if not lines[2].startswith("index "):
        raise _No("not-a-receipt", "index")
    packed = _base64(lines[1].removeprefix("extra "), "extra-malformed")
    number = _INDEX.fullmatch(lines[2])
    path = [_base64(line, "not-a-receipt") for line in lines[3:]]
    if number is None or any(len(step) != 32 for step in path):
        raise _No("not-a-receipt", "index")
    extra = _extra(packed)
    try:
        held = parse_checkpoint(note)
        text, signatures = split_note(note)
    except NoteError as error:
        raise _No("not-a-receipt", str(error)) from error
    # Only the one spelling of base64 counts: what is read is what was written.
    again = text + "\n" + "".join(signature.line for signature in signatures)
    if again != note or not text.startswith(held.text):
        raise _No("not-a-receipt", "base64")
    return extra, int(number[1]), path, held


def _base64(text: str, code: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _No(code, "base64") from error
    if base64.b64encode(raw).decode() != text:
        raise _No(code, "base64")
    return raw


def _canonical(raw: bytes) -> dict[str, Any]:
    """The object in RFC 8785 bytes. Raises ValueError for any other spelling, or a fraction."""
    if _depth(raw) > _DEPTH_MAX:
        raise ValueError("nested too deep")
    try:
        value = json.loads(raw.decode("utf-8"))
        if not isinstance(value, dict) or canonical_bytes(value) != raw:
            raise ValueError("another spelling")
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return value


def _depth(raw: bytes) -> int:
    """How deep brackets nest outside of strings: what is too deep would exhaust the parser."""
    bare = _STRING.sub(b"", raw)
    steps = ((c in b"[{") - (c in b"]}") for c in bare)
    return max(accumulate(steps), default=0)


def _extra(raw: bytes) -> Mapping[str, Any]:
    try:
        extra = _canonical(raw)
    except ValueError as error:
        raise _No("extra-malformed", str(error)[:60]) from error
    known = {"format", "commitment"} | ({"content", "salt"} if "content" in extra else set())
    hexes = [extra.get(name) for name in known - {"format", "content"}]
    if (
        extra.get("format") != FORMAT
        or set(extra) - {"anchor"} != known
        or not isinstance(extra.get("content", ""), str)
        or not all(_fits(_HEX32, value) for value in hexes)
    ):
        raise _No("extra-malformed", FORMAT)
    return extra


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_anchor(anchor: Any) -> bool:
    if not isinstance(anchor, dict) or set(anchor) != _ANCHOR_MEMBERS:
        return False
    numbers = (anchor["size"], anchor["block"])
    return (
        _fits(_PLACE, anchor["place"])
        and _fits(_HEX32, anchor["root"])
        and _fits(_TRANSACTION, anchor["transaction"])
        and all(type(number) is int and number >= 0 for number in numbers)
        and isinstance(anchor["proof"], list)
        and all(_fits(_HEX32, step) for step in anchor["proof"])
    )
