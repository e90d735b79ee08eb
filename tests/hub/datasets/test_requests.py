"""The rules of asking for a data set that is not open."""

from datetime import timedelta

import pytest

from offering import FILE, NOW
from onsil.core.refusal import Refusal
from onsil.hub.datasets.registry import Dataset, dataset_of, read_datasets
from onsil.hub.datasets.requests import UsageRequest, check_asking, check_key, decide

ANNA, OFFICIAL = "user:anna", "user:official"
DAY = timedelta(days=1)


def closed_set() -> Dataset:
    table = read_datasets(FILE)[1][0].as_json()
    return dataset_of(table | {"access": "request", "attributes": []})


def asked(**over) -> UsageRequest:
    given = {"id": "r", "dataset": "d", "person": ANNA, "organisation": "", "purpose": "x" * 20,
             "days": 30, "state": "asked", "asked_at": NOW}  # fmt: skip
    return UsageRequest(**given | over)


def code(outcome: object) -> str:
    assert isinstance(outcome, Refusal)
    assert outcome.ko
    assert outcome.en
    return outcome.code


def approved() -> UsageRequest:
    made = decide(asked(), "approve", OFFICIAL, "", NOW)
    assert isinstance(made, UsageRequest)
    return made


@pytest.mark.parametrize(
    ("purpose", "days", "told"),
    [("short", 30, "purpose-length"), ("x" * 1001, 30, "purpose-length"),
     ("a study of traffic", 31, "request-unreadable")],
)  # fmt: skip
def test_a_request_says_what_for_and_how_long(purpose, days, told):
    assert code(check_asking(closed_set(), purpose, "", days, [], NOW)) == told


def test_what_is_open_is_not_asked_for():
    one = read_datasets(FILE)[1][0]
    assert code(check_asking(one, "a study of solar", "", 30, [], NOW)) == "data-set-is-open"


def test_one_request_at_a_time_until_its_term_is_over():
    one = closed_set()
    words = ("a study of traffic", "", 30)
    assert code(check_asking(one, *words, [asked()], NOW)) == "already-asked"
    assert code(check_asking(one, *words, [approved()], NOW)) == "already-asked"
    assert check_asking(one, *words, [approved()], NOW + 30 * DAY) is None
    assert check_asking(one, *words, [asked(state="refused")], NOW) is None


def test_approval_opens_for_the_term_and_not_a_moment_longer():
    made = approved()
    assert made.decided_by == OFFICIAL
    assert made.expires_at == NOW + 30 * DAY
    assert made.open(NOW + 30 * DAY - timedelta(microseconds=1))
    assert not made.open(NOW + 30 * DAY)
    assert made.expired(NOW + 30 * DAY)


def test_nobody_decides_on_their_own_request():
    assert code(decide(asked(), "approve", ANNA, "", NOW)) == "own-request"


@pytest.mark.parametrize(("decision", "start"), [("refuse", asked()), ("end", approved())])
def test_a_no_has_a_reason(decision, start):
    assert code(decide(start, decision, OFFICIAL, "  ", NOW)) == "reason-missing"
    assert code(decide(start, decision, OFFICIAL, "x" * 301, NOW)) == "reason-too-long"
    made = decide(start, decision, OFFICIAL, " privacy ", NOW)
    assert isinstance(made, UsageRequest)
    assert made.reason == "privacy"
    assert not made.open(NOW)


@pytest.mark.parametrize(
    ("decision", "state"),
    [("approve", "approved"), ("approve", "refused"), ("refuse", "withdrawn"), ("end", "asked")],
)
def test_what_is_decided_is_decided(decision, state):
    start = asked(state=state, expires_at=NOW)
    assert code(decide(start, decision, OFFICIAL, "because", NOW)) == "decided-already"


def test_a_key_is_for_who_asked_while_it_is_approved():
    assert check_key(approved(), ANNA, NOW) is None
    assert code(check_key(approved(), OFFICIAL, NOW)) == "not-yours"
    assert code(check_key(approved(), ANNA, NOW + 30 * DAY)) == "not-approved"
    assert code(check_key(asked(), ANNA, NOW)) == "not-approved"


def test_a_data_set_on_request_is_whole():
    with pytest.raises(ValueError, match="names no attributes"):
        dataset_of(closed_set().as_json() | {"attributes": ["generatedEnergy"]})
    with pytest.raises(ValueError, match="secret"):
        dataset_of(closed_set().as_json() | {"access": "secret"})
