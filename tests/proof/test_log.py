"""The log on a real database and a real folder: growing, crashing, being tampered with."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, connect
from onsil.core.ids import new_id
from onsil.core.refusal import OperationError
from onsil.proof.merkle import consistency_proof, verify_consistency

CITY = "pyeongtaek"
KIND = "claim"


class Rows:
    """A source of live rows that a test may alter."""

    def __init__(self) -> None:
        self.rows: dict[UUID, dict[str, Any]] = {}

    def add(self, conn: Connection, count: int = 1, *, city: str = CITY) -> list[UUID]:
        fresh = {new_id(): {"energy_wh": str(n), "meter": f"meter-{n}"} for n in range(count)}
        proof.append_many(conn, city, KIND, list(fresh.items()))
        self.rows.update(fresh)
        return list(fresh)

    def entries(self, conn: Connection, city: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        yield from sorted(self.rows.items())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def signer(tmp_path: Path) -> proof.Signer:
    return proof.load_or_create_signer(tmp_path / "keys", CITY)


@pytest.fixture
def log(conn, tmp_path, signer, clock) -> Callable[[], proof.Checkpoint | None]:
    return lambda: proof.sequence(conn, CITY, tmp_path, signer, clock)


def test_leaves_get_places_in_the_order_of_their_batches(conn, tmp_path, log):
    rows = Rows()
    first, second = rows.add(conn, 3), rows.add(conn, 2)
    held = log()
    assert held is not None
    assert (held.origin, held.size) == ("onsil/pyeongtaek/2026", 5)
    found = [proof.leaf(conn, CITY, KIND, key) for key in first + second]
    assert [leaf.index for leaf in found if leaf] == [0, 1, 2, 3, 4]
    assert log() is None
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert (report.findings, report.leaves, report.rows, report.pending) == ([], 5, 5, 0)


@pytest.mark.parametrize("sizes", [[1, 255, 1], [300, 300], [256, 256], [70_000 % 3000, 2000]])
def test_the_tree_grows_across_tiles_and_stays_consistent(conn, tmp_path, log, sizes):
    rows, heads = Rows(), []
    for size in sizes:
        rows.add(conn, size)
        heads.append(log())
    folder = proof.log_folder(tmp_path, CITY, 2026)
    hashes = folder.hashes(heads[-1].size)
    for older in heads:
        way = consistency_proof(hashes, older.size, heads[-1].size)
        assert verify_consistency(older.size, heads[-1].size, older.root, heads[-1].root, way)
    assert proof.verify(conn, CITY, tmp_path, {KIND: rows}).ok


def codes(report: proof.VerifyReport) -> list[tuple[str, UUID | None]]:
    return [(f.code, f.subject_id) for f in report.findings]


def test_nothing_is_signed_before_anything_was_logged(conn, tmp_path, log):
    assert log() is None
    assert proof.verify(conn, CITY, tmp_path, {}).ok
    told = proof.status(conn, CITY, tmp_path)
    assert (told.checkpoint, told.entries, told.pending, told.problem) == (None, 0, 0, "")


def test_a_subject_has_one_leaf_of_a_kind(conn):
    key = new_id()
    proof.append(conn, CITY, KIND, key, {"x": 1})
    proof.append(conn, CITY, "other", key, {"x": 1})
    with pytest.raises(psycopg.errors.UniqueViolation):
        proof.append(conn, CITY, KIND, key, {"x": 1})


def test_equal_entries_have_different_commitments(conn):
    keys = [new_id(), new_id()]
    for key in keys:
        proof.append(conn, CITY, KIND, key, {"x": 1})
    leaves = [proof.leaf(conn, CITY, KIND, key) for key in keys]
    assert len({leaf.salt for leaf in leaves if leaf}) == 2
    assert len({leaf.commitment for leaf in leaves if leaf}) == 2


@pytest.mark.parametrize(
    ("entry", "error"),
    [({"x": 0.5}, TypeError), ({"id": "x"}, ValueError), ({"city": "x"}, ValueError)],
)
def test_floats_and_the_envelopes_own_names_are_not_logged(conn, entry, error):
    with pytest.raises(error):
        proof.append(conn, CITY, KIND, new_id(), entry)


def test_the_year_of_the_log_follows_the_clock_and_never_goes_back(conn, log, clock):
    rows = Rows()
    rows.add(conn, 3)
    first = log()
    clock.instant = datetime(2027, 1, 1, tzinfo=UTC)
    rows.add(conn, 2)
    second = log()
    clock.instant = datetime(2026, 6, 1, tzinfo=UTC)
    rows.add(conn, 1)
    third = log()
    assert [(c.origin[-4:], c.size) for c in (first, second, third)] == [
        ("2026", 3), ("2027", 2), ("2027", 3),
    ]  # fmt: skip


def test_every_year_is_verified(conn, tmp_path, log, clock):
    rows = Rows()
    rows.add(conn, 300)
    log()
    clock.instant = datetime(2027, 1, 1, tzinfo=UTC)
    rows.add(conn, 5)
    log()
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert (report.ok, report.leaves, len(report.checkpoints)) == (True, 305, 2)


def test_a_batch_committed_late_is_not_passed_over(fresh_database, tmp_path, signer, clock):
    """The older transaction commits after a younger one has been sequenced already."""
    rows = Rows()
    with connect(fresh_database, CITY) as slow, connect(fresh_database, CITY) as quick:
        late = rows.add(slow, 2)
        early = rows.add(quick, 2)
        quick.commit()
        with connect(fresh_database, CITY) as conn:
            proof.sequence(conn, CITY, tmp_path, signer, clock)
        slow.commit()
    with connect(fresh_database, CITY) as conn:
        held = proof.sequence(conn, CITY, tmp_path, signer, clock)
        places = [proof.leaf(conn, CITY, KIND, key) for key in early + late]
        assert held is not None
        assert [leaf.index for leaf in places if leaf] == [0, 1, 2, 3]
        assert proof.verify(conn, CITY, tmp_path, {KIND: rows}).ok


def test_two_sequencers_and_many_writers_make_one_history(fresh_database, tmp_path, signer, clock):
    stop = threading.Event()
    rows = [Rows() for _ in range(3)]

    def write(own: Rows) -> None:
        for _ in range(15):
            with connect(fresh_database, CITY) as conn:
                own.add(conn, 3)

    def sequence() -> None:
        while not stop.is_set():
            with connect(fresh_database, CITY) as conn:
                proof.sequence(conn, CITY, tmp_path, signer, clock)

    sequencers = [threading.Thread(target=sequence) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(own,)) for own in rows]
    for thread in sequencers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sequencers:
        thread.join()
    everything = Rows()
    for own in rows:
        everything.rows |= own.rows
    with connect(fresh_database, CITY) as conn:
        proof.sequence(conn, CITY, tmp_path, signer, clock)
        conn.commit()
        report = proof.verify(conn, CITY, tmp_path, {KIND: everything})
    assert (report.findings, report.leaves, report.rows) == ([], 135, 135)


def test_a_crash_after_signing_is_caught_up_without_a_second_history(
    fresh_database, tmp_path, signer, clock
):
    """The disk has the signed tree, the database's transaction was lost."""
    rows = Rows()
    with connect(fresh_database, CITY) as conn:
        rows.add(conn, 3)
        rows.add(conn, 300)
        conn.commit()
        signed = proof.sequence(conn, CITY, tmp_path, signer, clock)
        conn.rollback()
        report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
        assert (report.findings, report.pending) == ([], 303)
        conn.rollback()
        rows.add(conn, 2)
        conn.commit()
        again = proof.sequence(conn, CITY, tmp_path, signer, clock)
        conn.commit()
        assert signed is not None
        assert again is not None
        hashes = proof.log_folder(tmp_path, CITY, 2026).hashes(again.size)
        way = consistency_proof(hashes, signed.size, again.size)
        assert verify_consistency(signed.size, again.size, signed.root, again.root, way)
        assert (signed.size, again.size) == (303, 305)
        assert proof.verify(conn, CITY, tmp_path, {KIND: rows}).ok


