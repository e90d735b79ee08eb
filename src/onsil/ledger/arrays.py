"""Array literals: the cheapest way to hand many rows to PostgreSQL. Pure.

Numbers, ids and instants are spelled alike in a JSON array and in an array literal, but for the
brackets, and orjson spells them several times faster than Python.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson


def _spelled(values: Sequence[Any]) -> str:
    return "{" + orjson.dumps(values)[1:-1].decode() + "}"


def numbers(values: Iterable[int]) -> str:
    """An array literal of numbers or booleans. Raises TypeError beyond 64 bits."""
    return _spelled([*values])


def uuids(values: Iterable[UUID]) -> str:
    """An array literal of ids."""
    return _spelled([*values])


def optional_uuids(values: Sequence[UUID | None]) -> str:
    """The same with None as NULL; an empty array when all are None, for `unnest` fills up."""
    return _spelled(values) if any(values) else "{}"


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


def figures(values: Sequence[Sequence[Any]]) -> str:
    """An array literal of JSON texts, each of a list that holds but numbers, nulls and such lists,
    so that there is nothing to escape."""
    if not values:
        return "{}"
    return '{"' + b'","'.join(map(orjson.dumps, values)).decode() + '"}'


def hexes(values: Iterable[bytes]) -> str:
    """An array literal of bytes."""
    return "{" + ",".join(['"\\\\x' + v.hex() + '"' for v in values]) + "}"


def moments(values: Sequence[datetime | None]) -> str:
    """An array literal of instants, with None as NULL; an empty array when all are None."""
    return _spelled(values) if any(values) else "{}"
