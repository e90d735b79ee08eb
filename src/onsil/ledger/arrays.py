"""Array literals: the cheapest way to hand many rows to PostgreSQL. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

_moment = lru_cache(maxsize=4096)(datetime.isoformat)


def numbers(values: Iterable[int | None]) -> str:
    """An array literal of numbers, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else str(v) for v in values]) + "}"


def uuids(values: Iterable[UUID | None]) -> str:
    """An array literal of ids, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else f"{v.int:032x}" for v in values]) + "}"


def texts(values: Sequence[str]) -> str:
    """An array literal of any texts."""
    if not values:
        return "{}"
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join([v.replace("\\", "\\\\").replace('"', '\\"') for v in values])
    return '{"' + joined + '"}'


def optional_texts(values: Sequence[str | None]) -> str:
    """An array literal of texts, with None as NULL; an empty array when all are None, for `unnest`
    fills up with NULL."""
    there = [v for v in values if v is not None]
    if len(there) == len(values):
        return texts(there)
    if not there:
        return "{}"
    return "{" + ",".join(["NULL" if v is None else texts([v])[1:-1] for v in values]) + "}"


def hexes(values: Iterable[bytes]) -> str:
    """An array literal of bytes."""
    return "{" + ",".join(['"\\\\x' + v.hex() + '"' for v in values]) + "}"


def moments(values: Iterable[datetime | None]) -> str:
    """An array literal of instants, with None as NULL."""
    return "{" + ",".join(["NULL" if v is None else f'"{_moment(v)}"' for v in values]) + "}"
