"""What credits may bring over the years, along stated price paths; and the same tonne sold twice.

A projection is arithmetic on assumptions, and says so: yearly tonnes times a year's price, summed.
Before any sum it asks whether two streams sell the same tonnes. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext
from itertools import combinations

from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC


@dataclass(frozen=True)
class PricePath:
    """A price in KRW a tonne in the first year, and its growth in per cent a year."""

    code: str
    first_krw: Decimal
    growth_pct: Decimal = Decimal(0)

    def price(self, years_on: int) -> Decimal:
        return self.first_krw * (1 + self.growth_pct / 100) ** years_on


@dataclass(frozen=True)
class Stream:
    """Tonnes a year that one programme sells, from a year on for so many years.

    `sources` names what the tonnes come from (project codes, or meters); two streams that share a
    source in the same year sell the same tonnes unless their shares of it, in ten-thousandths
    [from, to), stay apart.
    """

    code: str
    programme: str
    first_year: int
    years: int
    tonnes: Decimal
    sources: Mapping[str, tuple[int, int]]
    paths: tuple[PricePath, ...]

    @property
    def last_year(self) -> int:
        return self.first_year + self.years - 1


@dataclass(frozen=True)
class DoubleSale:
    """The same source sold by two streams: whose, which, and in which years."""

    first: str
    second: str
    source: str
    from_year: int
    to_year: int


@dataclass(frozen=True)
class Projection:
    """Won by path and year, and in all; whole won, floored once at the end of each year."""

    stream: str
    path: str
    by_year: Mapping[int, int]

    @property
    def total_krw(self) -> int:
        return sum(self.by_year.values())


def double_sales(streams: Sequence[Stream]) -> list[DoubleSale]:
    """Every source that two streams sell in the same years with shares that meet."""
    found = []
    for first, second in combinations(streams, 2):
        begins = max(first.first_year, second.first_year)
        ends = min(first.last_year, second.last_year)
        if begins > ends:
            continue
        for source in sorted(set(first.sources) & set(second.sources)):
            (a, b), (c, d) = first.sources[source], second.sources[source]
            if a < d and c < b:
                found.append(DoubleSale(first.code, second.code, source, begins, ends))
    return found


def project(streams: Sequence[Stream]) -> list[Projection] | Refusal:
    """Each stream along each of its paths.

    Refused: `double-sale`, naming both streams, the source and the years, as soon as one tonne
    would be sold twice.
    """
    twice = double_sales(streams)
    if twice:
        one = twice[0]
        return Refusal(
            "double-sale",
            f"같은 감축량을 두 번 파는 계획입니다: {one.first}와 {one.second}가 {one.source}을(를) "
            f"{one.from_year}–{one.to_year}년에 함께 팝니다. 몫을 나누거나 하나를 빼세요.",
            f"This sells the same tonnes twice: {one.first} and {one.second} both sell "
            f"{one.source} in {one.from_year} to {one.to_year}. Divide the shares or drop one.",
            {
                "conflicts": [
                    {"first": x.first, "second": x.second, "source": x.source,
                     "from": x.from_year, "to": x.to_year}
                    for x in twice
                ]
            },
        )  # fmt: skip
    with localcontext(ARITHMETIC):
        return [
            Projection(stream.code, path.code, {
                stream.first_year + n: int(
                    (stream.tonnes * path.price(n)).to_integral_value(ROUND_FLOOR)
                )
                for n in range(stream.years)
            })
            for stream in streams
            for path in stream.paths
        ]  # fmt: skip


def implied_price(total_krw: Decimal, years: int, tonnes: Decimal) -> Decimal:
    """KRW a tonne that a plan's total means when it is spread evenly over its years.

    The first city's plan expects 5.2 bn KRW in 21 years and 1.7 bn in 30; over 12,540 t a year
    that is 19,746 and 4,519 KRW a tonne.
    """
    with localcontext(ARITHMETIC):
        return total_krw / (tonnes * years)
