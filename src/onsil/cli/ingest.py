"""`onsil ingest FILE`: somebody's own table of readings into the hub."""

from pathlib import Path

import typer

from onsil.cli.frame import BadInput, CityOption, existing_file, out, progress, work_for
from onsil.cli.words import text


def ingest(
    file: Path = typer.Argument(help=text("CSV 또는 Parquet 파일", "CSV or Parquet file")),
    mapping: Path = typer.Option(
        ..., "--mapping", "-m",
        help=text("열, 단위, 시간대를 적은 TOML 파일", "TOML file of columns, units and zone"),
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    from onsil import devices, hub

    plan = devices.read_mapping(existing_file(mapping))
    existing_file(file)
    with work_for(city) as (_, conn, code), progress(file.name) as tell:
        try:
            report = devices.import_table(conn, code, file, plan, progress=tell)
        except devices.DecodeError as error:
            raise BadInput(f"{file}: {text(error.ko, error.en)}") from error
    out.print(
        text(
            f"{report.rows}행: 저장 {report.stored}, 중복 {report.duplicate}, 정정"
            f" {report.corrected}, 지연 {report.late}, 결측 {report.missing}, 격리"
            f" {report.quarantined}",
            f"{report.rows} rows: {report.stored} stored, {report.duplicate} duplicate,"
            f" {report.corrected} corrected, {report.late} late, {report.missing} missing,"
            f" {report.quarantined} quarantined",
        )
    )
    if report.quarantined:
        with work_for(city) as (_, conn, code):
            for entry in hub.quarantine_list(conn, code, limit=min(report.quarantined, 20)):
                out.print("  " + text(entry.ko, entry.en), markup=False)


def add_to(app: typer.Typer) -> None:
    app.command(help=text("자신의 측정값 파일을 들입니다.", "Take in a file of readings."))(ingest)
