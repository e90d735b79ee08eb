"""What data sets need every day: measured once a day, their history kept to its term."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from offering import CITY, FILE
from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.devices import DeviceSpec, Message
from onsil.hub.datasets.measuring import quality_by_day
from onsil.hub.datasets.registry import Dataset, dataset_of, read_datasets
from onsil.hub.datasets.store import put_datasets
from onsil.hub.lake.retention import decide_retention, retentions
from onsil.hub.steps import run
from onsil.tenancy import transaction
from onsil.tenancy.caring import keep_history_to_its_term, measure_data_sets
from onsil.tenancy.cities import city as city_profile

NOW = datetime(2026, 2, 10, 3, tzinfo=UTC)
PROBE = f"urn:ngsi-ld:SoilProbe:{CITY}:p-1"


def soil(**over) -> Dataset:
    table = next(one for one in read_datasets(FILE)[1] if one.model == "soil-probe").as_json()
    return dataset_of(table | {"id": "soil", "q": "", "attributes": ["soilTemperature"]} | over)


@pytest.fixture
def profile(db, city: str):
    return city_profile(CITY)


def offer(*datasets: Dataset) -> None:
    with transaction(CITY) as conn:
        run(conn, put_datasets(CITY, None, list(datasets), NOW))


def send(at: datetime, values: list[float]) -> None:
    """A device's readings, ten minutes apart, the last one at `at`."""
    with transaction(CITY) as conn:
        spec = hub.SeriesSpec(PROBE, "soilTemperature", "degC", 600, source="simulated")
        hub.ensure_series(conn, CITY, [spec])
        devices.register_device(conn, CITY, DeviceSpec("p-1", (PROBE,), interval_s=600))
        for back, value in enumerate(reversed(values)):
            when = at - timedelta(minutes=10 * back)
            body = b'{"values": {"soilTemperature": %f}}' % value
            devices.ingest(conn, CITY, [Message("p-1", body, when)], FixedClock(when))


def measured() -> dict[date, dict[str, Decimal | None]]:
    with transaction(CITY) as conn:
        found = run(conn, quality_by_day(CITY, date(2020, 1, 1), "soil"))
    return {day: {one.name: one.share for one in every}
            for day, every in found.get("soil", {}).items()}  # fmt: skip


def test_yesterday_is_measured_once_and_missed_days_are_caught_up_with(profile):
    offer(soil())
    send(NOW - timedelta(days=1), [float(n) for n in range(6)])
    clock = FixedClock(NOW)
    assert measure_data_sets(profile, clock) == 1
    assert measure_data_sets(profile, clock) == 0
    assert list(measured()) == [date(2026, 2, 9)]
    assert measured()[date(2026, 2, 9)]["accuracy"] == 1
    clock.advance(timedelta(days=3))
    assert measure_data_sets(profile, clock) == 3
    assert measured()[date(2026, 2, 12)]["completeness"] == 0
    assert measured()[date(2026, 2, 12)]["accuracy"] is None  # no value, so none to doubt


def test_a_stuck_sensor_lowers_accuracy_alone(profile):
    offer(soil())
    send(NOW - timedelta(hours=13), [4.25] * 20)
    assert measure_data_sets(profile, FixedClock(NOW)) == 1
    day = measured()[date(2026, 2, 9)]
    assert day["accuracy"] == 0
    assert day["validity"] == day["consistency"] == 1


def test_what_is_replayed_is_measured_up_to_its_newest_day(profile):
    offer(soil(origin="replayed"))
    send(NOW - timedelta(days=40), [1.0, 2.0])
    assert measure_data_sets(profile, FixedClock(NOW)) == 1
    assert list(measured()) == [date(2026, 1, 1)]
    assert measure_data_sets(profile, FixedClock(NOW)) == 0


def write(at: datetime, name: str) -> None:
    with transaction(CITY) as conn:
        hub.upsert_entities(
            conn, CITY, [{"id": PROBE, "type": "SoilProbe", "name": name}], clock=FixedClock(at)
        )


def instances() -> int:
    with transaction(CITY) as conn:
        row = conn.execute("SELECT count(*) FROM hub_instance WHERE city = %s", (CITY,)).fetchone()
    assert row is not None
    return row[0]


def test_retention_days_take_away_what_is_older(profile):
    write(NOW - timedelta(days=60), "old")
    write(NOW - timedelta(days=5), "new")
    before = instances()
    offer(soil())
    assert keep_history_to_its_term(profile, FixedClock(NOW)) == 0
    offer(soil(retention_days=30))
    assert keep_history_to_its_term(profile, FixedClock(NOW)) > 0
    assert 0 < instances() < before
    assert keep_history_to_its_term(profile, FixedClock(NOW)) == 0


def standing() -> dict[str, tuple[int | None, str]]:
    with transaction(CITY) as conn:
        found = retentions(conn, CITY, NOW + timedelta(days=9))
    return {one.dataset: (one.keep_days, one.decided_by) for one in found}


def test_a_changed_term_is_a_new_decision_and_an_officials_stands(profile):
    offer(soil(retention_days=30))
    keep_history_to_its_term(profile, FixedClock(NOW))
    assert standing() == {"soil": (30, "datasets.toml")}
    offer(soil(retention_days=90))
    keep_history_to_its_term(profile, FixedClock(NOW + timedelta(hours=1)))
    assert standing() == {"soil": (90, "datasets.toml")}
    later = NOW + timedelta(hours=2)
    with transaction(CITY) as conn:
        decide_retention(conn, CITY, "soil", ["SoilProbe"], 365, valid_from=later, now=later,
                         by="user:official")  # fmt: skip
    keep_history_to_its_term(profile, FixedClock(NOW + timedelta(hours=3)))
    assert standing() == {"soil": (365, "user:official")}


def test_a_data_set_that_is_gone_takes_nothing_more_away(profile):
    offer(soil(retention_days=30))
    keep_history_to_its_term(profile, FixedClock(NOW))
    offer(replace(soil(), id="other"))
    keep_history_to_its_term(profile, FixedClock(NOW + timedelta(hours=1)))
    assert standing() == {"soil": (None, "datasets.toml")}
