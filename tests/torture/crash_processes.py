"""The processes of the crash drill: writer, sequencer and clients, each to be killed at any time.

`python crash_processes.py writer DSN`, `… sequencer DSN FOLDER`,
`… client DSN FOLDER NUMBER SEED`.
"""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from workload import CITY, Customer, line_of_answer, line_of_asking

from onsil import ledger, proof
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.core.refusal import OperationError
from onsil.ledger import Teller

CLOCK = SystemClock()
LOST = (psycopg.OperationalError, psycopg.errors.AdminShutdown, OperationError)


def writer(dsn: str) -> None:
    ledger.run_writer(dsn, CLOCK, threading.Event())


def sequencer(dsn: str, folder: str) -> None:
    """Sign what is committed, as often as can be, and connect again when the database is gone."""
    signer = proof.load_or_create_signer(Path(folder) / "keys", CITY)
    while True:
        try:
            with connect(dsn, CITY, autocommit=True) as conn:
                while True:
                    with conn.transaction():
                        proof.sequence(conn, CITY, Path(folder) / "log", signer, CLOCK)
                    time.sleep(0.05)
        except psycopg.OperationalError:
            time.sleep(0.05)


def client(dsn: str, folder: str, number: str, seed: str) -> None:
    """Ask, write down what was answered, and ask the same again when no answer came."""
    customer = Customer(int(number), int(seed))
    path = Path(folder) / f"client-{number}"
    done = 0
    with path.with_suffix(".journal").open("a", encoding="utf-8", buffering=1) as journal:
        while True:
            if (Path(folder) / "pause").exists():
                path.with_suffix(".idle").touch()
                time.sleep(0.02)
                continue
            path.with_suffix(".idle").unlink(missing_ok=True)
            try:
                with Teller(dsn, CITY, connections=2) as teller:
                    done = _ask_on(teller, customer, journal, done, Path(folder) / "pause")
            except LOST:
                time.sleep(0.05)


def _ask_on(teller: Teller, customer: Customer, journal, done: int, pause: Path) -> int:
    while not pause.exists():
        requests = customer.batch(CLOCK.now())
        # The same turn again from here on, until every request of it is answered.
        while True:
            done += 1
            journal.write(line_of_asking(done, time.monotonic_ns(), requests) + "\n")
            given = _answers(teller, requests)
            journal.write(line_of_answer(done, time.monotonic_ns(), given) + "\n")
            if all(answer.state != "pending" for answer in given.values()):
                break
        customer.learn(requests, given)
    return done


def _answers(teller: Teller, requests) -> dict[str, ledger.Answer]:
    while True:
        try:
            return teller.ask(requests, 2.0)
        except LOST:
            time.sleep(0.05)


ROLES: dict[str, Callable[..., None]] = {
    role.__name__: role for role in (writer, sequencer, client)
}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
