"""The command line put together, and its one way of saying what went wrong."""

import importlib
import sys
from importlib.util import find_spec

import typer
from typer.exceptions import TyperException

from onsil.cli import (
    anchor,
    books,
    cities,
    erasing,
    evidence,
    hub,
    ingest,
    lake,
    people,
    quantification,
    registry,
    running,
    tracing,
    verification,
    witness,
)
from onsil.cli.frame import BadInput, not_operational
from onsil.cli.words import text
from onsil.core.refusal import OperationError

app = typer.Typer(
    name="onsil",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=text(
        "온실: 도시의 탄소중립 사업을 측정부터 보상까지 하나의 고리로 운영합니다.",
        "Onsil: run a city's carbon-neutrality programme as one closed loop.",
    ),
)
for module in (
    running, cities, people, ingest, quantification, verification, tracing, anchor, witness,
    erasing, books, hub, lake, registry, evidence,
):  # fmt: skip
    module.add_to(app)
if find_spec("onsil.cli.demo"):
    app.command(
        "demo",
        help=text(
            "실측값으로 전체 고리를 한 번 돌리고 계속 서비스합니다.",
            "Run the whole loop once on real readings and keep serving.",
        ),
    )(importlib.import_module("onsil.cli.demo").demo)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; the process ends with its status."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    try:
        return app(arguments, standalone_mode=False) or 0
    except typer.Exit as ending:
        return ending.exit_code
    except TyperException as error:
        words = error.format_message().replace("\n", " ")
        return _said(words, error.exit_code) if words else error.exit_code
    except BadInput as error:
        return _said(str(error), 2)
    except OperationError as error:
        return _said(str(error), not_operational(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130


def _said(words: str, status: int) -> int:
    print(f"onsil: {words}", file=sys.stderr)
    return status
