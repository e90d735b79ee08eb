"""The city's data sets as the public's pages show them: found, previewed, addressed. No Django."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from onsil.hub.arrays import instant
from onsil.hub.catalogue.dcat import Addresses
from onsil.hub.contexts import CORE
from onsil.hub.datasets.content import EVER, Table
from onsil.hub.datasets.downloads import ENTITIES, forms_of
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import DayUse, Entry
from onsil.hub.documents import Document, parse_time
from onsil.hub.exploring.tables import spoken
from onsil.hub.lake.spanning import Vector, ends
from onsil.hub.steps import Steps
from onsil.hub.terms import Series

LINES_MAX = 3
POINTS = 96
USAGE_DAYS = 30


@dataclass(frozen=True)
class Wish:
    """What somebody looks for: words, a theme, a licence, an origin, a format, whether it is open;
    empty ones do not narrow."""

    text: str = ""
    theme: str = ""
    licence: str = ""
    origin: str = ""
    form: str = ""
    access: str = ""

    def meets(self, one: Dataset) -> bool:
        return (
            self._said(one)
            and self.theme in ("", one.theme)
            and self.licence in ("", one.licence)
            and self.origin in ("", one.origin)
            and self.form in ("", *formats(one))
            and self.access in ("", one.access)
        )

    def _said(self, one: Dataset) -> bool:
        """Whether every word stands in the data set's texts, in either language."""
        texts = (
            one.id, one.title.ko, one.title.en, one.description.ko, one.description.en,
            *one.keywords_ko, *one.keywords_en, *one.attributes, one.type,
        )  # fmt: skip
        whole = "\n".join(texts).casefold()
        return all(word in whole for word in self.text.casefold().split())


def formats(one: Dataset) -> tuple[str, ...]:
    """The formats a data set comes in, the interface's own among them."""
    return (ENTITIES, *forms_of(one))


def facet(
    entries: Iterable[Entry], of: Callable[[Dataset], str | Iterable[str]]
) -> list[tuple[str, int]]:
    """The values there are with how many data sets have each."""
    counts: Counter[str] = Counter()
    for entry in entries:
        found = of(entry.dataset)
        counts.update([found] if isinstance(found, str) else found)
    return sorted(counts.items())


def usage_chart(
    days: Sequence[DayUse], last: date, title: str, words: Mapping[str, str]
) -> dict[str, Any] | None:
    """Downloads, calls and views of the thirty days up to `last`, for the part `chart`. None where
    there was none. `words` name page, files and api."""
    span = [last - timedelta(days=back) for back in range(USAGE_DAYS - 1, -1, -1)]
    sums = {kind: dict.fromkeys(span, 0) for kind in words}
    for one in days:
        kind = one.form if one.form in words else "files"
        if one.day in sums[kind]:
            sums[kind][one.day] += one.uses
    if not any(any(by_day.values()) for by_day in sums.values()):
        return None
    return {
        "title": title,
        "kind": "stacked",
        "unit": "",
        "labels": [day.strftime("%m-%d") for day in span],
        "series": [{"name": words[kind], "values": list(by_day.values())}
                   for kind, by_day in sums.items() if any(by_day.values())],
    }  # fmt: skip


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


def places_of(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """Where entities are, for the part `map`; those without a point are left out."""
    made = []
    for document in documents:
        for geometry in (one["value"] for one in document.attrs.get(CORE.iri("location"), [])[:1]):
            if geometry.get("type") == "Point":
                lon, lat = geometry["coordinates"][:2]
                name = document.uri.rsplit(":", 1)[-1]
                made.append({"id": document.uri, "name": name, "lon": lon, "lat": lat, "note": ""})
    return made


def rows_of(table: Table, language: str) -> list[tuple[str, str, list[Any]]]:
    """A table of entities to be read: id, the end of it, values; times as times, texts in the
    reader's language."""
    at = next((n for n, one in enumerate(table.columns) if one.name == "observedAt"), None)
    made = []
    for row in table.rows:
        values = [spoken(value, language) for value in row]
        if at is not None and values[at]:
            values[at] = parse_time(values[at])
        made.append((row[0], row[0].rsplit(":", 1)[-1], values[1:]))
    return made


def curl(addresses: Addresses, one: Dataset) -> str:
    """The call that gives the data set's entities, as one line of a shell."""
    key = "" if one.open else ' -H "Authorization: Bearer $KEY"'
    return (
        f"curl '{addresses.query(one).replace(chr(39), '%27')}' "
        f"-H 'NGSILD-Tenant: {addresses.tenant}'{key}"
    )
