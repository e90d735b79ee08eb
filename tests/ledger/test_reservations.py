"""Pending transfers in the pure machine: set aside, posted in whole or part, released, too late."""

from datetime import timedelta
from uuid import UUID

import pytest
from pure_books import ASSET, NOW, Desk, code_of, move, request

from onsil.ledger.terms import Leg, LotFilter, LotTerms

DAY = timedelta(days=1)
MARKET, SOON, PLAIN = LotTerms("city", None, "market"), LotTerms("city", NOW + DAY), LotTerms()


def hold(key: str, *legs: Leg, **more):
    return request(key, *legs, phase="pending", **more)


def end(key: str, pending, phase: str = "post", *legs: Leg, **more):
    return request(key, *legs, phase=phase, pending=pending.transfer_id, **more)


def legs_of(decision):
    assert decision.applied is not None
    return [
        (g.source.code, g.destination.code, g.amount, g.source_balance, g.destination_balance,
         [tuple(p) for p in g.pieces], g.origin)
        for g in decision.applied.legs
    ]  # fmt: skip


def test_a_reservation_moves_nothing_and_keeps_others_from_spending():
    desk = Desk(("minji", 10, MARKET), ("minji", 10, SOON))
    held = desk.ask(hold("h", move("minji", "shop", 15)))
    assert code_of(held) == "applied"
    assert legs_of(held) == [
        ("minji", "shop", 15, 20, 0, [(1, 0, None, 10), (2, 10, None, 5)], None)
    ]  # fmt: skip
    minji, shop = desk.account("minji"), desk.account("shop")
    assert (minji.balance, minji.held, minji.coming) == (20, 15, 0)
    assert (shop.balance, shop.held, shop.coming) == (0, 0, 15)
    assert minji.purse == [[2, 10, 20, 15, 20]]
    assert code_of(desk.ask(request("p", move("minji", "fund", 6)))) == "insufficient-balance"
    reserved = desk.book.reserved[held.transfer_id]
    assert (reserved.id, reserved.timeout_at, reserved.settled_by) == (held.transfer_id, None, None)


def test_posting_all_moves_what_was_held_and_frees_both_sides():
    desk = Desk(("minji", 10, MARKET), ("minji", 10, SOON))
    held = desk.ask(hold("h", move("minji", "shop", 15)))
    posted = desk.ask(end("e", held))
    assert legs_of(posted) == [
        ("minji", "shop", 15, 5, 15, [(1, 0, 0, 10), (2, 10, 10, 5)], None)
    ]  # fmt: skip
    minji, shop = desk.account("minji"), desk.account("shop")
    assert (minji.balance, minji.held) == (5, 0)
    assert (shop.balance, shop.coming, shop.received) == (15, 0, 15)
    assert shop.purse == [[1, 0, 10, 0, 10], [2, 10, 15, 10, 15]]
    assert desk.book.reserved[held.transfer_id].settled_by == posted.transfer_id


@pytest.mark.parametrize(
    ("amount", "left", "there"),
    [
        (4, [[1, 4, 10, 4, 10], [2, 10, 20, 10, 20]], [[1, 0, 4, 0, 4]]),
        (10, [[2, 10, 20, 10, 20]], [[1, 0, 10, 0, 10]]),
        (12, [[2, 12, 20, 12, 20]], [[1, 0, 10, 0, 10], [2, 10, 12, 10, 12]]),
    ],
)
def test_posting_a_part_gives_the_rest_back_to_its_positions(amount, left, there):
    desk = Desk(("minji", 10, MARKET), ("minji", 10, SOON))
    held = desk.ask(hold("h", move("minji", "shop", 15)))
    assert code_of(desk.ask(end("e", held, "post", move("minji", "shop", amount)))) == "applied"
    minji, shop = desk.account("minji"), desk.account("shop")
    spans = [[layer[0], *layer[3:]] for layer in minji.purse]
    assert spans == [[layer[0], *layer[3:]] for layer in left]
    assert shop.purse == there
    assert (minji.balance, minji.held, shop.balance, shop.coming) == (20 - amount, 0, amount, 0)


def test_releasing_puts_everything_back_and_moves_nothing():
    desk = Desk(("minji", 10, MARKET), ("minji", 10, SOON))
    held = desk.ask(hold("h", move("minji", "shop", 15)))
    released = desk.ask(end("e", held, "void"))
    assert legs_of(released) == [
        ("minji", "shop", 15, 20, 0, [(1, 0, None, 10), (2, 10, None, 5)], None)
    ]  # fmt: skip
    minji, shop = desk.account("minji"), desk.account("shop")
    assert [(layer[0], *layer[3:]) for layer in minji.purse] == [(1, 0, 10), (2, 10, 20)]
    assert (minji.balance, minji.held, shop.coming, shop.balance) == (20, 0, 0, 0)
    assert desk.book.reserved[held.transfer_id].settled_by == released.transfer_id


