"""Many at once, and servers that die: nothing acknowledged is lost, nothing is doubled."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.ledger import AccountSpec, Leg, Teller, TransferRequest
from onsil.supervisor.postgres import EmbeddedPostgres

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()


def set_up(dsn: str, citizens: int, each: int) -> None:
    """`citizens` wallets with `each` of local currency, covered by the trust, and one shop."""
    names = [f"citizen:{n}" for n in range(citizens)]
    with connect(dsn, CITY) as conn:
        ledger.open_accounts(
            conn,
            CITY,
            [
                AccountSpec("external:bank", "KRW", minimum=None),
                AccountSpec("trust:local", "KRW"),
                AccountSpec("issuer:local", LOCAL, minimum=None),
                AccountSpec("merchant:1", LOCAL, lots=True),
                *(AccountSpec(name, LOCAL, lots=True) for name in names),
            ],
        )
        charges = [
            TransferRequest(
                f"charge-{name}",
                "charge",
                (
                    Leg("issuer:local", name, LOCAL, each),
                    Leg("external:bank", "trust:local", "KRW", each),
                ),
            )
            for name in names
        ]
        assert all(ledger.post(conn, CITY, charges, CLOCK).values())


def payment(key: str, citizen: int, amount: int) -> TransferRequest:
    return TransferRequest(
        key, "payment", (Leg(f"citizen:{citizen}", "merchant:1", LOCAL, amount),)
    )


@contextmanager
def writers(dsn: str, count: int = 1) -> Iterator[None]:
    stop = threading.Event()
    threads = [
        threading.Thread(target=ledger.run_writer, args=(dsn, CLOCK, stop)) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run `work(n)` in `count` threads and pass on what any of them raised."""
    failures: list[BaseException] = []

    def guarded(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("count", [1, 2])
def test_a_wallet_is_never_spent_twice(fresh_database, count):
    """Eight threads try 96 times, partly under the same keys, to spend a wallet worth ten."""
    set_up(fresh_database, 1, 1_000)
    told: list[ledger.Answer] = []

    def spend(n: int) -> None:
        with Teller(fresh_database, CITY) as teller:
            for turn in range(12):
                key = f"pay-{(n % 4) * 12 + turn}"  # two threads share each key
                told.append(teller.ask([payment(key, 0, 100)], 20)[key])

    with writers(fresh_database, count):
        in_threads(8, spend)
    assert len(told) == 96
    assert {answer.state for answer in told} <= {"applied", "replayed", "refused"}
    paid = {answer.transfer_id for answer in told if answer}
    assert len(paid) == 10
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "citizen:0", LOCAL) == 0
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 1_000
        assert ledger.conservation(conn, CITY) == []


def test_payments_to_one_shop_at_once_all_arrive(fresh_database):
    """Some through the writer, some posted in transactions of their own, at the same time."""
    set_up(fresh_database, 8, 1_000)

    def pay(n: int) -> None:
        for turn in range(10):
            request = payment(f"{n}-{turn}", n, 10)
            if n % 2:
                assert ledger.ask(fresh_database, CITY, [request], 20)[request.key]
            else:
                with connect(fresh_database, CITY) as conn:
                    assert ledger.post(conn, CITY, [request], CLOCK)[request.key]

    with writers(fresh_database):
        in_threads(8, pay)
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 800
        assert ledger.conservation(conn, CITY) == []


def test_one_key_with_two_meanings_is_decided_once_for_all_who_ask(fresh_database):
    set_up(fresh_database, 1, 1_000)
    told: dict[int, ledger.Answer] = {}

    def pay(n: int) -> None:
        amount = 100 + n % 2
        told[n] = ledger.ask(fresh_database, CITY, [payment("same", 0, amount)], 20)["same"]

    with writers(fresh_database):
        in_threads(6, pay)
    accepted = {n % 2 for n, answer in told.items() if answer}
    assert len(accepted) == 1
    reused = [a.refusal for n, a in told.items() if n % 2 not in accepted]
    assert {r.code for r in reused if r is not None} == {"key-reused"}
    assert None not in reused
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 100 + accepted.pop()


def test_a_batch_that_cannot_be_recorded_stops_only_the_request_to_blame(fresh_database):
    """A limit changed behind the machine's back is caught by PostgreSQL, the others go through."""
    set_up(fresh_database, 3, 100)
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute(
            "ALTER TABLE ledger_account ADD CONSTRAINT frozen CHECK (code <> 'citizen:1' "
            "OR balance = 100)"
        )
    requests = [payment(f"p{n}", n, 50) for n in range(3)]
    with connect(fresh_database, CITY) as conn:
        ledger.submit(conn, CITY, requests)
    with writers(fresh_database):
        given = ledger.wait(fresh_database, CITY, requests, 20)
    assert [given[f"p{n}"].state for n in range(3)] == ["applied", "refused", "applied"]
    assert given["p1"].refusal is not None
    assert given["p1"].refusal.code == "not-recordable"


