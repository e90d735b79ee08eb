"""SIGKILL under load: PostgreSQL, single backends, the writer, the sequencer; then the accounts.

Several client processes ask without pause and keep a journal of what was acknowledged. After every
kill the drill brings the victim back and holds the database against those journals: nothing that
was acknowledged is lost, nothing is there in part, asking again moves nothing, value is conserved
and the log verifies. The page cache outlives SIGKILL: this is not a test of power cuts.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import workload
from crash_processes import CLOCK
from history_checker import check, grouped
from psycopg import IsolationLevel
from workload import CITY, Operation, operations

import onsil
from onsil import ledger, proof
from onsil.core.database import Connection, connect
from onsil.ledger.reading import read_transfers
from onsil.supervisor.postgres import EmbeddedPostgres

ANSWERS_BETWEEN = 30
VICTIMS = ("server", "server", "server", "postmaster", "backend", "writer", "sequencer")


@dataclass
class Tally:
    """What a drill did and saw."""

    kills: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    transfers: int = 0
    replayed: int = 0
    leaves: int = 0
    restart_s: list[float] = field(default_factory=list)


def engine_schema(server: EmbeddedPostgres, database: str) -> str:
    """A database with the engine rooms' schema from their files; its DSN."""
    dsn = server.create_database(database)
    rooms = Path(onsil.__file__).parent
    with psycopg.connect(dsn, autocommit=True) as conn:
        for room in ("core", "proof", "ledger"):
            for path in sorted((rooms / room / "schema").glob("*.sql")):
                conn.execute(path.read_text("utf-8"))  # pyright: ignore[reportArgumentType]
    return dsn


