"""Reading the temporal evolution, clause by clause (GS CIM 009 V1.9.1 §5.7.3, §5.7.4, §4.5.6)."""

import uuid

import pytest

from temporal_door import FUEL, SPEED, TEMPORAL, VEHICLE, broker, problem, series

SINCE_2020 = {"timerel": "after", "timeAt": "2020-01-01T00:00:00Z"}
EVER = {"timerel": "after", "timeAt": "1970-01-01T00:00:00Z"}
OTHER = "urn:ngsi-ld:Vehicle:t2"
BUS = "urn:ngsi-ld:Bus:t1"


@pytest.fixture(scope="module")
def database(postgres):
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield postgres.create_database(name, "onsil_template")
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def open_door(database):
    with broker(database) as made:
        yield made


@pytest.fixture
def hub(open_door):
    """The module's broker, emptied of temporal entities after each test."""
    made = []
    create = open_door.create

    def remembered(uri=VEHICLE, *args, **attrs):
        made.append(uri)
        return create(uri, *args, **attrs)

    open_door.create = remembered
    yield open_door
    open_door.create = create
    for uri in made:
        open_door.call("DELETE", f"{TEMPORAL}/{uri}")


def query(hub, **params):
    answer = hub.get(**{"type": "Vehicle", **SINCE_2020, **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(found):
    return [one["id"] for one in found]


def values(entity, name="speed"):
    return [one["value"] for one in entity[name]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"timerel": "after", "timeAt": "2020-08-01T12:05:00Z"}, [80, 100]),
        ({"timerel": "after", "timeAt": "2020-08-01T12:05:00.000Z"}, [80, 100]),
        ({"timerel": "before", "timeAt": "2020-08-01T12:05:00Z"}, [120]),
        ({"timerel": "between", "timeAt": "2020-08-01T12:03:00Z",
          "endTimeAt": "2020-08-01T12:05:00.000Z"}, [120]),
        ({"lastN": "2"}, [80, 100]),
        ({"timerel": "before", "timeAt": "2020-08-01T12:07:00Z", "lastN": "1"}, [80]),
    ],
)  # fmt: skip
def test_4_11_bounds_are_half_open_and_last_n_counts_from_the_end(hub, asked, expected):
    hub.create(speed=SPEED)
    assert values(hub.one(**asked)) == expected
    answer = hub.get(type="Vehicle", **asked)
    assert [values(one) for one in answer.json()] == [expected]


@pytest.mark.parametrize(
    "asked",
    [
        {"timerel": "during", "timeAt": "2020-08-01T12:05:00Z"},
        {"timerel": "between", "timeAt": "2020-08-01T12:05:00Z"},
        {"timerel": "after", "timeAt": "2020-08-01"},
        {"timerel": "after"},
        {"timeAt": "2020-08-01T12:05:00Z"},
        {**EVER, "timeproperty": "seenAt"},
        {**EVER, "lastN": "0"},
        {**EVER, "lastN": "1.5"},
    ],
)
def test_4_11_what_is_no_temporal_query_is_refused(hub, asked):
    assert problem(hub.get(type="Vehicle", **asked)) == (400, "BadRequestData")
    assert problem(hub.get(f"{TEMPORAL}/{VEHICLE}", **asked)) == (400, "BadRequestData")


def test_5_7_3_nobody_knows_the_entity_or_the_attribute(hub):
    hub.create(speed=SPEED)
    assert problem(hub.get(f"{TEMPORAL}/urn:ngsi-ld:Vehicle:x")) == (404, "ResourceNotFound")
    answer = hub.get(f"{TEMPORAL}/{VEHICLE}", attrs="unknownAttribute")
    assert problem(answer) == (404, "ResourceNotFound")
    assert problem(hub.get(f"{TEMPORAL}/notAUri")) == (400, "BadRequestData")


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        ({"pick": "speed"}, {"speed"}),
        ({"omit": "speed"}, {"id", "type", "fuelLevel"}),
        ({"pick": "id,speed"}, {"id", "speed"}),
        ({"omit": "type,speed"}, {"id", "fuelLevel"}),
        ({"attrs": "speed"}, {"id", "type", "speed"}),
    ],
)
def test_4_21_pick_omit_and_attrs(hub, asked, members):
    hub.create(speed=SPEED, fuelLevel=FUEL)
    assert hub.one(**asked).keys() == members
    assert [one.keys() for one in query(hub, **asked)] == [members]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"pick": "speed", "omit": "speed"}, 400),
        ({"pick": "speed", "attrs": "fuelLevel"}, 400),
        ({"omit": "speed", "attrs": "fuelLevel"}, 400),
        ({"pick": "owner{name}"}, 400),
        ({"pick": "unknown"}, 404),
        ({"omit": "id,type,fuelLevel,speed"}, 404),
    ],
)
def test_4_21_what_cannot_be_picked(hub, asked, status):
    hub.create(speed=SPEED, fuelLevel=FUEL)
    assert hub.get(f"{TEMPORAL}/{VEHICLE}", **asked).status_code == status


