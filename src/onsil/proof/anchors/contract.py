"""The anchor contract as it is shipped: its interface, its bytes, and the names of logs in it."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("OnsilAnchor.vy")
ARTIFACT = SOURCE.with_suffix(".json")
SIZE_MAX = 2**64 - 1


@dataclass(frozen=True)
class Artifact:
    """What a deployment needs (`abi`, `bytecode`) and leaves on the chain (`runtime`)."""

    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime: bytes


@cache
def artifact() -> Artifact:
    """The compiled contract beside this module."""
    table = json.loads(ARTIFACT.read_text("utf-8"))
    bytecode, runtime = (bytes.fromhex(table[name][2:]) for name in ("bytecode", "runtime"))
    return Artifact(table["abi"], bytecode, runtime)


def origin_hash(origin: str) -> bytes:
    """A log's name in the contract: SHA-256 of its checkpoints' origin line."""
    return sha256(origin.encode()).digest()


@dataclass(frozen=True)
class Head:
    """A tree head in the contract, as it was recorded; `timestamp` 0: there is none."""

    size: int
    root: bytes
    index: int
    previous: int
    block_number: int
    timestamp: int
