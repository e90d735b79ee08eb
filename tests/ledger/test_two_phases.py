"""Pending transfers, chains, schedules and what time undoes, on a real database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from onsil import ledger
from onsil.core.clock import FixedClock
from onsil.ledger import AccountSpec, Answer, Leg, LotFilter, LotTerms, TransferRequest

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
MINJI, SEOYUN, SHOP = "citizen:1", "citizen:2", "merchant:1"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def books(conn, clock):
    """Minji has 100 until the tenth day and 200 without end, all covered by the trust."""
    ledger.open_accounts(
        conn,
        CITY,
        [
            AccountSpec("external:bank", "KRW", "external", minimum=None),
            AccountSpec("trust:local", "KRW", "trust"),
            AccountSpec("issuer:local", LOCAL, "issuer", minimum=None),
            AccountSpec(MINJI, LOCAL, "citizen", lots=True),
            AccountSpec(SEOYUN, LOCAL, "citizen", maximum=250, lots=True),
            AccountSpec(SHOP, LOCAL, "merchant", lots=True),
        ],
    )
    soon = LotTerms("city", clock.now() + timedelta(days=10))
    given = ledger.post(
        conn,
        CITY,
        [
            request("cover", Leg("external:bank", "trust:local", "KRW", 300)),
            request("soon", Leg("issuer:local", MINJI, LOCAL, 100, lot=soon)),
            request("own", Leg("issuer:local", MINJI, LOCAL, 200, lot=LotTerms("own"))),
        ],
        clock,
    )
    assert all(given.values())
    return conn


def request(key: str, *legs: Leg, **more) -> TransferRequest:
    return TransferRequest(key, more.pop("kind", "test"), legs, **more)


def gift(key: str, amount: int, **more) -> TransferRequest:
    return request(key, Leg(MINJI, SEOYUN, LOCAL, amount), kind="gift", phase="pending", **more)


def one(answer: dict[str, Answer], key: str) -> str:
    refusal = answer[key].refusal
    return answer[key].state if refusal is None else refusal.code


def posted(books, clock, *requests: TransferRequest) -> dict[str, Answer]:
    given = ledger.post(books, CITY, requests, clock)
    assert ledger.conservation(books, CITY) == []
    return given


def reserved(books, clock, amount: int, **more) -> UUID:
    key = posted(books, clock, gift("gift", amount, **more))["gift"].transfer_id
    assert key is not None
    return key


def spans(books, code: str) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    return [(lot.terms.fund, lot.spans) for lot in ledger.lots(books, CITY, code, LOCAL)]


def test_a_reservation_holds_its_lots_and_the_room_and_moves_nothing(books, clock):
    reserved(books, clock, 150)
    minji = ledger.account(books, CITY, MINJI, LOCAL)
    seoyun = ledger.account(books, CITY, SEOYUN, LOCAL)
    assert minji is not None
    assert seoyun is not None
    assert (minji.balance, minji.held, minji.available) == (300, 150, 150)
    assert (seoyun.balance, seoyun.coming) == (0, 150)
    assert spans(books, MINJI) == [("own", ((150, 300),))]
    assert [e.kind for e in ledger.statement(books, CITY, SEOYUN, LOCAL)] == []
    given = posted(
        books,
        clock,
        request("pay", Leg(MINJI, SHOP, LOCAL, 151)),
        request("charge", Leg("issuer:local", SEOYUN, LOCAL, 101)),
    )
    assert (one(given, "pay"), one(given, "charge")) == ("insufficient-balance", "account-limit")
    for code in (MINJI, SEOYUN):
        no = ledger.set_limits(books, CITY, code, LOCAL, 160, 140)
        assert not isinstance(no, ledger.Account)
        assert no.code == "limits-not-met"


def test_a_post_moves_what_was_held_and_a_part_gives_the_rest_back_to_its_places(books, clock):
    before = spans(books, MINJI)
    key = reserved(books, clock, 150)
    settle = request("post", Leg(MINJI, SEOYUN, LOCAL, 60), phase="post", pending=key)
    given = posted(books, clock, settle)
    assert one(given, "post") == "applied"
    assert spans(books, SEOYUN) == [("city", ((0, 60),))]
    assert spans(books, MINJI) == [("city", ((60, 100),)), ("own", ((100, 300),))]
    assert before == [("city", ((0, 100),)), ("own", ((100, 300),))]
    assert given["post"].transfer_id is not None
    done = ledger.transfer(books, CITY, given["post"].transfer_id)
    assert done is not None
    assert (done.phase, done.pending_id, done.legs[0].amount) == ("post", key, 60)
    again = posted(
        books,
        clock,
        request("post-2", phase="post", pending=key),
        request("void-2", phase="void", pending=key),
        settle,
    )
    assert (one(again, "post-2"), one(again, "void-2")) == ("pending-settled", "pending-settled")
    assert one(again, "post") == "replayed"


def test_a_void_gives_everything_back_as_it_was(books, clock):
    before = spans(books, MINJI), ledger.account(books, CITY, MINJI, LOCAL)
    key = reserved(books, clock, 150)
    assert one(posted(books, clock, request("v", phase="void", pending=key)), "v") == "applied"
    assert (spans(books, MINJI), ledger.account(books, CITY, MINJI, LOCAL)) == before
    undone = ledger.reverse(books, CITY, key, "undo", clock)
    assert getattr(undone, "code", "") == "not-reversible"


def test_a_posted_reservation_can_be_reversed(books, clock):
    before = spans(books, MINJI)
    key = reserved(books, clock, 150)
    given = posted(books, clock, request("p", phase="post", pending=key))
    assert given["p"].transfer_id is not None
    undone = ledger.reverse(books, CITY, given["p"].transfer_id, "undo", clock)
    assert isinstance(undone, Answer)
    assert undone.state == "applied"
    assert spans(books, MINJI) == before
    assert ledger.conservation(books, CITY) == []


def test_a_reservation_lapses_by_itself_and_is_not_posted_afterwards(books, clock):
    key = reserved(books, clock, 150, timeout_at=clock.now() + timedelta(days=3))
    assert ledger.expire_pending(books, CITY, clock) == 0
    clock.advance(timedelta(days=3))
    late = posted(books, clock, request("p", phase="post", pending=key))
    assert one(late, "p") == "pending-expired"
    assert ledger.expire_pending(books, CITY, clock) == 1
    assert ledger.expire_pending(books, CITY, clock) == 0
    minji = ledger.account(books, CITY, MINJI, LOCAL)
    assert minji is not None
    assert (minji.balance, minji.held) == (300, 0)
    released = ledger.answers(books, CITY, [f"timeout:{key}"])[f"timeout:{key}"]
    assert released.transfer_id is not None
    lapsed = ledger.transfer(books, CITY, released.transfer_id)
    assert lapsed is not None
    assert (lapsed.kind, lapsed.phase, lapsed.pending_id) == ("timeout", "void", key)


def test_an_account_with_something_pending_is_not_closed(books, clock):
    reserved(books, clock, 150)
    no = ledger.close_account(books, CITY, SEOYUN, LOCAL, clock)
    assert not isinstance(no, ledger.Account)
    assert no.code == "account-not-empty"


def test_an_unknown_reservation_is_not_settled(books, clock):
    given = posted(books, clock, request("p", phase="post", pending=UUID(int=1)))
    assert one(given, "p") == "pending-unknown"


def test_a_chain_is_applied_whole_or_not_at_all(books, clock):
    def chain(name: str, last: int) -> list[TransferRequest]:
        return [
            request(f"{name}1", Leg(MINJI, SHOP, LOCAL, 100), linked=True),
            request(f"{name}2", Leg(SHOP, SEOYUN, LOCAL, 100), linked=True),
            request(f"{name}3", Leg(SEOYUN, SHOP, LOCAL, last)),
        ]

    given = posted(books, clock, *chain("a", 101))
    assert [one(given, f"a{n}") for n in (1, 2, 3)] == [
        "linked-failed", "linked-failed", "insufficient-balance",
    ]  # fmt: skip
    assert ledger.balance(books, CITY, MINJI, LOCAL) == 300
    given = posted(books, clock, *chain("b", 100))
    assert {given[f"b{n}"].state for n in (1, 2, 3)} == {"applied"}
    assert ledger.balance(books, CITY, SHOP, LOCAL) == 100
    assert {a.state for a in posted(books, clock, *chain("b", 100)).values()} == {"replayed"}


def test_a_chain_handed_in_goes_whole_to_the_writer(books, clock):
    chain = [
        request("c1", Leg(MINJI, SHOP, LOCAL, 100), linked=True),
        request("c2", Leg(SHOP, SEOYUN, LOCAL, 50)),
    ]
    assert {a.state for a in ledger.submit(books, CITY, chain).values()} == {"pending"}
    open_one = [request("d1", Leg(MINJI, SHOP, LOCAL, 1), linked=True)]
    assert one(ledger.submit(books, CITY, open_one), "d1") == "malformed-request"
    broken = [request("e1", Leg(MINJI, SHOP, LOCAL, 1), linked=True), request("e2")]
    given = ledger.submit(books, CITY, broken)
    assert (one(given, "e1"), one(given, "e2")) == ("linked-failed", "malformed-request")
    assert ledger.drain(books, CITY, clock) == 2
    assert all(ledger.answers(books, CITY, chain).values())
    assert ledger.conservation(books, CITY) == []


def test_a_scheduled_request_is_handed_in_once_when_it_is_due(books, clock):
    pay = request("pay", Leg(MINJI, SHOP, LOCAL, 10))
    due = clock.now() + timedelta(days=1)
    assert ledger.schedule(books, CITY, pay, due).state == "pending"
    assert ledger.schedule(books, CITY, pay, due).state == "pending"
    other = request("pay", Leg(MINJI, SHOP, LOCAL, 11))
    assert one({"pay": ledger.schedule(books, CITY, other, due)}, "pay") == "key-reused"
    assert one(ledger.answers(books, CITY, ["pay"]), "pay") == "pending"
    assert ledger.run_due(books, CITY, clock) == 0
    clock.advance(timedelta(days=1))
    assert ledger.run_due(books, CITY, clock) == 1
    assert ledger.run_due(books, CITY, clock) == 0
    assert ledger.drain(books, CITY, clock) == 1
    assert one(ledger.answers(books, CITY, ["pay"]), "pay") == "applied"
    assert ledger.schedule(books, CITY, pay, due).state == "replayed"
    assert ledger.balance(books, CITY, SHOP, LOCAL) == 10


def test_a_scheduled_request_is_called_off_or_refused_at_once(books, clock):
    pay = request("pay", Leg(MINJI, SHOP, LOCAL, 10))
    due = clock.now() + timedelta(days=1)
    ledger.schedule(books, CITY, pay, due)
    assert ledger.unschedule(books, CITY, "pay")
    assert not ledger.unschedule(books, CITY, "pay")
    clock.advance(timedelta(days=2))
    assert ledger.run_due(books, CITY, clock) == 0
    for wrong in (
        ledger.schedule(books, CITY, request("x"), due),
        ledger.schedule(books, CITY, pay._replace(linked=True), due),
        ledger.schedule(books, CITY, pay, datetime(2026, 4, 1)),  # noqa: DTZ001
    ):
        assert wrong.refusal is not None
        assert wrong.refusal.code == "malformed-request"


def test_expired_lots_go_to_breakage_once_with_what_goes_along(books, clock):
    clock.advance(timedelta(days=10))
    ledger.open_accounts(books, CITY, [AccountSpec("breakage:city", "KRW", "breakage")])

    def along(code, sums):
        assert code == MINJI
        return [Leg("trust:local", f"breakage:{fund}", "KRW", won) for fund, won in sums]

    def run():
        return ledger.expire(
            books, CITY, clock, LOCAL, day="2026-03-11", into=lambda fund: "issuer:local",
            along=along,
        )  # fmt: skip

    (answer,) = run().values()
    assert answer.state == "applied"
    assert ledger.balance(books, CITY, MINJI, LOCAL) == 200
    assert ledger.balance(books, CITY, "breakage:city", "KRW") == 100
    assert run() == {}
    assert ledger.conservation(books, CITY) == []


def test_value_that_expired_in_a_till_stays_the_shops(books, clock):
    posted(books, clock, request("p", Leg(MINJI, SHOP, LOCAL, 100)))
    clock.advance(timedelta(days=10))
    assert ledger.expire(books, CITY, clock, LOCAL, day="2026-03-11") == {}
    only = LotFilter(expired=True)
    settle = request("s", Leg(SHOP, "issuer:local", LOCAL, 100, only=only))
    assert one(posted(books, clock, settle), "s") == "applied"


def test_expired_points_go_to_an_account_made_for_them(books, clock):
    clock.advance(timedelta(days=10))
    (answer,) = ledger.expire(books, CITY, clock, LOCAL, day="2026-03-11").values()
    assert answer.state == "applied"
    assert ledger.balance(books, CITY, "breakage:city", LOCAL) == 100
