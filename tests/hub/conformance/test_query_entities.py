"""Querying entities, clause by clause: GS CIM 009 V1.9.1 §4.9-4.23, §5.2.23, §5.7.2."""

import pytest

from temporal_door import CITY, broker, problem

CONTEXT = {"@context": {"commercial": "https://example.org/vocab/commercial"}}
POINT = {"type": "Point", "coordinates": [8, 40]}


def place(lon, lat):
    return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, lat]}}


FIRST, SECOND, THIRD = (f"urn:ngsi-ld:Building:{n}" for n in ("q1", "q2", "q3"))
ENTITIES = [
    {
        "id": FIRST, "type": "Building",
        "name": {"type": "Property", "value": "Eiffel Tower"},
        "airQualityLevel": {"type": "Property", "value": 4, "unitCode": "C62",
                            "observedAt": "2020-09-09T16:40:00.000Z"},
        "address": {"type": "Property", "value": {"city": "Berlin", "floors": [1, 2]}},
        "color": {"type": "LanguageProperty", "languageMap": {"en": "red", "fr": "rouge"}},
        "category": {"type": "VocabProperty", "vocab": "commercial"},
        "managedBy": {"type": "Relationship", "object": SECOND},
        "location": place(8.01, 40.01), "rankProbe": {"type": "Property", "value": 5},
        "scope": ["/Madrid/Gardens/ParqueNorte", "/CompanyA/OrganizationB/UnitC"],
    },
    {
        "id": SECOND, "type": "Building",
        "name": {"type": "Property", "value": "Pisa Tower"},
        "airQualityLevel": {"type": "Property", "value": 6},
        "address": {"type": "Property", "value": {"city": "Pisa"}},
        "location": place(9, 41), "rankProbe": {"type": "Property", "value": "abc"},
        "scope": "/Madrid/Gardens/ParqueNorte",
    },
    {
        "id": THIRD, "type": ["Vehicle", "Car"],
        "name": [{"type": "Property", "value": "á"},
                 {"type": "Property", "value": "Herbie", "datasetId": "urn:ngsi-ld:Dataset:nick"}],
        "speed": {"type": "Property", "value": 120},
        "observationSpace": place(8, 40),
    },
]  # fmt: skip


@pytest.fixture
def door(fresh_database):
    with broker(fresh_database) as made:
        for entity in ENTITIES:
            answer = made.call("POST", "/entities", entity)
            assert answer.status_code == 201, answer.text
        yield made


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()]


def counted(door, **params):
    answer = door.get("/entities", count="true", **params)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["NGSILD-Results-Count"]) == len(answer.json())
    return len(answer.json())


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("airQualityLevel==4..5", 1), ("airQualityLevel!=4..5", 1), ("airQualityLevel>3", 2),
        ('name=="Eiffel Tower","Pisa Tower"', 2), ('name!="Eiffel Tower","Big Ben"', 1),
        ('name!~="^Eiffel"', 1), ('name~="Tower$"', 2), ('address[city]=="Berlin"', 1),
        ('address[postcode]=="Berlin"', 0), ("address[city]", 2), ("address[floors]==2", 1),
        ('color[en]=="red"', 1), ('color[en]=="rouge"', 0), ('color[*]=="rouge"', 1),
        ('color[*]!="red"', 0), ("managedBy", 1), ('managedBy>"urn:a"', 0),
        (f'managedBy=="{SECOND}"', 1), (f"managedBy=={SECOND}", 1), ("category==commercial", 0),
        ('airQualityLevel.unitCode=="C62"', 1),
        ("airQualityLevel.observedAt>2020-09-09T16:00:00Z", 1),
        ('airQualityLevel.observedAt<"2020-09-09T16:00:00Z"', 0),
        ('name=="x"|airQualityLevel==6', 1), ('(name=="x"|airQualityLevel==6);rankProbe==5', 0),
        ("createdAt>2020-01-01T00:00:00Z;name", 2), ("noSuch", 0),
    ],
)  # fmt: skip
def test_4_9_query_language(door, q, expected):
    assert counted(door, type="Building", q=q) == expected


