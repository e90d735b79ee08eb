"""`!attribute` in q: what is not to be there (§4.9, as the public suites read it)."""

import pytest

from onsil.hub.query.matching import matches
from onsil.hub.query.q import parse_q

SINCE = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=createdAt"


def entity(name, **attrs):
    made = {"id": f"urn:x:{name}", "type": "T"}
    return made | {n: {"type": "Property", "value": v} for n, v in attrs.items()}


@pytest.fixture
def three(broker):
    owner = {"owner": {"type": "Relationship", "object": "urn:x:slow"}}
    broker.make(
        entity("slow", speed=10, sizes={"length": 1}),
        entity("fast", speed=30) | owner,
        entity("heading", speed=40, heading=90),
    )
    return broker


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("!heading;speed>25", {"fast"}),
        ("!heading", {"fast", "slow"}),
        ("(!heading;speed<20)|heading", {"slow", "heading"}),
        ("!sizes[length]", {"fast", "heading"}),
        ("!sizes[width];speed<20", {"slow"}),
        ("!expiresAt;!speed", set()),
        ("!owner{sizes}", {"slow", "heading"}),
        ("!owner{heading};owner", {"fast"}),
    ],
)
def test_4_9_what_is_not_there_can_be_asked_for(three, query, wanted):
    join = "&join=inline&joinLevel=1" if "{" in query else ""
    answer = three.get(f"/entities?type=T&count=true&q={query}{join}")
    assert answer.status_code == 200, answer.text
    assert {one["id"].removeprefix("urn:x:") for one in answer.json()} == wanted
    assert answer.headers["NGSILD-Results-Count"] == str(len(wanted))


def test_5_7_4_in_a_time_range_too(three):
    found = three.get(f"/temporal/entities?type=T&{SINCE}&q=!heading;speed>25").json()
    assert [one["id"] for one in found] == ["urn:x:fast"]


@pytest.mark.parametrize("query", ["!", "!!a", "!a==1", "!(a)", "!a>2;b"])
def test_4_9_it_goes_with_an_attribute_alone(broker, problem, query):
    assert problem(broker.get(f"/entities?type=T&q={query}")) == (400, "BadRequestData")


def test_4_9_it_is_decided_the_same_in_memory():
    from onsil.hub.documents import parse_entity

    document = parse_entity(entity("fast", speed=30))
    assert matches(parse_q("!heading;speed>25"), document)
    assert not matches(parse_q("!speed"), document)
