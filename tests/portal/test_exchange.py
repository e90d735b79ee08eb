"""The registry for programs: every path of its description answers as described, in public."""

import io
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from portal_world import CITY, World, granted
from pyshacl import validate
from rdflib import Graph, Literal
from rdflib.namespace import DCAT, DCTERMS, RDF

from onsil.footprint import credits, exchange
from onsil.portal.views.exchange import carbon_offers
from onsil.tenancy import transaction


def client() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    answer = client().get(reverse("registry-openapi"))
    assert answer["Content-Type"] == "application/json"
    return answer.json()


@pytest.fixture(scope="module")
def used(world: World) -> credits.UnitBlock:
    with transaction(CITY) as tx:
        found = granted(credits.block_of_serial(tx, CITY, world.retirement.serial_first))
    assert found is not None
    return found


def refs(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [value["$ref"]] if "$ref" in value else [r for v in value.values() for r in refs(v)]
    return [r for v in value for r in refs(v)] if isinstance(value, list) else []


def keys_of(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return set(schema.get("required", ()))


def test_the_description_holds_together(document):
    assert document["openapi"] == "3.1.0"
    assert set(document["info"]) == {"title", "version", "description"}
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(refs(document["paths"])) == known
    ids = [path["get"]["operationId"] for path in document["paths"].values()]
    assert len(set(ids)) == len(ids)
    for path, item in document["paths"].items():
        asked = {p["name"] for p in item["get"].get("parameters", ()) if p["in"] == "path"}
        assert {part.strip("{}") for part in path.split("/") if part.startswith("{")} == asked
        assert next(iter(item["get"]["responses"]["200"]["content"].values()))["schema"]


def test_every_path_answers_as_described(world: World, document, used):
    given = {"block": used.id, "retirement": world.retirement.id, "reference": "kr-grid-2018"}
    for path, item in document["paths"].items():
        answer = client().get(path.format(**given))
        assert answer.status_code == 200, path
        ((media, told),) = item["get"]["responses"]["200"]["content"].items()
        assert answer["Content-Type"].split(";")[0] == media, path
        assert f"company:{world.company}" not in answer.content.decode("utf-8", "replace"), path
        if media.endswith("json"):
            wanted = keys_of(document, told["schema"])
            assert wanted, path
            assert wanted <= set(answer.json()), path


def test_every_such_address_is_described(document):
    ours = {
        str(one.pattern)
        for room in get_resolver().url_patterns
        for one in getattr(room, "url_patterns", ())
        if str(one.pattern).startswith(("api/", "registry/exchange/"))
    }
    described = {path.split("{")[0].lstrip("/") for path in document["paths"]}
    assert {pattern.split("<")[0] for pattern in ours} <= described


def test_what_is_not_there_is_not_found(world: World):
    for name in ("registry-api-unit", "registry-api-retirement"):
        assert client().get(reverse(name, args=(uuid4(),))).status_code == 404
    assert client().get(reverse("factor-set-api", args=("none",))).status_code == 404
    assert client().post(reverse("exchange-cdop")).status_code == 405


def test_a_unit_tells_where_it_is_and_what_became_of_it(world: World, used):
    told = client().get(reverse("registry-api-unit", args=(used.id,))).json()
    assert (told["status"], told["first"]) == ("Retired", world.retirement.serial_first)
    assert told["retirements"] == [str(world.retirement.id)]
    assert told["history"][0]["kind"] == "issuance"
    with transaction(CITY) as tx:
        old = next(b for b in credits.ancestors(tx, CITY, used) if not b.live)
    moved = client().get(reverse("registry-api-unit", args=(old.id,)))
    assert moved.status_code == 302
    assert moved["Location"].startswith("/api/registry/units/")


def test_a_retirement_tells_its_serials_and_certificate(world: World):
    told = client().get(reverse("registry-api-retirement", args=(world.retirement.id,))).json()
    assert (told["units"], told["purpose"]) == (world.retirement.tonnes, "voluntary")
    assert told["serials"].startswith(world.batch.serial_prefix)
    assert told["certificate"].endswith(reverse("certificate", args=(world.retirement.id,)))
    assert "company" not in told


def test_the_files_hold_the_citys_units_and_no_other_citys(world: World):
    tables = client().get(reverse("exchange-cad-trust-json")).json()
    assert exchange.faults(tables) == []
    assert sum(int(u["unitCount"]) for u in tables["unit"]) == world.batch.tonnes
    packed = client().get(reverse("exchange-cad-trust-zip"))
    with zipfile.ZipFile(io.BytesIO(packed.content)) as found:
        assert len(found.namelist()) == len(exchange.TABLES)
    page = client().get(reverse("registry")).content.decode()
    for name in ("exchange-cad-trust-zip", "exchange-cdop", "registry-openapi"):
        assert reverse(name) in page
    elsewhere = Client(SERVER_NAME="goyang.localhost")
    assert not any(elsewhere.get(reverse("exchange-cad-trust-json")).json().values())
    assert elsewhere.get(reverse("exchange-cdop")).json()["units"] == []


def test_factor_sets_come_with_their_provenance(world: World):
    sets = client().get(reverse("factor-sets-api")).json()["sets"]
    assert {"kr-grid-2018", "kr-grid-2021"} <= {one["id"] for one in sets}
    for one in sets:
        whole = client().get(reverse("factor-set-api", args=(one["reference"],))).json()
        assert (whole["id"], whole["maturity"]) == (one["id"], one["maturity"])
        assert whole["factors"]


SHAPES = Path(__file__).parents[1] / "hub" / "catalogue" / "dcat_ap_3_0_1.ttl"
RECORDS = {"credit-units", "credit-retirements", "emission-factors", "methodologies"}


def described(name: str, form: str = "json-ld") -> Graph:
    return Graph().parse(data=client().get(reverse(name)).content.decode(), format=form)


def refused(graph: Graph) -> str:
    conforms, _, said = validate(graph, shacl_graph=Graph().parse(SHAPES))
    return "" if conforms else said


def ids(graph: Graph, catalogue: Any) -> set[str]:
    return {str(graph.value(one, DCTERMS.identifier))
            for one in graph.objects(catalogue, DCAT.dataset)}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form"),
    [("registry-catalogue", "json-ld"), ("catalogue-ttl", "turtle"),
     ("catalogue-jsonld", "json-ld"), ("catalogue-rdf", "xml")],
)  # fmt: skip
def test_carbon_records_are_in_both_catalogues_and_meet_dcat_ap(world: World, name, form):
    graph = described(name, form)
    (catalogue,) = graph.subjects(RDF.type, DCAT.Catalog)
    assert ids(graph, catalogue) >= RECORDS
    assert refused(graph) == ""
    assert set(graph.objects(catalogue, DCAT.service)) == set(
        graph.subjects(RDF.type, DCAT.DataService)
    )
    for one in graph.objects(catalogue, DCAT.dataset):
        assert graph.value(one, DCAT.distribution), one


def test_what_is_taken_away_is_what_the_shapes_miss(world: World):
    graph = described("registry-catalogue")
    one = next(graph.subjects(DCTERMS.identifier, Literal("credit-units")))
    graph.remove((one, DCTERMS.title, None))
    assert "dct:title" in refused(graph)


def test_every_carbon_address_answers_in_the_type_it_says(world: World):
    graph = described("registry-catalogue")
    for node in graph.subjects(RDF.type, DCAT.Distribution):
        path = "/" + str(graph.value(node, DCAT.accessURL)).split("/", 3)[3]
        answer = client().get(path)
        assert answer.status_code == 200, path
        media = str(graph.value(node, DCAT.mediaType)).split("media-types/")[1]
        assert answer["Content-Type"].split(";")[0] == media, path
    for page in graph.objects(None, DCAT.landingPage):
        assert client().get("/" + str(page).split("/", 3)[3]).status_code == 200


def test_a_sealed_inventory_is_a_data_set_of_its_years(rf, world: World):
    request = rf.get("/", SERVER_NAME="localhost")
    (made,) = [one for one in carbon_offers(request, [2024, 2023]) if one.id == "inventory"]
    assert sorted(made.files.values()).count("text/csv") == 2
    assert any(address.endswith("/inventory/2024/inventory.json") for address in made.files)


def test_retirements_hold_retired_units_alone(world: World):
    told = client().get(reverse("registry-units-json"), {"state": "retired"}).json()
    assert {one["status"] for one in told["units"]} == {"Retired"}


def test_methodologies_are_told_with_their_sources(world: World):
    told = client().get(reverse("methodologies-api")).json()["methodologies"]
    assert {"solar-self-consumption", "effluent-reuse"} <= {one["id"] for one in told}
    assert all(one["formula"] and one["title"]["ko"] for one in told)
