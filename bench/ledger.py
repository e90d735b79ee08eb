"""Transfers per second and answer times of the posting writer, beside pgbench on the same server.

Each transfer counts with all it brings: idempotency, lots taken and made, balances after each leg,
a leaf for the transparency log, fsync on. The yardstick is pgbench's TPC-B-like transaction (scale
10, eight clients, prepared), one round right before each of ours, so that whatever else the machine
does weighs on both; the round with the median ratio is reported. Handing requests in is the load
generator's part and is not counted in the batches.
"""

import multiprocessing
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from bench.database import installation
from bench.figure import Figure
from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.core.database import Connection, connect
from onsil.ledger import AccountSpec, Leg, LotTerms, Teller, TransferRequest
from onsil.supervisor.postgres import program

CITY = "bench"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()
CITIZENS, MERCHANTS = 20_000, 1_000
PGBENCH_SCALE, PGBENCH_S, CLIENTS = 10, 4, 8
ROUNDS = 3
P99_GOAL_MS = 50.0
Requests = Callable[[int, str, random.Random], list[TransferRequest]]


def tpcb_per_second(dsn: str) -> float:
    """Transactions a second of pgbench's TPC-B-like script."""
    done = subprocess.run(
        [str(program("pgbench")), "-n", "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T",
         str(PGBENCH_S), dsn],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def prepare_yardstick(dsn: str) -> str:
    """The DSN of a pgbench database on the same server."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("CREATE DATABASE tpcb")
    other = dsn.replace("/onsil?", "/tpcb?")
    subprocess.run(
        [str(program("pgbench")), "-q", "-i", "-s", str(PGBENCH_SCALE), other],
        check=True, capture_output=True,
    )  # fmt: skip
    return other


def prepare(dsn: str) -> None:
    """A city's accounts, each citizen with a charged wallet."""
    specs = [AccountSpec("issuer:local", LOCAL, minimum=None), AccountSpec("hot", LOCAL)]
    specs += [AccountSpec(f"citizen:{n}", LOCAL, lots=True) for n in range(CITIZENS)]
    specs += [AccountSpec(f"merchant:{n}", LOCAL, lots=True) for n in range(MERCHANTS)]
    charges = [
        TransferRequest(
            f"charge-{n}", "charge",
            (Leg("issuer:local", f"citizen:{n}", LOCAL, 10**9, LotTerms("own")),),
        )
        for n in range(CITIZENS)
    ]  # fmt: skip
    charges.append(TransferRequest("hot", "charge", (Leg("issuer:local", "hot", LOCAL, 10**15),)))
    with connect(dsn, CITY) as conn:
        ledger.open_accounts(conn, CITY, specs)
        for start in range(0, len(charges), 8000):
            assert all(ledger.post(conn, CITY, charges[start : start + 8000], CLOCK).values())
            conn.commit()
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")


def spread(size: int, mark: str, chance: random.Random) -> list[TransferRequest]:
    """Payments of citizens to merchants: a lot taken and a lot made each."""
    return [
        TransferRequest(
            f"{mark}-{n}", "payment",
            (Leg(f"citizen:{chance.randrange(CITIZENS)}", f"merchant:{chance.randrange(MERCHANTS)}",
                 LOCAL, chance.randint(1_000, 50_000)),),
            memo="bench",
        )
        for n in range(size)
    ]  # fmt: skip


def hot(size: int, mark: str, chance: random.Random) -> list[TransferRequest]:
    """One account pays out to citizens: a lot made each, with a year to live."""
    return [
        TransferRequest(
            f"{mark}-{n}", "payout",
            (Leg("hot", f"citizen:{chance.randrange(CITIZENS)}", LOCAL, chance.randint(10, 5_000),
                 LotTerms("city", origin_kind="award", origin_id=f"{mark}-{n}")),),
        )
        for n in range(size)
    ]  # fmt: skip


def batches_per_second(
    conn: Connection, make: Requests, size: int, batches: int, mark: str
) -> float:
    """Transfers a second decided and committed from the intake, in batches of `size`."""
    chance = random.Random(mark)
    seconds = 0.0
    for number in range(batches):
        requests = make(size, f"{mark}-{number}", chance)
        ledger.submit(conn, CITY, requests)
        conn.commit()
        start = time.perf_counter()
        assert ledger.drain(conn, CITY, CLOCK, size) == size
        conn.commit()
        seconds += time.perf_counter() - start
        applied = ledger.answers(conn, CITY, [requests[0], requests[-1]])
        assert all(applied.values())
        conn.commit()
    return size * batches / seconds


def _writer(dsn: str, stop: Any) -> None:
    ledger.run_writer(dsn, CLOCK, stop)


def interactive_ms(dsn: str, rate: int, seconds: float) -> list[float]:
    """Answer times in ms of payments that arrive at `rate` a second, from asking to answer."""
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    writer = spawn.Process(target=_writer, args=(dsn, stop), daemon=True)
    writer.start()
    times: list[float] = []
    lanes = 20
    begin = time.perf_counter() + 1.5

    def lane(n: int) -> None:
        chance = random.Random(n)
        for turn in range(int(rate * seconds / lanes)):
            due = begin + (turn * lanes + n) / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            requests = spread(1, f"i{rate}-{n}-{turn}", chance)
            assert teller.ask(requests, 10)[requests[0].key]
            times.append((time.perf_counter() - due) * 1000)

    with Teller(dsn, CITY) as teller:
        threads = [threading.Thread(target=lane, args=(n,)) for n in range(lanes)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    stop.set()
    writer.join(5)
    writer.kill()
    return sorted(times)


def measure() -> Iterator[Figure]:
    """Every figure of the ledger."""
    with installation(shared_buffers="512MB") as dsn:
        yardstick = prepare_yardstick(dsn)
        prepare(dsn)
        with connect(dsn, CITY) as conn:
            batches_per_second(conn, spread, 1000, 2, "warm")
            for name, make, size, count, goal in (
                ("batch_1k_spread", spread, 1000, 6, None),
                ("batch_8k_spread", spread, 8000, 2, 15.0),
                ("batch_8k_hot", hot, 8000, 2, 20.0),
            ):
                rounds = []
                for turn in range(ROUNDS):
                    base = tpcb_per_second(yardstick)
                    rate = batches_per_second(conn, make, size, count, f"{name}-{turn}")
                    rounds.append((rate / base, rate, base))
                _, rate, base = sorted(rounds)[ROUNDS // 2]
                yield Figure(name, rate, "transfers/s", base, goal)
        times = interactive_ms(dsn, 200, 8)
        yield Figure("interactive_200_p50_ms", times[len(times) // 2], "ms")
        p99 = times[int(len(times) * 0.99)]
        yield Figure("interactive_200_p99_ms", p99, "ms", P99_GOAL_MS, 1.0, less_is_better=True)
