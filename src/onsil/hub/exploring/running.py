"""Explorations for a page or a file, on a connection, within a time that a page may take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.errors import QueryCanceled

from onsil.core.database import Connection
from onsil.hub.exploring.answering import Answer, answer
from onsil.hub.exploring.calls import call_of
from onsil.hub.exploring.exploration import Exploration, explore
from onsil.hub.exploring.question import Question, read_question
from onsil.hub.exploring.screen import Desk, form_of, preview, shown
from onsil.hub.http.gate import Problem
from onsil.hub.steps import run


def limit_time(conn: Connection) -> None:
    """Until the end of the transaction no statement takes longer than eight seconds."""
    conn.execute("SET LOCAL statement_timeout = 8000")


def explored(conn: Connection, desk: Desk, question: Question, now: datetime) -> Exploration | None:
    """The exploration; None when it takes too long."""
    try:
        with conn.transaction():
            return run(conn, explore(desk.city, question, desk.zone, now, desk.language))
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
    conn: Connection, desk: Desk, given: Mapping[str, Sequence[str]], words: Mapping[str, str],
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """What the explorer's page shows; `words`: for `previous` and `year`, periods compared."""
    question = read_question(given, desk.sources, desk.zone)
    context: dict[str, Any] = {"form": form_of(question, desk.sources, given, desk.language)}
    made = None if question.faults else explored(conn, desk, question, now)
    if made is None:
        return context | {
            "late": not question.faults, "call": preview(question, desk.broker, desk.city),
        }  # fmt: skip
    title, before = question.source.title.text(desk.language), words.get(question.compare, "")
    return context | shown(made, desk, title, before)


def call_of_form(desk: Desk, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The call alone, of a form that is being filled in."""
    question = read_question(given, desk.sources, desk.zone)
    return {"call": preview(question, desk.broker, desk.city)}