def test_5_7_4_entities_come_in_the_order_of_their_ids(hub):
    for uri, kind in ((OTHER, "Vehicle"), (VEHICLE, "Vehicle"), (BUS, "Bus")):
        hub.create(uri, kind, speed=SPEED)
    assert ids(query(hub, type="Bus,Vehicle")) == [BUS, VEHICLE, OTHER]
    assert [one.keys() for one in query(hub, type="Bus,Vehicle", pick="id")] == [{"id"}] * 3
    answer = hub.get(type="Bus,Vehicle", limit="2", count="true", **EVER)
    assert (ids(answer.json()), answer.headers["NGSILD-Results-Count"]) == ([BUS, VEHICLE], "3")
    assert 'rel="next"' in answer.headers["Link"]
    assert ids(query(hub, type="Bus,Vehicle", limit="2", offset="2")) == [OTHER]
    assert ids(query(hub, type="Bus,Vehicle", idPattern=".*Bus.*")) == [BUS]
    assert ids(query(hub, id=f"{VEHICLE},{BUS}")) == [VEHICLE]


@pytest.mark.parametrize(
    "asked",
    [
        {"id": VEHICLE, **EVER},
        {**EVER},
        {"attrs": "createdAt", **EVER},
        {"type": "Vehicle"},
        {"type": "Vehicle", "id": "not a uri", **EVER},
        {"type": "Vehicle", "q": 'owner{name}=="x"', **EVER},
        {"type": "Vehicle", "csf": "))bad((", **EVER},
    ],
)
def test_5_7_4_too_wide_or_wrong_queries(hub, asked):
    assert problem(hub.get(**asked)) == (400, "BadRequestData")


def test_5_7_4_a_local_query_needs_nothing_else(hub):
    hub.create(speed=SPEED)
    answer = hub.get(local="true", **EVER)
    assert ids(answer.json()) == [VEHICLE]


@pytest.mark.parametrize(
    ("asked", "error"),
    [({"format": "nonsense"}, "InvalidRequest"), ({"options": "nonsense"}, "InvalidRequest"),
     ({"options": "temporalValues,nonsense"}, "InvalidRequest"),
     ({"format": "temporalValues", "options": "aggregatedValues,nonsense"}, "InvalidRequest"),
     ({"options": "aggregatedValues"}, "BadRequestData"),
     ({"options": "aggregatedValues", "aggrMethods": "mode"}, "BadRequestData"),
     ({"options": "aggregatedValues", "aggrMethods": "avg", "aggrPeriodDuration": "1H"},
      "BadRequestData")],
)  # fmt: skip
def test_6_3_12_formats_and_options_that_are_none(hub, asked, error):
    assert problem(hub.get(type="Vehicle", **EVER, **asked)) == (400, error)


