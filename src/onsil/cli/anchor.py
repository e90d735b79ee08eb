"""`onsil anchor`: checkpoints on an EVM chain, put there and checked, by the operator or anybody.

`verify` with a checkpoint, a node and a contract works without an installation or a database.
"""

import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from onsil.cli.frame import (
    BadInput,
    err,
    existing_file,
    installation,
    out,
    refuse,
    show,
)
from onsil.cli.words import language, text
from onsil.configuration import Configuration, configuration
from onsil.core.refusal import OperationError, Refusal

if TYPE_CHECKING:
    from onsil.proof import Checkpoint
    from onsil.proof.anchors import AnchorCheck, AnchorRecord, EvmAnchor

_NOTE_BYTES_MAX = 65_536
_STATES = {
    "sending": text("보냄", "sent"),
    "pending": text("확정 대기", "pending"),
    "confirmed": text("확정", "confirmed"),
    "vanished": text("사라짐", "vanished"),
    "failed": text("실패", "failed"),
}

anchor_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
CityArgument = typer.Argument("", help=text("도시 코드", "code of the city"))
JsonOption = typer.Option(False, "--json", help=text("JSON으로", "as JSON"))


@anchor_app.command("deploy", help=text("컨트랙트를 배포합니다", "deploy the contract"))
def deploy(
    again: bool = typer.Option(
        False, "--again", help=text("이미 있어도 새로", "another one, though there is one")
    ),
    as_json: bool = JsonOption,
) -> None:
    """Deploy to the chain of the settings; the address is remembered in the data folder."""
    from onsil.cli.frame import accepted, prepared_configuration
    from onsil.proof import anchors
    from onsil.supervisor import anchoring

    conf = prepared_configuration()
    table = anchoring.settings_of(conf)
    if not table["evm_rpc_url"]:
        raise BadInput(_no_node())
    key = anchors.load_key(table["evm_key"], table["evm_key_file"], table["evm_key_password"])
    if key is None:
        raise BadInput(text("evm_key_file이나 ONSIL_EVM_KEY로 키를 주세요",
                            "give a key with evm_key_file or ONSIL_EVM_KEY"))  # fmt: skip
    node = anchors.Node(table["evm_rpc_url"])
    if node.chain_id != table["evm_chain_id"]:
        raise BadInput(text(f"evm_chain_id를 노드의 체인 번호 {node.chain_id}(으)로 설정하세요",
                            f"set evm_chain_id to the node's chain, {node.chain_id}"))  # fmt: skip
    anchoring.fund_locally(conf, node, key)
    made = accepted(
        anchors.deploy(
            node, key, anchoring.chain_folder(conf), again=again,
            max_fee_wei=conf.evm_max_fee_gwei * anchors.GWEI,
        )
    )  # fmt: skip
    if as_json:
        out.print_json(data={"contract": made.contract, "chain_id": made.chain_id,
                             "transaction": made.transaction, "owner": made.sender})  # fmt: skip
        return
    out.print(f"{made.contract}  {text('체인', 'chain')} {made.chain_id}  {made.transaction}")
    _warn_of_development(node.development)


@anchor_app.command("now", help=text("지금 기록합니다", "anchor now"))
def now(
    city: str = CityArgument,
    wait: float = typer.Option(
        120.0, "--wait", help=text("확정을 기다리는 시간(초)", "seconds to wait for confirmation")
    ),
    as_json: bool = JsonOption,
) -> None:
    with installation() as conf:
        from onsil.core.clock import SystemClock
        from onsil.proof.anchors import AnchorRecord
        from onsil.supervisor import anchoring

        code = _known(city, conf)
        answers = anchoring.anchor_city_now(conf, code, SystemClock(), wait_s=wait)
        if not answers:
            raise BadInput(_no_node())
        records = [answer for answer in answers if isinstance(answer, AnchorRecord)]
        refused = [answer for answer in answers if isinstance(answer, Refusal)]
        _show_records(records, as_json, refused)
        good = records and all(record.state in ("pending", "confirmed") for record in records)
        if refused or not good:
            raise typer.Exit(1)


@anchor_app.command("list", help=text("기록한 것의 목록", "list what was anchored"))
def list_anchors(
    city: str = CityArgument,
    limit: int = typer.Option(50, "--limit", min=1, max=1000, help=text("개수", "how many")),
    as_json: bool = JsonOption,
) -> None:
    with installation() as conf:
        from onsil.core.database import connect
        from onsil.proof import anchors

        code = _known(city, conf)
        with connect(conf.dsn, code) as conn:
            _show_records(anchors.recent(conn, code, limit), as_json, [])


