"""Erasing a leaf's salt: the log stays valid, nothing is guessed back, nobody does it unseen."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal

CITY = "pyeongtaek"
KIND = "award"
CLOCK = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
WHO = {"actor": "user:official", "basis": "본인의 청구", "clock": CLOCK}


class Rows:
    """Live rows that a test may alter or delete."""

    def __init__(self) -> None:
        self.rows: dict[UUID, dict[str, Any]] = {}

    def add(self, conn: Connection, count: int) -> list[UUID]:
        fresh = {new_id(): {"person": f"p{n}", "points": n} for n in range(count)}
        proof.append_many(conn, CITY, KIND, list(fresh.items()))
        self.rows |= fresh
        return list(fresh)

    def entries(self, conn: Connection, city: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        yield from sorted(self.rows.items())


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def log(conn: Connection, tmp_path: Path) -> Callable[[], object]:
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    return lambda: proof.sequence(conn, CITY, tmp_path, signer, CLOCK)


def findings(conn: Connection, tmp_path: Path, rows: Rows) -> list[tuple[str, UUID | None]]:
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    return [(finding.code, finding.subject_id) for finding in report.findings]


def test_the_log_stays_valid_with_and_without_the_row(conn, tmp_path, rows, log):
    gone, blanked, kept = rows.add(conn, 3)
    log()
    for subject in (gone, blanked):
        assert proof.erase(conn, CITY, KIND, subject, **WHO) == proof.Erased(KIND, subject, True)
    del rows.rows[gone]
    rows.rows[blanked] = {"person": "", "points": 0}
    log()
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert (report.findings, report.erased, report.leaves) == ([], 2, 5)
    held = proof.leaf(conn, CITY, KIND, kept)
    assert held is not None
    assert not held.erased


def test_nothing_of_the_salt_is_left(conn, rows, log):
    subject = rows.add(conn, 1)[0]
    log()
    before = proof.leaf(conn, CITY, KIND, subject)
    proof.erase(conn, CITY, KIND, subject, **WHO)
    after = proof.leaf(conn, CITY, KIND, subject)
    assert before is not None
    assert after is not None
    assert (after.erased, after.salt, after.commitment) == (True, bytes(32), before.commitment)
    with cursor(conn) as run:
        tables = run.execute(
            """SELECT table_name FROM information_schema.tables
            WHERE table_schema = 'public' AND table_name LIKE 'proof\\_%'"""
        ).fetchall()
        for (table,) in tables:
            found = run.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608
            assert not any(before.salt.hex() in str(row) for row in found), table


def test_an_erased_subject_has_no_receipt_any_more(conn, tmp_path, rows, log):
    subject = rows.add(conn, 1)[0]
    log()
    assert isinstance(proof.receipt(conn, CITY, KIND, subject, tmp_path, rows.rows[subject]), str)
    proof.erase(conn, CITY, KIND, subject, **WHO)
    for made in (
        proof.receipt(conn, CITY, KIND, subject, tmp_path, rows.rows[subject]),
        proof.bundle(conn, CITY, KIND, subject, tmp_path, rows.rows[subject]),
    ):
        assert isinstance(made, Refusal)
        assert made.code == "erased"


def test_the_act_is_logged_without_the_content(conn, tmp_path, rows, log):
    subject = rows.add(conn, 1)[0]
    log()
    proof.erase(conn, CITY, KIND, subject, **WHO)
    (act,) = proof.audit_trail(conn, CITY, subject_kind=KIND, subject_id=str(subject))
    assert (act.action, act.actor, act.before) == ("leaf.erased", "user:official", None)
    assert act.after == {"basis": "본인의 청구", "at": "2026-03-01T00:00:00Z"}
    log()
    entry = {"subject_kind": KIND, "subject_id": str(subject), **act.after}
    made = proof.receipt(conn, CITY, "erasure", act.id, tmp_path, entry)
    assert isinstance(made, str)
    key = proof.load_or_create_signer(tmp_path / "keys", CITY).verifier_key("onsil/pyeongtaek/2026")
    assert proof.verify_receipt(made.encode(), [key]).valid


def test_a_second_time_changes_nothing(conn, tmp_path, rows, log):
    subject = rows.add(conn, 1)[0]
    log()
    proof.erase(conn, CITY, KIND, subject, **WHO)
    again = proof.erase(conn, CITY, KIND, subject, **WHO)
    assert again == proof.Erased(KIND, subject, False)
    assert len(proof.audit_trail(conn, CITY, subject_id=str(subject))) == 1
    log()
    assert findings(conn, tmp_path, rows) == []


def test_what_is_not_logged_or_is_itself_an_erasure_is_refused(conn, rows, log):
    known = rows.add(conn, 1)[0]
    unknown = proof.erase_many(conn, CITY, [(KIND, known), (KIND, new_id())], **WHO)
    assert isinstance(unknown, Refusal)
    assert unknown.code == "not-logged"
    held = proof.leaf(conn, CITY, KIND, known)
    assert held is not None
    assert not held.erased  # all or none
    proof.erase(conn, CITY, KIND, known, **WHO)
    act = proof.audit_trail(conn, CITY, subject_id=str(known))[0].id
    kept = proof.erase(conn, CITY, "erasure", act, **WHO)
    assert isinstance(kept, Refusal)
    assert kept.code == "erasure-is-kept"


def test_tampering_beside_an_erasure_is_still_found(conn, tmp_path, rows, log):
    erased, altered, deleted = rows.add(conn, 3)
    log()
    proof.erase(conn, CITY, KIND, erased, **WHO)
    rows.rows[altered] = {"person": "p1", "points": 1_000_000}
    del rows.rows[deleted]
    added = new_id()
    rows.rows[added] = {"person": "x", "points": 1}
    assert sorted(findings(conn, tmp_path, rows), key=str) == sorted(
        [("row-altered", altered), ("row-missing", deleted), ("row-unlogged", added)], key=str
    )


def test_erasing_behind_the_logs_back_is_found(conn, tmp_path, rows, log):
    """The salt goes by the database's own function, with no act in the audit trail."""
    subject = rows.add(conn, 1)[0]
    log()
    with cursor(conn) as run:
        run.execute("SELECT onsil_erase_salt(%s, %s, %s)", (CITY, KIND, subject))
    assert findings(conn, tmp_path, rows) == [("erasure-unrecorded", subject)]