KINDS = {
    "speed": (series((1, "2020-08-01T12:03:00Z")), "values", 1.0),
    "place": (series(({"type": "Point", "coordinates": [1.0, 2.0]}, "2020-08-01T12:03:00Z"),
                     kind="GeoProperty"), "values", {"type": "Point", "coordinates": [1.0, 2.0]}),
    "ref": (series(("urn:a:b", "2020-08-01T12:03:00Z"), kind="Relationship", key="object"),
            "objects", "urn:a:b"),
    "street": (series(({"fr": "Rue"}, "2020-08-01T12:03:00Z"), kind="LanguageProperty",
                      key="languageMap"), "languageMaps", {"languageMap": {"fr": "Rue"}}),
    "sort": (series(("monument", "2020-08-01T12:03:00Z"), kind="VocabProperty", key="vocab"),
             "vocabs", {"vocab": "monument"}),
    "raw": (series(({"a": 1}, "2020-08-01T12:03:00Z"), kind="JsonProperty", key="json"),
            "jsons", {"json": {"a": 1}}),
    "tyres": (series(([1.2, 3.4], "2020-08-01T12:03:00Z"), kind="ListProperty", key="valueList"),
              "valueLists", [1.2, 3.4]),
    "route": (series((["urn:a:1", "urn:a:2"], "2020-08-01T12:03:00Z"), kind="ListRelationship",
                     key="objectList"), "objectLists", ["urn:a:1", "urn:a:2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_4_5_9_simplified_pairs_of_every_kind(hub, name):
    instances, plural, value = KINDS[name]
    hub.create(**{name: instances})
    kind = instances[0]["type"]
    expected = {"type": kind, plural: [[value, "2020-08-01T12:03:00Z"]]}
    assert hub.one(options="temporalValues")[name] == expected
    assert query(hub, format="temporalValues")[0][name] == expected
    (full,) = hub.one()[name]
    assert (full["type"], full["observedAt"]) == (kind, "2020-08-01T12:03:00Z")
    assert full["instanceId"].startswith("urn:ngsi-ld:")


def test_4_15_one_language_is_chosen(hub):
    hub.create(street=KINDS["street"][0])
    assert hub.one(lang="fr")["street"][0]["value"] == "Rue"
    assert hub.one(lang="fr", options="temporalValues")["street"]["values"][0][0] == "Rue"


def test_4_5_5_instances_are_chosen_by_dataset(hub):
    common, own = "urn:ngsi-ld:Dataset:Common", "urn:ngsi-ld:Dataset:Speed"
    speed = [*series((120, "2020-09-01T12:03:00Z")),
             *series((80, "2020-09-01T12:05:00Z"), (90, "2020-09-01T13:05:00Z"), datasetId=common),
             *series((60, "2020-09-01T12:05:00Z"), datasetId=own)]  # fmt: skip
    hub.create(speed=speed, fuelLevel=series((53, "2020-09-01T13:05:00Z"), datasetId=common))
    (found,) = query(hub, datasetId=f"{common},{own}", options="temporalValues")
    by_dataset = {one["datasetId"]: one["values"] for one in found["speed"]}
    assert by_dataset[own] == [[60.0, "2020-09-01T12:05:00Z"]]
    assert [value for value, _ in by_dataset[common]] == [80.0, 90.0]
    assert found["fuelLevel"]["datasetId"] == common
    (found,) = query(hub, datasetId="@none")
    assert (found.keys(), values(found)) == ({"id", "type", "speed"}, [120])
    assert query(hub, attrs="speed", datasetId="urn:ngsi-ld:Dataset:fuel") == []


def minutes(first, count):
    at = [divmod(first + n, 60) for n in range(count)]
    return [(n, f"2020-01-01T{hour:02}:{minute:02}:00Z") for n, (hour, minute) in enumerate(at)]


PAGES = [
    ({}, "2020-01-01T01:01:00Z", "last", "*"),
    ({"lastN": "20"}, "last", "first", "20"),
    ({"lastN": "20", "timerel": "before", "timeAt": "2021-01-01T01:01:00Z"},
     "2021-01-01T01:01:00Z", "first", "20"),
    ({"lastN": "20", "timerel": "between", "timeAt": "2019-01-01T01:01:00Z",
      "endTimeAt": "2021-01-01T01:01:00Z"}, "2021-01-01T01:01:00Z", "first", "20"),
    ({"lastN": "20", "timerel": "after", "timeAt": "2019-01-01T01:01:00Z"}, "last", "first", "20"),
    ({"timerel": "before", "timeAt": "2021-01-01T01:01:00Z"}, "first", "last", "*"),
    ({"timerel": "after", "timeAt": "2019-01-01T01:01:00Z"}, "2019-01-01T01:01:00Z", "last", "*"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "start", "end", "size"), PAGES)
@pytest.mark.parametrize("form", ["", "temporalValues"])
def test_6_3_10_large_answers_are_cut_at_one_time_for_all(hub, asked, start, end, size, form):
    hub.create(speed=series(*minutes(61, 20)), fuelLevel=series(*minutes(63, 20)))
    answers = [hub.get(f"{TEMPORAL}/{VEHICLE}", options=form, **asked)]
    if "timerel" in asked:
        answers.append(hub.get(type="Vehicle", options=form, **asked))
    for answer in answers:
        assert answer.status_code == 206
        body = answer.json() if isinstance(answer.json(), dict) else answer.json()[0]
        if form:
            times = [t for n in ("speed", "fuelLevel") for _, t in body[n]["values"]]
        else:
            times = [one["observedAt"] for n in ("speed", "fuelLevel") for one in body[n]]
        names = {"first": min(times), "last": max(times)}
        expected = f"date-time {names.get(start, start)}-{names.get(end, end)}/{size}"
        assert answer.headers["content-range"] == expected


def test_6_3_10_an_attribute_beyond_the_cut_is_there_but_empty(hub):
    hub.create(speed=series(*minutes(61, 60)), fuelLevel=series(*minutes(200, 60)))
    assert hub.get(f"{TEMPORAL}/{VEHICLE}", **EVER).json()["fuelLevel"] == []
    before = {"timerel": "before", "timeAt": "2021-01-01T00:00:00Z", "lastN": "100"}
    assert hub.get(f"{TEMPORAL}/{VEHICLE}", **before).json()["speed"] == []
    whole = hub.get(f"{TEMPORAL}/{VEHICLE}", instanceLimit="200", **EVER)
    assert (whole.status_code, len(whole.json()["fuelLevel"])) == (200, 60)


IN, OUT = "2026-03-01T12:00:00Z", "2026-01-05T00:00:00Z"
WINDOW = {"timerel": "between", "timeAt": "2026-03-01T00:00:00Z",
          "endTimeAt": "2026-03-02T00:00:00Z"}  # fmt: skip
FIRST_FUEL = {"timerel": "after", "timeAt": "2020-08-01T12:03:00Z"}


@pytest.fixture
def fleet(hub):
    prefix = "urn:ngsi-ld:Vehicle:"
    hub.create(prefix + "fast", speed=series((30, IN), (90, OUT)), heading=series((45, IN)),
               route=series(("550", IN)))  # fmt: skip
    hub.create(prefix + "slow", speed=series((10, IN), (80, OUT)), heading=series((170, IN)))
    hub.create(prefix + "shapes", name=series(("m", IN)), tags=series((["a", "b"], IN)),
               ref=series(("urn:d:1", IN), kind="Relationship", key="object"))  # fmt: skip
    hub.create(prefix + "out", speed=series((99, OUT)))
    second = series((60, IN), datasetId="urn:ngsi-ld:D:1")
    hub.create(prefix + "multi", speed=[*series((5, IN)), *second])
    return hub


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("speed>25", {"fast", "multi"}),
        ("speed>=5;heading<90", {"fast"}),
        ("speed>25|heading>100", {"fast", "slow", "multi"}),
        ('speed>25|name~="^m"', {"fast", "shapes", "multi"}),
        ("speed==10..40", {"fast", "slow"}),
        ('route=="550","551"', {"fast"}),
        ('ref=="urn:d:1"', {"shapes"}),
        ('tags=="a"', {"shapes"}),
        ("speed>50", {"multi"}),
        ('speed=="30"', set()),
        ("(speed>50|heading>100);speed<70", {"slow", "multi"}),
    ],
)
def test_5_7_4_4_values_are_filtered_within_the_interval(fleet, q, expected):
    found = fleet.get(type="Vehicle", q=q, count="true", **WINDOW)
    names = {one["id"].rsplit(":", 1)[1] for one in found.json()}
    assert names == expected
    assert found.headers["NGSILD-Results-Count"] == str(len(expected))
    assert OUT not in found.text


def test_5_7_4_4_pages_of_a_filtered_query_part_what_matches(fleet):
    pages = [ids(query(fleet, q="speed>25", limit="1", offset=str(n), **WINDOW)) for n in range(3)]
    assert pages == [["urn:ngsi-ld:Vehicle:fast"], ["urn:ngsi-ld:Vehicle:multi"], []]


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "expected"),
    [
        ("near;maxDistance==2000", "Point", "[2.29,48.85]", {"paris"}),
        ("within", "Polygon", "[[[2,48.5],[2.6,48.5],[2.6,49.2],[2,49.2],[2,48.5]]]", {"paris"}),
        ("disjoint", "Polygon", "[[[2,48.5],[2.6,48.5],[2.6,49.2],[2,49.2],[2,48.5]]]", {"far"}),
        ("equals", "Point", "[2.29,48.85]", {"paris"}),
    ],
)
def test_5_7_4_4_places_are_those_within_the_interval(hub, georel, geometry, coordinates, expected):
    def at(place, when):
        return series(({"type": "Point", "coordinates": place}, when), kind="GeoProperty")

    prefix = "urn:ngsi-ld:Vehicle:"
    hub.create(prefix + "paris", location=at([2.29, 48.85], IN))
    hub.create(prefix + "far", location=at([10.0, 50.0], IN))
    hub.create(prefix + "out", location=at([2.29, 48.85], OUT))
    found = query(hub, georel=georel, geometry=geometry, coordinates=coordinates, **WINDOW)
    assert {one.rsplit(":", 1)[1] for one in ids(found)} == expected


