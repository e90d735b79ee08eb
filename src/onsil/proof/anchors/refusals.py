"""Every no of the anchors, in Korean and English."""

from onsil.core.refusal import Refusal
from onsil.proof.anchors.contract import Head
from onsil.proof.anchors.fees import GWEI
from onsil.proof.anchors.terms import AnchorProof
from onsil.proof.checkpoint import Checkpoint


def not_owner(contract: str, owner: str, sender: str) -> Refusal:
    return Refusal(
        "anchor-not-owner",
        f"컨트랙트 {contract}의 소유자는 {owner}이고 이 키의 주소는 {sender}이므로 기록할 수"
        " 없습니다. 소유권을 넘겨받거나 소유자의 키를 설정하세요.",
        f"contract {contract} is owned by {owner} and this key's address is {sender}, so nothing"
        " can be anchored: have the ownership transferred, or set the owner's key.",
        {"contract": contract, "owner": owner, "sender": sender},
    )


def size_not_above(checkpoint: Checkpoint, newest: Head) -> Refusal:
    return Refusal(
        "anchor-size-not-above",
        f"체인에는 {checkpoint.origin}의 크기 {newest.size}가 이미 있어 {checkpoint.size}은(는)"
        " 기록할 수 없습니다. 체인이 더 크면 오래된 백업이 복원된 것일 수 있습니다.",
        f"the chain holds {checkpoint.origin} at size {newest.size} already, so {checkpoint.size}"
        " cannot be anchored. Where the chain is ahead, an old backup may have been restored.",
        {"origin": checkpoint.origin, "size": checkpoint.size, "newest": newest.size},
    )


def fee_above_cap(cap_wei: int) -> Refusal:
    return Refusal(
        "anchor-fee-above-cap",
        f"지금의 수수료가 상한({cap_wei // GWEI} gwei)을 넘어 보내지 않았습니다. 나중에 다시"
        " 시도합니다.",
        f"the present fee is above the cap of {cap_wei // GWEI} gwei, so nothing was sent; it is"
        " tried again later.",
        {"cap_wei": cap_wei},
    )


def no_funds(sender: str, needed_wei: int) -> Refusal:
    return Refusal(
        "anchor-no-funds",
        f"{sender}의 잔액이 수수료(최대 {needed_wei} wei)에 못 미칩니다. 이 주소에 채워 주세요.",
        f"{sender} does not hold the fee of up to {needed_wei} wei: top it up.",
        {"sender": sender, "needed_wei": needed_wei},
    )


def reverted(words: str) -> Refusal:
    return Refusal(
        "anchor-reverted",
        f"컨트랙트가 기록을 거절했습니다: {words}",
        f"the contract refused the anchor: {words}",
        {"words": words},
    )


def not_taken(words: str) -> Refusal:
    return Refusal(
        "anchor-not-taken",
        f"노드가 트랜잭션을 받지 않았습니다: {words}",
        f"the node did not take the transaction: {words}",
        {"words": words},
    )


def other_root(checkpoint: Checkpoint, head: Head) -> Refusal:
    return Refusal(
        "anchor-other-root",
        f"체인은 {checkpoint.origin}의 크기 {checkpoint.size}에 다른 루트"
        f" {head.root.hex()}을(를) 담고 있습니다(체크포인트: {checkpoint.root.hex()}). 두 개의"
        " 역사가 있다는 뜻입니다.",
        f"at size {checkpoint.size} of {checkpoint.origin} the chain holds another root,"
        f" {head.root.hex()}, than the checkpoint's {checkpoint.root.hex()}: there are two"
        " histories.",
        {"origin": checkpoint.origin, "size": checkpoint.size, "root": head.root.hex()},
    )


def not_anchored(checkpoint: Checkpoint, newest: Head | None) -> Refusal:
    ko = f"체인의 최신 크기는 {newest.size}입니다." if newest else "이 로그는 체인에 없습니다."
    en = f"The newest size there is {newest.size}." if newest else "It holds nothing of this log."
    return Refusal(
        "anchor-not-found",
        f"체인에는 {checkpoint.origin}의 크기 {checkpoint.size}이(가) 없습니다. {ko}",
        f"the chain does not hold size {checkpoint.size} of {checkpoint.origin}. {en}",
        {"origin": checkpoint.origin, "size": checkpoint.size,
         "newest": newest.size if newest else 0},
    )  # fmt: skip


def other_block(proof: AnchorProof, held: AnchorProof) -> Refusal:
    return Refusal(
        "anchor-other-block",
        f"블록 {proof.block_number}({proof.block_hash})에 있다고 했지만 체인에서는 블록"
        f" {held.block_number}({held.block_hash})에 있습니다.",
        f"it was said to be in block {proof.block_number} ({proof.block_hash}), but the chain has"
        f" it in block {held.block_number} ({held.block_hash}).",
        {"block_number": held.block_number, "block_hash": held.block_hash},
    )


def unknown_contract(contract: str, chain_id: int) -> Refusal:
    return Refusal(
        "anchor-unknown-contract",
        f"체인 {chain_id}의 {contract}에 있는 것은 OnsilAnchor 컨트랙트가 아니므로 그 말을 믿을 수"
        " 없습니다.",
        f"what lies at {contract} on chain {chain_id} is not the OnsilAnchor contract, so nothing"
        " it says can be relied on.",
        {"contract": contract, "chain_id": chain_id},
    )


def other_chain(expected: int, found: int) -> Refusal:
    return Refusal(
        "anchor-other-chain",
        f"체인 {expected}을(를) 물었지만 노드는 체인 {found}에 있습니다.",
        f"chain {expected} was asked for, but the node is on chain {found}.",
        {"expected": expected, "found": found},
    )


def already_deployed(contract: str, chain_id: int) -> Refusal:
    return Refusal(
        "anchor-already-deployed",
        f"체인 {chain_id}에는 이미 {contract}이(가) 있습니다. 새로 배포하려면 --again을 쓰세요.",
        f"there is {contract} on chain {chain_id} already; --again deploys another one.",
        {"contract": contract, "chain_id": chain_id},
    )


def nothing_to_anchor(city: str) -> Refusal:
    return Refusal(
        "anchor-nothing-new",
        f"{city}: 새로 기록할 체크포인트가 없습니다.",
        f"{city}: there is no new checkpoint to anchor.",
        {"city": city},
    )
