"""What a city's data sets need every day: their quality measured, their history kept to its term.

The hub knows no devices; which sensors may be trusted is told to it here.
"""

import logging
from datetime import date, datetime, timedelta

from onsil import devices, hub
from onsil.core.clock import Clock, FixedClock, SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day, local_days
from onsil.devices import calibration
from onsil.hub.datasets.measuring import keep_quality, last_measured, measure, newest_value
from onsil.hub.datasets.quality import days_due
from onsil.hub.datasets.registry import Dataset
from onsil.hub.datasets.store import datasets_of
from onsil.hub.lake.retention import decide_retention, keep_to_retentions, retentions
from onsil.hub.steps import run
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

_log = logging.getLogger(__name__)
_DOUBTFUL = frozenset({"stuck", "drifting", "impossible"})
BY = "datasets.toml"


def measure_data_sets(profile: CityProfile, clock: Clock | None = None) -> int:
    """Measure each data set on the days that are due; how many days of data sets were. What is
    replayed from the past is measured up to its newest day. Each in a transaction of its own."""
    now = (clock or SystemClock()).now()
    yesterday = local_day(now, profile.zone) - timedelta(days=1)
    with transaction(profile.code) as conn:
        datasets = [entry.dataset for entry in run(conn, datasets_of(profile.code))]
    done = 0
    for one in datasets:
        with transaction(profile.code) as conn:
            for day in days_due(run(conn, last_measured(profile.code, one.id)),
                                _end(conn, profile, one, yesterday, now)):  # fmt: skip
                period = local_days(day, day + timedelta(days=1), profile.zone)
                trust = sensor_trust(conn, profile.code, period.end)
                parts = run(conn, measure(profile.code, one, period, now, trust))
                run(conn, keep_quality(profile.code, one.id, day, parts, now))
                done += 1
    return done


def _end(
    conn: Connection, profile: CityProfile, one: Dataset, yesterday: date, now: datetime
) -> date:
    if one.origin != "replayed":
        return yesterday
    newest = run(conn, newest_value(profile.code, one, now))
    return min(yesterday, local_day(newest, profile.zone)) if newest else yesterday


def sensor_trust(conn: Connection, city: str, at: datetime) -> dict[tuple[str, str], bool]:
    """Whether the sensor behind (entity, attribute) may be trusted at an instant: it is neither
    stuck, drifting nor impossible, and its newest calibration, if it ever had one, still holds."""
    health = devices.device_health(conn, city, FixedClock(at))
    doubted = {one.device.id for one in health if {s.state for s in one.symptoms} & _DOUBTFUL}
    numbers = [one.device.id for one in health if one.state != "new"]
    covered: dict[tuple[str, str], bool] = {}
    for one in calibration.calibrations(conn, city, numbers):
        key = one.entity, one.attribute
        covered[key] = covered.get(key, False) or one.covers(at)
    owners: dict[str, list[str]] = {}
    for one in health:
        if one.state != "new":
            for entity in one.device.entities:
                owners.setdefault(entity, []).append(one.device.id)
    return {
        (series.entity, series.attribute): covered.get((series.entity, series.attribute), True)
        and doubted.isdisjoint(owners[series.entity])
        for series in hub.find_series(conn, city, entities=list(owners))
    }


def keep_history_to_its_term(profile: CityProfile, clock: Clock | None = None) -> int:
    """Take away the history that the data sets' `retention_days` do not keep; how many values.

    What the file says becomes a dated decision when it changes; 0 days keep it for ever. A decision
    an official took since is theirs and stands. Points of registered series are never part of it.
    """
    now, city = (clock or SystemClock()).now(), profile.code
    with transaction(city) as conn:
        standing = {one.dataset: one for one in retentions(conn, city, now)}
        for one in (entry.dataset for entry in run(conn, datasets_of(city))):
            days = one.retention_days or None
            before = standing.pop(one.id, None)
            if before is None and days is None:
                continue
            if before is not None and (before.keep_days == days or before.decided_by != BY):
                continue
            decide_retention(
                conn, city, one.id, [one.data_model.iri], days, valid_from=now, now=now, by=BY
            )
        for gone in standing.values():
            if gone.keep_days is not None and gone.decided_by == BY:
                decide_retention(
                    conn, city, gone.dataset, gone.types, None, valid_from=now, now=now, by=BY
                )
        forgotten = keep_to_retentions(conn, city, now)
    for one in forgotten:
        if one.points or one.instances:
            _log.info("%s: %s: %s points, %s instances over their term taken away",
                      city, one.dataset, one.points, one.instances)  # fmt: skip
    return sum(one.points + one.instances for one in forgotten)
