"""The calls that a question takes: its entities, and what some of them measured. Pure."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from onsil.core.periods import Period
from onsil.hub.documents import time_text
from onsil.hub.exploring.calls import ENTITIES, EVOLUTIONS, Call, without_empty
from onsil.hub.exploring.question import PAGE, STEPS, Question
from onsil.hub.exploring.sources import Source

INSTANCES = 5000


def entities_call(question: Question) -> Call:
    """The call that gives a page of the entities."""
    place = question.place.parameters if question.place else []
    pick = ",".join(("id", "type", *question.names, "location"))
    return Call(ENTITIES, without_empty([
        ("type", question.source.type), ("q", question.q), ("scopeQ", question.source.scope),
        *place, ("pick", pick), ("count", "true"), ("limit", str(PAGE)),
        ("offset", str(question.offset) if question.offset else ""),
    ]))  # fmt: skip


def call_of_source(source: Source) -> Call:
    """The plainest call for a source's entities, to begin with."""
    return Call(ENTITIES, without_empty([
        ("type", source.type), ("q", source.q), ("scopeQ", source.scope), ("limit", "10"),
    ]))  # fmt: skip


def evolution_call(
    question: Question, ids: Sequence[str], names: Sequence[str], period: Period, step: str,
    method: str, zone: ZoneInfo,
) -> Call:  # fmt: skip
    """The call that gives what these entities measured; `step` raw gives every value."""
    given = [
        ("type", question.source.type), ("id", ",".join(ids)), ("attrs", ",".join(names)),
        ("timerel", "between"), ("timeAt", _stamp(period.start)), ("endTimeAt", _stamp(period.end)),
    ]  # fmt: skip
    if step == "raw":
        given += [("format", "temporalValues"), ("instanceLimit", str(INSTANCES))]
    else:
        given += [
            ("format", "aggregatedValues"), ("aggrMethods", method),
            ("aggrPeriodDuration", STEPS[step]), ("timezone", str(zone)),
        ]  # fmt: skip
    return Call(EVOLUTIONS, tuple(given))


def _stamp(moment: datetime) -> str:
    return time_text(moment)
