"""Factors brought in: what is found in a file, the publishers' errors, and the second person."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from footprint_world import CITY, SOLAR, fill
from inventory_books import compiled, electricity, granted, opened, outputs, put, the_rest

from onsil import proof
from onsil.core.database import cursor
from onsil.core.refusal import Refusal
from onsil.footprint import FactorAuthority, choose_factor, factor_sets, inventory, quantify
from onsil.footprint.factors import FactorSet, library_of
from onsil.footprint.factors.imports import (
    FactorImport,
    approve_import,
    check_upload,
    confirm_import,
    import_entry,
    import_of,
    imports,
    read_upload,
    return_import,
    runs_using,
    submit_import,
)
from onsil.footprint.methodologies.emissions import emitted

SET = """
[[set]]
id = "test-grid"
publisher = "시험 발행처"
document = "시험 문서"
edition = "1"
article = "표 1"
printed_table = "표 1"
page = "3"
published = 2026-01-15
read = 2026-02-01
maturity = "secondary"
note = "test"
programmes = ["inventory", "citizen-reward"]

[[set.factor]]
commodity = "electricity"
boundary = "consumption"
unit = "kg/MWh"
co2 = "400"
ch4 = "0.01"
n2o = "0.01"
"""
FUEL = (
    SET.replace("test-grid", "test-fuel").split("[[set.factor]]")[0]
    + """
