"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that keys sort by the time they were made."""

import os
import time
from typing import Protocol
from uuid import UUID


class IdSource(Protocol):
    """Where new identifiers come from; tests and simulations inject their own."""

    def __call__(self) -> UUID: ...


def uuid7(unix_ms: int, random: bytes) -> UUID:
    """Assemble a version-7 UUID from a Unix time in milliseconds and ten random bytes."""
    assert len(random) == 10
    value = (unix_ms & (1 << 48) - 1) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def new_id() -> UUID:
    """A fresh UUIDv7 from the system's time and randomness."""
    return uuid7(time.time_ns() // 1_000_000, os.urandom(10))
