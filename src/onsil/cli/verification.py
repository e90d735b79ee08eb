"""`onsil verify`: the whole transparency log against the rows of today, or a bundle by itself."""

import json
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
from onsil.cli.words import language, text
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


def sources():
    """Where the live rows of every kind of leaf are read from."""
    from onsil import footprint, ledger
    from onsil.rewards.proof import AwardEntries

    return {"transfer": ledger.entry_source, "award": AwardEntries(), **footprint.entry_sources}


def _verify_city(conf: Configuration, city: str, public_key: bytes | None) -> int:
    from onsil import proof
    from onsil.core.database import transaction

    with transaction(conf.dsn, city) as conn, progress(city) as tell:
        report = proof.verify(
            conn, city, conf.log_folder, sources(), public_key=public_key, progress=tell
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
    raw = path.read_bytes()
    try:
        table = json.loads(raw)
    except ValueError:
        table = None
    if table is None:
        _verify_receipt(raw.decode("utf-8", "replace"), public_key)
    elif "outputs" in table or "inputs" in table:
        _verify_run_bundle(raw)
    else:
        _verify_proofs(table, public_key)


def _verify_receipt(receipt: str, public_key: bytes | None) -> None:
    from onsil import proof

    if public_key is None:
        raise BadInput(text("영수증에는 --key가 필요합니다", "a receipt wants --key"))
    _tell(proof.verify_receipt(receipt, public_key))


def _verify_run_bundle(raw: bytes) -> None:
    from onsil import footprint

    check = footprint.verify_bundle(raw)
    for finding in check.findings:
        out.print(finding, markup=False)
    if not check.ok:
        refuse(text("묶음이 맞지 않습니다.", "the bundle does not hold."))
    out.print(text(f"실행 {check.run_id}: 맞음", f"run {check.run_id}: true"))


def _verify_proofs(table: object, public_key: bytes | None) -> None:
    """Every proof found in a trace's bundle, wherever it lies in it."""
    from onsil import proof

    bundles = list(_proofs(table))
    if not bundles:
        raise BadInput(text("묶음에 증명이 없습니다", "there is no proof in this bundle"))
    if public_key is None:
        err.print(text("--key가 없어 묶음 안의 공개키로 확인합니다",
                       "without --key, the key inside the bundle is trusted"))  # fmt: skip
    for bundle in bundles:
        _tell(proof.verify_bundle(bundle, public_key))


def _proofs(node: object):
    if isinstance(node, dict):
        if {"checkpoint", "salt"} <= node.keys():
            yield node
        else:
            for value in node.values():
                yield from _proofs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _proofs(value)


def _tell(check) -> None:
    subject = f"{check.kind} {check.subject_id}"
    if not check.valid:
        words = "; ".join(text(f.ko, f.en) for f in check.findings)
        refuse(f"{subject}: {words}" if language() else words)
    out.print(f"{subject}: {text('맞음', 'true')} ({check.origin} #{check.index})", markup=False)


def add_to(app: typer.Typer) -> None:
    app.command(
        help=text("투명성 로그 전체를 지금의 기록과 맞춰 봅니다.",
                  "Check the whole transparency log against the records of today.")
    )(verify)  # fmt: skip
