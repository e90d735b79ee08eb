"""A gift's way back ends, for the receiver, where it came from somebody else."""

from portal_world import CITY, World

from onsil import ledger
from onsil.portal.terms import ProofState, StepKind, Trace
from onsil.portal.trace import trace_back
from onsil.tenancy import transaction


def _gift(world: World) -> str:
    """100 of the saver's own value, reserved and then accepted; the acceptance's transfer."""
    giver, receiver = f"citizen:{world.saver.pk}", f"citizen:{world.stranger.pk}"
    with transaction(CITY) as tx:
        asset = next(
            a.asset
            for a in ledger.accounts(tx, CITY, prefix=giver)
            if a.asset.startswith(("point:", "local:")) and a.available >= 100
        )
        request = ledger.TransferRequest(
            "gift-1", "gift", (ledger.Leg(giver, receiver, asset, 100),), phase="pending"
        )
        held = ledger.post(tx, CITY, [request], world.clock)["gift-1"]
        assert held.state == "applied", held
        taken = ledger.TransferRequest(
            "gift-1-taken", "gift-taken", (), phase="post", pending=held.transfer_id
        )
        answer = ledger.post(tx, CITY, [taken], world.clock)["gift-1-taken"]
        assert answer.state == "applied", answer
    world.seal()
    return str(answer.transfer_id)


def test_the_receiver_sees_the_gift_and_nothing_of_the_giver(world: World):
    gift = _gift(world)
    receiver = trace_back(CITY, "transfer", gift, reader=str(world.stranger.pk), own_only=True)
    assert isinstance(receiver, Trace)
    assert receiver.owners == {str(world.stranger.pk)}
    assert not receiver.kinds(StepKind.AWARD)
    (step,) = receiver.steps
    assert step.title.en == "Gift accepted"
    assert step.proof.bundle is None
    assert str(world.saver.pk) not in str(step)

    giver = trace_back(CITY, "transfer", gift, reader=str(world.saver.pk), own_only=True)
    assert isinstance(giver, Trace)
    assert giver.owners == {str(world.saver.pk)}
    assert giver.kinds(StepKind.AWARD)

    official = trace_back(CITY, "transfer", gift)
    assert isinstance(official, Trace)
    assert official.kinds(StepKind.AWARD)
    assert official.step(official.subject).proof.state == ProofState.SEALED

    other = trace_back(CITY, "transfer", gift, reader=str(world.buyer.pk), own_only=True)
    assert isinstance(other, Trace)
    assert str(world.buyer.pk) not in other.owners