[[set.factor]]
commodity = "diesel"
boundary = "combustion"
unit = "kg/L"
carbon_t_per_tj = "20.090"
ncv_mj_per_l = "35.3"
co2 = "{co2}"
ch4 = "0.0001"
n2o = "0.0001"
"""
)


def checked(text: str) -> list:
    """The findings in a TOML upload."""
    read = read_upload("test.toml", text.encode())
    assert isinstance(read, list), read
    return check_upload(read[0])[1]


def found(text: str, code: str):
    one = [finding for finding in checked(text) if finding.code == code]
    assert len(one) == 1, checked(text)
    return one[0]


def example(text: str) -> str:
    return SET.replace("[[set.factor]]", f"[[set.example]]\n{text}\n[[set.factor]]", 1)


def test_a_clean_set_has_nothing_found():
    assert checked(SET) == []


def test_a_printed_total_is_redone_and_the_gwp_set_it_fits_is_named():
    total = SET + '[[set.factor.check]]\ngwp_set = "{}"\nprinted_t_per_mwh = "{}"\n'
    assert found(total.format("SAR", "0.4033"), "total").verdict == "match"
    wrong = found(total.format("SAR", "0.4029"), "total")
    assert (wrong.severity, wrong.verdict, wrong.ours) == ("flag", "publisher-error", "0.4033")
    assert "AR5" in wrong.en
    assert "CO2 alone" in found(total.format("SAR", "0.4000"), "total").en


@pytest.mark.parametrize(
    ("co2", "verdict", "code"),
    [
        ("2.600", "match", "carbon"),
        ("2.603", "match-if-rounded-constant", "carbon"),
        ("2.650", "publisher-error", "carbon"),
        ("0.709", "publisher-error", "carbon-as-co2"),
    ],
)
def test_carbon_content_by_calorific_value_gives_the_co2(co2, verdict, code):
    assert found(FUEL.format(co2=co2), code).verdict == verdict


def test_the_city_gas_sample_is_the_publishers_error():
    steps = (
        'id = "city-gas"\nmultiply = [{{value = "2500000", unit = "Nm3"}}, '
        '{{value = "38.9", unit = "{}"}}, {{value = "56100", unit = "kg/TJ"}}]\n'
        'printed = "5457.7"\nprinted_unit = "t"'
    )
    wrong = found(example(steps.format("MJ/Nm3")), "example")
    assert (wrong.verdict, wrong.severity, wrong.ours) == ("publisher-error", "flag", "5455.7")
    per_kg = found(example(steps.format("MJ/kg")), "example-unit")
    assert per_kg.verdict == "publisher-error"


@pytest.mark.parametrize(
    ("multiply", "printed", "ours"),
    [
        (("2.87", "7"), "20.07", "20.09"),
        (("3.5", "424", "36"), "54424", "53424"),
    ],
)
def test_other_printed_products_that_do_not_hold_are_flagged(multiply, printed, ours):
    parts = ", ".join(f'{{value = "{value}", unit = "1"}}' for value in multiply)
    text = f'id = "x"\nmultiply = [{parts}]\nprinted = "{printed}"\nprinted_unit = "dimensionless"'
    wrong = found(example(text), "example")
    assert (wrong.verdict, wrong.ours) == ("publisher-error", ours)


def test_a_product_that_needs_a_rounded_constant_says_so():
    text = (
        'id = "forest"\nmultiply = [{value = "216", unit = "1"}, {value = "44", unit = "1"}, '
        '{value = "0.08333333333333", unit = "1"}]\nrounded_multiply = ["216", "3.67"]\n'
        'printed = "793"\nprinted_unit = "dimensionless"'
    )
    assert found(example(text), "example").verdict == "match-if-rounded-constant"


def test_a_road_curve_that_turns_negative_blocks():
    text = SET.replace(
        "[[set.factor]]",
        '[[set.curve]]\nkey = "n2o"\nterms = ["0.02", "-0.0008", "0.000005"]\nfrom = "10"\n'
        'to = "110"\n[[set.factor]]',
        1,
    )
    wrong = found(text, "curve")
    assert (wrong.severity, wrong.verdict) == ("block", "publisher-error")


def test_a_negative_gas_blocks():
    wrong = found(SET.replace('n2o = "0.01"', 'n2o = "-0.01"'), "negative")
    assert (wrong.severity, wrong.verdict) == ("block", "publisher-error")


@pytest.mark.parametrize(
    ("old", "new", "slip"),
    [
        ('unit = "kg/MWh"', 'unit = "kg/kWh"', "kWh/MWh"),
        ('co2 = "400"', 'co2 = "0.4"', "kWh/MWh"),
        ('co2 = "400"', 'co2 = "400000"', "kWh/MWh"),
    ],
)
def test_a_slip_of_units_is_seen(old, new, slip):
    assert slip in found(SET.replace(old, new), "implausible").en


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "kg/MWh"', 'unit = "t/MWh"'),
        ('ch4 = "0.01"\n', ""),
        ('maturity = "secondary"', 'maturity = "sure"'),
        ('co2 = "400"', 'co2 = "four hundred"'),
        ('unit = "kg/MWh"', 'unit = "kg/whatever"'),
    ],
)
def test_what_is_no_factor_blocks(old, new):
    assert any(f.severity == "block" for f in checked(SET.replace(old, new)))


@pytest.mark.parametrize(
    "value", ["1e999999999", "-1E-999999", "NaN", "Infinity", "1" * 60, "0x10"]
)
def test_numbers_that_no_factor_has_block(value):
    assert any(f.severity == "block" for f in checked(SET.replace('"400"', f'"{value}"')))


@pytest.mark.parametrize("unit", ["kg/m**9**9**9", "kg/(9^9^9)", "kg/m^99999999", "kg/" + "m" * 99])
def test_units_made_to_be_heavy_block(unit):
    assert any(f.severity == "block" for f in checked(SET.replace("kg/MWh", unit)))
    steps = f'id = "x"\nmultiply = [{{value = "1", unit = "{unit}"}}]\nprinted = "1"\n'
    assert any(f.severity == "block" for f in checked(example(steps + 'printed_unit = "kg"')))


def test_a_file_nested_too_deeply_is_refused(refused):
    refused(read_upload("x.toml", b"a = " + b"[" * 200_000), "file-unreadable")


def test_confirmed_without_a_page_needs_an_answer():
    text = SET.replace('"secondary"', '"confirmed"').replace('page = "3"', 'page = ""')
    text = text.replace('printed_table = "표 1"', "")
    assert found(text, "confirmed-without-page").severity == "flag"


CSV = """@id,test-table
@publisher,시험 발행처
@document,시험 문서
@published,2026-01-15
@read,2026-02-01
@maturity,secondary
@programmes,inventory
commodity,boundary,unit,co2,ch4,n2o,printed_t_per_mwh,printed_gwp_set
electricity,consumption,kg/MWh,474.7,0.0125,0.0100,0.4781,SAR
"""
COEFFICIENTS = """@kind,coefficients
@id,test-density
@table,density
@publisher,시험 발행처
@document,시험 문서
@published,2026-01-15
@read,2026-02-01
@maturity,recalled
key,density,name
@unit,t/m3,text
pine,0.42,소나무
oak,0.72,굴참나무
"""


def sheet(text: str) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    assert page is not None
    for line in text.splitlines():
        cells = [float(c) if c.replace(".", "").isdigit() else c for c in line.split(",")]
        page.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_a_table_file_says_the_same_as_toml(name):
    content = CSV.encode("utf-8-sig") if name == "csv" else sheet(CSV)
    read = read_upload(f"x.{name}", content)
    assert isinstance(read, list), read
    made, findings = check_upload(read[0])
    assert [f.verdict for f in findings if f.code == "total"] == ["match"]
    assert made["factor"][0]["co2"] == "474.7"
    assert made["programmes"] == ["inventory"]


@pytest.mark.parametrize("name", ["csv", "xlsx"])
def test_coefficients_come_as_tables_too(conn, world, name):
    content = COEFFICIENTS.encode() if name == "csv" else sheet(COEFFICIENTS)
    made = submitted(conn, world, f"x.{name}", content)
    assert not made.findings or made.blocking == 0
    in_force(conn, world, made)
    table = library_of(conn, CITY).coefficient_table("test-density")
    assert table.value("pine", "density") == Decimal("0.42")
    assert table.text("oak", "name") == "굴참나무"
    assert table.columns == {"density": "t/m3", "name": "text"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.pdf", b"%PDF", "file-unreadable"),
        ("x.toml", b"[[set", "file-unreadable"),
        ("x.toml", b"a = 1", "file-unreadable"),
        ("x.xlsx", b"PK nothing", "file-unreadable"),
        ("x.csv", b"\xff\xfe\x00", "file-unreadable"),
        ("x.csv", b"@id,x\n", "file-unreadable"),
        ("x.toml", b"#" * (1 << 20) + b"##", "file-too-large"),
    ],
)
def test_what_is_no_table_is_refused(refused, name, content, code):
    refused(read_upload(name, content), code)


def submitted(conn, world, name: str = "test.toml", content: bytes | str = SET) -> FactorImport:
    made = submit_import(
        conn, CITY, name, content.encode() if isinstance(content, str) else content, "maker",
        world.clock,
    )  # fmt: skip
    assert isinstance(made, list), made
    return made[0]


def in_force(conn, world, made: FactorImport, answer: str = "") -> FactorImport:
    assert isinstance(
        confirm_import(conn, CITY, made.id, answer, "maker", world.clock), FactorImport
    )
    done = approve_import(conn, CITY, made.id, "checker", world.clock)
    assert isinstance(done, FactorImport), done
    return done


def authority(factor_set: str = "test-grid", programme: str = "inventory") -> FactorAuthority:
    return FactorAuthority(programme, factor_set, "consumption", "AR5")


def test_an_approved_set_is_chosen_beside_the_shipped_ones(conn, world, refused):
    made = submitted(conn, world)
    today = date(2026, 3, 1)
    refused(choose_factor(authority(), today, library_of(conn, CITY)), "unknown-factor-set")
    in_force(conn, world, made)
    library = library_of(conn, CITY)
    factor = choose_factor(authority(), today, library)
    assert not isinstance(factor, Refusal)
    assert library.set_of(factor).publisher == "시험 발행처"
    assert emitted(Decimal(1), "MWh", factor, "AR5")["co2e_t"] == Decimal("0.40293")
    refused(choose_factor(authority(), date(2026, 1, 14), library), "factor-not-yet-valid")
    refused(
        choose_factor(
            FactorAuthority("kr-offset", "test-grid", "consumption", "SAR"), today, library
        ),
        "factor-not-for-programme",
    )
    refused(choose_factor(authority(), today), "unknown-factor-set")
    assert choose_factor(FactorAuthority("inventory", "kr-grid-2021", "consumption", "AR5"), today,
                         library)  # fmt: skip


def test_an_inventory_takes_an_approved_set(world, refused):
    power = replace(electricity().factor, factor_set="test-grid")
    book = opened(world)
    refused(put(world, book, [electricity(factor=power)]), "unknown-factor-set")
    in_force(world.conn, world, submitted(world.conn, world))
    granted(put(world, book, [*the_rest([electricity()]), electricity(factor=power)]))
    version = compiled(world, book)
    (line,) = [one for one in outputs(world, version)["lines"] if one["code"] == "homes-power"]
    assert Decimal(line["co2e_kg"]) == 402_930
    recomputed = inventory.recompute(world.conn, CITY, version.id)
    assert recomputed.identical


def test_what_is_in_force_in_one_city_is_unknown_in_another(conn, world):
    in_force(conn, world, submitted(conn, world))
    assert "test-grid" not in {s.id for s in library_of(conn, "goyang").sets}


def test_the_maker_can_neither_approve_nor_return(conn, world, refused):
    made = submitted(conn, world)
    confirm_import(conn, CITY, made.id, "", "maker", world.clock)
    refused(approve_import(conn, CITY, made.id, "maker", world.clock), "maker-is-checker")
    refused(return_import(conn, CITY, made.id, "no", "maker", world.clock), "maker-is-checker")
    refused(approve_import(conn, CITY, made.id, "user:maker", world.clock), "maker-is-checker")


def test_steps_out_of_order_are_refused(conn, world, refused):
    made = submitted(conn, world)
    refused(approve_import(conn, CITY, made.id, "checker", world.clock), "import-not-checked")
    refused(confirm_import(conn, CITY, made.id, "", "other", world.clock), "import-not-yours")
    confirm_import(conn, CITY, made.id, "", "maker", world.clock)
    refused(confirm_import(conn, CITY, made.id, "", "maker", world.clock), "import-not-draft")
    refused(return_import(conn, CITY, made.id, " ", "checker", world.clock), "reason-missing")
    back = return_import(conn, CITY, made.id, "쪽 번호가 틀림", "checker", world.clock)
    assert isinstance(back, FactorImport)
    assert back.status == "returned"
    refused(approve_import(conn, CITY, made.id, "checker", world.clock), "import-not-checked")
    refused(approve_import(conn, CITY, world_id(), "checker", world.clock), "unknown-import")


def world_id():
    from uuid import uuid4

    return uuid4()


def test_flags_need_an_answer_and_errors_a_new_file(conn, world, refused):
    flagged = submitted(conn, world, content=SET.replace('co2 = "400"', 'co2 = "1400"'))
    refused(confirm_import(conn, CITY, flagged.id, "", "maker", world.clock), "answer-missing")
    assert in_force(conn, world, flagged, "석탄만 쓰는 섬의 값").answer == "석탄만 쓰는 섬의 값"
    wrong = submitted(
        conn, world, content=SET.replace("test-grid", "bad").replace('n2o = "0.01"', 'n2o = "-1"')
    )
    assert wrong.blocking >= 1
    refused(confirm_import(conn, CITY, wrong.id, "ok", "maker", world.clock), "import-has-errors")


def test_the_same_file_again_is_the_import_that_is_there(conn, world, refused):
    made = submitted(conn, world)
    assert submitted(conn, world).id == made.id
    in_force(conn, world, made)
    assert submitted(conn, world).id == made.id
    other = SET.replace('co2 = "400"', 'co2 = "401"')
    answer = submit_import(conn, CITY, "x.toml", other.encode(), "maker", world.clock)
    assert refused(answer, "version-not-next").facts["next"] == 2
    assert len(imports(conn, CITY)) == 1


def test_a_shipped_set_can_only_be_followed_never_replaced(conn, world, refused):
    text = SET.replace("test-grid", "kr-grid-2018")
    answer = submit_import(conn, CITY, "x.toml", text.encode(), "maker", world.clock)
    refused(answer, "version-not-next")


def corrected(value: str = "401") -> str:
    return SET.replace('id = "test-grid"', 'id = "test-grid"\nversion = 2\ncorrected = 2026-02-20'
                       ).replace('co2 = "400"', f'co2 = "{value}"')  # fmt: skip


def quantified(conn, world, name: str = "first"):
    """A day of 2 MWh of a roof under the city's inventory, with the imported set."""
    period = world.day(date(2025, 6, 1))
    key = fill(
        conn, site_name(name), "generation", [Decimal(250)] * 8 + [Decimal(0)] * 16, period.start
    )
    run = quantify(
        conn, CITY, "solar-self-consumption", {"generation": key}, SOLAR, period, authority(),
        "analyst", world.clock,
    )  # fmt: skip
    assert not isinstance(run, Refusal), run
    return run


