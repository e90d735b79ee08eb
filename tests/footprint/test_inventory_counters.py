"""Running totals as activity data: differences within the local year, and nothing assumed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from footprint_world import CITY, SEOUL, World, fill
from hypothesis import given
from hypothesis import strategies as st
from inventory_books import (
    YEAR,
    compiled,
    electricity,
    granted,
    inputs,
    metered,
    opened,
    outputs,
    put,
)

from onsil import hub
from onsil.core.periods import Period, local_year
from onsil.footprint import inventory
from onsil.footprint.inventory.counters import counted

D = Decimal
HOUR = 3600
START = local_year(YEAR, SEOUL).start


def read(hours: Sequence[float], states: Sequence[int], days: int = 2) -> Any:
    """States at hours after local midnight of the first of the year, over some days."""
    period = Period(START, START + timedelta(days=days))
    times = [START + timedelta(hours=hour) for hour in hours]
    return counted(times, [D(state) for state in states], period, HOUR, SEOUL)


def use(found: Any) -> Decimal:
    return sum((day.total for day in found.days), D(0))


def test_the_year_is_the_difference_between_its_midnights():
    made = read(range(49), [100 + 2 * hour for hour in range(49)])
    assert use(made) == 96
    assert [(day.day, day.count, day.total) for day in made.days] == [
        (date(YEAR, 1, 1), 24, D(48)), (date(YEAR, 1, 2), 24, D(48)),
    ]  # fmt: skip
    assert made.facts["open_start_s"] == made.facts["open_end_s"] == 0


def test_what_reaches_over_a_bound_is_left_out_and_named():
    """The states at 23:30 and 00:30 cannot say what fell on which side of midnight."""
    made = read([-0.5, 0.5, 1.5, 47.5, 48.5], [90, 100, 110, 500, 510])
    assert use(made) == 400
    assert (made.facts["open_start_s"], made.facts["open_end_s"]) == (1800, 1800)
    assert sum(day.count for day in made.days) == 47


def test_a_fall_is_left_out_with_its_length_and_the_rest_counts():
    made = read([0, 1, 2, 3], [100, 103, 2, 5])
    assert use(made) == 6
    assert (made.facts["resets"], made.facts["reset_s"]) == (1, HOUR)
    assert sum(day.count for day in made.days) == 2


def test_a_gap_between_two_states_was_counted_and_is_named():
    made = read([0, 1, 30, 31], [0, 10, 300, 310])
    assert use(made) == 310
    assert (made.facts["bridged"], made.facts["longest_gap_s"]) == (1, 29 * HOUR)
    assert made.days[0].total == 300  # the day in which the bridge begins


def test_one_state_or_none_counts_nothing():
    assert read([], []).days == []
    assert read([], []).facts["first"] is None
    alone = read([5], [100])
    assert alone.days == []
    assert alone.facts["open_start_s"] == 5 * HOUR


def test_uneven_times_lose_no_interval():
    made = read([0, 0.9, 1.95, 3], [0, 1, 2, 3])
    assert sum(day.count for day in made.days) == 3


steps = st.lists(
    st.tuples(st.integers(1, 200), st.integers(-50, 100)), min_size=1, max_size=40
)  # fmt: skip


@given(steps, st.integers(1, 60))
def test_neighbouring_years_never_count_a_kilowatt_hour_twice(moves: Any, cut: int):
    """Cut-off: both sides of a bound together come to the whole, less what reaches over it."""
    times, states, at, state = [], [], START, D(0)
    for minutes, change in moves:
        at, state = at + timedelta(minutes=minutes), max(D(0), state + change)
        times.append(at)
        states.append(state)
    bound, end = START + timedelta(minutes=30 * cut), START + timedelta(days=10)
    whole = counted(times, states, Period(START, end), HOUR, SEOUL)
    parts = [
        counted(times, states, period, HOUR, SEOUL)
        for period in (Period(START, bound), Period(bound, end))
    ]
    assert sum(use(part) for part in parts) <= use(whole)
    if bound in times:
        assert sum(use(part) for part in parts) == use(whole)
        assert sum(p.facts["resets"] for p in parts) == whole.facts["resets"]


def counter(world: World, name: str, states: Sequence[int | None], **changed: Any) -> str:
    return fill(
        world.conn, hub.entity_uri("Building", CITY, name), "electricityTotal",
        [None if state is None else D(state) for state in states],
        changed.get("start", START), interval_s=24 * HOUR, kind="counter",
    )  # fmt: skip


def test_a_counter_is_activity_data(world: World):
    """366 midnights of a counter that gains 24 kWh a day: 365 days' use, once."""
    series = counter(world, "hall", [1000 + 24 * day for day in range(366)])
    book = opened(world)
    granted(put(world, book, [metered("hall", series)]))
    version = compiled(world, book)
    made = outputs(world, version)["lines"][0]
    assert D(made["amount"]) == D(365 * 24) / 1000
    assert made["coverage"]["missing"] == 0
    assert made["coverage"]["counters"]["resets"] == 0
    meter = inputs(world, version)["lines"][0]["activity"]["meters"][0]
    assert (meter["kind"], meter["count"], meter["total"]) == ("counter", 365, "8760")
    assert meter["counter"]["first"]["state"] == "1000"
    assert inventory.recompute(world.conn, CITY, version.id).identical


