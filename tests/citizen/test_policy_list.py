"""Lists of recipients as offices write them."""

import io
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from onsil.citizen import policy_list
from onsil.citizen.policy_list import Defaults
from onsil.core.refusal import Refusal

NONE = Defaults()
USUAL = Defaults("relief", date(2026, 12, 31), "policy")


def read(text: str | bytes, defaults: Defaults = USUAL, rows: int = 100):
    content = text.encode() if isinstance(text, str) else text
    return policy_list.read(content, defaults, rows)


def good(text: str | bytes, defaults: Defaults = USUAL):
    answer = read(text, defaults)
    assert not isinstance(answer, Refusal), answer
    return [line.row for line in answer]


def code(text: str | bytes, rows: int = 100) -> str:
    answer = read(text, rows=rows)
    assert isinstance(answer, Refusal)
    return answer.code


def test_two_columns_are_enough() -> None:
    (row,) = good('대상자,금액\n Kim@City.KR ,"100,000원"\n')
    assert (row.number, row.person, row.amount) == (2, "kim@city.kr", 100_000)
    assert (row.fund, row.last_day, row.merchant_rule) == ("relief", date(2026, 12, 31), "policy")


def test_a_rows_own_cells_go_before_what_holds_for_all() -> None:
    (row,) = good("금액,대상자,재원,사용 기한,사용처\n5,a@b,coupon,2026.11.30.,kind:market\n")
    assert (row.fund, row.last_day, row.merchant_rule) == (
        "coupon", date(2026, 11, 30), "kind:market",
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("mark", [",", "\t"])
def test_as_office_programs_write_it(encoding: str, mark: str) -> None:
    text = f"대상자{mark}금액\r\na@b{mark}7\r\n\r\n"
    assert [row.amount for row in good(text.encode(encoding))] == [7]


def test_an_excel_workbook() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["person", "amount", "last day"])
    sheet.append(["a@b", 1000.0, datetime(2026, 12, 1)])  # noqa: DTZ001 - a cell has no zone
    sheet.append([None, None, None])
    sheet.append(["c@d", 10.5, "2026-12-02"])
    out = io.BytesIO()
    book.save(out)
    rows = good(out.getvalue())
    assert [(r.number, r.amount, r.last_day) for r in rows] == [
        (2, 1000, date(2026, 12, 1)), (4, None, date(2026, 12, 2)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "policy-file-empty"),
        ("대상자,금액\n", "policy-file-empty"),
        ("이름,금액\na,1\n", "policy-file-columns"),
        ("a\x00b", "policy-file-unreadable"),
        (b"\xff\xfe\x81", "policy-file-unreadable"),
        (b"PK\x03\x04 not a workbook", "policy-file-unreadable"),
        ("대상자,금액\na,1\nb,2\nc,3\n", "policy-file-too-long"),
    ],
)
def test_what_is_no_list_is_refused(content, said: str) -> None:
    assert code(content, rows=2) == said


def test_a_file_of_any_size_is_not_read() -> None:
    assert code(b"x" * (policy_list.BYTES_MAX + 1)) == "policy-file-too-long"


@pytest.mark.parametrize(
    ("written", "amount"),
    [("100", 100), ("1,000 원", 1000), ("-5", None), ("1.5", None), ("백원", None), ("", None),
     ("１００", None), (True, None), (2.0, 2), (2.5, None)],
)  # fmt: skip
def test_amounts(written: object, amount: int | None) -> None:
    assert policy_list.whole(written) == amount


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-2-3", date(2026, 2, 3)), ("20260203", date(2026, 2, 3)), ("2026-02-30", None),
     ("내일", None), (None, None)],
)  # fmt: skip
def test_days(written: object, day: date | None) -> None:
    assert policy_list.day(written) == day


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    answer = policy_list.read(content, NONE, 50)
    assert isinstance(answer, Refusal) or all(line.row.number > 1 for line in answer)
