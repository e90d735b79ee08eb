"""From a home's readings to points: quantified, claimed, recorded, decided, paid, proved."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from building_cases import CITY, PERSON, SECOND_HALF, SEOUL, home_meters, home_spec

from onsil import ledger, proof
from onsil.building import services as building
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.rewards.entries import award_entries, award_leaf
from onsil.rewards.models import Evidence
from onsil.tenancy import transaction

YEAR = local_days(date(2025, 1, 1), date(2026, 1, 1), SEOUL)


def test_a_fifth_saved_pays_the_top_step_once(home, claim, programme, clock):
    (evidence,) = building.record_savings(CITY, "home-1", claim.id, clock=clock)
    assert evidence.kind == "electricity-saving"
    assert evidence.quantity == (claim.lines[0].amount / 1000).quantize(Decimal("1e-9"))
    baseline = Decimal(evidence.facts["baseline"])
    assert abs(evidence.quantity / baseline - Decimal("0.2")) < Decimal("1e-6")
    again = building.record_savings(CITY, "home-1", claim.id, clock=clock)
    assert [row.id for row in again] == [evidence.id]

    report = rewards.decide(CITY, programme, YEAR, clock=clock)
    assert report.points == 15_000
    rewards.post_awards(CITY, clock=clock)
    with transaction(CITY) as tx:
        ledger.drain(tx, CITY, clock)
        held = ledger.balance(tx, CITY, f"citizen:{PERSON}", "point:household-saving")
    rewards.post_awards(CITY, clock=clock)
    assert held == 15_000

    (decision,) = rewards.decisions_of(CITY, PERSON)
    assert decision.window == "2025-H2"
    assert decision.claim_ids == (claim.id,)
    assert "전기 2" in decision.reason.ko
    (award,) = rewards.awards_of_claim(CITY, claim.id)
    trace = rewards.trace_award(CITY, award.id)
    assert trace.award.transfer_id == award.transfer_id is not None
    assert trace.decision.evidence[0].reference == str(claim.id)
    assert trace.version_digest == trace.terms.digest


def test_savings_are_shown_by_site_and_counted_once(home, claim):
    (shown,) = building.site_savings(CITY, SECOND_HALF)
    assert shown.energy_wh == claim.energy_wh > 0
    assert shown.co2e_t == claim.co2e_t > 0
    assert shown.latest.id == claim.run_id
    assert [run.id for run in building.site_runs(CITY, "home-1")] == [claim.run_id]
    before = Period(SECOND_HALF.start - timedelta(days=9), SECOND_HALF.start)
    (nothing,) = building.site_savings(CITY, before)
    assert (nothing.energy_wh, nothing.claims) == (0, ())


def test_a_claim_pays_only_the_home_it_is_about(home, claim, programme, clock):
    building.register_site(CITY, home_spec("home-2"), home_meters("home-2"))
    building.register_site(CITY, home_spec("empty", person=None), home_meters("empty"))
    for which, code in (
        ("home-2", "claim-elsewhere"), ("empty", "site-without-person"), ("none", "unknown-site"),
    ):  # fmt: skip
        refused = building.record_savings(CITY, which, claim.id, clock=clock)
        assert isinstance(refused, Refusal)
        assert refused.code == code
    unknown = building.record_savings(CITY, "home-1", UUID(int=5), clock=clock)
    assert unknown.code == "claim-elsewhere"
    assert Evidence.objects.count() == 0


def test_a_saving_that_was_not_claimed_is_not_taken(home, claim, programme, clock):
    def told(claim_id: UUID | None) -> str:
        found = rewards.record_evidence(
            CITY, programme, PERSON, "electricity-saving", 10, claim.period.start, "footprint", "r",
            "k", level="meter", facts={"baseline": 50}, claim_id=claim_id, clock=clock,
        )  # fmt: skip
        assert isinstance(found, Refusal)
        return found.code

    assert told(None) == "claim-needed"
    assert told(UUID(int=5)) == "claim-unknown"


def test_altered_evidence_is_named_by_the_verification(
    home, claim, programme, clock, tmp_path: Path
):
    building.record_savings(CITY, "home-1", claim.id, clock=clock)
    rewards.decide(CITY, programme, YEAR, clock=clock)
    (award,) = rewards.awards_of_claim(CITY, claim.id)
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    sources = {"award": award_entries}
    with transaction(CITY) as tx:
        proof.sequence(tx, CITY, tmp_path / "log", signer, clock)
        report = proof.verify(tx, CITY, tmp_path / "log", sources, public_key=signer.public_key)
        assert not [f for f in report.findings if f.kind == "award"]
        leaf = award_leaf(tx, CITY, award.id)
        assert leaf is not None
        assert award_leaf(tx, CITY, UUID(int=award.id.int + 1)) is None
        _as_owner(tx, "UPDATE rewards_evidence SET quantity = quantity * 2")
        report = proof.verify(tx, CITY, tmp_path / "log", sources, public_key=signer.public_key)
    assert award.id in {f.subject_id for f in report.findings if f.kind == "award"}


def _as_owner(conn: psycopg.Connection, statement: str) -> None:
    """What only somebody with the database owner's rights could do."""
    conn.execute("RESET ROLE")
    conn.execute(statement)  # pyright: ignore[reportArgumentType]
    conn.execute("SET ROLE onsil_app")
