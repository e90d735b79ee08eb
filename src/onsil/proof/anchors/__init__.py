"""Checkpoints kept outside the operator's reach, so that history cannot be rewritten at home.

Reading what became of them needs no chain; web3 is loaded when a node is first asked.
"""

from onsil.proof.anchors.contract import Head, artifact, origin_hash
from onsil.proof.anchors.course import due
from onsil.proof.anchors.deployment import Deployment, deploy, remembered
from onsil.proof.anchors.evm import EvmAnchor, address, open_evm
from onsil.proof.anchors.fees import GWEI
from onsil.proof.anchors.keys import SigningKey, load_key
from onsil.proof.anchors.node import Node, is_development
from onsil.proof.anchors.registry import open_anchors
from onsil.proof.anchors.service import Anchoring, anchor_now, sole
from onsil.proof.anchors.store import covering, latest_confirmed, recent, try_lock, unlock
from onsil.proof.anchors.terms import (
    Anchor,
    AnchorCheck,
    AnchorProof,
    AnchorRecord,
    Receipt,
    Sighting,
)

__all__ = [
    "GWEI", "Anchor", "AnchorCheck", "AnchorProof", "AnchorRecord", "Anchoring", "Deployment",
    "EvmAnchor", "Head", "Node", "Receipt", "Sighting", "SigningKey", "address", "anchor_now",
    "artifact", "covering", "deploy", "due", "is_development", "latest_confirmed", "load_key",
    "open_anchors", "open_evm", "origin_hash", "recent", "remembered", "sole", "try_lock", "unlock",
]  # fmt: skip
