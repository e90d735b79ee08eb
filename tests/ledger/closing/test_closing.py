"""Closing days on a real database: what is checked, what stands in the way, what stays for ever."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from ledger.reconciliation.town import ACCOUNTANT, CHECKER, CITY, DAY, SEOUL, Town, found
from onsil.core.canonical import digest
from onsil.core.database import cursor
from onsil.core.refusal import Refusal
from onsil.ledger.closing import (
    Close,
    CloseRequest,
    Ground,
    close_day,
    close_due,
    closed_day,
    closes,
    decide_request,
    entry_source,
    last_closed,
    open_request,
    preview,
    request_close,
)
from onsil.ledger.reconciliation import Order, ask, exceptions
from onsil.proof import leaf
from onsil.proof.entries import entry_bytes

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def town(conn) -> Town:
    return found(conn)


def ground(town: Town) -> Ground:
    return Ground(town.conn, CITY, town.setup, SEOUL, town.clock)


def closed(answer: object) -> Close:
    assert isinstance(answer, Close), answer
    return answer


def code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def blocks(town: Town, day=DAY) -> list[str]:
    return [r.code for r in preview(ground(town), day).reasons if r.severity == "block"]


def a_clean_day(town: Town) -> None:
    town.charge("c1", 50_000)
    town.bank_says(50_000)
    town.reconciled()
    town.to_day(1)


def test_a_day_in_order_is_closed_with_its_figures(town):
    a_clean_day(town)
    made = closed(close_day(ground(town), DAY, ACCOUNTANT))
    figures = made.figures
    assert figures["balances"]["trust:local"] == 50_000
    assert (figures["circulating"], figures["trust"]) == (50_000, 50_000)
    (account,) = figures["accounts"]
    assert (account["bank"], account["book"], account["unexplained"]) == (50_000, 50_000, 0)
    assert made.digest == digest(figures)
    assert closed_day(town.conn, CITY, DAY) == made
    assert closes(town.conn, CITY, DAY, NEXT) == {DAY: made}


def test_figures_are_cut_at_the_citys_midnight(town):
    a_clean_day(town)
    town.charge("after midnight", 9_000)
    found_now = preview(ground(town), DAY)
    assert (found_now.trust, found_now.circulating) == (50_000, 50_000)
    assert found_now.clean


def test_money_under_way_explains_the_difference(town):
    town.charge("c1", 50_000)
    town.bank_says(50_000)
    town.pay_out("p1", 8_000, "file-1")
    town.reconciled()
    town.to_day(1)
    (account,) = preview(ground(town), DAY).accounts
    assert (account.bank, account.book, account.open_book_sum) == (50_000, 42_000, -8_000)
    assert account.unexplained == 0
    assert blocks(town) == []


def test_without_the_days_file_it_is_not_closed(town):
    town.charge("c1", 50_000)
    town.to_day(1)
    answer = close_day(ground(town), DAY, ACCOUNTANT)
    assert code(answer) == "close-not-in-order"
    assert [r.code for r in answer.facts["reasons"]] == ["no-file"]
    assert last_closed(town.conn, CITY) is None


def test_money_at_the_bank_that_no_line_explains_stops_the_close(town):
    town.charge("c1", 50_000)
    town.at_bank = 3
    town.bank_says(50_000)
    town.reconciled()
    town.to_day(1)
    assert blocks(town) == ["unexplained"]
    assert preview(ground(town), DAY).accounts[0].unexplained == 3


def test_old_exceptions_stop_the_close_and_young_ones_are_told(town):
    town.bank_says(120, text="이자")
    town.reconciled()
    town.to_day(1)
    notes = [r.code for r in preview(ground(town), DAY).reasons]
    assert notes == ["open-exceptions"]
    town.to_day(20)
    town.setup = replace(
        town.setup, accounts={"trust": replace(town.trust, stale_days=0)}
    )  # fmt: skip
    assert blocks(town) == ["stale-exceptions"]


def test_a_trust_short_of_what_circulates_stops_the_close(town):
    from onsil.ledger import Leg

    a_clean_day(town)
    town.to_day(0, 20)
    town.post("leak", "test", Leg("trust:local", "external:bank", "KRW", 10))
    town.to_day(1)
    assert {"trust-short", "ledger-trust-short"} <= set(blocks(town))


def test_days_are_closed_in_their_order_once_and_when_they_are_over(town):
    a_clean_day(town)
    assert code(close_day(ground(town), NEXT, ACCOUNTANT)) == "day-not-over"
    closed(close_day(ground(town), DAY, ACCOUNTANT))
    assert code(close_day(ground(town), DAY, ACCOUNTANT)) == "day-closed"
    town.to_day(5)
    answer = close_day(ground(town), NEXT + timedelta(days=1), ACCOUNTANT)
    assert code(answer) == "close-out-of-turn"
    assert answer.facts["next"] == NEXT
    with pytest.raises(psycopg.errors.InsufficientPrivilege), cursor(town.conn) as run:
        run.execute("UPDATE daily_close SET digest = repeat('0', 64)")


def test_a_day_not_in_order_is_closed_by_two_with_a_reason(town):
    town.charge("c1", 50_000)
    town.to_day(1)
    assert code(request_close(ground(town), DAY, " ", ACCOUNTANT)) == "reason-missing"
    asked = request_close(ground(town), DAY, "은행 휴일", ACCOUNTANT)
    assert isinstance(asked, CloseRequest)
    assert code(request_close(ground(town), DAY, "또", CHECKER)) == "close-asked"
    assert code(decide_request(ground(town), DAY, True, ACCOUNTANT)) == "maker-is-checker"
    made = closed(decide_request(ground(town), DAY, True, CHECKER))
    assert (made.override_reason, made.closed_by, made.approved_by) == (
        "은행 휴일", ACCOUNTANT, CHECKER,
    )  # fmt: skip
    assert made.figures["reasons"][0]["code"] == "no-file"
    assert code(decide_request(ground(town), DAY, True, CHECKER)) == "close-not-asked"


def test_a_declined_request_leaves_the_day_open(town):
    town.charge("c1", 50_000)
    town.to_day(1)
    request_close(ground(town), DAY, "은행 휴일", ACCOUNTANT)
    assert decide_request(ground(town), DAY, False, CHECKER) is None
    assert open_request(town.conn, CITY, DAY) is None
    assert closed_day(town.conn, CITY, DAY) is None


def test_a_posting_for_a_closed_day_is_an_adjustment_of_the_next_close(town):
    a_clean_day(town)
    first = closed(close_day(ground(town), DAY, ACCOUNTANT))
    late = town.charge("late", 700, effective_at=town.clock.now() - timedelta(hours=20))
    town.bank_says(700, days=1)
    town.reconciled(days=1)
    town.to_day(2)
    second = closed(close_day(ground(town), NEXT, ACCOUNTANT))
    assert closed_day(town.conn, CITY, DAY) == first
    assert first.figures["adjustments"] == []
    told = second.figures["adjustments"]
    assert {(a["account"], a["amount"], a["effective_on"]) for a in told} == {
        ("external:bank", -700, DAY.isoformat()), ("trust:local", 700, DAY.isoformat()),
    }  # fmt: skip
    assert {a["transfer_id"] for a in told} == {str(late.transfer_id)}


def test_a_match_of_a_closed_day_is_not_undone(town):
    a_clean_day(town)
    town.bank_says(30_000, days=1)
    closed(close_day(ground(town), DAY, ACCOUNTANT))
    with cursor(town.conn) as run:
        row = run.execute("SELECT id FROM reconciliation_match").fetchone()
    assert row
    answer = ask(town.office, Order("undo", "x", match_id=row[0]), ACCOUNTANT)
    assert code(answer) == "match-in-closed-day"


def test_each_close_is_a_leaf_that_its_row_still_says(town):
    a_clean_day(town)
    made = closed(close_day(ground(town), DAY, ACCOUNTANT))
    ((identity, entry),) = list(entry_source.entries(town.conn, CITY))
    assert identity == made.id
    held = leaf(town.conn, CITY, "daily-close", made.id)
    assert held is not None
    from hashlib import sha256

    content = entry_bytes(CITY, "daily-close", made.id, entry)
    assert sha256(held.salt + content).digest() == held.commitment


def test_every_morning_what_is_in_order_is_closed_up_to_yesterday(town):
    a_clean_day(town)
    made, no = close_due(ground(town), "job:daily-close")
    assert [c.day for c in made] == [DAY]
    assert no is None
    assert close_due(ground(town), "job:daily-close") == ([], None)
    town.charge("c2", 1_000)
    town.to_day(3)
    town.bank_says(1_000, days=1)
    town.reconciled(days=1)
    made, no = close_due(ground(town), "job:daily-close")
    assert [c.day for c in made] == [NEXT]
    assert code(no) == "close-not-in-order"
    assert exceptions(town.conn, CITY, town.trust, DAY) == []
