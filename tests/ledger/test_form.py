"""What is malformed is told before any account is looked at."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from pure_books import NOW, move, request

from onsil.ledger.form import KEY_MAX, LEGS_MAX, MEMO_MAX, TERMS_MAX, check_form
from onsil.ledger.terms import AMOUNT_MAX, Leg, LotTerms, Piece

LEG = move("a", "b", 4)
PENDING = UUID(int=1)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001


def what(asked) -> str:
    no = check_form(asked)
    return "" if no is None else str(no.facts.get("what", no.code))


def leg_with(**fields) -> Leg:
    return LEG._replace(**fields)


@pytest.mark.parametrize(
    "asked",
    [
        request("k" * KEY_MAX, LEG),
        request("k", *[LEG] * LEGS_MAX),
        request("k", LEG, memo="m" * MEMO_MAX),
        request("k", LEG)._replace(kind="x" * KEY_MAX),
        request("k", LEG, origin_kind="o" * 400, origin_id="o" * (MEMO_MAX - 400)),
        request("k", LEG, effective_at=NOW),
        request("k", leg_with(amount=AMOUNT_MAX)),
        request("k", leg_with(source="a" * KEY_MAX, destination="b" * KEY_MAX)),
        request("k", leg_with(lot=LotTerms("f" * TERMS_MAX))),
        request("k", leg_with(lot=LotTerms("f", NOW))),
        request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 1), Piece(LotTerms(), 1, 1, 3))),
                reverses=PENDING),
        request("k", leg_with(pieces=(Piece(LotTerms(), 0, None, 4),))),
        request("k", LEG, phase="pending"),
        request("k", LEG, phase="pending", timeout_at=NOW),
        request("k", *[LEG] * LEGS_MAX, phase="pending"),
        request("k", phase="post", pending=PENDING),
        request("k", *[LEG] * LEGS_MAX, phase="post", pending=PENDING),
        request("k", phase="void", pending=PENDING),
    ],
)  # fmt: skip
def test_what_is_well_formed_is_let_through(asked):
    assert check_form(asked) is None


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request("", LEG), "key"),
        (request("k" * (KEY_MAX + 1), LEG), "key"),
        (request("k\x00", LEG), "key"),
        (request("k", LEG)._replace(kind="x" * (KEY_MAX + 1)), "texts"),
        (request("k", LEG)._replace(kind="\x00"), "texts"),
        (request("k", LEG, memo="m" * (MEMO_MAX + 1)), "texts"),
        (request("k", LEG, memo="\x00"), "texts"),
        (request("k", LEG, origin_kind="o", origin_id="o" * MEMO_MAX), "texts"),
        (request("k", LEG, origin_id="\x00"), "texts"),
        (request("k", LEG, origin_kind="\x00"), "texts"),
        (request("k", LEG, effective_at=NAIVE), "effective_at"),
        (request("k"), "legs"),
        (request("k", *[LEG] * (LEGS_MAX + 1)), "legs"),
        (request("k", LEG, pending=PENDING), "phase"),
        (request("k", LEG, timeout_at=NOW), "phase"),
        (request("k", LEG, phase="other"), "phase"),
        (request("k", LEG, phase="pending", reverses=PENDING), "phase"),
        (request("k", LEG, phase="pending", pending=PENDING), "pending"),
        (request("k", phase="post"), "pending"),
        (request("k", phase="void"), "pending"),
        (request("k", phase="pending"), "legs"),
        (request("k", *[LEG] * (LEGS_MAX + 1), phase="pending"), "legs"),
        (request("k", *[LEG] * (LEGS_MAX + 1), phase="post", pending=PENDING), "legs"),
        (request("k", LEG, phase="void", pending=PENDING), "legs"),
        (request("k", LEG, phase="pending", timeout_at=NAIVE), "timeout_at"),
        (request("k", phase="post", pending=PENDING, timeout_at=NOW), "timeout_at"),
        (request("k", phase="void", pending=PENDING, timeout_at=NOW), "timeout_at"),
        (request("k", leg_with(amount=0)), "amount-not-positive"),
        (request("k", leg_with(amount=-1)), "amount-not-positive"),
        (request("k", leg_with(amount=1.0)), "amount-not-positive"),
        (request("k", leg_with(amount=True)), "amount-not-positive"),
        (request("k", leg_with(amount="4")), "amount-not-positive"),
        (request("k", leg_with(amount=AMOUNT_MAX + 1)), "amount"),
        (request("k", leg_with(source="")), "account"),
        (request("k", leg_with(destination="")), "account"),
        (request("k", leg_with(asset="")), "account"),
        (request("k", leg_with(asset="x" * (KEY_MAX + 1))), "account"),
        (request("k", leg_with(source="\x00")), "account"),
        (request("k", leg_with(destination="a")), "same-account"),
        (request("k", leg_with(lot=LotTerms("f" * (TERMS_MAX + 1)))), "lot"),
        (request("k", leg_with(lot=LotTerms("f" * 500, None, "r" * 301))), "lot"),
        (request("k", leg_with(lot=LotTerms("", None, "", False, "o" * 500, "o" * 301))), "lot"),
        (request("k", leg_with(lot=LotTerms("\x00"))), "lot"),
        (request("k", leg_with(lot=LotTerms("", None, "\x00"))), "lot"),
        (request("k", leg_with(lot=LotTerms("", None, "", False, "\x00"))), "lot"),
        (request("k", leg_with(lot=LotTerms("", None, "", False, "", "\x00"))), "lot"),
        (request("k", leg_with(lot=LotTerms("f", NAIVE))), "lot.expires_at"),
        (request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 4),))), "pieces"),
        (
            request("k", leg_with(pieces=(Piece(LotTerms(), 0, None, 4),)), phase="pending"),
            "pieces",
        ),
        (
            request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 4),)), phase="post",
                    pending=PENDING),
            "pieces",
        ),
        (request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 3),)), reverses=PENDING), "pieces"),
        (request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 5), Piece(LotTerms(), 5, 5, -1))),
                 reverses=PENDING), "pieces"),
        (request("k", leg_with(pieces=(Piece(LotTerms(), 0, 0, 4), Piece(LotTerms(), 4, 4, 0))),
                 reverses=PENDING), "pieces"),
        (request("k", leg_with(pieces=()), reverses=PENDING), "pieces"),
        (request("k", LEG, leg_with(amount=0)), "amount-not-positive"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(asked, expected):
    assert what(asked) == expected


def test_the_first_instant_of_its_time_zone_counts_as_aware():
    assert check_form(request("k", LEG, effective_at=NOW - timedelta(days=9999))) is None
