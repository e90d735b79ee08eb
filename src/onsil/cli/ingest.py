"""`onsil ingest FILE`: somebody's own table of readings into the hub."""

from pathlib import Path

import typer

from onsil.cli.frame import BadInput, CityOption, existing_file, out, progress, work_for
from onsil.cli.words import text


def ingest(
    file: Path = typer.Argument(help=text("CSV 또는 Parquet 파일", "CSV or Parquet file")),
    mapping: Path | None = typer.Option(
        None, "--mapping", "-m",
        help=text("열, 단위, 시간대를 적은 TOML 파일; 없으면 같은 이름의 .toml",
                  "TOML file of columns, units and zone; by default FILE's name with .toml"),
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    from onsil import devices, hub

    existing_file(file)
    plan = devices.read_mapping(_mapping_for(file, mapping, city))
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


def _mapping_for(file: Path, named: Path | None, city: str) -> Path:
    """The mapping named, or the one beside the table; where there is none, a draft is written."""
    from onsil import devices
    from onsil.configuration import configuration
    from onsil.tenancy.cities import city as known_city

    if named is not None:
        return existing_file(named)
    beside = devices.mapping_file_of(file)
    if not beside.exists():
        zone = known_city(city or configuration().default_city).zone.key
        try:
            draft = devices.draft_mapping(file, zone)
        except devices.DecodeError as error:
            raise BadInput(f"{file}: {text(error.ko, error.en)}") from error
        beside.write_text(draft, "utf-8")
        raise BadInput(
            text(f"매핑 초안을 {beside}에 적었습니다. 단위와 시간대를 확인한 뒤 다시 실행하세요.",
                 f"wrote a draft mapping to {beside}: check units and zone, then run this again")
        )  # fmt: skip
    return beside


def add_to(app: typer.Typer) -> None:
    app.command(help=text("자신의 측정값 파일을 들입니다.", "Take in a file of readings."))(ingest)
