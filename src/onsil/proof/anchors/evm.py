"""Checkpoints kept in an `OnsilAnchor` contract on an EVM chain, private or public.

The contract is the truth: whether it holds a size and root is asked before anything is signed, and
it refuses a size for a second time, whatever is sent to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from onsil.core.refusal import OperationError, Refusal
from onsil.proof.anchors import refusals
from onsil.proof.anchors.contract import Head, artifact, origin_hash
from onsil.proof.anchors.fees import GWEI, Fees, next_nonce, offer, outbid
from onsil.proof.anchors.keys import SigningKey, load_key
from onsil.proof.anchors.node import Node
from onsil.proof.anchors.terms import AnchorCheck, AnchorProof, Receipt, Sighting
from onsil.proof.checkpoint import Checkpoint

CONFIRMATIONS = 12
MAX_FEE_GWEI = 100
_NO_HEAD = 0


@dataclass(frozen=True)
class EvmAnchor:
    """The contract at an address. Without a key it can only look and verify."""

    node: Node
    contract: str
    chain_id: int = 0  # 0: whatever the node says, for those who only look
    key: SigningKey | None = field(default=None, repr=False)
    confirmations: int = CONFIRMATIONS
    max_fee_wei: int = MAX_FEE_GWEI * GWEI

    @property
    def place(self) -> str:
        return f"evm:{self.chain_id or self.node.chain_id}:{self.contract}"

    @cached_property
    def development(self) -> bool:
        return self.node.development

    @cached_property
    def account(self) -> Any:
        if self.key is None:
            raise OperationError(
                "no key signs transactions: set evm_key_file or ONSIL_EVM_KEY", retry=False
            )
        return self.key.account()

    def check_chain(self) -> None:
        """Raises OperationError when the node is on another chain, or has no such contract."""
        if self.chain_id and self.node.chain_id != self.chain_id:
            raise OperationError(
                f"evm_chain_id is {self.chain_id}, but {self.node.host} is on chain"
                f" {self.node.chain_id}: nothing is sent",
                retry=False,
            )
        if self.node.code(self.contract) != artifact().runtime:
            raise OperationError(
                f"{self.contract} on chain {self.node.chain_id} is not the OnsilAnchor contract"
                " (a node that is not up to date yet, or a wrong evm_contract)",
                retry=True,
            )

    def _functions(self, web3: Any) -> Any:
        address = web3.to_checksum_address(self.contract)
        return web3.eth.contract(address=address, abi=artifact().abi).functions

    def head(self, origin: str, size: int) -> Head | None:
        """What the contract holds of a log at exactly this size."""
        with self.node.asked() as web3:
            head = Head(*self._functions(web3).head(origin_hash(origin), size).call())
        return head if head.timestamp != _NO_HEAD else None

    def newest(self, origin: str) -> Head | None:
        """The largest head of a log that the contract holds."""
        with self.node.asked() as web3:
            head = Head(*self._functions(web3).latest(origin_hash(origin)).call())
        return head if head.timestamp != _NO_HEAD else None

    def history(self, origin: str, limit: int) -> list[Head]:
        """A log's heads, the newest first, `limit` at most."""
        found: list[Head] = []
        before = 0
        while len(found) < limit:
            with self.node.asked() as web3:
                call = self._functions(web3).history(
                    origin_hash(origin), before, limit - len(found)
                )
                page = [Head(*row) for row in call.call()]
            found += page
            if not page or not page[-1].previous:
                break
            before = page[-1].previous
        return found

    def owner(self) -> str:
        with self.node.asked() as web3:
            return self._functions(web3).owner().call()

    def prepare(self, checkpoint: Checkpoint, earlier: Sequence[Receipt]) -> Receipt | Refusal:
        """A signed transaction for the checkpoint; in place of the last one where that is stuck."""
        self.check_chain()
        sender = self.account.address
        if (owner := self.owner()) != sender:
            return refusals.not_owner(self.contract, owner, sender)
        newest = self.newest(checkpoint.origin)
        if newest is not None and newest.size >= checkpoint.size:
            return refusals.size_not_above(checkpoint, newest)
        last = next((r for r in reversed(earlier) if r["sender"] == sender), None)
        mined, known = self.node.counts(sender)
        nonce, replaces = next_nonce(mined, known, last["nonce"] if last else None)
        fees = offer(*self.node.base_fee_and_tip(), self.max_fee_wei)
        if fees is not None and replaces and last is not None:
            fees = outbid(fees, Fees(int(last["max_fee"]), int(last["tip"])), self.max_fee_wei)
        if fees is None:
            return refusals.fee_above_cap(self.max_fee_wei)
        return self._signed(checkpoint, nonce, fees)

    def _signed(self, checkpoint: Checkpoint, nonce: int, fees: Fees) -> Receipt | Refusal:
        from web3.exceptions import ContractLogicError

        sender = self.account.address
        with self.node.asked() as web3:
            call = self._functions(web3).anchor(
                origin_hash(checkpoint.origin), checkpoint.size, checkpoint.root
            )
            try:
                gas = call.estimate_gas({"from": sender}) * 5 // 4
            except ContractLogicError as error:
                return refusals.reverted(str(error))
            if self.node.balance(sender) < gas * fees.max_fee:
                return refusals.no_funds(sender, gas * fees.max_fee)
            return signed_receipt(self.account, {
                "chainId": self.node.chain_id, "nonce": nonce, "gas": gas, "value": 0,
                "to": web3.to_checksum_address(self.contract),
                "data": call._encode_transaction_data(),
            }, fees)  # fmt: skip

    def publish(self, checkpoint: Checkpoint, receipt: Receipt) -> Refusal | None:
        """Hand the transaction to the node, which tells the others."""
        complaint = self.node.send(bytes.fromhex(receipt["raw"]))
        return refusals.not_taken(complaint) if complaint else None

    def find(self, checkpoint: Checkpoint, receipts: Sequence[Receipt]) -> Sighting:
        """What the chain says of the checkpoint, and of what was sent for it."""
        self.check_chain()
        head = self.head(checkpoint.origin, checkpoint.size)
        if head is not None:
            if head.root != checkpoint.root:
                return Sighting("failed", problem=refusals.other_root(checkpoint, head))
            proof = self._proof(checkpoint.origin, head, receipts)
            return Sighting("confirmed" if proof.depth >= self.confirmations else "pending", proof)
        if not receipts:
            return Sighting("absent")
        for receipt in receipts:
            found = self.node.receipt(receipt["transaction"])
            if found is not None and found["status"] == 0:
                return Sighting("failed", problem=refusals.reverted(receipt["transaction"]))
        last = receipts[-1]
        mined, _ = self.node.counts(last["sender"])
        return Sighting("gone" if mined > last["nonce"] else "waiting")

    def _proof(self, origin: str, head: Head, receipts: Sequence[Receipt]) -> AnchorProof:
        transaction = next(
            (
                receipt["transaction"] for receipt in reversed(receipts)
                if (found := self.node.receipt(receipt["transaction"])) and found["status"] == 1
            ),
            None,
        )  # fmt: skip
        return AnchorProof(
            size=head.size,
            root=head.root,
            block_number=head.block_number,
            block_hash=self.node.block_hash(head.block_number),
            block_time=datetime.fromtimestamp(head.timestamp, UTC),
            transaction=transaction or self._event_transaction(origin, head),
            depth=max(0, self.node.head_number() - head.block_number + 1),
        )

    def _event_transaction(self, origin: str, head: Head) -> str:
        """The transaction whose event recorded a head; empty where a node keeps no old events."""
        with self.node.asked() as web3:
            contract = web3.eth.contract(
                address=web3.to_checksum_address(self.contract), abi=artifact().abi
            )
            try:
                logs = contract.events.Anchored().get_logs(
                    from_block=head.block_number, to_block=head.block_number,
                    argument_filters={"origin": origin_hash(origin), "size": head.size},
                )  # fmt: skip
            except Exception:
                return ""
        return logs[0]["transactionHash"].to_0x_hex() if logs else ""

    def verify(self, checkpoint: Checkpoint, proof: AnchorProof | None = None) -> AnchorCheck:
        """Whether the chain holds exactly this size and root, in a contract that is ours."""
        findings: list[Refusal] = []
        held: AnchorProof | None = None
        newest: Head | None = None
        if self.chain_id and self.node.chain_id != self.chain_id:
            findings.append(refusals.other_chain(self.chain_id, self.node.chain_id))
        elif self.node.code(self.contract) != artifact().runtime:
            findings.append(refusals.unknown_contract(self.contract, self.node.chain_id))
        else:
            newest = self.newest(checkpoint.origin)
            head = self.head(checkpoint.origin, checkpoint.size)
            if head is None:
                findings.append(refusals.not_anchored(checkpoint, newest))
            else:
                held = self._proof(checkpoint.origin, head, ())
                if head.root != checkpoint.root:
                    findings.append(refusals.other_root(checkpoint, head))
                if proof is not None and proof.block_hash not in ("", held.block_hash):
                    findings.append(refusals.other_block(proof, held))
        return AnchorCheck(
            f"evm:{self.node.chain_id}:{self.contract}", self.development, tuple(findings), held,
            newest.size if newest else 0,
        )  # fmt: skip


