"""`onsil quantify` and `onsil recompute`: tonnes from readings, and the same bytes once more."""

from uuid import UUID

import typer

from onsil.cli.frame import (
    BadInput,
    CityOption,
    accepted,
    as_pairs,
    as_period,
    as_uuid,
    installation,
    out,
    progress,
    refuse,
    work_for,
)
from onsil.cli.words import language, text
from onsil.core.database import Connection, transaction

_AT_ONCE = 20
_BOOLEANS = {"true": True, "false": False}


def _authorities(values: list[str]):
    from onsil.footprint import FactorAuthority

    made = []
    for value in values:
        parts = value.split(":")
        if len(parts) not in (4, 5) or not all(parts):
            raise BadInput(
                text("--factors는 사업:계수세트:경계:GWP[:상품] 꼴입니다",
                     "--factors wants programme:set:boundary:gwp[:commodity]")
            )  # fmt: skip
        programme, factor_set, boundary, gwp_set = parts[:4]
        commodity = parts[4] if len(parts) == 5 else "electricity"
        made.append(FactorAuthority(programme, factor_set, boundary, gwp_set, commodity))
    return tuple(made)


def quantify(
    methodology: str = typer.Argument(help=text("방법론", "methodology")),
    series: list[str] = typer.Option(
        ..., "--series", help=text("역할=개체#속성 (여러 번)", "role=entity#attribute (repeatable)")
    ),
    start: str = typer.Option(..., "--from", help=text("시작 (포함)", "first instant")),
    end: str = typer.Option(..., "--to", help=text("끝 (제외)", "end, not included")),
    factors: list[str] = typer.Option(
        ..., "--factors",
        help=text("사업:계수세트:경계:GWP[:상품]", "programme:set:boundary:gwp[:commodity]"),
    ),
    parameter: list[str] = typer.Option(
        [], "--set", help=text("매개변수=값 (여러 번)", "parameter=value (repeatable)")
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    with work_for(city) as (_, conn, code):
        from onsil import footprint
        from onsil.core.clock import SystemClock
        from onsil.tenancy.cities import city as known_city

        known = sorted({one.id for one in footprint.methodologies()})
        if methodology not in known:
            raise BadInput(
                text(f"모르는 방법론 {methodology!r}: {', '.join(known)} 중 하나",
                     f"unknown methodology {methodology!r}: one of {', '.join(known)}")
            )  # fmt: skip
        zone = known_city(code).zone
        parameters = {
            name: _BOOLEANS.get(value, value)
            for name, value in as_pairs(parameter, "--set").items()
        }
        answer = footprint.quantify(
            conn,
            code,
            methodology,
            as_pairs(series, "--series"),
            parameters,
            as_period(start, end, zone),
            _authorities(factors),
            "operator",
            SystemClock(),
            zone=zone,
        )
        run = accepted(answer)
        out.print(f"{run.id}  {run.methodology} v{run.version}  {run.co2e_t} tCO2e"
                  f"  {run.energy_wh} Wh  {run.status}")  # fmt: skip
        if run.refusal is not None:
            out.print(run.refusal.text(language()))


def recompute(
    run: str = typer.Argument("", help=text("산정 실행의 id", "id of the run")),
    every: bool = typer.Option(False, "--all", help=text("모든 산정", "every run")),
    issued: bool = typer.Option(
        False, "--issued", help=text("발행된 산정만", "only those whose tonnes were issued")
    ),
    resume: bool = typer.Option(
        False, "--resume", help=text("멈춘 곳부터 이어서", "go on where the last one stopped")
    ),
    lake: str = typer.Option(
        "", "--lake", metavar="URL",
        help=text("설비 전체의 산정: 레이크 파일부터 다시 (duckdb:// 또는 sc://주소)",
                  "a fleet's run: from the lake's files on (duckdb:// or sc://host:port)"),
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    if every or issued or resume:
        if run or lake:
            raise BadInput(text("--all은 id나 --lake와 함께 쓸 수 없습니다",
                                "--all goes with neither an id nor --lake"))  # fmt: skip
        _recompute_all(issued, resume, city)
        return
    if not run:
        raise BadInput(text("산정의 id나 --all이 필요합니다", "give the id of a run, or --all"))
    with work_for(city) as (_, conn, code):
        from onsil import footprint

        wanted = as_uuid(run)
        if footprint.run(conn, code, wanted) is None:
            refuse(text(f"{code}에 산정 실행 {run}이(가) 없습니다.", f"{code} has no run {run}."))
        if lake:
            _add_up_again(conn, code, wanted, lake)
        again = footprint.recompute(conn, code, wanted)
        out.print(f"{text('저장된 값', 'stored')}     {again.stored_digest}")
        out.print(f"{text('다시 계산', 'recomputed')} {again.recomputed_digest}")
        if again.note:
            out.print(again.note)
        if not again.identical:
            refuse(text("다시 계산한 결과가 저장된 것과 다릅니다.",
                        "the result computed anew differs from the one stored."))  # fmt: skip
        out.print(text("바이트까지 같습니다.", "identical to the byte."))


def _add_up_again(conn: Connection, code: str, run: UUID, url: str) -> None:
    """A fleet's sites from the lake's files, by the engine at the URL, against what the run holds.

    Exit status 1 when they differ, when a file is not what it was, and for another methodology.
    """
    from onsil.footprint.aggregates import recheck_fleet

    again = accepted(recheck_fleet(conn, code, run, url))
    out.print(f"{text('저장된 설비 표', 'stored sites')}   {again.stored_digest}")
    out.print(f"{text('레이크에서 다시', 'from the lake')}  {again.recomputed_digest}")
    if not again.identical:
        refuse(text("레이크에서 다시 더한 값이 산정에 쓰인 것과 다릅니다.",
                    "the sums from the lake differ from those that the run used."))  # fmt: skip


def _recompute_all(issued: bool, resume: bool, city: str) -> None:
    """Every run again, each answer committed a few at a time, so that a stop loses little."""
    with installation() as conf:
        from onsil import footprint
        from onsil.core.clock import SystemClock
        from onsil.core.ids import new_id
        from onsil.tenancy.cities import city as known_city

        code, clock = known_city(city or conf.default_city).code, SystemClock()
        with transaction(conf.dsn, code) as conn:
            sweep = (footprint.last_sweep(conn, code) if resume else None) or new_id()
            state = footprint.sweep_of(conn, code, sweep, issued=issued)
        with progress(text("다시 계산", "recomputing")) as tell:
            tell(state.done, state.total)
            while state.done < state.total:
                with transaction(conf.dsn, code) as conn:
                    for one in footprint.recompute_all(
                        conn, code, "operator", clock, sweep=sweep, issued=issued, limit=_AT_ONCE
                    ):
                        tell(one.done, one.total)
                        if not one.identical:
                            out.print(f"{one.run_id}  {one.methodology} v{one.version}  {one.note}")
                    state = footprint.sweep_of(conn, code, sweep, issued=issued)
    same = state.done - len(state.differing)
    out.print(text(f"산정 {state.total}건 가운데 {same}건이 바이트까지 같습니다.",
                   f"{same} of {state.total} runs are identical to the byte."))  # fmt: skip
    if state.differing:
        refuse(text(f"{len(state.differing)}건의 결과가 저장된 것과 다릅니다.",
                    f"{len(state.differing)} runs differ from what is stored."))  # fmt: skip


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("기간의 측정값에서 감축량을 산정합니다.", "Quantify a period's reduction.")
    )(quantify)
    app.command(
        help=text("산정을 다시 하여 바이트를 견줍니다.", "Compute a run anew; compare bytes.")
    )(recompute)