def scoped(*pairs):
    return [{"type": "Property", "value": value, "observedAt": at} for value, at in pairs]


@pytest.mark.parametrize(
    ("scope_q", "expected", "told"),
    [
        ("/A/B", {"ab", "both"}, {"abval", "bothval"}),
        ("/A/#", {"ab", "both"}, {"abval", "bothval"}),
        ("/#", {"ab", "both", "mid", "rep"}, {"abval", "bothval", "midpost", "repold", "repnew"}),
        ("/Y", set(), set()),
        ("/X|/M", {"mid"}, {"midpost"}),
        ("(/A/B;/C)", {"both"}, {"bothval"}),
        ("/R", {"rep"}, {"repold"}),
        ("/S", {"rep"}, {"repnew"}),
        ("/Z", set(), set()),
    ],
)
def test_4_18_scopes_hold_from_when_they_are_set(hub, scope_q, expected, told):
    hour = {"timerel": "between", "timeAt": "2026-03-01T12:00:00Z",
            "endTimeAt": "2026-03-01T13:00:00Z"}  # fmt: skip
    ten, prefix = "2026-03-01T10:00:00Z", "urn:ngsi-ld:Vehicle:"

    def make(name, scope, *speeds):
        hub.create(prefix + name, speed=series(*speeds), **({"scope": scope} if scope else {}))

    make("ab", scoped(("/A/B", ten)), ("abval", "2026-03-01T12:05:00Z"))
    make("bare", None, ("bareval", "2026-03-01T12:05:00Z"))
    make("both", scoped((["/A/B", "/C"], ten)), ("bothval", "2026-03-01T12:05:00Z"))
    make("mid", scoped(("/M", "2026-03-01T12:10:00Z")), ("midpre", "2026-03-01T12:05:00Z"),
         ("midpost", "2026-03-01T12:15:00Z"))  # fmt: skip
    make("rep", scoped(("/R", ten), ("/S", "2026-03-01T12:30:00Z")),
         ("repold", "2026-03-01T12:15:00Z"), ("repnew", "2026-03-01T12:45:00Z"))  # fmt: skip
    make("late", scoped(("/Z", "2026-03-01T14:00:00Z")), ("lateval", "2026-03-01T12:05:00Z"))
    found = query(hub, scopeQ=scope_q, **hour)
    assert {one["id"].rsplit(":", 1)[1] for one in found} == expected
    assert {value for one in found for value in values(one)} == told
    assert all(one["scope"] for one in found)


