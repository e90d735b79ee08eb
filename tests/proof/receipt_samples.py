"""Receipts made by hand, from the specifications: a log in memory, witnesses, a policy, an anchor.

made = samples()      made.text, made.policy, made.log_key …
"""

import base64
import struct
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from onsil.core.canonical import canonical_bytes
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.merkle import inclusion_proof, leaf_hash, root_hash, tree

CITY = "pyeongtaek"
ORIGIN = f"onsil/{CITY}/2026"
ID = UUID("01900000-0000-7000-8000-000000000007")
TIME = 1_770_000_000
ENTRY = {
    "type": "payment", "memo": "빵 ☕ 😀", "effective_at": "2026-02-10T03:00:00Z",
    "legs": [{"source": "citizen:01900000-0000-7000-8000-0000000000c1",
              "destination": "merchant:01900000-0000-7000-8000-0000000000d1",
              "asset": f"local:{CITY}", "amount": 4500}],
    "kind": "transfer", "city": CITY, "id": str(ID),
}  # fmt: skip
SALT = sha256(b"salt").digest()
CONTRACT = "0x" + "ab" * 20


def verifier_key(name: str, kind: int, public: bytes) -> str:
    """`<name>+<id>+<base64>` of c2sp.org/signed-note."""
    raw = bytes([kind]) + public
    identity = sha256(name.encode() + b"\n" + raw).digest()[:4].hex()
    return f"{name}+{identity}+{base64.b64encode(raw).decode()}"


def key_id(vkey: str) -> bytes:
    return bytes.fromhex(vkey.split("+", 2)[1])


@dataclass(frozen=True)
class Witness:
    """Cosigns as c2sp.org/tlog-cosignature has it, by Ed25519 (4) or ML-DSA-44 (6)."""

    name: str
    private: Ed25519PrivateKey | MLDSA44PrivateKey

    @property
    def kind(self) -> int:
        return 4 if isinstance(self.private, Ed25519PrivateKey) else 6

    @property
    def key(self) -> str:
        return verifier_key(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def line(self, held: Checkpoint, time: int = TIME) -> str:
        if self.kind == 4:
            message = f"cosignature/v1\ntime {time}\n{held.text}".encode()
        else:
            name, origin = self.name.encode(), held.origin.encode()
            message = b"subtree/v1\n\0" + bytes([len(name)]) + name + struct.pack(">Q", time)
            message += bytes([len(origin)]) + origin + struct.pack(">QQ", 0, held.size) + held.root
        raw = key_id(self.key) + struct.pack(">Q", time) + self.private.sign(message)
        return f"— {self.name} {base64.b64encode(raw).decode()}\n"


@dataclass(frozen=True)
class Sample:
    """A receipt and everything that verifies it."""

    text: str
    log_key: str
    log_key_mldsa: str
    policy: str
    held: Checkpoint
    witnesses: tuple[Witness, ...]


def witnesses() -> tuple[Witness, ...]:
    return (
        Witness("witness.example/a", Ed25519PrivateKey.from_private_bytes(b"a" * 32)),
        Witness("witness.example/b", Ed25519PrivateKey.from_private_bytes(b"b" * 32)),
        Witness("witness.example/c", MLDSA44PrivateKey.from_seed_bytes(b"c" * 32)),
    )


def policy_of(log_key: str, known: tuple[Witness, ...], quorum: int) -> str:
    names = [chr(ord("A") + i) for i in range(len(known))]
    lines = ["# who has to have seen the log", f"log {log_key} https://city.example/log/"]
    lines += [f"witness {n} {w.key}" for n, w in zip(names, known, strict=True)]
    lines += [f"group quorum-of-{len(known)} {quorum} {' '.join(names)}"]
    return "\n".join([*lines, f"quorum quorum-of-{len(known)}", ""])


def sample(
    *, size: int = 13, index: int = 7, signed_by: str = "abc", quorum: int = 2, extra=None,
    anchored: int | None = 11, entry=None, bare: bool = False,
    log_signs_twice: bool = False,
) -> Sample:  # fmt: skip
    """A receipt of leaf `index` of a tree of `size`, cosigned by the witnesses named."""
    content = canonical_bytes(entry or ENTRY)
    commitment = sha256(SALT + content).digest()
    leaves = [sha256(f"leaf {n}".encode()).digest() for n in range(size)]
    leaves[index] = commitment
    hashes = tree(leaf_hash(leaf) for leaf in leaves)
    private = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
    log_key = verifier_key(ORIGIN, 1, private.public_key().public_bytes_raw())
    held = Checkpoint(ORIGIN, size, root_hash(hashes, size))
    signature = key_id(log_key) + private.sign(held.text.encode())
    twice = Witness(ORIGIN, MLDSA44PrivateKey.from_seed_bytes(b"m" * 32))
    note = f"{held.text}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"
    note += twice.line(held) if log_signs_twice else ""
    known = witnesses()
    note += "".join(w.line(held) for w in known if w.name[-1] in signed_by)
    said = {"format": "onsil-receipt@v1", "commitment": commitment.hex()}
    if not bare:
        said |= {"content": content.decode(), "salt": SALT.hex()}
    if anchored is not None:
        said["anchor"] = {
            "place": f"evm:31337:{CONTRACT}", "size": anchored,
            "root": root_hash(hashes, anchored).hex(), "transaction": "0x" + "cd" * 32, "block": 7,
            "proof": [step.hex() for step in inclusion_proof(hashes, index, anchored)],
        }  # fmt: skip
    said |= extra or {}
    return Sample(
        write(said, index, inclusion_proof(hashes, index, size), note), log_key,
        twice.key, policy_of(log_key, known, quorum), held, known,
    )  # fmt: skip


def write(said: dict, index: int, path: list[bytes], note: str) -> str:
    """The text of a tlog-proof."""
    lines = ["c2sp.org/tlog-proof@v1", "extra " + base64.b64encode(canonical_bytes(said)).decode()]
    lines += [f"index {index}", *(base64.b64encode(step).decode() for step in path)]
    return "\n".join(lines) + "\n\n" + note