def test_4_9_expand_values(door):
    q = {"type": "Building", "q": "category==commercial"}
    assert counted(door, **q, expandValues="category") == 1
    assert counted(door, **q) == 0


@pytest.mark.parametrize(
    ("q", "expected"),
    [("managedBy{name}", 1), ('managedBy{name}=="Pisa Tower"', 1),
     ('managedBy{Building:name}=="Pisa Tower"', 1), ('managedBy{Vehicle:name}=="Pisa Tower"', 0)],
)  # fmt: skip
def test_4_9_linked_entities(door, q, expected):
    assert counted(door, type="Building", q=q, join="inline", joinLevel="1") == expected


def test_5_7_2_any_instance_of_an_attribute_counts(door):
    assert counted(door, type="Vehicle", q='name=="Herbie"') == 1
    assert counted(door, type="Vehicle", q='name=="á"') == 1


@pytest.mark.parametrize(
    "params",
    [
        {}, {"id": FIRST}, {"attrs": "createdAt"}, {"q": 'modifiedAt>"2020-01-01T00:00:00Z"'},
        {"type": "Building", "q": 'owner{name}=="x"'},
        {"type": "Building", "q": 'owner{works{name}}=="x"', "join": "inline", "joinLevel": "1"},
        {"type": "Building", "csf": "))bad(("}, {"type": "Building", "q": "airQualityLevel>4..5"},
        {"type": "Building", "q": "(name"}, {"type": "Building", "q": 'name~="(a+)+"'},
        {"type": "Building", "geometryProperty": "location"}, {"type": "*", "local": "false"},
        {"type": "Building", "limit": "0"}, {"type": "Building", "id": "not a uri"},
        {"type": "Building", "pick": "name", "attrs": "name"},
        {"type": "Building", "pick": "name", "omit": "name"},
        {"type": "Building", "pick": "id;name"}, {"type": "Building", "pick": "id,a{b"},
        {"type": "Building", "pick": "id,,name"}, {"type": "Building", "pick": "a{b}"},
        {"type": "Building", "pick": "a{b{c}}", "join": "inline", "joinLevel": "1"},
        {"type": "Building", "omit": "a{b{c}}", "join": "inline", "joinLevel": "1"},
        {"type": "Building", "orderBy": "name", "collation": "!!nope"},
        {"type": "Building", "orderBy": "location;dist-asc"},
        {"type": "Building", "scopeQ": "(/a"}, {"type": "a b"},
        {"type": "Building", "georel": "near", "geometry": "Point", "coordinates": "[8,40]"},
        {"type": "Building", "georel": "within", "geometry": "Point", "coordinates": "8,40"},
        {"type": "Building", "join": "inline", "joinLevel": "0"},
    ],
)  # fmt: skip
def test_5_7_2_requests_that_are_not_valid(door, params):
    status, kind = problem(door.get("/entities", **params))
    assert (status, kind) in ((400, "BadRequestData"), (400, "InvalidRequest"))
    if params.get("limit") is None:
        assert kind == "BadRequestData"


def test_5_7_2_every_entity_with_local(door):
    assert ids(door.get("/entities", local="true")) == [FIRST, SECOND, THIRD]
    assert ids(door.get("/entities", type="*")) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [("Building", 2), ("Building,Vehicle", 3), ("Building|Car", 3), ("Car;Vehicle", 1),
     ("Building;Vehicle", 0), ("(Car;Vehicle)|Building", 3), ("Home", 0)],
)  # fmt: skip
def test_4_17_type_selection(door, selection, expected):
    assert counted(door, type=selection) == expected