@pytest.mark.parametrize("asked", [SINCE_2020, {}, FIRST_FUEL])
def test_4_5_19_periods_begin_with_the_range_or_the_first_instance(hub, asked):
    hub.create(speed=SPEED, fuelLevel=FUEL)
    how = {"options": "aggregatedValues", "aggrMethods": "avg,max", "aggrPeriodDuration": "PT1H"}
    found = hub.one(**asked, **how)
    if asked is SINCE_2020:
        assert found["speed"]["avg"] == [[100.0, "2020-08-01T12:00:00Z", "2020-08-01T13:00:00Z"]]
        return
    one = "2020-08-01T{}:03:00Z".format
    assert found["speed"] == {
        "type": "Property", "avg": [[100.0, one(12), one(13)]], "max": [[120.0, one(12), one(13)]],
    }  # fmt: skip
    assert found["fuelLevel"]["avg"] == [
        [67.0, one(12), one(13)], [53.0, one(13), one(14)], [40.0, one(14), one(15)],
    ]  # fmt: skip


@pytest.mark.parametrize("duration", ["PT0S", "P0D", None])
def test_4_5_19_no_duration_is_the_whole_range(hub, duration):
    hub.create(speed=SPEED)
    methods = "sum,totalCount,distinctCount,sumsq,stddev"
    how = {"options": "aggregatedValues", "aggrMethods": methods}
    if duration:
        how["aggrPeriodDuration"] = duration
    between = {"timerel": "between", "timeAt": "2020-08-01T00:00:00Z",
               "endTimeAt": "2020-08-02T00:00:00Z"}  # fmt: skip
    (found,) = query(hub, **between, **how)
    bounds = ["2020-08-01T00:00:00Z", "2020-08-02T00:00:00Z"]
    assert found["speed"]["sum"] == [[300.0, *bounds]]
    assert found["speed"]["totalCount"] == [[3, *bounds]]
    assert found["speed"]["sumsq"] == [[120.0**2 + 80**2 + 100**2, *bounds]]
    assert found["speed"]["stddev"][0][0] == pytest.approx(16.3299316)


