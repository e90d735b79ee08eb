"""Files in and out: a wrong row stores nothing; what goes out says what is missing."""

import csv
import io
import json
from decimal import Decimal

import openpyxl
import pytest
from footprint_world import CITY, World
from inventory_books import compiled, electricity, granted, opened, put, stated, the_rest

from onsil.footprint import inventory
from onsil.footprint.inventory import showing

HEAD = ("code,ref,name,amount,unit,document,programme,factor_set,commodity,boundary,tier,"
        "activity_quality,factor_quality,method,notation")  # fmt: skip
GOOD = ("power,I.1.2,가정 전력,\"1,000\",MWh,통계,inventory,kr-grid-2021,electricity,consumption,2,"
        "H,M,곱하기,")  # fmt: skip
EMPTY = GOOD.replace('"1,000"', "")
NOTED = "sea,II.3.1,해운,,,,,,,,,,,,NO"


def imported(world: World, text: str | bytes, name: str = "a.csv", **changed):
    book = opened(world)
    data = text if isinstance(text, bytes) else text.encode()
    made = inventory.import_lines(
        world.conn, CITY, book.id, data, name, changed.get("cause", "activity"), "", "maker",
        world.clock,
    )  # fmt: skip
    return book, made


def test_rows_become_lines(world: World):
    book, made = imported(world, f"{HEAD}\n{GOOD}\n\n{NOTED}\n")
    assert isinstance(made, list)
    assert [line.spec.code for line in made] == ["power", "sea"]
    version = compiled(world, book)
    assert version.co2e_kg == Decimal("477700")


def test_every_wrong_row_is_told_in_both_languages_and_nothing_is_kept(world: World):
    bad = GOOD.replace('"1,000"', "viel").replace("power", "p2")
    unit = GOOD.replace("MWh", "kg").replace("power", "p3")
    book, made = imported(world, f"{HEAD}\n{GOOD}\n{bad}\n{unit}\n")
    assert isinstance(made, list)
    assert all(isinstance(one, inventory.RowError) for one in made)
    assert [(one.row, one.column) for one in made] == [(3, "amount"), (4, "unit-differs")]
    assert all(one.text("ko") and one.text("en") for one in made)
    assert "viel" in made[0].text("en")
    assert inventory.lines(world.conn, CITY, book.id) == []


def test_an_empty_amount_is_missing_and_not_zero(world: World):
    _, made = imported(world, f"{HEAD}\n{EMPTY}\n")
    assert [one.column for one in made] == ["activity-invalid"]


def test_a_workbook_reads_the_same(world: World):
    sheet = openpyxl.Workbook()
    for row in csv.reader([HEAD, GOOD]):
        sheet.active.append(row)
    stream = io.BytesIO()
    sheet.save(stream)
    _, made = imported(world, stream.getvalue(), "a.xlsx")
    assert made[0].spec.activity.amount == 1000


def test_a_calculators_parameters_are_one_cell(world: World):
    head = "code,ref,name,calculator,parameters,tier,activity_quality,factor_quality,method"
    text = "waste=food; deposited_t=2020:100|2021:90; year=2025; mcf=1; recovered_ch4_kg=0; "
    row = f"dump,III.1.1,매립,landfill-fod,{text}oxidised=0.1,1,M,L,FOD"
    book, made = imported(world, f"{head}\n{row}\n")
    assert isinstance(made[0], inventory.Line), made
    assert compiled(world, book).co2e_kg > 0
    _, wrong = imported(world, f"{head}\n{row.replace('mcf=1; ', '')}\n")
    assert wrong[0].column == "parameter-missing"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"\xff\xfe\x00", "a.xlsx", "file-unreadable"),
        (b"code,ref\n", "a.csv", "columns-missing"),
        (b"code,ref,name,colour\n", "a.csv", "columns-missing"),
        (b"code,ref,name\n", "a.csv", "file-empty"),
    ],
)
def test_another_file_is_refused(world: World, refused, data: bytes, name: str, code: str):
    refused(imported(world, data, name)[1], code)