def site_name(name: str) -> str:
    return f"urn:ngsi-ld:Building:{CITY}:imports-{name}"


def test_6_a_correction_is_a_new_version_and_moves_no_issued_number(conn, world, refused):
    """An auditor's test 6, second half: the run that named version 1 stays as it was."""
    in_force(conn, world, submitted(conn, world))
    before = library_of(conn, CITY)
    first = before.factor_set("test-grid")
    run = quantified(conn, world)
    assert run.co2e_t == Decimal("0.80586")
    in_force(conn, world, submitted(conn, world, content=corrected()))
    after = library_of(conn, CITY)
    assert after.factor_set("test-grid@1").digest == first.digest
    assert after.superseded_by(after.factor_set("test-grid@1")) == "test-grid@2"
    newest = choose_factor(authority(), date(2026, 3, 1), after)
    assert not isinstance(newest, Refusal)
    assert newest.version == 2
    old_day = choose_factor(authority(), date(2026, 2, 19), after)
    assert not isinstance(old_day, Refusal)
    assert old_day.version == 1
    refused(choose_factor(authority("test-grid@1"), date(2026, 3, 1), after), "factor-superseded")
    from onsil.footprint import recompute

    again = recompute(conn, CITY, run.id)
    assert not isinstance(again, Refusal)
    assert again.identical
    later = quantified(conn, world, "again")
    assert later.co2e_t == Decimal("0.80786")
    used = runs_using(conn, CITY, "test-grid")
    assert {(r["id"], r["digest"]) for r in used} == {
        (run.id, first.digest), (later.id, after.factor_set("test-grid@2").digest),
    }  # fmt: skip


