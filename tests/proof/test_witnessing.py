"""The log before its witnesses, and the drills: restored backups, forks, flips, kills."""

import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from witness_world import RunningWitness, policy_text

from effort import tries
from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.ids import new_id
from onsil.core.refusal import OperationError
from onsil.proof import Checkpoint, LogHome, VerifierKey, verify_published
from onsil.proof.home import WITNESSED, read_checkpoint
from onsil.proof.merkle import consistency_proof, verify_consistency
from onsil.proof.policy import Policy, PolicyError, PolicyWitness, check_policy
from onsil.proof.witness import Answer
from onsil.proof.witness.plan import WitnessPlan, parse_plan
from onsil.proof.witness.rounds import START_S, WitnessRounds

CITY = "pyeongtaek"
ORIGIN = "onsil/pyeongtaek/2026"
PROCESS = Path(__file__).with_name("sequencer_process.py")


class Nothing:
    def entries(self, conn, city):
        yield from ()


def plan_of(witnesses: list[PolicyWitness], quorum: str, *, wait: bool = True) -> WitnessPlan:
    text = policy_text(witnesses, quorum)
    return WitnessPlan(((datetime(2026, 1, 1).date(), Policy.parse(text)),), wait)  # noqa: DTZ001


class World:
    """One city's log in a folder, its database, and its witnesses."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.folder, self.dsn = folder, dsn
        self.home = LogHome(folder / "log", folder / "signed")
        self.signer = proof.load_or_create_signer(folder / "keys", CITY)
        self.clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
        self.witnesses: list[RunningWitness] = []
        self.rounds: list[WitnessRounds] = []

    def witness(self, name: str) -> RunningWitness:
        key = VerifierKey(ORIGIN, self.signer.public_key)
        made = RunningWitness.make(self.folder / name, f"{name}.example/w", key).start()
        self.witnesses.append(made)
        return made

    def begin(self, plan: WitnessPlan, asking: Callable[..., Answer] | None = None):
        more = {"asking": asking} if asking else {}
        made = WitnessRounds(CITY, self.home, self.signer, plan, self.clock, timeout_s=3, **more)
        self.rounds.append(made)
        return made

    def connect(self) -> Connection:
        return connect(self.dsn, CITY)

    def log(self, count: int) -> None:
        with self.connect() as conn:
            proof.append_many(conn, CITY, "claim", [(new_id(), {"n": n}) for n in range(count)])

    def sign(self, *, at_once: bool = False) -> Checkpoint | None:
        with self.connect() as conn:
            return proof.sequence(
                conn, CITY, self.home, self.signer, self.clock, publish_at_once=at_once
            )

    def until(self, rounds: WitnessRounds, done: Callable[[], object], tries: int = 300) -> None:
        """Tick until `done()`; the clock goes on meanwhile, so retries fall due."""
        for _ in range(tries):
            with self.connect() as conn:
                rounds.tick(conn)
            if done():
                return
            self.clock.instant += timedelta(seconds=0.5)
            time.sleep(0.02)
        raise AssertionError("it did not come to pass")

    def shown(self, name: str = "checkpoint", year: int = 2026) -> Checkpoint | None:
        return read_checkpoint(self.home.log(CITY, year), self.signer.public_key, name)

    def shown_size(self) -> int:
        held = self.shown()
        return held.size if held else 0

    def status(self, plan: WitnessPlan):
        with self.connect() as conn:
            return proof.status(conn, CITY, self.home, plan, self.clock)


@pytest.fixture
def world(fresh_database, tmp_path) -> Iterator[World]:
    made = World(fresh_database, tmp_path)
    yield made
    for rounds in made.rounds:
        rounds.close()
    for witness in made.witnesses:
        witness.stop()


def test_a_checkpoint_is_shown_once_its_quorum_has_cosigned(world):
    one, two = world.witness("one"), world.witness("two")
    plan = plan_of([one.in_policy(), two.in_policy(kind=0)], "all")
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    world.log(300)
    held = world.sign()
    assert held is not None
    assert world.shown() is None
    waiting = world.status(plan)
    assert (waiting.checkpoint, waiting.signed, waiting.quorum_met) == (None, held, False)
    world.until(rounds, world.shown_size)
    shown = world.shown()
    assert shown is not None
    found = check_policy(plan.at(world.clock.now().date()), shown)
    assert found.met
    assert len(found.cosigned) == 2
    assert world.shown(WITNESSED) == shown
    told = world.status(plan)
    assert (told.quorum_met, told.refusal, told.problem) == (True, "", "")
    assert [(w.size, w.behind, w.lag) for w in told.witnesses] == [(300, 0, timedelta())] * 2
    with world.connect() as conn:
        [point] = proof.checkpoint_history(conn, CITY)
    assert (point.size, point.cosigned_by) == (300, ("one.example/w", "two.example/w"))


def test_a_dead_or_slow_witness_holds_up_nobody(world):
    """Two of three is enough; the third is down, then comes back and catches up."""
    running = [world.witness(name) for name in ("one", "two", "three")]
    plan = plan_of([w.in_policy() for w in running], "2")
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    running[2].stop()
    for count in (5, 200, 60):
        world.log(count)
        began = time.monotonic()
        held = world.sign()
        assert time.monotonic() - began < 5
        assert held is not None
        world.until(rounds, lambda held=held: world.shown_size() == held.size)
    told = world.status(plan)
    assert [w.behind for w in told.witnesses] == [0, 0, 265]
    assert "does not answer" in told.witnesses[2].problem
    running[2].start()
    world.until(rounds, lambda: world.status(plan).witnesses[2].size == 265)
    assert world.status(plan).witnesses[2].problem == ""


def test_a_witness_that_never_answers_is_waited_for_by_its_own_thread_alone(world):
    good, slow = world.witness("good"), world.witness("slow")
    plan = plan_of([good.in_policy(), slow.in_policy()], "any")
    stop = threading.Event()

    def asking(witness, *args, **named):
        from onsil.proof.witness import ask

        if witness.name.startswith("slow"):
            stop.wait(20)
        return ask(witness, *args, **named)

    rounds = world.begin(plan, asking)
    world.until(rounds, rounds.may_sign)
    for count in (3, 4):
        world.log(count)
        held = world.sign()
        assert held is not None
        world.until(rounds, lambda held=held: world.shown_size() == held.size)
    stop.set()


def test_without_a_quorum_to_wait_for_it_is_shown_and_said_to_be_unwitnessed(world):
    one = world.witness("one")
    plan = plan_of([one.in_policy()], "all", wait=False)
    one.stop()
    rounds = world.begin(plan)
    with world.connect() as conn:
        rounds.tick(conn)
    assert not rounds.may_sign()
    world.clock.instant += timedelta(seconds=START_S)
    assert rounds.may_sign()
    world.log(4)
    world.sign(at_once=True)
    told = world.status(plan)
    assert (world.shown_size(), told.quorum_met, told.witnessed) == (4, False, None)
    one.start()
    world.until(rounds, lambda: world.status(plan).quorum_met)
    assert world.shown(WITNESSED) == world.shown()


def test_a_quorum_that_is_waited_for_is_compared_with_before_the_first_signature(world):
    one = world.witness("one")
    one.stop()
    rounds = world.begin(plan_of([one.in_policy()], "all"))
    world.clock.instant += timedelta(days=1)
    with world.connect() as conn:
        rounds.tick(conn)
    assert not rounds.may_sign()
    one.start()
    world.until(rounds, rounds.may_sign)


def copies(world: World, postgres) -> tuple[str, Path]:
    """A backup of the database and of all folders but the witnesses'."""
    name = f"backup_{new_id().hex}"
    postgres.create_database(name, str(conninfo_to_dict(world.dsn)["dbname"]))
    kept = world.folder / "backup"
    for part in ("log", "signed"):
        shutil.copytree(world.folder / part, kept / part)
    return name, kept


