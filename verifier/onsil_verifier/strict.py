"""Reading texts in one way only: what this form of evidence does not write, it does not hold."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Malformed(ValueError):
    """A text that is not written as the page on bundles says."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Malformed("a name stands twice in one object")
    return made


def _never(text: str) -> Any:
    raise Malformed(f"the number {text} is not written as a text")


def _whole(text: str) -> int:
    if len(text) > 16 or text == "-0":
        raise Malformed(f"{text[:20]} is no count")
    return int(text)


def loads(data: bytes) -> Any:
    """JSON without doubled names, without fractions and exponents, without NaN."""
    return json.loads(
        data.decode("utf-8"), object_pairs_hook=_once, parse_float=_never, parse_constant=_never,
        parse_int=_whole,
    )  # fmt: skip


def number(text: Any) -> Decimal:
    """A decimal in plain notation, as canonical texts have it."""
    if not isinstance(text, str) or _NUMBER.fullmatch(text) is None or text == "-0":
        raise Malformed(f"{text!r:.60} is no plain decimal")
    return Decimal(text)


def instant(text: Any) -> datetime:
    if not isinstance(text, str) or _INSTANT.fullmatch(text) is None:
        raise Malformed(f"{text!r:.60} is no instant")
    return datetime.fromisoformat(text)


def day(text: Any) -> date:
    if not isinstance(text, str) or _DAY.fullmatch(text) is None:
        raise Malformed(f"{text!r:.60} is no day")
    return date.fromisoformat(text)
