"""A person is erased: who they were goes at once, what happened when its time is over."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from portal_world import CITY, World, served

from onsil import ledger, proof
from onsil.citizen import jobs
from onsil.citizen.models import Membership, Residency, User
from onsil.citizen.services import erasure
from onsil.configuration import configuration
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.rewards.entries import log_sources
from onsil.rewards.models import Award, Evidence
from onsil.tenancy import transaction

LATER = FixedClock(datetime(2031, 2, 12, tzinfo=UTC))
WHO = {"actor": "user:official"}


@pytest.fixture(scope="module")
def world(postgres, django_db_blocker) -> Iterator[World]:
    with served(postgres, django_db_blocker) as made:
        yield made


def verified() -> proof.VerifyReport:
    with transaction(CITY) as tx:
        return proof.verify(tx, CITY, Path(configuration().log_folder), log_sources())


def empty_the_wallet(world: World) -> None:
    with transaction(CITY) as tx:
        code = f"citizen:{world.saver.pk}"
        requests = [
            ledger.TransferRequest(
                f"empty:{held.asset}", "refund",
                (ledger.Leg(code, f"issuer:{held.asset.split(':')[0]}", held.asset, held.balance),),
            )
            for held in ledger.accounts(tx, CITY, prefix=code)
            if held.balance
        ]  # fmt: skip
        ledger.post(tx, CITY, requests, world.clock)


def leaves(world: World) -> list[erasure.PersonalLeaf]:
    with transaction(CITY) as tx:
        return erasure.leaves_of(tx, CITY, world.saver.pk)


def test_the_whole_way(world: World):
    """One story: refused, hidden, kept, freed by time, and the log valid all along."""
    found = leaves(world)
    kinds = {leaf.kind for leaf in found}
    assert kinds == {"award", "transfer"}
    awards = Award.objects.filter(person=world.saver.pk).count()
    assert sum(leaf.kind == "award" for leaf in found) == awards

    full = erasure.erase_person(world.saver, **WHO, clock=world.clock)
    assert isinstance(full, Refusal)
    assert full.code == "wallet-not-empty"
    payment = world.payments[0].transfer_id
    early = erasure.erase_record("transfer", payment, world.saver, **WHO, clock=world.clock)
    assert isinstance(early, Refusal)
    assert (early.code, early.facts["free_from"]) == ("must-be-kept", "2031-02-11")
    assert "전자금융거래법" in early.ko
    foreign = erasure.erase_record("transfer", uuid4(), world.saver, **WHO, clock=LATER)
    assert isinstance(foreign, Refusal)
    assert foreign.code == "not-theirs"
    assert User.objects.get(pk=world.saver.pk).is_active

    empty_the_wallet(world)
    world.seal()
    total = len(leaves(world))
    done = erasure.erase_person(world.saver, **WHO, clock=world.clock)
    assert done == erasure.PersonErasure(0, total, date(2031, 2, 11))
    person = User.objects.get(pk=world.saver.pk)
    assert (person.name, person.is_active, person.has_usable_password()) == ("", False, False)
    assert person.email == f"{person.pk}@erased.invalid"
    assert not Residency.objects.filter(user=person).exists()
    assert not Membership.objects.filter(user=person).exists()
    assert verified().ok

    assert erasure.erase_due(clock=world.clock) == 0
    assert erasure.erase_due(clock=LATER) == total
    assert erasure.erase_due(clock=LATER) == 0
    jobs.erase_due(0)  # the nightly job finds nothing left
    assert not Award.objects.filter(person=world.saver.pk).exists()
    assert not Evidence.objects.filter(person=world.saver.pk).exists()
    assert not Evidence.objects.filter(reference__startswith="tap-").exists()
    world.seal()
    report = verified()
    assert (report.findings, report.erased) == ([], total)
    with transaction(CITY) as tx:
        for leaf in found:
            held = proof.leaf(tx, CITY, leaf.kind, leaf.subject_id)
            assert held is not None
            assert held.erased
        acts = proof.audit_trail(tx, CITY, subject_kind="user", subject_id=str(person.pk))
    assert "person.erased" in {act.action for act in acts}


def test_tampering_is_still_found(world: World):
    """A company's transfers, altered after the erasures, do not hide behind them."""
    before = verified()
    assert before.ok
    with connection.cursor() as run:
        run.execute("RESET ROLE")
        run.execute(
            "UPDATE ledger_account SET code = code || 'x' WHERE city = %s"
            " AND starts_with(code, 'company:')",
            [CITY],
        )
        run.execute("SET ROLE onsil_app")
    report = verified()
    assert {finding.code for finding in report.findings} == {"row-altered"}
    assert report.erased == before.erased


def test_an_award_is_forgotten_only_after_its_leaf(world: World):
    with transaction(CITY) as tx, pytest.raises(Exception, match="has not been erased"):
        tx.execute("SELECT rewards_forget(%s, %s)", (CITY, uuid4()))
