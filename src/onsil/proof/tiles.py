"""A log's static files (c2sp.org/tlog-tiles): where each tile lies, and how a log grows.

Only what a checkpoint covers counts. Objects beyond it, left by a crash, are written over.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from onsil.core.refusal import OperationError
from onsil.proof.merkle import Hash, Hashes, fold, leaf_hash
from onsil.proof.store import LogStore

WIDTH = 256
_HEIGHT = 8
_ENTRY_BYTES_MAX = 0xFFFF


def index_path(number: int) -> str:
    """A tile's number as path elements of three digits, all but the last marked with x."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.insert(0, f"x{number % 1000:03d}")
    return "/".join(parts)


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Path below the log's prefix; `level` is a number or `entries`, a `width` < 256 is partial."""
    path = f"tile/{level}/{index_path(number)}"
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_width(level: int, number: int, size: int) -> int:
    """How many hashes the tile holds in a tree of `size` leaves: 0 (there is none) to 256."""
    return max(0, min(WIDTH, (size >> (_HEIGHT * level)) - number * WIDTH))


def bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle: each entry behind its length in two big-endian bytes.

    Raises ValueError for an entry of more than 65,535 bytes.
    """
    if any(len(entry) > _ENTRY_BYTES_MAX for entry in entries):
        raise ValueError(f"an entry has {_ENTRY_BYTES_MAX} bytes at most")
    return b"".join(struct.pack(">H", len(e)) + e for e in entries)


def unbundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle. Raises OperationError when it is cut."""
    entries, place = [], 0
    while place < len(raw):
        length = int.from_bytes(raw[place : place + 2], "big")
        entry = raw[place + 2 : place + 2 + length]
        if len(entry) != length or place + 2 > len(raw):
            raise OperationError("an entry bundle is cut short", retry=False)
        entries.append(entry)
        place += 2 + length
    return entries


@dataclass(frozen=True)
class Growth:
    """The objects by which a tree grows from one size to another, not written yet."""

    old_size: int
    size: int
    objects: Mapping[str, bytes]

    def packed(self) -> bytes:
        """All of it as one object."""
        parts = []
        for path, content in self.objects.items():
            name = path.encode()
            parts += [struct.pack(">HI", len(name), len(content)), name, content]
        return b"".join(parts)


def unpack_objects(raw: bytes) -> dict[str, bytes]:
    """The objects of a packed growth. Raises OperationError when it is cut."""
    objects, place = {}, 0
    while place < len(raw):
        if place + 6 > len(raw):
            raise OperationError("a staged growth is cut short", retry=False)
        name, length = struct.unpack_from(">HI", raw, place)
        start = place + 6 + name
        if start + length > len(raw):
            raise OperationError("a staged growth is cut short", retry=False)
        objects[raw[place + 6 : start].decode()] = raw[start : start + length]
        place = start + length
    return objects


