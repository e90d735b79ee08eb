"""Canonical bytes: RFC 8785 JSON in which every number that counts is a decimal string."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import rfc8785


def decimal_text(value: Decimal) -> str:
    """The one spelling of a decimal: plain notation, no exponent, no trailing zeros, no minus zero.

    Raises ValueError when the value is not finite.
    """
    if not value.is_finite():
        raise ValueError(f"not a finite decimal: {value}")
    if value == 0:
        return "0"
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def instant_text(value: datetime) -> str:
    """An aware instant as RFC 3339 in UTC with microseconds only where there are any."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone has no canonical form")
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text + "Z"


def plain(value: Any) -> Any:
    """Turn domain values into JSON values: Decimal, UUID, times and bytes become strings.

    Raises TypeError for floats, which have no place in what is hashed, and for unknown types.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    raise TypeError(f"no canonical form for {type(value).__name__}")


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 bytes of a domain value (see `plain`)."""
    made = plain(value)
    if _plainly_keyed(made):
        try:
            return orjson.dumps(made, option=orjson.OPT_SORT_KEYS)
        except TypeError:  # half a surrogate pair, deep nesting: the other one says what is wrong
            pass
    return rfc8785.dumps(made)


def _plainly_keyed(value: Any) -> bool:
    """Whether all keys are ASCII, whose order no encoding changes: a compiled writer will do.

    Without floats and with safe integers alone (see `plain`), its bytes are those of RFC 8785.
    """
    if isinstance(value, dict):
        return all(key.isascii() for key in value) and all(map(_plainly_keyed, value.values()))
    return all(map(_plainly_keyed, value)) if isinstance(value, list) else True


def digest(value: Any) -> str:
    """SHA-256 of the canonical bytes, in lower-case hex."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()
