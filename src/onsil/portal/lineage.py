"""A lineage as a drawing: stations in rows from source to derived set, lines between. No Django.

Sizes are pixels; two stations beside one another fit a phone. A station's row is how many steps it
is away from the data set in focus.
"""

from dataclasses import dataclass

from onsil.hub.datasets.lineage import Lineage, Node

_WIDE, _HIGH, _APART, _GAP = 168, 64, 44, 14
_LINE_LETTERS = 11


@dataclass(frozen=True)
class Box:
    """A station on the drawing: its place, its words in lines, where it leads."""

    node: Node
    x: int
    y: int
    title: str
    lines: tuple[str, ...]
    note: str
    url: str
    here: bool


@dataclass(frozen=True)
class Drawing:
    """The stations, the lines as SVG paths, the steps in words, and how large it is."""

    boxes: tuple[Box, ...]
    paths: tuple[str, ...]
    steps: tuple[dict[str, str], ...]
    width: int
    height: int
    box_width: int = _WIDE
    box_height: int = _HIGH

    @property
    def drawn_width(self) -> int:
        """With room for the boxes' edges."""
        return self.width + 4

    @property
    def drawn_height(self) -> int:
        return self.height + 4


def draw(lineage: Lineage, focus: str, language: str, outside: str) -> Drawing | None:
    """The drawing of a lineage; None where nothing is known to come before or after."""
    if not lineage:
        return None
    depths = sorted({node.depth for node in lineage.nodes})
    rows = {depth: [n for n in lineage.nodes if n.depth == depth] for depth in depths}
    width = max(len(nodes) for nodes in rows.values()) * (_WIDE + _GAP) - _GAP
    boxes: dict[str, Box] = {}
    for row, depth in enumerate(depths):
        nodes = rows[depth]
        left = (width - (len(nodes) * (_WIDE + _GAP) - _GAP)) // 2
        for place, node in enumerate(nodes):
            x, y = left + place * (_WIDE + _GAP), row * (_HIGH + _APART)
            boxes[node.key] = _box(node, x, y, focus, language, outside)
    paths, steps = [], []
    for link in lineage.links:
        start, end = boxes[link.origin], boxes[link.made]
        paths.append(_curve(start, end))
        steps.append({"origin": start.title, "made": end.title,
                      "method": link.method.text(language) if link.method else ""})  # fmt: skip
    height = len(depths) * (_HIGH + _APART) - _APART
    return Drawing(tuple(boxes.values()), tuple(paths), tuple(steps), width, height)


def _box(node: Node, x: int, y: int, focus: str, language: str, outside: str) -> Box:
    title = node.title.text(language)
    url, note = "", ""
    if node.source is not None:
        url, note = node.source.url, node.source.licence or outside
    elif node.dataset is not None:
        note = node.dataset.licence
    return Box(node, x, y, title, _folded(title), note, url, node.key == focus)


def _folded(title: str) -> tuple[str, ...]:
    """A title in two lines at most, folded between words where it can be; wide letters count
    twice."""
    lines, line = [], ""
    for word in title.split():
        longer = f"{line} {word}".strip()
        if line and _width(longer) > 2 * _LINE_LETTERS:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1]}…"]
    return tuple(_cut(one) for one in lines)


def _cut(line: str) -> str:
    while _width(line) > 2 * _LINE_LETTERS + 2:
        line = f"{line.rstrip('…')[:-1]}…"
    return line


def _width(text: str) -> int:
    return sum(2 if letter >= "ᄀ" and letter != "…" else 1 for letter in text)


def _curve(start: Box, end: Box) -> str:
    x1, y1 = start.x + _WIDE // 2, start.y + _HIGH
    x2, y2 = end.x + _WIDE // 2, end.y - 3
    middle = (y1 + y2) // 2
    return f"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"
