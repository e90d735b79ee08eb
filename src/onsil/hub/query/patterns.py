"""Regular expressions of queries: only those that PostgreSQL and Python read alike and match fast.

Queries write them as ECMAScript does (GS CIM 009 V1.9.1 §4.9). Refused are back references, repeats
within repeats and other forms whose matching could take exponential time, and what either engine
reads otherwise than the other.
"""

import re
import warnings
from functools import lru_cache
from re import _constants as sre  # pyright: ignore[reportAttributeAccessIssue]
from re import _parser as sre_parse  # pyright: ignore[reportAttributeAccessIssue]
from typing import Any

from onsil.hub.query.scanner import QueryError

PATTERN_MAX = 200
_UNBOUNDED_MAX = 3  # each multiplies the worst case by the text's length
_STATES_MAX = 2000
_COUNT_MAX = 255  # PostgreSQL's
_REFUSED = ("\\A", "\\Z", "[[", "[:", "[.", "[=", "***", "(?#", "\0")


@lru_cache(maxsize=512)
def checked_pattern(pattern: str) -> str:
    """The pattern, found to be safe. Raises QueryError."""
    if len(pattern) > PATTERN_MAX:
        raise QueryError(f"the pattern is longer than {PATTERN_MAX} characters")
    if any(part in pattern for part in _REFUSED):
        raise QueryError(f"the pattern {pattern!r} has a form that is not taken")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = sre_parse.parse(pattern)
    except (re.error, RecursionError, OverflowError, FutureWarning, DeprecationWarning) as error:
        raise QueryError(f"not a pattern: {error}") from error
    if tree.state.flags & ~(re.UNICODE | re.IGNORECASE):
        raise QueryError("of a pattern's inline flags only (?i) is taken")
    unbounded, states = _weigh(tree, repeated=False)
    if unbounded > _UNBOUNDED_MAX:
        raise QueryError(f"a pattern may have up to {_UNBOUNDED_MAX} of `*` and `+`")
    if states > _STATES_MAX:
        raise QueryError("the pattern's counted repeats are too large")
    return pattern


def _weigh(parts: Any, *, repeated: bool) -> tuple[int, int]:
    """How many unbounded repeats and how many states a pattern has. Raises QueryError."""
    unbounded = states = 0
    for kind, given in parts:
        inner, times = [], 1
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, body = given
            endless = high is sre.MAXREPEAT
            if repeated and high > 1:
                raise QueryError("a pattern with repeats inside of repeats is not taken")
            if (not endless and high > _COUNT_MAX) or low > _COUNT_MAX:
                raise QueryError(f"a pattern's repeats count to {_COUNT_MAX} at most")
            unbounded += endless
            times = max(low, 1) if endless else high
            inner = [(body, repeated or endless or high > 1)]
        elif kind is sre.SUBPATTERN:
            if given[1] or given[2]:
                raise QueryError("flags inside of a pattern are not taken")
            inner = [(given[3], repeated)]
        elif kind is sre.BRANCH:
            if repeated and not _distinct(given[1]):
                raise QueryError("repeated alternatives of a pattern must begin differently")
            inner = [(branch, repeated) for branch in given[1]]
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            if given[0] < 0:
                raise QueryError("a pattern that looks behind is not taken")
            inner = [(given[1], repeated)]
        elif kind not in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT):
            raise QueryError("patterns with back references or conditions are not taken")
        here = 1
        for body, again in inner:
            more, size = _weigh(body, repeated=again)
            unbounded += more
            here += size
        states += here * times
    return unbounded, states


def _distinct(branches: list[Any]) -> bool:
    """Whether each alternative begins with a literal of its own."""
    firsts = [branch[0] for branch in branches if len(branch)]
    letters = {given for kind, given in firsts if kind is sre.LITERAL}
    return len(letters) == len(branches)


def postgres_pattern(pattern: str) -> str:
    """A checked pattern as PostgreSQL's regular expressions write it: `\\b` is `\\y` there."""
    return re.sub(
        r"\\(.)", lambda m: {"b": r"\y", "B": r"\Y"}.get(m[1], m[0]), pattern, flags=re.DOTALL
    )


@lru_cache(maxsize=512)
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """A checked pattern for matching in memory, as PostgreSQL matches it."""
    # A dollar is the very end there, not the place before a last line feed.
    strict = re.sub(r"\\.|\$", lambda m: r"\Z" if m[0] == "$" else m[0], pattern, flags=re.DOTALL)
    if re.search(r"\[[^\]]*\$", pattern):
        strict = pattern
    return re.compile(strict, re.DOTALL)
