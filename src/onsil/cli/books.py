"""`onsil statement` and `onsil books …`: statements, bank files and the daily close."""

import sys
from datetime import date
from pathlib import Path

import typer

from onsil.cli.frame import (
    BadInput,
    CityOption,
    accepted,
    as_period,
    existing_file,
    installation,
    out,
    show,
)
from onsil.cli.words import language, text
from onsil.core.refusal import Refusal

FORMS = ("csv", "xlsx", "pdf")


def statement(
    account: str = typer.Argument(help="citizen:… merchant:… trust:local …"),
    asset: str = typer.Argument(help="KRW, local:<city>, point:<programme> …"),
    start: str = typer.Option(..., "--from", help=text("첫 날(포함)", "first day, included")),
    until: str = typer.Option(..., "--until", help=text("끝(포함하지 않음)", "end, not included")),
    form: str = typer.Option("csv", "--format", help=", ".join(FORMS)),
    to: Path = typer.Option(
        None, "--out", help=text("파일(없으면 표준 출력)", "file; standard output without it")
    ),
    city: str = CityOption,
) -> None:
    if form not in FORMS:
        raise BadInput(text(f"형식은 {', '.join(FORMS)} 가운데 하나입니다",
                            f"the format is one of {', '.join(FORMS)}"))  # fmt: skip
    if to is None and form != "csv" and sys.stdout.isatty():
        raise BadInput(text("이 형식은 --out으로 파일에 받으세요", "take this format with --out"))
    with installation() as conf:
        from onsil.citizen.services import statements
        from onsil.core.clock import SystemClock
        from onsil.ledger.statements import download, read_statement
        from onsil.tenancy import transaction
        from onsil.tenancy.cities import city as known_city

        profile = known_city(city or conf.default_city)
        period = as_period(start, until, profile.zone)
        with transaction(profile.code) as conn:
            made = accepted(
                read_statement(conn, profile.code, account, asset, period, SystemClock())
            )
            paper = statements.paper(
                conn, profile.code, "official", language(), "", f"{conf.web_address}/verify/"
            )
        found = accepted(download(made, paper, form))
        if to is None:
            for chunk in found.chunks:
                sys.stdout.buffer.write(chunk)
            return
        with to.open("wb") as file:
            for chunk in found.chunks:
                file.write(chunk)
    out.print(text(f"{to}에 {made.count:,}건을 적었습니다", f"{made.count:,} entries in {to}"))


def bring_in(
    path: Path = typer.Argument(help=text("은행·카드사 파일", "a bank's or card network's file")),
    account: str = typer.Option(..., "--account", help=text("계좌 코드", "code of the account")),
    form: str = typer.Option(..., "--format", help=text("파일 형식", "format of the file")),
    city: str = CityOption,
) -> None:
    content = existing_file(path).read_bytes()
    with installation() as conf:
        from onsil.console.books import work
        from onsil.core.clock import SystemClock

        code = city or conf.default_city
        done = work.bring_in(code, account, form, path.name, content, "cli", SystemClock())
        if isinstance(done, Refusal):
            _bad_lines(done)
        report, matched = accepted(done)
    out.print(
        text(f"새로운 {report.fresh}줄, 맞춘 {matched.matches}건, 열린 {matched.open_bank}줄",
             f"{report.fresh} new lines, {matched.matches} matches, {matched.open_bank} open")
    )  # fmt: skip


def _bad_lines(no: Refusal) -> None:
    columns = [text("줄", "line"), text("칸", "field"), text("적힌 것", "value"),
               text("까닭", "why")]  # fmt: skip
    rows = [
        [b.number, b.field, b.value, text(b.ko, b.en)] for b in no.facts.get("lines", ())
    ]  # fmt: skip
    if rows:
        show(columns, rows)


def close(
    day: str = typer.Argument(help=text("마감할 날", "the day to close")), city: str = CityOption
) -> None:
    try:
        which = date.fromisoformat(day)
    except ValueError:
        raise BadInput(text(f"{day!r}은(는) 날짜가 아닙니다", f"{day!r} is no date")) from None
    with installation() as conf:
        from onsil.console.books import work
        from onsil.core.clock import SystemClock
        from onsil.ledger import closing
        from onsil.tenancy import transaction
        from onsil.tenancy.cities import city as known_city

        profile = known_city(city or conf.default_city)
        with transaction(profile.code) as conn:
            ground = closing.Ground(
                conn, profile.code, work.setup_of(profile.code), profile.zone, SystemClock()
            )
            made = closing.close_day(ground, which, "cli")
        if isinstance(made, Refusal):
            rows = [[text(r.ko, r.en)] for r in made.facts.get("reasons", ())]
            if rows:
                show([text("막는 까닭", "in the way")], rows)
        done = accepted(made)
    out.print(
        text(f"{done.day} 마감, 지문 {done.digest}", f"{done.day} closed, hash {done.digest}")
    )


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("계정의 거래내역서를 CSV·XLSX·PDF로 만듭니다.",
                  "A statement of any account as CSV, XLSX or PDF.")
    )(statement)  # fmt: skip
    books = typer.Typer(
        no_args_is_help=True,
        help=text("은행 파일과 일일 마감.", "Bank files and the daily close."),
    )
    books.command(
        "import", help=text("은행·카드사 파일을 들이고 맞춥니다.", "Take a file in and match it.")
    )(bring_in)
    books.command("close", help=text("하루를 마감합니다.", "Close a day that is in order."))(close)
    app.add_typer(books, name="books")
