"""`onsil up`, `onsil status`, `onsil role`: the installation at work."""

import json
import time

import typer

from onsil.cli.frame import BadInput, out, prepared_configuration, show
from onsil.cli.words import text
from onsil.configuration import configuration

_STATES = {
    "waiting": text("대기", "waiting"),
    "starting": text("시작 중", "starting"),
    "ready": text("정상", "ready"),
    "silent": text("응답 없음", "silent"),
    "restarting": text("재시작 중", "restarting"),
    "stopped": text("멈춤", "stopped"),
}


def up(
    simulate: bool = typer.Option(
        False, "--simulate",
        help=text("시뮬레이션 기기도 함께 켭니다 (표시됨)", "run simulated devices too (labelled)"),
    ),
) -> None:  # fmt: skip
    from onsil.supervisor.service import serve

    serve(prepared_configuration(), simulate=simulate)


def status(
    as_json: bool = typer.Option(False, "--json", help=text("JSON으로", "as JSON")),
) -> None:
    from onsil.supervisor.hold import status_of

    conf = configuration()
    table = status_of(conf.data_folder)
    if table is None:
        if as_json:
            out.print_json(json.dumps({"running": False, "data_folder": str(conf.data_folder)}))
        else:
            out.print(
                text(
                    f"실행 중이 아닙니다 ({conf.data_folder}). `onsil up`으로 시작하세요.",
                    f"not running ({conf.data_folder}); start it with `onsil up`",
                )
            )
        raise typer.Exit(1)
    if as_json:
        out.print_json(json.dumps({"running": True} | table))
    else:
        now = time.time()
        show(
            [text("역할", "role"), text("상태", "state"), text("지속", "for"),
             text("재시작", "restarts"), text("주소", "address")],
            [
                [name, _STATES.get(role["state"], role["state"]), _span(now - role["since"]),
                 role["restarts"], role["address"]]
                for name, role in table["roles"].items()
            ],
        )  # fmt: skip
    if any(role["state"] != "ready" for role in table["roles"].values()):
        raise typer.Exit(1)


def _span(seconds: float) -> str:
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"


def role(
    name: str = typer.Argument(help=text("역할 이름", "the role's name")),
) -> None:
    from onsil.supervisor.roles import ROLES, run_role

    if name not in ROLES:
        raise BadInput(
            text(f"모르는 역할 {name!r}: {', '.join(ROLES)} 중 하나",
                 f"unknown role {name!r}: one of {', '.join(ROLES)}")
        )  # fmt: skip
    raise typer.Exit(run_role(name))


def add_to(app: typer.Typer) -> None:
    app.command(help=text("모든 역할을 켜고 지켜봅니다.", "Start and watch over everything."))(up)
    app.command(help=text("무엇이 정상인지 보여 줍니다.", "Show what is healthy."))(status)
    app.command(
        help=text("역할 하나만 앞에서 실행합니다.", "Run one role alone in the foreground.")
    )(role)