@pytest.mark.parametrize(
    ("scope_q", "expected"),
    [
        ("/Madrid/Gardens/ParqueNorte", 2), ("/Madrid/#", 2), ("/Madrid/+/ParqueNorte", 2),
        ("/Madrid", 0), ("(/Madrid/Gardens/ParqueNorte;/CompanyA/OrganizationB/UnitC)", 1),
        ("(/Madrid/Gardens/ParqueNorte;/CompanyA/OrganizationB/UnitC)|/Madrid/#", 2),
        ("/CompanyA/OrganizationB/UnitC|/Nowhere/AtAll", 1), ("/Nowhere,/CompanyA/#", 1),
        ("(/Madrid/Gardens/ParqueNorte;/Nowhere/AtAll)", 0), ("/#", 2),
    ],
)  # fmt: skip
def test_4_19_scope_queries(door, scope_q, expected):
    assert counted(door, type="Building", scopeQ=scope_q) == expected


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "more", "expected"),
    [
        ("near;maxDistance==2000", "Point", "[8,40]", {}, 1),
        ("near;minDistance==2000", "Point", "[8,40]", {}, 1),
        ("near;maxDistance==2000", "Point", "[8,40]", {"geoproperty": "observationSpace"}, 1),
        ("near;maxDistance==2000", "LineString", "[[0,41],[9.01,41]]", {}, 1),
        ("within", "Polygon", "[[[7,39],[10,39],[10,42],[7,42],[7,39]]]", {}, 2),
        ("within", "Polygon", "[[[7,39],[10,39],[10,42],[7,42],[7,39]],"
         "[[8.5,40.5],[9.5,40.5],[9.5,41.5],[8.5,41.5],[8.5,40.5]]]", {}, 1),
        ("disjoint", "Polygon", "[[[7,39],[8.5,39],[8.5,42],[7,42],[7,39]]]", {}, 1),
        ("equals", "Point", "[9,41]", {}, 1),
        ("intersects", "MultiPoint", "[[9,41],[0,0]]", {}, 1),
    ],
)  # fmt: skip
def test_4_10_geo_queries(door, georel, geometry, coordinates, more, expected):
    got = counted(
        door, type="Building,Vehicle", georel=georel, geometry=geometry, coordinates=coordinates,
        **more,
    )  # fmt: skip
    assert got == expected


def test_4_23_ordering(door):
    both = {"type": "Building,Vehicle"}
    assert ids(door.get("/entities", **both, orderBy="rankProbe")) == [FIRST, SECOND, THIRD]
    assert ids(door.get("/entities", **both, orderBy="rankProbe;desc")) == [SECOND, FIRST, THIRD]
    assert ids(door.get("/entities", **both, orderBy="address[city];desc"))[0] == SECOND
    near = {"orderFrom": "[8,40]"}
    asc = ids(door.get("/entities", **both, orderBy="location;dist-asc", **near))
    assert asc == [FIRST, SECOND, THIRD]
    desc = ids(door.get("/entities", **both, orderBy="location;dist-desc", **near))
    assert desc == [SECOND, FIRST, THIRD]
    assert ids(door.get("/entities", **both, orderBy="id;desc")) == [THIRD, SECOND, FIRST]
    assert ids(door.get("/entities", **both, orderBy="type,id;desc"))[:2] == [SECOND, FIRST]
    page = door.get("/entities", **both, orderBy="id;desc", limit="1", offset="1")
    assert ids(page) == [SECOND]


def test_4_23_collation(door):
    for n, name in enumerate(("A", "b", "á")):
        door.call("POST", "/entities", {"id": f"urn:ngsi-ld:Coll:{n}", "type": "Coll",
                                        "name": {"type": "Property", "value": name}})  # fmt: skip

    def named(**params):
        answer = door.get("/entities", type="Coll", orderBy="name", **params)
        return [one["name"]["value"] for one in answer.json()]

    assert named() == ["A", "b", "á"]
    assert named(collation="und") == ["A", "á", "b"]


