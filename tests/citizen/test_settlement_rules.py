"""The settlement's arithmetic and its file."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.citizen import settlement
from onsil.citizen.settlement import Payee, Sale
from onsil.core.refusal import OperationError
from onsil.ledger.rules.settlement import FeeClass, SettlementRule

SEOUL = ZoneInfo("Asia/Seoul")
A, B = UUID(int=1), UUID(int=2)
PAYEES = [Payee(A, "데모 가맹점", "000-00-00000"), Payee(B, "=HYPERLINK(1)", "000-00-00015")]
DAY = date(2025, 7, 1)


def test_the_day_is_cut_at_the_citys_midnight():
    period = settlement.day_period(DAY, SEOUL)
    assert datetime(2025, 6, 30, 15, 0, tzinfo=UTC) in period
    assert datetime(2025, 7, 1, 14, 59, 59, 999999, tzinfo=UTC) in period
    assert datetime(2025, 7, 1, 15, 0, tzinfo=UTC) not in period


def test_yesterday_is_due_by_the_citys_calendar():
    assert settlement.due_day(datetime(2025, 7, 1, 14, 59, tzinfo=UTC), SEOUL) == date(2025, 6, 30)
    assert settlement.due_day(datetime(2025, 7, 1, 15, 0, tzinfo=UTC), SEOUL) == DAY


def test_cancelling_ends_at_the_citys_midnight():
    paid = datetime(2025, 7, 1, 14, 58, tzinfo=UTC)
    assert settlement.cancellable(paid, datetime(2025, 7, 1, 14, 59, tzinfo=UTC), SEOUL)
    assert not settlement.cancellable(paid, datetime(2025, 7, 1, 15, 0, tzinfo=UTC), SEOUL)


SALES = st.integers(1, 9999).flatmap(
    lambda amount: st.builds(Sale, st.sampled_from([A, B]), st.just(amount), st.integers(0, amount))
)


@given(st.lists(SALES))
@settings(max_examples=50)
def test_lines_account_for_every_sale(sales):
    rows = settlement.lines(sales, PAYEES)
    assert sum(r.payments for r in rows) == len(sales)
    assert sum(r.cancellations for r in rows) == sum(s.cancelled > 0 for s in sales)
    assert sum(r.net for r in rows) == sum(s.amount - s.cancelled for s in sales)
    assert {r.payee.merchant_id for r in rows} == {s.merchant_id for s in sales}
    assert settlement.lines(reversed(sales), PAYEES) == rows


def test_a_sale_of_an_unknown_shop_is_never_passed_over():
    with pytest.raises(KeyError):
        settlement.lines([Sale(UUID(int=3), 10, 0)], PAYEES)


def test_the_file_opens_in_a_spreadsheet_and_adds_up():
    sales = [Sale(A, 4500, 0), Sale(A, 500, 500), Sale(B, 1200, 0)]
    rows = settlement.lines(sales, PAYEES)
    content = settlement.file_bytes(DAY, date(2025, 7, 2), rows)
    assert content.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [len(row) for row in read] == [len(settlement.HEADER)] * 4
    assert read[1][3:] == [
        "데모 가맹점",
        "000-00-00000",
        "2",
        "5000",
        "1",
        "500",
        "0",
        "0",
        "0",
        "4500",
    ]
    assert read[2][3] == "'=HYPERLINK(1)"
    assert read[3][5:] == ["3", "6200", "1", "500", "0", "0", "0", "5700"]
    assert settlement.file_bytes(DAY, date(2025, 7, 2), rows) == content
    assert len(settlement.file_digest(content)) == 64


def test_a_shops_own_file_tells_what_was_taken_back_in_part():
    at = datetime(2025, 7, 1, 12, 0, tzinfo=SEOUL)
    rows = [settlement.ShopRow(at, "AB23", 4500, 0), settlement.ShopRow(at, "CD45", 1000, 400),
            settlement.ShopRow(at, "EF67", 700, 700)]  # fmt: skip
    content = settlement.shop_file_bytes(
        DAY, date(2025, 7, 2), rows, cashback=30, fee=12, subsidy=6
    )
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row[4:] for row in read[1:]] == [
        ["결제 paid", "4500", "4500"], ["부분취소 partly cancelled", "1000", "600"],
        ["취소 cancelled", "700", "0"], ["합계 total", "6200", "5100"],
        ["가맹점 부담 캐시백 shop cashback", "", "-30"], ["수수료 fee", "", "-12"],
        ["수수료 지원금 subsidy", "", "6"], ["지급금액 net", "", "5064"],
    ]  # fmt: skip


def test_a_day_without_sales_has_a_file_that_says_so():
    content = settlement.file_bytes(DAY, date(2025, 7, 2), ())
    assert content.decode("utf-8-sig").splitlines()[1].endswith(",0,0,0,0,0,0,0,0")


RULE = SettlementRule(
    2, (FeeClass("small", "영세", "Small", Decimal("0.25"), Decimal(100), 300_000_000),
        FeeClass("general", "일반", "General", Decimal("1.5"))),
    minimum_krw=1_000,
)  # fmt: skip


def test_fees_are_by_the_shops_yearly_sales_and_repaid_to_small_ones():
    rows = settlement.lines([Sale(A, 100_000, 0, 300), Sale(B, 100_000, 20_000)], PAYEES)
    made, carried = settlement.with_fees(rows, {A: 300_000_000, B: 300_000_001}, DAY, RULE)
    assert [(r.fee_class, r.fee, r.subsidy, r.shop_cashback, r.net) for r in made] == [
        ("small", 250, 250, 300, 99_700), ("general", 1_200, 0, 0, 78_800),
    ]  # fmt: skip
    assert carried == frozenset()


def test_too_small_a_sum_waits():
    rows = settlement.lines([Sale(A, 999, 0), Sale(B, 5_000, 0)], PAYEES)
    made, carried = settlement.with_fees(rows, {A: 1, B: 1}, DAY, RULE)
    assert ([r.payee.merchant_id for r in made], carried) == ([B], {A})


def test_a_rule_without_a_fee_for_a_shop_is_an_error():
    rows = settlement.lines([Sale(A, 999, 0)], PAYEES)
    with pytest.raises(OperationError, match="no fee"):
        settlement.with_fees(rows, {A: 10**12}, DAY, replace(RULE, fees=RULE.fees[:1]))
    with pytest.raises(KeyError):
        settlement.with_fees(rows, {}, DAY, RULE)


@given(st.lists(SALES), st.integers(0, 10**12))
@settings(max_examples=50)
def test_no_shop_is_paid_more_than_it_sold(sales, yearly):
    rows = settlement.lines(sales, PAYEES)
    made, carried = settlement.with_fees(rows, {A: yearly, B: yearly}, DAY, RULE)
    assert {r.payee.merchant_id for r in made} | carried == {r.payee.merchant_id for r in rows}
    assert all(0 <= r.net <= r.sales for r in made)