def test_an_act_slipped_in_afterwards_is_found(conn, tmp_path, rows, log):
    """An audit row alone does not cover it up: the leaf of the act is missing."""
    subject = rows.add(conn, 1)[0]
    log()
    with cursor(conn) as run:
        run.execute("SELECT onsil_erase_salt(%s, %s, %s)", (CITY, KIND, subject))
    said = {"basis": "x", "at": CLOCK.now()}
    act = proof.audit(conn, CITY, "user:x", "leaf.erased", KIND, str(subject), None, said)
    assert findings(conn, tmp_path, rows) == [("row-unlogged", act)]


def test_another_citys_leaf_cannot_be_erased(conn):
    subject = new_id()
    with cursor(conn) as run:
        run.execute("SELECT set_config('onsil.city', 'goyang', true)")
        proof.append(conn, "goyang", KIND, subject, {"x": 1})
        run.execute("SELECT set_config('onsil.city', %s, true)", (CITY,))
    refused = proof.erase(conn, "goyang", KIND, subject, **WHO)
    assert isinstance(refused, Refusal)


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(data=st.data())
def test_any_order_of_appending_erasing_and_sealing_stays_valid(
    data: st.DataObject, fresh_city: Callable[[], tuple[Connection, Path]]
):
    conn, folder = fresh_city()
    rows = Rows()
    signer = proof.load_or_create_signer(folder / "keys", CITY)
    erased: set[UUID] = set()
    for step in data.draw(st.lists(st.sampled_from(["add", "erase", "seal"]), max_size=12)):
        if step == "add":
            rows.add(conn, data.draw(st.integers(1, 4)))
        elif step == "seal":
            proof.sequence(conn, CITY, folder, signer, CLOCK)
        elif rows.rows:
            subject = data.draw(st.sampled_from(sorted(rows.rows)))
            done = proof.erase(conn, CITY, KIND, subject, **WHO)
            assert isinstance(done, proof.Erased)
            assert done.now == (subject not in erased)
            erased.add(subject)
    report = proof.verify(conn, CITY, folder, {KIND: rows})
    assert report.findings == []
    assert report.erased == len(erased)
    conn.rollback()


@pytest.fixture
def fresh_city(conn: Connection, tmp_path_factory: pytest.TempPathFactory):
    """The same connection, rolled back, with a folder of its own for every example."""

    def begin() -> tuple[Connection, Path]:
        conn.rollback()
        return conn, tmp_path_factory.mktemp("log")

    return begin
