"""A data set on request: its entities are nowhere to be read without its key."""

from datetime import timedelta
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from offering import CITY, FILE, NOW, PROBES, fill
from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.refusal import Refusal
from onsil.hub.datasets import access
from onsil.hub.datasets.registry import dataset_of, read_datasets
from onsil.hub.datasets.requests import UsageRequest
from onsil.hub.datasets.store import put_datasets, uses
from onsil.hub.http.app import make_app
from onsil.hub.steps import run

ANNA, OFFICIAL = "user:anna", "user:official"
SOIL = "soil-on-request"
TREE = f"urn:ngsi-ld:Tree:{CITY}:open-1"
V1 = "/ngsi-ld/v1"
QUERY = {"type": "Query", "entities": [{"type": "SoilProbe"}]}
TEMPORAL = {"timerel": "before", "timeAt": "2030-01-01T00:00:00Z"}


def soil_set(**over):
    table = next(one for one in read_datasets(FILE)[1] if one.model == "soil-probe").as_json()
    return dataset_of(table | {"id": SOIL, "access": "request", "attributes": []} | over)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def door(fresh_database, clock):
    with connect(fresh_database, CITY) as conn:
        run(conn, put_datasets(CITY, None, [soil_set()], NOW))
        fill(conn)
        hub.upsert_entities(conn, CITY, [
            {"id": TREE, "type": "Tree", "species": "Zelkova serrata",
             "near": {"type": "Relationship", "object": PROBES[0]}}
        ], clock=clock)  # fmt: skip
        conn.commit()
    app = make_app(fresh_database, CITY, clock=clock, cities=lambda: {CITY, "goyang"},
                   operator_token="operator")  # fmt: skip
    with TestClient(app) as client:
        yield client


@pytest.fixture
def conn(fresh_database):
    with connect(fresh_database, CITY, autocommit=True) as made:
        yield made


def make_key(conn) -> tuple[str, str]:
    """An approved request and its key."""
    with conn.transaction():
        made = run(conn, access.ask(CITY, soil_set(), ANNA, "", "a study of soil", 30, NOW))
        assert isinstance(made, UsageRequest)
        run(conn, access.decide_on(CITY, made.id, "approve", OFFICIAL, "", NOW))
        key = run(conn, access.make_key(CITY, made.id, ANNA, NOW))
    assert isinstance(key, str)
    return made.id, key


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


