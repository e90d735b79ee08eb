"""`onsil hub`: the NGSI-LD broker alone, with its own embedded database.

Its options are read by argparse: the library of the other commands takes longer to load than the
broker itself may take to start.
"""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from onsil.cli.words import text
from onsil.core.refusal import OperationError

if TYPE_CHECKING:
    import typer

_WHAT = text(
    "NGSI-LD 브로커만 단독으로 실행합니다.", "Run the NGSI-LD broker alone, and nothing else."
)


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """What is wrong on one line, as the other commands tell it."""
        self.exit(2, f"onsil: {message}\n")


def _parser() -> ArgumentParser:
    made = _Parser("onsil hub", description=_WHAT, allow_abbrev=False)
    add = made.add_argument
    # fmt: off
    add("--host", default="127.0.0.1", help=text("받을 주소", "address to listen on"))
    add("--port", type=int, default=8401, help=text("받을 포트", "port to listen on"))
    add("--data", type=Path, default=Path("hub-data"),
        help=text("데이터를 둘 폴더", "folder the data are kept in"))
    add("--database", default="",
        help=text("내장 대신 쓸 PostgreSQL의 DSN", "DSN of a PostgreSQL, instead of its own"))
    add("--token", default=os.environ.get("ONSIL_HUB_TOKEN", ""),
        help=text("쓰기에 요구할 토큰", "bearer token that writing shall take (else it is open)"))
    add("--contexts", type=Path,
        help=text("@context 파일 폴더", "folder of @context files to know without a network"))
    add("--context-host", action="append", default=[],
        help=text("@context를 가져와도 되는 곳", "host that contexts may be fetched from"))
    add("--source-host", action="append", default=[],
        help=text("컨텍스트 소스가 있어도 되는 호스트", "host that context sources may be at"))
    add("--notify-host", action="append", default=[],
        help=text("알림을 보내도 되는 호스트", "host that notifications may be sent to"))
    add("--alias", default="",
        help=text("Via 헤더에 쓸 이름", "the broker's pseudonym in Via headers"))
    add("--workers", type=_at_least_one, default=1,
        help=text("작업 프로세스 수", "worker processes"))
    # fmt: on
    return made


def _at_least_one(given: str) -> int:
    number = int(given)
    if number < 1:
        raise ArgumentTypeError(text("1 이상이어야 합니다", "must be at least 1"))
    return number


def run(arguments: list[str]) -> int:
    """Run `hub …`; its exit status."""
    try:
        given = _parser().parse_args(arguments[1:])
    except SystemExit as ending:  # told already: the help, or what is wrong
        return int(ending.code or 0)
    from onsil.supervisor.alone import Broker, serve

    try:
        serve(
            Broker(
                given.host, given.port, given.data, given.database, given.token, given.contexts,
                tuple(given.context_host), source_hosts=tuple(given.source_host),
                notify_hosts=tuple(given.notify_host), alias=given.alias, workers=given.workers,
            )
        )  # fmt: skip
    except OperationError as error:
        print(f"onsil: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def add_to(app: "typer.Typer") -> None:
    """Put it among the other commands, where `onsil --help` names it."""

    import typer

    settings = {"allow_extra_args": True, "ignore_unknown_options": True}

    @app.command(help=_WHAT, add_help_option=False, context_settings=settings)
    def hub(given: typer.Context) -> None:
        raise typer.Exit(run(["hub", *given.args]))
