"""Data models, data sets as data, and what is checked when entities are written."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from offering import CITY, FILE, NOW
from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.refusal import OperationError
from onsil.hub.datasets.checking import verification_history, verification_standing
from onsil.hub.datasets.models import models, read_model
from onsil.hub.datasets.registry import dataset_of, read_datasets
from onsil.hub.datasets.store import datasets_of, put_datasets
from onsil.hub.datasets.verifying import verify
from onsil.hub.documents import DocumentError, parse_entity
from onsil.hub.steps import run

TREE = f"urn:ngsi-ld:Tree:{CITY}:zelkova-1"
GOOD = {
    "id": TREE, "type": "Tree", "species": "Zelkova serrata",
    "location": {"type": "Point", "coordinates": [127.1, 37.0]},
    "height": {"type": "Property", "value": 12.5, "unitCode": "MTR"},
}  # fmt: skip


@pytest.fixture
def conn(fresh_database):
    with connect(fresh_database, CITY) as made:
        yield made


def tree_set(strict: bool = False):
    table = read_datasets(FILE)[1][0].as_json()
    table |= {"id": "trees", "model": "tree", "type": "Tree", "attributes": ["species", "height"]}
    return dataset_of(table | {"strict": strict})


def write(conn, minutes: int = 0, **attributes):
    hub.upsert_entities(
        conn, CITY, [GOOD | attributes], clock=FixedClock(NOW + timedelta(minutes=minutes))
    )


def found(raw) -> list[tuple[str, str]]:
    document = parse_entity(raw)
    return [(one.attribute, one.code) for one in verify(document, models()["tree"])]


def test_every_model_names_its_source_and_its_type():
    assert {"tree", "irrigation-planter", "weather-observed"} <= models().keys()
    for model in models().values():
        assert "Smart Data Models" in model.source
        assert model.iri.endswith(model.type)
        assert model.attributes


def test_a_wrong_model_says_what_is_wrong():
    with pytest.raises(OperationError, match="height has no maxium"):
        read_model("t", {"type": "T", "title": {"ko": "", "en": ""}, "source": "",
                         "attributes": {"height": {"maxium": 3}}})  # fmt: skip


def test_an_entity_is_held_against_its_model():
    assert found(GOOD) == []
    wrong = GOOD | {
        "height": {"type": "Property", "value": 131},
        "stemDiameter": {"type": "Property", "value": "thick"},
        "crownDiameter": {"type": "Property", "value": 3, "unitCode": "FOT"},
        "healthStatus": {"type": "Property", "value": "splendid"},
        "datePlanted": {"type": "Property", "value": "yesterday"},
        "refGarden": {"type": "Property", "value": "urn:ngsi-ld:Garden:g"},
        "unheardOf": 1,
    }
    wrong.pop("species")
    assert found(wrong) == [
        ("species", "missing"), ("height", "range"), ("stemDiameter", "value"),
        ("crownDiameter", "unit"), ("datePlanted", "value"), ("healthStatus", "word"),
        ("refGarden", "kind"),
    ]  # fmt: skip


@pytest.mark.parametrize(("height", "fits"), [(0, True), (130, True), (130.0000001, False)])
def test_bounds_are_exact(height, fits):
    bound = models()["tree"].attribute("height")
    assert bound is not None
    assert bound.maximum == Decimal(130)
    tall = GOOD | {"height": {"type": "Property", "value": height}}
    assert (found(tall) == []) is fits


def test_a_citys_data_sets_are_loaded_once(conn):
    catalogue, datasets = read_datasets(FILE)
    assert len(datasets) >= 10
    run(conn, put_datasets(CITY, catalogue, datasets, NOW))
    first = run(conn, datasets_of(CITY))
    run(conn, put_datasets(CITY, catalogue, datasets, NOW + timedelta(days=1)))
    assert run(conn, datasets_of(CITY)) == first
    assert {one.dataset for one in first} == set(datasets)
    run(conn, put_datasets(CITY, catalogue, datasets[1:], NOW + timedelta(days=2)))
    assert len(run(conn, datasets_of(CITY))) == len(datasets) - 1


@pytest.mark.parametrize(
    ("change", "told"),
    [({"theme": "FUN"}, "FUN"), ({"licence": "mine"}, "mine"), ({"model": "unicorn"}, "unicorn"),
     ({"attributes": ["wings"]}, "wings"), ({"type": "Building"}, "Building"),
     ({"id": "No Good"}, "No Good")],
)  # fmt: skip
def test_a_wrong_data_set_says_what_is_wrong(change, told):
    with pytest.raises(ValueError, match=told):
        dataset_of(tree_set().as_json() | change)


def test_what_is_written_is_checked_and_remembered(conn):
    write(conn)
    assert run(conn, verification_history(CITY, TREE)) == []  # no data set of its type yet
    run(conn, put_datasets(CITY, None, [tree_set()], NOW))
    write(conn, 1)
    write(conn, 2, height={"type": "Property", "value": 400})
    write(conn, 3, height={"type": "Property", "value": 400})
    write(conn, 4)
    newest, faulty, oldest = run(conn, verification_history(CITY, TREE))
    assert (newest.findings, oldest.findings) == ((), ())
    assert [one.code for one in faulty.findings] == ["range"]
    assert (faulty.times, faulty.since) == (2, NOW + timedelta(minutes=2))
    assert faulty.last_at == NOW + timedelta(minutes=3)
    assert len(run(conn, verification_standing(CITY, faulty=False, limit=9))) == 1
    assert run(conn, verification_standing(CITY, faulty=True, limit=9)) == []


def test_a_query_chooses_whom_the_model_concerns(conn):
    chosen = replace(tree_set(strict=True), q='species=="Ginkgo biloba"')
    run(conn, put_datasets(CITY, None, [chosen], NOW))
    write(conn, height={"type": "Property", "value": 400})
    assert run(conn, verification_history(CITY, "")) == []


def test_a_strict_data_set_refuses_what_does_not_fit(conn):
    run(conn, put_datasets(CITY, None, [tree_set(strict=True)], NOW))
    with pytest.raises(DocumentError, match="height: It is above 130"):
        write(conn, height={"type": "Property", "value": 400})
    conn.rollback()
    assert hub.entity(conn, CITY, TREE) is None
