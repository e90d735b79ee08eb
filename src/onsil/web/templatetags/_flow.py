"""A flow from sources to uses, drawn on the server as two columns joined by bands. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onsil.web.templatetags._figures import as_decimal, short

WIDTH, NODE, GAP, TOP = 560, 14, 26, 8
_COLUMN = 210  # room for the words right of the uses
_DEPTH = 180  # the height that the whole amount takes


@dataclass(frozen=True)
class Node:
    """A source or a use: its bar, its green (a key of GREENS or empty), its words beside it."""

    x: str
    y: str
    height: str
    green: str
    text: str
    text_y: str


@dataclass(frozen=True)
class Band:
    """One link as a closed path."""

    d: str
    green: str


@dataclass(frozen=True)
class Flow:
    """All that flow.html draws; positions are in the units of the view box."""

    nodes: tuple[Node, ...]
    bands: tuple[Band, ...]
    height: int
    node: int = NODE
    width: int = WIDTH


def flow(chart: Mapping[str, Any], language: str = "ko") -> Flow | None:
    """Geometry for a flow of two columns; None for other kinds, and where nothing flows."""
    links = [(str(x["source"]), str(x["target"]), as_decimal(x["value"]) or Decimal(0))
             for x in chart.get("links") or [] if chart.get("kind") == "sankey"]  # fmt: skip
    links = [link for link in links if link[2] > 0]
    if not links or {s for s, _, _ in links} & {t for _, t, _ in links}:
        return None
    whole = sum(value for _, _, value in links)
    sizes = [_sums((x[0], x[2]) for x in links), _sums((x[1], x[2]) for x in links)]
    greens = chart.get("greens") or {}
    nodes, tops = [], []
    for column, x in zip(sizes, (0, WIDTH - _COLUMN), strict=True):
        at, places = float(TOP), {}
        for name, value in column:
            height = max(float(value / whole) * _DEPTH, 2.0)
            text = f"{name} {short(value, language)} {chart.get('unit', '')}".strip()
            nodes.append(Node(
                f"{x:.1f}", f"{at:.1f}", f"{height:.1f}", str(greens.get(name, "")), text,
                f"{at + max(height / 2, 4) + 4:.1f}",
            ))  # fmt: skip
            places[name] = at
            at += max(height, 8) + GAP
        tops.append(places)
    ends = (len(column) for column in sizes)
    height = int(TOP + _DEPTH + max(ends) * (GAP + 8))
    return Flow(tuple(nodes), tuple(_bands(links, tops, whole, greens)), height)


def _sums(parts: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    found: dict[str, Decimal] = {}
    for name, value in parts:
        found[name] = found.get(name, Decimal(0)) + value
    return list(found.items())


def _bands(
    links: Sequence[tuple[str, str, Decimal]], tops: list[dict[str, float]], whole: Any,
    greens: Mapping[str, str],
) -> list[Band]:  # fmt: skip
    left, right = dict(tops[0]), dict(tops[1])
    start, end = NODE, WIDTH - _COLUMN
    middle = (start + end) / 2
    bands = []
    for source, target, value in links:
        size = max(float(value / whole) * _DEPTH, 1.0)
        a, b = left[source], right[target]
        left[source], right[target] = a + size, b + size
        bands.append(Band(
            f"M{start} {a:.1f}C{middle} {a:.1f} {middle} {b:.1f} {end} {b:.1f}V{b + size:.1f}"
            f"C{middle} {b + size:.1f} {middle} {a + size:.1f} {start} {a + size:.1f}Z",
            str(greens.get(source, "")),
        ))  # fmt: skip
    return bands
