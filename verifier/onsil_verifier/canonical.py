"""Canonical JSON: RFC 8785 with decimals as strings."""

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any


def plain_decimal(number: Decimal) -> str:
    """Plain notation: no exponent, no trailing zeros after the point, no minus zero."""
    if number.is_zero():
        return "0"
    digits = f"{number:f}"
    if "." in digits:
        whole, _, part = digits.partition(".")
        part = part.rstrip("0")
        digits = f"{whole}.{part}" if part else whole
    return digits


def instant(at: datetime) -> str:
    """RFC 3339 in UTC with Z, microseconds only where there are any."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def to_json(value: Any) -> Any:
    """Values of the calculation as JSON values."""
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _order(name: str) -> bytes:
    return name.encode("utf-16-be")


def _write(value: Any) -> str:
    if isinstance(value, dict):
        inner = ",".join(
            f"{_text(name)}:{_write(value[name])}" for name in sorted(value, key=_order)
        )
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"{value!r} has no place in canonical JSON")


def _text(text: str) -> str:
    """RFC 8785 3.2.2.2: as ECMAScript writes strings."""
    return json.dumps(text, ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value of the calculation, or of parsed JSON."""
    return _write(to_json(value)).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
