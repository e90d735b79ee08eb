"""The traps met when PostgreSQL was measured for this ledger: each is shown, and avoided."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest

import onsil
from onsil import ledger
from onsil.configuration import embedded_home
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.ledger import AccountSpec, Leg, TransferRequest, loading
from onsil.ledger.loading import load_keys
from onsil.supervisor.postgres import EmbeddedPostgres

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()
ROOM = Path(onsil.__file__).parent / "ledger"


def books(dsn: str, citizens: int, each: int = 1_000) -> None:
    """Wallets with something in them, and a shop."""
    with connect(dsn, CITY) as conn:
        ledger.open_accounts(
            conn,
            CITY,
            [
                AccountSpec("external:bank", "KRW", minimum=None),
                AccountSpec("trust:local", "KRW"),
                AccountSpec("issuer:local", LOCAL, minimum=None),
                AccountSpec("merchant:1", LOCAL, lots=True),
                *(AccountSpec(f"citizen:{n}", LOCAL, lots=True) for n in range(citizens)),
            ],
        )
        grants = [
            TransferRequest(
                f"g{n}",
                "grant",
                (
                    Leg("issuer:local", f"citizen:{n}", LOCAL, each),
                    Leg("external:bank", "trust:local", "KRW", each),
                ),
            )
            for n in range(min(citizens, 200))
        ]
        assert all(ledger.post(conn, CITY, grants, CLOCK).values())


def payment(key: str, citizen: int, amount: int = 1) -> TransferRequest:
    return TransferRequest(
        key, "payment", (Leg(f"citizen:{citizen}", "merchant:1", LOCAL, amount),)
    )


def statements() -> list[str]:
    """Every text in the room's modules that changes rows or locks them."""
    found = []
    for path in sorted(ROOM.rglob("*.py")):
        texts = re.findall(r'"""(.*?)"""|"([^"\n]*)"', path.read_text("utf-8"), re.DOTALL)
        found += [long or short for long, short in texts]
    return [t for t in found if re.search(r"\b(UPDATE \w+|FOR (NO KEY )?UPDATE)\b", t)]


def test_trap_1_locking_and_updating_in_one_statement_locks_nothing(fresh_database):
    """The update runs first, the lock step then gives no rows: so each has a statement."""
    with psycopg.connect(fresh_database) as owner:
        owner.execute("CREATE TEMP TABLE t AS SELECT n AS id, 0 AS v FROM generate_series(1, 9) n")
        row = owner.execute(
            """WITH changed AS (UPDATE t SET v = 1 RETURNING id),
              locked AS (SELECT id FROM t WHERE id > (SELECT count(*) FROM changed) * 0 FOR UPDATE)
            SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM locked)"""
        ).fetchone()
    assert row == (9, 0), "the trap itself"
    for text in statements():
        assert not ("FOR " in text and re.search(r"\bUPDATE \w+ (SET|\w+ SET)", text)), text


def test_trap_1_a_row_that_is_not_there_to_be_changed_stops_the_whole_batch(fresh_database):
    """Every row count is asserted, so half the work cannot vanish."""
    books(fresh_database, 3)
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        )
        owner.execute(
            "CREATE TRIGGER vanish BEFORE UPDATE ON ledger_account FOR EACH ROW "
            "WHEN (old.code = 'citizen:1') EXECUTE FUNCTION vanish()"
        )
    with connect(fresh_database, CITY) as conn:
        with pytest.raises(AssertionError):
            ledger.post(conn, CITY, [payment(f"p{n}", n) for n in range(3)], CLOCK)
        conn.rollback()
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 0
        assert ledger.conservation(conn, CITY) == []


def plans(dsn: str, requests: list[TransferRequest]) -> list[str]:
    """The plans PostgreSQL chooses for what one batch asks of it."""
    with connect(dsn, CITY, role="onsil") as conn:
        conn.execute("LOAD 'auto_explain'")
        conn.execute("SET auto_explain.log_min_duration = 0")
        conn.execute("SET auto_explain.log_nested_statements = on")
        conn.execute("SET client_min_messages = log")
        told: list[str] = []
        conn.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        assert all(ledger.post(conn, CITY, requests, CLOCK).values())
    return [text for text in told if "ledger_" in text]


def test_trap_2_a_batch_finds_its_accounts_by_index_and_not_by_reading_all(fresh_database):
    """`id IN (SELECT …)` chose a full scan; a sorted array with `= ANY` does not."""
    books(fresh_database, 20_000)
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE ledger_account")
    chosen = plans(fresh_database, [payment(f"p{n}", n) for n in range(100)])
    assert any("ledger_account" in plan for plan in chosen)
    for plan in chosen:
        assert "Seq Scan on ledger_account" not in plan, plan


