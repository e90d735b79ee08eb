"""Anchoring against a real EVM node: crashes, reorganisations, stuck and lost transactions."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from evm_chain import Anvil, anvil
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.refusal import OperationError, Refusal
from onsil.proof import Checkpoint, origin
from onsil.proof.anchors import (
    GWEI,
    Anchoring,
    AnchorRecord,
    EvmAnchor,
    Node,
    SigningKey,
    anchor_now,
    deploy,
    recent,
    store,
)
from onsil.proof.anchors.deployment import Deployment, remembered
from onsil.proof.anchors.testkit import check_anchor

CITY = "pyeongtaek"
ORIGIN = origin(CITY, 2025)
SEOUL = ZoneInfo("Asia/Seoul")


def checkpoint(size: int, salt: str = "") -> Checkpoint:
    return Checkpoint(ORIGIN, size, sha256(f"{salt}{size}".encode()).digest())


@pytest.fixture
def node() -> Iterator[Anvil]:
    with anvil() as made:
        yield made


@pytest.fixture
def idle() -> Iterator[Anvil]:
    """A node that makes a block only when told to."""
    with anvil("--no-mining") as made:
        yield made


@pytest.fixture
def key(node: Anvil) -> SigningKey:
    return node.funded()


@pytest.fixture
def conn(connector: Callable[..., Connection]) -> Connection:
    return connector(CITY, autocommit=True)


def contract_on(node: Anvil, folder: Path, **changes) -> EvmAnchor:
    """A contract on a node that may have to be told to make its block."""
    key = node.funded()
    node.rpc("evm_setAutomine", True)
    made = node.with_contract(folder, key)
    if "--no-mining" in node.arguments:
        node.rpc("evm_setAutomine", False)
    return EvmAnchor(made.node, made.contract, made.chain_id, key, **{"confirmations": 1} | changes)


def nonces(way: Anchoring, size: int) -> list[int]:
    courses = store.courses(way.conn, CITY)
    return [r["nonce"] for c in courses if c.record.size == size for r in c.receipts]


def state(way: Anchoring, size: int) -> str:
    return next(r.state for r in recent(way.conn, CITY) if r.size == size)


def test_anchored_found_and_verified(conn: Connection, node: Anvil, tmp_path: Path) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    assert place.find(checkpoint(5), ()).state == "absent"
    record = way.begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    assert record.state == "sending"
    (followed,) = way.follow()
    assert isinstance(followed, AnchorRecord)
    assert (followed.state, followed.size, followed.root) == ("confirmed", 5, checkpoint(5).root)
    assert followed.proof is not None
    assert followed.transaction == record.transaction
    assert followed.development
    assert (followed.chain_id, followed.contract) == (31337, place.contract)
    assert way.open() == []
    check = place.verify(checkpoint(5), followed.proof)
    assert check.holds
    assert check.proof is not None
    assert check.proof.block_number == followed.block_number
    outsider = EvmAnchor(Node(node.url), place.contract)
    assert outsider.verify(checkpoint(5)).proof == check.proof
    assert [row.size for row in outsider.history(ORIGIN, 10)] == [5]


def test_a_wrong_root_or_size_is_found(conn: Connection, node: Anvil, tmp_path: Path) -> None:
    place = contract_on(node, tmp_path)
    anchor_now(Anchoring(conn, CITY, place, FixedClock()), [checkpoint(5)], SEOUL, wait_s=10)
    other = place.verify(checkpoint(5, "other"))
    assert [f.code for f in other.findings] == ["anchor-other-root"]
    assert not other.holds
    missing = place.verify(checkpoint(6))
    assert [f.code for f in missing.findings] == ["anchor-not-found"]
    assert (missing.holds, missing.newest_size) == (False, 5)
    stranger = EvmAnchor(Node(node.url), "0x" + "11" * 20)
    assert [f.code for f in stranger.verify(checkpoint(5)).findings] == ["anchor-unknown-contract"]
    elsewhere = EvmAnchor(Node(node.url), place.contract, chain_id=1)
    assert [f.code for f in elsewhere.verify(checkpoint(5)).findings] == ["anchor-other-chain"]


def test_what_may_not_be_anchored_is_refused(conn: Connection, node: Anvil, tmp_path: Path) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10)

    def no(made: object) -> str:
        assert isinstance(made, Refusal)
        return made.code

    assert no(place.prepare(checkpoint(5), ())) == "anchor-size-not-above"
    assert no(place.prepare(checkpoint(4), ())) == "anchor-size-not-above"
    stranger = EvmAnchor(place.node, place.contract, 31337, node.funded())
    assert no(stranger.prepare(checkpoint(6), ())) == "anchor-not-owner"
    thrifty = EvmAnchor(place.node, place.contract, 31337, place.key, max_fee_wei=1)
    assert no(thrifty.prepare(checkpoint(6), ())) == "anchor-fee-above-cap"
    node.rpc("anvil_setBalance", place.account.address, "0x1")
    assert no(place.prepare(checkpoint(6), ())) == "anchor-no-funds"
    lost = EvmAnchor(place.node, place.contract, 1, place.key)
    with pytest.raises(OperationError, match="evm_chain_id is 1"):
        lost.prepare(checkpoint(6), ())
    assert place.newest(ORIGIN).size == 5  # pyright: ignore[reportOptionalMemberAccess]


def test_another_root_at_the_same_size_is_recorded_as_failed(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    """Somebody with the key anchored another history: it cannot be talked away."""
    place = contract_on(node, tmp_path)
    receipt = place.prepare(checkpoint(5, "other"), ())
    assert not isinstance(receipt, Refusal)
    place.publish(checkpoint(5, "other"), receipt)
    record = Anchoring(conn, CITY, place, FixedClock()).begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    assert record.state == "failed"
    assert checkpoint(5, "other").root.hex() in record.problem_en


def test_confirmations_are_waited_for(conn: Connection, node: Anvil, tmp_path: Path) -> None:
    place = contract_on(node, tmp_path, confirmations=3)
    way = Anchoring(conn, CITY, place, FixedClock())
    way.begin(checkpoint(5))
    for expected in ("pending", "pending", "confirmed"):
        (record,) = way.follow()
        assert isinstance(record, AnchorRecord)
        assert record.state == expected
        node.mine()
    assert record.confirmations == 3


def test_a_repeat_changes_nothing(conn: Connection, node: Anvil, tmp_path: Path) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    first = anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10)
    spent = place.node.counts(place.account.address)
    assert anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10) == first
    assert way.begin(checkpoint(5)) == first[0]
    assert place.node.counts(place.account.address) == spent


def test_a_restored_database_finds_what_is_on_the_chain(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    """Nothing is known here, yet the chain has it: it is written down, not sent."""
    place = contract_on(node, tmp_path)
    receipt = place.prepare(checkpoint(5), ())
    assert not isinstance(receipt, Refusal)
    place.publish(checkpoint(5), receipt)
    spent = place.node.counts(place.account.address)
    record = Anchoring(conn, CITY, place, FixedClock()).begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    assert (record.state, record.transaction) == ("confirmed", receipt["transaction"])
    assert place.node.counts(place.account.address) == spent


def test_a_crash_before_sending_loses_nothing(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    receipt = place.prepare(checkpoint(5), ())
    assert not isinstance(receipt, Refusal)
    store.record(conn, CITY, place.place, True, 2025, 5, checkpoint(5).root, "sending",
                 way.clock.now(), receipt)  # fmt: skip
    way.follow()
    (record,) = way.follow()
    assert isinstance(record, AnchorRecord)
    assert (record.state, record.transaction) == ("confirmed", receipt["transaction"])


_CHILD = """
import sys, time
from datetime import UTC, datetime
sys.path[:0] = {path!r}
from contracts.test_evm_node import CITY, checkpoint
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.proof.anchors import Anchoring, EvmAnchor, Node, SigningKey