def signed_receipt(account: Any, transaction: Mapping[str, Any], fees: Fees) -> Receipt:
    """A signed EIP-1559 transaction, with what is needed to follow, repeat or replace it."""
    signed = account.sign_transaction(
        dict(transaction)
        | {"type": 2, "maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.tip}
    )
    return {
        "transaction": signed.hash.to_0x_hex(),
        "sender": account.address,
        "nonce": transaction["nonce"],
        "max_fee": str(fees.max_fee),
        "tip": str(fees.tip),
        "raw": bytes(signed.raw_transaction).hex(),
    }


def open_evm(settings: Mapping[str, Any]) -> EvmAnchor | None:
    """The EVM anchor of an installation's settings; None when they name no node.

    `evm_rpc_url`, `evm_contract`, `evm_chain_id`, `evm_key`, `evm_key_file`, `evm_key_password`,
    `evm_confirmations`, `evm_max_fee_gwei` are read. Raises OperationError for a bad one.
    """
    if not settings.get("evm_rpc_url"):
        return None
    if not settings.get("evm_chain_id"):
        raise OperationError(
            "evm_chain_id must be set beside evm_rpc_url, so that nothing is sent to another chain",
            retry=False,
        )
    if not settings.get("evm_contract"):
        raise OperationError(
            "no contract is known on this chain: run `onsil anchor deploy`, or set evm_contract",
            retry=False,
        )
    return EvmAnchor(
        Node(settings["evm_rpc_url"]),
        address(settings["evm_contract"]),
        int(settings["evm_chain_id"]),
        load_key(
            settings.get("evm_key", ""),
            settings.get("evm_key_file", ""),
            settings.get("evm_key_password", ""),
        ),
        int(settings.get("evm_confirmations") or CONFIRMATIONS),
        int(settings.get("evm_max_fee_gwei") or MAX_FEE_GWEI) * GWEI,
    )


def address(text: str) -> str:
    """A contract's address as 0x and 40 lower-case digits. Raises OperationError for another text.

    Upper case in an address is a checksum (ERC-55), which is checked when there is one.
    """
    digits = text.strip().removeprefix("0x")
    try:
        good = len(bytes.fromhex(digits)) == 20
    except ValueError:
        good = False
    if good and digits not in (digits.lower(), digits.upper()):
        from eth_utils.address import is_checksum_address

        good = is_checksum_address(f"0x{digits}")
    if not good:
        raise OperationError(f"evm_contract {text!r} is not an address", retry=False)
    return f"0x{digits.lower()}"
