"""`onsil verify`: a receipt or bundle by itself, a published log, or ours against today's rows."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from onsil.proof import ReceiptCheck


def verify(
    file: Path | None = typer.Argument(
        None, help=text("영수증 또는 묶음(JSON); 없으면 로그 전체", "a receipt or a bundle (JSON);"
                        " without it the whole log")
    ),
    key: list[str] = typer.Option(
        [], "--key", help=text("로그의 공개 열쇠 (이름+id+열쇠, 또는 16진수)",
                               "a log's key (name+id+key, or hex)")
    ),
    policy: Path | None = typer.Option(
        None, "--policy", help=text("증인과 정족수의 정책 파일", "a policy of witnesses")
    ),
    rpc: str = typer.Option(
        "", "--rpc", help=text("체인 고정을 물을 JSON-RPC 주소", "JSON-RPC to ask about the anchor")
    ),
    as_json: bool = typer.Option(
        False, "--json", help=text("결과를 JSON으로", "the result as JSON")
    ),
    log: str = typer.Option(
        "", "--log", help=text("공개된 로그의 주소; 전체를 확인", "a published log's address")
    ),
    city: str = CityOption,
) -> None:  # fmt: skip
    if log:
        _verify_log_at(log, key, policy)
        return
    if file:
        _verify_file(existing_file(file), key, policy, rpc, as_json)
        return
    with installation() as conf:
        from onsil.tenancy.cities import all_cities
        from onsil.tenancy.cities import city as known_city

        codes = [known_city(city).code] if city else list(all_cities())
        findings = sum(_verify_city(conf, code, _public_key(key)) for code in codes)
    if findings:
        refuse(text(f"어긋남 {findings}건을 찾았습니다.", f"{findings} findings."))


def _verify_log_at(address: str, keys: list[str], policy: Path | None) -> None:
    """Check a published log from its files alone: signatures, witnesses, every tile and leaf."""
    from onsil import proof
    from onsil.proof.policy import Policy, PolicyError
    from onsil.proof.published import verify_published
    from onsil.proof.store import HttpStore

    try:
        trusted = Policy.parse(existing_file(policy).read_text("utf-8")) if policy else None
        known = [proof.VerifierKey.parse(key) for key in keys]
    except (proof.NoteError, PolicyError, UnicodeDecodeError) as error:
        raise BadInput(_unusable(error)) from error
    if not known and trusted:
        known = [one.key for one in trusted.logs]
    if not known:
        held = HttpStore(address).read("verifier-key")
        known = [proof.VerifierKey.parse(held[0].decode())] if held else []
        err.print(text("--key가 없어 그 주소가 알린 공개 열쇠를 믿고 확인합니다",
                       "without --key, the key published at the address is trusted"))  # fmt: skip
    with progress(address) as tell:
        check = verify_published(address, known, policy=trusted, progress=tell)
    for ko, en in check.findings:
        out.print(f"✗ {text(ko, en)}", markup=False)
    for name, cosigned in sorted(check.cosigned.items()):
        out.print(text("증인의 서명", "cosigned by") + f": {name} {cosigned.at:%Y-%m-%dT%H:%M:%SZ}")
    if not check.ok or check.checkpoint is None:
        refuse(text("로그가 맞지 않습니다.", "the log does not hold."))
    size = check.checkpoint.size
    out.print(text(f"{check.checkpoint.origin}: 잎 {size}개 모두 맞음",
                   f"{check.checkpoint.origin}: {size} leaves, all true"))  # fmt: skip


def _unusable(error: Exception) -> str:
    return text(f"열쇠나 정책을 쓸 수 없습니다: {error}",
                f"the key or the policy cannot be used: {error}")  # fmt: skip


def _verify_city(conf: Configuration, city: str, public_key: bytes | None) -> int:
    from onsil import proof
    from onsil.core.database import transaction
    from onsil.rewards.entries import log_sources

    with transaction(conf.dsn, city) as conn, progress(city) as tell:
        report = proof.verify(
            conn, city, conf.log_home, log_sources(), public_key=public_key, progress=tell
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


def _public_key(values: list[str]) -> bytes | None:
    """The 32 bytes of the one key given, in hex or as a verifier key; None without one."""
    from onsil import proof

    if not values:
        return None
    try:
        if "+" in values[0]:
            return proof.parse_verifier_key(values[0])[1]
        raw = bytes.fromhex(values[0])
    except ValueError:
        raw = b""
    if len(raw) != 32 or len(values) > 1:
        raise BadInput(text("--key는 이름+id+열쇠 하나, 또는 64자리 16진수 하나입니다",
                            "--key wants one name+id+key or 64 hexadecimal digits"))  # fmt: skip
    return raw


def _verify_file(path: Path, keys: list[str], policy: Path | None, rpc: str, as_json: bool) -> None:
    """Check a receipt or a bundle with no database at all."""
    from onsil import footprint, proof
    from onsil.portal import bundle

    raw = path.read_bytes()
    if raw.startswith(b"PK"):
        run = footprint.verify_archive(raw)
        _tell(run.ok, run.findings, text(f"산정 실행 {run.run_id}", f"run {run.run_id}"))
        return
    form = _format(raw)
    if form == "receipt":
        _verify_receipt(raw, keys, policy, rpc, as_json)
        return
    public_key = _public_key(keys)
    if public_key is None:
        err.print(text("--key가 없어 파일 안의 공개키를 믿고 확인합니다",
                       "without --key, the key inside the file is trusted"))  # fmt: skip
    match form.split("@")[0]:
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


def _verify_receipt(
    raw: bytes, keys: list[str], policy: Path | None, rpc: str, as_json: bool
) -> None:
    """Check a receipt against logs' keys and a policy; exit status 1 when anything is wrong."""
    from onsil import proof

    if not keys and policy is None:
        raise BadInput(text("영수증에는 --key나 --policy가 필요합니다",
                            "a receipt wants --key or --policy"))  # fmt: skip
    try:
        words = existing_file(policy).read_text("utf-8") if policy else ""
        check = proof.verify_receipt(raw, [_log_key(key, raw) for key in keys], words)
    except (proof.NoteError, UnicodeDecodeError) as error:
        raise BadInput(_unusable(error)) from error
    anchored = _anchored(check, rpc) if rpc else None
    if as_json:
        asked = {} if anchored is None else {"anchored": anchored[0]}
        out.print(json.dumps({**check.shown, **asked}, ensure_ascii=False), markup=False)
    else:
        out.print("\n".join(check.lines(language())), markup=False)
        if anchored is not None:
            out.print(f"  {'' if anchored[0] else '✗ '}{anchored[1]}", markup=False)
    if not check.valid or (anchored is not None and not anchored[0]):
        raise typer.Exit(1)