# Every way of reading: what it answers when nothing is to be seen, and how it is asked.
WAYS = {
    "entity": (404, "GET", f"{V1}/entities/{PROBES[0]}", {}, None),
    "entities": ([], "GET", f"{V1}/entities", {"type": "SoilProbe"}, None),
    "by value": ([], "GET", f"{V1}/entities", {"type": "SoilProbe", "q": "simulated==true"}, None),
    "by id": ([], "GET", f"{V1}/entities", {"type": "SoilProbe", "id": PROBES[0]}, None),
    "near": ([], "GET", f"{V1}/entities", {
        "type": "SoilProbe", "georel": "near;maxDistance==9000", "geometry": "Point",
        "coordinates": "[127.028,37.04]"}, None),
    "ordered": ([], "GET", f"{V1}/entities", {"type": "SoilProbe", "orderBy": "name"}, None),
    "query": ([], "POST", f"{V1}/entityOperations/query", {}, QUERY),
    "history": (404, "GET", f"{V1}/temporal/entities/{PROBES[0]}", TEMPORAL, None),
    "histories": ([], "GET", f"{V1}/temporal/entities", {"type": "SoilProbe"} | TEMPORAL, None),
    "type": (404, "GET", f"{V1}/types/SoilProbe", {}, None),
    "attribute": (404, "GET", f"{V1}/attributes/soilTemperature", {}, None),
    "file": (401, "GET", f"/dataset/{SOIL}/data.csv", {}, None),
    "places": (401, "GET", f"/dataset/{SOIL}/data.geojson", {}, None),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_reading_shows_what_is_closed(door, conn, way):
    nothing, method, path, query, body = WAYS[way]

    def ask(**headers):
        answer = door.request(method, path, params=query, json=body, headers=headers)
        return answer.status_code if answer.status_code != 200 else (answer.text and answer)

    closed = ask()
    assert closed == nothing or closed.json() == nothing
    _, key = make_key(conn)
    opened = ask(**bearer(key))
    assert not isinstance(opened, int), opened
    assert "sim-soil-1" in opened.text or way in ("type", "attribute")
    assert PROBES[0] in ask(**bearer("operator")).text or way in ("type", "attribute", "file")


def test_counts_and_lists_of_types_leave_it_out(door, conn):
    counted = door.get(f"{V1}/entities", params={"type": "SoilProbe", "count": "true", "limit": 0})
    assert counted.headers["NGSILD-Results-Count"] == "0"
    assert door.get(f"{V1}/types").json()["typeList"] == ["Tree"]
    _, key = make_key(conn)
    counted = door.get(f"{V1}/entities", params={"type": "SoilProbe", "count": "true", "limit": 0},
                       headers=bearer(key))  # fmt: skip
    assert counted.headers["NGSILD-Results-Count"] == "2"


def test_a_link_does_not_lead_into_it(door):
    shown = door.get(f"{V1}/entities/{TREE}", params={"join": "inline", "joinLevel": 1})
    assert "sim-soil" in shown.text  # its name stands in the link
    assert "soilTemperature" not in shown.text


def test_what_is_open_stays_so(door, conn):
    assert door.get(f"{V1}/entities/{TREE}").status_code == 200
    _, key = make_key(conn)
    assert door.get(f"{V1}/entities/{TREE}", headers=bearer(key)).status_code == 200


def test_a_key_opens_its_own_data_set_for_its_term(door, conn, clock):
    _, key = make_key(conn)
    path = f"{V1}/entities/{PROBES[0]}"
    assert door.get(path, headers=bearer(key)).status_code == 200
    assert door.get(path, headers=bearer(key) | {"NGSILD-Tenant": "goyang"}).status_code == 401
    assert door.get(path, headers=bearer("odk_" + "x" * 43)).status_code == 401
    clock.advance(timedelta(days=30))
    assert door.get(path, headers=bearer(key)).status_code == 401


def test_a_new_key_or_an_end_or_giving_back_ends_the_key(door, conn):
    path = f"{V1}/entities/{PROBES[0]}"
    id, first = make_key(conn)
    second = run(conn, access.make_key(CITY, id, ANNA, NOW))
    assert isinstance(second, str)
    assert door.get(path, headers=bearer(first)).status_code == 401
    assert door.get(path, headers=bearer(second)).status_code == 200
    run(conn, access.decide_on(CITY, id, "end", OFFICIAL, "term of use broken", NOW))
    assert door.get(path, headers=bearer(second)).status_code == 401
    id, third = make_key(conn)
    assert run(conn, access.withdraw(CITY, id, OFFICIAL, NOW)) is None
    assert run(conn, access.withdraw(CITY, id, ANNA, NOW)) is not None
    assert door.get(path, headers=bearer(third)).status_code == 401
    assert isinstance(run(conn, access.make_key(CITY, id, ANNA, NOW)), Refusal)


def test_a_key_of_one_data_set_does_not_open_another(door, conn, fresh_database):
    trees = soil_set(id="trees", model="tree", type="Tree", q="")
    run(conn, put_datasets(CITY, None, [soil_set(), trees], NOW))
    door.app.door.offered._cities.clear()
    _, key = make_key(conn)
    assert door.get(f"{V1}/entities/{TREE}", headers=bearer(key)).status_code == 404
    assert door.get("/dataset/trees/data.csv", headers=bearer(key)).status_code == 401
    assert door.get(f"{V1}/entities/{PROBES[0]}", headers=bearer(key)).status_code == 200


def test_the_key_is_not_in_the_database(conn):
    run(conn, put_datasets(CITY, None, [soil_set()], NOW))
    _, key = make_key(conn)
    rows = conn.execute("SELECT key_hash::text FROM hub_dataset_key").fetchall()
    assert [row[0] for row in rows] == ["\\x" + access.key_hash(key).hex()]


def test_two_requests_of_one_person_are_refused_the_second(conn):
    run(conn, put_datasets(CITY, None, [soil_set()], NOW))
    make_key(conn)
    again = run(conn, access.ask(CITY, soil_set(), ANNA, "", "a study of soil", 30, NOW))
    assert isinstance(again, Refusal)
    later = NOW + timedelta(days=31)
    again = run(conn, access.ask(CITY, soil_set(), ANNA, "", "a study of soil", 30, later))
    assert isinstance(again, UsageRequest)


def test_entities_close_and_open_with_the_data_set(conn):
    def closed() -> set[str]:
        rows = conn.execute("SELECT uri FROM hub_entity WHERE closed").fetchall()
        history = conn.execute("SELECT uri FROM hub_temporal_entity WHERE closed").fetchall()
        assert set(history) == set(rows)
        return {uri for (uri,) in rows}

    fill(conn)
    assert closed() == set()
    run(conn, put_datasets(CITY, None, [soil_set()], NOW))
    assert closed() == set(PROBES)
    hub.upsert_entities(conn, CITY, [{"id": PROBES[0], "type": "SoilProbe", "simulated": False}],
                        clock=FixedClock(NOW))  # fmt: skip
    assert closed() == {PROBES[1]}
    run(conn, put_datasets(CITY, None, [soil_set(access="open")], NOW))
    assert closed() == set()


def test_calls_are_counted_by_data_set_and_not_by_person(door, conn):
    _, key = make_key(conn)
    for _ in range(3):
        door.get(f"{V1}/entities", params={"type": "SoilProbe"}, headers=bearer(key))
    door.portal.call(door.app.door.offered.flush)
    assert [(one.form, one.total) for one in run(conn, uses(CITY, SOIL, NOW.date()))] == [
        ("api", 3)
    ]
    columns = conn.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'hub_dataset_use' ORDER BY 1"
    ).fetchall()
    assert [name for (name,) in columns] == ["city", "dataset_id", "day", "form", "uses"]