def restore(world: World, kept: Path, *parts: str) -> None:
    for part in parts:
        shutil.rmtree(world.folder / part)
        shutil.copytree(kept / part, world.folder / part)


@pytest.mark.parametrize(
    ("parts", "database", "words"),
    [
        ((), True, "the database is behind the signed log"),
        (("log",), False, "bring back the log folder"),
        (("signed",), False, "was the record restored"),
        (("log", "signed"), False, "the witness one.example-w has seen 9 leaves"),
        (("log", "signed"), True, "the witness one.example-w has seen 9 leaves"),
    ],
)
def test_what_was_restored_from_a_backup_is_not_signed_on(world, postgres, parts, database, words):
    """Database, folder, record, or all of it from before: each refusal names why."""
    one = world.witness("one")
    plan = plan_of([one.in_policy()], "all")
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    world.log(5)
    world.sign()
    world.until(rounds, lambda: world.shown_size() == 5)
    name, kept = copies(world, postgres)
    try:
        world.log(4)
        world.sign()
        world.until(rounds, lambda: world.shown_size() == 9)
        restore(world, kept, *parts)
        if database:
            world.dsn = psycopg.conninfo.make_conninfo(world.dsn, dbname=name)
        again = world.begin(plan)
        assert not again.may_sign()
        world.until(again, again.may_sign)
        world.log(2)
        with pytest.raises(OperationError, match=words):
            world.sign()
        with world.connect() as conn:
            assert conn.execute("SELECT count(*) FROM proof_batch").fetchone() is not None
        assert [tree.size for tree in one.memory.trees() if tree.origin == ORIGIN] == [9]
        if parts == ("log", "signed") and database:
            told = world.status(plan)
            assert "has seen 9 leaves" in told.witnesses[0].problem
    finally:
        world.dsn = psycopg.conninfo.make_conninfo(world.dsn, dbname="postgres")
        postgres.drop_database(name)