def test_a_reservation_of_value_to_be_issued_keeps_its_terms_and_origin():
    desk = Desk()
    terms = LotTerms("gift", None, "", True, "award", "7")
    held = desk.ask(hold("h", move("issuer", "minji", 9, lot=terms)))
    assert legs_of(held) == [
        ("issuer", "minji", 9, 0, 0, [(1, None, None, 9)], ("award", "7"))
    ]  # fmt: skip
    posted = desk.ask(end("e", held, "post", move("issuer", "minji", 4)))
    assert legs_of(posted) == [("issuer", "minji", 4, -4, 4, [(1, None, 0, 4)], ("award", "7"))]
    assert desk.account("issuer").held == 0
    assert desk.account("minji").coming == 0
    assert desk.book.terms.terms[1] == LotTerms("gift", None, "", True)


def test_value_to_be_issued_without_terms_has_the_origin_of_its_request():
    held = Desk().ask(hold("h", move("issuer", "minji", 9), origin_kind="award", origin_id="8"))
    assert legs_of(held)[0][-1] == ("award", "8")


def test_value_to_be_issued_without_terms_is_bound_to_nothing():
    desk = Desk()
    held = desk.ask(hold("h", move("issuer", "minji", 9)))
    assert legs_of(held)[0][5] == [(1, None, None, 9)]
    assert desk.book.terms.terms[1] == LotTerms("", None, "", False)


def test_reservations_for_one_account_add_up_and_so_do_posts():
    desk = Desk(("minji", 20), ("shop", 3))
    first = desk.ask(hold("h", move("minji", "shop", 4)))
    second = desk.ask(hold("i", move("minji", "shop", 5)))
    assert (desk.account("minji").held, desk.account("shop").coming) == (9, 9)
    assert legs_of(desk.ask(end("e", first)))[0][3:5] == (16, 7)
    assert legs_of(desk.ask(end("f", second)))[0][3:5] == (11, 12)
    assert (desk.account("minji").held, desk.account("shop").coming) == (0, 0)


def test_a_reservation_between_accounts_without_lots():
    desk = Desk(("fund", 9))
    held = desk.ask(hold("h", move("fund", "credit", 9)))
    assert legs_of(held) == [("fund", "credit", 9, 9, 0, [], None)]
    posted = desk.ask(end("e", held, "post", move("fund", "credit", 5)))
    assert legs_of(posted) == [("fund", "credit", 5, 4, 5, [], None)]
    assert (desk.account("fund").held, desk.account("credit").coming) == (0, 0)


def test_a_reservation_out_of_lots_into_an_account_without_them():
    desk = Desk(("minji", 9))
    held = desk.ask(hold("h", move("minji", "fund", 9)))
    posted = desk.ask(end("e", held))
    assert legs_of(posted) == [("minji", "fund", 9, 0, 9, [(1, 0, None, 9)], None)]
    assert desk.account("fund").received == 0


def test_several_legs_are_held_and_posted_each_in_its_amount():
    desk = Desk(("minji", 20))
    asked = hold("h", move("minji", "shop", 6), move("minji", "seoyun", 5), move("issuer", "fund",
                 3))  # fmt: skip
    held = desk.ask(asked)
    assert desk.account("minji").held == 11
    posted = desk.ask(end("e", held, "post", move("minji", "shop", 6), move("minji", "seoyun", 1),
                          move("issuer", "fund", 2)))  # fmt: skip
    assert [leg[2] for leg in legs_of(posted)] == [6, 1, 2]
    assert desk.account("minji").purse == [[1, 0, 20, 7, 20]]
    assert desk.account("minji").held == 0
    assert (desk.account("shop").balance, desk.account("seoyun").balance) == (6, 1)


def test_a_reservation_keeps_to_filters_and_limits():
    desk = Desk(("minji", 10, MARKET), ("minji", 10))
    no = desk.ask(hold("h", move("minji", "shop", 11, only=LotFilter(frozenset()))))
    assert code_of(no) == "lot-rule"
    assert no.refusal is not None
    facts = no.refusal.facts
    assert (facts["usable"], facts["needed"], facts["balance"]) == (10, 11, 20)
    assert code_of(desk.ask(hold("i", move("issuer", "minji", 281)))) == "account-limit"
    assert code_of(desk.ask(hold("j", move("issuer", "minji", 280)))) == "applied"
    assert code_of(desk.ask(request("k", move("issuer", "minji", 1)))) == "account-limit"
    assert code_of(desk.ask(hold("l", move("minji", "shop", 5, lot=PLAIN)))) == "lot-terms-fixed"


