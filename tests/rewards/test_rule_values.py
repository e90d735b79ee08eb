"""The programmes as written: published rule values as tables, read from the cities' own files."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from reward_examples import ZONE, programme

from onsil.rewards.kinds import rule_kind
from onsil.rewards.terms import Entitlement, EvidenceItem, ProgrammeTerms
from onsil.rewards.windows import window_at

MONDAY = date(2026, 3, 2)


def ride(day: date, fare: int, service: str = "city", hour: int = 8) -> EvidenceItem:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)
    return EvidenceItem(
        UUID(int=hash((day, fare, service, hour)) & (1 << 127)),
        "bus-ride",
        Decimal(fare),
        at,
        "server",
        {"service": service},
    )


def saving(kind: str, saved: str, baseline: str) -> EvidenceItem:
    at = datetime(2025, 6, 30, 12, tzinfo=ZONE)
    return EvidenceItem(
        UUID(int=1), kind, Decimal(saved), at, "meter", {"baseline": baseline}, UUID(int=9)
    )


def worth(terms: ProgrammeTerms, group: str, evidence: list[EvidenceItem]) -> Entitlement:
    window = window_at(terms.cut, evidence[0].occurred_at, ZONE)
    return rule_kind(terms.kind).entitle(terms, group, window, evidence, ZONE)


@pytest.mark.parametrize("city", ["pyeongtaek", "goyang"])
@pytest.mark.parametrize(
    ("cut", "adult", "teen"),
    [("iso-week", 2_900, 2_020), ("four-weeks", 11_600, 8_080), ("year", 150_800, 105_040)],
)
def test_bus_caps_are_the_published_ones(city, cut, adult, teen):
    caps = {cap.cut: cap.points for cap in programme("bus-weekly", city).caps}
    assert caps[cut] == {"adult": adult, "teen": teen}
    assert adult * {"iso-week": 52, "four-weeks": 13, "year": 1}[cut] == 150_800


@pytest.mark.parametrize("city", ["pyeongtaek", "goyang"])
def test_bus_budget_is_two_point_eight_billion_a_year_from_the_city(city):
    lines = programme("bus-weekly", city).budgets
    assert {(line.source, line.krw) for line in lines} == {("city", 2_800_000_000)}
    assert not any(line.confirmed for line in lines)


@pytest.mark.parametrize(
    ("age", "group"), [(13, None), (14, "teen"), (18, "teen"), (19, "adult"), (90, "adult")]
)
def test_who_may_join_the_bus_programme(age, group):
    found = programme("bus-weekly").group_of_age(age)
    assert (found.code if found else None) == group


@pytest.mark.parametrize(
    ("rides", "points"),
    [
        ([ride(MONDAY, 1450)], 1450),
        ([ride(MONDAY, 1450), ride(MONDAY, 1450, hour=18)], 2900),
        ([ride(MONDAY, 1450), ride(MONDAY + timedelta(days=1), 1350)], 1450),
        ([ride(MONDAY + timedelta(days=5), 1450)], 0),  # Saturday alone
        ([ride(MONDAY + timedelta(days=2), 1350), ride(MONDAY + timedelta(days=6), 1450)], 1350),
        ([ride(MONDAY, 2800, "express")], 0),
        ([ride(MONDAY, 2800, "express"), ride(MONDAY + timedelta(days=3), 1350, "village")], 1350),
    ],
)
def test_the_first_weekdays_fares_are_given_back(rides, points):
    entitlement = worth(programme("bus-weekly"), "adult", rides)
    assert entitlement.points == points
    assert bool(entitlement.counted) == (points > 0)
    assert entitlement.reason.ko
    assert entitlement.reason.en


def test_a_ride_just_after_local_midnight_belongs_to_that_day():
    """Tuesday 00:30 in Seoul is still Monday in UTC; the fare is Tuesday's."""
    late = EvidenceItem(
        UUID(int=2),
        "bus-ride",
        Decimal(1450),
        datetime(2026, 3, 2, 15, 30, tzinfo=ZoneInfo("UTC")),
        "server",
        {"service": "city"},
    )
    first = ride(MONDAY, 1350)
    assert worth(programme("bus-weekly"), "adult", [first, late]).points == 1350
    assert worth(programme("bus-weekly"), "adult", [late]).reason.facts["day"] == date(2026, 3, 3)


@pytest.mark.parametrize(
    ("kind", "saved", "baseline", "points"),
    [
        ("electricity-saving", "49.9", "1000", 0),
        ("electricity-saving", "50", "1000", 5_000),
        ("electricity-saving", "99.9", "1000", 5_000),
        ("electricity-saving", "100", "1000", 10_000),
        ("electricity-saving", "149.9", "1000", 10_000),
        ("electricity-saving", "150", "1000", 15_000),
        ("electricity-saving", "900", "1000", 15_000),
        ("gas-saving", "5", "100", 3_000),
        ("gas-saving", "10", "100", 6_000),
        ("gas-saving", "15", "100", 8_000),
        ("water-saving", "5", "100", 750),
        ("water-saving", "10", "100", 1_500),
        ("water-saving", "15", "100", 2_000),
        ("electricity-saving", "150", "0", 0),
    ],
)
def test_national_tiers_of_a_half_year(kind, saved, baseline, points):
    assert (
        worth(programme("household-saving"), "household", [saving(kind, saved, baseline)]).points
        == points
    )


def test_utilities_are_paid_side_by_side_and_readings_of_one_are_summed():
    terms = programme("household-saving")
    three = [
        saving("electricity-saving", "10", "100"),
        saving("electricity-saving", "0.1", "100"),  # together 5.05 %, floored to 5.0
        saving("gas-saving", "15", "100"),
    ]
    assert worth(terms, "household", three).points == 5_000 + 8_000


def test_a_saving_below_the_first_step_is_explained_with_its_figures():
    found = worth(programme("household-saving"), "household", [saving("gas-saving", "4", "100")])
    assert found.points == 0
    assert "4.0%" in found.reason.ko
    assert "5 %" in found.reason.en


def test_a_half_year_pays_no_more_than_the_top_steps_together():
    terms = programme("household-saving")
    assert {cap.cut: cap.points["household"] for cap in terms.caps}["half-year"] == 25_000
    best = [saving(k, "50", "100") for k in ("electricity-saving", "gas-saving", "water-saving")]
    assert worth(terms, "household", best).points == 25_000