def server_processes(server: EmbeddedPostgres) -> tuple[int, list[int]]:
    """The postmaster and its children."""
    postmaster = int((server.home / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return postmaster, [int(child) for child in children]


def kill(*processes: int) -> None:
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _alive(process: int) -> bool:
    """Whether a process still runs; one that nobody has looked after yet does not."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def kill_server(server: EmbeddedPostgres) -> None:
    """SIGKILL to the postmaster and to every one of its processes."""
    postmaster, children = server_processes(server)
    kill(postmaster, *children)


class CrashDrill:
    """One server with fsync on, its writer, sequencer and clients, and their repeated deaths."""

    def __init__(self, folder: Path, server: EmbeddedPostgres, seed: int, clients: int = 3) -> None:
        self.folder, self.server, self.clients, self.seed = folder, server, clients, seed
        self.chance = random.Random(seed)
        self.tally = Tally()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.dsn = ""
        self.checked: dict[str, Operation] = {}

    def run(self, kills: int, load_s: tuple[float, float] = (0.3, 1.5)) -> Tally:
        """Kill so many times; raises AssertionError with what was found wrong."""
        self.server.start()
        self.dsn = engine_schema(self.server, "ledger")
        with connect(self.dsn, CITY) as conn:
            workload.open_books(conn, self.clients, CLOCK)
        try:
            for role in self._roles():
                self._start(role)
            for victim in self._victims(kills):
                self._load(self.chance.uniform(*load_s))
                self._kill(victim)
                self._verify()
            self._load(load_s[0])
            self._finish()
        finally:
            kill(*(process.pid for process in self.running.values()))
            for process in self.running.values():
                process.wait(10)
        return self.tally

    def _load(self, at_least_s: float) -> None:
        """Let the clients work, until some of what they asked has been answered since."""
        before = sum(1 for _ in self._operations())
        deadline = time.monotonic() + 90
        time.sleep(at_least_s)
        while sum(1 for _ in self._operations()) < before + ANSWERS_BETWEEN:
            assert time.monotonic() < deadline, "nobody was answered any more"
            self._alive()
            time.sleep(0.1)

    def _victims(self, kills: int) -> Iterator[str]:
        """PostgreSQL most often; every kind once where there are kills enough."""
        order = ["server", "writer", "postmaster", "sequencer", "backend"]
        for n in range(kills):
            yield order[n] if n < len(order) else self.chance.choice(VICTIMS)

    def _roles(self) -> list[str]:
        return ["writer", "sequencer", *(f"client-{n}" for n in range(self.clients))]

    def _start(self, role: str) -> None:
        name, _, number = role.partition("-")
        more = {"writer": [], "sequencer": [str(self.folder)],
                "client": [str(self.folder), number, str(self.seed)]}[name]  # fmt: skip
        script = Path(__file__).with_name("crash_processes.py")
        with (self.folder / f"{role}.log").open("ab") as log:
            self.running[role] = subprocess.Popen(
                [sys.executable, str(script), name, self.dsn, *more], stderr=log, stdout=log
            )

    def _kill(self, victim: str) -> None:
        """Kill the victim and bring it back; the supervisor's part is played here."""
        self.tally.kills[victim] = self.tally.kills.get(victim, 0) + 1
        if victim in ("writer", "sequencer"):
            process = self.running[victim]
            process.kill()
            process.wait()
            self._start(victim)
            return
        postmaster, children = server_processes(self.server)
        if victim == "backend":  # the postmaster throws everybody out and recovers by itself
            kill(self.chance.choice(self._backends()))
        else:
            kill(postmaster, *(children if victim == "server" else []))
        began = time.monotonic()
        while victim != "backend" and _alive(postmaster):
            time.sleep(0.01)
        if victim == "backend":
            while not self.server.running():
                time.sleep(0.05)
        else:
            self.server.start()
        self.tally.restart_s.append(time.monotonic() - began)

    def _backends(self) -> list[int]:
        with psycopg.connect(self.server.dsn("postgres"), autocommit=True) as conn:
            rows = conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = 'ledger'"
            ).fetchall()
        return [row[0] for row in rows]

    def _operations(self) -> Iterator[Operation]:
        for n in range(self.clients):
            path = self.folder / f"client-{n}.journal"
            if path.exists():
                yield from operations(path)

    def _verify(self) -> None:
        """The database against everything the clients have been told up to now, under load."""
        self._alive()
        told = [op for op in self._operations() if op.state != "pending"]
        deadline = time.monotonic() + 30
        while True:
            try:
                with connect(self.dsn, CITY) as conn:
                    conn.isolation_level = IsolationLevel.REPEATABLE_READ
                    self._nothing_lost(conn, told)
                    assert ledger.conservation(conn, CITY) == [], "value is conserved"
                return
            except psycopg.OperationalError:  # it only now notices that a backend was killed
                assert time.monotonic() < deadline, "the server did not come back"
                time.sleep(0.1)

    def _alive(self) -> None:
        for role, process in self.running.items():
            assert process.poll() is None, (
                f"{role} ended: {(self.folder / f'{role}.log').read_text()[-2000:]}"
            )

    def _nothing_lost(self, conn: Connection, told: list[Operation]) -> None:
        fresh = [op for op in told if op.request.key not in self.checked]
        again = self.chance.sample(sorted(self.checked), min(200, len(self.checked)))
        known = {op.request.key: op for op in fresh}
        known |= {key: self.checked[key] for key in again}
        held = ledger.answers(conn, CITY, [op.request for op in known.values()])
        for key, op in known.items():
            assert key in held, f"{key} was told as {op.state} and is not known any more"
            if op.code == "key-reused":
                continue
            assert held[key].state == ("refused" if op.state == "refused" else "applied"), key
            assert held[key].transfer_id == op.transfer_id, f"{key} has become another transfer"
        self.checked |= known

    def _finish(self) -> None:
        """Let the load end, then look at everything once more and ask all of it again."""
        (self.folder / "pause").touch()
        idle = [self.folder / f"client-{n}.idle" for n in range(self.clients)]
        deadline = time.monotonic() + 60
        while not all(path.exists() for path in idle):
            assert time.monotonic() < deadline, "the clients did not get their answers"
            self._alive()
            time.sleep(0.05)
        told = list(self._operations())
        self.tally.acknowledged = len({op.request.key for op in told if op.state != "pending"})
        assert self.tally.acknowledged, "nothing was ever acknowledged"
        self._verify()
        self._explained()
        self._asked_again(told)
        self._log_verifies()

    def _explained(self) -> None:
        """One order of commits explains every answer of every client, and each transfer is whole:
        it is decided again from its request and has to come out the same."""
        with connect(self.dsn, CITY) as conn:
            ids = [identity for identity, _ in ledger.entry_source.entries(conn, CITY)]
            journal = [
                transfer
                for start in range(0, len(ids), 5_000)
                for transfer in read_transfers(conn, CITY, ids[start : start + 5_000])
            ]
        asked = [
            one
            for n in range(self.clients)
            for one in grouped(list(operations(self.folder / f"client-{n}.journal")))
        ]
        specs, grants = workload.accounts(self.clients), workload.grants(self.clients)
        wrong = check(specs, journal, asked, grants, CLOCK.now())
        assert not wrong, wrong[:5]

    def _asked_again(self, told: list[Operation]) -> None:
        """Every request once more: each is known, and nothing moves."""
        requests = list({op.request.key: op.request for op in told}.values())
        with connect(self.dsn, CITY) as conn:
            before = {(a.code, a.asset): a.balance for a in ledger.accounts(conn, CITY)}
            for start in range(0, len(requests), 5_000):
                page = [r._replace(linked=False) for r in requests[start : start + 5_000]]
                for key, answer in ledger.post(conn, CITY, page, CLOCK).items():
                    assert answer.state != "applied", f"{key} was applied again"
            after = {(a.code, a.asset): a.balance for a in ledger.accounts(conn, CITY)}
            assert before == after, "asking again moved something"
        self.tally.replayed = len(requests)

    def _log_verifies(self) -> None:
        deadline = time.monotonic() + 30
        with connect(self.dsn, CITY, autocommit=True) as conn:
            while proof.status(conn, CITY, self.folder / "log").pending:
                assert time.monotonic() < deadline, "the sequencer did not come back"
                time.sleep(0.1)
            report = proof.verify(
                conn, CITY, self.folder / "log", {"transfer": ledger.entry_source}
            )
        assert report.ok, [f.en for f in report.findings[:5]]
        self.tally.leaves, self.tally.transfers = report.leaves, report.rows


def drill(folder: Path, kills: int, seed: int, load_s: tuple[float, float] = (0.3, 1.5)) -> Tally:
    """A whole crash drill on a server of its own below `folder`, removed at the end."""
    from onsil.configuration import embedded_home

    folder.mkdir(parents=True, exist_ok=True)
    server = EmbeddedPostgres.at(embedded_home(folder), max_connections="60")
    try:
        return CrashDrill(folder, server, seed).run(kills, load_s)
    finally:
        server.remove()
