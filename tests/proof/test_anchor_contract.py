"""The anchor contract on a real EVM: who may write, what may be written, what is read back."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from eth_account import Account
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from web3 import Web3
from web3.exceptions import ContractLogicError

from effort import tries
from evm_chain import ETHER, Anvil, anvil
from onsil.proof.anchors import Head, artifact, build, contract, origin_hash
from onsil.proof.anchors.build import compiled, rendered

A, B = origin_hash("onsil/one/2026"), origin_hash("onsil/two/2026")
NONE = "0x" + "00" * 20


def root(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


class Deployed:
    """A contract and three funded accounts; the first owns it."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.web3 = Web3(Web3.HTTPProvider(node.url))
        self.accounts = [Account.create() for _ in range(3)]
        for account in self.accounts:
            node.rpc("anvil_setBalance", account.address, hex(10 * ETHER))
        made = self.send(0, {"data": "0x" + artifact().bytecode.hex()})
        self.deploy_gas = made["gasUsed"]
        self.at = self.web3.eth.contract(address=made["contractAddress"], abi=artifact().abi)
        self.functions = self.at.functions

    def send(self, who: int, fields: dict):
        account = self.accounts[who]
        filled = {
            "from": account.address, "chainId": self.web3.eth.chain_id, "type": 2, "value": 0,
            "nonce": self.web3.eth.get_transaction_count(account.address),
            "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "gas": 3_000_000,
        } | fields  # fmt: skip
        signed = account.sign_transaction(filled)
        sent = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        return self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)

    def call(self, who: int, function, **fields):
        """Send a call whatever comes of it; the receipt."""
        data = function._encode_transaction_data()
        return self.send(who, {"to": self.at.address, "data": data} | fields)

    def does(self, who: int, function, **fields) -> bool:
        return self.call(who, function, **fields)["status"] == 1

    def latest(self, origin: bytes) -> Head:
        return Head(*self.functions.latest(origin).call())

    def history(self, origin: bytes, size: int = 0, limit: int = 64) -> list[Head]:
        return [Head(*row) for row in self.functions.history(origin, size, limit).call()]


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil() as made:
        yield made


@pytest.fixture
def deployed(node: Anvil) -> Deployed:
    return Deployed(node)


def test_the_shipped_bytes_are_what_the_source_compiles_to() -> None:
    assert rendered(compiled()) == contract.ARTIFACT.read_text("utf-8")
    assert build.main(["--check"]) == 0


def test_what_lies_on_the_chain_is_what_was_shipped(deployed: Deployed) -> None:
    assert bytes(deployed.web3.eth.get_code(deployed.at.address)) == artifact().runtime


def test_heads_are_read_back_as_they_were_put_in(deployed: Deployed) -> None:
    f = deployed.functions
    receipts = [deployed.call(0, f.anchor(A, size, root(size))) for size in (3, 10, 2**64 - 1)]
    assert deployed.does(0, f.anchor(B, 7, root(70)))
    blocks = [receipt["blockNumber"] for receipt in receipts]
    times = [deployed.web3.eth.get_block(number)["timestamp"] for number in blocks]
    expected = [
        Head(3, root(3), 0, 0, blocks[0], times[0]),
        Head(10, root(10), 1, 3, blocks[1], times[1]),
        Head(2**64 - 1, root(2**64 - 1), 2, 10, blocks[2], times[2]),
    ]
    assert [Head(*f.head(A, head.size).call()) for head in expected] == expected
    assert deployed.latest(A) == expected[-1]
    assert deployed.history(A) == expected[::-1]
    assert deployed.history(A, 10, 1) == [expected[1]]
    assert deployed.history(A, 11) == []
    assert (f.count(A).call(), f.count(B).call(), f.count(root(0)).call()) == (3, 1, 0)
    assert deployed.latest(B).root == root(70)
    assert deployed.latest(root(0)) == Head(0, bytes(32), 0, 0, 0, 0)
    assert Head(*f.head(A, 4).call()) == Head(4, bytes(32), 0, 0, 0, 0)
    (event,) = deployed.at.events.Anchored().process_receipt(receipts[1])
    assert dict(event["args"]) == {"origin": A, "size": 10, "root": root(10), "index": 1}


def test_a_long_history_is_paged(deployed: Deployed) -> None:
    for size in range(1, 71):
        assert deployed.does(0, deployed.functions.anchor(A, size, root(size)))
    page = deployed.history(A)
    assert [head.size for head in page] == list(range(70, 6, -1))
    rest = deployed.history(A, page[-1].previous)
    assert [head.size for head in rest] == list(range(6, 0, -1))
    assert rest[-1].previous == 0


@pytest.mark.parametrize("size", [0, 1, 4, 5])
def test_a_size_that_does_not_grow_is_refused(deployed: Deployed, size: int) -> None:
    assert deployed.does(0, deployed.functions.anchor(A, 5, root(5)))
    before = deployed.latest(A)
    assert not deployed.does(0, deployed.functions.anchor(A, size, root(6)))
    with pytest.raises(ContractLogicError, match="size must grow"):
        deployed.functions.anchor(A, size, root(6)).call({"from": deployed.accounts[0].address})
    assert deployed.latest(A) == before


