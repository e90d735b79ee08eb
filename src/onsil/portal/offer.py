"""The city's data sets as the public's pages show them: found, previewed, addressed. No Django."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from onsil.hub.arrays import instant
from onsil.hub.catalogue.dcat import Addresses
from onsil.hub.datasets.content import EVER
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import Entry
from onsil.hub.lake.spanning import Vector, ends
from onsil.hub.steps import Steps
from onsil.hub.terms import Series

LINES_MAX = 3
POINTS = 96


@dataclass(frozen=True)
class Wish:
    """What somebody looks for: words, a theme, a licence, an origin; empty ones do not narrow."""

    text: str = ""
    theme: str = ""
    licence: str = ""
    origin: str = ""

    def meets(self, one: Dataset) -> bool:
        return (
            self._said(one)
            and self.theme in ("", one.theme)
            and self.licence in ("", one.licence)
            and self.origin in ("", one.origin)
        )

    def _said(self, one: Dataset) -> bool:
        """Whether every word stands in the data set's texts, in either language."""
        texts = (
            one.id, one.title.ko, one.title.en, one.description.ko, one.description.en,
            *one.keywords_ko, *one.keywords_en, *one.attributes, one.type,
        )  # fmt: skip
        whole = "\n".join(texts).casefold()
        return all(word in whole for word in self.text.casefold().split())


def facet(entries: Iterable[Entry], of: Callable[[Dataset], str]) -> list[tuple[str, int]]:
    """The values there are with how many data sets have each."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[of(entry.dataset)] = counts.get(of(entry.dataset), 0) + 1
    return sorted(counts.items())


def lines_of(city: str, series: Sequence[Series]) -> Steps[dict[int, Vector]]:
    """The newest points of the first series."""
    shown = [one.id for one in series[:LINES_MAX]]
    return (yield from ends(city, shown, EVER, POINTS, last=True))


def chart_of(
    series: Sequence[Series], lines: dict[int, Vector], title: str, zone: ZoneInfo
) -> dict[str, Any] | None:
    """The chart of the newest points, for the part `chart`; gaps stay gaps. None without points."""
    shown = [one for one in series[:LINES_MAX] if one.id in lines]
    if not shown:
        return None
    unit = shown[0].unit
    shown = [one for one in shown if one.unit == unit]
    values = {
        one.id: dict(zip(lines[one.id].ts.tolist(), lines[one.id].num.tolist(), strict=True))
        for one in shown
    }
    stamps = sorted({stamp for points in values.values() for stamp in points})[-POINTS:]
    return {
        "title": title,
        "kind": "line",
        "unit": unit,
        "labels": [instant(s).astimezone(zone).strftime("%m-%d %H:%M") for s in stamps],
        "series": [
            {"name": one.entity.rsplit(":", 1)[-1], "kind": one.source,
             "values": [values[one.id].get(stamp) for stamp in stamps]}
            for one in shown
        ],
    }  # fmt: skip


def curl(addresses: Addresses, one: Dataset) -> str:
    """The call that gives the data set's entities, as one line of a shell."""
    return (
        f"curl '{addresses.query(one).replace(chr(39), '%27')}' "
        f"-H 'NGSILD-Tenant: {addresses.tenant}'"
    )
