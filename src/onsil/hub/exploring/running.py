"""Explorations for a page or a file, on a connection, within a time that a page may take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.errors import QueryCanceled

from onsil.core.database import Connection
from onsil.hub.exploring.answering import Answer, answer
from onsil.hub.exploring.calls import call_of
from onsil.hub.exploring.exploration import Exploration, explore
from onsil.hub.exploring.question import Question, read_question
from onsil.hub.exploring.screen import form_of, preview, shown
from onsil.hub.exploring.sources import Source
from onsil.hub.http.gate import Problem
from onsil.hub.steps import run


@dataclass(frozen=True)
class Desk:
    """Where somebody explores: the city, its zone and broker, what may be seen, the language."""

    city: str
    zone: ZoneInfo
    broker: str
    sources: Sequence[Source]
    language: str = "ko"


def limit_time(conn: Connection) -> None:
    """Until the end of the transaction no statement takes longer than eight seconds."""
    conn.execute("SET LOCAL statement_timeout = 8000")


def explored(conn: Connection, desk: Desk, question: Question, now: datetime) -> Exploration | None:
    """The exploration; None when it takes too long."""
    try:
        with conn.transaction():
            return run(conn, explore(desk.city, question, desk.zone, now))
    except QueryCanceled:
        return None


def called(
    conn: Connection, desk: Desk, given: Mapping[str, str], now: datetime
) -> Answer | None:  # fmt: skip
    """A call as typed (`of`, `method`, `target`, `body`); None when `of` cannot be seen."""
    source = next((one for one in desk.sources if one.key == given.get("of")), None)
    if source is None:
        return None
    try:
        with conn.transaction():
            asked = call_of(given.get("method", "GET"), given.get("target", ""),
                            given.get("body", ""))  # fmt: skip
            return run(conn, answer(desk.city, source, asked, now))
    except Problem as error:
        problem = error
    except QueryCanceled:
        problem = Problem(403, "TooComplexQuery", "The query takes too long")
    return Answer(problem.status, problem.body())


def page_of(
    conn: Connection, desk: Desk, given: Mapping[str, Sequence[str]], before: str, now: datetime
) -> dict[str, Any]:
    """What the explorer's page shows; `before` is the word for a period compared."""
    question = read_question(given, desk.sources, desk.zone)
    context: dict[str, Any] = {"form": form_of(question, desk.sources, given, desk.language)}
    made = None if question.faults else explored(conn, desk, question, now)
    if made is None:
        return context | {
            "late": not question.faults, "call": preview(question, desk.broker, desk.city),
        }  # fmt: skip
    words = {"before": before, "title": question.source.title.text(desk.language)}
    return context | shown(made, desk.broker, desk.city, desk.zone, words)


def call_of_form(desk: Desk, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The call alone, of a form that is being filled in."""
    question = read_question(given, desk.sources, desk.zone)
    return {"call": preview(question, desk.broker, desk.city)}
