"""Transfers per second and answer times of the posting writer, beside pgbench on the same server.

Each transfer counts with all it brings: idempotency, lots taken and made, balances after each leg,
a leaf for the transparency log, fsync on, and it counts when its commit is acknowledged. Batches
are driven through the posting writer itself, on submissions handed in before. The yardstick is
pgbench's TPC-B-like transaction (scale 10, eight clients, prepared), one round right before each of
ours, so that whatever else the machine does weighs on both; the round with the median ratio is
reported. Handing requests in is the load generator's part and is not counted in the batches. The
processor time of each payment goes to standard error: a shared machine changes it less than the
rate.
"""

import gc
import multiprocessing
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from bench.database import installation
from bench.figure import Figure
from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.core.database import Connection, connect
from onsil.core.programs import run_program
from onsil.ledger import AccountSpec, Leg, LotTerms, Teller, TransferRequest
from onsil.ledger.writer import CityWriter, writer_connection
from onsil.supervisor.postgres import program

CITY = "bench"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()
CITIZENS, MERCHANTS = 100_000, 5_000
PGBENCH_SCALE, PGBENCH_S, CLIENTS = 10, 3, 8
ROUNDS = 3
INTERACTIVE_S = 8
P99_GOAL_MS = 50.0
Requests = Callable[[int, str, random.Random], list[TransferRequest]]


def tpcb_per_second(dsn: str) -> float:
    """Transactions a second of pgbench's TPC-B-like script."""
    said = run_program(
        [program("pgbench"), "-n", "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T",
         str(PGBENCH_S), dsn],
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", said)
    assert found, said
    return float(found[1])


def prepare_yardstick(dsn: str) -> str:
    """The DSN of a pgbench database on the same server."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("CREATE DATABASE tpcb")
    other = dsn.replace("/onsil?", "/tpcb?")
    run_program([program("pgbench"), "-q", "-i", "-s", str(PGBENCH_SCALE), other])
    return other


def prepare(dsn: str, drain: "Drain") -> None:
    """A city's accounts, each citizen with a charged wallet; the writer then knows them all, as it
    does when it has run for a day."""
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
        conn.commit()
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute("VACUUM ANALYZE")
        for start in range(0, len(charges), 8000):
            ledger.submit(conn, CITY, charges[start : start + 8000])
            conn.commit()
        assert drain.writer.work_off(threading.Event()) == len(charges)
        assert all(ledger.answers(conn, CITY, charges[::1000]).values())
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


class Drain:
    """The posting writer's own way through the intake, without waiting for news."""

    def __init__(self, dsn: str) -> None:
        self._reading = writer_connection(dsn)
        self._writing = writer_connection(dsn)
        self._hands = ThreadPoolExecutor(1)
        self.writer = CityWriter(CITY, self._reading, self._writing, self._hands, CLOCK)

    def processor_s(self) -> tuple[float, float]:
        """Seconds of processor time that this process and its two backends have used so far."""
        backends = [conn.info.backend_pid for conn in (self._reading, self._writing)]
        used = [Path(f"/proc/{pid}/schedstat").read_text().split()[0] for pid in backends]
        return time.process_time(), sum(map(int, used)) / 1e9

    def close(self) -> None:
        self._hands.shutdown()
        self._reading.close()
        self._writing.close()


def batches_per_second(
    conn: Connection, drain: Drain, make: Requests, size: int, batches: int, mark: str
) -> float:
    """Transfers a second decided and committed from the intake, in batches of `size`."""
    chance = random.Random(mark)
    asked: list[TransferRequest] = []
    for number in range(batches):
        requests = make(size, f"{mark}-{number}", chance)
        asked += (requests[0], requests[-1])
        ledger.submit(conn, CITY, requests)
        conn.commit()
    del requests
    gc.collect()
    drain.writer.limit = size
    start, cpu = time.perf_counter(), drain.processor_s()
    assert drain.writer.work_off(threading.Event()) == size * batches
    seconds = time.perf_counter() - start
    spent = [1e6 * (now - then) / (size * batches)
             for now, then in zip(drain.processor_s(), cpu, strict=True)]  # fmt: skip
    print(f"{mark}: {size * batches / seconds:.0f}/s, processor time a payment: "
          f"Python {spent[0]:.1f} us, PostgreSQL {spent[1]:.1f} us", flush=True)  # fmt: skip
    assert all(ledger.answers(conn, CITY, asked).values())
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

    def lane(n: int) -> None:
        chance = random.Random(n)
        for turn in range(int(rate * seconds / lanes)):
            due = begin + (turn * lanes + n) / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            requests = spread(1, f"i{rate}-{n}-{turn}", chance)
            assert teller.ask(requests, 10)[requests[0].key]
            times.append((time.perf_counter() - due) * 1000)

    with Teller(dsn, CITY) as teller:
        first = spread(1, f"i{rate}-first", random.Random(rate))
        assert teller.ask(first, 30)[first[0].key]  # the writer is there
        begin = time.perf_counter() + 0.1
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
        drain = Drain(dsn)
        prepare(dsn, drain)
        with connect(dsn, CITY) as conn:
            for name, make, size, count, goal in (
                ("batch_1k_spread", spread, 1000, 32, None),
                ("batch_8k_spread", spread, 8000, 8, 15.0),
                ("batch_8k_hot", hot, 8000, 8, 20.0),
            ):
                batches_per_second(conn, drain, make, size, 2, f"warm-{name}")
                rounds = []
                for turn in range(ROUNDS):
                    base = tpcb_per_second(yardstick)
                    rate = batches_per_second(conn, drain, make, size, count, f"{name}-{turn}")
                    rounds.append((rate / base, rate, base))
                _, rate, base = sorted(rounds)[ROUNDS // 2]
                yield Figure(name, rate, "transfers/s", base, goal)
        drain.close()
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute("CHECKPOINT")  # what the batches left behind is not the people's to bear
        for rate in (200, 500):
            times = interactive_ms(dsn, rate, INTERACTIVE_S)
            yield Figure(f"interactive_{rate}_p50_ms", times[len(times) // 2], "ms")
            p99 = times[int(len(times) * 0.99)]
            goal = P99_GOAL_MS if rate == 200 else None
            ratio = None if goal is None else 1.0
            yield Figure(f"interactive_{rate}_p99_ms", p99, "ms", goal, ratio, less_is_better=True)
