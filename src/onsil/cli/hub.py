"""`onsil hub`: the NGSI-LD broker alone, with its own embedded database."""

import sys
from pathlib import Path

import typer
from typer.exceptions import TyperException

from onsil.cli.words import text
from onsil.core.refusal import OperationError


def hub(
    host: str = typer.Option("127.0.0.1", help=text("받을 주소", "address to listen on")),
    port: int = typer.Option(8401, help=text("받을 포트", "port to listen on")),
    data: Path = typer.Option(
        Path("hub-data"), help=text("데이터를 둘 폴더", "folder the data are kept in")
    ),
    database: str = typer.Option(
        "", help=text("내장 대신 쓸 PostgreSQL의 DSN", "DSN of a PostgreSQL, instead of its own")
    ),
    token: str = typer.Option(
        "", envvar="ONSIL_HUB_TOKEN",
        help=text("쓰기에 요구할 토큰", "bearer token that writing shall take (else it is open)"),
    ),
    contexts: Path = typer.Option(
        None, help=text("@context 파일 폴더", "folder of @context files to know without a network")
    ),
    context_host: list[str] = typer.Option(
        [], help=text("@context를 가져와도 되는 곳", "host that contexts may be fetched from")
    ),
    source_host: list[str] = typer.Option(
        [], help=text("컨텍스트 소스가 있어도 되는 호스트", "host that context sources may be at")
    ),
    notify_host: list[str] = typer.Option(
        [], help=text("알림을 보내도 되는 호스트", "host that notifications may be sent to")
    ),
    alias: str = typer.Option(
        "", help=text("Via 헤더에 쓸 이름", "the broker's pseudonym in Via headers")
    ),
    workers: int = typer.Option(1, min=1, help=text("작업 프로세스 수", "worker processes")),
) -> None:  # fmt: skip
    from onsil.supervisor.alone import Broker, serve

    serve(
        Broker(
            host, port, data, database, token, contexts, tuple(context_host),
            source_hosts=tuple(source_host), notify_hosts=tuple(notify_host), alias=alias,
            workers=workers,
        )
    )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text(
            "NGSI-LD 브로커만 단독으로 실행합니다.",
            "Run the NGSI-LD broker alone, and nothing else.",
        )
    )(hub)


def run(arguments: list[str]) -> int:
    """Run this command without the others; its exit status."""
    alone = typer.Typer(name="onsil", add_completion=False, pretty_exceptions_enable=False)
    alone.callback()(lambda: None)
    add_to(alone)
    try:
        return alone(arguments, standalone_mode=False) or 0
    except typer.Exit as ending:
        return ending.exit_code
    except (TyperException, OperationError) as error:
        words = error.format_message() if isinstance(error, TyperException) else str(error)
        print(f"onsil: {words}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return 130
