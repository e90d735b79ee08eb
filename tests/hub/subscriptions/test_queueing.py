"""One endpoint's queue: order, throttling, pauses, gathering; time is the test's own."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.ids import new_id
from onsil.hub.subscriptions.queueing import (
    COLLAPSE_FROM,
    CONCURRENCY,
    GATHER_FROM,
    KEEP,
    EndpointQueue,
    Job,
    merged,
)
from onsil.hub.subscriptions.terms import ContextSource, Endpoint, Form, Subscription

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def subscription(number: int = 1, **more) -> Subscription:
    return Subscription(
        "c", number, f"urn:s:{number}", "entities", (), frozenset(), frozenset(),
        more.pop("endpoint", Endpoint("http://x/")), Form(), ContextSource("", ""), **more,
    )  # fmt: skip


class Line:
    """A queue with jobs numbered as they come."""

    def __init__(self):
        self.queue = EndpointQueue()
        self.number = 0

    def add(self, one: Subscription, *uris: str, at: datetime = NOW) -> list[int]:
        self.number += 1
        entries = [{"uri": uri, "n": self.number} for uri in uris]
        job = Job(one, self.number, new_id(), at, entries, [self.number])
        return self.queue.add(job)

    def take(self, now: datetime = NOW) -> list[Job]:
        return self.queue.take(now).send


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_changes_of_one_entity_wait_for_each_other_and_others_do_not():
    line, one = Line(), subscription()
    for uri in ("a", "a", "b", "a", "c"):
        line.add(one, uri)
    taken = line.take()
    assert [job.order for job in taken] == [1, 3, 5]
    line.queue.done(taken[1], "sent", NOW)
    assert line.take() == []
    line.queue.done(taken[0], "sent", NOW)
    assert [job.order for job in line.take()] == [2]


def test_no_more_than_so_many_are_under_way():
    line, one = Line(), subscription()
    for number in range(CONCURRENCY + 5):
        line.add(one, f"e{number}")
    assert len(line.take()) == CONCURRENCY


def test_throttling_sends_the_latest_state_when_the_window_ends():
    line, one = Line(), subscription(throttling_s=10)
    line.add(one, "a")
    (first,) = line.take()
    line.queue.done(first, "sent", NOW)
    for uri in ("a", "b", "a"):
        line.add(one, uri)
    assert line.take(after(9.9)) == []
    assert line.queue.wake_at(after(9.9)) == after(10)
    (second,) = line.take(after(10))
    assert {e["uri"]: e["n"] for e in second.entries} == {"a": 4, "b": 3}
    assert sorted(second.rows) == [2, 3, 4]
    line.queue.done(second, "sent", after(10.1))
    line.add(one, "a", at=after(11))
    assert line.queue.wake_at(after(11)) == after(20)


def test_the_throttling_clock_goes_on_after_a_restart():
    line, one = Line(), subscription(throttling_s=10)
    line.queue.note_last(one, after(-4))
    line.add(one, "a")
    assert line.take(after(5)) == []
    assert len(line.take(after(6))) == 1


def test_throttling_of_one_subscription_holds_up_no_other():
    line, slow, quick = Line(), subscription(1, throttling_s=10), subscription(2)
    line.add(slow, "a")
    (first,) = line.take()
    line.queue.done(first, "sent", NOW)
    line.add(slow, "a")
    line.add(quick, "a")
    assert [job.subscription for job in line.take(after(1))] == [quick]


def test_a_failure_pauses_longer_each_time_and_one_is_tried_first():
    line, one = Line(), subscription()
    for uri in "abc":
        line.add(one, uri)
    for job in line.take():
        line.queue.done(job, "failed", NOW)
    pauses = []
    now = NOW
    for _ in range(4):
        wake = line.queue.wake_at(now)
        pauses.append((wake - now).total_seconds())
        assert line.take(wake - timedelta(milliseconds=1)) == []
        (probe,) = line.take(wake)
        assert probe.order == 1
        line.queue.done(probe, "failed", wake)
        now = wake
    assert pauses == [1, 2, 4, 8]
    (probe,) = line.take(line.queue.wake_at(now))
    line.queue.done(probe, "sent", now)
    assert [job.order for job in line.take(now)] == [2, 3]


def test_a_cooldown_is_the_least_pause():
    line, one = Line(), subscription(endpoint=Endpoint("http://x/", cooldown_s=30))
    line.add(one, "a")
    (job,) = line.take()
    line.queue.done(job, "refused", NOW)
    line.add(one, "b")
    assert line.queue.wake_at(NOW) == after(30)
    assert line.take(after(29)) == []
    assert len(line.take(after(30))) == 1


def test_what_is_too_old_or_paused_is_dropped():
    line, one = Line(), subscription()
    line.add(one, "a")
    line.add(one, "b", at=NOW + KEEP)
    taken = line.queue.take(NOW + KEEP + timedelta(seconds=1))
    assert [job.order for job in taken.dropped] == [1]
    assert [job.order for job in taken.send] == [2]
    line.add(subscription(2, active=False), "a")
    assert [job.order for job in line.queue.take(NOW).dropped] == [3]


def test_behind_a_slow_receiver_entities_go_together_and_keep_their_id():
    line, one = Line(), subscription()
    for number in range(GATHER_FROM + 10):
        line.add(one, f"e{number}")
    (first, *_) = line.take()
    assert len(first.entries) > 10
    ids = [new_id() for _ in range(3)]
    jobs = [Job(one, n, i, NOW, [{"uri": str(n)}], [n]) for n, i in enumerate(ids)]
    assert merged(jobs, latest=False).notification_id == merged(jobs, latest=False).notification_id
    assert (
        merged(jobs, latest=False).notification_id != merged(jobs[1:], latest=False).notification_id
    )


def test_behind_a_dead_receiver_only_latest_states_are_kept():
    line, one = Line(), subscription()
    line.add(one, "a")
    (job,) = line.take()
    line.queue.done(job, "failed", NOW)
    needless = []
    for number in range(COLLAPSE_FROM * 3):
        needless += line.add(one, f"e{number % 5}")
    assert len(needless) >= COLLAPSE_FROM
    assert len(line.queue) < COLLAPSE_FROM + 10


RESULTS = ("sent", "failed", "refused")
moves = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3), st.sampled_from("abcd")),
        st.tuples(
            st.just("done"), st.sampled_from(("sent", "failed", "refused")), st.integers(0, 9)
        ),
        st.tuples(st.just("wait"), st.floats(0.1, 40), st.none()),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(moves=moves, throttled=st.sets(st.integers(1, 3)))
def test_nothing_is_lost_and_each_entity_keeps_its_order(moves, throttled):
    subs = {n: subscription(n, throttling_s=5 if n in throttled else 0) for n in (1, 2, 3)}
    line, now, flying = Line(), NOW, []
    settled: set[int] = set()
    told: dict[tuple[int, str], list[int]] = {}
    starts: dict[int, list[datetime]] = {}

    def take():
        for job in line.queue.take(now).send:
            flying.append(job)
            if job.attempts == 1:
                starts.setdefault(job.subscription.number, []).append(now)

    def finish(job, result):
        line.queue.done(job, result, now)
        if result != "failed":
            settled.update(job.rows)
            for entry in job.entries:
                told.setdefault((job.subscription.number, entry["uri"]), []).append(entry["n"])

    for what, first, second in moves:
        if what == "add":
            line.add(subs[first], second, at=now)
        elif what == "wait":
            now += timedelta(seconds=first)
        elif flying:
            finish(flying.pop(second % len(flying)), first)
        take()
    for _ in range(1000):
        while flying:
            finish(flying.pop(0), "sent")
            take()
        wake = line.queue.wake_at(now)
        if wake is None:
            break
        now = max(now, wake)
        take()
    assert settled == set(range(1, line.number + 1))
    assert len(line.queue) == 0
    for numbers in told.values():
        assert numbers == sorted(numbers)