def _anchored(check: "ReceiptCheck", rpc: str) -> tuple[bool, str]:
    """Whether the chain holds the tree that the receipt says is anchored, and that in words."""
    from onsil.proof import Checkpoint, anchors

    found = check.anchor
    kind, _, rest = str(found["place"] if found else "").partition(":")
    chain, _, contract = rest.partition(":")
    if found is None or kind != "evm" or not chain.isdigit():
        return False, text("체인에 물을 것이 영수증에 없습니다.",
                           "The receipt names no chain to ask.")  # fmt: skip
    held = Checkpoint(check.shown["leaf"]["origin"], found["size"], bytes.fromhex(found["root"]))
    anchor = anchors.EvmAnchor(anchors.Node(rpc), anchors.address(contract), int(chain))
    asked = anchor.verify(held)
    if not asked.holds:
        return False, "; ".join(no.text(language()) for no in asked.findings)
    warning = text(" (개발용 체인이며, 바깥 사람에게는 아무것도 증명하지 않습니다)",
                   " (a development chain: it proves nothing to outsiders)")  # fmt: skip
    return True, text(f"체인이 크기 {found['size']}의 나무를 가지고 있습니다: {asked.place}",
                      f"the chain holds the tree of size {found['size']}: {asked.place}") + (
        warning if asked.development else ""
    )  # fmt: skip


def _log_key(value: str, receipt: bytes) -> str:
    """A verifier key as given; 32 bytes in hex are taken for the key of the receipt's own log."""
    from onsil import proof

    public_key = None if "+" in value else _public_key([value])
    if public_key is None:
        return value
    origin = receipt.decode("utf-8", "replace").partition("\n\n")[2].partition("\n")[0]
    return proof.verifier_key(origin, public_key)


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
        help=text("영수증이나 공개된 로그를, 또는 우리 로그 전체를 지금의 기록과 맞춰 봅니다.",
                  "Check a receipt, a published log, or our whole log against today's records.")
    )(verify)  # fmt: skip
