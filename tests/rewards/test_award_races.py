"""Budgets and caps under concurrency, on a real database where every step is committed."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reward_examples import ZONE

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.core.periods import local_days
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.rewards.models import Award, Budget, CapCounter, Decision, Evidence
from onsil.tenancy import city_scope
from onsil.tenancy import transaction as city_transaction

CITY = "pyeongtaek"
MARCH = local_days(date(2026, 3, 1), date(2026, 4, 1), ZONE)
MONDAY = date(2026, 3, 2)
PEOPLE = [UUID(int=(1 << 120) + number) for number in range(40)]


def race(work: Sequence[Callable[[], object]]) -> list[object]:
    """Run everything at once, each in a thread with its own connection; raise what it raised."""
    gate = threading.Barrier(len(work))

    def alone(task: Callable[[], object]) -> object:
        gate.wait()
        try:
            with city_scope(CITY):
                return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(alone, work))


def tap(person: UUID, day: date, fare: int, clock: FixedClock, key: str = "", reference: str = ""):
    at = datetime(day.year, day.month, day.day, 8, tzinfo=ZONE)
    key = key or f"tap:{person}:{day}:{fare}"
    facts = {"service": "city"}
    return rewards.record_evidence(
        CITY, "bus-weekly", person, "bus-ride", fare, at, "card", reference or key, key,
        facts=facts, clock=clock,
    )  # fmt: skip


def small_budget(folder: Path, krw: int) -> None:
    path = folder / "bus-weekly.toml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("krw = 2_800_000_000", f"krw = {krw}"), "utf-8")


def begin(folder: Path, krw: int, clock: FixedClock, people: Sequence[UUID] = PEOPLE) -> None:
    small_budget(folder, krw)
    assert not rewards.load_programmes(CITY, clock=clock).problems
    since = datetime(2025, 1, 1, tzinfo=ZONE)
    for person in people:
        assert rewards.enrol(CITY, person, "bus-weekly", "adult", since=since, clock=clock)


def write_ledger(clock: FixedClock) -> None:
    with city_transaction(CITY) as tx:
        while ledger.drain(tx, CITY, clock):
            pass


def check_the_books(budget_krw: int) -> int:
    """Awards, counters, budgets and the ledger agree; the points awarded."""
    valid = Award.objects.exclude(posting__state="refused")
    awarded = valid.aggregate(total=Sum("krw"))["total"] or 0
    budget = Budget.objects.get(programme__code="bus-weekly", year=2026)
    assert awarded == budget.used_krw <= budget.amount_krw == budget_krw
    weekly: Counter[tuple[UUID, str]] = Counter()
    for award in valid.select_related("decision"):
        weekly[award.person, award.decision.window] += award.points
    assert all(points <= 2_900 for points in weekly.values())
    counters = CapCounter.objects.filter(cut="iso-week")
    assert {(c.person, c.window): c.used for c in counters if c.used} == dict(weekly)
    with city_transaction(CITY) as tx:
        assert ledger.conservation(tx, CITY) == []
        paid = sum(
            ledger.balance(tx, CITY, f"citizen:{person}", "point:bus-weekly")
            for person in {award.person for award in valid}
        )
        assert paid == ledger.balance(tx, CITY, "reserve:points", "KRW") <= awarded
        left = ledger.balance(tx, CITY, "budget:bus-weekly:2026", "KRW")
        assert left + paid == budget_krw
    return awarded


def test_a_budget_that_ends_mid_batch_is_used_to_the_last_won(committed, own_folder, clock):
    with city_scope(CITY):
        begin(own_folder, 10_000, clock)
        for person in PEOPLE:
            assert tap(person, MONDAY, 1_450, clock)

        def decide_and_pay() -> int:
            report = rewards.decide(CITY, "bus-weekly", MARCH, clock=clock)
            rewards.post_awards(CITY, clock=clock)
            write_ledger(clock)
            rewards.post_awards(CITY, clock=clock)
            return report.points

        assert sum(race([decide_and_pay] * 4)) == 10_000
        assert check_the_books(10_000) == 10_000
        decisions = Decision.objects.order_by("person")
        assert [d.points for d in decisions] == [1_450] * 6 + [1_300] + [0] * 33
        refused = decisions.last()
        assert refused.reason_code == "budget-exhausted"
        assert "소진" in refused.reason_ko
        assert "used up" in refused.reason_en

        rewards.fund_budget(
            CITY, "bus-weekly", 2026, "city", 1_600, actor="official", key="more", clock=clock
        )
        assert rewards.decide(CITY, "bus-weekly", MARCH, clock=clock).points == 1_600
        assert [d.points for d in Decision.objects.filter(sequence=2).order_by("person")] == [
            150, 1_450,
        ]  # fmt: skip


def test_evidence_sent_eight_times_at_once_is_there_once(committed, own_folder, clock):
    with city_scope(CITY):
        begin(own_folder, 10_000, clock, PEOPLE[:1])
        person = PEOPLE[0]
        same = race([lambda: tap(person, MONDAY, 1_450, clock, key="tap-1")] * 8)
        assert len({row.id for row in same}) == 1
        keys = [f"other-{number}" for number in range(6)]
        other = race(
            [lambda k=k: tap(person, MONDAY, 1_450, clock, key=k, reference="7") for k in keys]
        )
        refused = [found for found in other if isinstance(found, Refusal)]
        assert {found.code for found in refused} == {"evidence-used"}
        assert len(refused) == 5
        assert Evidence.objects.count() == 2


def test_no_interleaving_of_everything_at_once_overspends(committed, own_folder, clock):
    """Recording, deciding, posting, writing and funding race; the books agree afterwards."""
    chance = random.Random(20260302)
    with city_scope(CITY):
        begin(own_folder, 12_000, clock, PEOPLE[:8])
        days = [MONDAY + timedelta(days=n) for n in (0, 1, 7, 8)]

        def mixed(seed: int) -> Callable[[], None]:
            mine = random.Random(seed)

            def work() -> None:
                for _ in range(6):
                    person, day = mine.choice(PEOPLE[:8]), mine.choice(days)
                    tap(person, day, mine.choice([900, 1_450, 3_100]), clock)
                    rewards.decide(CITY, "bus-weekly", MARCH, clock=clock)
                    rewards.post_awards(CITY, clock=clock)
                    if mine.random() < 0.5:
                        write_ledger(clock)

            return work

        race([mixed(chance.randrange(1 << 30)) for _ in range(4)])
        rewards.decide(CITY, "bus-weekly", MARCH, clock=clock)
        rewards.post_awards(CITY, clock=clock)
        write_ledger(clock)
        assert rewards.post_awards(CITY, clock=clock).pending == 0
        assert check_the_books(12_000) == 12_000


steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("ride"),
            st.integers(0, 2),
            st.integers(0, 20),
            st.sampled_from([1, 1_450, 2_899, 2_900, 2_901, 9_000]),
        ),
        st.sampled_from([("decide",), ("post",), ("write",), ("load",)]),
    ),
    max_size=14,
)


@given(steps=steps)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_of_steps_keeps_within_caps_and_budget(steps, db, city, own_folder):
    clock = FixedClock(datetime(2026, 3, 30, tzinfo=ZONE))
    with transaction.atomic():
        begin(own_folder, 7_000, clock, PEOPLE[:3])
        for step in steps:
            match step:
                case ("ride", who, offset, fare):
                    tap(PEOPLE[who], MONDAY + timedelta(days=offset), fare, clock)
                case ("decide",):
                    rewards.decide(CITY, "bus-weekly", MARCH, clock=clock)
                case ("post",):
                    rewards.post_awards(CITY, clock=clock)
                case ("write",):
                    write_ledger(clock)
                case ("load",):
                    assert not rewards.load_programmes(CITY, clock=clock).problems
            check_the_books(7_000)
        transaction.set_rollback(True)
