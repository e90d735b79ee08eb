#!/usr/bin/env python3
"""Verify a receipt of an Onsil transparency log: one file, no Onsil, no network.

    python verify_receipt.py RECEIPT --key VKEY [--key VKEY …] [--policy FILE] [--json]

It needs Python 3.9 and the package `cryptography`, and trusts only the keys it is given. A receipt
is a C2SP tlog-proof (c2sp.org/tlog-proof). Verified is, each named when it is wrong:
  content    SHA-256(salt || content) is the commitment, and the content is canonical (RFC 8785)
  inclusion  the leaf, SHA-256(0x00 || commitment), leads to the checkpoint's root (RFC 9162)
  log        the checkpoint is signed by a log's key under the log's own name
  witnesses  cosignatures (c2sp.org/tlog-cosignature) meet the policy (c2sp.org/tlog-policy)
  anchor     the leaf is in the tree an anchor names; whether a chain holds it is asked elsewhere
Exit status: 0 everything holds, 1 something does not, 2 the arguments cannot be used.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sys
import time
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

try:
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
except ImportError:  # an older `cryptography`: such cosignatures are told as unchecked
    MLDSA44PublicKey = None

HEADER = "c2sp.org/tlog-proof@v1"
FORMAT = "onsil-receipt@v1"
ED25519, COSIGNATURE, MLDSA = 0x01, 0x04, 0x06
_LENGTHS = {ED25519: 32, COSIGNATURE: 32, MLDSA: 1312}
_SIGNATURES_MAX = 64
_HEX32 = re.compile("[0-9a-f]{64}")
_ANCHOR = {
    "place": re.compile("[a-z][a-z0-9-]{0,19}:[!-~]{1,200}"), "size": int, "root": _HEX32,
    "transaction": re.compile("[!-~]{0,200}"), "block": int, "proof": list,
}  # fmt: skip

WORDS = """
not-a-receipt | 영수증이 아닙니다: {} | This is not a receipt: {}
extra-malformed | 덧붙인 자료를 읽을 수 없습니다: {} | Its extra data cannot be read: {}
content-differs | 내용이 봉인된 것과 다릅니다. | The content is not what was sealed.
content-malformed | 내용이 정해진 꼴이 아닙니다: {} | The content is not canonical: {}
city-differs | 서명된 나무는 다른 도시의 것입니다: {} | The signed tree is another city's: {}
not-in-the-tree | 이 잎은 서명된 나무에 없습니다. | The leaf is not in the signed tree.
log-unknown | 믿는 로그의 서명이 없습니다: {} | No log that you trust has signed: {}
signature-wrong | {}의 서명이 맞지 않습니다. | The signature of {} does not hold.
quorum-not-met | 증인이 모자랍니다: {} | Too few witnesses have signed: {}
anchor-malformed | 체인 고정을 읽을 수 없습니다: {} | The anchor cannot be read: {}
anchor-does-not-cover | 고정되었다는 나무에 없습니다. | The leaf is not in the anchored tree.
"""
_WORDS = {row.split(" | ")[0]: row.split(" | ")[1:] for row in WORDS.strip().split("\n")}


class Wrong(Exception):
    """Something that does not hold, by its code in `WORDS`."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code, self.detail = code, detail

    def told(self) -> dict[str, str]:
        ko, en = (words.format(self.detail) for words in _WORDS[self.code])
        return {"code": self.code, "ko": ko, "en": en}


class Unusable(Exception):
    """A key or a policy that cannot be used."""


def _base64(text: str, code: str) -> bytes:
    """Standard base64 in its one spelling; anything else is refused."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong(code, "base64") from None
    if base64.b64encode(raw).decode() != text:
        raise Wrong(code, "base64")
    return raw


def _number(text: str, code: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,14}", text):
        raise Wrong(code, "a number")
    return int(text)


def canonical(value: object) -> str:
    """RFC 8785 of what entries hold: no fractions, whole numbers below 2**53."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) < 2**53:
        return str(value)
    raise ValueError("a number that is not whole")


