"""A home's claim that a reward rests on is in use, and a released one is no evidence."""

from datetime import date

import pytest
from building_cases import CITY, PERSON, SEOUL
from django.db import IntegrityError
from django.db.transaction import atomic

from onsil import footprint
from onsil.building import services as building
from onsil.core.periods import local_days
from onsil.core.refusal import Refusal
from onsil.footprint.claims import Release, uses_of
from onsil.rewards import services as rewards
from onsil.rewards.models import Evidence
from onsil.rewards.services import evidence as recording
from onsil.tenancy import transaction

YEAR = local_days(date(2025, 1, 1), date(2026, 1, 1), SEOUL)


def uses(claim: footprint.Claim) -> list[tuple[str, str]]:
    with transaction(CITY) as tx:
        return sorted((one.kind, one.subject) for one in uses_of(tx, CITY, claim.id))


def released(claim: footprint.Claim, clock) -> Release | Refusal:
    with transaction(CITY) as tx:
        return footprint.release_claim(tx, CITY, claim.id, "by mistake", "official", clock)


def test_evidence_and_award_use_the_claim_once(home, claim, programme, clock):
    for _ in range(2):
        recorded = building.record_savings(CITY, "home-1", claim.id, clock=clock)
        assert not isinstance(recorded, Refusal)
        (kept,) = recorded
    assert uses(claim) == [("evidence", str(kept.id))]
    for _ in range(2):
        rewards.decide(CITY, programme, YEAR, clock=clock)
    (award,) = rewards.awards_of_claim(CITY, claim.id)
    assert uses(claim) == [("award", str(award.id)), ("evidence", str(kept.id))]
    answer = released(claim, clock)
    assert isinstance(answer, Refusal)
    assert answer.code == "claim-used"
    assert {"kind": "award", "subject": str(award.id)} in answer.facts["uses"]
    assert "award" in answer.en
    assert "보상" in answer.ko


def record(claim: footprint.Claim, clock, key: str = "k", reference: str = "r"):
    return rewards.record_evidence(
        CITY, "household-saving", PERSON, "electricity-saving", 10, claim.period.start,
        "footprint", reference, key, level="meter", facts={"baseline": 50}, claim_id=claim.id,
        clock=clock,
    )  # fmt: skip


def test_a_record_that_is_refused_uses_nothing(home, claim, programme, clock):
    kept = record(claim, clock)
    assert isinstance(kept, Evidence)
    again = record(claim, clock, key="other")
    assert isinstance(again, Refusal)
    assert again.code == "evidence-used"
    assert uses(claim) == [("evidence", str(kept.id))]


def test_a_released_claim_is_no_evidence(home, claim, programme, clock, monkeypatch):
    assert isinstance(released(claim, clock), Release)
    answer = record(claim, clock)
    assert isinstance(answer, Refusal)
    assert answer.code == "claim-unknown"
    # Released between the look at it and its use.
    monkeypatch.setattr(recording, "_claim_missing", lambda *_: None)
    answer = record(claim, clock)
    assert isinstance(answer, Refusal)
    assert answer.code == "claim-released"
    assert Evidence.objects.count() == 0


def test_the_database_refuses_evidence_on_a_released_claim(home, claim, programme, clock):
    kept = record(claim, clock)
    assert isinstance(kept, Evidence)
    with transaction(CITY) as tx:
        run = footprint.run(tx, CITY, claim.run_id)
        assert run is not None
    other = Evidence.objects.get(pk=kept.pk)
    other.pk, other.key, other.reference = None, "by hand", "by hand"
    other.claim_id = run.id  # no claim at all
    with pytest.raises(IntegrityError, match="no such claim"), atomic():
        other.save(force_insert=True)
