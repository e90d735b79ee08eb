"""An exploration: the entities asked for, and what some of them measured, as steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period
from onsil.hub.datasets.content import Table
from onsil.hub.documents import parse_time
from onsil.hub.exploring.answering import Answer, answer
from onsil.hub.exploring.asking import entities_call, evolution_call
from onsil.hub.exploring.calls import Call
from onsil.hub.exploring.charting import Known, Line, lines_of
from onsil.hub.exploring.question import (
    Question,
    aligned,
    compared,
    fitting_step,
    period_until,
)
from onsil.hub.exploring.tables import entity_table, place_of, spoken, unit_of, value_of
from onsil.hub.series import series_by_key
from onsil.hub.steps import Steps

DRAWN_MAX = 3
NAMES_MAX = 4


@dataclass(frozen=True)
class Place:
    """An entity of the list: its id, its name or the end of its id, where it is."""

    id: str
    label: str
    lon: float | None = None
    lat: float | None = None
    drawn: bool = False


@dataclass(frozen=True)
class Exploration:
    """What was asked and what came back. `calls` are the temporal ones behind the lines."""

    question: Question
    call: Call
    answer: Answer
    table: Table
    places: list[Place] = field(default_factory=list)
    calls: tuple[Call, ...] = ()
    evolution: Answer | None = None
    lines: list[Line] = field(default_factory=list)
    known: Mapping[tuple[str, str], Known] = field(default_factory=dict)
    period: Period | None = None
    step: str = ""
    method: str = ""

    @property
    def total(self) -> int:
        return self.answer.total or 0

    @property
    def cut(self) -> bool:
        """Whether the chart lacks values that there are."""
        return self.evolution is not None and self.evolution.cut

    @property
    def origins(self) -> list[str]:
        """Where what is shown comes from: measured, replayed, simulated."""
        found = {line.origin for line in self.lines} | {self.question.source.origin}
        return sorted(one for one in found if one)


def explore(
    city: str, question: Question, zone: ZoneInfo, now: datetime, language: str = "ko"
) -> Steps[Exploration]:
    """Run a question that has no faults; texts in several languages are told in the reader's."""
    call = entities_call(question)
    found = yield from answer(city, question.source, call, now)
    made = Exploration(question, call, found, Table((), []))
    if not found.good:
        return made
    entities: list[dict[str, Any]] = found.body
    ids = _drawn(question, entities)
    made = replace(made, table=entity_table(entities), places=_places(entities, ids, language))
    names = _numbers(question, entities)
    if not ids or not names:
        return made
    return (yield from _measured(city, made, ids, names, zone, now))


def _places(
    entities: Sequence[Mapping[str, Any]], drawn: Sequence[str], language: str
) -> list[Place]:
    made = []
    for entity in entities:
        said = spoken(value_of(entity.get("name")), language)
        label = said if isinstance(said, str) else entity["id"].rsplit(":", 1)[-1]
        made.append(Place(entity["id"], label, *(place_of(entity) or (None, None)),
                          drawn=entity["id"] in drawn))  # fmt: skip
    return made


def _drawn(question: Question, entities: Sequence[Mapping[str, Any]]) -> list[str]:
    """The entities to draw: those chosen, or the first that have numbers."""
    listed = {one["id"] for one in entities}
    chosen = [uri for uri in question.entities if uri in listed]
    if chosen:
        return chosen
    names = question.names
    able = [one["id"] for one in entities if any(_number(one.get(name)) for name in names)]
    return able[:DRAWN_MAX]


def _number(given: Any) -> bool:
    value = given.get("value") if isinstance(given, dict) else None
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(question: Question, entities: Sequence[Mapping[str, Any]]) -> list[str]:
    found = [
        name
        for name in question.names
        if any(_number(one.get(name)) and "observedAt" in one[name] for one in entities)
    ]
    return found[:NAMES_MAX]


def _measured(
    city: str, made: Exploration, ids: list[str], names: list[str], zone: ZoneInfo, now: datetime
) -> Steps[Exploration]:
    question = made.question
    series = yield from series_by_key(city, [(uri, name) for uri in ids for name in names])
    known = _known(question, made.answer.body, ids, names) | {
        key: Known(one.unit, one.source, one.interval_s) for key, one in series.items()
    }
    period = question.period or period_until(_newest(made.answer.body, ids, names) or now,
                                             question.span)  # fmt: skip
    finest = min((one.interval_s for one in known.values() if one.interval_s), default=0)
    step = question.step or fitting_step(period, finest)
    amounts = bool(series) and all(one.kind == "interval" for one in series.values())
    method = question.method or ("sum" if amounts else "avg")
    periods = [aligned(period, step, zone)]
    if question.compare:
        periods.append(compared(periods[0], question.compare, zone))
    calls, lines, first = [], [], None
    for one in periods:
        call = evolution_call(question, ids, names, one, step, method, zone)
        calls.append(call)
        told = yield from answer(city, question.source, call, now)
        first = first or told
        if told.good:
            lines += lines_of(told.body, known, periods[0].start - one.start)
    return replace(
        made, calls=tuple(calls), evolution=first, lines=lines, known=known, period=periods[0],
        step=step, method="" if step == "raw" else method,
    )  # fmt: skip


def _known(
    question: Question, entities: Sequence[Mapping[str, Any]], ids: Sequence[str],
    names: Sequence[str],
) -> dict[tuple[str, str], Known]:  # fmt: skip
    """What the entities themselves say of their attributes."""
    codes = {
        (one["id"], name): unit_of(one[name].get("unitCode", ""))
        for one in entities for name in names if isinstance(one.get(name), dict)
    }  # fmt: skip
    made = {}
    for uri in ids:
        for name in names:
            about = question.source.field(name)
            unit = codes.get((uri, name)) or (about.unit if about else "")
            made[uri, name] = Known(unit, question.source.origin)
    return made


def _newest(
    entities: Sequence[Mapping[str, Any]], ids: Sequence[str], names: Sequence[str]
) -> datetime | None:
    """When what is drawn was measured last; of entities on other pages nothing is known."""
    stamps = [
        parse_time(one[name]["observedAt"])
        for one in entities
        for name in names
        if (one["id"] in ids or not ids) and "observedAt" in (one.get(name) or {})
    ]
    return max(stamps, default=None)
