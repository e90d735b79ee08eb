"""A flow from sources to uses, drawn on the server as columns joined by bands. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from onsil.web.templatetags._figures import as_decimal, short

NODE, GAP, TOP = 14, 26, 8
_STEP = 350  # from one column to the next of two; more of them stand closer
_WORDS = 210  # room for the words right of the last column
_DEPTH = 180  # the height that the whole amount takes


@dataclass(frozen=True)
class Node:
    """A source, a use or what lies between: its bar, its green (or none), its words beside it."""

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
    width: int
    node: int = NODE


def flow(chart: Mapping[str, Any], language: str = "ko") -> Flow | None:
    """Geometry for a flow; None for other kinds, where nothing flows, and for one that returns."""
    links = [(str(x["source"]), str(x["target"]), as_decimal(x["value"]) or Decimal(0))
             for x in chart.get("links") or [] if chart.get("kind") == "sankey"]  # fmt: skip
    links = [link for link in links if link[2] > 0]
    columns = _columns(links)
    if not columns:
        return None
    step = _STEP if len(columns) == 2 else _STEP - 80
    greens, unit = chart.get("greens") or {}, chart.get("unit", "")
    whole = max(sum(column.values(), Decimal(0)) for column in columns)
    nodes, tops, lefts = [], {}, {}
    for number, column in enumerate(columns):
        x, at = number * step, float(TOP)
        for name, value in column.items():
            height = max(float(value / whole) * _DEPTH, 2.0)
            nodes.append(Node(
                f"{x:.1f}", f"{at:.1f}", f"{height:.1f}", str(greens.get(name, "")),
                f"{name} {short(value, language)} {unit}".strip(),
                f"{at + max(height / 2, 4) + 4:.1f}",
            ))  # fmt: skip
            tops[name], lefts[name] = at, x
            at += max(height, 8) + GAP
    height = int(TOP + _DEPTH + max(len(column) for column in columns) * (GAP + 8))
    bands = tuple(_bands(links, tops, lefts, whole, greens))
    return Flow(tuple(nodes), bands, height, (len(columns) - 1) * step + _WORDS)


def _columns(links: Sequence[tuple[str, str, Decimal]]) -> list[dict[str, Decimal]]:
    """Each column's nodes with what flows through them, in the order they are named.

    A node stands one column after the last of its sources; none at all when a flow returns.
    """
    depth = dict.fromkeys((name for link in links for name in link[:2]), 0)
    for _ in depth:
        moved = False
        for source, target, _value in links:
            if depth[target] <= depth[source]:
                depth[target], moved = depth[source] + 1, True
        if not moved:
            break
    else:
        return []
    into, out = _sums((x[1], x[2]) for x in links), _sums((x[0], x[2]) for x in links)
    made: list[dict[str, Decimal]] = [{} for _ in range(max(depth.values(), default=-1) + 1)]
    for name, column in depth.items():
        made[column][name] = max(into.get(name, Decimal(0)), out.get(name, Decimal(0)))
    return made


def _sums(parts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, value in parts:
        found[name] = found.get(name, Decimal(0)) + value
    return found


def _bands(
    links: Sequence[tuple[str, str, Decimal]], tops: Mapping[str, float],
    lefts: Mapping[str, int], whole: Decimal, greens: Mapping[str, str],
) -> Iterator[Band]:  # fmt: skip
    leaving, coming = dict(tops), dict(tops)
    for source, target, value in links:
        size = max(float(value / whole) * _DEPTH, 1.0)
        start, end = lefts[source] + NODE, lefts[target]
        middle = (start + end) / 2
        a, b = leaving[source], coming[target]
        leaving[source], coming[target] = a + size, b + size
        yield Band(
            f"M{start} {a:.1f}C{middle} {a:.1f} {middle} {b:.1f} {end} {b:.1f}V{b + size:.1f}"
            f"C{middle} {b + size:.1f} {middle} {a + size:.1f} {start} {a + size:.1f}Z",
            str(greens.get(source, "")),
        )
