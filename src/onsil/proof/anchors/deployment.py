"""Putting the contract on a chain once, and remembering where it is.

The address follows from the sender and the number of its transaction, so it is written down, with
the signed transaction, before anything is sent; a crash in between deploys nothing twice.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError, Refusal
from onsil.proof.anchors import refusals
from onsil.proof.anchors.contract import artifact
from onsil.proof.anchors.evm import signed_receipt
from onsil.proof.anchors.fees import Fees, offer, outbid
from onsil.proof.anchors.keys import SigningKey
from onsil.proof.anchors.node import Node

_LOOK_S = 0.1


@dataclass(frozen=True)
class Deployment:
    """A contract on a chain, as remembered in the data folder."""

    chain_id: int
    contract: str
    transaction: str
    sender: str
    nonce: int
    raw: str
    max_fee: str
    tip: str


def remembered(folder: Path, chain_id: int) -> Deployment | None:
    """The contract deployed from this installation on a chain."""
    try:
        return Deployment(**json.loads(_file(folder, chain_id).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise OperationError(f"{_file(folder, chain_id)}: {error}", retry=False) from error


def deploy(
    node: Node, key: SigningKey, folder: Path, *, max_fee_wei: int, again: bool = False,
    wait_s: float = 300.0,
) -> Deployment | Refusal:  # fmt: skip
    """Deploy the contract, owned by the key, and wait until the chain has it.

    A deployment that was begun is ended, not repeated; one that is done is refused unless `again`.
    Raises OperationError when it is not in a block after `wait_s`: call again to go on waiting.
    """
    account = key.account()
    begun = remembered(folder, node.chain_id)
    if begun is not None and node.code(begun.contract):
        if not again:
            return refusals.already_deployed(begun.contract, node.chain_id)
        begun = None
    usable = begun is not None and begun.nonce >= node.counts(begun.sender)[0]
    if begun is None or not usable or int(begun.max_fee) < node.base_fee_and_tip()[0]:
        made = _prepared(node, account, max_fee_wei, begun if usable else None)
        if isinstance(made, Refusal):
            return made
        begun = made
        _remember(folder, begun)
    deadline = time.monotonic() + wait_s
    while not node.code(begun.contract):
        complaint = node.send(bytes.fromhex(begun.raw))
        if complaint:
            return refusals.not_taken(complaint)
        receipt = node.receipt(begun.transaction)
        if receipt is not None and receipt["status"] == 0:
            return refusals.reverted(begun.transaction)
        if time.monotonic() > deadline:
            raise OperationError(
                f"the deployment {begun.transaction} is not in a block yet", retry=True
            )
        time.sleep(_LOOK_S)
    return begun


def _prepared(
    node: Node, account: Any, max_fee_wei: int, stuck: Deployment | None
) -> Deployment | Refusal:
    """A signed deployment, in place of one that is `stuck` below the present fees."""
    from eth_utils.address import to_checksum_address

    if stuck is not None and stuck.sender != account.address:
        stuck = None
    fees = offer(*node.base_fee_and_tip(), max_fee_wei)
    if fees is not None and stuck is not None:
        fees = outbid(fees, Fees(int(stuck.max_fee), int(stuck.tip)), max_fee_wei)
    if fees is None:
        return refusals.fee_above_cap(max_fee_wei)
    nonce = stuck.nonce if stuck else node.counts(account.address)[1]
    bytecode = "0x" + artifact().bytecode.hex()
    with node.asked() as web3:
        gas = web3.eth.estimate_gas({"from": account.address, "data": bytecode}) * 5 // 4  # pyright: ignore
    if node.balance(account.address) < gas * fees.max_fee:
        return refusals.no_funds(account.address, gas * fees.max_fee)
    receipt = signed_receipt(
        account,
        {"chainId": node.chain_id, "nonce": nonce, "gas": gas, "value": 0, "data": bytecode},
        fees,
    )
    contract = to_checksum_address(created_address(account.address, nonce)).lower()
    return Deployment(chain_id=node.chain_id, contract=contract, **receipt)


def created_address(sender: str, nonce: int) -> bytes:
    """Where a sender's transaction of that number puts a contract (Yellow Paper §7, eq. 88)."""
    import rlp
    from eth_utils.crypto import keccak

    return keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:]


def _file(folder: Path, chain_id: int) -> Path:
    return folder / f"contract-{chain_id}.json"


def _remember(folder: Path, deployment: Deployment) -> None:
    import os

    folder.mkdir(parents=True, exist_ok=True)
    staging = folder / f".contract-{deployment.chain_id}.{os.getpid()}"
    with staging.open("w", encoding="utf-8") as file:
        json.dump(asdict(deployment), file)
        file.flush()
        os.fsync(file.fileno())
    staging.rename(_file(folder, deployment.chain_id))
