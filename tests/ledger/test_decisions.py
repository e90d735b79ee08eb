"""The posting machine, decision by decision: what is applied, refused, told again or taken back."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pure_books import ACCOUNTS, ASSET, NOW, Desk, code_of, move, request

from onsil.ledger.book import Undo, parties
from onsil.ledger.terms import AMOUNT_MAX, Leg, LotFilter, LotTerms, Piece

PLAIN = LotTerms()
MARKET = LotTerms("city", None, "market")
SOON = LotTerms("city", NOW + timedelta(days=1))


def pieces_of(decision) -> list[list[tuple]]:
    assert decision.applied is not None
    return [[tuple(piece) for piece in leg.pieces] for leg in decision.applied.legs]


# Applying


def test_a_transfer_tells_all_that_it_did():
    desk = Desk(("minji", 100))
    asked = request("p", move("minji", "shop", 30), memo="coffee")
    decision = desk.ask(asked)
    assert decision.fresh
    assert not decision.repeated
    assert decision.answer.state == "applied"
    assert decision.answer.transfer_id == decision.transfer_id == UUID(int=2)
    applied = decision.applied
    assert applied is not None
    assert (applied.id, applied.request, applied.recorded_at) == (UUID(int=2), asked, NOW)
    assert applied.fingerprint == decision.fingerprint == asked.fingerprint()
    (leg,) = applied.legs
    assert (leg.source.code, leg.destination.code, leg.amount) == ("minji", "shop", 30)
    assert (leg.source_balance, leg.destination_balance) == (70, 30)
    assert leg.pieces == [(1, 0, 0, 30)]
    assert leg.origin is None
    assert desk.account("shop").purse == [[1, 0, 30, 0, 30]]
    assert desk.account("shop").received == 30
    assert desk.account("minji").purse == [[1, 0, 100, 30, 100]]
    assert desk.account("minji").received == 100


def test_the_effective_time_is_the_recorded_one_unless_another_is_given():
    desk, then = Desk(), datetime(2025, 1, 1, tzinfo=UTC)
    first = desk.ask(request("a", move("issuer", "fund", 1))).applied
    second = desk.ask(request("b", move("issuer", "fund", 1), effective_at=then)).applied
    assert first is not None
    assert second is not None
    assert (first.effective_at, second.effective_at) == (NOW, then)


def test_issued_value_has_the_terms_of_its_leg_and_their_origin():
    terms = LotTerms("gift", None, "market", True, "award", "7")
    decision = Desk().ask(request("a", move("issuer", "minji", 5, lot=terms)))
    assert decision.applied is not None
    (leg,) = decision.applied.legs
    assert leg.origin == ("award", "7")
    assert leg.pieces == [(1, None, 0, 5)]


def test_issued_value_without_terms_has_the_origin_of_its_request():
    asked = request("a", move("issuer", "minji", 5), origin_kind="award", origin_id="8")
    decision = Desk().ask(asked)
    assert decision.applied is not None
    assert decision.applied.legs[0].origin == ("award", "8")


def test_between_accounts_without_lots_there_are_no_pieces():
    decision = Desk().ask(request("a", move("issuer", "fund", 5)))
    assert pieces_of(decision) == [[]]
    assert decision.applied is not None
    assert decision.applied.legs[0].origin is None


def test_value_that_leaves_for_an_account_without_lots_is_told_by_its_positions():
    desk = Desk(("minji", 10, MARKET), ("minji", 10, SOON))
    decision = desk.ask(request("a", move("minji", "fund", 15)))
    assert pieces_of(decision) == [[(1, 0, None, 10), (2, 10, None, 5)]]
    assert desk.account("fund").balance == 15
    assert desk.account("fund").received == 0
    assert desk.account("fund").purse == []


def test_the_legs_of_a_transfer_follow_one_another():
    """The second spends what the first has brought."""
    desk = Desk(("minji", 10))
    decision = desk.ask(request("a", move("minji", "seoyun", 10), move("seoyun", "shop", 10)))
    assert decision.applied is not None
    assert [(g.source_balance, g.destination_balance) for g in decision.applied.legs] == [
        (0, 10), (0, 10)
    ]  # fmt: skip


def test_a_filter_is_kept_to():
    desk = Desk(("minji", 10, MARKET), ("minji", 10))
    decision = desk.ask(request("a", move("minji", "shop", 7, only=LotFilter(frozenset()))))
    assert pieces_of(decision) == [[(2, 10, 0, 7)]]


# Refusing


@pytest.mark.parametrize(
    ("leg", "code", "facts"),
    [
        (move("minji", "shop", 101), "insufficient-balance", {"available": 100, "needed": 101}),
        (move("credit", "shop", 51), "insufficient-balance", {"available": 50, "needed": 51}),
        (move("issuer", "minji", 201), "account-limit", {"balance": 100, "maximum": 300}),
        (move("issuer", "credit", 201), "account-limit", {"balance": 0, "maximum": 200}),
        (move("minji", "nobody", 1), "unknown-account", {"account": "nobody"}),
        (move("nobody", "minji", 1), "unknown-account", {"account": "nobody"}),
        (Leg("minji", "shop", "point", 1), "asset-mismatch", {"account": "minji"}),
        (move("minji", "minji", 1), "same-account", {}),
        (move("minji", "shop", 0), "amount-not-positive", {"amount": "0"}),
        (move("minji", "shop", 1, lot=PLAIN), "lot-terms-fixed", {"account": "minji"}),
        (
            move("minji", "shop", 61, only=LotFilter(frozenset())),
            "lot-rule",
            {"usable": 60, "needed": 61, "balance": 100},
        ),
    ],
)
@pytest.mark.parametrize("before", [(), (move("issuer", "seoyun", 5),)])
def test_a_refusal_says_why_and_changes_nothing(leg, code, facts, before):
    desk = Desk(("minji", 40, MARKET), ("minji", 60))
    state = desk.state()
    decision = desk.ask(request("no", *before, leg))
    assert code_of(decision) == code
    assert decision.fresh
    assert decision.transfer_id is None
    assert decision.applied is None
    refusal = decision.refusal
    assert refusal is not None
    assert {name: refusal.facts[name] for name in facts} == facts
    assert desk.state() == state


@pytest.mark.parametrize(
    ("leg", "amount_that_fits"),
    [
        (move("minji", "shop", 100), 100),
        (move("credit", "shop", 50), 50),
        (move("issuer", "minji", 200), 200),
        (move("issuer", "credit", 200), 200),
    ],
)
def test_limits_may_be_reached(leg, amount_that_fits):
    desk = Desk(("minji", 100))
    assert code_of(desk.ask(request("a", leg._replace(amount=amount_that_fits)))) == "applied"


def test_an_account_that_holds_more_than_its_minimum_says_zero_when_it_is_below():
    desk = Desk()
    desk.account("fund").minimum = 20
    refusal = desk.ask(request("a", move("fund", "shop", 1))).refusal
    assert refusal is not None
    assert refusal.facts["available"] == 0


@pytest.mark.parametrize(("source", "destination"), [("minji", "shop"), ("shop", "minji")])
def test_a_closed_account_is_told_as_closed(source, destination):
    desk = Desk(("minji", 5), ("shop", 5))
    desk.account("shop").closed = True
    decision = desk.ask(request("a", move(source, destination, 1)))
    assert code_of(decision) == "account-closed"
    assert decision.refusal is not None
    assert decision.refusal.facts["account"] == "shop"


def test_no_balance_can_pass_what_can_be_recorded():
    desk = Desk()
    assert code_of(desk.ask(request("a", move("issuer", "fund", AMOUNT_MAX)))) == "applied"
    assert code_of(desk.ask(request("b", move("issuer", "seoyun", 1)))) == "insufficient-balance"
    assert code_of(desk.ask(request("c", move("credit", "fund", 1)))) == "account-limit"


def test_what_is_set_aside_cannot_be_spent_and_room_cannot_be_taken():
    desk = Desk(("minji", 100))
    desk.account("minji").held = 30
    desk.account("minji").coming = 50
    book = desk.book
    assert not isinstance(parties(book, move("minji", "shop", 70)), type(None))
    no = parties(book, move("minji", "shop", 71))
    assert getattr(no, "code", "") == "insufficient-balance"
    assert isinstance(parties(book, move("issuer", "minji", 150)), tuple)
    no = parties(book, move("issuer", "minji", 151))
    assert getattr(no, "code", "") == "account-limit"
    assert getattr(no, "facts", {})["balance"] == 150


# Keys


def test_the_same_request_again_is_told_and_moves_nothing():
    desk = Desk(("minji", 10))
    asked = request("p", move("minji", "shop", 4))
    first = desk.ask(asked)
    state = desk.state()
    again = desk.ask(asked._replace(effective_at=NOW))
    assert (again.answer.state, again.answer.repeated) == ("replayed", True)
    assert again.transfer_id == first.transfer_id
    assert again.applied is None
    assert not again.fresh
    assert desk.state() == state


def test_a_refused_request_stays_refused_when_the_money_is_there():
    desk = Desk()
    asked = request("p", move("minji", "shop", 4))
    assert code_of(desk.ask(asked)) == "insufficient-balance"
    desk.ask(request("g", move("issuer", "minji", 9)))
    again = desk.ask(asked)
    assert code_of(again) == "insufficient-balance"
    assert again.answer.repeated
    assert not again.fresh


@pytest.mark.parametrize("funded", [0, 10])
def test_another_request_under_a_used_key_is_refused_and_not_remembered(funded):
    desk = Desk(*([("minji", funded)] if funded else []))
    asked = request("p", move("minji", "shop", 4))
    first = desk.ask(asked)
    other = desk.ask(asked._replace(memo="other"))
    assert code_of(other) == "key-reused"
    assert not other.fresh
    assert not other.answer.repeated
    assert desk.ask(asked).transfer_id == first.transfer_id


def test_what_is_no_key_is_refused_and_not_remembered():
    desk = Desk()
    decision = desk.ask(request("", move("issuer", "fund", 1)))
    assert code_of(decision) == "malformed-request"
    assert not decision.fresh
    assert "" not in desk.book.keys


def test_what_is_malformed_otherwise_is_remembered():
    desk = Desk()
    decision = desk.ask(request("k"))
    assert code_of(decision) == "malformed-request"
    assert decision.fresh
    assert desk.book.keys["k"] == decision


# Chains


def chain(*legs: Leg, open_end: bool = False):
    last = len(legs) - 1
    return [request(f"c{n}", leg, linked=open_end or n < last) for n, leg in enumerate(legs)]


def test_a_chain_is_applied_whole_and_its_parts_follow_one_another():
    desk = Desk(("minji", 10))
    told = desk.all(chain(move("minji", "seoyun", 10), move("seoyun", "shop", 10)))
    assert [code_of(d) for d in told] == ["applied", "applied"]
    assert all(d.fresh and d.applied is not None for d in told)
    assert [d.transfer_id for d in told] == [UUID(int=2), UUID(int=3)]
    assert desk.account("shop").balance == 10
    again = desk.all(chain(move("minji", "seoyun", 10), move("seoyun", "shop", 10)))
    assert [code_of(d) for d in again] == ["replayed", "replayed"]
    assert [d.transfer_id for d in again] == [UUID(int=2), UUID(int=3)]


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_chain_that_fails_leaves_nothing_behind(bad):
    desk = Desk(("minji", 10))
    state = desk.state()
    legs = [move("minji", "seoyun", 2), move("minji", "shop", 2), move("minji", "fund", 2)]
    legs[bad] = legs[bad]._replace(amount=99)
    told = desk.all(chain(*legs))
    expected = ["linked-failed"] * 3
    expected[bad] = "insufficient-balance"
    assert [code_of(d) for d in told] == expected
    assert all(d.fresh for d in told)
    assert desk.state() == state
    assert [code_of(d) for d in desk.all(chain(*legs))] == expected


def test_a_chain_does_not_concern_its_neighbours():
    desk = Desk(("minji", 10))
    before, after = (request(k, move("minji", "fund", 1)) for k in ("before", "after"))
    told = desk.all([before, *chain(move("minji", "shop", 1), move("minji", "shop", 99)), after])
    assert [code_of(d) for d in told] == [
        "applied", "linked-failed", "insufficient-balance", "applied"
    ]  # fmt: skip


def test_two_chains_in_a_row_are_two():
    desk = Desk(("minji", 10))
    second = [r._replace(key=f"d{r.key}") for r in chain(*[move("minji", "shop", 1)] * 2)]
    told = desk.all([*chain(move("minji", "shop", 1), move("minji", "shop", 99)), *second])
    assert [code_of(d) for d in told] == [
        "linked-failed", "insufficient-balance", "applied", "applied"
    ]  # fmt: skip


@pytest.mark.parametrize("length", [1, 2])
def test_a_chain_without_an_end_is_refused(length):
    desk = Desk(("minji", 10))
    state = desk.state()
    told = desk.all(chain(*[move("minji", "shop", 1)] * length, open_end=True))
    assert [code_of(d) for d in told] == ["linked-failed"] * (length - 1) + ["malformed-request"]
    assert told[-1].refusal is not None
    assert told[-1].refusal.facts["what"] == "linked"
    assert desk.state() == state


def test_a_chain_with_something_decided_before_tells_that_and_fails_for_the_rest():
    desk = Desk(("minji", 10))
    asked = chain(move("minji", "shop", 1), move("minji", "fund", 1))
    desk.ask(asked[0]._replace(linked=False))
    done = desk.ask(asked[1])
    told = desk.all(asked)
    assert [code_of(d) for d in told] == ["key-reused", "replayed"]
    assert told[1].transfer_id == done.transfer_id
    other = request("new", move("minji", "shop", 1), linked=True)
    told = desk.all([other, asked[1]])
    assert [code_of(d) for d in told] == ["linked-failed", "replayed"]
    assert told[0].fresh
    assert desk.account("shop").balance == 1


def test_a_chain_that_uses_a_key_twice_is_refused():
    desk = Desk(("minji", 10))
    twice = [request("k", move("minji", "shop", 1), linked=True), request("k", move("minji",
             "shop", 1), linked=True), request("l", move("minji", "fund", 1))]  # fmt: skip
    state = desk.state()
    assert [code_of(d) for d in desk.all(twice)] == ["linked-failed"] * 3
    assert desk.state() == state


def test_a_chain_takes_back_reversals_reservations_and_settlements():
    desk = Desk(("minji", 50))
    paid = desk.ask(request("p", move("minji", "shop", 5)))
    held = desk.ask(request("h", move("minji", "shop", 6), phase="pending"))
    state = desk.state()
    told = desk.all(
        [
            request("r", move("shop", "minji", 5, pieces=(Piece(PLAIN, 0, 0, 5),)),
                    reverses=paid.transfer_id, linked=True),
            request("h2", move("minji", "shop", 7), phase="pending", linked=True),
            request("s", phase="post", pending=held.transfer_id, linked=True),
            request("no", move("minji", "shop", 99)),
        ]
    )  # fmt: skip
    assert [code_of(d) for d in told] == ["linked-failed"] * 3 + ["insufficient-balance"]
    assert desk.state() == state
    assert code_of(desk.ask(request("s2", phase="post", pending=held.transfer_id))) == "applied"


def test_a_settlement_that_is_taken_back_frees_nothing_on_either_side():
    desk = Desk(("minji", 50), ("seoyun", 1))
    held = desk.ask(request("h", move("minji", "shop", 6), phase="pending"))
    state = desk.state()
    told = desk.all(
        [request("s", phase="post", pending=held.transfer_id, linked=True),
         request("no", move("seoyun", "fund", 99))]
    )  # fmt: skip
    assert [code_of(d) for d in told] == ["linked-failed", "insufficient-balance"]
    assert desk.state() == state


def test_a_chain_is_decided_at_the_instant_of_its_batch():
    desk = Desk(("minji", 10, SOON))
    asked = chain(move("minji", "seoyun", 1), move("minji", "shop", 1))
    desk.now = NOW + timedelta(days=2)
    assert [code_of(d) for d in desk.all(asked)] == ["lot-rule", "linked-failed"]


# Reversals


def undo_of(decision, key="undo", **more):
    applied = decision.applied
    assert applied is not None
    legs = tuple(
        Leg(
            leg.destination.code, leg.source.code, ASSET, leg.amount,
            pieces=tuple(Piece(more.get("terms", PLAIN), made, taken, amount)
                         for _, taken, made, amount in reversed(leg.pieces)) or None,
        )
        for leg in reversed(applied.legs)
    )  # fmt: skip
    return request(key, *legs, reverses=applied.id)


def test_a_reversal_gives_every_position_back_once():
    desk = Desk(("minji", 10))
    state = desk.state()
    paid = desk.ask(request("p", move("minji", "seoyun", 6), move("seoyun", "fund", 2)))
    undone = desk.ask(undo_of(paid))
    assert code_of(undone) == "applied"
    assert pieces_of(undone) == [[(1, None, 0, 2)], [(1, 0, 0, 6)]]
    after = desk.state()
    assert after["minji"] == state["minji"]
    assert desk.account("seoyun").purse == []
    assert desk.account("seoyun").received == 6
    assert desk.account("fund").balance == 0
    again = desk.ask(undo_of(paid, "again"))
    assert code_of(again) == "already-reversed"
    assert again.refusal is not None
    assert again.refusal.facts["transfer"] == str(paid.transfer_id)


def test_a_reversal_that_fails_may_be_tried_again_under_another_key():
    desk = Desk(("minji", 10))
    paid = desk.ask(request("p", move("minji", "seoyun", 6)))
    moved = desk.ask(request("q", move("seoyun", "shop", 1)))
    desk.ask(request("g", move("issuer", "seoyun", 1, lot=SOON)))
    no = desk.ask(undo_of(paid))
    assert code_of(no) == "lot-rule"
    assert no.refusal is not None
    assert (no.refusal.facts["account"], no.refusal.facts["needed"]) == ("seoyun", 6)
    assert code_of(desk.ask(undo_of(moved, "first"))) == "applied"
    assert code_of(desk.ask(undo_of(paid, "then"))) == "applied"


def test_a_transfer_without_lots_is_reversed_once_too():
    desk = Desk(("fund", 9))
    paid = desk.ask(request("p", move("fund", "credit", 9)))
    assert code_of(desk.ask(undo_of(paid))) == "applied"
    assert (desk.account("fund").balance, desk.account("credit").balance) == (9, 0)
    assert code_of(desk.ask(undo_of(paid, "again"))) == "already-reversed"


def test_what_was_issued_can_be_taken_back():
    desk = Desk()
    given = desk.ask(request("g", move("issuer", "minji", 6)))
    assert code_of(desk.ask(undo_of(given))) == "applied"
    assert desk.account("minji").purse == []
    assert desk.account("issuer").balance == 0


@pytest.mark.parametrize(
    ("leg", "wrong"),
    [
        (("shop", "minji"), Piece(PLAIN, None, 0, 4)),
        (("shop", "minji"), Piece(PLAIN, 0, None, 4)),
        (("shop", "fund"), Piece(PLAIN, 0, 0, 4)),
        (("issuer", "minji"), Piece(PLAIN, 0, 0, 4)),
        (("shop", "minji"), Piece(PLAIN, 0, 4, 4)),
        (("shop", "minji"), Piece(PLAIN, 0, 8, 4)),
    ],
)
def test_pieces_that_do_not_fit_their_accounts_are_malformed(leg, wrong):
    desk = Desk(("minji", 10))
    desk.ask(request("p", move("minji", "shop", 4)))
    state = desk.state()
    no = desk.ask(request("u", move(*leg, 4, pieces=(wrong,)), reverses=UUID(int=9)))
    assert code_of(no) == "malformed-request"
    assert no.refusal is not None
    assert no.refusal.facts["what"] == "pieces"
    assert desk.state() == state


def test_positions_can_be_given_back_in_part_and_what_fails_midway_is_taken_back():
    desk = Desk(("minji", 10))
    desk.ask(request("p", move("minji", "shop", 6)))
    some = move("shop", "minji", 2, pieces=(Piece(PLAIN, 4, 4, 2),))
    assert code_of(desk.ask(request("forward", some))) == "malformed-request"
    part = request("part", some, reverses=UUID(int=8))
    assert pieces_of(desk.ask(part)) == [[(1, 4, 4, 2)]]
    assert desk.account("minji").purse == [[1, 0, 10, 4, 10]]
    rest = move("shop", "minji", 6, pieces=(Piece(PLAIN, 0, 0, 4), Piece(PLAIN, 4, 4, 2)))
    assert code_of(desk.ask(request("g", move("issuer", "shop", 2, lot=MARKET)))) == "applied"
    state = desk.state()
    assert code_of(desk.ask(request("no", rest, reverses=UUID(int=9)))) == "lot-rule"
    assert desk.state() == state


def test_a_transfer_that_fails_midway_is_taken_back_leg_by_leg():
    desk = Desk(("minji", 10, MARKET), ("seoyun", 10, SOON), ("credit", 3))
    state = desk.state()
    legs = [move("minji", "shop", 4), move("seoyun", "shop", 3), move("credit", "minji", 2),
            move("shop", "fund", 1), move("fund", "shop", 99)]  # fmt: skip
    assert code_of(desk.ask(request("no", *legs))) == "insufficient-balance"
    assert desk.state() == state


def test_what_is_remembered_for_undoing_is_the_first_state():
    desk = Desk(("minji", 10))
    account, undo = desk.account("minji"), Undo()
    undo.keep(account)
    account.balance = 3
    undo.keep(account)
    account.balance, account.held, account.coming = 1, 2, 3
    account.received, account.purse = 4, []
    undo.roll_back(desk.book)
    assert account.snapshot() == (10, 0, 0, 10, [[1, 0, 10, 0, 10]])


def test_a_snapshot_does_not_change_with_the_account():
    desk = Desk(("minji", 10))
    kept = desk.account("minji").snapshot()
    desk.ask(request("p", move("minji", "shop", 4)))
    assert kept == (10, 0, 0, 10, [[1, 0, 10, 0, 10]])


def test_the_same_inputs_give_the_same_decisions():
    def run():
        desk = Desk(("minji", 30, MARKET), ("minji", 30, SOON), ("seoyun", 9))
        told = desk.all([request(f"k{n}", move("minji", "shop", n)) for n in range(1, 12)])
        return [(d.answer, d.applied and d.applied.legs[0][2:]) for d in told], desk.state()

    assert run() == run()
    assert len(ACCOUNTS) == 6