def test_4_12_paging(door):
    first = door.get("/entities", type="Building,Vehicle", limit="1", count="true")
    assert ids(first) == [FIRST]
    assert first.headers["NGSILD-Results-Count"] == "3"
    link = first.headers["Link"]
    assert 'rel="next"' in link
    assert 'rel="prev"' not in link
    assert "</ngsi-ld/v1/entities?count=true&limit=1&offset=1&type=Building,Vehicle>" in link
    middle = door.get("/entities", type="Building,Vehicle", limit="1", offset="1")
    assert 'rel="next"' in middle.headers["Link"]
    assert 'rel="prev"' in middle.headers["Link"]
    last = door.get("/entities", type="Building,Vehicle", limit="1", offset="2")
    assert 'rel="next"' not in last.headers["Link"]
    assert 'rel="prev"' in last.headers["Link"]
    none = door.get("/entities", type="Building,Vehicle", limit="0", count="true")
    assert none.json() == []
    assert none.headers["NGSILD-Results-Count"] == "3"
    assert 'rel="next"' not in none.headers["Link"]


def test_4_21_pick_and_omit(door):
    picked = door.get("/entities", type="Building,Vehicle", pick="id,speed").json()
    assert picked == [{"id": THIRD, "speed": {"type": "Property", "value": 120}}]
    left = door.get("/entities", type="Vehicle", omit="name,observationSpace,type").json()
    assert left == [{"id": THIRD, "speed": {"type": "Property", "value": 120}}]


def test_4_5_5_attrs_and_datasets(door):
    assert ids(door.get("/entities", type="Building,Vehicle", attrs="speed")) == [THIRD]
    nick = {"datasetId": "urn:ngsi-ld:Dataset:nick"}
    (one,) = door.get("/entities", type="Vehicle", options="keyValues", **nick).json()
    assert one == {"id": THIRD, "type": one["type"], "name": "Herbie"}
    assert sorted(one["type"]) == ["Car", "Vehicle"]


def test_4_5_23_linked_entity_retrieval(door):
    one = {"type": "Building", "q": "managedBy", "join": "inline", "pick": "id,managedBy{id,name}"}
    got = door.get("/entities", **one).json()
    name = {"type": "Property", "value": "Pisa Tower"}
    link = {"type": "Relationship", "object": SECOND}
    assert got == [{"id": FIRST, "managedBy": {**link, "entity": {"id": SECOND, "name": name}}}]
    flat = door.get("/entities", **(one | {"join": "flat"})).json()
    assert flat == [{"id": FIRST, "managedBy": link}, {"id": SECOND, "name": name}]
    short = door.get("/entities", **one, options="keyValues").json()
    assert short == [{"id": FIRST, "managedBy": {"id": SECOND, "name": "Pisa Tower"}}]
    alone = door.get("/entities", type="Building", q="managedBy", pick="managedBy").json()
    assert alone == [{"managedBy": link}]


def test_6_3_15_geojson(door):
    geo = {"Accept": "application/geo+json"}
    answer = door.get("/entities", headers=geo, type="Building", options="keyValues")
    assert answer.headers["content-type"].startswith("application/geo+json")
    body = answer.json()
    assert body["type"] == "FeatureCollection"
    assert body["features"][0]["geometry"] == {"type": "Point", "coordinates": [8.01, 40.01]}
    assert body["features"][0]["properties"]["name"] == "Eiffel Tower"
    other = door.get("/entities", headers=geo, type="Vehicle", geometryProperty="observationSpace")
    assert other.json()["features"][0]["geometry"] == POINT


def test_4_15_languages(door):
    (one,) = door.get("/entities", type="Building", q="color", lang="fr", pick="color").json()
    assert one["color"] == {"type": "Property", "value": "rouge", "lang": "fr"}