def test_asking_without_a_writer_says_pending_and_without_a_database_says_retry(fresh_database):
    from onsil.core.refusal import OperationError

    set_up(fresh_database, 1, 100)
    given = ledger.ask(fresh_database, CITY, [payment("p", 0, 10)], 0.2)
    assert given["p"].state == "pending"
    with pytest.raises(OperationError) as caught:
        ledger.ask(fresh_database + "-none", CITY, [payment("p", 0, 10)], 0.2)
    assert caught.value.retry


def _write_forever(dsn: str) -> None:
    ledger.run_writer(dsn, CLOCK, threading.Event())


def test_killing_the_database_and_the_writer_loses_and_doubles_nothing(tmp_path: Path):
    """The server is killed twice and the writer's process once, mid-batch, with fsync on."""
    from onsil.configuration import embedded_home

    server = EmbeddedPostgres.at(embedded_home(tmp_path))
    try:
        server.start()
        _migrate(server)
        dsn = server.dsn("ledger")
        set_up(dsn, 4, 100_000)
        acknowledged = _pay_while_killing(server, dsn)
        with connect(dsn, CITY) as conn:
            _drain_all(conn)
            applied = ledger.answers(conn, CITY, list(acknowledged))
            for key, answer in acknowledged.items():
                assert applied[key].transfer_id == answer.transfer_id, "lost or doubled"
            paid = ledger.balance(conn, CITY, "merchant:1", LOCAL)
            moved = len(ledger.statement(conn, CITY, "merchant:1", LOCAL, 100_000))
            assert paid == moved >= len(acknowledged) > 0
            assert ledger.conservation(conn, CITY) == []
    finally:
        server.remove()


def _migrate(server: EmbeddedPostgres) -> None:
    """Just the engine rooms' schema, from their files."""
    import onsil

    server.create_database("ledger")
    rooms = Path(onsil.__file__).parent
    with psycopg.connect(server.dsn("ledger"), autocommit=True) as conn:
        for name in ("core/schema/0001_tenancy", "proof/schema/0001_log",
                     "proof/schema/0002_packed_leaves", "ledger/schema/0001_ledger",
                     "ledger/schema/0002_positions"):  # fmt: skip
            conn.execute((rooms / f"{name}.sql").read_text("utf-8"))  # pyright: ignore


def _drain_all(conn: psycopg.Connection) -> None:
    while ledger.drain(conn, CITY, CLOCK):
        conn.commit()


def _pay_while_killing(server: EmbeddedPostgres, dsn: str) -> dict[str, ledger.Answer]:
    acknowledged: dict[str, ledger.Answer] = {}
    stop = threading.Event()
    spawn = multiprocessing.get_context("spawn")

    def pay(n: int) -> None:
        turn = 0
        while not stop.is_set():
            batch = [payment(f"{n}-{turn}-{i}", n, 1) for i in range(25)]
            try:
                given = ledger.ask(dsn, CITY, batch, 0.5)
            except Exception:  # the database is away: ask the same again
                time.sleep(0.05)
                continue
            acknowledged.update({k: a for k, a in given.items() if a})
            if all(answer.state != "pending" for answer in given.values()):
                turn += 1

    def writer() -> multiprocessing.process.BaseProcess:
        process = spawn.Process(target=_write_forever, args=(dsn,), daemon=True)
        process.start()
        return process

    threads = [threading.Thread(target=pay, args=(n,)) for n in range(4)]
    process = writer()
    for thread in threads:
        thread.start()
    try:
        time.sleep(1.0)
        _kill_server(server)
        server.start()
        time.sleep(0.5)
        os.kill(process.pid or 0, signal.SIGKILL)
        process = writer()
        time.sleep(1.0)
        before = len(acknowledged)
        _kill_server(server)
        server.start()
        deadline = time.monotonic() + 8
        while len(acknowledged) < before + 50 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(acknowledged) > before, "the writer did not come back"
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join(5)
    return acknowledged


def _kill_server(server: EmbeddedPostgres) -> None:
    """SIGKILL to the postmaster and to every one of its processes."""
    postmaster = int((server.home / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for process in [postmaster, *map(int, children)]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
