"""Ordering entities (GS CIM 009 V1.9.1 §4.23): `orderBy=name;desc,location;dist-asc`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from onsil.hub.contexts import CORE, Context
from onsil.hub.query.geo import read_geometry
from onsil.hub.query.q import META, SYSTEM, Path
from onsil.hub.query.scanner import QueryError, Scanner

MEMBERS = ("id", "type", "scope")
DIRECTIONS = ("asc", "desc", "dist-asc", "dist-desc")
KEYS_MAX = 8
# Unicode's own order for every language; other languages' own are not offered.
COLLATIONS = ("und",)
_NAME = r"[^\s;,|()=!<>~\"\[\]{}]+"


@dataclass(frozen=True)
class Key:
    """One criterion: an entity's member or an attribute's path; by value or by distance."""

    path: Path
    descending: bool = False
    by_distance: bool = False


@dataclass(frozen=True)
class Ordering:
    """Criteria, the first one first; texts by code point unless there is a collation."""

    keys: tuple[Key, ...]
    collation: str = ""
    reference: BaseGeometry | None = None

    @property
    def in_memory(self) -> bool:
        """Whether it takes more than the database knows."""
        return bool(self.collation) or any(key.by_distance for key in self.keys)


def read_ordering(
    texts: Sequence[str],
    context: Context = CORE,
    *,
    collation: str = "",
    coordinates: Any = None,
    geometry: Any = None,
) -> Ordering:
    """An Ordering from `orderBy`'s parts. Raises QueryError.

    `coordinates`, with `geometry` (default Point), are what distances are measured from.
    """
    if collation and collation not in COLLATIONS:
        raise QueryError(f"collation {collation[:40]!r} is not offered; there is 'und'")
    if geometry is not None and not isinstance(geometry, str):
        raise QueryError("the ordering's geometry is a text")
    if coordinates is not None and not isinstance(coordinates, list):
        raise QueryError("the ordering's coordinates are a list")
    keys = tuple(_key(text, context) for text in texts)
    if not 0 < len(keys) <= KEYS_MAX:
        raise QueryError(f"orderBy has 1 to {KEYS_MAX} parts")
    reference = None
    if any(key.by_distance for key in keys):
        if coordinates is None:
            raise QueryError("ordering by distance needs coordinates to measure from (orderFrom)")
        reference = read_geometry({"type": geometry or "Point", "coordinates": coordinates})
    return Ordering(keys, collation, reference)


def _key(text: str, context: Context) -> Key:
    scanner = Scanner(text, "orderBy")
    found = scanner.match(_NAME)
    if found is None:
        raise scanner.error("an attribute's name is wanted")
    names = [found[0]] if "://" in found[0] else found[0].split(".")
    member: list[str] = []
    while scanner.take("["):
        inside = scanner.match(r"[^\]\[;,\"]+")
        member += (inside[0] if inside else "").split(".")
        scanner.expect("]", "a square bracket is not closed")
    direction = "asc"
    if scanner.take(";"):
        word = scanner.match(r"[a-z-]+")
        direction = word[0] if word else ""
        if direction not in DIRECTIONS:
            raise scanner.error(f"an order is one of {', '.join(DIRECTIONS)}")
    scanner.end()
    if not all(names) or not all(member):
        raise scanner.error("a name is missing", 0)
    head = names[0] if names[0] in (*MEMBERS, *SYSTEM) else context.iri(names[0])
    inner = tuple(n if n in META else context.iri(n) for n in names[1:])
    return Key(
        Path(head, inner, tuple(member)), direction.endswith("desc"), direction.startswith("dist")
    )
