"""Importing, matching, correcting and undoing on a real database and a real ledger."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import psycopg
import pytest

from ledger.reconciliation.town import ACCOUNTANT, CHECKER, CITY, DAY, SEOUL, Town, found
from onsil import ledger
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.ledger.reconciliation import (
    Finding,
    ImportReport,
    Order,
    Proposal,
    Taken,
    ask,
    comment,
    decide,
    exceptions,
    history,
    imported_file,
    imported_files,
    lines_for,
    note_taken,
    open_lines,
    reconcile,
    sums,
)
from onsil.proof import audit_trail

REF = "91234567890128"


@pytest.fixture
def town(conn) -> Town:
    return found(conn)


def open_of(town: Town) -> list[Finding]:
    return exceptions(town.conn, CITY, town.trust, DAY + timedelta(days=10))


def done(answer: Proposal | Refusal) -> Proposal:
    assert isinstance(answer, Proposal), answer
    return answer


def code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def balance(town: Town, account: str) -> int:
    return ledger.balance(town.conn, CITY, account, "KRW")


def count(town: Town, table: str) -> int:
    with cursor(town.conn) as run:
        row = run.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    assert row
    return row[0]


def test_a_day_of_charges_and_payouts_matches_by_itself(town):
    town.charge("c1", 50_000, memo=REF)
    town.charge("c2", 20_000)
    town.pay_out("p1", 8_000, "file-1")
    town.pay_out("p2", 4_000, "file-1")
    town.bank_says(50_000, memo=REF)
    town.bank_says(20_000)
    town.bank_says(-12_000, text="정산 지급", days=1)
    report = town.reconciled(days=1)
    assert (report.taken_in, report.matches, report.open_bank, report.open_book) == (4, 3, 0, 0)
    at = sums(town.conn, CITY, "trust")
    assert (at.matched, at.matched_sum, at.open_bank, at.tolerated) == (3, 58_000, 0, 0)
    assert open_of(town) == []
    again = reconcile(town.conn, CITY, town.trust, town.clock, SEOUL)
    assert (again.taken_in, again.matches) == (0, 0)


def test_a_line_booked_later_is_open_at_the_end_of_the_day(town):
    town.charge("c1", 50_000, memo=REF)
    town.bank_says(50_000, memo=REF, days=1)
    town.reconciled(days=1)
    at = sums(town.conn, CITY, "trust", DAY)
    assert (at.matched, at.open_book, at.open_book_sum) == (0, 1, 50_000)
    assert sums(town.conn, CITY, "trust", DAY + timedelta(days=1)).open_book == 0


def test_the_same_file_twice_and_overlapping_files_add_nothing_twice(town):
    town.bank_says(50_000)
    first = town.bring_in()
    assert isinstance(first, ImportReport)
    assert (first.lines, first.fresh, first.repeated) == (1, 1, False)
    before = [count(town, t) for t in ("reconciliation_line", "reconciliation_file", "proof_audit")]
    second = town.bring_in()
    assert isinstance(second, ImportReport)
    assert (second.file_id, second.fresh, second.repeated) == (first.file_id, 0, True)
    after = [count(town, t) for t in ("reconciliation_line", "reconciliation_file", "proof_audit")]
    assert after == before
    town.bank_says(7_000, days=1)
    third = town.bring_in()
    assert isinstance(third, ImportReport)
    assert (third.lines, third.fresh) == (2, 1)
    assert len(open_lines(town.conn, CITY, "trust", "bank")) == 2


def test_the_original_is_kept_byte_for_byte(town):
    town.bank_says(50_000)
    report = town.bring_in()
    kept = imported_file(town.conn, CITY, report.file_id)
    assert kept is not None
    assert kept[1] == town.file()
    assert imported_files(town.conn, CITY)[0].name == "통장.csv"
    assert imported_file(town.conn, CITY, new_id()) is None


def test_a_file_with_one_bad_line_is_not_taken_at_all(town):
    town.bank_says(50_000)
    town.told.append("2026-03-03,10:00:00,0,많이,50001,,,,")
    answer = town.bring_in()
    assert code(answer) == "file-unreadable"
    assert [(b.number, b.field) for b in answer.facts["lines"]] == [(3, "incoming")]
    assert count(town, "reconciliation_file") == count(town, "reconciliation_line") == 0


def test_files_for_nobody_or_in_another_form_are_refused(town):
    from onsil.ledger.reconciliation import import_file

    def take(account: str, form: str) -> str:
        return code(import_file(town.conn, CITY, town.setup, account, form, "x", b"x", ACCOUNTANT,
                                town.clock, SEOUL))  # fmt: skip

    assert take("nobody", "bank-csv") == "bank-account-unknown"
    assert take("trust", "card-fixed") == "file-format-unknown"


def test_two_exceptions_are_matched_by_hand_with_a_reason(town):
    town.charge("c1", 30_000)
    town.bank_says(30_000, days=9, text="늦은 입금")
    town.reconciled(days=9)
    late = open_of(town)
    assert sorted(f.problem for f in late) == ["late", "late"]
    lines = tuple(f.line.id for f in late)
    assert code(ask(town.office, Order("match", " ", lines), ACCOUNTANT)) == "reason-missing"
    assert code(ask(town.office, Order("match", "x", lines[:1]), ACCOUNTANT)) in (
        "no-lines", "sums-differ",
    )  # fmt: skip
    made = done(ask(town.office, Order("match", "은행이 늦게 기장함", lines), ACCOUNTANT))
    assert not made.waiting
    assert open_of(town) == []
    assert code(ask(town.office, Order("match", "again", lines), ACCOUNTANT)) == "line-not-open"
    told = history(town.conn, CITY, late[0].line)
    assert [(e.kind, e.text_ko, e.undoable) for e in told] == [
        ("match", "은행이 늦게 기장함", True)
    ]


def test_sums_that_differ_are_not_matched(town):
    town.charge("c1", 30_000, memo=REF)
    town.bank_says(29_000, memo=REF)
    town.reconciled()
    lines = tuple(f.line.id for f in open_of(town))
    answer = ask(town.office, Order("match", "x", lines), ACCOUNTANT)
    assert code(answer) == "sums-differ"
    assert answer.facts["difference"] == -1_000


def test_interest_is_written_to_the_books_and_matched(town):
    town.charge("c1", 30_000)
    town.bank_says(30_000)
    town.bank_says(120, text="예금이자", days=1)
    town.reconciled(days=1)
    (one,) = open_of(town)
    assert one.problem == "missing-in-ledger"
    order = Order("correct", "분기 예금 이자", (one.line.id,), correction="interest")
    made = done(ask(town.office, order, ACCOUNTANT))
    assert balance(town, "interest:trust") == 120
    assert balance(town, "external:bank") == -30_120
    assert open_of(town) == []
    assert ledger.conservation(town.conn, CITY) == []
    transfer = ledger.transfers_of(town.conn, CITY, "reconciliation", str(made.id))[0]
    assert (transfer.kind, transfer.memo) == ("correction", "분기 예금 이자")
    assert code(ask(town.office, order, ACCOUNTANT)) == "line-not-open"
    assert balance(town, "interest:trust") == 120


def test_a_fee_kept_back_by_the_bank_is_corrected_on_both_lines(town):
    town.charge("c1", 30_000, memo=REF)
    town.bank_says(29_500, memo=REF)
    town.reconciled()
    lines = tuple(f.line.id for f in open_of(town))
    done(ask(town.office, Order("correct", "수수료", lines, correction="bank-fee"), ACCOUNTANT))
    assert balance(town, "fee:bank") == -500
    assert open_of(town) == []
    at = sums(town.conn, CITY, "trust")
    assert (at.open_bank, at.open_book, at.tolerated) == (0, 0, 0)


def test_corrections_that_make_no_sense_are_refused(town):
    town.charge("c1", 30_000)
    town.bank_says(30_000, days=9)
    town.reconciled(days=9)
    lines = tuple(f.line.id for f in open_of(town))
    assert code(ask(town.office, Order("correct", "x", lines, correction="interest"),
                    ACCOUNTANT)) == "nothing-to-correct"  # fmt: skip
    assert code(ask(town.office, Order("correct", "x", lines[:1], correction="pocket"),
                    ACCOUNTANT)) == "correction-unknown"  # fmt: skip
    assert code(ask(town.office, Order("match", "x", (new_id(),)), ACCOUNTANT)) == "line-not-open"


def test_above_the_limit_a_second_person_decides(town):
    town.bank_says(500_000, text="누구인지 모르는 입금")
    town.reconciled()
    (one,) = open_of(town)
    order = Order("correct", "확인 중", (one.line.id,), correction="suspense")
    asked = done(ask(town.office, order, ACCOUNTANT))
    assert asked.waiting
    assert balance(town, "suspense:trust") == 0
    assert code(decide(town.office, asked.id, True, ACCOUNTANT)) == "maker-is-checker"
    done(decide(town.office, asked.id, True, CHECKER))
    assert balance(town, "suspense:trust") == 500_000
    assert code(decide(town.office, asked.id, True, CHECKER)) == "proposal-decided"
    assert open_of(town) == []
    acts = [(r.actor, r.action) for r in audit_trail(town.conn, CITY, 10)]
    assert (ACCOUNTANT, "reconciliation.correct") in acts
    assert (CHECKER, "reconciliation.done") in acts


def test_what_was_declined_stays_open(town):
    town.bank_says(500_000)
    town.reconciled()
    (one,) = open_of(town)
    order = Order("correct", "확인 중", (one.line.id,), correction="suspense")
    asked = done(ask(town.office, order, ACCOUNTANT))
    done(decide(town.office, asked.id, False, CHECKER))
    assert balance(town, "suspense:trust") == 0
    assert [f.line.id for f in open_of(town)] == [one.line.id]
    assert [e.kind for e in history(town.conn, CITY, one.line)] == ["proposal-declined"]


def test_an_approval_that_comes_too_late_changes_nothing(town):
    town.charge("c1", 500_000)
    town.bank_says(500_000, days=9)
    town.reconciled(days=9)
    lines = tuple(f.line.id for f in open_of(town))
    asked = done(ask(town.office, Order("match", "x", lines), ACCOUNTANT))
    second = done(ask(town.office, Order("match", "y", lines), ACCOUNTANT))
    done(decide(town.office, asked.id, True, CHECKER))
    assert code(decide(town.office, second.id, True, CHECKER)) == "line-not-open"


def test_a_match_is_undone_and_no_rule_makes_it_again(town):
    town.charge("c1", 30_000)
    town.bank_says(30_000)
    town.reconciled()
    (line,) = [
        x for x in (*lines_for(town.conn, CITY, town.setup, "nobody"),)
    ]  # the bank's line, matched or not
    match = _match_of(town, line.id)
    done(ask(town.office, Order("undo", "다른 사람의 돈", match_id=match), ACCOUNTANT))
    assert len(open_of(town)) == 2
    again = reconcile(town.conn, CITY, town.trust, town.clock, SEOUL)
    assert again.matches == 0
    assert code(ask(town.office, Order("undo", "x", match_id=match), ACCOUNTANT)) == "match-undone"


def _match_of(town: Town, line_id):
    from onsil.ledger.reconciliation import line

    found_line = line(town.conn, CITY, line_id)
    assert found_line is not None
    return [e.match_id for e in history(town.conn, CITY, found_line) if e.kind == "match"][-1]


def test_undoing_a_correction_takes_the_posting_back(town):
    town.bank_says(120, text="예금이자")
    town.reconciled()
    (one,) = open_of(town)
    made = done(ask(town.office, Order("correct", "이자", (one.line.id,), correction="interest"),
                    ACCOUNTANT))  # fmt: skip
    done(ask(town.office, Order("undo", "이자가 아님", match_id=made.match_id), ACCOUNTANT))
    assert balance(town, "interest:trust") == 0
    assert [f.line.id for f in open_of(town)] == [one.line.id]
    assert open_lines(town.conn, CITY, "trust", "book") == []


def test_the_database_lets_a_line_into_one_living_match_only(town):
    from onsil.ledger.reconciliation import Match, Text
    from onsil.ledger.reconciliation.store import add_match

    town.charge("c1", 30_000)
    town.bank_says(30_000)
    town.reconciled()
    bank = lines_for(town.conn, CITY, town.setup, "nobody")[0]
    from onsil.ledger.reconciliation import line

    held = line(town.conn, CITY, bank.id)
    assert held is not None
    again = Match("by-hand", Text("또", "again"), (held,), (), tolerance=30_000)
    with pytest.raises(psycopg.errors.UniqueViolation):
        add_match(town.conn, CITY, new_id(), "trust", again, rules_from=None, correction=None,
                  actor="x", at=town.clock.now())  # fmt: skip


def test_a_difference_above_the_tolerance_cannot_be_written(town):
    from onsil.ledger.reconciliation import Match, Text, line
    from onsil.ledger.reconciliation.store import add_match

    town.bank_says(30_000)
    town.reconciled()
    held = line(town.conn, CITY, open_of(town)[0].line.id)
    assert held is not None
    wrong = Match("by-hand", Text("틀림", "wrong"), (held,), ())
    with pytest.raises(psycopg.errors.CheckViolation):
        add_match(town.conn, CITY, new_id(), "trust", wrong, rules_from=None, correction=None,
                  actor="x", at=town.clock.now())  # fmt: skip


def test_comments_and_what_other_rooms_said_are_part_of_the_story(town):
    town.bank_says(7_000, memo=REF, party="김하나")
    town.reconciled()
    (one,) = lines_for(town.conn, CITY, town.setup, "charges")
    assert (one.reference, one.depositor, one.amount, one.booked_on) == (REF, "김하나", 7_000, DAY)
    note_taken(town.conn, CITY, "charges",
               Taken(one.id, "exception", "주문이 없습니다", "no such order", "deposit", "d1"),
               town.clock)  # fmt: skip
    assert lines_for(town.conn, CITY, town.setup, "charges") == []
    assert len(lines_for(town.conn, CITY, town.setup, "others")) == 1
    assert comment(town.conn, CITY, one.id, "전화해 봄", ACCOUNTANT, town.clock) is None
    assert code(comment(town.conn, CITY, one.id, " ", ACCOUNTANT, town.clock)) == "reason-missing"
    assert code(comment(town.conn, CITY, new_id(), "x", ACCOUNTANT, town.clock)) == "line-not-open"
    told = history(town.conn, CITY, open_of(town)[0].line)
    assert {e.kind for e in told} == {"taken-exception", "comment"}


def test_money_going_out_is_shown_to_nobody(town):
    town.bank_says(10_000)
    town.bank_says(-3_000)
    town.bring_in()
    assert [x.amount for x in lines_for(town.conn, CITY, town.setup, "charges")] == [10_000]


def test_two_at_once_import_one_file_once_and_match_once(
    connector: Callable[..., Connection],
) -> None:
    """The same file from four desks at once: one import, no line twice, one match."""
    with connector() as first:
        town = found(first)
        town.charge("c1", 30_000)
    town.bank_says(30_000)
    content = town.file()

    def desk(_: int) -> tuple[bool, int]:
        with connector() as conn:
            mine = Town(conn, town.clock, town.setup)
            report = mine.bring_in(content)
            assert isinstance(report, ImportReport)
            return report.repeated, reconcile(conn, CITY, mine.trust, town.clock, SEOUL).matches

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(desk, range(4)))
    assert sorted(r for r, _ in answers) == [False, True, True, True]
    assert sum(m for _, m in answers) == 1
    with connector() as conn:
        assert sums(conn, CITY, "trust").matched == 1


def test_another_citys_lines_are_not_seen(town):
    town.bank_says(30_000)
    town.reconciled()
    assert exceptions(town.conn, "goyang", town.trust, date(2026, 4, 1)) == []
    assert open_lines(town.conn, "goyang", "trust", "bank") == []