def test_missing_states_at_the_ends_are_missing_use(world: World):
    states: list[int | None] = [1000 + 24 * day for day in range(366)]
    states[0:10] = [None] * 10
    states[200] = None
    series = counter(world, "late", states)
    book = opened(world)
    granted(put(world, book, [metered("late", series)]))
    made = outputs(world, compiled(world, book))["lines"][0]
    assert D(made["amount"]) == D(355 * 24) / 1000
    assert made["coverage"]["missing"] == 10
    assert made["coverage"]["counters"]["open_start_s"] == 10 * 24 * HOUR
    assert made["coverage"]["counters"]["bridged"] == 1


def test_the_mean_rule_fills_a_counters_ends(world: World):
    states: list[int | None] = [24 * day for day in range(366)]
    states[0:73] = [None] * 73
    series = counter(world, "filled", states)
    book = opened(world)
    activity = inventory.Activity("hub", "MWh", series=(series,), gap_rule="mean")
    granted(put(world, book, [electricity("filled", activity=activity)]))
    made = outputs(world, compiled(world, book))["lines"][0]
    assert D(made["amount"]) == D(365 * 24) / 1000
    assert made["coverage"]["filled"]


def test_a_counter_with_one_state_is_no_zero(world: World, refused):
    series = counter(world, "once", [1000])
    book = opened(world)
    granted(put(world, book, [metered("once", series)]))
    refused(
        inventory.compile_version(world.conn, CITY, book.id, "maker", world.clock),
        "activity-missing",
    )


def test_counters_and_amounts_add_up_in_one_line(world: World):
    running = counter(world, "running", [24 * day for day in range(366)])
    daily = fill(
        world.conn, hub.entity_uri("Building", CITY, "daily"), "electricity",
        [D(24)] * 365, START, interval_s=24 * HOUR,
    )  # fmt: skip
    book = opened(world)
    granted(put(world, book, [metered("both", running, daily)]))
    made = outputs(world, compiled(world, book))["lines"][0]
    assert D(made["amount"]) == D(2 * 365 * 24) / 1000
    assert (made["coverage"]["meters"], made["coverage"]["counters"]["meters"]) == (2, 1)


def test_states_of_another_year_do_not_count(world: World):
    start = datetime.combine(date(YEAR - 1, 12, 1), datetime.min.time(), SEOUL)
    series = counter(world, "across", [24 * day for day in range(31 + 366)], start=start)
    book = opened(world)
    granted(put(world, book, [metered("across", series)]))
    made = outputs(world, compiled(world, book))["lines"][0]
    assert D(made["amount"]) == D(365 * 24) / 1000
