"""Leaves packed a batch a row: found by their id, one of a kind for ever, erasable one by one."""

import itertools
import threading
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onsil import proof
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.core.ids import new_id
from onsil.proof.batches import leaves_by_id
from onsil.proof.entries import commitment

CITY = "pyeongtaek"
SCHEMA = Path(proof.__file__).parent / "schema"


STARTS = itertools.count(new_id().int, 100_000)


def ascending(count: int) -> list[UUID]:
    first = next(STARTS)
    return [UUID(int=first + n) for n in range(count)]


def append(conn, keys: list[UUID], kind: str = "transfer") -> None:
    proof.append_encoded(conn, CITY, kind, [(key, key.bytes) for key in keys])


@pytest.mark.parametrize("kind", ["transfer", "award"])
@pytest.mark.parametrize("sizes", [[1], [1, 1, 1], [2, 257, 1, 8]])
def test_every_leaf_is_found_by_its_id_and_no_other(conn, kind, sizes):
    batches = [ascending(size) for size in sizes]
    for keys in batches:
        append(conn, keys, kind)
    for key in [key for keys in batches for key in keys]:
        found = proof.leaf(conn, CITY, kind, key)
        assert found is not None
        assert found.commitment == commitment(found.salt, key.bytes)
        assert not found.erased
    for keys in batches:
        for stranger in (UUID(int=keys[0].int - 1), UUID(int=keys[-1].int + 1), uuid4()):
            assert proof.leaf(conn, CITY, kind, stranger) is None
    assert proof.leaf(conn, CITY, "other", batches[0][0]) is None
    told = [leaf.subject_id for leaf in leaves_by_id(conn, CITY, kind)]
    assert told == [key for keys in batches for key in keys]
    assert all(leaf.indexed and not leaf.erased for leaf in leaves_by_id(conn, CITY, kind))


def test_a_batch_is_one_row_and_transfers_need_no_index(conn):
    append(conn, ascending(500))
    append(conn, [uuid4() for _ in range(20)], "award")
    rows = conn.execute("SELECT kind, size, first_id IS NULL FROM proof_batch ORDER BY kind")
    assert rows.fetchall() == [("award", 20, True), ("transfer", 500, False)]
    assert conn.execute("SELECT count(*) FROM proof_subject").fetchone() == (20,)


@given(st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example is rolled back
)
def test_a_transfer_whose_span_was_passed_is_never_logged_again(conn, data):
    """Whatever spans are tried: those that were taken never meet."""
    with conn.transaction(force_rollback=True):
        base = uuid4().int >> 64 << 64
        taken: list[tuple[int, int]] = []
        for _ in range(data.draw(st.integers(1, 6))):
            first = data.draw(st.integers(0, 30))
            last = first + data.draw(st.integers(0, 5))
            keys = [UUID(int=base + n) for n in range(first, last + 1)]
            meets = any(first <= b and a <= last for a, b in taken)
            try:
                with conn.transaction():
                    append(conn, keys)
                assert not meets
                taken.append((first, last))
            except psycopg.errors.ExclusionViolation:
                assert meets


def test_ids_that_do_not_ascend_are_a_fault(conn):
    keys = ascending(3)
    for wrong in (keys[::-1], [keys[0], keys[0]], [keys[1], keys[0], keys[2]]):
        with pytest.raises(ValueError, match="ascend"):
            append(conn, wrong)
    assert proof.leaf(conn, CITY, "transfer", keys[0]) is None