def test_files_left_by_a_crash_before_signing_are_written_over(conn, tmp_path, log):
    rows = Rows()
    rows.add(conn, 250)
    log()
    folder = proof.log_folder(tmp_path, CITY, 2026)
    folder.grow(250, [bytes(32)] * 20)  # tiles of a tree that was never signed
    rows.add(conn, 30)
    log()
    assert proof.verify(conn, CITY, tmp_path, {KIND: rows}).ok


def test_a_restored_database_may_not_sign_a_second_history(fresh_database, tmp_path, signer, clock):
    rows = Rows()
    with connect(fresh_database, CITY) as conn:
        rows.add(conn, 4)
        proof.sequence(conn, CITY, tmp_path, signer, clock)
        conn.commit()
        lost = rows.add(conn, 3)
        proof.sequence(conn, CITY, tmp_path, signer, clock)
        conn.rollback()  # as if a backup from before were restored: rows and leaves are gone
        for key in lost:
            del rows.rows[key]
        rows.add(conn, 5)
        with pytest.raises(OperationError, match="second history"):
            proof.sequence(conn, CITY, tmp_path, signer, clock)
        report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert [f.code for f in report.findings] == ["database-behind"]


def test_a_restored_log_folder_may_not_be_signed_on(conn, tmp_path, log):
    rows = Rows()
    rows.add(conn, 4)
    log()
    shutil.copytree(tmp_path / CITY, tmp_path / "copy")
    rows.add(conn, 3)
    log()
    shutil.rmtree(tmp_path / CITY)
    (tmp_path / "copy").rename(tmp_path / CITY)
    rows.add(conn, 1)
    with pytest.raises(OperationError, match="bring back the log folder"):
        log()
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert "log-damaged" in {f.code for f in report.findings}