def test_4_22_what_has_expired_is_not_found(door):
    gone = {"id": "urn:ngsi-ld:Gone:1", "type": "Gone", "expiresAt": "2020-01-01T00:00:00Z"}
    door.call("POST", "/entities", gone)
    assert counted(door, type="Gone") == 0
    assert door.get(f"/entities/{gone['id']}").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"entities": [{"type": "Building"}]}, [FIRST, SECOND]),
        ({"entities": [{"type": "Building", "id": SECOND}, {"type": "Vehicle"}]}, [SECOND, THIRD]),
        ({"entities": [{"type": "Building", "id": [FIRST, SECOND]}]}, [FIRST, SECOND]),
        ({"entities": [{"type": "Building", "id": FIRST, "idPattern": ".*q2$"}]}, [FIRST]),
        ({"entities": [{"type": "Building", "idPattern": ".*q2$"}]}, [SECOND]),
        ({"entities": [{"type": "Building"}], "q": "airQualityLevel>4"}, [SECOND]),
        ({"entities": [{"type": "*"}], "attrs": ["speed"]}, [THIRD]),
        ({"q": "speed>100"}, [THIRD]),
        ({"geoQ": {"georel": "near;maxDistance==2000", "geometry": "Point",
                   "coordinates": [8, 40]}}, [FIRST]),
        ({"entities": [{"type": "Building"}], "scopeQ": "/CompanyA/#"}, [FIRST]),
        ({"entities": [{"type": "Building"}],
          "ordering": {"orderBy": ["location;dist-desc"], "coordinates": [8, 40],
                       "geometry": "Point"}}, [SECOND, FIRST]),
    ],
)  # fmt: skip
def test_5_2_23_query_in_a_body(door, query, expected):
    answer = door.call("POST", "/entityOperations/query", {"type": "Query", **query})
    assert ids(answer) == expected
    counts = door.call("POST", "/entityOperations/query", {"type": "Query", **query},
                       limit="0", count="true")  # fmt: skip
    assert counts.headers["NGSILD-Results-Count"] == str(len(expected))


@pytest.mark.parametrize(
    "query",
    [
        {"type": "NotQuery", "entities": [{"type": "Building"}]}, {"type": "Query"},
        {"type": "Query", "entities": []}, {"type": "Query", "entities": [{"id": FIRST}]},
        {"type": "Query", "entities": [{"type": "Building", "id": "not a uri"}]},
        {"type": "Query", "entities": [{"type": "Building", "id": [FIRST, 5]}]},
        {"type": "Query", "entities": [{"type": "Building"}], "attrs": []},
        {"type": "Query", "entities": [{"type": "Building"}], "pick": []},
        {"type": "Query", "entities": [{"type": "Building"}], "q": 42},
        {"type": "Query", "entities": [{"type": "Building"}], "join": "inline", "joinLevel": 0},
        {"type": "Query", "entities": [{"type": "Building"}], "temporalQ": {"timerel": "after"}},
        {"type": "Query", "entities": [{"type": "Building"}], "geoQ": {"georel": "near"}},
        {"type": "Query", "entities": [{"type": "Building"}],
         "ordering": {"orderBy": ["location;dist-asc"]}},
        {"type": "Query", "entities": [{"type": "Building"}],
         "ordering": {"orderBy": ["location;dist-asc"], "coordinates": "8,40"}},
        {"type": "Query", "entities": [{"type": "Building"}],
         "ordering": {"orderBy": ["id;asc"], "geometry": 5}},
        {"type": "Query", "entities": [{"type": "Building"}],
         "ordering": {"orderBy": ["id;asc"], "collation": "de-u-co-phonebk"}},
        [], 5,
    ],
)  # fmt: skip
def test_5_2_23_queries_that_are_not_valid(door, query):
    assert problem(door.call("POST", "/entityOperations/query", query)) == (400, "BadRequestData")


def test_5_7_2_other_tenants_see_nothing(door):
    assert CITY
    answer = door.get("/entities", headers={"NGSILD-Tenant": "elsewhere"}, type="Building")
    assert problem(answer) == (404, "NonexistentTenant")


def test_6_3_13_count_is_taken_as_an_option_as_it_once_was(broker):
    broker.make({"id": "urn:x:a", "type": "Counted"}, {"id": "urn:x:b", "type": "Counted"})
    answer = broker.get("/entities?type=Counted&limit=1&options=count,keyValues")
    assert answer.headers["NGSILD-Results-Count"] == "2"
    assert answer.json() == [{"id": "urn:x:a", "type": "Counted"}]
