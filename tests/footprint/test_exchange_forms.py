"""Our files against what the formats' own published schemas ask for, by a validator."""

from datetime import date
from typing import Any

import pytest
from exchange_forms import CAD_TRUST, CDOP, cad_trust_schema
from footprint_world import CITY
from jsonschema_rs import Draft202012Validator
from project_walk import OFFICIAL, fine
from test_exchange import HERE, busy, filled
from units_world import done

from onsil.footprint import credits, exchange
from onsil.footprint.exchange import cadtrust, cdop
from onsil.footprint.projects import Design, set_design

__all__ = ["busy"]


@pytest.fixture
def full(world, busy):
    """The busy batch with a label, a letter, a developer and planned units."""
    conn, clock = world.conn, world.clock
    done(credits.give_label(conn, CITY, "CCP", date(2026, 2, 1), "decision 4", "l1", "a", clock,
                            batch_id=busy.id))  # fmt: skip
    stated = credits.Adjustment(busy.id, "Committed", "Pending", "KOR", "LoA-7", date(2026, 2, 3))
    done(credits.declare_adjustment(conn, CITY, stated, "a1", "a", clock))
    fine(set_design(conn, CITY, busy.project_id, Design("single", "시험 시청", "Roofs"),
                    OFFICIAL, clock))  # fmt: skip
    done(credits.plan(conn, CITY, busy.project_id, 2027, 40, "design", "p1", "a", clock))
    return world


def refusals(schema: dict[str, Any], value: Any) -> list[str]:
    """What the validator says, `path: message` each."""
    checker = Draft202012Validator(schema, validate_formats=True)
    return [f"{'/'.join(map(str, e.instance_path))}: {e.message}"
            for e in checker.iter_errors(value)]  # fmt: skip


def stated(row: Any) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def test_the_tables_are_those_of_the_dictionary_column_by_column():
    assert {table.name for table in exchange.TABLES} == set(CAD_TRUST)
    for table in exchange.TABLES:
        schema = cad_trust_schema(table.name)
        assert set(table.columns) == set(schema["properties"]), table.name
        asked = {*table.required, *exchange.ASKED.get(table.name, ())}
        assert asked >= set(schema["required"]), table.name


def test_cad_trust_rows_are_valid_but_for_what_is_told_as_wanting(full):
    made = filled(full)
    assert exchange.faults(made) == []
    said = {
        f"{table}.{message.split(chr(34))[1]}"
        for table, rows in made.items()
        for row in rows
        for message in refusals(cad_trust_schema(table), stated(row))
    }
    assert said == set(exchange.wanting(made)) == {"verification.verificationBody"}
    assert sum(len(rows) for rows in made.values()) > 10


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("unit", "unitStatus", "Exported"), ("unit", "cadTrustUnitId", "7"),
        ("unit", "unitVintageYear", "1850"), ("unit", "unitLink", "not a link"),
        ("issuance", "issuanceDate", "yesterday"), ("project", "projectSector", "Roofs"),
        ("unit", "mood", "x"),
    ],
)  # fmt: skip
def test_what_the_dictionary_refuses_is_refused(full, table, column, value):
    row = stated(filled(full)[table][0])
    assert refusals(cad_trust_schema(table), {**row, column: value})


def test_every_word_of_ours_is_in_the_dictionarys_lists():
    unit = cad_trust_schema("unit")["properties"]
    project = cad_trust_schema("project")["properties"]
    assert set(cadtrust.STATUS.values()) <= set(unit["unitStatus"]["enum"])
    assert set(cadtrust.PROJECT_STATUS.values()) <= set(project["projectStatus"]["enum"])
    for sector, kind in cadtrust.SECTORS.values():
        assert sector in project["projectSector"]["enum"]
        assert kind in ("", *project["projectType"]["enum"])
    for column, words in exchange.PICKS.items():
        for table in CAD_TRUST:
            known = cad_trust_schema(table)["properties"].get(column, {}).get("enum")
            assert known is None or set(words) <= set(known), column


def _missing(schema: dict[str, Any], value: Any) -> tuple[set[str], list[str]]:
    """(required fields without a value, as paths; whatever else is wrong)."""
    lacking, wrong = set(), []
    for error in Draft202012Validator(schema, validate_formats=True).iter_errors(value):
        place = ["[]" if isinstance(part, int) else part for part in error.instance_path]
        if "required property" in error.message:
            name = error.message.split('"')[1]
            lacking.add(".".join([*place, name]).replace(".[]", "[]"))
        else:
            wrong.append(f"{place}: {error.message}")
    return lacking, wrong


def test_cdop_is_valid_but_for_what_it_names_as_missing(full):
    made = exchange.document(HERE, exchange.records(full.conn, CITY))
    for kind, schema in CDOP.items():
        lacking, wrong = set(), []
        for one in made[f"{kind}s"]:
            found = _missing(schema, one)
            lacking, wrong = lacking | found[0], wrong + found[1]
        assert wrong == []
        assert lacking == set(made["missing"][kind]), kind
    assert made["missing"]["unit"] == ["unit.descriptor[].type", "unit.owner_account_id"]


def test_cdop_without_a_design_lacks_what_it_says(world, busy):
    made = exchange.document(HERE, exchange.records(world.conn, CITY))
    (project,) = made["projects"]
    lacking, wrong = _missing(CDOP["project"], project)
    assert wrong == []
    assert lacking <= set(made["missing"]["project"])
    assert "project.project_description" in lacking


def test_cdop_status_words_are_in_its_list():
    known = CDOP["project"]["properties"]["project"]["properties"]["status"]["items"]
    words = known["properties"]["project_status"]["enum"]
    assert set(cdop.PROJECT_STATUS.values()) <= set(words)
    assert refusals(CDOP["unit"], {"vintage": {"vintage": "2025"}})
