"""Aggregating values by buckets: every method of GS CIM 009 V1.9.1 §4.5.19.1, as pure functions.

Numbers travel as vectors; other values one by one, since they are few.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson

METHODS = ("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq")
# What an hour's roll-up can tell without its points.
FROM_ROLLUPS = frozenset({"totalCount", "sum", "avg", "min", "max"})

Answers = dict[int, Any]


class Parts(NamedTuple):
    """Sums of some of a series' points, bucket by bucket; vectors of one length."""

    place: np.ndarray
    count: np.ndarray
    total: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray


def parts_of(place: np.ndarray, values: np.ndarray) -> Parts:
    """Each value as a part of its own."""
    return Parts(place, np.ones(len(place), np.int64), values, values, values)


def from_parts(methods: Iterable[str], parts: Sequence[Parts]) -> dict[str, Answers]:
    """What sums can tell (see FROM_ROLLUPS), by bucket; empty buckets are left out."""
    whole = Parts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    found, inverse = np.unique(whole.place, return_inverse=True)
    count = np.zeros(len(found), np.int64)
    np.add.at(count, inverse, whole.count)
    total = np.bincount(inverse, whole.total, len(found))
    minimum = np.full(len(found), np.inf)
    np.minimum.at(minimum, inverse, whole.minimum)
    maximum = np.full(len(found), -np.inf)
    np.maximum.at(maximum, inverse, whole.maximum)
    made = {
        "totalCount": count, "sum": total, "avg": total / np.maximum(count, 1), "min": minimum,
        "max": maximum,
    }  # fmt: skip
    keys = found.tolist()
    return {m: dict(zip(keys, made[m].tolist(), strict=True)) for m in methods}


def from_numbers(
    methods: Iterable[str], place: np.ndarray, values: np.ndarray
) -> dict[str, Answers]:
    """Every method over numbers, by bucket."""
    methods = list(methods)
    answers = from_parts(
        [m for m in methods if m in FROM_ROLLUPS], [parts_of(place, values)]
    )  # fmt: skip
    rest = [m for m in methods if m not in FROM_ROLLUPS]
    if rest:
        order = np.argsort(place, kind="stable")
        keys, firsts = np.unique(place[order], return_index=True)
        groups = np.split(values[order], firsts[1:])
        for method in rest:
            decide = _OVER_NUMBERS[method]
            answers[method] = {
                int(key): decide(group) for key, group in zip(keys, groups, strict=True)
            }
    return {method: answers[method] for method in methods}


def _stddev(values: np.ndarray) -> float:
    """The population's standard deviation, about the mean."""
    return float(np.std(values))


_OVER_NUMBERS: dict[str, Callable[[np.ndarray], Any]] = {
    "distinctCount": lambda values: len(np.unique(values)),
    "stddev": _stddev,
    "sumsq": lambda values: float(np.dot(values, values)),
}


def from_values(
    methods: Iterable[str], kind: str, place: Sequence[int], values: Sequence[Any]
) -> dict[str, Answers]:
    """Methods over values that are not all numbers; those that do not apply are left out.

    `kind` is the attribute's: of Relationships only the counts are known.
    """
    grouped: dict[int, list[Any]] = {}
    for where, value in zip(place, values, strict=True):
        grouped.setdefault(where, []).append(value)
    made: dict[str, Answers] = {}
    for method in methods:
        answers = {where: _over(method, kind, group) for where, group in grouped.items()}
        answers = {where: value for where, value in answers.items() if value is not None}
        if answers:
            made[method] = answers
    return made


def _over(method: str, kind: str, values: list[Any]) -> Any:
    if method == "totalCount":
        return len(values)
    if method == "distinctCount":
        return len({orjson.dumps(v, option=orjson.OPT_SORT_KEYS) for v in values})
    if kind != "Property":
        return None
    if all(isinstance(value, str) for value in values):
        return {"min": min, "max": max}[method](values) if method in ("min", "max") else None
    numbers = [as_number(value) for value in values]
    if any(number is None for number in numbers):
        return None
    vector = np.array(numbers, np.float64)
    return from_numbers([method], np.zeros(len(vector), np.int64), vector)[method][0]


def as_number(value: Any) -> float | None:
    """A value as the number that is aggregated: itself, 1 for true, an array's size."""
    if isinstance(value, list):
        return float(len(value))
    if isinstance(value, int | float):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def triples(
    answers: Mapping[str, Answers], edges: Sequence[str]
) -> dict[str, list[tuple[Any, str, str]]]:
    """`[value, start, end]` for each method, in order of time; `edges` are the buckets' times."""
    return {
        method: [(by_bucket[n], edges[n], edges[n + 1]) for n in sorted(by_bucket)]
        for method, by_bucket in answers.items()
    }