@pytest.mark.parametrize("kind", ["transfer", "award"])
def test_of_racing_writers_of_the_same_leaf_one_wins(fresh_database, kind):
    keys, outcomes = ascending(40), []
    ready = threading.Barrier(6)

    def write(own: list[UUID]) -> None:
        with connect(fresh_database, CITY) as conn:
            ready.wait()
            try:
                append(conn, own, kind)
                conn.commit()
                outcomes.append(own)
            except (psycopg.errors.IntegrityError, psycopg.errors.DeadlockDetected):
                conn.rollback()

    threads = [threading.Thread(target=write, args=(keys[n : n + 30],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1  # all six hold the ten keys in the middle
    with connect(fresh_database, CITY) as conn:
        assert [leaf.subject_id for leaf in leaves_by_id(conn, CITY, kind)] == outcomes[0]


@pytest.mark.parametrize("kind", ["transfer", "award"])
def test_an_erased_salt_leaves_the_log_valid(fresh_database, tmp_path, kind):
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    rows = {key: {"n": n} for n, key in enumerate(ascending(300))}

    class Source:
        def entries(self, conn, city):
            yield from sorted(rows.items())

    with connect(fresh_database, CITY) as conn:
        proof.append_many(conn, CITY, kind, list(rows.items()))
        conn.commit()
        proof.sequence(conn, CITY, tmp_path, signer, SystemClock())
        conn.commit()
        gone, kept = list(rows)[7], list(rows)[8]
        before = proof.leaf(conn, CITY, kind, kept)
        erase = "SELECT onsil_erase_salt(%s, %s, %s)"
        assert conn.execute(erase, (CITY, kind, gone)).fetchone() == (True,)
        assert conn.execute(erase, (CITY, kind, gone)).fetchone() == (False,)
        assert conn.execute(erase, (CITY, kind, uuid4())).fetchone() == (False,)
        conn.commit()
        found = proof.leaf(conn, CITY, kind, gone)
        assert found is not None
        assert (found.erased, found.salt, found.index) == (True, bytes(32), 7)
        assert proof.leaf(conn, CITY, kind, kept) == before
        for _ in range(2):  # with the row, and without it
            report = proof.verify(conn, CITY, tmp_path, {kind: Source()})
            assert (report.findings, report.erased) == ([], 1)
            rows.pop(gone, None)


def test_a_salt_of_another_city_is_not_erased(fresh_database):
    key = ascending(1)[0]
    with connect(fresh_database, CITY) as conn:
        append(conn, [key])
    with connect(fresh_database, "goyang") as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT onsil_erase_salt(%s, 'transfer', %s)", (CITY, key))
        conn.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("INSERT INTO proof_erased_salt VALUES ('goyang', 'transfer', %s)", (key,))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE proof_batch SET salts = overlay(salts PLACING %(none)s FROM 65)", "salt-altered"),
        ("INSERT INTO proof_erased_salt VALUES (%(city)s, 'award', %(id)s)", "salt-altered"),
        ("DELETE FROM proof_subject WHERE subject_id = %(id)s", "index-altered"),
        ("UPDATE proof_subject SET position = 7 WHERE subject_id = %(id)s", "index-altered"),
        ("UPDATE proof_subject SET position = position + 9", "index-altered"),
    ],
)  # fmt: skip
def test_what_was_done_to_salts_and_index_is_told(fresh_database, tmp_path, statement, code):
    keys = [uuid4() for _ in range(5)]
    with connect(fresh_database, CITY) as conn:
        proof.append_many(conn, CITY, "award", [(key, {}) for key in keys])
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        values = {"none": bytes(32), "city": CITY, "id": keys[2]}
        owner.execute(statement, {k: v for k, v in values.items() if f"%({k})s" in statement})
    with connect(fresh_database, CITY) as conn:
        source = proof.PagedSource(lambda *_: [])
        report = proof.verify(conn, CITY, tmp_path, {"award": source})
    assert (code, keys[2]) in {(f.code, f.subject_id) for f in report.findings}


def test_a_log_of_single_rows_stays_valid_when_it_is_packed(postgres, tmp_path):
    """An installation of before, with a signed log, is migrated and verified."""
    name = f"old_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name)
    core = SCHEMA.parents[1] / "core" / "schema" / "0001_tenancy.sql"
    transfers, awards = [ascending(3), ascending(400)], [uuid4() for _ in range(50)]
    rows = {"transfer": {}, "award": {}}
    try:
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute(core.read_text())
            owner.execute((SCHEMA / "0001_log.sql").read_text())
            appended = [("transfer", transfers[1]), ("award", awards), ("transfer", transfers[0])]
            for kind, keys in appended:
                batch = new_id()
                with owner.cursor() as run:
                    for place, key in enumerate(keys):
                        content = proof.entries.entry_bytes(CITY, kind, key, {"n": place})
                        rows[kind][key] = {"n": place}
                        salt = bytes([place % 250 + 1]) * 32
                        run.execute(
                            "INSERT INTO proof_entry VALUES (%s, %s, %s, %s, %s, %s, %s)",
                            (CITY, kind, key, batch, place, salt, commitment(salt, content)),
                        )
                owner.execute(
                    "INSERT INTO proof_pending VALUES (%s, %s, %s)", (CITY, batch, len(keys))
                )
            owner.execute((SCHEMA / "0002_packed_leaves.sql").read_text())
        sources = {
            kind: proof.PagedSource(
                lambda conn, city, after, limit, held=held: sorted(
                    (k, v) for k, v in held.items() if after is None or k > after
                )[:limit]
            )
            for kind, held in rows.items()
        }
        signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
        with connect(dsn, CITY) as conn:
            held = proof.sequence(conn, CITY, tmp_path, signer, SystemClock())
            assert held is not None
            assert held.size == 453
            report = proof.verify(conn, CITY, tmp_path, sources)
            assert (report.findings, report.leaves, report.rows) == ([], 453, 453)
            spans = conn.execute(
                "SELECT kind, size, first_id, last_id FROM proof_batch ORDER BY size"
            ).fetchall()
        assert spans == [
            ("transfer", 3, transfers[0][0], transfers[0][-1]),
            ("award", 50, None, None),
            ("transfer", 400, transfers[1][0], transfers[1][-1]),
        ]
    finally:
        postgres.drop_database(name)