def test_after_the_right_state_is_back_signing_goes_on(world, postgres):
    one = world.witness("one")
    plan = plan_of([one.in_policy()], "all")
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    world.log(5)
    world.sign()
    world.until(rounds, lambda: world.shown_size() == 5)
    _, kept = copies(world, postgres)
    world.log(4)
    world.sign()
    world.until(rounds, lambda: world.shown_size() == 9)
    for part in ("log", "signed"):
        shutil.copytree(world.folder / part, world.folder / "right" / part)
    restore(world, kept, "log", "signed")
    with pytest.raises(OperationError):
        world.sign()
    restore(world, world.folder / "right", "log", "signed")
    world.log(1)
    held = world.sign()
    assert held is not None
    assert held.size == 10
    world.until(rounds, lambda: world.shown_size() == 10)


def test_another_history_of_the_same_size_stops_the_signing(world):
    """The witness was shown a fork, signed with the same key somewhere else."""
    from onsil.proof.merkle import leaf_hash
    from onsil.proof.witness import ask

    one = world.witness("one")
    forked = world.signer.sign_checkpoint(
        Checkpoint(ORIGIN, 1, leaf_hash(b"fork")), world.clock.now()
    )
    assert ask(one.in_policy(), forked, lambda *_: b"", 0).state == "cosigned"
    plan = plan_of([one.in_policy()], "all", wait=False)
    world.log(1)
    world.sign(at_once=True)
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    world.log(1)
    with pytest.raises(OperationError, match="another history"):
        world.sign(at_once=True)
    dropped = world.begin(WitnessPlan())
    with world.connect() as conn:
        dropped.tick(conn)  # the operator has taken the witness out of the policy
    assert world.sign(at_once=True) is not None


def test_the_old_year_stays_frozen_and_served(world):
    one = world.witness("one")
    plan = plan_of([one.in_policy()], "all")
    rounds = world.begin(plan)
    world.clock.instant = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    world.until(rounds, rounds.may_sign)
    world.log(300)
    world.sign()
    world.clock.instant = datetime(2027, 1, 1, tzinfo=UTC)
    world.log(4)
    new = world.sign()
    assert new is not None
    assert (new.origin, new.size) == ("onsil/pyeongtaek/2027", 4)
    world.until(rounds, lambda: world.shown(year=2027) and world.shown(year=2026))
    old = world.shown(year=2026)
    assert old is not None
    assert check_policy(plan.at(world.clock.now().date()), old).met
    world.clock.instant = datetime(2026, 6, 1, tzinfo=UTC)  # a clock set back opens nothing again
    world.log(1)
    newer = world.sign()
    assert newer is not None
    assert (newer.origin, newer.size) == ("onsil/pyeongtaek/2027", 5)
    for held in (old, newer):
        year = int(held.origin[-4:])
        store = world.home.log(CITY, year).store
        keys = world.signer.verifier_keys(held.origin)
        assert verify_published(store, keys, leaves=True, seen=[held] if year == 2026 else []).ok
    with world.connect() as conn:
        report = proof.verify(conn, CITY, world.home, {})
    assert [f.code for f in report.findings] == ["kind-unverified"]
    assert report.leaves == 305


def test_a_december_backup_is_not_signed_on_in_january(world, postgres):
    """All is restored to before the turn of the year: only the witness knows of the new log."""
    one = world.witness("one")
    plan = plan_of([one.in_policy()], "all")
    rounds = world.begin(plan)
    world.until(rounds, rounds.may_sign)
    world.log(5)
    world.sign()
    world.until(rounds, lambda: world.shown_size() == 5)
    name, kept = copies(world, postgres)
    try:
        world.clock.instant = datetime(2027, 1, 2, tzinfo=UTC)
        world.log(3)
        world.sign()
        world.until(rounds, lambda: world.shown(year=2027))
        restore(world, kept, "log", "signed")
        world.dsn = psycopg.conninfo.make_conninfo(world.dsn, dbname=name)
        again = world.begin(plan)
        world.until(again, again.may_sign)
        world.log(2)
        with pytest.raises(OperationError, match="has seen 3 leaves of onsil/pyeongtaek/2027"):
            world.sign()
    finally:
        postgres.drop_database(name)