def test_another_key_cannot_sign_on_and_is_told_by_the_verification(conn, tmp_path, log, clock):
    rows = Rows()
    rows.add(conn, 4)
    log()
    stranger = proof.load_or_create_signer(tmp_path / "other", CITY)
    rows.add(conn, 1)
    with pytest.raises(OperationError, match="checkpoint"):
        proof.sequence(conn, CITY, tmp_path, stranger, clock)
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows}, public_key=stranger.public_key)
    assert codes(report) == [("log-damaged", None)]


@pytest.mark.parametrize(
    "path", ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "checkpoint"]
)
def test_a_flipped_byte_on_disk_is_found(conn, tmp_path, log, path):
    rows = Rows()
    rows.add(conn, 600)
    log()
    file = tmp_path / CITY / "2026" / path
    raw = bytearray(file.read_bytes())
    raw[40] ^= 1
    file.write_bytes(raw)
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert codes(report) == [("log-damaged", None)]
    assert "2026" in report.findings[0].ko


def test_a_missing_tile_is_found(conn, tmp_path, log):
    rows = Rows()
    rows.add(conn, 600)
    log()
    (tmp_path / CITY / "2026" / "tile/entries/001").unlink()
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert codes(report) == [("log-damaged", None)]
    assert "tile/entries/001" in report.findings[0].en


def test_altered_added_and_deleted_rows_are_each_named(conn, tmp_path, log):
    rows = Rows()
    keys = rows.add(conn, 20)
    log()
    waiting = rows.add(conn, 1)[0]
    rows.rows[keys[3]]["meter"] = "meter-x"
    del rows.rows[keys[7]]
    added = new_id()
    rows.rows[added] = {"energy_wh": "1", "meter": "m"}
    rows.rows[waiting]["meter"] = "meter-y"
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert sorted(codes(report), key=str) == sorted(
        [
            ("row-altered", keys[3]), ("row-missing", keys[7]), ("row-unlogged", added),
            ("row-altered", waiting),
        ],
        key=str,
    )  # fmt: skip
    assert report.pending == 1


def test_a_kind_without_a_source_is_told_and_an_unordered_source_is_a_fault(conn, tmp_path, log):
    rows = Rows()
    rows.add(conn, 2)
    log()
    assert codes(proof.verify(conn, CITY, tmp_path, {})) == [("kind-unverified", None)]

    class Unordered(Rows):
        def entries(self, conn: Connection, city: str):
            yield from sorted(rows.rows.items(), reverse=True)

    with pytest.raises(ValueError, match="ascending"):
        proof.verify(conn, CITY, tmp_path, {KIND: Unordered()})


def test_a_source_read_in_pages_gives_every_row_once(conn):
    keys = sorted(uuid4() for _ in range(4500))

    def fetch(conn, city, after, limit):
        return [(k, {"n": 1}) for k in keys if after is None or k > after][:limit]

    assert [key for key, _ in proof.PagedSource(fetch).entries(conn, CITY)] == keys


def test_progress_is_told_to_the_end(conn, tmp_path, log):
    rows, seen = Rows(), []
    rows.add(conn, 3000)
    log()
    proof.verify(conn, CITY, tmp_path, {KIND: rows}, progress=lambda *at: seen.append(at))
    assert seen[-1] == (6000, 6000)
    assert seen == sorted(seen)
    assert len(seen) > 1


def test_the_status_tells_how_far_the_log_is(conn, tmp_path, log, clock):
    rows = Rows()
    rows.add(conn, 5)
    log()
    rows.add(conn, 2)
    told = proof.status(conn, CITY, tmp_path)
    assert told.checkpoint is not None
    assert (told.checkpoint.size, told.entries, told.pending) == (5, 7, 2)
    assert told.signed_at == clock.now()
    (tmp_path / CITY / "2026" / "checkpoint").write_text("junk")
    assert "checkpoint" in proof.status(conn, CITY, tmp_path).problem


def test_cities_have_logs_of_their_own(fresh_database, tmp_path, clock):
    for city in ("pyeongtaek", "goyang"):
        signer = proof.load_or_create_signer(tmp_path / "keys", city)
        with connect(fresh_database, city) as conn:
            Rows().add(conn, 2, city=city)
            held = proof.sequence(conn, city, tmp_path, signer, clock)
            assert held is not None
            assert (held.origin, held.size) == (f"onsil/{city}/2026", 2)


def test_the_audit_trail_says_who_did_what(conn):
    proof.audit(conn, CITY, "official:1", "approve", "monitoring", "m1", {"state": "open"}, None)
    proof.audit(conn, CITY, "official:2", "close", "programme", "p1", None, {"points": 3})
    trail = proof.audit_trail(conn, CITY)
    assert [(r.actor, r.action, r.before, r.after) for r in trail] == [
        ("official:2", "close", None, {"points": 3}),
        ("official:1", "approve", {"state": "open"}, None),
    ]
    assert [r.actor for r in proof.audit_trail(conn, CITY, actor="official:1")] == ["official:1"]
    assert [r.subject_id for r in proof.audit_trail(conn, CITY, subject_kind="programme")] == ["p1"]
    assert proof.audit_trail(conn, CITY, before=trail[-1].id) == []
    assert len(proof.audit_trail(conn, CITY, 1)) == 1
