"""The rules of anchoring that need no chain: fees, numbers, what is next, what is due, keys."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from onsil.core.refusal import OperationError, Refusal
from onsil.proof.anchors import (
    AnchorProof,
    AnchorRecord,
    Node,
    Sighting,
    address,
    due,
    is_development,
    load_key,
    open_anchors,
    open_evm,
    origin_hash,
)
from onsil.proof.anchors.course import Act, next_step
from onsil.proof.anchors.deployment import created_address, remembered
from onsil.proof.anchors.fees import GWEI, Fees, next_nonce, offer, outbid

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)  # noon in Seoul
PROOF = AnchorProof(5, bytes(32))
amounts = st.integers(0, 10**13)


@given(base=amounts, tip=amounts, cap=amounts)
def test_an_offer_is_within_the_cap_and_can_be_taken(base: int, tip: int, cap: int) -> None:
    fees = offer(base, tip, cap)
    if fees is None:
        assert base > cap
        return
    assert base <= fees.max_fee <= cap
    assert 0 <= fees.tip <= min(tip, fees.max_fee)
    assert base + fees.tip <= fees.max_fee


@given(base=amounts, tip=amounts, cap=amounts, more=amounts)
def test_a_replacement_is_a_tenth_above_and_within_the_cap(
    base: int, tip: int, cap: int, more: int
) -> None:
    first = offer(base, tip, cap)
    fresh = offer(base + more, tip, cap)
    if first is None or fresh is None:
        return
    second = outbid(fresh, first, cap)
    if second is None:
        assert max(fresh.max_fee, first.max_fee * 9 // 8 + 1, first.tip * 9 // 8 + 1) >= cap
        return
    assert second.max_fee <= cap
    for before, after in ((first.max_fee, second.max_fee), (first.tip, second.tip)):
        assert after > before
        assert after * 10 >= before * 11
    assert second.tip <= second.max_fee


def test_offers_by_hand() -> None:
    assert offer(10 * GWEI, GWEI, 100 * GWEI) == Fees(21 * GWEI, GWEI)
    assert offer(99 * GWEI, 2 * GWEI, 100 * GWEI) == Fees(100 * GWEI, GWEI)
    assert offer(100 * GWEI, GWEI, 100 * GWEI) == Fees(100 * GWEI, 0)
    assert offer(100 * GWEI + 1, GWEI, 100 * GWEI) is None
    assert offer(0, 0, 0) == Fees(0, 0)  # a consortium without fees
    assert outbid(Fees(8, 8), Fees(8, 8), 100) == Fees(10, 10)
    assert outbid(Fees(8, 8), Fees(8, 8), 9) is None


@pytest.mark.parametrize(
    ("mined", "known", "last", "expected"),
    [
        (4, 4, None, (4, False)),
        (4, 6, None, (6, False)),  # others of ours wait before it
        (4, 5, 4, (4, True)),
        (4, 4, 4, (4, True)),  # the node forgot it
        (5, 5, 4, (5, False)),  # the number is used up
        (4, 4, 6, (4, False)),  # above a gap that nobody fills
    ],
)
def test_the_number_of_the_next_transaction(
    mined: int, known: int, last: int | None, expected: tuple[int, bool]
) -> None:
    assert next_nonce(mined, known, last) == expected


@pytest.mark.parametrize(
    ("state", "minutes", "sighting", "expected"),
    [
        (None, 0, Sighting("absent"), (None, Act.PREPARE)),
        ("sending", 1, Sighting("waiting"), (None, Act.SEND_AGAIN)),
        ("sending", 5, Sighting("waiting"), (None, Act.PREPARE)),
        ("sending", 0, Sighting("gone"), (None, Act.PREPARE)),
        ("sending", 0, Sighting("pending", PROOF), ("pending", Act.NOTHING)),
        ("sending", 0, Sighting("confirmed", PROOF), ("confirmed", Act.NOTHING)),
        ("pending", 0, Sighting("pending", PROOF), (None, Act.NOTHING)),
        ("pending", 0, Sighting("confirmed", PROOF), ("confirmed", Act.NOTHING)),
        ("pending", 0, Sighting("waiting"), ("vanished", Act.SEND_AGAIN)),
        ("pending", 0, Sighting("gone"), ("vanished", Act.PREPARE)),
        ("confirmed", 0, Sighting("waiting"), ("vanished", Act.SEND_AGAIN)),
        ("vanished", 1, Sighting("waiting"), (None, Act.SEND_AGAIN)),
        ("vanished", 1, Sighting("pending", PROOF), ("pending", Act.NOTHING)),
        ("sending", 0, Sighting("failed", problem=Refusal("x", "", "")), ("failed", Act.NOTHING)),
        ("failed", 0, Sighting("failed", problem=Refusal("x", "", "")), (None, Act.NOTHING)),
    ],
)
def test_what_comes_next(state, minutes: int, sighting: Sighting, expected) -> None:
    step = next_step(state, timedelta(minutes=minutes), sighting)
    assert (step.state, step.act) == expected


def record(size: int, state="confirmed", *, hours_ago: float = 0, year: int = 2026) -> AnchorRecord:
    at = NOW - timedelta(hours=hours_ago)
    return AnchorRecord("one", "evm:1:0x", False, year, size, bytes(32), state, at, at, {})


def test_a_log_is_anchored_once_a_day_of_the_city() -> None:
    assert due([(2026, 9)], [], NOW, SEOUL) == [(2026, 9)]
    assert due([(2026, 9)], [record(5, hours_ago=11)], NOW, SEOUL) == []
    assert due([(2026, 9)], [record(5, hours_ago=12.1)], NOW, SEOUL) == [(2026, 9)]
    assert due([(2026, 9)], [record(5)], NOW, SEOUL, wanted=True) == [(2026, 9)]


@pytest.mark.parametrize("state", ["sending", "pending", "confirmed"])
def test_a_log_that_has_not_grown_is_not_anchored(state) -> None:
    for size in (4, 5):
        known = [record(5, state, hours_ago=48)]
        assert due([(2026, size)], known, NOW, SEOUL, wanted=True) == []


def test_a_failure_is_tried_again_the_next_day() -> None:
    assert due([(2026, 5)], [record(5, "failed", hours_ago=3)], NOW, SEOUL) == []
    assert due([(2026, 5)], [record(5, "failed", hours_ago=13)], NOW, SEOUL) == [(2026, 5)]


def test_a_year_that_ended_is_anchored_to_its_end_at_once() -> None:
    sizes = [(2026, 3), (2025, 80)]
    known = [record(70, year=2025), record(3)]
    assert due(sizes, known, NOW, SEOUL) == [(2025, 80)]
    assert due(sizes, [*known, record(80, year=2025)], NOW, SEOUL) == []


def test_addresses_are_read_strictly() -> None:
    checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # of ERC-55's examples
    assert address(checksummed) == address(checksummed.lower()) == checksummed.lower()
    for wrong in ("", "0x12", checksummed[:-1] + "D", checksummed + "00", "zz" * 20):
        with pytest.raises(OperationError, match="not an address"):
            address(wrong)


def test_the_address_of_a_new_contract_follows_from_sender_and_number() -> None:
    """Values of go-ethereum's TestNewContractAddress (crypto/crypto_test.go)."""
    sender = "0x970e8128ab834e8eac17ab8e3812f010678cf791"
    expected = ("333c3310824b7c685133f2bedb2ca4b8b4df633d",
                "8bda78331c916a08481428e4b07c96d3e916d165",
                "c9ddedf451bc62ce88bf9292afb13df35b670699")  # fmt: skip
    assert tuple(created_address(sender, n).hex() for n in range(3)) == expected