class Slow(EvmAnchor):
    def publish(self, checkpoint, receipt):
        if {where!r} == "before":
            print("now", flush=True)
            time.sleep(60)
        refusal = super().publish(checkpoint, receipt)
        print("now", flush=True)
        time.sleep(60)
        return refusal

conn = connect({dsn!r}, CITY, autocommit=True)
place = Slow(Node({url!r}), {contract!r}, 31337, SigningKey(bytes.fromhex(sys.stdin.read())), 1)
Anchoring(conn, CITY, place, SystemClock()).begin(checkpoint(5))
"""


@pytest.mark.parametrize("where", ["before", "after"])
def test_sigkill_between_record_and_send_anchors_exactly_once(
    conn: Connection, fresh_database: str, node: Anvil, tmp_path: Path, where: str
) -> None:
    place = contract_on(node, tmp_path)
    assert place.key is not None
    script = _CHILD.format(
        path=[p for p in sys.path if p], where=where, dsn=fresh_database, url=node.url,
        contract=place.contract,
    )  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None and child.stdout is not None  # noqa: PT018
    child.stdin.write(bytes(place.account.key).hex())
    child.stdin.close()
    assert child.stdout.readline() == "now\n"
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    before = place.node.counts(place.account.address)[0]
    done = anchor_now(Anchoring(conn, CITY, place, FixedClock()), [checkpoint(5)], SEOUL, wait_s=10)
    assert [(r.state, r.size) for r in done if isinstance(r, AnchorRecord)] == [("confirmed", 5)]
    sent = 1 if where == "before" else 0
    assert place.node.counts(place.account.address)[0] == before + sent
    assert len(place.history(ORIGIN, 10)) == 1
    assert [r["nonce"] for r in store.courses(conn, CITY)[0].receipts] == [1]


def test_a_reorganised_chain_is_noticed_and_anchored_again(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    place = contract_on(node, tmp_path, confirmations=3)
    way = Anchoring(conn, CITY, place, FixedClock())
    before = node.rpc("evm_snapshot")
    way.begin(checkpoint(5))
    way.follow()
    assert state(way, 5) == "pending"
    node.rpc("evm_revert", before)
    node.rpc("evm_setAutomine", False)
    way.follow()
    assert state(way, 5) == "vanished"
    assert place.newest(ORIGIN) is None
    node.mine()
    node.rpc("evm_setAutomine", True)
    node.mine(3)
    way.follow()
    assert state(way, 5) == "confirmed"
    assert len(nonces(way, 5)) == 1  # the same transaction, sent again


def test_a_reorganised_chain_that_kept_the_transaction_is_no_news(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    place = contract_on(node, tmp_path, confirmations=4)
    way = Anchoring(conn, CITY, place, FixedClock())
    record = way.begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    node.mine()
    way.follow()
    depth = 2
    node.rpc("anvil_reorg", depth, [[record.receipt["raw"].join(["0x", ""]), 0]])
    way.follow()
    assert state(way, 5) == "pending"
    node.mine(4)
    way.follow()
    assert state(way, 5) == "confirmed"


def test_a_confirmed_one_that_vanished_is_found_at_the_next_check(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10)
    kept = node.rpc("evm_snapshot")
    anchor_now(way, [checkpoint(7)], SEOUL, wait_s=10)
    assert way.recheck() == []
    node.rpc("evm_revert", kept)
    assert [r.size for r in way.recheck()] == [7]
    assert (state(way, 7), state(way, 5)) == ("vanished", "confirmed")
    anchor_now(way, [checkpoint(9)], SEOUL, wait_s=10)
    assert [r.state for r in recent(conn, CITY)] == ["confirmed"] * 3
    assert [head.size for head in place.history(ORIGIN, 10)] == [9, 7, 5]


def test_a_stuck_transaction_is_outbid(conn: Connection, idle: Anvil, tmp_path: Path) -> None:
    place = contract_on(idle, tmp_path)
    clock = FixedClock()
    way = Anchoring(conn, CITY, place, clock)
    way.begin(checkpoint(5))
    clock.advance(timedelta(minutes=1))
    way.follow()
    assert len(nonces(way, 5)) == 1
    clock.advance(timedelta(minutes=5))
    way.follow()
    assert nonces(way, 5) == [1, 1]
    first, second = store.courses(conn, CITY)[0].receipts
    assert int(second["max_fee"]) > int(first["max_fee"])
    assert int(second["tip"]) > int(first["tip"])
    idle.mine()
    (record,) = way.follow()
    assert isinstance(record, AnchorRecord)
    assert (record.state, record.transaction) == ("confirmed", second["transaction"])
    assert len(place.history(ORIGIN, 10)) == 1


def test_a_stuck_transaction_is_never_outbid_above_the_cap(
    conn: Connection, idle: Anvil, tmp_path: Path
) -> None:
    place = contract_on(idle, tmp_path, max_fee_wei=3 * GWEI)
    way = Anchoring(conn, CITY, place, FixedClock(), replace_after=timedelta(0))
    way.begin(checkpoint(5))
    answers = [way.follow()[0] for _ in range(12)]
    assert isinstance(answers[-1], Refusal)
    assert answers[-1].code == "anchor-fee-above-cap"
    offers = [int(r["max_fee"]) for r in store.courses(conn, CITY)[0].receipts]
    assert max(offers) <= 3 * GWEI
    idle.mine()
    way.follow()
    assert state(way, 5) == "confirmed"


def test_a_gap_in_the_numbers_is_closed(conn: Connection, idle: Anvil, tmp_path: Path) -> None:
    """The node forgot the first of two: the second waits until the first is sent again."""
    place = contract_on(idle, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    first = way.begin(checkpoint(5))
    assert isinstance(first, AnchorRecord)
    second = way.begin(Checkpoint(origin(CITY, 2026), 3, checkpoint(3).root))
    assert isinstance(second, AnchorRecord)
    assert (nonces(way, 5), nonces(way, 3)) == ([1], [2])
    idle.rpc("anvil_dropTransaction", first.transaction)
    idle.mine()
    assert place.newest(ORIGIN) is None
    way.follow()
    idle.mine()
    way.follow()
    assert {r.state for r in recent(conn, CITY)} == {"confirmed"}


def test_a_number_used_by_another_hand_is_replaced(
    conn: Connection, idle: Anvil, tmp_path: Path
) -> None:
    place = contract_on(idle, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    record = way.begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    idle.rpc("anvil_dropTransaction", record.transaction)
    with place.node.asked() as web3:
        other = place.account.sign_transaction({
            "chainId": 31337, "nonce": 1, "to": place.account.address, "value": 1, "gas": 21_000,
            "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 10**9, "type": 2,
        })  # fmt: skip
        web3.eth.send_raw_transaction(other.raw_transaction)
    idle.mine()
    way.follow()
    assert nonces(way, 5) == [1, 2]
    idle.mine()
    way.follow()
    assert state(way, 5) == "confirmed"


def test_a_node_that_is_down_is_told_and_tried_again(
    conn: Connection, node: Anvil, tmp_path: Path
) -> None:
    place = contract_on(node, tmp_path)
    way = Anchoring(conn, CITY, place, FixedClock())
    away = EvmAnchor(Node("http://127.0.0.1:9/secret-key"), place.contract, 31337, place.key)
    with pytest.raises(OperationError, match=r"127\.0\.0\.1:9 does not answer") as caught:
        Anchoring(conn, CITY, away, FixedClock()).begin(checkpoint(5))
    assert caught.value.retry
    assert "secret" not in str(caught.value)
    assert recent(conn, CITY) == []
    record = way.begin(checkpoint(5))
    assert isinstance(record, AnchorRecord)
    with pytest.raises(OperationError):
        Anchoring(conn, CITY, away, FixedClock()).follow()
    way.follow()
    assert state(way, 5) == "confirmed"


def test_only_one_anchors_at_a_time(
    conn: Connection, connector: Callable[..., Connection], node: Anvil, tmp_path: Path
) -> None:
    other = connector(CITY, autocommit=True)
    assert store.try_lock(other)
    way = Anchoring(conn, CITY, contract_on(node, tmp_path), FixedClock())
    with pytest.raises(OperationError, match="another process"):
        anchor_now(way, [checkpoint(5)], SEOUL, wait_s=0.3)
    store.unlock(other)
    assert anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10)


def test_a_deployment_is_done_once(node: Anvil, tmp_path: Path) -> None:
    key, chain = node.funded(), Node(node.url)
    made = deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI)
    assert isinstance(made, Deployment)
    assert remembered(tmp_path, 31337) == made
    again = deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI)
    assert isinstance(again, Refusal)
    assert again.code == "anchor-already-deployed"
    another = deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI, again=True)
    assert isinstance(another, Deployment)
    assert another.contract != made.contract


def test_a_deployment_that_was_cut_short_is_ended_not_repeated(idle: Anvil, tmp_path: Path) -> None:
    key, chain = idle.funded(), Node(idle.url)
    with pytest.raises(OperationError, match="not in a block yet"):
        deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI, wait_s=0)
    begun = remembered(tmp_path, 31337)
    idle.mine()
    done = deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI, wait_s=5)
    assert isinstance(done, Refusal)  # it is there already
    assert begun is not None
    assert done.facts["contract"] == begun.contract
    assert chain.counts(begun.sender) == (1, 1)


def test_a_deployment_below_the_present_fees_is_outbid(idle: Anvil, tmp_path: Path) -> None:
    key, chain = idle.funded(), Node(idle.url)
    with pytest.raises(OperationError, match="not in a block yet"):
        deploy(chain, key, tmp_path, max_fee_wei=100 * GWEI, wait_s=0)
    begun = remembered(tmp_path, 31337)
    idle.rpc("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
    idle.mine()
    with pytest.raises(OperationError, match="not in a block yet"):
        deploy(chain, key, tmp_path, max_fee_wei=200 * GWEI, wait_s=0)
    idle.mine()
    assert begun is not None
    assert chain.code(begun.contract)
    assert remembered(tmp_path, 31337) != begun
    assert chain.counts(begun.sender) == (1, 1)


def test_a_node_that_is_no_node_is_told(conn: Connection, tmp_path: Path) -> None:
    """Something answers, but not as a node does."""

    class Silly(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>welcome</html>")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silly)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(OperationError, match=rf"127\.0\.0\.1:{server.server_port}"):
            _ = Node(f"http://127.0.0.1:{server.server_port}").chain_id
    finally:
        server.shutdown()
        server.server_close()


def test_the_key_may_change_while_something_is_on_its_way(
    conn: Connection, idle: Anvil, tmp_path: Path
) -> None:
    """The new owner's first transaction has a number of its own, not the old one's."""
    place = contract_on(idle, tmp_path)
    Anchoring(conn, CITY, place, FixedClock()).begin(checkpoint(5))
    idle.rpc("anvil_dropAllTransactions")
    heir = EvmAnchor(place.node, place.contract, 31337, idle.funded(), confirmations=1)
    idle.rpc("evm_setAutomine", True)
    for owner, call in ((place, "transfer_ownership"), (heir, "accept_ownership")):
        with owner.node.asked() as web3:
            functions = owner._functions(web3)
            arguments = [heir.account.address] if call.startswith("transfer") else []
            transaction = functions[call](*arguments).build_transaction({
                "from": owner.account.address, "nonce": owner.node.counts(owner.account.address)[0],
            })  # fmt: skip
            signed = owner.account.sign_transaction(transaction)
            web3.eth.send_raw_transaction(signed.raw_transaction)
    way = Anchoring(conn, CITY, heir, FixedClock(), replace_after=timedelta(0))
    way.follow()
    way.follow()
    assert state(way, 5) == "confirmed"
    assert nonces(way, 5) == [1, 1]  # the old owner's second, the new one's second


def test_a_chain_begun_anew_gets_its_contract_and_its_anchors_again(
    conn: Connection, tmp_path: Path
) -> None:
    """A development chain whose blocks were lost: nothing of it is taken for anchored any more."""
    with anvil() as first:
        key = first.funded()
        way = Anchoring(conn, CITY, first.with_contract(tmp_path, key), FixedClock())
        anchor_now(way, [checkpoint(5)], SEOUL, wait_s=10)
    second = Anvil()
    second.port = first.port
    second.start()
    try:
        with pytest.raises(OperationError, match="is not the OnsilAnchor contract"):
            way.recheck()
        second.rpc("anvil_setBalance", key.account().address, hex(10**19))
        place = second.with_contract(tmp_path, key)
        assert place.place == way.anchor.place
        quick = Anchoring(conn, CITY, place, FixedClock(), replace_after=timedelta(0))
        assert [r.size for r in quick.recheck()] == [5]
        anchor_now(quick, [checkpoint(6)], SEOUL, wait_s=10)
        assert [head.size for head in place.history(ORIGIN, 10)] == [6, 5]
    finally:
        second.stop()


def test_it_passes_the_kit_of_all_anchors(node: Anvil, tmp_path: Path) -> None:
    check_anchor(contract_on(node, tmp_path), ORIGIN)
