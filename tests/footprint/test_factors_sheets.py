"""Spreadsheets as offices have them: what could be read in two ways is named, never guessed."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment

from onsil.footprint.factors.imports import check_upload, read_upload

HEAD = [
    ["@id", "office-table"], ["@publisher", "시험 발행처"], ["@document", "시험 문서"],
    ["@published", "2026-01-15"], ["@read", "2026-02-01"], ["@maturity", "secondary"],
    ["@programmes", "inventory"],
]  # fmt: skip
NAMES = ["commodity", "boundary", "unit", "co2", "ch4", "n2o"]
ROW = ["electricity", "consumption", "kg/MWh", 474.7, 0.0125, 0.01]
LAST = len(HEAD) + 2


def book(change: Callable[[Any, Any], None] = lambda book, page: None) -> bytes:
    made = Workbook()
    page = made.active
    assert page is not None
    for row in (*HEAD, NAMES, ROW):
        page.append(row)
    change(made, page)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def text(row: list[Any] | None = None, names: list[str] | None = None, sign: str = ",") -> str:
    rows = [*HEAD, names or NAMES, row or ROW]
    return "\n".join(sign.join(f'"{cell}"' for cell in line) for line in rows)


def accepted(name: str, content: bytes) -> dict[str, Any]:
    read = read_upload(name, content)
    assert isinstance(read, list), read
    made, findings = check_upload(read[0])
    assert not [one for one in findings if one.severity == "block"], findings
    return made


def test_a_clean_sheet_is_read_as_it_is():
    for name, content in (("x.xlsx", book()), ("x.csv", text().encode())):
        (factor,) = accepted(name, content)["factor"]
        assert (factor["co2"], factor["n2o"], factor["unit"]) == ("474.7", "0.01", "kg/MWh")


def _merge(_book, page):
    page.merge_cells(f"A{LAST}:B{LAST}")


def _hide_column(_book, page):
    page.column_dimensions["D"].hidden = True


def _hide_columns(_book, page):
    page.column_dimensions.group("D", "F", hidden=True)


def _hide_row(_book, page):
    page.row_dimensions[LAST].hidden = True


def _formula(_book, page):
    page.cell(LAST, 4).value = "=474.7*1"


def _percent(_book, page):
    page.cell(LAST, 4).value = 0.05
    page.cell(LAST, 4).number_format = "0%"


def _error(_book, page):
    page.cell(LAST, 4).value = "#REF!"


def _other_sheet(book, _page):
    book.create_sheet("2024년").append(["electricity", 1])


def _comma(_book, page):
    page.cell(LAST, 4).value = "1,234.5"


def _beyond(_book, page):
    page.cell(LAST, 9).value = "비고"


def _unit_in_header(_book, page):
    page.cell(LAST - 1, 4).value = "CO2 (kg/MWh)"


def _unit_row(_book, page):
    for column, cell in enumerate(["", "", "", "kg/MWh", "kg/MWh", "kg/MWh"], 1):
        page.cell(LAST + 1, column).value = cell


def _dash(_book, page):
    page.cell(LAST, 5).value = "-"


def _with_unit(_book, page):
    page.cell(LAST, 4).value = "474.7 kg"


def _two_values(_book, page):
    page.cell(2, 3).value = "다른 발행처"


def _twice(_book, page):
    page.cell(3, 1).value = "@publisher"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_merge, f"A{LAST}:B{LAST}"), (_hide_column, f"D{LAST}"), (_hide_columns, f"E{LAST}"),
        (_hide_row, f"A{LAST}"), (_formula, f"D{LAST}"), (_percent, f"D{LAST}"),
        (_error, f"D{LAST}"), (_other_sheet, "2024년"), (_comma, f"D{LAST} (co2)"),
        (_beyond, f"I{LAST}"), (_unit_in_header, f"D{LAST - 1}"),
        (_unit_row, f"D{LAST + 1} (co2)"), (_dash, f"E{LAST} (ch4)"),
        (_with_unit, f"D{LAST} (co2)"), (_two_values, "C2"), (_twice, "A3"),
    ],
)  # fmt: skip
def test_every_doubtful_place_of_a_workbook_is_named(refused, change, place):
    no = refused(read_upload("x.xlsx", book(change)), "sheet-doubtful")
    assert place in no.facts["places"]
    assert place in no.ko
    assert place in no.en


def test_all_places_are_told_at_once(refused):
    def change(book, page):
        _formula(book, page)
        _hide_row(book, page)
        _other_sheet(book, page)

    no = refused(read_upload("x.xlsx", book(change)), "sheet-doubtful")
    assert len(no.facts["places"]) >= 8


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("0,4747", "comma"), ("1.234,5", "comma"), ("12,345,678", "comma"), ("5%", "percentage"),
        ("=A1*2", "formula"), ("없음", "no number"), ("~474", "no number"), ("4 747", "no number"),
        ("４７４", "no number"), ("1_000", "no number"), ("NaN", "no number"),
    ],
)  # fmt: skip
def test_what_is_no_plain_number_is_not_guessed(refused, value, why):
    row = [*ROW[:3], value, *ROW[4:]]
    no = refused(read_upload("x.csv", text(row).encode()), "sheet-doubtful")
    assert why in no.en
    assert f"D{LAST} (co2)" in no.facts["places"]


def test_korean_excels_csv_is_read(refused):
    made = accepted("한전.csv", text().encode("cp949"))
    assert made["publisher"] == "시험 발행처"
    refused(read_upload("x.csv", text().encode("utf-16")), "file-unreadable")
    refused(read_upload("x.csv", text(sign=";").encode()), "sheet-doubtful")
    assert "XLSX" in refused(read_upload("x.xls", b"\xd0\xcf\x11\xe0"), "file-unreadable").en


@pytest.mark.parametrize(
    ("unit", "plain"),
    [("㎏/㎿h", "kg/MWh"), ("kg/㎾h", "kg/kWh"), ("kg/m³", "kg/m3"), ("kg/㎥", "kg/m3")],
)
def test_units_written_in_one_sign_are_the_same_units(unit, plain):
    row = ["x", "supply", unit, *ROW[3:]]
    assert accepted("x.csv", text(row).encode())["factor"][0]["unit"] == plain


@pytest.mark.parametrize("unit", ["tCO2/MWh", "kgCO2/MWh", "톤/MWh", "kg/천㎥", "kg", ""])
def test_other_units_block(unit):
    read = read_upload("x.csv", text([*ROW[:2], unit, *ROW[3:]]).encode())
    assert isinstance(read, list)
    assert any(one.severity == "block" for one in check_upload(read[0])[1])


def test_rows_may_have_their_own_grade_and_note():
    rows = [
        ["@kind", "coefficients"], *HEAD[:6], ["@table", "density"],
        ["key", "density", "row_maturity", "row_note"], ["@unit", "t/m3"],
        ["pine", "0.42", "recalled", "잎갈나무, 1-2등급"],
    ]  # fmt: skip
    content = "\n".join(",".join(f'"{cell}"' for cell in line) for line in rows)
    made = accepted("x.csv", content.encode())
    assert made["columns"] == {"density": "t/m3"}
    assert made["row"][0]["row_note"] == "잎갈나무, 1-2등급"


def test_remarks_that_are_no_values_do_no_harm():
    def change(_book, page):
        page.cell(LAST, 4).comment = Comment("2023년 값", "담당자")
        page.column_dimensions["Z"].hidden = True

    assert accepted("x.xlsx", book(change))["factor"][0]["co2"] == "474.7"


@given(
    cell=st.one_of(
        st.text(alphabet="0123456789.,-+eE% ", max_size=8).filter(str.strip),
        st.decimals(min_value=6, max_value=1200, places=3).map(str),
    )
)
def test_a_cell_is_taken_as_written_or_not_at_all(cell):
    read = read_upload("x.csv", text([*ROW[:3], cell, *ROW[4:]]).encode())
    if isinstance(read, list):
        assert read[0]["factor"][0]["co2"] == cell.strip()
        assert not set(cell.strip()) & set(",% ")