@anchor_app.command("verify", help=text("체인과 맞춰 봅니다", "check against the chain"))
def verify(
    city: str = CityArgument,
    checkpoint: str = typer.Option(
        "", "--checkpoint",
        help=text("체크포인트 파일이나 주소; 없으면 도시의 기록 모두",
                  "a checkpoint's file or URL; without it, all that the city has anchored"),
    ),
    rpc: str = typer.Option("", "--rpc", help=text("노드의 JSON-RPC 주소", "a node's URL")),
    contract: str = typer.Option("", "--contract", help=text("컨트랙트 주소", "its address")),
    key: str = typer.Option(
        "", "--key", help=text("도시의 공개키 (16진수 또는 검증키)", "the city's public key, in hex"
                               " or as a verifier key")
    ),
    as_json: bool = JsonOption,
) -> None:  # fmt: skip
    place = _place(configuration(), rpc, contract)
    if checkpoint:
        subjects = [_Subject(_opened(_fetched(checkpoint), key), signed=bool(key))]
    else:
        subjects = _anchored_by(city, place)
    results = [(subject, place.verify(subject.checkpoint)) for subject in subjects]
    if as_json:
        out.print_json(data=[_as_table(subject, check) for subject, check in results])
    for subject, check in () if as_json else results:
        _tell(subject, check)
    if not all(check.holds and not subject.problem for subject, check in results):
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Subject:
    """A checkpoint to look up; `signed`: its signature was checked; `problem`: not our log's."""

    checkpoint: "Checkpoint"
    signed: bool
    problem: str = ""


def _place(conf: Configuration, rpc: str, contract: str) -> "EvmAnchor":
    """Where to look, from the options or else the settings."""
    from onsil.proof import anchors

    if rpc and contract:
        return anchors.EvmAnchor(anchors.Node(rpc), anchors.address(contract))
    from onsil.supervisor import anchoring

    table = anchoring.settings_of(conf)
    rpc, contract = rpc or table["evm_rpc_url"], contract or table["evm_contract"]
    if not rpc:
        raise BadInput(_no_node())
    if not contract:
        raise BadInput(text("--contract로 컨트랙트 주소를 주세요", "say --contract ADDRESS"))
    chain_id = table["evm_chain_id"] if rpc == table["evm_rpc_url"] else 0
    return anchors.EvmAnchor(anchors.Node(rpc), anchors.address(contract), chain_id)


def _fetched(source: str) -> str:
    """A checkpoint's text from a file or the web."""
    try:
        if source.startswith(("https://", "http://")):
            with urllib.request.urlopen(source, timeout=20) as answer:  # noqa: S310
                return answer.read(_NOTE_BYTES_MAX).decode("utf-8")
        return existing_file(Path(source)).read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(_no_checkpoint(source)) from None
    except OSError as error:
        raise OperationError(f"{source}: {error}", retry=True) from error


def _opened(note: str, key: str) -> "Checkpoint":
    """The checkpoint in a note; with a key, only when that has signed it."""
    from onsil.proof import NoteError, open_checkpoint
    from onsil.proof.checkpoint import parse_text

    try:
        if key:
            return open_checkpoint(note, _public_key(key))
        head, separator, _ = note.partition("\n\n")
        return parse_text(head + "\n" if separator else note, note)
    except NoteError as error:
        if key:
            refuse(text(f"체크포인트의 서명이 맞지 않습니다: {error}",
                        f"the checkpoint is not signed by this key: {error}"))  # fmt: skip
        raise BadInput(_no_checkpoint(str(error))) from None


def _public_key(value: str) -> bytes:
    from onsil.proof import NoteError, parse_verifier_key

    try:
        raw = parse_verifier_key(value)[1] if "+" in value else bytes.fromhex(value)
    except (NoteError, ValueError):
        raw = b""
    if len(raw) != 32:
        raise BadInput(text("--key는 64자리 16진수나 검증키입니다",
                            "--key wants 64 hexadecimal digits or a verifier key"))  # fmt: skip
    return raw


def _anchored_by(city: str, place: "EvmAnchor") -> list[_Subject]:
    """What the contract holds of a city's logs, each beside the root of that size in the log here.

    So whatever the operator's database says, the log that is served is the one that was anchored.
    """
    from onsil import proof
    from onsil.cli.frame import prepared_configuration
    from onsil.proof.merkle import root_hash

    conf = prepared_configuration()
    code = _known(city, conf)
    found: list[_Subject] = []
    for year in proof.log_years(conf.log_folder, code):
        name, log = proof.origin(code, year), proof.log_folder(conf.log_folder, code, year)
        for head in place.history(name, limit=1000):
            problem, root = "", head.root
            try:
                root = root_hash(log.hashes(head.size), head.size)
            except OperationError as error:
                problem = str(error)
            found.append(_Subject(proof.Checkpoint(name, head.size, root), False, problem))
    if not found:
        refuse(text(f"{code}: 체인에 기록된 것이 없습니다.", f"{code}: the chain holds nothing."))
    return found