def test_a_sequencer_killed_at_any_instant_leaves_one_history(world):
    """Killed while leaves come in, often: all checkpoints ever seen are of one history."""
    one = world.witness("one")
    rounds = world.begin(plan_of([one.in_policy()], "all", wait=False))
    dice, seen, stop = random.Random(20), {}, threading.Event()

    def write() -> None:
        with world.connect() as conn:
            while not stop.is_set():
                proof.append_many(
                    conn, CITY, "claim", [(new_id(), {}) for _ in range(dice.randint(1, 60))]
                )
                conn.commit()
                time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    kills, wanted = 0, tries(8, 60)
    while kills < wanted:
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), world.dsn, str(world.folder)], stdout=subprocess.PIPE
        )
        held = world.shown()
        size, deadline = held.size if held else 0, time.monotonic() + 20
        while world.shown_size() == size and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.12))
        process.kill()
        assert process.wait() == -9, process.stdout and process.stdout.read()
        kills += 1
        held = world.shown()
        if held is not None:
            seen[held.size] = held
        with world.connect() as conn:
            rounds.tick(conn)
        world.clock.instant += timedelta(seconds=11)
    stop.set()
    writer.join()
    world.clock.instant = datetime.now(UTC)
    final = world.sign(at_once=True) or world.shown()
    assert final is not None
    world.until(rounds, lambda: (one.memory.trees() or [final])[-1].size == final.size)
    hashes = world.home.log(CITY, int(final.origin[-4:])).hashes(final.size)
    for held in seen.values():
        way = consistency_proof(hashes, held.size, final.size)
        assert verify_consistency(held.size, final.size, held.root, final.root, way)
    assert len(seen) > wanted // 2
    with world.connect() as conn:
        report = proof.verify(conn, CITY, world.home, {})
    assert [f.code for f in report.findings] == ["kind-unverified"]


def test_a_damaged_log_is_not_signed_on(world):
    world.log(300)
    world.sign(at_once=True)
    tile = world.folder / "log" / CITY / "2026" / "tile/0/001.p/44"
    raw = tile.read_bytes()
    tile.write_bytes(raw[:5] + bytes([raw[5] ^ 1]) + raw[6:])
    world.log(1)
    with pytest.raises(OperationError, match="do not give the root"):
        world.sign(at_once=True)
    tile.unlink()
    with pytest.raises(OperationError, match="is missing"):
        world.sign(at_once=True)
    tile.write_bytes(raw)
    assert world.sign(at_once=True) is not None


PLAN = """
publish = "quorum"
[[policy]]
from = 2026-01-01
text = '''
{first}
'''
[[policy]]
from = 2026-07-01
text = "quorum none"
[operator.council]
ko = "시의회"
en = "City council"
"""


def test_a_plan_has_its_policies_by_the_day():
    key = VerifierKey("w.example", bytes(32), 4).text
    line = f"witness council {key} https://w.example/\nquorum council"
    plan = parse_plan(PLAN.replace("{first}", line))
    days = [datetime(2026, m, 1, tzinfo=UTC).date() for m in (1, 6, 7)]
    assert [plan.at(day).quorum for day in days] == ["council", "council", "none"]
    assert plan.at(datetime(2025, 1, 1, tzinfo=UTC).date()).quorum == "none"
    assert [plan.waits(day) for day in days] == [True, True, False]
    assert plan.operators["council"].ko == "시의회"
    assert not plan.operators["council"].own


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("publish = \"quorum\"", "publish = \"never\""),
        ("publish", "published"),
        ("from = 2026-07-01", "from = 2025-07-01"),
        ("from = 2026-07-01", "from = \"soon\""),
        ("quorum none", "quorum nobody"),
        ("https://w.example/", ""),
        ("en = \"City council\"", "own = 1"),
        ("[operator.council]", "[operator"),
        ("[[policy]]\nfrom = 2026-01-01", "[policy]\nfrom = 2026-01-01"),
    ],
)  # fmt: skip
def test_a_wrong_plan_is_refused(old, new):
    key = VerifierKey("w.example", bytes(32), 4).text
    text = PLAN.replace("{first}", f"witness council {key} https://w.example/\nquorum council")
    assert old in text
    with pytest.raises(PolicyError):
        parse_plan(text.replace(old, new))
