"""What was measured, as charts: one for each unit, a line for each entity, attribute and period.

Pure. A gap in the data is a gap in the line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.quantities import unit_sign
from onsil.hub.datasets.content import Column, Table
from onsil.hub.exploring.tables import evolution_table

ROWS_MAX = 400
_GAP_STEPS = {"hour": timedelta(hours=1.5), "day": timedelta(days=1.5), "month": timedelta(days=45)}


@dataclass(frozen=True)
class Known:
    """What is known of an attribute of an entity: unit, origin, seconds between values."""

    unit: str = ""
    origin: str = ""
    interval_s: int = 0


@dataclass(frozen=True)
class Line:
    """One line; `shift` is added to times so that it lies over another period."""

    id: str
    name: str
    unit: str
    origin: str
    points: list[tuple[datetime, float]] = field(default_factory=list)
    shift: timedelta = timedelta()

    @property
    def label(self) -> str:
        return self.id.rsplit(":", 1)[-1]


def lines_of(
    entities: Iterable[Mapping[str, Any]], known: Mapping[tuple[str, str], Known],
    shift: timedelta = timedelta(),
) -> list[Line]:  # fmt: skip
    """The lines in an answer to a temporal query; what is no number is left out."""
    found: dict[tuple[str, str], Line] = {}
    table = evolution_table(list(entities))
    names = [column.name for column in table.columns]
    for row in table.rows:
        told = dict(zip(names, row, strict=True))
        value, at = told["value"], told.get("from")
        if at is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        key = told["id"], told["attribute"]
        if key not in found:
            about = known.get(key, Known())
            found[key] = Line(*key, about.unit, about.origin, shift=shift)
        found[key].points.append((at, float(value)))
    for line in found.values():
        line.points.sort()
    return list(found.values())


def broken(line: Line, step: str, interval_s: int) -> list[tuple[datetime, float | None]]:
    """The line's points, with None where values are missing."""
    if not line.points:
        return []
    gap = _GAP_STEPS.get(step) or _usual(line.points, interval_s)
    made: list[tuple[datetime, float | None]] = [line.points[0]]
    for before, after in pairwise(line.points):
        if after[0] - before[0] > gap:
            made.append((before[0] + gap / 2, None))
        made.append(after)
    return made


def _usual(points: Sequence[tuple[datetime, float]], interval_s: int) -> timedelta:
    """Three usual intervals: the series' own, or else the median between values."""
    if interval_s:
        return timedelta(seconds=3 * interval_s)
    steps = sorted(after[0] - before[0] for before, after in pairwise(points))
    return 3 * steps[len(steps) // 2] if steps else timedelta.max


@dataclass(frozen=True)
class Chart:
    """The lines of one unit; `still` is the server's drawing, `live` what a browser draws."""

    unit: str
    lines: list[Line]
    still: dict[str, Any]
    live: dict[str, Any]


def charts_of(
    lines: Sequence[Line], known: Mapping[tuple[str, str], Known], step: str, zone: ZoneInfo,
    before: str, title: str,
) -> list[Chart]:  # fmt: skip
    """A chart for each unit; `before` is the word for a period that is compared."""
    made = []
    for unit in sorted({line.unit for line in lines}):
        mine = [line for line in lines if line.unit == unit and line.points]
        if not mine:
            continue
        several = len({line.name for line in mine}) > 1
        series = []
        for line in mine:
            name = f"{line.label} {line.name}" if several else line.label
            interval_s = known.get((line.id, line.name), Known()).interval_s
            series.append({
                "name": f"{name} ({before})" if line.shift else name, "kind": line.origin,
                "before": bool(line.shift),
                "points": [
                    [round((at + line.shift).timestamp() * 1000), value]
                    for at, value in broken(line, step, interval_s)
                ],
            })  # fmt: skip
        names = ", ".join(dict.fromkeys(line.name for line in mine))
        live = {"title": names, "about": title, "unit": unit_sign(unit), "series": series,
                "zone": str(zone), "step": step}  # fmt: skip
        made.append(Chart(unit, mine, _still(live, zone), live))
    return made


def _still(live: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """The same for the part `chart`: the newest values at common times, and their table."""
    stamps = sorted({at for one in live["series"] for at, value in one["points"]
                     if value is not None})[-ROWS_MAX:]  # fmt: skip
    form = {"day": "%Y-%m-%d", "month": "%Y-%m"}.get(live["step"], "%Y-%m-%d %H:%M")
    values = [dict(one["points"]) for one in live["series"]]
    return {
        "title": live["title"], "unit": live["unit"], "kind": "line",
        "labels": [datetime.fromtimestamp(at / 1000, zone).strftime(form) for at in stamps],
        "series": [
            {"name": one["name"], "kind": one["kind"], "values": [held.get(at) for at in stamps]}
            for one, held in zip(live["series"], values, strict=True)
        ],
    }  # fmt: skip


def line_table(lines: Sequence[Line], method: str) -> Table:
    """Every value drawn, a row each."""
    columns = ("id", "attribute", "unit", "origin", "method", "observedAt", "value")
    rows = [
        [line.id, line.name, line.unit, line.origin, method, at, value]
        for line in lines
        for at, value in line.points
    ]
    return Table(tuple(map(Column, columns)), rows)