def test_4_5_19_1_other_values_have_methods_of_their_own(hub):
    at = ["2020-08-01T12:03:00Z", "2020-08-01T12:05:00Z"]
    hub.create(
        name=series(("b", at[0]), ("a", at[1])), open=series((True, at[0]), (False, at[1])),
        tags=series(([1, 2], at[0]), ([3], at[1])),
        ref=series(("urn:a:1", at[0]), ("urn:a:1", at[1]), kind="Relationship", key="object"),
    )  # fmt: skip
    how = {"options": "aggregatedValues", "aggrMethods": "min,sum,totalCount,distinctCount"}
    found = hub.one(**how, **SINCE_2020)

    def told(name):
        return {m: v[0][0] for m, v in found[name].items() if m not in ("type", "datasetId")}

    assert told("name") == {"min": "a", "totalCount": 2, "distinctCount": 2}
    assert told("open") == {"min": 0.0, "sum": 1.0, "totalCount": 2, "distinctCount": 2}
    assert told("tags") == {"min": 1.0, "sum": 3.0, "totalCount": 2, "distinctCount": 2}
    assert told("ref") == {"totalCount": 2, "distinctCount": 1}
    assert found["ref"]["type"] == "Relationship"
    answer = hub.get(f"{TEMPORAL}/{VEHICLE}", attrs="name", options="aggregatedValues",
                     aggrMethods="avg", **SINCE_2020)  # fmt: skip
    assert problem(answer) == (400, "InvalidRequest")


def ask(hub, **body):
    return hub.call("POST", "/temporal/entityOperations/query", {"type": "Query", **body})


def test_5_7_4_the_same_by_a_query_in_a_body(hub):
    hub.create(speed=SPEED)
    hub.create(BUS, "Bus", speed=SPEED)
    both = [{"type": "Vehicle"}, {"type": "Bus"}]
    after = {"timerel": "after", "timeAt": "2020-08-01T12:05:00Z"}
    assert ids(ask(hub, entities=both, temporalQ=after).json()) == [BUS, VEHICLE]
    last = ask(hub, entities=both[:1], temporalQ={**after, "lastN": 1})
    assert [values(one) for one in last.json()] == [[100]]
    for methods in (["avg"], "avg"):
        found = ask(hub, entities=both[:1], temporalQ={**after, "aggrMethods": methods})
        assert found.json()[0]["speed"]["avg"][0][0] == 90.0
        assert "instanceId" not in found.text
    found = ask(hub, entities=both[:1], temporalQ=after,
                aggrParams={"aggrMethods": ["avg"], "aggrPeriodDuration": "PT0S"})  # fmt: skip
    assert found.json()[0]["speed"]["avg"][0][0] == 90.0


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"temporalQ": {"lastN": 0}}, "lastN"),
        ({"temporalQ": {"lastN": 1.5}}, "lastN"),
        ({"temporalQ": {"timerel": "during", "timeAt": IN}}, "timerel"),
        ({"temporalQ": {"timerel": "between", "timeAt": IN}}, "endTimeAt"),
        ({"temporalQ": {**EVER, "timeproperty": "seenAt"}}, "timeproperty"),
        ({"temporalQ": {**EVER, "aggrPeriodDuration": "1H"}}, "aggrPeriodDuration"),
        ({"temporalQ": EVER, "aggrParams": {"aggrMethods": ["mode"]}}, "aggrMethods"),
        ({}, "temporalQ"),
    ],
)
def test_5_2_21_a_temporal_query_in_a_body_is_checked(hub, body, word):
    answer = ask(hub, entities=[{"type": "Vehicle"}], **body)
    assert problem(answer) == (400, "BadRequestData")
    assert word in answer.text


def test_6_3_13_count_is_taken_as_an_option_as_it_once_was(hub):
    hub.create(speed=SPEED)
    answer = hub.get(type="Vehicle", options="count,temporalValues", **EVER)
    assert answer.status_code == 200
    assert answer.headers["NGSILD-Results-Count"] == "1"
    assert "values" in answer.json()[0]["speed"]
