"""From evidence to points in a wallet, and every way in which nothing is paid twice."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from reward_examples import ZONE

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, Budget, CapCounter, Decision, Evidence
from onsil.tenancy import city_scope
from onsil.tenancy import transaction as city_transaction

MARCH = local_days(date(2026, 3, 1), date(2026, 4, 1), ZONE)
MONDAY = date(2026, 3, 2)


def join(city: str, person: UUID, group: str = "adult") -> None:
    since = datetime(2025, 1, 1, tzinfo=ZONE)
    assert rewards.enrol(city, person, "bus-weekly", group, since=since)


def ride(
    city: str, person: UUID, day: date, fare: int, clock: FixedClock, key: str = "", hour: int = 8
):
    at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)
    key = key or f"tap:{person}:{at.isoformat()}"
    return rewards.record_evidence(
        city,
        "bus-weekly",
        person,
        "bus-ride",
        fare,
        at,
        "card",
        key,
        key,
        facts={"service": "city"},
        clock=clock,
    )


def write_ledger(city: str, clock: FixedClock) -> None:
    with city_transaction(city) as tx:
        while ledger.drain(tx, city, clock):
            pass


def points_of(city: str, person: UUID, programme: str = "bus-weekly") -> int:
    with city_transaction(city) as tx:
        return ledger.balance(tx, city, f"citizen:{person}", f"point:{programme}")


def test_a_week_of_rides_becomes_points_in_the_wallet(loaded, person, clock):
    join(loaded, person)
    assert ride(loaded, person, MONDAY, 1450, clock)
    assert ride(loaded, person, MONDAY, 1450, clock, hour=18)
    assert ride(loaded, person, MONDAY + timedelta(days=1), 1450, clock)

    report = rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    assert report.points == 2_900
    posted = rewards.post_awards(loaded, clock=clock)
    assert (posted.submitted, posted.pending, posted.applied) == (1, 1, 0)
    write_ledger(loaded, clock)
    assert rewards.post_awards(loaded, clock=clock).applied == 1

    assert points_of(loaded, person) == 2_900
    with city_transaction(loaded) as tx:
        assert ledger.balance(tx, loaded, "reserve:points", "KRW") == 2_900
        left = ledger.balance(tx, loaded, "budget:bus-weekly:2026", "KRW")
        place = f"citizen:{person}", "point:bus-weekly"
        (lot,) = ledger.lots(tx, loaded, *place)
        (brought,) = ledger.credits_of(tx, loaded, *place, lot.terms, *lot.spans[0])
        done = ledger.transfer(tx, loaded, brought.transfer_id)
    assert left == 2_800_000_000 - 2_900
    assert lot.terms.fund == "city"
    assert done is not None
    issued = done.legs[0].pieces[0].terms
    assert issued.origin_kind == "award"
    assert lot.terms.expires_at == datetime(2028, 1, 1, tzinfo=ZONE)

    (decision,) = rewards.decisions_of(loaded, person)
    assert (decision.outcome, decision.state, decision.window) == ("paid", "applied", "2026-W10")
    assert decision.award_id == UUID(issued.origin_id)
    assert rewards.award_of_transfer(loaded, done.id) == decision.award_id
    assert [piece.counted for piece in decision.evidence] == [True, True, False]


def test_deciding_and_posting_again_changes_nothing(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    rewards.post_awards(loaded, clock=clock)
    write_ledger(loaded, clock)
    for _ in range(2):
        assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).decisions == []
        rewards.post_awards(loaded, clock=clock)
        write_ledger(loaded, clock)
        assert rewards.load_programmes(loaded, clock=clock).loaded == []
    assert points_of(loaded, person) == 1_450
    assert Award.objects.count() == 1


def test_evidence_is_recorded_once_a_key_and_once_a_record(loaded, person, clock):
    join(loaded, person)
    first = ride(loaded, person, MONDAY, 1450, clock, key="tap-1")
    assert ride(loaded, person, MONDAY, 1450, clock, key="tap-1").id == first.id
    other = ride(loaded, person, MONDAY, 1500, clock, key="tap-1")
    assert isinstance(other, Refusal)
    assert other.code == "evidence-key-reused"
    stolen = rewards.record_evidence(
        loaded, "bus-weekly", person, "bus-ride", 1450, first.occurred_at, "card", "tap-1",
        "another key", facts={"service": "city"}, clock=clock,
    )  # fmt: skip
    assert isinstance(stolen, Refusal)
    assert stolen.code == "evidence-used"
    assert Evidence.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"programme": "no-such"}, "unknown-programme"),
        ({"kind": "bottle"}, "evidence-kind"),
        ({"level": "statement"}, "evidence-level"),
        ({"quantity": 0}, "evidence-quantity"),
        ({"quantity": Decimal("NaN")}, "evidence-quantity"),
        ({"quantity": Decimal("1e-10")}, "evidence-quantity"),
        ({"quantity": True}, "evidence-quantity"),
        ({"occurred_at": datetime(2026, 3, 20, 13, tzinfo=ZONE)}, "evidence-future"),
        ({"occurred_at": datetime(2026, 1, 10, tzinfo=ZONE)}, "evidence-too-late"),
        ({"occurred_at": datetime(2024, 12, 31, tzinfo=ZONE)}, "programme-not-in-force"),
        ({"person": UUID(int=77)}, "not-enrolled"),
    ],
)
def test_evidence_that_is_not_taken_is_told_why(loaded, person, clock, change, code):
    join(loaded, person)
    terms = {
        "programme": "bus-weekly",
        "person": person,
        "kind": "bus-ride",
        "quantity": 1450,
        "occurred_at": datetime(2026, 3, 2, 8, tzinfo=ZONE),
        "source": "card",
        "reference": "r",
        "key": "k",
        "facts": {"service": "city"},
        "clock": clock,
    } | change
    found = rewards.record_evidence(loaded, **terms)
    assert isinstance(found, Refusal)
    assert found.code == code
    assert found.ko
    assert found.en
    assert Evidence.objects.count() == 0


def test_a_quantity_is_kept_to_nine_decimals_and_replays_as_such(loaded, person, clock):
    join(loaded, person)
    third = Decimal(4_000) / 3
    first = ride(loaded, person, MONDAY, third, clock, key="tap-1")
    assert first.quantity == Decimal("1333.333333333")
    assert ride(loaded, person, MONDAY, third, clock, key="tap-1").id == first.id


def test_a_week_is_decided_when_it_is_over_and_its_grace_too(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, date(2026, 3, 16), 1450, clock)  # the running week
    report = rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    assert (report.decisions, report.waiting) == ([], 1)
    (waiting,) = rewards.waiting_of(loaded, person)
    assert waiting.decided_from == date(2026, 3, 26)
    clock.instant = datetime(2026, 3, 25, 23, 59, tzinfo=ZONE)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 0
    clock.instant = datetime(2026, 3, 26, tzinfo=ZONE)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 1450
    assert rewards.waiting_of(loaded, person) == []


def test_late_evidence_pays_the_difference_and_never_takes_back(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY + timedelta(days=1), 1350, clock)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 1350
    ride(loaded, person, MONDAY + timedelta(days=1), 1350, clock, hour=19)
    (more,) = rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).decisions
    assert (more.sequence, more.points, more.already) == (2, 1350, 1350)
    ride(loaded, person, MONDAY, 500, clock)  # an earlier first day, worth less
    (less,) = rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).decisions
    assert (less.points, less.reason_code) == (0, "nothing-more")
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).decisions == []


def test_who_is_not_paid_reads_why(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY + timedelta(days=5), 1450, clock)  # a Saturday alone
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    (decision,) = rewards.decisions_of(loaded, person)
    assert (decision.outcome, decision.points, decision.state) == ("unpaid", 0, "none")
    assert "대상 요일" in decision.reason.ko
    assert decision.reason.text("en").startswith("Not paid")


def test_a_cap_cuts_the_payment_and_says_which(loaded, person, clock):
    join(loaded, person, "teen")
    for hour in (7, 12, 18):
        ride(loaded, person, MONDAY, 1010, clock, hour=hour)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    (decision,) = rewards.decisions_of(loaded, person)
    assert (decision.points, decision.entitled, decision.outcome) == (2_020, 3_030, "partly")
    assert "2,020" in decision.reason.ko
    (offer,) = [o for o in rewards.offers(loaded, person, clock=clock) if o.enrolled]
    assert {room.window.cut: room.left for room in offer.rooms}["year"] == 105_040 - 2_020


def test_another_city_sees_and_pays_nothing(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    with city_scope("goyang"):
        assert rewards.decisions_of("goyang", person) == []
        found = rewards.decide("goyang", "bus-weekly", MARCH, clock=clock)
        assert isinstance(found, Refusal)
        refused = ride("goyang", person, MONDAY, 1450, clock, key="x")
        assert refused.code == "unknown-programme"
    assert Decision.objects.count() == 0


def test_journals_cannot_be_altered_by_the_application(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    for journal in (Evidence, Decision, Award):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            journal.objects.update(city="pyeongtaek")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            journal.objects.all()._raw_delete("default")


def test_the_database_itself_refuses_to_pass_a_cap_or_a_budget(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    with pytest.raises(IntegrityError, match="never_beyond_the_cap"), transaction.atomic():
        CapCounter.objects.filter(cut="iso-week").update(used=2_901)
    with pytest.raises(IntegrityError, match="never_beyond_the_budget"), transaction.atomic():
        Budget.objects.filter(year=2026).update(used_krw=2_800_000_001)


def test_an_unfinished_posting_is_finished_by_the_next_run(loaded, person, clock, monkeypatch):
    """A crash between the award and the ledger leaves neither a lost nor a doubled payment."""
    from onsil.rewards.services import posting

    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)

    def crash(*terms: object) -> None:
        ledger.submit(*terms)  # pyright: ignore[reportArgumentType]
        raise RuntimeError("the machine stopped here")

    with monkeypatch.context() as broken:
        broken.setattr(posting, "submit", crash)
        with pytest.raises(RuntimeError), transaction.atomic():
            rewards.post_awards(loaded, clock=clock)
    write_ledger(loaded, clock)
    assert points_of(loaded, person) == 0
    rewards.post_awards(loaded, clock=clock)
    write_ledger(loaded, clock)
    rewards.post_awards(loaded, clock=clock)
    assert points_of(loaded, person) == 1_450


def test_what_the_ledger_refuses_is_given_back_and_tried_again(loaded, person, clock):
    """An emptied budget account refuses the award; caps and budget are free again afterwards."""
    join(loaded, person)
    ride(loaded, person, MONDAY, 1450, clock)
    with city_transaction(loaded) as tx:
        leg = ledger.Leg("budget:bus-weekly:2026", "external:bank", "KRW", 2_800_000_000)
        ledger.post(tx, loaded, [ledger.TransferRequest("drained", "test", (leg,))], clock)
    rewards.decide(loaded, "bus-weekly", MARCH, clock=clock)
    rewards.post_awards(loaded, clock=clock)
    write_ledger(loaded, clock)
    assert rewards.post_awards(loaded, clock=clock).refused == 1
    newest, first = rewards.decisions_of(loaded, person)
    assert (first.state, newest.outcome, newest.reason_code) == (
        "refused", "unpaid", "ledger-refused",
    )  # fmt: skip
    assert set(CapCounter.objects.values_list("used", flat=True)) == {0}
    assert Budget.objects.get(year=2026, programme__code="bus-weekly").used_krw == 0

    with city_transaction(loaded) as tx:
        leg = ledger.Leg("external:bank", "budget:bus-weekly:2026", "KRW", 5_000)
        ledger.post(tx, loaded, [ledger.TransferRequest("refilled", "test", (leg,))], clock)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 1_450
    rewards.post_awards(loaded, clock=clock)
    write_ledger(loaded, clock)
    rewards.post_awards(loaded, clock=clock)
    assert points_of(loaded, person) == 1_450


def test_a_period_decides_the_weeks_that_start_in_it(loaded, person, clock):
    join(loaded, person)
    ride(loaded, person, date(2026, 2, 28), 1450, clock)  # the week of 23 February
    ride(loaded, person, date(2026, 2, 27), 1450, clock)
    assert rewards.decide(loaded, "bus-weekly", MARCH, clock=clock).points == 0
    february = Period(datetime(2026, 2, 1, tzinfo=ZONE), MARCH.start)
    assert rewards.decide(loaded, "bus-weekly", february, clock=clock).points == 1450
