"""The walk back and the walk forward agree, add up, and tell on altered rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
import pytest
from portal_world import CITY, HOME, NOW, SEOUL, SOLAR, World
from psycopg import sql

from onsil.core.refusal import Refusal
from onsil.portal.bundle import to_json, verify_trace_bundle
from onsil.portal.layout import Branch, lay_out
from onsil.portal.narrate import lines
from onsil.portal.terms import ProofState, StepKind, Trace
from onsil.portal.trace import trace_back, trace_forward


def back(kind: str, id: object, **more) -> Trace:
    found = trace_back(CITY, kind, str(id), **more)
    assert isinstance(found, Trace), found
    return found


def forward(entity: str, attribute: str, at: datetime, **more) -> Trace:
    found = trace_forward(CITY, entity, attribute, at, **more)
    assert isinstance(found, Trace), found
    return found


def sources(trace: Trace, key: str) -> int:
    return sum(int(link.amount or 0) for link in trace.earlier(key))


def test_a_payment_is_walked_back_to_the_readings_and_the_sensor(world: World):
    found = back("payment", world.payments[1].transfer_id, reader=str(world.saver.pk))
    kinds = {step.kind for step in found.steps}
    assert kinds == {
        StepKind.TRANSFER, StepKind.AWARD, StepKind.EVIDENCE, StepKind.CLAIM, StepKind.RUN,
        StepKind.READINGS, StepKind.SENSOR,
    }  # fmt: skip
    (run,) = found.kinds(StepKind.RUN)
    assert run.id == str(world.home_run.id)
    assert "우리 집이" in run.words.ko
    assert "your home used" in run.words.en
    (readings,) = found.kinds(StepKind.READINGS)
    assert readings.digest == world.home_run.snapshot_digest
    assert readings.chart is not None
    assert len(readings.chart.values) == 24
    assert readings.chart.shaded == ((0, 24),)
    (sensor,) = found.kinds(StepKind.SENSOR)
    assert sensor.place is not None
    assert found.stations == ("measure", "quantify", "claim", "reward", "spend")
    assert found.owners == {str(world.saver.pk)}


def test_every_won_of_a_payment_has_a_source(world: World):
    """4,500 won: three bus weeks of 1,450, and 150 of the 15,000 that the home's saving paid."""
    found = back("payment", world.payments[0].transfer_id)
    payment = found.step(found.subject)
    assert sources(found, payment.key) == 4_500
    (conversion,) = (link.earlier for link in found.earlier(payment.key))
    assert sorted(int(x.amount or 0) for x in found.earlier(conversion)) == [
        150, 1_450, 1_450, 1_450,
    ]  # fmt: skip
    assert sources(found, conversion) == 4_500
    for link in found.earlier(conversion):
        assert sources(found, link.earlier) == link.amount


def test_two_payments_never_share_a_point(world: World):
    """What both payments took of each award together is at most what the award paid."""
    taken: dict[str, int] = {}
    paid: dict[str, int] = {}
    for payment in world.payments:
        found = back("payment", payment.transfer_id)
        assert sources(found, found.subject) == payment.amount
        for award in found.kinds(StepKind.AWARD):
            taken[award.id] = taken.get(award.id, 0) + sum(
                int(link.amount or 0) for link in found.later(award.key)
            )
            paid[award.id] = int(award.figures[0].value)
    assert sum(taken.values()) == sum(p.amount for p in world.payments)
    assert all(taken[award] <= paid[award] for award in taken)


def test_a_reading_is_walked_forward_to_the_payments_that_it_paid(world: World):
    instant = datetime(2025, 12, 3, 7, tzinfo=SEOUL)
    found = forward(HOME, "electricity", instant)
    reached = {step.id for step in found.kinds(StepKind.TRANSFER)}
    assert {str(p.transfer_id) for p in world.payments} <= reached
    for payment in world.payments:
        key = f"transfer-{payment.transfer_id}"
        here = sum(int(link.amount or 0) for link in found.earlier(key))
        there = back("payment", payment.transfer_id)
        share = {
            step.key: sum(int(x.amount or 0) for x in there.later(step.key))
            for step in there.kinds(StepKind.AWARD)
            if step.title.en == "Energy saved at home"
        }
        assert here == sum(share.values())


def test_a_reading_of_the_baseline_fed_the_run_but_bought_nothing_else_than_it_did(world: World):
    """The baseline's readings went into the same run; a solar reading went into credits alone."""
    early = forward(HOME, "electricity", datetime(2024, 12, 3, 7, tzinfo=SEOUL))
    assert [step.id for step in early.kinds(StepKind.RUN)] == [str(world.home_run.id)]
    solar = forward(SOLAR, "generation", datetime(2025, 6, 1, 12, tzinfo=SEOUL))
    assert [step.id for step in solar.kinds(StepKind.CREDIT)] == [str(world.batch.id)]
    assert [step.id for step in solar.kinds(StepKind.RETIREMENT)] == [str(world.retirement.id)]
    assert not solar.kinds(StepKind.AWARD)
    unused = forward(SOLAR, "generation", datetime(2025, 6, 2, 12, tzinfo=SEOUL))
    assert [step.kind for step in unused.steps] == [StepKind.READINGS]