def _known(city: str, conf: Configuration) -> str:
    from onsil.tenancy.cities import city as known_city

    return known_city(city or conf.default_city).code


def _tell(subject: _Subject, check: "AnchorCheck") -> None:
    checkpoint, proof = subject.checkpoint, check.proof
    name = f"{checkpoint.origin}  {text('크기', 'size')} {checkpoint.size}"
    for words in filter(None, [subject.problem, *(f.text(language()) for f in check.findings)]):
        out.print(f"✗ {name}: {words}", markup=False)
    if check.holds and proof is not None and not subject.problem:
        at = f"{proof.block_time:%Y-%m-%d %H:%M:%S} UTC" if proof.block_time else ""
        out.print(f"✓ {name}: " + text(
            f"체인에 그대로 있음, 블록 {proof.block_number} ({at}), {proof.depth}번 확인,"
            f" {check.place} {proof.transaction}",
            f"held exactly, in block {proof.block_number} ({at}), {proof.depth} confirmations,"
            f" {check.place} {proof.transaction}",
        ), markup=False)  # fmt: skip
    if not subject.signed and subject.checkpoint.note:
        err.print(text("--key가 없어 체크포인트의 서명은 확인하지 않았습니다",
                       "without --key, the checkpoint's signature was not checked"))  # fmt: skip
    _warn_of_development(check.development)


def _as_table(subject: _Subject, check: "AnchorCheck") -> dict[str, Any]:
    checkpoint, proof = subject.checkpoint, check.proof
    return {
        "origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(),
        "holds": check.holds and not subject.problem, "place": check.place,
        "development": check.development, "signature_checked": subject.signed,
        "findings": [{"code": f.code, "text": f.text(language())} for f in check.findings]
        + ([{"code": "log-damaged", "text": subject.problem}] if subject.problem else []),
        "newest_size": check.newest_size,
        "block_number": proof.block_number if proof else None,
        "block_time": proof.block_time.isoformat() if proof and proof.block_time else None,
        "transaction": proof.transaction if proof else "",
        "confirmations": proof.depth if proof else 0,
    }  # fmt: skip


def _show_records(records: list["AnchorRecord"], as_json: bool, refused: list[Refusal]) -> None:
    if as_json:
        out.print_json(data={
            "anchors": [_record_table(record) for record in records],
            "refused": [{"code": r.code, "text": r.text(language())} for r in refused],
        })  # fmt: skip
        return
    if records:
        show(
            [text("로그", "log"), text("크기", "size"), text("상태", "state"),
             text("블록", "block"), text("때 (UTC)", "at (UTC)"), text("곳", "place")],
            [
                [f"{r.city}/{r.year}", r.size, _STATES[r.state], r.block_number or "–",
                 f"{r.block_time or r.at:%Y-%m-%d %H:%M}", r.place]
                for r in records
            ],
        )  # fmt: skip
    elif not refused:
        out.print(text("기록한 것이 없습니다.", "nothing has been anchored."))
    for record in records:
        if record.problem_en:
            out.print(f"✗ {record.size}: {text(record.problem_ko, record.problem_en)}",
                      markup=False)  # fmt: skip
    for refusal in refused:
        err.print(refusal.text(language()), markup=False)
    _warn_of_development(any(record.development for record in records))


def _record_table(record: "AnchorRecord") -> dict[str, Any]:
    return {
        "city": record.city, "year": record.year, "size": record.size, "root": record.root.hex(),
        "state": record.state, "at": record.at.isoformat(), "place": record.place,
        "development": record.development, "transaction": record.transaction,
        "block_number": record.block_number, "confirmations": record.confirmations,
        "block_time": record.block_time.isoformat() if record.block_time else None,
        "problem": text(record.problem_ko, record.problem_en),
    }  # fmt: skip


def _warn_of_development(development: bool) -> None:
    if development:
        err.print(text("이것은 개발용 체인이며, 바깥 사람에게는 아무것도 증명하지 않습니다.",
                       "This is a development chain: it proves nothing to outsiders."))  # fmt: skip


def _no_node() -> str:
    return text("EVM 노드가 없습니다. evm_rpc_url을 설정하거나 --rpc로 주세요.",
                "there is no EVM node: set evm_rpc_url, or say --rpc URL")  # fmt: skip


def _no_checkpoint(what: str) -> str:
    return text(f"체크포인트가 아닙니다: {what}", f"not a checkpoint: {what}")


def add_to(app: typer.Typer) -> None:
    app.add_typer(
        anchor_app, name="anchor", help=text("체크포인트를 체인에", "checkpoints on a chain")
    )
