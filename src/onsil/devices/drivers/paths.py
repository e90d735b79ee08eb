"""Paths into JSON: `data.items[*]`, `station['id.short']`, `values[0].v`; no more of JSONPath."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from onsil.core.refusal import OperationError

_STEP = re.compile(r"\.?([^.\[\]'\"]+)|\[(\d+)\]|\[(\*)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]")
EVERY = object()
PATH_MAX = 200


@cache
def steps(path: str) -> tuple[Any, ...]:
    """A path taken apart: names, places, EVERY. Raises OperationError for what is none."""
    text = path.removeprefix("$")
    if len(text) > PATH_MAX:
        raise OperationError(f"the path {path[:40]!r} is too long", retry=False)
    made: list[Any] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if not found or found.end() == at:
            raise OperationError(
                f"not a path: {path[:60]!r} (at {text[at : at + 10]!r})", retry=False
            )
        name, place, every, single, double = found.groups()
        if name is not None:
            made.append(name)
        elif place is not None:
            made.append(int(place))
        else:
            made.append(EVERY if every else single if single is not None else double)
        at = found.end()
    return tuple(made)


def every(body: Any, path: str) -> Iterator[Any]:
    """All that a path leads to, in order; nothing where it leads nowhere."""
    yield from _walk(body, steps(path))


def first(body: Any, path: str) -> Any:
    """The first thing a path leads to, or None."""
    return next(every(body, path), None)


def _walk(body: Any, rest: tuple[Any, ...]) -> Iterator[Any]:
    if not rest:
        yield body
        return
    step, rest = rest[0], rest[1:]
    if step is EVERY:
        for one in (
            body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
        ):
            yield from _walk(one, rest)
    elif isinstance(step, int):
        if isinstance(body, list) and step < len(body):
            yield from _walk(body[step], rest)
    elif isinstance(body, dict) and step in body:
        yield from _walk(body[step], rest)
