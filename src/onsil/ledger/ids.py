"""Identifiers that ascend strictly, so that their order is the order of decision. Pure."""

from collections.abc import Callable
from uuid import UUID, SafeUUID

_STEP_BITS = 32
_TAIL_BITS = 74  # the two random fields of a version-7 UUID, counted up within a millisecond
_LOW = (1 << 62) - 1
_blank, _set = object.__new__, object.__setattr__


class AscendingIds:
    """UUIDv7s above `last`, even when the clock has gone back (RFC 9562 §6.2, method 2).

    `random_bits(n)` is the source of randomness.
    """

    def __init__(self, last: UUID | None, unix_ms: int, random_bits: Callable[[int], int]) -> None:
        self._random_bits = random_bits
        last_ms, tail = _parts(last) if last is not None else (-1, 0)
        if unix_ms > last_ms:
            self._ms, self._tail = unix_ms, random_bits(_TAIL_BITS - 2)
        else:
            self._ms, self._tail = last_ms, tail

    def __call__(self) -> UUID:
        self._tail += 1 + self._random_bits(_STEP_BITS)
        if self._tail >> _TAIL_BITS:
            self._ms, self._tail = self._ms + 1, self._random_bits(_STEP_BITS)
        high, low = self._tail >> 62, self._tail & _LOW
        return _uuid(self._ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def _uuid(number: int) -> UUID:
    """`UUID(int=number)` without its checks, which cost more than the rest of an id."""
    made = _blank(UUID)
    _set(made, "int", number)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


def _parts(value: UUID) -> tuple[int, int]:
    number = value.int
    return number >> 80, (number >> 64 & 0xFFF) << 62 | number & _LOW
