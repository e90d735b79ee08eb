"""Published worked figures, redone: many printed numbers are wrong, and we say which."""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from math import prod

from onsil.footprint.factors.library import data_text


@dataclass(frozen=True)
class Example:
    """A published figure and the verdict we came to. Amounts are decimals as printed.

    The figure is the sum of `terms` (each a product; none = 1) times all of `multiply` over all of
    `divide`; `rounded_multiply` is the product with the constant that the publisher rounded.
    """

    id: str
    source: str
    terms: tuple[tuple[Decimal, ...], ...]
    multiply: tuple[Decimal, ...]
    divide: tuple[Decimal, ...]
    rounded_multiply: tuple[Decimal, ...]
    printed: Decimal
    verdict: str


@cache
def published_examples() -> tuple[Example, ...]:
    def numbers(table: dict[str, list[str]], name: str) -> tuple[Decimal, ...]:
        return tuple(Decimal(text) for text in table.get(name, []))

    tables = tomllib.loads(data_text("published_examples.toml"))["example"]
    return tuple(
        Example(
            t["id"], t["source"],
            tuple(tuple(Decimal(n) for n in term) for term in t.get("terms", [])),
            numbers(t, "multiply"), numbers(t, "divide"),
            numbers(t, "rounded_multiply"), Decimal(t["printed"]), t["verdict"],
        )
        for t in tables
    )  # fmt: skip


def recalculate(example: Example) -> tuple[Decimal, str]:
    """Our figure at the printed precision, and the verdict it leads to."""
    summed = sum((prod(term) for term in example.terms), Decimal(0)) if example.terms else 1
    ours = summed * prod(example.multiply) / prod(example.divide, start=Decimal(1))
    shown = Decimal(ours).quantize(example.printed)
    if shown == example.printed:
        return shown, "match"
    if example.rounded_multiply:
        rounded = Decimal(prod(example.rounded_multiply)).quantize(example.printed)
        if rounded == example.printed:
            return shown, "match-if-rounded-constant"
    return shown, "publisher-error"
