"""What every command stands on: settings, database at hand, arguments read, answers printed."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from onsil.cli.words import language, text
from onsil.configuration import Configuration, configuration, embedded_home
from onsil.core.database import Connection, transaction
from onsil.core.periods import Period
from onsil.core.refusal import OperationError, Refusal

Answer = TypeVar("Answer")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

CityOption = typer.Option("", "--city", help=text("도시 코드", "code of the city"))


class BadInput(Exception):
    """What was typed cannot be used; the message says why, in the reader's language."""


def prepared_configuration() -> Configuration:
    from onsil.supervisor.credentials import prepared

    return prepared(configuration())


@contextmanager
def installation() -> Iterator[Configuration]:
    """Settings, Django and the database at hand, for one command.

    The embedded database is started for the command's time when nobody runs it. Raises BadInput
    when there is no installation in the data folder yet.
    """
    from onsil.supervisor.postgres import EmbeddedPostgres
    from onsil.supervisor.service import check_database

    conf = prepared_configuration()
    own: EmbeddedPostgres | None = None
    if not conf.database_url:
        server = EmbeddedPostgres.at(embedded_home(conf.data_folder))
        if not (server.home / "PG_VERSION").exists():
            raise BadInput(
                text(
                    f"{conf.data_folder}에 설치된 것이 없습니다. `onsil up`을 먼저 실행하세요.",
                    f"nothing is installed in {conf.data_folder} yet: run `onsil up` first",
                )
            )
        if not server.running():
            server.start()
            own = server
    try:
        check_database(conf.dsn, wait_s=5)
        import django

        logging.disable(logging.INFO)  # a command answers; it does not keep a log
        django.setup()
        yield conf
    finally:
        if own:
            from django.db import connections

            connections.close_all()
            own.stop()


@contextmanager
def work_for(city: str) -> Iterator[tuple[Configuration, Connection, str]]:
    """(settings, connection, city) in one transaction, committed at the end."""
    from onsil.tenancy.cities import city as known_city

    with installation() as conf:
        code = known_city(city or conf.default_city).code
        with transaction(conf.dsn, code) as conn:
            yield conf, conn, code


def accepted(answer: Answer | Refusal) -> Answer:
    """The answer, unless it is a refusal: then its sentence, and exit status 1."""
    if isinstance(answer, Refusal):
        refuse(answer.text(language()))
    return answer  # pyright: ignore[reportReturnType]


def refuse(sentence: str) -> NoReturn:
    """Say why not, and leave with exit status 1."""
    print(f"onsil: {sentence}", file=sys.stderr)
    raise typer.Exit(1)


def as_uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise BadInput(
            text(f"{value!r}은(는) UUID가 아닙니다", f"{value!r} is not a UUID")
        ) from None


def as_instant(value: str, zone: ZoneInfo) -> datetime:
    """An ISO date or date-time; without an offset it is local to the city."""
    try:
        if len(value) == 10:
            return datetime.combine(date.fromisoformat(value), time(), zone)
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(
            text(f"{value!r}은(는) ISO 8601 날짜가 아닙니다", f"{value!r} is not an ISO 8601 date")
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def as_period(start: str, end: str, zone: ZoneInfo) -> Period:
    """Half-open: from the first instant until before the second."""
    first, last = as_instant(start, zone), as_instant(end, zone)
    if first >= last:
        raise BadInput(
            text(f"기간의 끝 {end}이(가) 시작 {start}보다 뒤여야 합니다",
                 f"the period must end after it starts: {start} … {end}")
        )  # fmt: skip
    return Period(first, last)


def as_pairs(values: list[str], what: str) -> dict[str, str]:
    """`name=value` options as a mapping."""
    pairs: dict[str, str] = {}
    for value in values:
        name, sign, rest = value.partition("=")
        if not sign or not name or not rest:
            raise BadInput(
                text(f"{what}은(는) 이름=값 꼴이어야 합니다: {value!r}",
                     f"{what} wants name=value, not {value!r}")
            )  # fmt: skip
        pairs[name] = rest
    return pairs


def existing_file(path: Path) -> Path:
    if not path.is_file():
        raise BadInput(text(f"{path}: 그런 파일이 없습니다", f"{path}: no such file"))
    return path


@contextmanager
def progress(words: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error; the yielded function is told (done, total)."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeRemainingColumn(), console=err, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(words, total=None)

        def tell(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def show(columns: list[str], rows: list[list[Any]]) -> None:
    """A table on standard output."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    out.print(table)


def not_operational(error: OperationError) -> int:
    """Exit status for a technical failure: 1 when trying again may help, 2 when not."""
    return 1 if error.retry else 2
