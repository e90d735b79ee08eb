"""Many at once: nothing is lost, nothing is doubled, nothing waits for ever."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from onsil import ledger
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.ledger import AccountSpec, Leg, Teller, TransferRequest

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
def test_a_wallet_worth_ten_payments_pays_ten(fresh_database, count):
    """Sixteen threads try 640 times, each key being used by two of them."""
    set_up(fresh_database, 1, 1_000)
    told: list[ledger.Answer] = []

    with writers(fresh_database, count), Teller(fresh_database, CITY) as teller:

        def spend(n: int) -> None:
            for turn in range(10):
                keys = [f"pay-{n // 2 * 40 + turn * 4 + i}" for i in range(4)]
                told.extend(teller.ask([payment(key, 0, 100) for key in keys], 30).values())

        in_threads(16, spend)
    assert len(told) == 640
    assert {answer.state for answer in told} <= {"applied", "replayed", "refused"}
    assert len({answer.transfer_id for answer in told if answer}) == 10
    assert sum(bool(answer) for answer in told) == 20, "both who used the key were told"
    refused = {a.refusal.code for a in told if a.refusal is not None}
    assert refused == {"insufficient-balance"}
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "citizen:0", LOCAL) == 0
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 1_000
        assert ledger.conservation(conn, CITY) == []


@pytest.mark.parametrize("count", [1, 3])
def test_credits_to_one_shop_from_many_threads_are_none_of_them_lost(fresh_database, count):
    """Through the queue and in transactions of their own, with several writers on the city."""
    set_up(fresh_database, 12, 1_000)

    with writers(fresh_database, count), Teller(fresh_database, CITY) as teller:

        def pay(n: int) -> None:
            for turn in range(8):
                requests = [payment(f"{n}-{turn}-{i}", n, 5) for i in range(3)]
                if n % 3:
                    assert all(teller.ask(requests, 30).values())
                else:
                    with connect(fresh_database, CITY) as conn:
                        assert all(ledger.post(conn, CITY, requests, CLOCK).values())

        in_threads(12, pay)
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 12 * 8 * 3 * 5
        assert len(ledger.statement(conn, CITY, "merchant:1", LOCAL, 1_000)) == 12 * 8 * 3
        assert ledger.conservation(conn, CITY) == []


def test_one_key_from_many_threads_moves_once(fresh_database):
    set_up(fresh_database, 1, 1_000)
    told: list[ledger.Answer] = []

    with writers(fresh_database, 2):

        def pay(n: int) -> None:
            for _ in range(4):
                told.append(ledger.ask(fresh_database, CITY, [payment("same", 0, 70)], 30)["same"])

        in_threads(12, pay)
    assert len({answer.transfer_id for answer in told}) == 1
    assert [answer.state for answer in told].count("applied") <= 12
    assert all(told)
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 70


def test_chains_that_cross_neither_deadlock_nor_tear(fresh_database):
    """Most pay from 0 to 1 and back, some from 1 to 0; each chain stands or falls whole."""
    set_up(fresh_database, 2, 50)
    told: dict[str, ledger.Answer] = {}

    def chain(n: int, turn: int) -> list[TransferRequest]:
        one, other = ("citizen:0", "citizen:1") if n % 4 else ("citizen:1", "citizen:0")
        moves = [(one, other, 30), (other, one, 70), (one, other, 30), (other, one, 5)]
        return [
            TransferRequest(
                f"{n}-{turn}-{i}", "chain", (Leg(source, to, LOCAL, amount),), linked=i < 3
            )
            for i, (source, to, amount) in enumerate(moves)
        ]

    with writers(fresh_database, 2), Teller(fresh_database, CITY) as teller:

        def work(n: int) -> None:
            for turn in range(6):
                requests = chain(n, turn)
                if n % 4 < 2:
                    told.update(teller.ask(requests, 30))
                    continue
                with connect(fresh_database, CITY) as conn:
                    told.update(ledger.post(conn, CITY, requests, CLOCK))

        in_threads(8, work)
    assert len(told) == 8 * 6 * 4
    for n in range(8):
        for turn in range(6):
            states = {told[f"{n}-{turn}-{i}"].state for i in range(4)}
            assert states in ({"applied"}, {"refused"})
    assert any(told.values())
    assert not all(told.values())
    with connect(fresh_database, CITY) as conn:
        total = sum(ledger.balance(conn, CITY, f"citizen:{n}", LOCAL) for n in range(2))
        assert total == 100
        assert ledger.conservation(conn, CITY) == []


def test_a_post_and_the_time_out_of_a_reservation_settle_it_once(fresh_database):
    """Posts race with the expiry job around the instant at which the reservations lapse."""
    set_up(fresh_database, 4, 1_000)
    lapse = datetime.now(UTC) + timedelta(seconds=1.2)
    holds = [
        TransferRequest(
            f"h-{n}", "hold", (Leg(f"citizen:{n % 4}", "merchant:1", LOCAL, 10),),
            phase="pending", timeout_at=lapse,
        )
        for n in range(80)
    ]  # fmt: skip
    with connect(fresh_database, CITY) as conn:
        held = ledger.post(conn, CITY, holds, CLOCK)
    posted: dict[str, ledger.Answer] = {}

    with writers(fresh_database), Teller(fresh_database, CITY) as teller:

        def post(n: int) -> None:
            for turn in range(n, 80, 4):
                request = TransferRequest(
                    f"p-{turn}", "post", (), phase="post", pending=held[f"h-{turn}"].transfer_id
                )
                time.sleep(0.06)
                posted.update(teller.ask([request], 30))

        def expire(_: int) -> None:
            while datetime.now(UTC) < lapse + timedelta(seconds=0.5):
                with connect(fresh_database, CITY) as conn:
                    ledger.expire_pending(conn, CITY, CLOCK)

        in_threads(5, lambda n: expire(n) if n == 4 else post(n))
    with connect(fresh_database, CITY) as conn:
        ledger.expire_pending(conn, CITY, CLOCK)
    done = sum(bool(answer) for answer in posted.values())
    late = {a.refusal.code for a in posted.values() if a.refusal is not None}
    assert late <= {"pending-expired", "pending-settled"}
    assert 0 < done < 80
    with connect(fresh_database, CITY) as conn:
        assert ledger.balance(conn, CITY, "merchant:1", LOCAL) == 10 * done
        assert all(a.held == a.coming == 0 for a in ledger.accounts(conn, CITY))
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
