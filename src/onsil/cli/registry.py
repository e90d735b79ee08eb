"""`onsil units`: whether every issued unit is somewhere, by blocks, ledger and journal alike."""

import typer

from onsil.cli.frame import CityOption, out, refuse, work_for
from onsil.cli.words import text


def units(city: str = CityOption) -> None:
    with work_for(city) as (_, conn, code):
        from onsil.footprint import credits

        found = credits.conservation_all(conn, code)
        serials = {
            one.batch_id: batch.serials
            for one in found
            if (batch := credits.any_batch(conn, code, one.batch_id)) is not None
        }
    for one in found:
        states = ", ".join(f"{name} {n}" for name, n in one.states.items() if n)
        sign = "✓" if one.whole else "✗ " + " ".join(finding for finding, _ in one.findings)
        out.print(f"{sign}  {serials[one.batch_id]}  {one.issued} = {states or 0}", markup=False)
    broken = sum(not one.whole for one in found)
    if broken:
        refuse(text(f"맞지 않는 묶음이 {broken}개 있습니다.", f"{broken} batches do not add up."))
    out.print(text(f"묶음 {len(found)}개, 모두 맞음", f"{len(found)} batches, all true"))


def add_to(app: typer.Typer) -> None:
    app.command(
        "units",
        help=text(
            "발행한 크레딧이 모두 어디엔가 있는지 세어 봅니다.",
            "Count where every issued unit is, three ways.",
        ),
    )(units)