def test_trap_3_a_pipeline_joins_statements_into_one_transaction(fresh_database):
    """Even in autocommit: what had succeeded before a failure is gone. Only the writer may."""
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        conn.execute("CREATE TEMP TABLE t (id int PRIMARY KEY)")

        def one_pipeline() -> None:
            with conn.pipeline():
                conn.execute("INSERT INTO t VALUES (1)")
                conn.execute("INSERT INTO t VALUES (1)")

        with pytest.raises(psycopg.errors.UniqueViolation):
            one_pipeline()
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (0,), "the trap itself"
    package = Path(onsil.__file__).parent
    users = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if ".pipeline(" in path.read_text("utf-8")
    }
    assert users <= {"ledger/journal.py"}


@pytest.mark.parametrize(("amount", "expected"), [(1, "replayed"), (2, "key-reused")])
def test_trap_4_a_key_is_looked_up_after_the_locks_and_its_parameters_are_compared(
    fresh_database, amount, expected
):
    """Whoever waited for the lock sees what was decided meanwhile, and answers by it."""
    books(fresh_database, 1)
    told: list[ledger.Answer] = []

    def second() -> None:
        with connect(fresh_database, CITY) as conn:
            told.append(ledger.post(conn, CITY, [payment("p", 0, amount)], CLOCK)["p"])

    waiting = threading.Thread(target=second)
    with connect(fresh_database, CITY) as first:
        applied = ledger.post(first, CITY, [payment("p", 0)], CLOCK)["p"]
        waiting.start()
        time.sleep(0.3)
        assert not told, "the second waits for the first"
    waiting.join(10)
    (answer,) = told
    if expected == "replayed":
        assert (answer.state, answer.transfer_id) == ("replayed", applied.transfer_id)
    else:
        assert answer.refusal is not None
        assert answer.refusal.code == expected
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 1


_BUSY = """
import os, sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as conn:
    print(conn.info.backend_pid, flush=True)
    conn.execute("DO $$ BEGIN PERFORM count(*) FROM generate_series(1, 60000000); END $$")
"""


@pytest.fixture
def server(tmp_path) -> Iterator[EmbeddedPostgres]:
    made = EmbeddedPostgres.at(embedded_home(tmp_path))
    try:
        made.start()
        yield made
    finally:
        made.remove()


def test_trap_5_a_start_after_a_kill_waits_until_orphaned_backends_have_gone(server):
    """Only the postmaster is killed; a busy backend lives on and holds the shared memory."""
    import os
    import signal

    busy = subprocess.Popen(
        [sys.executable, "-c", _BUSY, server.dsn("postgres")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert busy.stdout is not None
    backend = int(busy.stdout.readline())
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as conn:
        at_work = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query LIKE 'DO %%'"
        while not conn.execute(at_work, (backend,)).fetchone():
            time.sleep(0.02)
    postmaster = int((server.home / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert Path(f"/proc/{backend}").exists(), "the orphan is at work"
    server.start()
    busy.wait(60)
    assert server.running()
    words = (server.home / "server.log").read_text("utf-8")
    assert "pre-existing shared memory block" in words, "a first attempt was in vain"


def test_a_batch_of_keys_is_found_by_index_however_young_the_journal(fresh_database):
    """A plan made for a journal thought to be small compared every row with every key."""
    books(fresh_database, 20)
    with connect(fresh_database, CITY) as conn:
        with psycopg.connect(fresh_database, autocommit=True) as owner:
            owner.execute("ANALYZE ledger_leg, ledger_refusal")
        paid = [payment(f"p{n}", n % 20) for n in range(1500)]
        assert all(ledger.post(conn, CITY, paid, CLOCK).values())
        conn.execute("SET plan_cache_mode = force_generic_plan")
        plans: list[str] = []

        class Explained(psycopg.Cursor):
            def execute(self, query, params=None, **more):
                if not plans:
                    super().execute(b"EXPLAIN " + query.encode(), params, **more)
                    plans.extend(row[0] for row in self.fetchall())
                return super().execute(query, params, **more)

        with patch.object(loading, "cursor", Explained):
            found = load_keys(conn, CITY, [request.key for request in paid])
    assert len(found) == 1500
    plan = "\n".join(plans)
    assert "ledger_leg_key" in plan, plan
    assert "Join Filter" not in plan, plan