def test_the_approval_is_a_leaf_of_the_log(conn, world):
    made = in_force(conn, world, submitted(conn, world))
    entry = import_entry(conn, CITY, made.id)
    assert entry is not None
    assert entry["sha256"] == made.sha256
    assert (entry["maker"], entry["checker"]) == ("maker", "checker")
    acts = [r.action for r in proof.audit_trail(conn, CITY, subject_kind="factor-import")]
    assert acts == ["factor-import.approved", "factor-import.checked", "factor-import.made"]


def refuses(conn, statement: str, *values: object) -> None:
    with cursor(conn) as run:
        run.execute("SAVEPOINT direct")
        with pytest.raises(psycopg.Error):
            run.execute(statement + " WHERE city = %s AND id = %s", values)  # pyright: ignore
        run.execute("ROLLBACK TO SAVEPOINT direct")


def test_the_database_holds_the_two_people_and_the_order(conn, world):
    made = submitted(conn, world)
    step = (
        "UPDATE footprint_factor_import SET status = 'approved', checker = %s, decided_at = now()"
    )
    refuses(conn, step, "checker", CITY, made.id)
    refuses(conn, "UPDATE footprint_factor_import SET content = '{}'", CITY, made.id)
    refuses(conn, "DELETE FROM footprint_factor_import", CITY, made.id)
    confirm_import(conn, CITY, made.id, "", "maker", world.clock)
    refuses(conn, step, "maker", CITY, made.id)
    refuses(conn, step, "user:maker", CITY, made.id)
    approve_import(conn, CITY, made.id, "checker", world.clock)
    refuses(conn, "UPDATE footprint_factor_import SET checker = 'third'", CITY, made.id)
    kept = import_of(conn, CITY, made.id)
    assert kept is not None
    assert kept.checker == "checker"


def test_every_shipped_set_would_pass_its_own_importer():
    from onsil.footprint.factors.provenance import data_names, data_text

    for name in data_names():
        text = data_text(name)
        if "[[set]]" not in text and 'kind = "coefficients"' not in text:
            continue
        read = read_upload(name, text.encode())
        assert isinstance(read, list), (name, read)
        for one in read:
            blocks = [f for f in check_upload(one)[1] if f.severity != "note"]
            assert blocks == [], name


def test_a_library_is_of_sets(conn, world):
    in_force(conn, world, submitted(conn, world))
    library = library_of(conn, CITY)
    assert all(isinstance(one, FactorSet) for one in library.sets)
    assert len(library.sets) > len(factor_sets())
