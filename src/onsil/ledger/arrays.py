"""Array literals: the cheapest way to hand many rows to PostgreSQL. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

_moment = lru_cache(maxsize=4096)(datetime.isoformat)


def numbers(values: Iterable[int]) -> str:
    """An array literal of numbers or booleans."""
    return "{" + ",".join(map(str, values)) + "}"


def uuids(values: Iterable[UUID]) -> str:
    """An array literal of ids."""
    return "{" + ",".join([f"{v.int:032x}" for v in values]) + "}"


def optional_uuids(values: Sequence[UUID | None]) -> str:
    """The same with None as NULL; an empty array when all are None, for `unnest` fills up."""
    if not any(values):
        return "{}"
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


def moments(values: Sequence[datetime | None]) -> str:
    """An array literal of instants, with None as NULL; an empty array when all are None."""
    if not any(values):
        return "{}"
    return "{" + ",".join(["NULL" if v is None else f'"{_moment(v)}"' for v in values]) + "}"
