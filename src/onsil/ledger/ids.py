"""Identifiers that ascend strictly, so that their order is the order of decision. Pure."""

from array import array
from collections.abc import Callable
from itertools import accumulate
from uuid import UUID, SafeUUID

_STEP_BITS = 32
_TAIL_BITS = 74  # the two random fields of a version-7 UUID, counted up within a millisecond
_LOW = (1 << 62) - 1
_blank, _set_number, _set_safety = object.__new__, UUID.int.__set__, UUID.is_safe.__set__


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
        return _uuid(self._number())

    def many(self, count: int) -> list[UUID]:
        """The next `count` ids: what as many calls would give, out of one draw of randomness."""
        if not count:
            return []
        drawn = self._random_bits(_STEP_BITS * count).to_bytes(_STEP_BITS // 8 * count, "little")
        steps = [1 + step for step in array("I", drawn)]
        end = self._tail + sum(steps)
        if end >> 62 == self._tail >> 62:  # the lower field bears it all, so plain sums will do
            numbers = list(accumulate(steps, initial=self._number()))
            self._tail = end
            return [_uuid(number) for number in numbers[1:]]
        return [self() for _ in steps]

    def _number(self) -> int:
        high, low = self._tail >> 62, self._tail & _LOW
        return self._ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low


def _uuid(number: int) -> UUID:
    """`UUID(int=number)` without its checks, which cost more than the rest of an id."""
    made = _blank(UUID)
    _set_number(made, number)
    _set_safety(made, SafeUUID.unknown)
    return made


def _parts(value: UUID) -> tuple[int, int]:
    number = value.int
    return number >> 80, (number >> 64 & 0xFFF) << 62 | number & _LOW