class TiledLog:
    """One log in a store: `checkpoint`, `tile/<level>/…` and `tile/entries/…`."""

    def __init__(self, store: LogStore) -> None:
        self.store = store
        self._tile = lru_cache(maxsize=1024)(self._read_tile)
        self._planned: Mapping[str, bytes] = {}

    @property
    def place(self) -> str:
        """Where this is, for messages."""
        return self.store.place

    def text(self, path: str) -> str | None:
        """A small text such as `checkpoint` or `verifier-key`; None when there is none."""
        held = self.store.read(path)
        return held[0].decode("utf-8", "replace") if held else None

    def _read(self, level: int | str, number: int, width: int) -> bytes:
        for candidate in dict.fromkeys((tile_path(level, number, width), tile_path(level, number))):
            if candidate in self._planned:
                return self._planned[candidate]
            held = self.store.read(candidate)
            if held is not None:
                return held[0]
        missing = tile_path(level, number, width)
        raise OperationError(f"{self.place}: {missing} is missing", retry=False)

    def _read_tile(self, level: int, number: int, width: int) -> list[Hash]:
        raw = self._read(level, number, width)[: width * 32]
        if len(raw) != width * 32:
            name = tile_path(level, number, width)
            raise OperationError(f"{self.place}: {name} is cut short", retry=False)
        return [raw[i : i + 32] for i in range(0, len(raw), 32)]

    def tile(self, level: int, number: int, size: int) -> list[Hash]:
        """The hashes of one tile in the tree of `size`. Raises OperationError when damaged."""
        return self._tile(level, number, tile_width(level, number, size))

    def entries(self, number: int, size: int) -> list[bytes]:
        """The entries of one bundle in the tree of `size`."""
        width = tile_width(0, number, size)
        found = unbundle(self._read("entries", number, width))[:width]
        if len(found) != width:
            name = tile_path("entries", number, width)
            raise OperationError(f"{self.place}: {name} is cut short", retry=False)
        return found

    def entries_from(self, start: int, size: int) -> Iterator[bytes]:
        """Entries `start` up to `size`, one bundle in memory at a time."""
        for number in range(start // WIDTH, -(-size // WIDTH)):
            yield from self.entries(number, size)[max(0, start - number * WIDTH) :]

    def hashes(self, size: int) -> Hashes:
        """Subtree hashes of the tree of `size`, for proofs and roots."""

        def subtree(level: int, number: int) -> Hash:
            tile_level, height = divmod(level, _HEIGHT)
            first = number << height
            row = self.tile(tile_level, first // WIDTH, size)
            offset = first % WIDTH
            return fold(row[offset : offset + (1 << height)])

        return subtree

    def plan(self, size: int, entries: Sequence[bytes]) -> Growth:
        """What `entries` add to a tree of `size`. This log's hashes know it from now on."""
        objects = self._bundles(size, entries)
        level, fresh = 0, [leaf_hash(e) for e in entries]
        while fresh:
            done: list[Hash] = []
            number, width = divmod(size >> (_HEIGHT * level), WIDTH)
            row = [*self._tile(level, number, width), *fresh] if width else fresh
            for start in range(0, len(row), WIDTH):
                part = row[start : start + WIDTH]
                objects[tile_path(level, number + start // WIDTH, len(part))] = b"".join(part)
                if len(part) == WIDTH:
                    done.append(fold(part))
            level, fresh = level + 1, done
        self.lay_over(objects)
        return Growth(size, size + len(entries), objects)

    def _bundles(self, size: int, entries: Sequence[bytes]) -> dict[str, bytes]:
        number, width = divmod(size, WIDTH)
        row = [*(self.entries(number, size) if width else []), *entries]
        return {
            tile_path("entries", number + start // WIDTH, min(WIDTH, len(row) - start)): bundle(
                row[start : start + WIDTH]
            )
            for start in range(0, len(row), WIDTH)
        }

    def lay_over(self, objects: Mapping[str, bytes]) -> None:
        """Read these objects as if they were written already."""
        self._planned = objects
        self._tile.cache_clear()

    def write(self, objects: Mapping[str, bytes]) -> None:
        """Write planned objects; nothing of it counts before a checkpoint covers it."""
        self.store.write(objects)
        self.lay_over({})

    def grow(self, size: int, entries: Sequence[bytes]) -> int:
        """Plan and write in one step; the new size."""
        growth = self.plan(size, entries)
        self.write(growth.objects)
        return growth.size

    def tidy(self, old_size: int, new_size: int) -> None:
        """Drop partial tiles whose full tile is there now."""
        for level in ["entries", *range(8)]:
            height = 0 if level == "entries" else _HEIGHT * int(level)
            number = (old_size >> height) // WIDTH
            if (new_size >> height) // WIDTH == number:
                if level != "entries":
                    break
                continue
            if (old_size >> height) % WIDTH:
                self.store.discard(f"tile/{level}/{index_path(number)}.p")
