"""The five indicators: what counts as good, of how many, and what cannot be measured."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from offering import CITY, FILE, NOW, PROBES, fill
from onsil import hub
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.periods import Period
from onsil.hub.datasets.measuring import keep_quality, last_measured, measure, quality_by_day
from onsil.hub.datasets.quality import (
    INDICATORS,
    Part,
    days_due,
    expected_of,
    indicators,
    part,
    references,
    required_parts,
    unique_entities,
)
from onsil.hub.datasets.registry import dataset_of, read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.documents import parse_entity
from onsil.hub.steps import run

DAY = Period(NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=1))
TODAY = date(2026, 2, 10)


def by_name(parts: list[Part]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(one.indicator, one.name): (one.good, one.total) for one in parts}


def tree(number: int, **more):
    return parse_entity({"id": f"urn:ngsi-ld:Tree:{CITY}:{number}", "type": "Tree"} | more)


def test_an_indicator_is_as_good_as_its_weakest_part():
    found = indicators(
        [Part("validity", "readings", 9999, 10_000), Part("validity", "entities", 1, 3)]
    )
    validity = next(one for one in found if one.name == "validity")
    assert validity.share == Decimal("0.3333")
    assert [one.name for one in validity.parts] == ["entities", "readings"]


def test_what_has_nothing_to_count_is_not_measurable_and_not_zero():
    assert part("accuracy", "sensors", 0, 0) == []
    found = indicators([])
    assert [one.name for one in found] == list(INDICATORS)
    assert {one.share for one in found} == {None}
    assert indicators([Part("accuracy", "sensors", 0, 4)])[2].share == 0


def test_only_what_is_whole_is_shown_as_whole():
    assert Part("validity", "readings", 99_999, 100_000).share == Decimal("0.9999")
    assert Part("validity", "readings", 5, 5).share == 1


@pytest.mark.parametrize(
    ("interval_s", "hours", "count"),
    [(900, 24, 96), (3600, 24, 24), (7, 1, 515), (7200, 24, 12), (86_400, 24, 1), (604_800, 24, 1)],
)
def test_how_many_values_a_day_is_to_have(interval_s, hours, count):
    assert expected_of(interval_s, hours) == count


def test_attributes_that_must_be_there_are_counted():
    iri = "https://uri.etsi.org/ngsi-ld/default-context/species"
    assert required_parts([tree(1, species="Ginkgo"), tree(2)], [iri]) == (1, 2)
    assert required_parts([], [iri]) == (0, 0)


def test_entities_that_say_the_same_are_counted_once():
    same = {"species": "Ginkgo", "height": {"type": "Property", "value": 3}}
    other = same | {"height": {"type": "Property", "value": 4}}
    assert unique_entities([tree(1, **same), tree(2, **same), tree(3, **other)]) == (2, 3)
    named = [tree(1, name="a", **same), tree(2, name="b", **same)]
    assert unique_entities(named) == (1, 2)
    assert unique_entities([tree(1), tree(2)]) == (2, 2)
    assert unique_entities([tree(1)]) == (0, 0)


def test_references_are_relationships_to_entities():
    one = tree(1, near={"type": "Relationship", "object": ["urn:ngsi-ld:Tree:x:1", "https://x.org/"]},
               species="urn:ngsi-ld:not:a:relationship")  # fmt: skip
    assert references([one]) == ["urn:ngsi-ld:Tree:x:1"]


@pytest.mark.parametrize(
    ("last", "due"),
    [(None, [10]), (date(2026, 2, 9), [10]), (date(2026, 2, 10), []),
     (date(2026, 2, 7), [8, 9, 10]), (date(2025, 2, 1), [4, 5, 6, 7, 8, 9, 10])],
)  # fmt: skip
def test_days_are_measured_once_and_caught_up_with(last, due):
    assert [one.day for one in days_due(last, TODAY)] == due


@pytest.fixture
def conn(fresh_database):
    with connect(fresh_database, CITY) as made:
        yield made


def soil(name: str = "soilTemperature"):
    table = next(one for one in read_datasets(FILE)[1] if one.model == "soil-probe").as_json()
    return dataset_of(table | {"id": "soil", "attributes": [name]})


def test_readings_are_counted_against_what_was_expected(conn):
    run(conn, put_datasets(CITY, None, [soil()], NOW))
    fill(conn)  # three values of one probe; the other never had any
    hub.record(conn, CITY, [
        hub.Reading(PROBES[0], "soilTemperature", NOW, Decimal("NaN")),
        hub.Reading(PROBES[0], "soilTemperature", NOW - timedelta(minutes=9), Decimal(13)),
        hub.Reading(PROBES[1], "soilMoisture", NOW, Decimal("NaN")),
    ], FixedClock(NOW))  # fmt: skip
    found = by_name(run(conn, measure(CITY, soil(), DAY, NOW)))
    assert found["completeness", "readings"] == (3, 2880)
    assert found["validity", "readings"] == (3, 4)
    assert found["consistency", "readings"] == (2, 3)
    assert found["validity", "entities"] == (2, 2)
    assert found["uniqueness", "entities"] == (2, 2)
    assert ("accuracy", "sensors") not in found
    assert ("consistency", "references") not in found


def test_a_day_without_a_value_counts_once_there_ever_was_one(conn):
    run(conn, put_datasets(CITY, None, [soil()], NOW))
    fill(conn)
    following = Period(DAY.end, DAY.end + timedelta(days=1))
    found = by_name(run(conn, measure(CITY, soil(), following, NOW)))
    assert found["completeness", "readings"] == (0, 2880)
    assert ("validity", "readings") not in found
    before = Period(DAY.start - timedelta(days=1), DAY.start)
    assert ("completeness", "readings") not in by_name(
        run(conn, measure(CITY, soil(), before, NOW))
    )


def test_sensors_nobody_watches_are_not_judged(conn):
    run(conn, put_datasets(CITY, None, [soil()], NOW))
    fill(conn)
    trust = {(PROBES[0], "soilTemperature"): False, (PROBES[1], "soilTemperature"): True}
    found = by_name(run(conn, measure(CITY, soil(), DAY, NOW, trust)))
    assert found["accuracy", "sensors"] == (0, 1)  # the other had no value that day


def test_what_was_measured_is_kept_by_day_and_measured_anew(conn):
    parts = [Part("validity", "readings", 3, 4), Part("uniqueness", "entities", 2, 2)]
    for _ in range(2):
        run(conn, keep_quality(CITY, "soil", TODAY, parts, NOW))
    run(conn, keep_quality(CITY, "soil", TODAY - timedelta(days=1), parts[:1], NOW))
    found = run(conn, quality_by_day(CITY, TODAY, "soil"))
    assert list(found["soil"]) == [TODAY]
    shares = {one.name: one.share for one in found["soil"][TODAY]}
    assert shares == {"completeness": None, "validity": Decimal("0.75"), "accuracy": None,
                      "uniqueness": Decimal(1), "consistency": None}  # fmt: skip
    assert run(conn, last_measured(CITY, "soil")) == TODAY
    assert run(conn, last_measured(CITY, "air")) is None
