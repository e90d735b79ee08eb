"""Which changes concern which subscriptions: against a naive matcher, and rule by rule."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.hub.changes import Change
from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, parse_entity
from onsil.hub.subscriptions.checking import read_subscription
from onsil.hub.subscriptions.compiling import compiled
from onsil.hub.subscriptions.index import indexed
from onsil.hub.subscriptions.matching import changed_attributes, entry_of, triggering

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
IRI = CORE.iri
TYPES, NAMES, DATASETS = ("Building", "Tower", "Hall"), ("name", "level", "place"), ("", "urn:d:1")


def subscription(number: int = 1, **members):
    raw = {
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": {"endpoint": {"uri": "http://127.0.0.1:9/"}, **members.pop("form", {})},
        **members,
    }
    raw = {key: value for key, value in raw.items() if value is not None}
    draft = read_subscription(raw, CORE, "entities", NOW)
    used = {"source": "c", "url": "c"}
    return compiled("c", number, "urn:s", "entities", draft.doc, draft.names, used, NOW)


def document(type="Building", uri="urn:ngsi-ld:Building:b1", **attrs) -> Document:
    return parse_entity({"id": uri, "type": type, **attrs})


def change(before: Document | None, after: Document | None, *keys) -> Change:
    uri = (after or before).uri  # pyright: ignore
    return Change(1, uri, before, after, NOW, dict.fromkeys(keys, "updated"))


def entry(one, made: Change):
    return entry_of(one, made, changed_attributes(made))


def test_a_new_entity_is_told_by_default_as_its_attributes_are_new():
    made = change(None, document(name="x"))
    assert entry(subscription(), made)
    assert entry(subscription(notificationTrigger=["entityCreated"]), made)
    assert not entry(subscription(notificationTrigger=["attributeUpdated"]), made)
    assert not entry(subscription(entities=[{"type": "Tower"}]), made)


def test_what_stays_the_same_triggers_nothing():
    before = document(level={"type": "Property", "value": 4, "unitCode": "C62"})
    same = document(level={"type": "Property", "value": 4, "unitCode": "C62"})
    same.attrs[IRI("level")][0]["modifiedAt"] = "2026-03-01T12:00:00Z"
    assert not entry(subscription(), change(before, same, (IRI("level"), "")))
    other = document(level={"type": "Property", "value": 4, "unitCode": "P1"})
    assert entry(subscription(), change(before, other, (IRI("level"), "")))


def test_entity_updated_stands_for_the_three_attribute_triggers():
    one = subscription(notificationTrigger=["entityUpdated"])
    before, after = document(name="x"), document(name="x", level=1)
    assert entry(one, change(before, after, (IRI("level"), "")))
    assert entry(one, change(after, before, (IRI("level"), "")))
    assert entry(one, change(before, document(name="y"), (IRI("name"), "")))


def test_only_watched_attributes_count():
    one = subscription(watchedAttributes=["name"])
    before = document(name="x", level=1)
    assert not entry(one, change(before, document(name="x", level=2), (IRI("level"), "")))
    assert entry(one, change(before, document(name="y", level=1), (IRI("name"), "")))


def test_a_deleted_entity_is_judged_by_what_it_was():
    gone = change(document(name="x", level=7), None)
    assert entry(subscription(notificationTrigger=["entityDeleted"]), gone)["attrs"] == {}
    assert not entry(subscription(), gone)
    assert entry(subscription(notificationTrigger=["entityDeleted"], q="level>5"), gone)
    assert not entry(subscription(notificationTrigger=["entityDeleted"], q="level>9"), gone)
    told = entry(
        subscription(notificationTrigger=["attributeDeleted"], watchedAttributes=["name"]), gone
    )
    assert [one["iri"] for one in told["gone"]] == [IRI("name")]


def test_q_and_geo_and_scope_are_asked_of_the_state_after():
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [127.1, 37.0]}}
    near = {"georel": "near;maxDistance==2000", "geometry": "Point", "coordinates": [127.1, 37.01]}
    before, after = document(level=1), document(level=9, location=place)
    after.scopes = ["/City/North"]
    made = change(before, after, (IRI("level"), ""))
    assert entry(subscription(q="level==9", geoQ=near, scopeQ="/City/+"), made)
    assert not entry(subscription(q="level==8", geoQ=near), made)
    assert not entry(subscription(q="level==9", geoQ=near | {"coordinates": "[100,0]"}), made)
    assert not entry(subscription(scopeQ="/Town/#"), made)


def test_a_query_looks_into_linked_entities():
    battery = document("Device", "urn:d", level=0.3)
    car = document("Building", link={"type": "Relationship", "object": "urn:d"})
    made = change(None, car)
    one = subscription(q="link{level}<0.5")
    assert entry_of(one, made, changed_attributes(made), {"urn:d": battery}.get)
    assert not entry_of(one, made, changed_attributes(made), None)


def test_selectors_by_type_selection_id_and_pattern():
    made = change(None, document(name="x"))
    for good in (
        {"type": "(Building|Tower)"}, {"type": "*"}, {"type": "Building", "id": made.uri},
        {"type": "Building", "idPattern": "^urn:ngsi-ld:Building:b"},
        {"type": "Building", "id": ["urn:x", made.uri], "idPattern": "nothing"},
    ):  # fmt: skip
        assert entry(subscription(entities=[good]), made), good
    for bad in (
        {"type": "Building;Tower"}, {"type": "Building", "id": "urn:other"},
        {"type": "Building", "idPattern": "^urn:tower"},
    ):  # fmt: skip
        assert not entry(subscription(entities=[bad]), made), bad


attributes = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(DATASETS)), st.integers(0, 2), max_size=4
)
trigger_lists = st.none() | st.lists(
    st.sampled_from(("entityCreated", "entityUpdated", "entityDeleted", "attributeCreated",
                     "attributeUpdated", "attributeDeleted")), min_size=1, max_size=3, unique=True,
)  # fmt: skip


def _document(values, type) -> Document:
    attrs: dict = {}
    for (name, dataset), value in values.items():
        one = {"type": "Property", "value": value} | ({"datasetId": dataset} if dataset else {})
        attrs.setdefault(IRI(name), []).append(one)
    return Document("urn:e", [IRI(type)], [], attrs)


def _naive(before, after, types, type, watched, triggers, datasets) -> bool:
    """The rules word by word."""
    if type not in types:
        return False
    triggers = set(triggers or ("attributeCreated", "attributeUpdated"))
    if "entityUpdated" in triggers:
        triggers |= {"attributeCreated", "attributeUpdated", "attributeDeleted"}
    events = set()
    for key in {*(before or {}), *(after or {})}:
        name, dataset = key
        if watched and name not in watched:
            continue
        if datasets and (dataset or "@none") not in datasets:
            continue
        if before is None or key not in before:
            events.add("attributeCreated")
        elif after is None or key not in after:
            events.add("attributeDeleted")
        elif before[key] != after[key]:
            events.add("attributeUpdated")
        if before is None:
            events.add("entityCreated")
        if after is None:
            events.add("entityDeleted")
    if not watched and not datasets:
        events |= {"entityCreated"} if before is None else set()
        events |= {"entityDeleted"} if after is None else set()
    return bool(events & triggers)


@settings(max_examples=400, deadline=None)
@given(
    before=st.none() | attributes, after=st.none() | attributes, type=st.sampled_from(TYPES),
    types=st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True),
    watched=st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True),
    triggers=trigger_lists,
    datasets=st.none() | st.lists(st.sampled_from(("@none", "urn:d:1")), min_size=1, unique=True),
)  # fmt: skip
def test_matching_is_what_the_rules_say(before, after, type, types, watched, triggers, datasets):
    if before is None and after is None:
        return
    one = subscription(
        entities=[{"type": t} for t in types], watchedAttributes=watched,
        notificationTrigger=triggers, datasetId=datasets,
    )  # fmt: skip
    old = _document(before, type) if before is not None else None
    new = _document(after, type) if after is not None else None
    keys = {(IRI(n), d) for n, d in {*(before or {}), *(after or {})}}
    made = change(old, new, *keys)
    told = entry(one, made) is not None
    assert told == _naive(before, after, types, type, watched, triggers, datasets)
    # The index may offer too much, never too little.
    names = {iri for iri, _ in keys}
    offered = indexed(1, {1: one}).candidates([IRI(type)], names)
    assert not told or offered == [one]


def test_a_paused_or_expired_subscription_is_not_active():
    from datetime import timedelta

    one = subscription(isActive=False)
    assert one.status(NOW) == "paused"
    other = subscription(expiresAt="2026-03-01T13:00:00Z")
    assert other.status(NOW) == "active"
    assert other.status(NOW + timedelta(hours=1)) == "expired"


@pytest.mark.parametrize("word", ["created", "updated", "deleted"])
def test_triggering_names_the_instances(word):
    one = subscription(notificationTrigger=["attribute" + word.capitalize()])
    keys = {("a", ""): "created", ("b", ""): "updated", ("c", ""): "deleted"}
    made = change(document(name="x"), document(name="y"))
    assert triggering(one, made, keys) == {k for k, w in keys.items() if w == word}


def test_names_of_one_subscription_mean_nothing_elsewhere():
    from onsil.hub.contexts import compile_context
    from onsil.hub.documents import parse_selection
    from onsil.hub.subscriptions.names import Recalled, Recorder, renamed

    context = compile_context({"colour": "https://a.example/colour", "size": "https://a.example/s"})
    recorder = Recorder(context)
    parse_selection("colour{size}", None, recorder)  # pyright: ignore
    assert recorder.kept.keys() == {"colour", "size"}
    recalled = Recalled(recorder.kept)
    selection = parse_selection("colour", None, recalled)  # pyright: ignore
    assert selection.attrs == {"https://a.example/colour"}
    assert parse_selection("colour", None, CORE).attrs == {IRI("colour")}
    other = compile_context({"c": "https://a.example/colour"})
    shown = renamed('colour>5;text=="colour"|colour.size[x]', recorder.kept, other.term)
    assert shown == 'c>5;text=="colour"|c.https://a.example/s[x]'