def read_canonical(raw: bytes, code: str) -> dict:
    """The object that canonical JSON spells; any other spelling of it is refused."""
    try:
        depth = 0
        for c in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", raw):
            depth += (c in b"[{") - (c in b"]}")
            if depth > 64:
                raise ValueError("nested too deep")
        value = json.loads(raw.decode("utf-8"))
        if not isinstance(value, dict) or canonical(value).encode() != raw:
            raise ValueError("another spelling")
    except (ValueError, RecursionError) as error:
        raise Wrong(code, str(error)[:60]) from None
    return value


def leads_to_root(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162 §2.1.3.2: whether the path shows the leaf at `index` of the tree of `size`."""
    if not 0 <= index < size:
        return False
    place, last, value = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            value = sha256(b"\x01" + step + value).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + step).digest()
        place, last = place >> 1, last >> 1
    return last == 0 and value == root


def parse(raw: bytes) -> dict:
    """Extra data, index, path and checkpoint note. Raises Wrong when it is no tlog-proof."""
    code = "not-a-receipt"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong(code, "UTF-8") from None
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise Wrong(code, HEADER)
    if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise Wrong(code, "extra, index")
    extra = _base64(lines[1][6:], "extra-malformed")
    index, path = _number(lines[2][6:], code), [_base64(line, code) for line in lines[3:]]
    if any(len(step) != 32 for step in path):
        raise Wrong(code, "SHA-256")
    return {"extra": parse_extra(extra), "index": index, "path": path, "note": parse_note(note)}


def parse_extra(raw: bytes) -> dict:
    """What the receipt says was logged: `commitment`, and `content` with its `salt` or neither."""
    code = "extra-malformed"
    extra = read_canonical(raw, code)
    whole = "content" in extra
    members = {"format", "commitment", *(("content", "salt") if whole else ())}
    if extra.get("format") != FORMAT or set(extra) - {"anchor"} != members:
        raise Wrong(code, FORMAT)
    for name in members - {"format", "content"}:
        if not _matches(_HEX32, extra[name]):
            raise Wrong(code, name)
    if not isinstance(extra.get("content", ""), str):
        raise Wrong(code, "content")
    return extra


def _matches(pattern: re.Pattern, value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def parse_note(note: str) -> dict:
    """The checkpoint (origin, size, root), its text, and the signature lines under it."""
    code = "not-a-receipt"
    head, blank, tail = note.rpartition("\n\n")
    text = head + "\n"
    if not blank or not tail.endswith("\n") or any(c < " " and c != "\n" for c in note):
        raise Wrong(code, "signed note")
    lines = head.split("\n")
    if len(lines) < 3 or not all(lines):
        raise Wrong(code, "checkpoint")
    if len(root := _base64(lines[2], code)) != 32:
        raise Wrong(code, "root")
    signatures: list = []
    for line in tail[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not is_name(parts[1]):
            raise Wrong(code, "signature")
        if len(blob := _base64(parts[2], code)) < 5:
            raise Wrong(code, "signature")
        signatures.append((parts[1], blob[:4], blob[4:]))
    if len(signatures) > _SIGNATURES_MAX:
        raise Wrong(code, "signatures")
    return {
        "origin": lines[0], "size": _number(lines[1], code), "root": root, "text": text,
        "signatures": signatures,
    }  # fmt: skip


def is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


class Key:
    """A verifier key: its name, its kind and its bytes (c2sp.org/signed-note#verifier-keys)."""

    def __init__(self, text: str) -> None:
        parts = text.strip().split("+", 2)
        if len(parts) != 3 or not is_name(parts[0]):
            raise Unusable(f"name+id+key: {text[:60]!r}")
        try:
            raw = _base64(parts[2], "not-a-receipt")
        except Wrong:
            raise Unusable(f"base64: {text[:60]!r}") from None
        if not raw or len(raw) - 1 != _LENGTHS.get(raw[0]):
            raise Unusable(f"neither Ed25519 nor ML-DSA-44: {text[:60]!r}")
        self.name, self.kind, self.raw = parts[0], raw[0], raw[1:]
        self.id = sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if self.id.hex() != parts[1]:
            raise Unusable(f"the key's id is {self.id.hex()}: {text[:60]!r}")

    def checked(self, note: dict, signature: bytes) -> int | None:
        """The time of a cosignature, 0 for a log's own, None when it cannot be checked here.

        Raises Wrong when it does not hold.
        """
        stamp, rest = b"", signature
        if self.kind != ED25519:
            stamp, rest = signature[:8], signature[8:]
        when = int.from_bytes(stamp, "big")
        try:
            if self.kind == MLDSA:
                key = MLDSA44PublicKey.from_public_bytes(self.raw)  # pyright: ignore
                key.verify(rest, self._message(note, when))
            else:
                head = f"cosignature/v1\ntime {when}\n" if self.kind == COSIGNATURE else ""
                message = (head + note["text"]).encode()
                Ed25519PublicKey.from_public_bytes(self.raw).verify(rest, message)
        except (UnsupportedAlgorithm, AttributeError):  # no ML-DSA-44 here
            return None
        except (InvalidSignature, ValueError):
            raise Wrong("signature-wrong", self.name) from None
        if when >= 2**63:
            raise Wrong("signature-wrong", self.name)
        return when

    def _message(self, note: dict, when: int) -> bytes:
        """`cosigned_message` of c2sp.org/tlog-cosignature, for a whole tree."""
        name, origin = self.name.encode(), note["origin"].encode()
        if not len(name) < 256 > len(origin):
            raise Wrong("signature-wrong", self.name)
        return b"".join([
            b"subtree/v1\n\0", bytes([len(name)]), name, when.to_bytes(8, "big"),
            bytes([len(origin)]), origin, bytes(8), note["size"].to_bytes(8, "big"), note["root"],
        ])  # fmt: skip


class Policy:
    """Logs, witnesses and the quorum of a policy file (c2sp.org/tlog-policy)."""

    def __init__(self, text: str) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum, self._members = None, set()
        for number, line in enumerate(text.split("\n"), 1):
            words = re.split("[ \t]+", line.strip(" \t"))
            try:
                if words[0] and not words[0].startswith("#"):
                    self._read(words[0], words)
            except Unusable as error:
                raise Unusable(f"policy line {number}: {error}") from None
        if self.quorum is None:
            raise Unusable("the policy has no quorum line")

    def _read(self, verb: str, words: list[str]) -> None:
        if verb == "log" and len(words) in (2, 3):
            self.logs.append(self._fresh(Key(words[1]), self.logs, (ED25519, MLDSA)))
        elif verb == "witness" and len(words) in (3, 4):
            known = list(self.witnesses.values())
            self._new_name(words[1])
            self.witnesses[words[1]] = self._fresh(Key(words[2]), known, (COSIGNATURE, MLDSA))
        elif verb == "group" and len(words) > 3:
            self._group(words[1], words[2], words[3:])
        elif verb == "quorum" and len(words) == 2 and self.quorum is None:
            if words[1] != "none":
                self._known(words[1])
            self.quorum = words[1]
        else:
            raise Unusable(" ".join(words)[:60])

    def _group(self, name: str, count: str, members: list[str]) -> None:
        for member in members:
            self._known(member)
            if member in self._members:
                raise Unusable(f"{member} is a member twice")
            self._members.add(member)
        self._new_name(name)
        plain = int(count) if re.fullmatch("[0-9]+", count) else 0
        needed = {"all": len(members), "any": 1}.get(count, plain)
        if not 1 <= needed <= len(members):
            raise Unusable(f"{count} of {len(members)}")
        self.groups[name] = (needed, members)

    def _fresh(self, key: Key, known: list[Key], kinds: tuple[int, ...]) -> Key:
        if key.kind not in kinds:
            raise Unusable(f"not a key for this: {key.name}")
        if any((key.kind == MLDSA, key.raw) == (k.kind == MLDSA, k.raw) for k in known):
            raise Unusable(f"the key of {key.name} is there twice")
        return key

    def _new_name(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise Unusable(f"the name {name} is taken")

    def _known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise Unusable(f"{name} is not defined above")

    def met(self, signed: set[str], name: str | None = None) -> bool:
        name = self.quorum if name is None else name
        if name == "none" or name in signed:
            return True
        needed, members = self.groups.get(name or "", (1, []))
        return sum(self.met(signed, member) for member in members) >= needed


def verify(raw: bytes, logs: list[Key], policy: Policy | None = None) -> dict:
    """Everything that can be said about a receipt, as JSON values. Never raises for a bad one."""
    found: dict = {
        "valid": False, "findings": [], "leaf": None, "content": None, "logs": [], "witnesses": [],
        "unchecked": [], "other_signatures": 0, "quorum": None, "anchor": None,
    }  # fmt: skip
    try:
        receipt = parse(raw)
    except Wrong as wrong:
        found["findings"].append(wrong.told())
        return found
    note, extra = receipt["note"], receipt["extra"]
    commitment = bytes.fromhex(extra["commitment"])
    leaf = sha256(b"\x00" + commitment).digest()
    found["leaf"] = {
        "origin": note["origin"], "index": receipt["index"], "size": note["size"],
        "root": note["root"].hex(), "commitment": extra["commitment"],
    }  # fmt: skip
    trusted = [*logs, *(policy.logs if policy else [])]
    wrong = _content(extra, note, found)
    if not leads_to_root(leaf, receipt["index"], note["size"], receipt["path"], note["root"]):
        wrong.append(Wrong("not-in-the-tree"))
    wrong += _signatures(note, trusted, policy, found)
    wrong += _anchor(extra, leaf, receipt["index"], found)
    found["findings"] += [fault.told() for fault in wrong]
    found["valid"] = not found["findings"]
    return found


def _content(extra: dict, note: dict, found: dict) -> list[Wrong]:
    if "content" not in extra:
        return []
    raw = extra["content"].encode()
    if sha256(bytes.fromhex(extra["salt"]) + raw).hexdigest() != extra["commitment"]:
        return [Wrong("content-differs")]
    try:
        content = found["content"] = read_canonical(raw, "content-malformed")
    except Wrong as wrong:
        return [wrong]
    ours = note["origin"].startswith(f"onsil/{content.get('city')}/")
    return [] if ours else [Wrong("city-differs", note["origin"])]


def _signatures(note: dict, logs: list, policy: Policy | None, found: dict) -> list[Wrong]:
    """The log's signature under its own name, and the cosignatures of known witnesses."""
    wrong: list[Wrong] = []
    witnesses = {} if policy is None else policy.witnesses
    times: dict[str, int] = {}
    for name, key_id, signature in note["signatures"]:
        known = [("", k) for k in logs if k.name == note["origin"]]
        known += [(label, k) for label, k in witnesses.items()]
        known = [(label, k) for label, k in known if (k.name, k.id) == (name, key_id)]
        found["other_signatures"] += not known
        for label, key in known:
            try:
                when = key.checked(note, signature)
            except Wrong as fault:
                wrong.append(fault)
                continue
            if when is None:
                found["unchecked"].append(key.name)
            elif label:
                times[label] = max(when, times.get(label, 0))
            elif key.name not in found["logs"]:
                found["logs"].append(key.name)
    found["witnesses"] = [
        {"name": n, "key": witnesses[n].name, "time": times[n]} for n in sorted(times)
    ]
    if not found["logs"] and not any(fault.detail == note["origin"] for fault in wrong):
        wrong.append(Wrong("log-unknown", note["origin"]))
    if policy is not None:
        met = policy.met(set(times))
        found["quorum"] = {"met": met, "signed": len(times), "known": len(witnesses)}
        if not met:
            wrong.append(Wrong("quorum-not-met", f"{len(times)}/{len(witnesses)}"))
    return wrong


def _anchor(extra: dict, leaf: bytes, index: int, found: dict) -> list[Wrong]:
    if "anchor" not in extra:
        return []
    anchor = extra["anchor"]
    if not isinstance(anchor, dict) or set(anchor) != set(_ANCHOR):
        return [Wrong("anchor-malformed")]
    for name, form in _ANCHOR.items():
        value = anchor[name]
        fits = type(value) is form if isinstance(form, type) else _matches(form, value)
        if not fits or (form is int and value < 0):
            return [Wrong("anchor-malformed", name)]
    if not all(_matches(_HEX32, step) for step in anchor["proof"]):
        return [Wrong("anchor-malformed", "proof")]
    path = [bytes.fromhex(step) for step in anchor["proof"]]
    if not leads_to_root(leaf, index, anchor["size"], path, bytes.fromhex(anchor["root"])):
        return [Wrong("anchor-does-not-cover")]
    found["anchor"] = {name: anchor[name] for name in anchor if name != "proof"}
    return []


def lines(found: dict, korean: bool) -> list[str]:
    """The result in words, wrong things first."""

    def say(ko: str, en: str) -> None:
        told.append("  " + (ko if korean else en))

    told = [("맞습니다" if korean else "valid") if found["valid"] else
            ("맞지 않습니다" if korean else "NOT valid")]  # fmt: skip
    told += [f"✗ {finding['ko' if korean else 'en']}" for finding in found["findings"]]
    leaf, anchor = found["leaf"], found["anchor"]
    if leaf:
        where = f"{leaf['origin']} #{leaf['index']}"
        say(f"{where}: {leaf['size']}개 가운데", f"{where} of {leaf['size']} leaves")
    for name in found["logs"]:
        say(f"로그의 서명: {name}", f"signed by the log {name}")
    for witness in found["witnesses"]:
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(witness["time"]))
        say(f"증인의 서명: {witness['name']} {when}", f"cosigned by {witness['name']} {when}")
    for name in found["unchecked"]:
        say(
            f"{name}: ML-DSA-44 서명은 여기서 확인하지 못했습니다",
            f"{name}: ML-DSA-44 unchecked here",
        )
    if found["quorum"] is None:
        say("정책이 없어 증인은 확인하지 않았습니다", "no --policy: witnesses were not checked")
    if anchor:
        where = f"{anchor['place']}, block {anchor['block']}"
        say(f"체인 고정(체인에 묻지는 않음): {where}", f"anchor (the chain was not asked): {where}")
    if found["content"]:
        told.append(json.dumps(found["content"], ensure_ascii=False, indent=2))
    return told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a receipt of an Onsil transparency log.")
    parser.add_argument("receipt", help="the receipt file; - for standard input")
    parser.add_argument("--key", action="append", default=[], help="a log's verifier key")
    parser.add_argument("--policy", help="a policy file (c2sp.org/tlog-policy)")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    given = parser.parse_args(arguments)
    try:
        logs = [Key(text) for text in given.key]
        if any(key.kind == COSIGNATURE for key in logs):
            raise Unusable("--key wants the key of a log, not of a witness")
        policy = Policy(Path(given.policy).read_text("utf-8")) if given.policy else None
        if not logs and not (policy and policy.logs):
            raise Unusable("give the log's key: --key VKEY, or a policy with a log line")
        raw = sys.stdin.buffer.read() if given.receipt == "-" else Path(given.receipt).read_bytes()
    except (OSError, UnicodeDecodeError, Unusable) as error:
        print(f"verify_receipt: {error}", file=sys.stderr)
        return 2
    found = verify(raw, logs, policy)
    korean = any(os.environ.get(n, "")[:2] == "ko" for n in ("LC_ALL", "LC_MESSAGES", "LANG"))
    if given.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(lines(found, korean)))
    return 0 if found["valid"] else 1


if __name__ == "__main__":
    sys.exit(main())
