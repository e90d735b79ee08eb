"""An exploration as a page shows it: plain values for a template, and files. No framework."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from onsil.hub.datasets.content import Column, Table
from onsil.hub.datasets.downloads import FORMS, as_csv, workbook
from onsil.hub.exploring.answering import Answer
from onsil.hub.exploring.asking import entities_call
from onsil.hub.exploring.calls import Call
from onsil.hub.exploring.charting import charts_of, line_table
from onsil.hub.exploring.exploration import Exploration
from onsil.hub.exploring.question import CONDITIONS_MAX, PAGE, Question
from onsil.hub.exploring.sources import Source
from onsil.hub.exploring.tables import spoken, tabled

JSON_SHOWN = 30_000
ROWS_SHOWN = 200
FILES = ("csv", "xlsx")
_FIELDS = ("lon", "lat", "radius", "ring", "from", "until", "place", "span", "step", "method",
           "compare", "either")  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """Where somebody explores: the city, its zone and broker, what may be seen, the language."""

    city: str
    zone: ZoneInfo
    broker: str
    sources: Sequence[Source]
    language: str = "ko"


@dataclass(frozen=True)
class Written:
    """A call written out in every way."""

    get: str
    curl: str
    query: str
    query_curl: str
    said: str


def written(call: Call, broker: str, tenant: str) -> Written:
    """A GET and the same as a POST."""
    query = call.as_query()
    return Written(
        f"GET {broker}{call.target}", call.curl(broker, tenant),
        f"POST {broker}{query.target}\n\n{query.body_text}", query.curl(broker, tenant),
        call.said,
    )  # fmt: skip


def form_of(
    question: Question, sources: Sequence[Source], given: Mapping[str, Sequence[str]], language: str
) -> dict[str, Any]:
    """What the form shows: what there is, what is chosen, what was typed."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for one in sources:
        group = groups.setdefault(one.type, [])
        if one.key.startswith("type:"):
            group.insert(0, (one.key, ""))
        else:
            group.append((one.key, one.title.text(language)))
    lists = [given.get(name) or () for name in ("ca", "co", "cv")]
    rows = [row for row in zip(*lists, strict=False) if row[0] or row[2]][:CONDITIONS_MAX]
    typed = {name: (given.get(name) or [""])[-1][:4000] for name in _FIELDS}
    return {
        "groups": list(groups.items()), "source": question.source, "typed": typed,
        "title": question.source.title.text(language),
        "fields": [(one, one.name in question.names) for one in question.source.fields],
        "rows": [*rows, ("", "==", "")], "span": question.span, "faults": {
            name: said.text(language) for name, said in question.faults
        },
    }  # fmt: skip


def preview(question: Question, broker: str, tenant: str) -> Written:
    """The call of a question that nobody has run."""
    return written(entities_call(question), broker, tenant)


def shown(made: Exploration, desk: Desk, title: str, before: str) -> dict[str, Any]:
    """What came back, for the template; `before` is the word for a period compared."""
    question = made.question
    first = question.offset + 1 if made.places else 0
    charts = charts_of(made.lines, made.known, made.step, desk.zone, before, title)
    return {
        "made": made, "call": written(made.call, desk.broker, desk.city),
        "charts": [
            {"still": one.still, "data": orjson.dumps(one.live).decode()} for one in charts
        ],
        "evolution_calls": [written(one, desk.broker, desk.city) for one in made.calls],
        "json": pretty(made.answer.body), "first": first,
        "last": question.offset + len(made.places), "chosen": question.entities,
        "before": max(0, question.offset - PAGE) if question.offset else None,
        "after": question.offset + PAGE if made.total > question.offset + PAGE else None,
        "map": [
            {"id": one.id, "name": one.label, "lon": one.lon, "lat": one.lat, "note": ""}
            for one in made.places if one.lon is not None
        ],
        "rows": [
            (place, [spoken(value, desk.language) for value in row[1:]])
            for place, row in zip(made.places, made.table.rows, strict=True)
        ],
        "columns": made.table.columns[1:],
    }  # fmt: skip


def pretty(body: Any) -> tuple[str, bool]:
    """JSON in lines, and whether its end had to be left out."""
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
    return text[:JSON_SHOWN], len(text) > JSON_SHOWN


def told(answer: Answer, language: str) -> dict[str, Any]:
    """A console's answer, as JSON and as a table where it is one."""
    table = tabled(answer.body) if answer.good else Table((), [])
    return {
        "answer": answer, "json": pretty(answer.body), "table": table,
        "rows": [[spoken(value, language) for value in row] for row in table.rows[:ROWS_SHOWN]],
        "more": max(0, len(table.rows) - ROWS_SHOWN),
        "columns": table.columns if table.rows else (Column("id"),),
    }  # fmt: skip


def file_of(made: Exploration, what: str, form: str) -> tuple[bytes, str]:
    """What is drawn (`series`) or the list (`entities`) as CSV or XLSX, with its media type."""
    table = line_table(made.lines, made.method) if what == "series" else made.table
    if form == "csv":
        return b"".join(as_csv(table)), FORMS["csv"].media
    source = made.question.source
    about = (("title", source.title.ko), ("title (en)", source.title.en),
             ("origin", ", ".join(made.origins)), ("call", made.call.target),
             *(("call", one.target) for one in made.calls))  # fmt: skip
    return workbook(table, about), FORMS["xlsx"].media
