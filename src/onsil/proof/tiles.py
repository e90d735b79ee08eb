"""A log's static files (c2sp.org/tlog-tiles): where each tile lies, and how a folder grows.

Only what the checkpoint covers counts. Files beyond it, left by a crash, are written over.
"""

import os
import shutil
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from onsil.core.refusal import OperationError
from onsil.proof.merkle import Hash, Hashes, fold, leaf_hash

WIDTH = 256
_HEIGHT = 8


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
    """An entry bundle: each entry behind its length in two big-endian bytes."""
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


class LogFolder:
    """One log on disk: `checkpoint`, `tile/<level>/…` and `tile/entries/…` below `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tile = lru_cache(maxsize=1024)(self._read_tile)

    def note(self) -> str | None:
        """The signed checkpoint's text, or None for a log that has none yet."""
        try:
            return (self.path / "checkpoint").read_text("utf-8")
        except FileNotFoundError:
            return None

    def _read(self, level: int | str, number: int, width: int) -> bytes:
        for candidate in (tile_path(level, number, width), tile_path(level, number)):
            try:
                return (self.path / candidate).read_bytes()
            except FileNotFoundError:
                continue
        missing = tile_path(level, number, width)
        raise OperationError(f"{self.path}: {missing} is missing", retry=False)

    def _read_tile(self, level: int, number: int, width: int) -> list[Hash]:
        raw = self._read(level, number, width)[: width * 32]
        if len(raw) != width * 32:
            name = tile_path(level, number, width)
            raise OperationError(f"{self.path}: {name} is cut short", retry=False)
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
            raise OperationError(f"{self.path}: {name} is cut short", retry=False)
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

    def grow(self, size: int, entries: Sequence[bytes]) -> int:
        """Write the tiles and bundles that `entries` add to a tree of `size`; the new size.

        Everything is on the disk when this returns, and nothing of it counts before a checkpoint
        covers it (`publish`).
        """
        new_size = size + len(entries)
        folders: set[Path] = set()
        self._extend_bundles(size, entries, folders)
        level, fresh = 0, [leaf_hash(e) for e in entries]
        while fresh:
            done: list[Hash] = []
            count = size >> (_HEIGHT * level)
            number = count // WIDTH
            width = count % WIDTH
            row = [*self._tile(level, number, width), *fresh] if width else fresh
            for start in range(0, len(row), WIDTH):
                part = row[start : start + WIDTH]
                path = tile_path(level, number + start // WIDTH, len(part))
                _write(self.path / path, b"".join(part), folders)
                if len(part) == WIDTH:
                    done.append(fold(part))
            level, fresh = level + 1, done
        for folder in sorted(folders, reverse=True):
            _sync_folder(folder)
        self._tile.cache_clear()
        return new_size

    def _extend_bundles(self, size: int, entries: Sequence[bytes], folders: set[Path]) -> None:
        width = size % WIDTH
        row = self.entries(size // WIDTH, size) if width else []
        row.extend(entries)
        for start in range(0, len(row), WIDTH):
            part = row[start : start + WIDTH]
            path = tile_path("entries", size // WIDTH + start // WIDTH, len(part))
            _write(self.path / path, bundle(part), folders)

    def publish(self, note: str, verifier_key: str) -> None:
        """Put the signed checkpoint in place of the one before, atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        folders: set[Path] = set()
        key = self.path / "verifier-key"
        if not key.exists():
            _write(key, f"{verifier_key}\n".encode(), folders)
        _write(self.path / "checkpoint", note.encode(), folders)
        for folder in sorted(folders, reverse=True):
            _sync_folder(folder)

    def tidy(self, old_size: int, new_size: int) -> None:
        """Drop partial tiles whose full tile is there now."""
        for level in ["entries", *range(8)]:
            height = 0 if level == "entries" else _HEIGHT * int(level)
            number = (old_size >> height) // WIDTH
            if (new_size >> height) // WIDTH == number:
                if level != "entries":
                    break
                continue
            shutil.rmtree(self.path / f"tile/{level}/{index_path(number)}.p", ignore_errors=True)


def _write(path: Path, content: bytes, folders: set[Path]) -> None:
    """Write a file whole or not at all, and remember the folders to be synchronised."""
    missing = path.parent
    while not missing.exists():
        folders.add(missing.parent)
        missing = missing.parent
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.new")
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    folders.add(path.parent)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