@pytest.fixture
def documents(world: World):
    book = opened(world)
    specs = [electricity(), stated("secret", "I.3.1", "10", "1000", notation=("C",))]
    rest = [one for one in the_rest(specs) if one.ref != "II.1.1"]
    granted(put(world, book, [*specs, *rest]))
    version = compiled(world, book)
    return version, *inventory.documents(world.conn, CITY, version.id)


def test_csv_leaves_the_missing_empty(documents):
    _, inputs, outputs = documents
    text = inventory.as_csv(inputs, outputs).decode("utf-8-sig")
    rows = {row["ref"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["I.1.2"]["co2e_t"], rows["I.1.2"]["ch4_kg"]) == ("477.7", "12.5")
    assert (rows["II.1.1"]["status"], rows["II.1.1"]["co2e_t"]) == ("missing", "")
    assert (rows["I.1.1"]["status"], rows["I.1.1"]["notation"]) == ("notation", "NE")
    assert rows["I.3.1"]["co2e_t"] == "10"


def test_public_rows_keep_what_is_confidential(documents):
    _, inputs, outputs = documents
    found = {r["ref"]: r for r in inventory.report_rows(inputs, outputs, "en", public=True)}
    assert found["I.3.1"]["notation"] == "C"
    assert found["I.3.1"]["co2e_t"] is None
    assert found["I.3.1"]["co2_kg"] is None


def test_json_states_digests_and_decimals_as_text(documents):
    version, inputs, outputs = documents
    made = json.loads(inventory.as_json(inputs, outputs, {"inputs": version.inputs_digest}))
    assert made["digests"]["inputs"] == version.inputs_digest
    assert made["totals"]["BASIC"] == "487700"
    assert made["missing"] == ["II.1.1"]


def test_both_approaches_are_exported_with_seed_and_draws(documents):
    version, inputs, outputs = documents
    made = json.loads(inventory.as_json(inputs, outputs, {"inputs": version.inputs_digest}))
    drawn = made["simulation"]
    assert drawn["seed"] == inputs["simulation"]["seed"]
    assert drawn["draws"] == 10_000
    total = drawn["total"]["total"]
    assert Decimal(total["low_kg"]) < Decimal("487700") < Decimal(total["high_kg"])
    assert set(made["scope_uncertainty"]) == {"1", "2", "3"}
    data = inventory.as_xlsx(inputs, outputs, {"inputs": "x"}, version.created_at)
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[5]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    heading = [str(name) for name in rows[0]]
    total = dict(zip(heading, rows[1], strict=True))
    assert total["co2e_t"] == 487.7
    assert total["approach_1_pct"] == pytest.approx(total["approach_2_pct"], abs=0.15)
    assert total["unstated_t"] == 10
    assert [row[0] for row in rows[2:]] == ["sector", "scope", "scope"]


def test_a_version_from_before_the_draws_is_shown_without_them(documents):
    _, inputs, outputs = documents
    old = {k: v for k, v in outputs.items() if k not in ("simulation", "scope_uncertainty")}
    assert showing.simulated_bars(inputs, old, "ko") == []
    assert showing.both_ways(old) == f"±{old['uncertainty']['total']['pct']} % (95 %)"
    rows = showing.uncertainty_rows(inputs, old, "ko")
    assert [row["of"] for row in rows] == ["total", "sector"]
    assert rows[0]["approach_2_pct"] is None
    assert json.loads(inventory.as_json(inputs, old, {}))["simulation"] is None


def test_the_workbook_has_the_frameworks_sheets(documents, world: World):
    version, inputs, outputs = documents
    data = inventory.as_xlsx(inputs, outputs, {"inputs": "x"}, version.created_at)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [name[0] for name in book.sheetnames] == ["1", "2", "3", "4", "5", "6"]
    rows = list(book.worksheets[1].iter_rows(values_only=True))
    heading = rows[0]
    found = {row[0]: dict(zip(heading, row, strict=True)) for row in rows[1:]}
    assert found["I.1.2"]["co2e_t"] == 477.7
    assert found["II.1.1"]["co2e_t"] is None
    assert found["I.1.1"]["notation"] == "NE"
