"""`onsil verify`: the whole transparency log against the rows of today, or a bundle by itself."""

import json
from collections.abc import Iterable
from pathlib import Path

import typer

from onsil.cli.frame import (
    BadInput,
    CityOption,
    err,
    existing_file,
    installation,
    out,
    progress,
    refuse,
)
from onsil.cli.words import text
from onsil.configuration import Configuration


def verify(
    file: Path | None = typer.Argument(
        None, help=text("묶음(JSON) 또는 영수증; 없으면 로그 전체", "a bundle (JSON) or receipt;"
                        " without it the whole log")
    ),
    key: str = typer.Option(
        "", "--key", help=text("도시의 공개키 (16진수)", "the city's public key, in hex")
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    if file:
        _verify_file(existing_file(file), _public_key(key))
        return
    with installation() as conf:
        from onsil.tenancy.cities import all_cities
        from onsil.tenancy.cities import city as known_city

        codes = [known_city(city).code] if city else list(all_cities())
        findings = sum(_verify_city(conf, code, _public_key(key)) for code in codes)
    if findings:
        refuse(text(f"어긋남 {findings}건을 찾았습니다.", f"{findings} findings."))


def _verify_city(conf: Configuration, city: str, public_key: bytes | None) -> int:
    from onsil import proof
    from onsil.core.database import transaction
    from onsil.rewards.entries import log_sources

    with transaction(conf.dsn, city) as conn, progress(city) as tell:
        report = proof.verify(
            conn, city, conf.log_folder, log_sources(), public_key=public_key, progress=tell
        )
    for finding in report.findings:
        subject = f"{finding.kind} {finding.subject_id}" if finding.subject_id else ""
        out.print(f"{city}  {finding.code}  {subject}  {text(finding.ko, finding.en)}",
                  markup=False)  # fmt: skip
    words = text(
        f"{city}: 잎 {report.leaves}개, 행 {report.rows}개, 대기 {report.pending}개",
        f"{city}: {report.leaves} leaves, {report.rows} rows, {report.pending} waiting",
    )
    out.print(words + "  " + (text("모두 맞음", "all true") if report.ok else "✗"))
    if report.truncated:
        out.print(text("어긋남이 더 있습니다", "there are more findings"))
    return len(report.findings)


def _public_key(value: str) -> bytes | None:
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raw = b"?"
    if value and len(raw) != 32:
        raise BadInput(text("--key는 64자리 16진수입니다", "--key wants 64 hexadecimal digits"))
    return raw or None


def _verify_file(path: Path, public_key: bytes | None) -> None:
    """Check a receipt or a bundle with no database at all."""
    from onsil import footprint, proof
    from onsil.portal import bundle

    raw = path.read_bytes()
    form = _format(raw)
    if public_key is None and form != "receipt":
        err.print(text("--key가 없어 파일 안의 공개키를 믿고 확인합니다",
                       "without --key, the key inside the file is trusted"))  # fmt: skip
    match form.split("@")[0]:
        case "receipt":
            if public_key is None:
                raise BadInput(text("영수증에는 --key가 필요합니다", "a receipt wants --key"))
            check = proof.verify_receipt(raw.decode("utf-8", "replace"), public_key)
            _tell(check.valid, check.findings, f"{check.origin} #{check.index}")
        case "onsil-proof-bundle":
            check = proof.verify_bundle(json.loads(raw), public_key)
            _tell(check.valid, check.findings, f"{check.kind} {check.subject_id}")
        case "onsil-trace-bundle":
            found = bundle.verify_trace_bundle(json.loads(raw), public_key)
            words = text(f"증명 {found.checked}개", f"{found.checked} proofs")
            _tell(found.ok, found.findings, words)
        case _:
            run = footprint.verify_bundle(raw)
            _tell(run.ok, run.findings, text(f"산정 실행 {run.run_id}", f"run {run.run_id}"))


def _format(raw: bytes) -> str:
    """What the file says it is; anything but JSON is taken for a receipt."""
    try:
        table = json.loads(raw)
    except ValueError:
        return "receipt"
    if not isinstance(table, dict) or not isinstance(table.get("format"), str):
        raise BadInput(text("온실의 묶음이 아닙니다", "not a bundle of ours"))
    return table["format"]


def _tell(good: bool, findings: Iterable[str], subject: str) -> None:
    for finding in findings:
        out.print(finding, markup=False)
    if not good:
        refuse(text("증명이 맞지 않습니다.", "the proof does not hold."))
    out.print(f"{subject}: {text('맞음', 'true')}", markup=False)


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("투명성 로그 전체를 지금의 기록과 맞춰 봅니다.",
                  "Check the whole transparency log against the records of today.")
    )(verify)  # fmt: skip