def test_a_call_of_an_open_data_sets_own_query_counts(door, conn):
    run(conn, put_datasets(CITY, None, [soil_set(access="open")], NOW))
    door.app.door.offered._cities.clear()
    door.get(f"{V1}/entities", params=soil_set().query())
    door.get(f"{V1}/entities", params={"type": "SoilProbe", "q": "soilTemperature>3"})
    door.portal.call(door.app.door.offered.flush)
    assert [one.total for one in run(conn, uses(CITY, SOIL, NOW.date()))] == [1]


def test_nobody_is_notified_of_what_is_closed(door, conn):
    told = {"type": "Subscription", "entities": [{"type": "SoilProbe"}, {"type": "Tree"}],
            "notification": {"endpoint": {"uri": "http://203.0.113.1/"}}}  # fmt: skip
    made = door.post(f"{V1}/subscriptions", json=told, headers=bearer("operator"))
    assert made.status_code == 201

    def write(uri: str, kind: str) -> None:
        hub.upsert_entities(conn, CITY, [{"id": uri, "type": kind, "name": "x"}],
                            clock=FixedClock(NOW))  # fmt: skip

    before = conn.execute("SELECT count(*) FROM hub_outbox").fetchone()
    write(PROBES[0], "SoilProbe")
    hub.record(
        conn, CITY, [hub.Reading(PROBES[0], "soilTemperature", NOW, Decimal(3))], FixedClock(NOW)
    )
    assert conn.execute("SELECT count(*) FROM hub_outbox").fetchone() == before
    write(TREE, "Tree")
    assert conn.execute("SELECT count(*) FROM hub_outbox").fetchone() != before


def test_a_history_without_an_entity_is_closed_too(door, conn):
    uri = f"urn:ngsi-ld:SoilProbe:{CITY}:past"
    past = {"id": uri, "type": "SoilProbe", "soilTemperature": [
        {"type": "Property", "value": 3, "observedAt": "2026-02-01T00:00:00Z"}]}  # fmt: skip
    path = f"{V1}/temporal/entities"
    assert door.post(path, json=past, headers=bearer("operator")).status_code == 201
    assert door.get(f"{path}/{uri}", params=TEMPORAL).status_code == 404
    assert door.get(f"{path}/{uri}", params=TEMPORAL,
                    headers=bearer("operator")).status_code == 200  # fmt: skip
