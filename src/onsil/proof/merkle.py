"""The Merkle tree of RFC 6962 §2.1 over SHA-256: roots, proofs and their verification. Pure.

A tree is known by a `Hashes` function, `subtree(level, number)`: the hash over the
2**level leaves that start at number * 2**level, complete subtrees only. Proofs are put together
from such hashes, whether they come from memory or from tiles.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Hash = bytes
Hashes = Callable[[int, int], Hash]

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> Hash:
    """Hash of one leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[Hash]) -> Hash:
    """The hash of the complete subtree over a power of two of hashes."""
    assert hashes, "a subtree has at least one hash"
    assert len(hashes) & (len(hashes) - 1) == 0, "a complete subtree has 2**n hashes"
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


class Frontier:
    """The right edge of a growing tree: a root in memory of log2(size) hashes."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, Hash]] = []  # (level, hash), widest first

    def add(self, leaf: Hash) -> None:
        """Append the hash of one leaf."""
        level = 0
        while self._peaks and self._peaks[-1][0] == level:
            leaf = node_hash(self._peaks.pop()[1], leaf)
            level += 1
        self._peaks.append((level, leaf))
        self.size += 1

    def root(self) -> Hash:
        """The RFC 6962 root over all leaves so far."""
        return _join([peak for _, peak in self._peaks])


def _join(peaks: Sequence[Hash]) -> Hash:
    """Bag complete subtrees, widest first, from the right."""
    if not peaks:
        return EMPTY_ROOT
    value = peaks[-1]
    for peak in reversed(peaks[:-1]):
        value = node_hash(peak, value)
    return value


def tree(leaves: Iterable[Hash]) -> Hashes:
    """`Hashes` of a tree in memory; for tests and small trees."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        rows.append([node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])

    def subtree(level: int, number: int) -> Hash:
        return rows[level][number]

    return subtree


def range_hash(hashes: Hashes, start: int, end: int) -> Hash:
    """MTH(D[start:end]) where `start` is where the recursive split of RFC 6962 puts it."""
    assert start < end
    peaks = []
    while start < end:
        span = end - start
        level = span.bit_length() - 1
        peaks.append(hashes(level, start >> level))
        start += 1 << level
    return _join(peaks)


def root_hash(hashes: Hashes, size: int) -> Hash:
    """The root of the tree's first `size` leaves."""
    return range_hash(hashes, 0, size) if size else EMPTY_ROOT


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(hashes: Hashes, index: int, size: int) -> list[Hash]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1, from the leaf's sibling up.

    Raises ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path: list[Hash] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(hashes, middle, end))
            end = middle
        else:
            path.append(range_hash(hashes, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(hashes: Hashes, first: int, second: int) -> list[Hash]:
    """PROOF(first, D[second]) of RFC 6962 §2.1.2.

    Raises ValueError unless 0 <= first <= second.
    """
    if not 0 <= first <= second:
        raise ValueError(f"no proof from {first} to {second}")
    if first in (0, second):
        return []
    path: list[Hash] = []
    start, end, whole = 0, second, True
    while end > first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(range_hash(hashes, middle, end))
            end = middle
        else:
            path.append(range_hash(hashes, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(hashes, start, end))
    return path[::-1]


def verify_inclusion(leaf: Hash, index: int, size: int, proof: Sequence[Hash], root: Hash) -> bool:
    """Whether `proof` shows `leaf` at `index` of the tree of `size` (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            value = node_hash(step, value)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            value = node_hash(value, step)
        place >>= 1
        last >>= 1
    return last == 0 and value == root


def verify_consistency(
    first: int, second: int, first_root: Hash, second_root: Hash, proof: Sequence[Hash]
) -> bool:
    """Whether `proof` shows that the second tree extends the first (RFC 9162 §2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root == EMPTY_ROOT
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old = new = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        place >>= 1
        last >>= 1
    return last == 0 and old == first_root and new == second_root
