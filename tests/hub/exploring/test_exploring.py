"""Questions, their calls, and answers that stay within what may be seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from offering import CITY, FILE, NOW, PROBES, fill
from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import Period
from onsil.hub.datasets.registry import read_datasets
from onsil.hub.exploring.answering import Answer, answer
from onsil.hub.exploring.asking import entities_call, evolution_call
from onsil.hub.exploring.calls import ENTITIES, EVOLUTIONS, Call, call_of
from onsil.hub.exploring.charting import Known, broken, charts_of, line_table, lines_of
from onsil.hub.exploring.exploration import explore
from onsil.hub.exploring.question import (
    aligned,
    compared,
    first_source,
    fitting_step,
    read_question,
)
from onsil.hub.exploring.sources import Source, city_sources, open_sources
from onsil.hub.exploring.tables import spoken, tabled
from onsil.hub.http.gate import Problem
from onsil.hub.query.q import parse_q
from onsil.hub.steps import run

SEOUL = ZoneInfo("Asia/Seoul")
SOURCES = open_sources(read_datasets(FILE)[1])
SOIL = next(one for one in SOURCES if one.key == "set:simulated-soil-temperature")
CLOSED = "urn:ngsi-ld:SoilProbe:pyeongtaek:measured-1"


@pytest.fixture
def conn(fresh_database):
    with connect(fresh_database, CITY) as made:
        fill(made)
        hub.upsert_entities(made, CITY, [
            {"id": CLOSED, "type": "SoilProbe", "simulated": False,
             "soilTemperature": {"type": "Property", "value": 7}},
            {"id": f"urn:ngsi-ld:Meter:{CITY}:home", "type": "Meter",
             "activePower": {"type": "Property", "value": 1}},
        ], clock=FixedClock(NOW))  # fmt: skip
        yield made


def asked(**given: str | list[str]):
    lists = {name: [one] if isinstance(one, str) else one for name, one in given.items()}
    return read_question({"of": [SOIL.key], **lists}, SOURCES, SEOUL)


def called(conn, target: str, source: Source = SOIL, body: str = "") -> Answer:
    return run(conn, answer(CITY, source, call_of("POST" if body else "GET", target, body), NOW))


def test_what_was_measured_comes_first():
    assert first_source(SOURCES).key == "set:solar-generation"
    assert read_question({}, SOURCES, SEOUL).source.origin == "replayed"


def test_a_type_stands_for_its_data_sets_together():
    meters = next(one for one in SOURCES if one.key == "type:Meter")
    assert meters.q == "simulated==true"
    assert {"activePower", "activeEnergy"} <= {one.name for one in meters.fields}
    assert all(one.bounded for one in SOURCES)


def test_conditions_become_the_query_language():
    question = asked(
        ca=["soilTemperature", "soilTemperature", "secret"], co=[">=", "there", "=="],
        cv=["-3.5", "", "1"],
    )  # fmt: skip
    assert question.q == "soilTemperature>=-3.5;soilTemperature;simulated==true"
    assert asked(either="1", ca=["soilTemperature"] * 2, co=["<", ">"], cv=["1", "5"]).q == (
        "(soilTemperature<1|soilTemperature>5);simulated==true"
    )
    named = replace(SOIL, fields=(replace(SOIL.fields[0], name="name", value="text"),))
    texts = read_question({"ca": ["name", "name"], "co": ["==", "~="],
                           "cv": ['a";simulated==false|"', "a.b 3"]}, [named], SEOUL)  # fmt: skip
    tree = parse_q(texts.q)
    assert [part.values for part in tree.parts] == [  # pyright: ignore
        ('a";simulated==false|"',), ("a\\.b\\ 3",), (True,),
    ]  # fmt: skip


def test_what_is_wrong_is_told_by_field():
    assert asked(of="set:none").fault("of")
    assert asked(ca="soilTemperature", co=">", cv="warm").fault("conditions")
    assert asked(place="circle", lon="127", lat="x", radius="5").fault("place")
    assert asked(place="polygon", ring="127 37\n127.1 37").fault("place")
    assert asked(span="own", **{"from": "2026-02-02T00:00", "until": "2026-02-01T00:00"}).fault(
        "period"
    )
    assert not asked(span="own", **{"from": "2026-02-01T00:00", "until": "2026-02-02T00:00"}).faults


def test_a_call_is_written_in_three_ways():
    question = asked(place="polygon", ring="127 37\n127.1 37\n127 37.1", ca="soilTemperature",
                     co=">", cv="1")  # fmt: skip
    call = entities_call(question)
    assert call.target.startswith("/ngsi-ld/v1/entities?type=SoilProbe&q=soilTemperature%3E1;")
    assert "NGSILD-Tenant: pyeongtaek" in call.curl("http://hub", CITY)
    again = call_of("GET", f"http://hub{call.target}")
    assert again == call
    odd = Call(ENTITIES, (("type", "SoilProbe"), ("q", 'name=="a&b+c%20#d e"')))
    assert call_of("GET", odd.said) == odd == call_of("GET", odd.target)
    assert call_of("GET", call.said) == call
    query = call.as_query()
    assert query.body is not None
    assert query.body["geoQ"]["coordinates"] == [[[127, 37], [127.1, 37], [127, 37.1], [127, 37]]]
    assert query.target == "/ngsi-ld/v1/entityOperations/query?count=true&limit=50"
    quoted = replace(query, body={"q": "a=='b'"}).curl("http://hub", CITY)
    assert "'\\''b'\\''" in quoted


def test_both_ways_give_the_same_answer(conn):
    for place in ({}, {"place": "circle", "lon": "127.028", "lat": "37.04", "radius": "500"}):
        call = entities_call(asked(**place))
        got = run(conn, answer(CITY, SOIL, call, NOW))
        posted = run(conn, answer(CITY, SOIL, call.as_query(), NOW))
        assert got == posted
        assert [one["id"] for one in got.body] == (PROBES[:1] if place else PROBES)
        assert got.total == len(got.body)
    assert got.body[0]["soilTemperature"]["value"] == 0.1


def test_nothing_beyond_a_data_set_is_seen(conn):
    whole = called(conn, f"{ENTITIES}?type=SoilProbe")
    assert [one["id"] for one in whole.body] == PROBES
    assert all("soilMoisture" not in one and "name" not in one for one in whole.body)
    assert called(conn, f"{ENTITIES}/{CLOSED}").status == 404
    assert called(conn, f"{ENTITIES}?type=SoilProbe&id={CLOSED}").body == []
    assert called(conn, f"{ENTITIES}?type=SoilProbe&q=simulated==false").body == []
    for beyond in (
        "type=Meter", "type=SoilProbe&q=soilMoisture>1", "type=SoilProbe&attrs=soilMoisture",
        "type=SoilProbe&orderBy=soilMoisture", "type=SoilProbe&join=flat",
        "type=SoilProbe&pick=soilMoisture",
        "type=SoilProbe&georel=near;maxDistance==9&geometry=Point&coordinates=[1,2]&geoproperty=x",
    ):  # fmt: skip
        found = called(conn, f"{ENTITIES}?{beyond}")
        assert found.status == 403, (beyond, found)
        assert not found.good
    everything = "timerel=after&timeAt=2000-01-01T00:00:00Z"
    past = called(conn, f"{EVOLUTIONS}?type=SoilProbe&{everything}")
    assert [one["id"] for one in past.body] == PROBES[:1]
    assert "soilMoisture" not in past.body[0]
    assert called(conn, f"{EVOLUTIONS}/{CLOSED}?{everything}").status == 404
    assert called(conn, f"{EVOLUTIONS}?type=Meter&{everything}").status == 403
    query = '{"type": "Query", "entities": [{"type": "Meter"}]}'
    assert called(conn, "/ngsi-ld/v1/entityOperations/query", body=query).status == 403


def test_officials_see_every_type(conn):
    types = {f"https://uri.etsi.org/ngsi-ld/default-context/{name}": []
             for name in ("Meter", "SoilProbe")}  # fmt: skip
    sources = city_sources(read_datasets(FILE)[1], types)
    meters = next(one for one in sources if one.key == "type:Meter")
    assert called(conn, f"{ENTITIES}?type=SoilProbe&id={CLOSED}", meters).body
    assert [one["id"] for one in called(conn, f"{ENTITIES}?type=Meter", meters).body]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/ngsi-ld/v1/entities?nonsense=1", 400), ("/ngsi-ld/v1/entities?type=SoilProbe&q=((", 400),
        ("/ngsi-ld/v1/subscriptions", 404), ("/ngsi-ld/v1/entities?type=SoilProbe&limit=x", 400),
        ("/ngsi-ld/v1/temporal/entities?type=SoilProbe", 400),
        ("/ngsi-ld/v1/entities/no-uri", 400),
        ("/ngsi-ld/v1/temporal/entities?type=SoilProbe&lastN=1&timezone=Mars", 200),
    ],
)  # fmt: skip
def test_errors_are_answers(conn, target: str, status: int):
    found = called(conn, target)
    assert found.status == status, found.body


def test_a_call_elsewhere_is_none():
    for method, target in (("GET", "/etc/passwd"), ("DELETE", ENTITIES), ("GET", "x" * 9000)):
        with pytest.raises(Problem):
            call_of(method, target)
    with pytest.raises(Problem):
        call_of("POST", f"{ENTITIES}", "[1]")


def test_what_was_measured_is_drawn_with_its_gaps(conn):
    made = run(conn, explore(CITY, asked(span="day", compare="previous"), SEOUL, NOW))
    assert made.total == 2
    assert made.step == "raw"
    assert len(made.calls) == 2
    (line,) = made.lines
    assert [value for _, value in line.points] == [12.1, -3.25, 0.1]
    assert (line.unit, line.origin) == ("degC", "simulated")
    (chart,) = charts_of(made.lines, made.known, made.step, SEOUL, "before", "title")
    assert [value for _, value in chart.live["series"][0]["points"]] == [12.1, -3.25, 0.1]
    assert chart.still["series"][0]["values"] == [12.1, -3.25, 0.1]
    assert made.origins == ["simulated"]
    summed = run(conn, explore(CITY, asked(step="hour"), SEOUL, NOW))
    assert summed.method == "avg"
    assert [value for _, value in summed.lines[0].points] == [pytest.approx(2.983333)]
    table = line_table(summed.lines, summed.method)
    assert table.rows[0][:5] == [PROBES[0], "soilTemperature", "degC", "simulated", "avg"]
    assert [place.drawn for place in made.places] == [True, False]
    assert made.places[0].lat == 37.04


def test_gaps_are_gaps():
    at = [NOW + timedelta(minutes=m) for m in (0, 10, 20, 60)]
    pairs = [[n, moment.isoformat()] for n, moment in enumerate(at)]
    body = [{"id": "urn:x", "type": "T", "a": {"type": "Property", "values": pairs}}]
    (line,) = lines_of(body, {("urn:x", "a"): Known("W", "measured", 600)})
    assert [value for _, value in broken(line, "raw", 600)] == [0, 1, 2, None, 3]
    assert tabled(body).rows[0] == ["urn:x", "a", at[0], 0]


def test_values_are_told_as_people_read_them():
    assert spoken({"ko": "밸브", "en": "Valve"}, "en-GB") == "Valve"
    assert spoken({"ko": "밸브"}, "en") == "밸브"
    assert spoken({"a": 1}, "ko") == '{"a":1}'
    assert spoken(True, "ko") == "true"
    assert spoken(1.5, "ko") == 1.5


def test_periods():
    start = datetime(2024, 2, 29, 3, 30, tzinfo=UTC)
    period = Period(start, start + timedelta(days=31))
    assert compared(period, "previous", SEOUL).end == start
    assert compared(period, "year", SEOUL).start.astimezone(SEOUL).day == 28
    assert compared(period, "year", SEOUL).length == period.length
    assert aligned(period, "month", SEOUL).start.astimezone(SEOUL).day == 1
    assert fitting_step(period, 600) == "hour"
    assert fitting_step(Period(start, start + timedelta(days=366)), 600) == "day"
    assert fitting_step(Period(start, start + timedelta(hours=3)), 10) == "raw"


def test_an_evolution_is_asked_for_by_its_ids():
    period = Period(NOW, NOW + timedelta(days=1))
    call = evolution_call(asked(), PROBES, ["soilTemperature"], period, "day", "avg", SEOUL)
    query = call.as_query()
    assert query.body is not None
    assert query.body["temporalQ"]["timerel"] == "between"
    assert query.body["entities"][0]["id"] == PROBES
    assert query.body["aggrParams"] == {"aggrMethods": ["avg"], "aggrPeriodDuration": "P1D"}
    assert isinstance(call, Call)
