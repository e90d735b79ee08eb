"""The long look: every gauge's last weeks held against its neighbours, once an hour."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.devices import drift
from onsil.devices.register import devices
from onsil.hub import Series, find_series

LOOK_BACK = timedelta(days=28)
SERIES_MAX = 20_000


class Finding(NamedTuple):
    """A drifting sensor: whose, which series, since when, and the figures."""

    device_id: str
    entity: str
    attribute: str
    since: datetime
    evidence: dict[str, Any]
    found_at: datetime


def assess_drift(conn: Connection, city: str, clock: Clock) -> list[Finding]:
    """Look for drift in every gauge of a city's devices; what is over is forgotten."""
    now = clock.now()
    owners = {entity: d.id for d in devices(conn, city) for entity in d.entities}
    if not owners:
        return []
    series = [s for s in find_series(conn, city, entities=owners) if s.kind == "gauge"][:SERIES_MAX]
    hours = _hours(conn, city, [s.id for s in series], now - LOOK_BACK)
    groups: dict[tuple[str, str, str], list[Series]] = {}
    for one in series:
        groups.setdefault((one.attribute, one.unit, one.source), []).append(one)
    found: list[Finding] = []
    for group in groups.values():
        for one in group:
            drifting = _judge(one, group, hours)
            if drifting is not None:
                since = datetime.combine(drifting.since, time(0), UTC)
                evidence = {**drifting._asdict(), "since": drifting.since.isoformat(),
                            "unit": one.unit}  # fmt: skip
                found.append(Finding(owners[one.entity], one.entity, one.attribute, since,
                                     evidence, now))  # fmt: skip
    _keep(conn, city, found)
    return found


def _judge(
    one: Series, group: Sequence[Series], hours: dict[int, dict[tuple[date, int], float]]
) -> drift.Drift | None:
    own = hours.get(one.id, {})
    others = [hours[s.id] for s in group if s.entity != one.entity and s.id in hours][:50]
    if len(others) >= drift.NEIGHBOURS_MIN:
        days = drift.against_neighbours(own, others)
        return drift.find_drift(days, against="neighbours", neighbours=len(others))
    return drift.find_drift(drift.against_own_past(own), against="own past", neighbours=0)


def _hours(
    conn: Connection, city: str, ids: Sequence[int], since: datetime
) -> dict[int, dict[tuple[date, int], float]]:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT series_id, hour, total / count FROM hub_rollup WHERE city = %s"
            " AND series_id = ANY(%s) AND hour >= %s AND count > 0 ORDER BY series_id, hour",
            (city, list(ids), since),
        )
        found: dict[int, dict[tuple[date, int], float]] = {}
        for number, hour, mean in cur:
            at = hour.astimezone(UTC)
            found.setdefault(number, {})[at.date(), at.hour] = mean
        return found


def _keep(conn: Connection, city: str, found: Sequence[Finding]) -> None:
    with cursor(conn) as cur:
        cur.execute("DELETE FROM devices_finding WHERE city = %s", (city,))
        cur.executemany(
            "INSERT INTO devices_finding (city, device_id, entity, attribute, since, evidence,"
            " found_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(city, f.device_id, f.entity, f.attribute, f.since, Jsonb(f.evidence), f.found_at)
             for f in found],
        )  # fmt: skip


def findings(conn: Connection, city: str) -> dict[str, list[Finding]]:
    """What the last long look found, by device."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, entity, attribute, since, evidence, found_at FROM devices_finding"
            " WHERE city = %s ORDER BY device_id, entity, attribute",
            (city,),
        )
        made: dict[str, list[Finding]] = {}
        for row in cur:
            made.setdefault(row[0], []).append(Finding(*row))
        return made
