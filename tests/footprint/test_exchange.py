"""The registry in others' forms: what the model asks for is there, nothing is made up."""

import csv
import io
import json
import zipfile
from datetime import date

import pytest
from footprint_world import CITY, SEOUL, World
from project_walk import OFFICIAL, fine
from units_world import IMPORT, A, approved, done, proposed, retired, transferred

from onsil.footprint import credits, exchange
from onsil.footprint.exchange import cadtrust, cdop
from onsil.footprint.projects import Design, set_design

HERE = exchange.Registry(CITY, "Pyeongtaek", "https://city.example", SEOUL)


@pytest.fixture
def busy(world: World):
    """A batch with units held, in the buffer and retired; another registry's units beside it."""
    made = world.issued("100", buffer_bp=1000, code="EXC-1")
    done(transferred(world, made, 20))
    done(retired(world, made.id, 5, "r1"))
    done(approved(world, done(proposed(world, "import", "i1", **IMPORT)), evidence="x"))
    return made


def filled(world: World):
    return exchange.tables(HERE, exchange.records(world.conn, CITY))


def test_an_empty_registry_gives_empty_tables(world):
    world.project("NONE-1")
    made = filled(world)
    assert set(made) == {table.name for table in exchange.TABLES}
    assert not any(made.values())
    assert exchange.faults(made) == []
    assert exchange.document(HERE, [])["units"] == []


def test_the_tables_are_what_the_model_asks_for(world, busy):
    made = filled(world)
    assert exchange.faults(made) == []
    (project,) = made["project"]
    assert (project["projectId"], project["projectSector"][:6]) == ("EXC-1", "Energy")
    assert (project["projectStatus"], project["projectType"]) == ("Registered", "Solar")
    assert project["projectDescription"] == ""
    (issuance,) = made["issuance"]
    assert issuance["cadTrustIssuanceId"] == str(busy.id)
    assert issuance["issuanceDate"] == "2026-03-01"
    assert {row["locationCountry"] for row in made["location"]} == {"Republic of Korea"}
    assert [made[name] for name in ("co-benefit", "stakeholder", "validation")] == [[], [], []]
    assert made["verification"][0]["verificationBody"] == ""


def test_units_are_all_there_once_in_the_models_words(world, busy):
    units = filled(world)["unit"]
    assert sum(int(u["unitCount"]) for u in units) == busy.tonnes
    for u in units:
        assert int(u["unitEndBlock"]) - int(u["unitStartBlock"]) + 1 == int(u["unitCount"])
    by_status = {
        status: sum(int(u["unitCount"]) for u in units if u["unitStatus"] == status)
        for status in ("Held", "Buffer", "Retired")
    }
    assert by_status["Retired"] == 5
    assert by_status["Buffer"] == busy.buffer_tonnes
    assert by_status["Held"] == busy.tonnes - busy.buffer_tonnes - 5
    (used,) = (u for u in units if u["unitStatus"] == "Retired")
    assert used["unitRetirementBeneficiary"] == "수혜 기업"
    assert used["unitRetirementDetail"].startswith("voluntary: ")
    assert {u["unitType"] for u in units} == {"Not Determined"}
    assert {u["unitStatusReason"] for u in units} >= {"issuance", "retirement"}
    assert all(A not in value for u in units for value in u.values())
    assert {u["unitCurrentOwner"] for u in units} == {""}


def test_every_state_and_sector_has_a_word_of_the_pick_lists():
    assert set(cadtrust.STATUS) == set(credits.STATES)
    assert set(cadtrust.STATUS.values()) <= set(exchange.PICKS["unitStatus"])
    assert set(cadtrust.PROJECT_STATUS.values()) <= set(exchange.PICKS["projectStatus"])
    for sector, kind in cadtrust.SECTORS.values():
        assert sector in exchange.PICKS["projectSector"]
        assert kind in ("", *exchange.PICKS["projectType"])


def test_labels_letters_developer_and_planned_units_come_along(world, busy):
    conn, clock = world.conn, world.clock
    done(credits.give_label(conn, CITY, "CCP", date(2026, 2, 1), "decision 4", "l1", "a", clock,
                            batch_id=busy.id))  # fmt: skip
    stated = credits.Adjustment(busy.id, "Committed", "Pending", "KOR", "LoA-7", date(2026, 2, 3))
    done(credits.declare_adjustment(conn, CITY, stated, "a1", "a", clock))
    fine(set_design(conn, CITY, busy.project_id, Design("single", "시험 시청", "Roofs"),
                    OFFICIAL, clock))  # fmt: skip
    done(credits.plan(conn, CITY, busy.project_id, 2027, 40, "design", "p1", "a", clock))
    made = filled(world)
    assert exchange.faults(made) == []
    assert {(row["labelName"], row["labelType"]) for row in made["label"]} == {
        ("CCP", "Certification"), ("LoA-7", "Article 6 - Authorisation"),
    }  # fmt: skip
    assert len(made["unit-label"]) == 2 * len(made["unit"])
    assert [row["stakeholderName"] for row in made["stakeholder"]] == ["시험 시청"]
    (planned,) = made["estimation"]
    assert (planned["estimationStartDate"], planned["estimationUnitCount"]) == ("2027-01-01", "40")
    (project,) = made["project"]
    assert project["projectDescription"] == "Roofs"