def test_a_stranger_is_refused(deployed: Deployed) -> None:
    f = deployed.functions
    assert not deployed.does(1, f.anchor(A, 5, root(5)))
    assert not deployed.does(1, f.transfer_ownership(deployed.accounts[1].address))
    assert not deployed.does(1, f.accept_ownership())
    with pytest.raises(ContractLogicError, match="not the owner"):
        f.anchor(A, 5, root(5)).call({"from": deployed.accounts[1].address})
    assert f.count(A).call() == 0
    assert f.owner().call() == deployed.accounts[0].address


def test_ownership_passes_in_two_steps(deployed: Deployed) -> None:
    f, (first, second, third) = deployed.functions, deployed.accounts
    assert deployed.does(0, f.transfer_ownership(second.address))
    assert (f.owner().call(), f.pending_owner().call()) == (first.address, second.address)
    assert deployed.does(0, f.anchor(A, 1, root(1)))  # still the owner's
    assert not deployed.does(1, f.anchor(A, 2, root(2)))
    assert not deployed.does(2, f.accept_ownership())
    taken = deployed.call(1, f.accept_ownership())
    (event,) = deployed.at.events.OwnershipTransferred().process_receipt(taken)
    assert dict(event["args"]) == {
        "previous_owner": first.address, "new_owner": second.address,
    }  # fmt: skip
    assert (f.owner().call(), f.pending_owner().call()) == (second.address, NONE)
    assert not deployed.does(0, f.anchor(A, 2, root(2)))
    assert deployed.does(1, f.anchor(A, 2, root(2)))
    assert not deployed.does(1, f.accept_ownership())  # an offer is taken once
    assert deployed.does(1, f.transfer_ownership(third.address))
    assert deployed.does(1, f.transfer_ownership(NONE))  # withdrawn
    assert not deployed.does(2, f.accept_ownership())


def test_no_ether_is_taken(deployed: Deployed) -> None:
    assert deployed.send(1, {"to": deployed.at.address, "value": 1})["status"] == 0
    assert not deployed.does(0, deployed.functions.anchor(A, 5, root(5)), value=1)
    unknown = {"to": deployed.at.address, "data": "0xdeadbeef"}
    assert deployed.send(0, unknown)["status"] == 0
    assert deployed.web3.eth.get_balance(deployed.at.address) == 0
    paid = {"data": "0x" + artifact().bytecode.hex(), "value": 1}
    assert deployed.send(0, paid)["status"] == 0


def test_what_it_costs(deployed: Deployed) -> None:
    """The figures in docs/anchors.md; an optimiser that changes them changes the bytes, too."""
    f = deployed.functions
    gas = {
        "deploy": deployed.deploy_gas,
        "first": deployed.call(0, f.anchor(A, 1000, root(1)))["gasUsed"],
        "next": deployed.call(0, f.anchor(A, 2000, root(2)))["gasUsed"],
        "offer": deployed.call(0, f.transfer_ownership(deployed.accounts[1].address))["gasUsed"],
        "accept": deployed.call(1, f.accept_ownership())["gasUsed"],
    }
    print(gas)
    assert gas["next"] < 80_000
    assert gas["first"] < 100_000
    assert gas["deploy"] < 600_000


def _machine(node: Anvil) -> type[RuleBasedStateMachine]:
    deployed = Deployed(node)
    people = st.integers(0, 2)

    class Model(RuleBasedStateMachine):
        """The contract beside a model of four lines: only the owner writes, sizes only grow."""

        origins = Bundle("origins")

        def __init__(self) -> None:
            super().__init__()
            self.heads: dict[bytes, dict[int, bytes]] = {A: {}, B: {}}
            self.owner, self.offered = 0, -1
            self.clean = node.rpc("evm_snapshot")

        def teardown(self) -> None:
            node.rpc("evm_revert", self.clean)

        @initialize(target=origins)
        def one(self) -> bytes:
            return A

        @initialize(target=origins)
        def two(self) -> bytes:
            return B

        @rule(who=people, origin=origins, size=st.integers(0, 6), salt=st.integers(0, 3))
        def anchor(self, who: int, origin: bytes, size: int, salt: int) -> None:
            may = who == self.owner and size > max(self.heads[origin], default=0)
            call = deployed.functions.anchor(origin, size, root(salt))
            assert deployed.does(who, call) == may
            if may:
                self.heads[origin][size] = root(salt)

        @rule(who=people, to=people)
        def offer(self, who: int, to: int) -> None:
            to_address = deployed.accounts[to].address
            done = deployed.does(who, deployed.functions.transfer_ownership(to_address))
            assert done == (who == self.owner)
            if done:
                self.offered = to

        @rule(who=people)
        def accept(self, who: int) -> None:
            done = deployed.does(who, deployed.functions.accept_ownership())
            assert done == (who == self.offered)
            if done:
                self.owner, self.offered = who, -1

        @invariant()
        def same(self) -> None:
            assert deployed.functions.owner().call() == deployed.accounts[self.owner].address
            for origin, heads in self.heads.items():
                found = deployed.history(origin)
                assert [(h.size, h.root) for h in found] == sorted(heads.items(), reverse=True)

    return Model


def test_the_contract_behaves_as_its_model(node: Anvil) -> None:
    run_state_machine_as_test(
        _machine(node),
        settings=settings(
            max_examples=tries(10, 200), stateful_step_count=12, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