def test_a_retirement_is_walked_back_without_anything_personal(world: World):
    found = back("retirement", world.retirement.id, public=True)
    assert found.kinds(StepKind.CREDIT)
    assert found.kinds(StepKind.SENSOR)[0].place is not None
    assert found.owners == frozenset()


def test_the_public_sees_nothing_of_a_home(world: World):
    found = back("run", world.home_run.id, public=True)
    (run,) = found.kinds(StepKind.RUN)
    assert run.proof.bundle is None
    (readings,) = found.kinds(StepKind.READINGS)
    assert readings.chart is None
    (sensor,) = found.kinds(StepKind.SENSOR)
    assert sensor.place is None
    text = str(to_json(found))
    assert "데모 시민 1의 집" not in text
    assert found.owners == frozenset()


def test_every_posting_award_claim_and_run_is_sealed(world: World):
    found = back("payment", world.payments[1].transfer_id)
    for step in found.steps:
        if step.kind in (StepKind.TRANSFER, StepKind.AWARD, StepKind.CLAIM, StepKind.RUN):
            assert step.proof.state == ProofState.SEALED, step
            assert step.proof.bundle is not None


def test_the_bundle_is_verified_offline_and_one_changed_letter_is_found(world: World):
    content = to_json(back("payment", world.payments[1].transfer_id))
    good = verify_trace_bundle(content)
    assert good.ok, good.findings
    assert good.checked == len(content["proofs"]) == 6
    run = next(p for p in content["proofs"] if p["kind"] == "quantification")
    run["entry"] = {**run["entry"], "co2e_t": "999"}
    bad = verify_trace_bundle(content)
    assert not bad.ok
    assert any("quantification" in finding for finding in bad.findings)
    content["proofs"].remove(run)
    assert any("missing" in f for f in verify_trace_bundle(content).findings)
    assert not verify_trace_bundle({"format": "something"}).ok


@contextmanager
def altered(dsn: str, table: str, column: str, key: str, id: str) -> Iterator[None]:
    """A figure changed behind the application's back, as only the database's owner can."""
    statement = sql.SQL("UPDATE {} SET {} = {} + %s WHERE {} = %s").format(
        *(sql.Identifier(name) for name in (table, column, column, key))
    )
    with psycopg.connect(dsn, autocommit=True) as owner:
        assert owner.execute(statement, (1, id)).rowcount == 1
        try:
            yield
        finally:
            owner.execute(statement, (-1, id))


@pytest.mark.parametrize(
    ("table", "column", "kind"),
    [
        ("ledger_leg", "amount", StepKind.TRANSFER),
        ("footprint_claim", "co2e_t", StepKind.CLAIM),
        ("rewards_award", "krw", StepKind.AWARD),
    ],
)
def test_an_altered_row_fails_its_proof(world: World, table: str, column: str, kind: StepKind):
    payment = world.payments[1].transfer_id
    found = back("payment", payment)
    step = found.step(found.subject) if kind == StepKind.TRANSFER else found.kinds(kind)[0]
    where = "transfer_id" if table == "ledger_leg" else "id"
    with altered(world.dsn, table, column, where, step.id):
        told = back("payment", payment)
        assert told.step(step.key).proof.state == ProofState.FAILED
        assert not verify_trace_bundle(to_json(told)).ok
        failed = [s.key for s in told.steps if s.proof.state == ProofState.FAILED]
        assert failed == [step.key]
    assert back("payment", payment).step(step.key).proof.state == ProofState.SEALED


def test_what_does_not_exist_is_refused_in_words(world: World):
    for kind, id in (("payment", "no-uuid"), ("award", str(world.batch.id)), ("moon", "x")):
        found = trace_back(CITY, kind, id)
        assert isinstance(found, Refusal)
        assert found.ko
        assert found.en
    assert isinstance(trace_forward(CITY, HOME, "nothing", NOW), Refusal)


def test_the_layout_shows_each_step_once_and_narrates_it(world: World):
    found = back("payment", world.payments[0].transfer_id)
    shown: list[str] = []

    def walk(branch: Branch) -> None:
        shown.extend(step.key for step in branch.steps)
        for fork in branch.forks:
            walk(fork)

    walk(lay_out(found))
    assert sorted(shown) == sorted(step.key for step in found.steps)
    told = "\n".join(lines(found, "en"))
    assert "4,500 won paid at 데모 가맹점." in told
    assert "150 P" in told
