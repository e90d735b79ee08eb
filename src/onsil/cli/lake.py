"""`onsil lake`: closed months as Parquet files, put there, checked and listed by the operator."""

import json
from datetime import UTC, date, datetime

import typer

from onsil.cli.frame import BadInput, installation, out, refuse, show
from onsil.cli.words import text
from onsil.core.refusal import OperationError

lake_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
JsonOption = typer.Option(False, "--json", help=text("JSON으로", "as JSON"))
CityArgument = typer.Argument("", help=text("도시 코드; 없으면 모두", "a city's code; else all"))
_STATES = {
    "dropped": text("내보냄", "exported"),
    "gone": text("없음", "nothing there"),
    "changed": text("그사이 바뀜; 다시 실행", "changed meanwhile; run again"),
}


@lake_app.command("export", help=text("끝난 달을 파일로 내보냅니다", "export months that are over"))
def export(
    before: str = typer.Option(
        "", "--before", help=text("이 달 전까지 (예: 2026-10; 기본값은 지난달 전)",
                                  "up to this month (2026-10; default: the one before last)")
    ),
    as_json: bool = JsonOption,
) -> None:  # fmt: skip
    """Export, verify and drop each month that ended before; what was done already stays."""
    from onsil.core.clock import SystemClock
    from onsil.core.database import ALL_CITIES, connect
    from onsil.hub.lake.export import close_month, open_months

    limit = _month(before) if before else _month_before_last()
    with installation() as conf, connect(conf.dsn, ALL_CITIES) as conn:
        closed = [close_month(conn, month, SystemClock()) for month in open_months(conn, limit)]
    if as_json:
        for one in closed:
            files = [{"city": e.city, "path": e.path, "rows": e.rows, "fresh": e.fresh}
                     for e in one.exported]  # fmt: skip
            print(json.dumps({"month": f"{one.month:%Y-%m}", "state": one.state, "files": files}))
    elif closed:
        rows = [[f"{c.month:%Y-%m}", _STATES[c.state], len(c.exported),
                 sum(e.rows for e in c.exported)] for c in closed]  # fmt: skip
        show([text("달", "month"), text("상태", "state"), text("파일", "files"),
              text("측정값", "points")], rows)  # fmt: skip
    else:
        out.print(text("내보낼 달이 없습니다.", "There is no month to export."))
    if any(one.state == "changed" for one in closed):
        raise typer.Exit(1)


@lake_app.command("verify", help=text("파일과 해시 사슬을 확인합니다", "check files and chain"))
def verify(city: str = CityArgument) -> None:
    """Read every file back and hold it against its manifest, each linked to the one before."""
    from onsil.core.database import ALL_CITIES, connect
    from onsil.hub.lake.export import manifests, verify_chain

    with installation() as conf, connect(conf.dsn, ALL_CITIES) as conn:
        known = sorted({one.city for one in manifests(conn, city or None)})
        if city and not known:
            raise BadInput(text(f"{city}: 내보낸 것이 없습니다.", f"{city}: nothing was exported"))
        for one in known:
            try:
                count = verify_chain(conn, one)
            except (OperationError, OSError, ValueError) as error:
                refuse(str(error))
            out.print(text(f"{one}: 목록 {count}개가 맞습니다.", f"{one}: {count} manifests fit."))


@lake_app.command("list", help=text("내보낸 달을 보여 줍니다", "list what was exported"))
def list_files(city: str = CityArgument, as_json: bool = JsonOption) -> None:
    """Every export in order, with its manifest's hash."""
    from onsil.core.database import ALL_CITIES, connect
    from onsil.hub.lake.export import manifests

    with installation() as conf, connect(conf.dsn, ALL_CITIES) as conn:
        found = manifests(conn, city or None)
    if as_json:
        for one in found:
            print(json.dumps({**one._asdict(), "month": f"{one.month:%Y-%m}"}))
        return
    show(
        [text("도시", "city"), text("달", "month"), "r", text("측정값", "points"),
         text("바이트", "bytes"), text("파일", "file"), "sha256"],
        [[m.city, f"{m.month:%Y-%m}", m.revision, m.rows, m.bytes, m.path, m.sha256[:16]]
         for m in found],
    )  # fmt: skip


def _month(given: str) -> date:
    try:
        return datetime.strptime(given, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        sentence = text(f"달은 2026-10처럼 씁니다: {given}", f"a month is like 2026-10: {given}")
        raise BadInput(sentence) from None


def _month_before_last() -> date:
    """Last month is left a while, as readings of its end still come in."""
    first = datetime.now(UTC).date().replace(day=1)
    return (first.replace(year=first.year - 1, month=12) if first.month == 1
            else first.replace(month=first.month - 1))  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Make the commands known."""
    app.add_typer(lake_app, name="lake", help=text("끝난 달의 파일", "closed months as files"))
