"""Our witness answers as c2sp.org/tlog-witness says, over real HTTP, and never forgets."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from witness_world import RunningWitness

from effort import tries
from onsil.core.clock import FixedClock
from onsil.proof import Checkpoint, Signer, VerifierKey
from onsil.proof.checkpoint import parse_checkpoint
from onsil.proof.cosignature import check_cosignature
from onsil.proof.keys import COSIGNATURE, MLDSA44, NoteError
from onsil.proof.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_hash, tree
from onsil.proof.note import parse_lines
from onsil.proof.policy import PolicyWitness
from onsil.proof.witness import (
    Request,
    WitnessMemory,
    ask,
    format_request,
    parse_request,
    witness_app,
)
from onsil.proof.witness.service import RateLimit
from onsil.proof.witness.serving import open_witness

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ORIGIN = "onsil/pyeongtaek/2026"
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
LEAVES = [leaf_hash(bytes([n])) for n in range(200)]
OTHER = [leaf_hash(bytes([n, 1])) for n in range(200)]


def checkpoint(size: int, leaves=LEAVES, signer=SIGNER, origin=ORIGIN) -> Checkpoint:
    held = Checkpoint(origin, size, root_hash(tree(leaves[:size]), size))
    return signer.sign_checkpoint(held, NOW)


def body(old: int, new: int, leaves=LEAVES, **named) -> bytes:
    way = consistency_proof(tree(leaves[:new]), old, new) if old <= new else []
    return format_request(old, way, checkpoint(new, leaves, **named))


@pytest.fixture
def memory(tmp_path) -> WitnessMemory:
    made = WitnessMemory(tmp_path / "memory.sqlite")
    made.add_log(VerifierKey(ORIGIN, SIGNER.public_key))
    return made


@pytest.fixture
def door(memory, tmp_path) -> TestClient:
    cosigner, _ = open_witness(tmp_path / "w", "witness.example/w1")
    limit = RateLimit(per_s=1e6, burst=1e6)
    return TestClient(witness_app(cosigner, memory, FixedClock(NOW), limit=limit))


def post(door: TestClient, content: bytes):
    return door.post("/add-checkpoint", content=content)


def test_a_growing_log_is_cosigned_with_both_keys(door, tmp_path):
    keys = {key.id: key for key in open_witness(tmp_path / "w")[0].keys}
    for old, new in [(0, 1), (1, 1), (1, 7), (7, 64), (64, 199)]:
        answer = post(door, body(old, new))
        assert answer.status_code == 200
        held = checkpoint(new)
        shown = parse_checkpoint(held.note + answer.text)
        given = [check_cosignature(shown, line, keys[line.id]) for line in parse_lines(answer.text)]
        assert [g.key.kind for g in given] == [COSIGNATURE, MLDSA44]
        assert {g.at for g in given} == {NOW}


def test_every_refusal_has_its_status(door):
    assert post(door, body(0, 9)).status_code == 200
    conflict = post(door, body(3, 12))
    assert (conflict.status_code, conflict.text) == (409, "9\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    assert post(door, body(9, 12, OTHER)).status_code == 422
    assert post(door, body(9, 9, OTHER)).status_code == 409
    unproven = format_request(9, [], checkpoint(12))
    assert post(door, unproven).status_code == 422
    assert post(door, format_request(20, [], checkpoint(12))).status_code == 400
    assert post(door, body(0, 3, origin="onsil/goyang/2026")).status_code == 404
    stranger = Signer(Ed25519PrivateKey.from_private_bytes(b"x" * 32))
    assert post(door, body(9, 12, signer=stranger)).status_code == 403
    assert door.get("/add-checkpoint").status_code == 405
    assert post(door, b"x" * 300_000).status_code == 413
    assert [tree["size"] for tree in door.get("/logs").json()] == [9]


@pytest.mark.parametrize(
    "broken",
    [
        b"", b"old 0", b"old 0\n", b"old 00\n\n", b"old -1\n\n", b"old x\n\n", b"\xff",
        b"old 0\nAAAA\n\n" + checkpoint(1).note.encode(),
        b"old 0\n" + b"A" * 44 + b"\n\n" + checkpoint(1).note.encode(),
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + checkpoint(1).note.encode(),
        b"old 0\n\nnot a note\n",
        b"old 99999999999999999999\n\n" + checkpoint(1).note.encode(),
    ],
)  # fmt: skip
def test_a_malformed_body_is_a_bad_request(door, broken):
    assert post(door, broken).status_code == 400


@given(st.integers(0, 100), st.integers(0, 99))
@settings(max_examples=50)
def test_a_request_is_read_as_it_was_written(old, more):
    new = max(1, old + more)
    way = tuple(consistency_proof(tree(LEAVES[:new]), old, new))
    held = checkpoint(new)
    assert parse_request(format_request(old, way, held)) == Request(old, way, held)


def test_a_caller_that_asks_too_often_is_told_to_wait(memory, tmp_path):
    cosigner, _ = open_witness(tmp_path / "w", "witness.example/w1")
    limit = RateLimit(per_s=0, burst=3)
    door = TestClient(witness_app(cosigner, memory, FixedClock(NOW), limit=limit))
    assert [post(door, body(0, 1)).status_code for _ in range(5)][2:] == [409, 429, 429]


def test_the_check_and_the_step_are_one(memory):
    """Twenty threads ask for different trees from the same size: one of them is taken."""
    memory.advance(parse_request(body(0, 10)), NOW)
    verdicts, ready = [], threading.Barrier(20)

    def advance(new: int) -> None:
        request = parse_request(body(10, new))
        ready.wait()
        verdicts.append((memory.advance(request, NOW)[0].status, new))

    threads = [threading.Thread(target=advance, args=(20 + n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [new for status, new in verdicts if status == 200]
    assert len(won) == 1
    assert [known.size for known in memory.trees()] == won


def test_a_log_known_for_every_year_is_cosigned_in_the_next(memory):
    assert memory.log_keys("onsil/pyeongtaek/2027") == []
    memory.add_log(VerifierKey(ORIGIN, SIGNER.public_key), every_year=True)
    [key] = memory.log_keys("onsil/pyeongtaek/2027")
    assert (key.name, key.key) == ("onsil/pyeongtaek/2027", SIGNER.public_key)
    assert memory.log_keys("onsil/goyang/2027") == []
    assert memory.log_keys("onsil/pyeongtaek/20270") == []
    with pytest.raises(NoteError):
        memory.add_log(VerifierKey("log", SIGNER.public_key), every_year=True)


@pytest.fixture
def running(tmp_path) -> Iterator[RunningWitness]:
    key = VerifierKey(ORIGIN, SIGNER.public_key)
    made = RunningWitness.make(tmp_path / "running", "witness.example/w2", key).start()
    yield made
    made.stop()


def test_a_witness_process_needs_no_database_and_survives_being_killed(running):
    witness = running.in_policy()
    first = ask(witness, checkpoint(50), tree(LEAVES[:50]), 0)
    assert first.state == "cosigned"
    running.stop()
    assert ask(witness, checkpoint(60), tree(LEAVES[:60]), 50).state == "silent"
    running.start()
    assert ask(witness, checkpoint(60), tree(LEAVES[:60]), 0).state == "cosigned"
    told = ask(witness, checkpoint(40), tree(LEAVES[:40]), 40)
    assert (told.state, told.size) == ("ahead", 60)
    assert ask(witness, checkpoint(60, OTHER), tree(OTHER[:60]), 60).state == "fork"
    assert ask(witness, checkpoint(70, OTHER), tree(OTHER[:70]), 60).state == "fork"
    with urllib.request.urlopen(running.url) as front:  # noqa: S310
        assert witness.key.text in front.read().decode()


def test_kills_at_any_instant_leave_no_tree_half_taken(running):
    """Killed while a log grows: what was cosigned once is never below what is known."""
    import random
    import time

    dice, known, size = random.Random(7), 0, 1
    kills, wanted, deadline = 0, tries(6, 40), time.monotonic() + 120
    answer_s = 0.03  # how long one takes on this machine; death comes within a few
    while kills < wanted or known <= 5:
        assert time.monotonic() < deadline, "hardly anything was cosigned"
        kills += 1
        stopper = threading.Timer(dice.uniform(0, 4 * answer_s), running.stop)
        stopper.start()
        while stopper.is_alive():
            asked = time.monotonic()
            answer = ask(running.in_policy(), checkpoint(size), tree(LEAVES[:size]), known)
            if answer.state == "cosigned":
                answer_s = min(1.0, time.monotonic() - asked)
                known, size = size, min(199, size + 1)
            time.sleep(0.002)
        stopper.join()
        running.start()
        [held] = running.memory.trees() or [None]
        assert (held.size if held else 0) >= known


@pytest.mark.parametrize(
    ("status", "kind", "content", "state"),
    [
        (500, "text/plain", b"down", "refused"),
        (404, "text/plain", b"unknown", "refused"),
        (409, "text/plain", b"7\n", "refused"),
        (409, "text/x.tlog.size", b"x\n", "refused"),
        (409, "text/x.tlog.size", b"99\n", "ahead"),
        (422, "text/plain", b"", "fork"),
        (200, "text/plain", b"", "refused"),
        (200, "text/plain", "— witness.example/w9 AAAAAAAA\n".encode(), "refused"),
    ],
)
def test_strange_answers_are_no_cosignatures(tmp_path, status, kind, content, state):
    cosigner, _ = open_witness(tmp_path / "w", "witness.example/w1")
    witness = PolicyWitness("w", cosigner.keys[0], "http://witness.example/")
    given = ask(
        witness, checkpoint(9), tree(LEAVES[:9]), 0, post=lambda *_: (status, kind, content)
    )
    assert given.state == state


def test_a_line_that_does_not_hold_is_no_cosignature(tmp_path):
    cosigner, _ = open_witness(tmp_path / "w", "witness.example/w1")
    other = cosigner.cosign(checkpoint(8), NOW)
    for key in cosigner.keys:
        witness = PolicyWitness("w", key, "http://witness.example/")
        lines = "".join(line.line for line in other).encode()
        given = ask(
            witness, checkpoint(9), tree(LEAVES[:9]), 0,
            post=lambda *_, lines=lines: (200, "text/plain", lines),
        )  # fmt: skip
        assert given.state == "refused"


def test_an_empty_tree_may_be_shown_to_compare(door):
    empty = SIGNER.sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), NOW)
    assert post(door, format_request(0, [], empty)).status_code == 200
    assert post(door, body(0, 5)).status_code == 200
    told = post(door, format_request(0, [], empty))
    assert (told.status_code, told.text) == (409, "5\n")


def test_a_witness_keeps_its_name(tmp_path):
    from onsil.core.refusal import OperationError

    with pytest.raises(OperationError, match="no witness here"):
        open_witness(tmp_path / "w")
    first, _ = open_witness(tmp_path / "w", "witness.example/w1")
    again, _ = open_witness(tmp_path / "w")
    assert again.keys == first.keys
    with pytest.raises(OperationError, match="the witness here is"):
        open_witness(tmp_path / "w", "another")
    with pytest.raises(OperationError, match="not a key name"):
        open_witness(tmp_path / "v", "two words")
