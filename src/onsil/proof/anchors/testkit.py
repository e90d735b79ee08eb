"""What every anchor has to bear: run in a test over a real place, with a log that grows there."""

from dataclasses import replace
from hashlib import sha256
from time import monotonic, sleep

from onsil.core.refusal import Refusal
from onsil.proof.anchors.terms import Anchor, Receipt, Sighting
from onsil.proof.checkpoint import Checkpoint

WAIT_S = 30.0


def check_anchor(anchor: Anchor, origin: str, size: int = 1) -> None:
    """Anchor two checkpoints of a log of that name, the first of `size` leaves.

    Raises AssertionError naming what does not hold.
    """
    for number in (size, size + 1):
        root = sha256(f"{origin}#{number}".encode()).digest()
        _check_one(anchor, Checkpoint(origin, number, root))
    assert anchor.place == anchor.place, "a place has one name"


def _check_one(anchor: Anchor, checkpoint: Checkpoint) -> None:
    assert anchor.find(checkpoint, ()).state == "absent", "nothing is there before it is sent"
    assert not anchor.verify(checkpoint).holds, "nothing is verified before it is sent"
    receipt = anchor.prepare(checkpoint, ())
    assert not isinstance(receipt, Refusal), receipt
    assert anchor.find(checkpoint, ()).state == "absent", "preparing has no effect outside"
    for _ in range(2):
        refusal = anchor.publish(checkpoint, receipt)
        assert refusal is None, f"handing over may be repeated: {refusal}"
    sighting = _settled(anchor, checkpoint, receipt)
    assert sighting.proof is not None, "what is there has a proof"
    assert (sighting.proof.size, sighting.proof.root) == (checkpoint.size, checkpoint.root)
    check = anchor.verify(checkpoint, sighting.proof)
    assert check.holds, check.findings
    found = anchor.find(checkpoint, ())
    assert found.state in ("pending", "confirmed"), "it is found without the receipt, too"
    other = anchor.verify(replace(checkpoint, root=bytes(32)))
    assert not other.holds, "another root is not taken for it"
    assert other.findings, "and it is said why"


def _settled(anchor: Anchor, checkpoint: Checkpoint, receipt: Receipt) -> Sighting:
    deadline = monotonic() + WAIT_S
    while (sighting := anchor.find(checkpoint, (receipt,))).state == "waiting":
        assert monotonic() < deadline, f"not taken after {WAIT_S:g} s"
        sleep(0.05)
    assert sighting.state in ("pending", "confirmed"), sighting
    return sighting
