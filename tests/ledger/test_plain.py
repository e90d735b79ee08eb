"""The machine's short way for plain payments gives, to the byte, what the long way gives."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pure_books import ACCOUNTS, ASSET, NOW, Counter, move, new_book, request

from onsil.ledger import machine
from onsil.ledger.book import Book, Decision
from onsil.ledger.evidence import LeafWriter
from onsil.ledger.ids import AscendingIds
from onsil.ledger.plain import STRETCH_MAX, all_plain
from onsil.ledger.terms import AMOUNT_MAX, Leg, LotFilter, LotTerms, Piece, TransferRequest
from onsil.ledger.wire import decode, encode

SOON = NOW + timedelta(days=1)
terms = st.builds(
    LotTerms,
    fund=st.sampled_from(["city", "state"]),
    expires_at=st.sampled_from([None, NOW, SOON]),
    merchant_rule=st.sampled_from(["", "market"]),
    origin_id=st.sampled_from(["", "7"]),
)
legs = st.builds(
    lambda pair, amount, lot, only: Leg(pair[0], pair[1], ASSET, amount, lot, only),
    st.permutations([*ACCOUNTS, "closed", "nobody"]),
    st.integers(1, 60) | st.sampled_from([0, AMOUNT_MAX, AMOUNT_MAX + 1]),
    st.none() | terms,
    st.none() | st.none() | st.none() | st.just(LotFilter(frozenset())),
)
grants = st.builds(
    lambda code, amount, lot: Leg("issuer", code, ASSET, amount, lot),
    st.sampled_from(["minji", "seoyun", "shop", "fund"]), st.integers(50, 200), terms,
)  # fmt: skip
payments = st.builds(
    lambda pair, amount: Leg(pair[0], pair[1], ASSET, amount),
    st.permutations(["minji", "seoyun", "shop", "fund", "credit"]), st.integers(1, 40),
)  # fmt: skip
requests = st.builds(
    lambda **fields: TransferRequest(**fields),
    key=st.integers(0, 500).map("k{}".format),
    kind=st.just("t"),
    legs=st.tuples(grants | payments) | st.tuples(legs) | st.tuples(payments, payments),
    effective_at=st.sampled_from([None, None, SOON]),
    memo=st.sampled_from(["", "", 'a "memo"']),
    phase=st.sampled_from(["single"] * 9 + ["pending"]),
    linked=st.sampled_from([False] * 9 + [True]),
)
plain_requests = st.builds(
    lambda **fields: TransferRequest(**fields),
    key=st.integers(0, 500).map("k{}".format),
    kind=st.just("t"),
    legs=st.tuples(grants | payments),
    origin_kind=st.sampled_from(["", "award"]),
    origin_id=st.sampled_from(["", "9"]),
)


def book() -> Book:
    made = new_book()
    for code in ("minji", "seoyun", "shop"):
        grant = request(f"first-{code}", move("issuer", code, 100, lot=LotTerms("city", SOON)))
        machine.decide(made, [(grant, grant.fingerprint())], NOW, Counter())
    closed = made.accounts["closed", ASSET] = new_book().accounts["fund", ASSET]
    closed.code, closed.id, closed.closed = "closed", 99, True
    return made


def outcome(asked: list[TransferRequest], made: Book, ids: Any) -> tuple[Any, ...]:
    """All that deciding leaves: the decisions, their leaves and the whole book."""
    decisions = machine.decide(made, [(r, r.fingerprint()) for r in asked], NOW, ids)
    applied = [d.applied for d in decisions if d.applied is not None]
    return (
        [told(decision) for decision in decisions],
        LeafWriter("x", made.terms).encoded_all(applied),
        {place: account.snapshot() for place, account in made.accounts.items()},
        made.terms.terms,
        made.terms.fresh,
        {key: told(decision) for key, decision in made.keys.items()},
        made.reversed,
    )


def told(decision: Decision) -> tuple[Any, ...]:
    one = decision.applied
    if one is None:
        return tuple(decision)
    moved = [(g.source.id, g.destination.id, *g[2:]) for g in one.legs]
    return (
        *decision[:4], decision.fresh, decision.repeated, one.id, one.request, one.fingerprint,
        one.recorded_at, moved,
    )  # fmt: skip


@given(st.lists(requests, max_size=30) | st.lists(plain_requests, min_size=8, max_size=60))
@settings(max_examples=200, deadline=None)
def test_both_ways_decide_the_same(asked: list[TransferRequest]):
    with patch.object(machine, "STRETCH_MIN", 1), patch.object(machine, "STRETCH_MAX", 7):
        short = outcome(asked, book(), Counter())
    with patch.object(machine, "all_plain", lambda stretch: False):
        long = outcome(asked, book(), Counter())
    assert short == long


def test_plain_payments_do_go_the_short_way():
    asked = [request(f"p{n}", move("minji", "shop", 1)) for n in range(50)]
    made = book()
    with patch.object(machine, "_decide_alone", None):
        decisions = outcome(asked, made, Counter())[0]
    assert len(decisions) == 50


def test_a_chain_may_reach_over_stretches():
    asked = [
        request(f"p{n}", move("minji", "shop", 1), linked=STRETCH_MAX - 2 <= n < STRETCH_MAX + 1)
        for n in range(STRETCH_MAX + 20)
    ]
    with patch.object(machine, "all_plain", lambda stretch: False):
        long = outcome(asked, book(), Counter())
    assert outcome(asked, book(), Counter()) == long


ODD = {
    "key": request("", move("minji", "shop", 1)),
    "long-key": request("k" * 201, move("minji", "shop", 1)),
    "nul": request("k", move("minji", "shop", 1), memo="\x00"),
    "memo": request("k", move("minji", "shop", 1), memo="m" * 1001),
    "kind": request("k", move("minji", "shop", 1))._replace(kind="t" * 201),
    "origin": request("k", move("minji", "shop", 1), origin_id="o" * 1001),
    "zero": request("k", move("minji", "shop", 0)),
    "huge": request("k", move("minji", "shop", AMOUNT_MAX + 1)),
    "truth": request("k", move("minji", "shop", True)),
    "itself": request("k", move("shop", "shop", 1)),
    "nowhere": request("k", move("minji", "", 1)),
    "nul-place": request("k", move("minji", "sh\x00op", 1)),
    "no-zone": request("k", move("minji", "shop", 1), effective_at=datetime(2026, 3, 1)),  # noqa: DTZ001
    "filter": request("k", move("minji", "shop", 1, only=LotFilter())),
    "pieces": request("k", move("minji", "shop", 1, pieces=())),
    "positions": request("k", move("minji", "shop", 1, pieces=(Piece(LotTerms(), 0, None, 1),))),
    "terms": request("k", move("issuer", "shop", 1, lot=LotTerms("f" * 801))),
    "two-legs": request("k", move("minji", "shop", 1), move("minji", "shop", 1)),
    "no-legs": request("k"),
    "reversal": request("k", move("minji", "shop", 1), reverses=UUID(int=0)),
    "pending": request("k", move("minji", "shop", 1), phase="pending"),
    "settles": request("k", move("minji", "shop", 1), pending=UUID(int=0)),
    "timeout": request("k", move("minji", "shop", 1), timeout_at=SOON),
    "linked": request("k", move("minji", "shop", 1), linked=True),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_plain_goes_the_long_way(name: str):
    plain = [request(f"p{n}", move("minji", "shop", 1)) for n in range(9)]
    assert all_plain([(r, b"") for r in plain])
    assert not all_plain([(r, b"") for r in [*plain, ODD[name]]])


@given(st.integers(0, 40), st.sampled_from([0, 2**62 - 40, 2**62 - 3, 2**74 - 5]), st.randoms())
@settings(max_examples=60)
def test_ids_drawn_together_ascend_like_those_drawn_one_by_one(count: int, tail: int, chance: Any):
    def fresh(bits: int) -> int:
        return tail if bits == 72 else chance.getrandbits(bits)

    ids = AscendingIds(None, 1_700_000_000_000, fresh)
    drawn = [ids(), *ids.many(count), ids()]
    assert drawn == sorted(set(drawn))
    assert len(drawn) == count + 2
    assert {one.version for one in drawn} == {7}
    assert {one.variant for one in drawn} == {"specified in RFC 4122"}
    assert (len(ids.many(0)), [str(one) for one in drawn] == sorted(map(str, drawn))) == (0, True)


@given(st.lists(requests | plain_requests, max_size=12))
@settings(max_examples=100)
def test_requests_survive_the_intake_together(asked: list[TransferRequest]):
    marked = [(r, r.fingerprint()) for r in asked if all(g.amount <= AMOUNT_MAX for g in r.legs)]
    again = decode(encode(marked))
    assert again == marked
    assert [(type(r), [type(g) for g in r.legs]) for r, _ in again] == [
        (TransferRequest, [Leg] * len(r.legs)) for r, _ in marked
    ]


def test_columns_keep_what_differs_from_request_to_request():
    base = request("a", move("minji", "shop", 1, lot=LotTerms("f", SOON, "r", True, "o", "1")))
    other = request(
        "b", move("minji", "shop", 1, only=LotFilter(frozenset("x"), None, True, True)),
        effective_at=datetime(2026, 3, 2, tzinfo=UTC), reverses=UUID(int=5), pending=UUID(int=6),
        timeout_at=SOON, linked=True, memo="m",
    )  # fmt: skip
    third = request("c", move("minji", "shop", 2, pieces=(Piece(LotTerms("f"), 0, None, 2),)))
    marked = [(r, r.fingerprint()) for r in (base, other, third)]
    assert decode(encode(marked)) == marked


def test_requests_stored_as_rows_are_still_read():
    asked = request("a", move("minji", "shop", 1), move("shop", "fund", 1))
    alone = request("b", move("minji", "shop", 1, lot=LotTerms("f", SOON)))
    marked = [(r, r.fingerprint()) for r in (asked, alone)]
    assert encode(marked).startswith(b"[[")
    assert decode(encode(marked)) == marked
