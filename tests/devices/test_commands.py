"""Commands down: never two under way, never after their end, made safe when they go astray."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.refusal import Refusal
from onsil.devices import DeviceSpec, Message
from onsil.devices.commands import acknowledge, cancel, commands, order, take_due
from onsil.devices.commands.machine import Command, decide, hurry, wait_before
from onsil.devices.commands.machine import acknowledge as answered
from onsil.devices.commands.sending import downward
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
VALVE = "urn:ngsi-ld:Valve:pyeongtaek:v-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
ACTUATORS = {
    "valve": {"kind": "boolean", "safe": False},
    "limit": {"kind": "number", "minimum": 0, "maximum": 100, "unit": "percent"},
    "mode": {"kind": "text", "values": ["eco", "comfort"], "safe": "eco"},
}


@pytest.fixture
def clock():
    return FixedClock(T0)


@pytest.fixture
def device(conn, clock):
    hub.ensure_series(conn, CITY, [SeriesSpec(VALVE, "flow", "liter / s", 60)], clock)
    spec = DeviceSpec("v-1", (VALVE,), options={"actuators": ACTUATORS})
    return devices.register_device(conn, CITY, spec, clock)[0]


def states(conn):
    return [(c.actuator, c.value, c.state, c.safe) for c in reversed(commands(conn, CITY))]


def test_an_order_is_sent_answered_and_done(conn, device, clock):
    made = order(conn, device, "valve", True, "kim", clock)
    ((_, sent),) = take_due(conn, CITY, clock, channels=("mqtt",))
    assert (sent.id, sent.state, sent.attempts) == (made.id, "sent", 1)
    assert take_due(conn, CITY, clock, channels=("mqtt",)) == []
    message = downward(device, sent, clock.now())
    assert message.topic == "onsil/pyeongtaek/v-1/down"
    told = orjson.loads(message.payload)
    assert (told["actuator"], told["value"]) == ("valve", True)
    body = orjson.dumps({"command": told["command"], "status": "done", "detail": "열림"})
    for _ in range(2):  # the answer may come twice
        devices.ingest(conn, CITY, [Message("v-1", body, clock.now(), "ack")], clock)
    (now,) = [c for c in commands(conn, CITY) if not c.safe]
    assert (now.state, now.detail) == ("done", "열림")


def test_an_answer_that_cannot_be_read_is_kept_raw(conn, device, clock):
    report = devices.ingest(conn, CITY, [Message("v-1", b'{"status": "maybe"}', T0, "ack")], clock)
    assert [r.code for r in report.refused] == ["malformed"]


def test_without_an_answer_it_is_sent_again_and_then_made_safe(conn, device, clock):
    order(conn, device, "valve", True, "kim", clock, attempts_max=3, retry_s=10)
    sent = 0
    for _ in range(200):
        sent += sum(not c.safe for _, c in take_due(conn, CITY, clock, channels=("mqtt",)))
        clock.advance(timedelta(seconds=1))
    assert sent == 3
    assert states(conn) == [("valve", True, "expired", False), ("valve", False, "sent", True)]
    safe = commands(conn, CITY)[0]
    acknowledge(conn, CITY, "v-1", safe.id, done=True, detail="", clock=clock)
    assert states(conn)[1] == ("valve", False, "done", True)


def test_what_was_never_sent_expires_without_a_safe_state(conn, device, clock):
    order(conn, device, "valve", True, "kim", clock, expires_after=timedelta(seconds=5))
    clock.advance(timedelta(seconds=6))
    assert take_due(conn, CITY, clock, channels=("mqtt",)) == []
    assert states(conn) == [("valve", True, "expired", False)]


def test_a_second_order_waits_for_the_first_and_for_the_safe_state(conn, device, clock):
    order(conn, device, "valve", True, "kim", clock, attempts_max=1, retry_s=10)
    take_due(conn, CITY, clock, channels=("mqtt",))
    clock.advance(timedelta(seconds=1))
    second = order(conn, device, "valve", True, "lee", clock)
    assert take_due(conn, CITY, clock, channels=("mqtt",)) == []
    clock.advance(timedelta(seconds=10))
    ((_, safe),) = take_due(conn, CITY, clock, channels=("mqtt",))
    assert safe.safe
    acknowledge(conn, CITY, "v-1", safe.id, done=True, detail="", clock=clock)
    ((_, sent),) = take_due(conn, CITY, clock, channels=("mqtt",))
    assert sent.id == second.id


def test_other_actuators_do_not_wait(conn, device, clock):
    order(conn, device, "valve", True, "kim", clock)
    order(conn, device, "limit", 50, "kim", clock)
    assert len(take_due(conn, CITY, clock, channels=("mqtt",))) == 2


def test_a_key_makes_one_command(conn, device, clock):
    first = order(conn, device, "limit", 50, "kim", clock, key="k-1")
    assert order(conn, device, "limit", 50, "kim", clock, key="k-1") == first
    assert order(conn, device, "limit", 60, "kim", clock, key="k-1").code == "key-used"
    assert len(commands(conn, CITY)) == 1


@pytest.mark.parametrize(
    ("actuator", "value", "code"),
    [("valve", 1, "bad-value"), ("limit", 101, "bad-value"), ("limit", True, "bad-value"),
     ("mode", "party", "bad-value"), ("door", 1, "unknown-actuator"),
     ("limit", float("nan"), "bad-value")],
)  # fmt: skip
def test_what_cannot_be_ordered_is_refused(conn, device, clock, actuator, value, code):
    refused = order(conn, device, actuator, value, "kim", clock)
    assert isinstance(refused, Refusal)
    assert refused.code == code


def test_a_device_that_is_back_is_brought_into_its_safe_state(conn, device, clock):
    def hear():
        devices.ingest(conn, CITY, [Message("v-1", b'{"values": {"flow": 1}}', clock.now())], clock)

    hear()  # the first word of a device counts as its coming back
    waiting = [("mode", "eco", "queued", True), ("valve", False, "queued", True)]
    assert sorted(states(conn), key=str) == waiting
    for _, sent in take_due(conn, CITY, clock, channels=("mqtt",)):
        acknowledge(conn, CITY, "v-1", sent.id, done=True, detail="", clock=clock)
    clock.advance(timedelta(minutes=2))
    hear()
    assert len(commands(conn, CITY)) == 2
    clock.advance(timedelta(minutes=4))
    hear()
    assert len(commands(conn, CITY)) == 4


def test_only_what_waits_can_be_taken_back(conn, device, clock):
    made = order(conn, device, "limit", 50, "kim", clock)
    assert cancel(conn, CITY, made.id, clock).state == "cancelled"
    other = order(conn, device, "limit", 60, "kim", clock)
    take_due(conn, CITY, clock, channels=("mqtt",))
    assert cancel(conn, CITY, other.id, clock).code == "under-way"


def test_the_database_itself_refuses_two_under_way(conn, device, clock):
    for value in (10, 20):
        order(conn, device, "limit", value, "kim", clock)
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("UPDATE devices_command SET state = 'sent'")


def test_a_device_that_asks_over_http_gets_its_own_commands(conn, clock):
    hub.ensure_series(conn, CITY, [SeriesSpec(VALVE, "flow", "liter / s", 60)], clock)
    options = {"actuators": ACTUATORS}
    for name in ("h-1", "h-2"):
        spec = DeviceSpec(name, (VALVE,), "http-batch", options=options)
        device, _ = devices.register_device(conn, CITY, spec, clock)
        order(conn, device, "limit", 5, "kim", clock)
    assert take_due(conn, CITY, clock, channels=("mqtt", "sparkplug")) == []
    assert [d.id for d, _ in take_due(conn, CITY, clock, device_id="h-1")] == ["h-1"]


@given(st.integers(1, 100), st.integers(1, 3600))
def test_waits_grow_and_end_at_an_hour(attempts, retry_s):
    assert timedelta(seconds=1) <= wait_before(attempts, retry_s) <= timedelta(hours=1)
    assert wait_before(attempts, retry_s) <= wait_before(attempts + 1, retry_s)


class OneActuator(RuleBasedStateMachine):
    """Orders, answers, lost messages, restarts and time in any order, on the pure machine."""

    def __init__(self):
        super().__init__()
        self.now, self.count = T0, 0
        self.all: dict[UUID, Command] = {}
        self.astray: list[UUID] = []
        self.sends: list[Command] = []

    def put(self, command):
        self.all[command.id] = command

    @rule(expires=st.integers(1, 120), attempts=st.integers(1, 4), retry=st.integers(1, 20))
    def order(self, expires, attempts, retry):
        self.count += 1
        self.put(Command(
            UUID(int=self.count), "d", "valve", True, self.now, self.now,
            self.now + timedelta(seconds=expires), attempts_max=attempts, retry_s=retry,
        ))  # fmt: skip

    @rule(seconds=st.integers(0, 60))
    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule()
    def look(self):
        decision = decide(list(self.all.values()), self.now, has_safe=True)
        for one in decision.changed:
            self.put(one)
        if decision.safe_after is not None:
            assert decision.safe_after.attempts > 0
            assert decision.send is None
            self.count += 1
            self.put(Command(UUID(int=self.count), "d", "valve", False, self.now, self.now,
                             safe=True, attempts_max=10**6))  # fmt: skip
        if decision.send is not None:
            sent = decision.send
            assert sent.safe or sent.expires_at > self.now, "sent after its end"
            assert sent.attempts <= sent.attempts_max
            if not sent.safe:
                assert not any(c.safe and c.open for c in self.all.values()), "before the safe"
            self.sends.append(sent)

    @rule(done=st.booleans())
    def answer(self, done):
        for one in self.sends[-1:]:
            self.put(answered(self.all[one.id], done=done, detail="", now=self.now))

    @rule()
    def back(self):
        for one in list(self.all.values()):
            self.put(hurry(one, self.now))

    @invariant()
    def at_most_one_is_under_way(self):
        assert sum(c.state == "sent" for c in self.all.values()) <= 1

    @invariant()
    def what_has_ended_says_when(self):
        assert all(c.open == (c.ended_at is None) for c in self.all.values())


TestOneActuator = OneActuator.TestCase