def test_an_origin_is_named_by_its_sha256() -> None:
    expected = "76895bbd41fc6e6c3796ffdc24a4896b99f66686268257ee78872f6af5376f96"
    assert origin_hash("onsil/one/2026").hex() == expected


@pytest.mark.parametrize(
    ("chain", "client", "expected"),
    [(31337, "Geth/v1", True), (1337, "besu", True), (1, "Geth/v1", False),
     (10, "anvil/v1.7.1", True), (10, "HardhatNetwork/2", True), (100, "Nethermind", False)],
)  # fmt: skip
def test_a_development_chain_is_known_by_its_number_or_its_node(
    chain: int, client: str, expected: bool
) -> None:
    assert is_development(chain, client) is expected


def test_keys_come_from_text_file_or_keystore_and_show_themselves_nowhere(tmp_path: Path) -> None:
    account = Account.create()
    digits = bytes(account.key).hex()
    plain, locked = tmp_path / "plain", tmp_path / "keystore.json"
    plain.write_text(f"0x{digits}\n")
    locked.write_text(json.dumps(Account.encrypt(account.key, "door", iterations=2)))
    for path in (plain, locked):
        path.chmod(0o600)
    assert load_key("", "", "") is None
    for made in (load_key(digits, "", ""), load_key("", str(plain), ""),
                 load_key("", str(locked), "door")):  # fmt: skip
        assert made is not None
        assert made.account().address == account.address
        assert digits not in f"{made!r} {made}"


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [("{}", 0o600, "does not open"), ("secret-digits", 0o600, "hexadecimal"),
     ("ab" * 31, 0o600, "32 bytes"), ("ab" * 32, 0o644, "chmod 600")],
)  # fmt: skip
def test_a_bad_key_file_is_refused_without_quoting_it(
    tmp_path: Path, content: str, mode: int, words: str
) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(OperationError, match=words) as caught:
        load_key("", str(path), "wrong-password")
    assert content not in str(caught.value) or content == "{}"
    assert "wrong-password" not in str(caught.value)
    assert not caught.value.retry


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="FileNotFoundError"):
        load_key("", str(tmp_path / "none"), "")


def test_settings_decide_what_is_open() -> None:
    contract = "0x" + "11" * 20
    assert open_evm({}) is None
    assert open_anchors({}) == []
    full = {"evm_rpc_url": "http://user:pass@node.example:8545/v3/token",
            "evm_contract": contract, "evm_chain_id": 5}  # fmt: skip
    made = open_evm(full)
    assert made is not None
    assert (made.place, made.confirmations, made.max_fee_wei) == (f"evm:5:{contract}", 12, 10**11)
    assert [one.place for one in open_anchors(full)] == [made.place]
    assert "token" not in repr(made)
    assert "pass" not in repr(made)
    with pytest.raises(OperationError, match="onsil anchor deploy"):
        open_evm(full | {"evm_contract": ""})
    with pytest.raises(OperationError, match="evm_chain_id must be set"):
        open_evm(full | {"evm_chain_id": 0})
    with pytest.raises(OperationError, match="no key signs"):
        _ = made.account


def test_only_a_nodes_host_is_shown() -> None:
    node = Node("https://user:pass@node.example:8545/v3/token")
    assert repr(node) == "Node(node.example:8545)"


def test_a_damaged_memory_of_a_deployment_is_named(tmp_path: Path) -> None:
    assert remembered(tmp_path, 7) is None
    (tmp_path / "contract-7.json").write_text("{}")
    with pytest.raises(OperationError, match=r"contract-7\.json"):
        remembered(tmp_path, 7)


def test_a_record_names_its_chain_and_contract() -> None:
    held = record(5)
    assert (held.chain_id, held.contract, held.transaction) == (1, "0x", "")
    assert (held.block_number, held.block_time, held.confirmations) == (None, None, 0)