def test_the_archive_holds_each_table_and_is_always_the_same(world, busy):
    made = filled(world)
    packed = exchange.archive(made)
    assert packed == exchange.archive(filled(world))
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        assert found.namelist() == [f"{table.name}.csv" for table in exchange.TABLES]
        for table in exchange.TABLES:
            text = found.read(f"{table.name}.csv").decode()
            read = list(csv.DictReader(io.StringIO(text, newline="")))
            assert len(read) == len(made[table.name])
            assert tuple(text.splitlines()[0].split(",")) == table.columns
    disarmed = {**made, "co-benefit": [dict.fromkeys(exchange.TABLES[-1].columns, "=1+1")]}
    with zipfile.ZipFile(io.BytesIO(exchange.archive(disarmed))) as found:
        assert b"'=1+1" in found.read("co-benefit.csv")


@pytest.mark.parametrize(
    ("table", "column", "value", "why"),
    [
        ("unit", "unitStatus", "Exported", "pick list"),
        ("unit", "unitSerialId", "", "empty"),
        ("unit", "cadTrustIssuanceId", "01900000-0000-7000-8000-000000000000", "not in issuance"),
        ("project", "cadTrustProjectId", "EXC-1", "not of its kind"),
        ("issuance", "issuanceDate", "yesterday", "not of its kind"),
        ("location", "locationCountry", "Korea", "pick list"),
    ],
)
def test_what_the_model_would_refuse_is_found(world, busy, table, column, value, why):
    made = {name: [dict(row) for row in rows] for name, rows in filled(world).items()}
    made[table][0][column] = value
    assert any(f"{column}: " in fault and why in fault for fault in exchange.faults(made))


def test_unknown_tables_and_columns_are_found(world, busy):
    made = filled(world)
    assert exchange.faults({**made, "mood": []}) == ["mood: no such table"]
    odd = {**made, "label": [{"cadTrustLabelId": "x"}]}
    assert any(fault.startswith("label 1: columns") for fault in exchange.faults(odd))


def test_the_protocols_document_names_what_is_missing(world, busy):
    made = exchange.document(HERE, exchange.records(world.conn, CITY))
    assert json.loads(json.dumps(made)) == made
    assert set(made) == {"protocol", "schema_commit", "projects", "units", "missing"}
    (project,) = made["projects"]
    assert project["project"]["location"][0]["country_code"] == "KOR"
    assert project["project"]["status"] == [{"project_status": "Registered", "is_current": True}]
    (issued,) = project["issuance"]["issuance"]
    assert issued["batch_issued_volume"] == issued["cumulative_issued_volume"] == busy.tonnes
    assert "date_of_verification" not in issued
    units = [one["unit"]["credit_block"][0] for one in made["units"]]
    assert sum(one["quantity"] for one in units) == busy.tonnes
    assert made["missing"]["unit"] == ["unit.descriptor[].type", "unit.owner_account_id"]
    assert "project_stakeholder.project_developer_name" in made["missing"]["project"]
    assert all(A not in json.dumps(one) for one in made["units"])
    fine(set_design(world.conn, CITY, busy.project_id, Design("single", "시험 시청", "Roofs"),
                    OFFICIAL, world.clock))  # fmt: skip
    again = exchange.document(HERE, exchange.records(world.conn, CITY))
    assert again["missing"]["project"] == []
    assert again["projects"][0]["project_stakeholder"] == {"project_developer_name": "시험 시청"}


def test_missing_looks_into_every_one_of_a_list():
    good = {"quantity": 1, "block_start": 1, "block_end": 1}
    unit = {"unit": {"credit_block": [good, {**good, "quantity": None}]}}
    assert "unit.credit_block[].quantity" in exchange.missing(unit, "unit")
    assert "unit.credit_block[].block_end" not in exchange.missing(unit, "unit")
    assert "unit.credit_block[].quantity" in exchange.missing(
        {"unit": {"credit_block": []}}, "unit"
    )
    assert set(cdop.REQUIRED) == {"project", "unit"}