def test_a_reservation_that_fails_midway_is_taken_back():
    desk = Desk(("minji", 10, MARKET), ("minji", 10))
    state = desk.state()
    no = desk.ask(hold("h", move("minji", "shop", 11), move("minji", "seoyun", 10)))
    assert code_of(no) == "insufficient-balance"
    assert desk.state() == state


@pytest.mark.parametrize("phase", ["post", "void"])
def test_what_is_not_reserved_cannot_be_settled(phase):
    desk = Desk(("minji", 10))
    paid = desk.ask(request("p", move("minji", "shop", 1)))
    for n, pending in enumerate((paid.transfer_id, UUID(int=99))):
        no = desk.ask(request(f"e{n}", phase=phase, pending=pending))
        assert code_of(no) == "pending-unknown"
        assert no.refusal is not None
        assert no.refusal.facts["transfer"] == str(pending)


@pytest.mark.parametrize("first", ["post", "void"])
@pytest.mark.parametrize("second", ["post", "void"])
def test_a_reservation_is_settled_once(first, second):
    desk = Desk(("minji", 10))
    held = desk.ask(hold("h", move("minji", "shop", 4)))
    assert code_of(desk.ask(end("a", held, first))) == "applied"
    state = desk.state()
    no = desk.ask(end("b", held, second))
    assert code_of(no) == "pending-settled"
    assert no.refusal is not None
    assert no.refusal.facts["transfer"] == str(held.transfer_id)
    assert desk.state() == state


@pytest.mark.parametrize(
    ("late_s", "phase", "code"),
    [
        (-1, "post", "applied"),
        (0, "post", "pending-expired"),
        (1, "post", "pending-expired"),
        (0, "void", "applied"),
        (-1, "void", "applied"),
    ],
)
def test_after_its_time_a_reservation_can_only_be_released(late_s, phase, code):
    desk = Desk(("minji", 10))
    held = desk.ask(hold("h", move("minji", "shop", 4), timeout_at=NOW + DAY))
    desk.now = NOW + DAY + timedelta(seconds=late_s)
    told = desk.ask(end("e", held, phase))
    assert code_of(told) == code
    if told.refusal is not None:
        facts = told.refusal.facts
        assert facts == {"transfer": str(held.transfer_id), "timeout_at": (NOW + DAY).isoformat()}
        assert desk.account("minji").held == 4


def test_what_expires_while_it_is_held_may_still_be_posted():
    desk = Desk(("minji", 10, SOON))
    held = desk.ask(hold("h", move("minji", "shop", 4)))
    desk.now = NOW + 2 * DAY
    assert code_of(desk.ask(end("e", held))) == "applied"
    assert code_of(desk.ask(request("p", move("minji", "shop", 4)))) == "lot-rule"


@pytest.mark.parametrize(
    "legs",
    [
        (move("minji", "shop", 5), move("minji", "shop", 1)),
        (move("minji", "shop", 7),),
        (move("minji", "seoyun", 6),),
        (move("seoyun", "shop", 6),),
        (Leg("minji", "shop", "point", 6),),
    ],
)
def test_only_what_is_reserved_can_be_posted(legs):
    desk = Desk(("minji", 10))
    held = desk.ask(hold("h", move("minji", "shop", 6)))
    state = desk.state()
    no = desk.ask(end("e", held, "post", *legs))
    assert code_of(no) == "malformed-request"
    assert no.refusal is not None
    assert no.refusal.facts["what"] == "legs"
    assert desk.state() == state
    assert code_of(desk.ask(end("e2", held, "post", move("minji", "shop", 6)))) == "applied"


def test_the_destination_may_have_become_full_of_other_value_meanwhile():
    """Room was reserved, so a post never fails for want of it."""
    desk = Desk(("seoyun", 300))
    held = desk.ask(hold("h", move("seoyun", "minji", 300)))
    assert code_of(desk.ask(request("g", move("issuer", "minji", 1)))) == "account-limit"
    assert code_of(desk.ask(end("e", held))) == "applied"
    assert desk.account("minji").balance == 300
    assert desk.account("minji").asset == ASSET
