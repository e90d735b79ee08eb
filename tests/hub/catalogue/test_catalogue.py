"""The catalogue as other catalogues read it: DCAT-AP 3.0.1 at CKAN's addresses, and the files."""

import csv
from io import BytesIO, StringIO
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
from pyshacl import validate
from rdflib import Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, RDF
from starlette.testclient import TestClient

from offering import CITY, DEGREES, NOW, PROBES, offer
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.hub.datasets.measuring import keep_quality
from onsil.hub.datasets.quality import Part
from onsil.hub.http.app import make_app
from onsil.hub.steps import run

DCAT = Namespace("http://www.w3.org/ns/dcat#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
PROV = Namespace("http://www.w3.org/ns/prov#")
SH = Namespace("http://www.w3.org/ns/shacl#")
SHAPES = Path(__file__).with_name("dcat_ap_3_0_1.ttl")
TEMPERATURE = "/dataset/simulated-soil-temperature"


@pytest.fixture
def door(fresh_database):
    offer(fresh_database)
    app = make_app(fresh_database, CITY, clock=FixedClock(NOW), cities=lambda: {CITY, "goyang"})
    with TestClient(app) as client:
        yield client


def catalogue(door) -> Graph:
    return Graph().parse(data=door.get("/catalog.ttl").content, format="turtle")


def violations(graph: Graph) -> set[tuple[str, str]]:
    """(node, path) of everything that the shapes refuse."""
    _, report, _ = validate(graph, shacl_graph=Graph().parse(SHAPES))
    assert isinstance(report, Graph)
    return {
        (str(report.value(one, SH.focusNode)), str(report.value(one, SH.resultPath)))
        for one in report.subjects(RDF.type, SH.ValidationResult)
    }


@pytest.mark.parametrize(
    ("form", "parser", "media"),
    [("ttl", "turtle", "text/turtle"), ("jsonld", "json-ld", "application/ld+json"),
     ("rdf", "xml", "application/rdf+xml")],
)  # fmt: skip
def test_every_form_says_the_same(door, form, parser, media):
    answer = door.get(f"/catalog.{form}")
    assert answer.headers["content-type"].startswith(media)
    graph = Graph().parse(data=answer.content, format=parser)
    assert len(graph) == len(catalogue(door))
    assert len(set(graph.subjects(RDF.type, DCAT.Dataset))) == 10
    one = door.get(f"{TEMPERATURE}.{form}")
    assert len(set(Graph().parse(data=one.content, format=parser).subjects(
        RDF.type, DCAT.Distribution))) == 5  # fmt: skip


def test_the_catalogue_meets_dcat_ap(door):
    assert violations(catalogue(door)) == set()


def test_one_data_set_meets_dcat_ap(door):
    graph = Graph().parse(data=door.get(f"{TEMPERATURE}.ttl").content, format="turtle")
    assert violations(graph) == set()


def test_what_is_taken_away_is_what_the_shapes_miss(door):
    graph = catalogue(door)
    dataset = URIRef(f"http://testserver{TEMPERATURE}")
    distribution = URIRef(f"{dataset}#csv")
    graph.remove((dataset, DCTERMS.title, None))
    graph.remove((distribution, DCAT.accessURL, None))
    assert violations(graph) == {
        (str(dataset), str(DCTERMS.title)), (str(distribution), str(DCAT.accessURL)),
    }  # fmt: skip


def test_the_broker_is_a_data_service(door):
    graph = catalogue(door)
    (service,) = graph.subjects(RDF.type, DCAT.DataService)
    assert graph.value(service, DCAT.endpointURL) == URIRef("http://testserver/ngsi-ld/v1")
    assert set(graph.objects(service, DCTERMS.conformsTo))


def test_every_address_in_the_catalogue_answers(door):
    graph = catalogue(door)
    addresses = {str(one) for one in graph.objects(None, DCAT.accessURL)}
    assert len(addresses) == 46  # ten data sets have six NGSI-LD queries among them
    for address in addresses:
        status = 401 if "/simulated-bus-taps/data." in address else 200  # on request
        assert door.get(address.removeprefix("http://testserver")).status_code == status, address


def test_lineage_and_measured_quality_are_told(door, fresh_database):
    parts = [Part("validity", "readings", 3, 4), Part("uniqueness", "entities", 0, 2)]
    with connect(fresh_database, CITY) as conn:
        run(conn, keep_quality(CITY, "solar-generation", NOW.date(), parts, NOW))
        conn.commit()
    graph = catalogue(door)
    one = URIRef("http://testserver/dataset/solar-generation")
    assert list(graph.objects(one, PROV.wasDerivedFrom)) == [
        URIRef("https://pypi.org/project/pvanalytics/0.2.2/")
    ]
    measured = {str(graph.value(node, DQV.isMeasurementOf)): str(graph.value(node, DQV.value))
                for node in graph.objects(one, DQV.hasQualityMeasurement)}  # fmt: skip
    assert measured == {"urn:onsil:quality:validity": "0.7500",
                        "urn:onsil:quality:uniqueness": "0.0000"}  # fmt: skip
    assert violations(graph) == set()


def test_what_is_not_open_is_said_to_be_restricted(door):
    graph = catalogue(door)
    rights = {str(one).rsplit("/", 1)[-1]: str(graph.value(one, DCTERMS.accessRights))
              for one in graph.subjects(RDF.type, DCAT.Dataset)}  # fmt: skip
    assert rights.pop("simulated-bus-taps").endswith("access-right/RESTRICTED")
    assert {one.rsplit("/", 1)[-1] for one in rights.values()} == {"PUBLIC"}


def test_another_citys_catalogue_is_its_own(door):
    other = {"NGSILD-Tenant": "goyang"}
    graph = Graph().parse(data=door.get("/catalog.ttl", headers=other).content, format="turtle")
    assert list(graph.subjects(RDF.type, DCAT.Dataset)) == []
    assert violations(graph) == set()
    assert door.get(f"{TEMPERATURE}/data.csv", headers=other).status_code == 404
    assert door.get("/dataset/none.ttl").status_code == 404
    assert door.get(f"{TEMPERATURE}.docx").status_code == 404


def test_csv_holds_exact_decimals_with_units_and_leaves_gaps(door):
    text = door.get(f"{TEMPERATURE}/data.csv").content.decode("utf-8-sig")
    header, *rows = csv.reader(StringIO(text))
    assert header == ["id", "observedAt", "soilTemperature [degC]"]
    assert rows == [
        [PROBES[0], f"2026-02-10T02:{51 + n}:00Z", text]
        for n, text in enumerate(["12.1", "-3.25", "0.1"])
    ]
    assert [float(row[2]) for row in rows] == [float(text) for text in DEGREES]


def test_parquet_and_xlsx_hold_the_same(door):
    table = pq.read_table(BytesIO(door.get(f"{TEMPERATURE}/data.parquet").content))
    assert table.column("soilTemperature [degC]").to_pylist() == [12.1, -3.25, 0.1]
    assert table.schema.field("soilTemperature [degC]").metadata[b"unit"] == b"degC"
    assert str(table.schema.field("observedAt").type) == "timestamp[us, tz=UTC]"
    book = openpyxl.load_workbook(BytesIO(door.get(f"{TEMPERATURE}/data.xlsx").content))
    assert [row[2] for row in book["data"].values][1:] == [12.1, -3.25, 0.1]
    assert ("origin", "simulated") in [row[:2] for row in book["about"].values]


def test_geojson_and_the_entities_of_a_set_without_series(door):
    features = door.get(f"{TEMPERATURE}/data.geojson").json()["features"]
    assert [one["id"] for one in features] == PROBES
    assert features[0]["properties"]["soilTemperature"] == 0.1
    assert features[0]["properties"]["unitCodes"] == {"soilTemperature": "CEL"}
    assert "soilTemperature" not in features[1]["properties"]
    text = door.get("/dataset/simulated-soil-probes/data.csv").content.decode("utf-8-sig")
    header, first, _ = csv.reader(StringIO(text))
    assert header == ["id", "name", "simulated", "longitude [deg]", "latitude [deg]"]
    assert first == [PROBES[0], "모의 토양 센서 1", "true", "127.028", "37.04"]


def test_an_accept_header_chooses_and_head_counts_nothing(door, fresh_database):
    from onsil.core.database import connect
    from onsil.hub.datasets.store import uses
    from onsil.hub.steps import run

    answer = door.get("/catalog", headers={"Accept": "application/rdf+xml"})
    assert answer.headers["content-type"].startswith("application/rdf+xml")
    assert door.head(f"{TEMPERATURE}/data.csv").content == b""
    for _ in range(3):
        door.get(f"{TEMPERATURE}/data.csv")
    with connect(fresh_database, CITY) as conn:
        found = run(conn, uses(CITY, "simulated-soil-temperature", NOW.date()))
    assert [(one.form, one.total, one.lately) for one in found] == [("csv", 3, 3)]
