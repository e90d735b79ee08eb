"""When a device is asked next, and how the last rounds went: kept in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from onsil.core.database import Connection, cursor
from onsil.devices.collecting.faults import Fault, after_failure, next_round
from onsil.devices.terms import Device


class Round(NamedTuple):
    """How asking a device goes: when next, how often it failed in a row, and why."""

    device_id: str
    next_at: datetime
    failures: int
    succeeded_at: datetime | None
    fault_code: str
    fault_ko: str
    fault_en: str


def due(conn: Connection, drivers: Sequence[str], now: datetime) -> list[tuple[str, str]]:
    """(city, device) of those whose turn it is; the connection sees the cities meant."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT d.city, d.device_id FROM devices_device d LEFT JOIN devices_collection c"
            " ON c.city = d.city AND c.device_id = d.device_id WHERE d.driver = ANY(%s)"
            " AND (c.next_at IS NULL OR c.next_at <= %s) ORDER BY c.next_at NULLS FIRST",
            (list(drivers), now),
        )
        return cur.fetchall()


def rounds(conn: Connection, city: str) -> dict[str, Round]:
    """How the rounds of a city's devices go."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, next_at, failures, succeeded_at, fault_code, fault_ko, fault_en"
            " FROM devices_collection WHERE city = %s",
            (city,),
        )
        return {row[0]: Round(*row) for row in cur}


def succeeded(conn: Connection, device: Device, now: datetime) -> None:
    """Note a round that went well."""
    _note(conn, device, next_round(now, device.interval_s), 0, now, ("", "", ""))


def failed(conn: Connection, device: Device, fault: Fault, now: datetime) -> None:
    """Note a round that failed, and put the next one off."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT failures FROM devices_collection WHERE city = %s AND device_id = %s",
            (device.city, device.id),
        )
        row = cur.fetchone()
    failures = (row[0] if row else 0) + 1
    after = after_failure(now, device.interval_s, failures, fault.wait)
    _note(conn, device, after, failures, None, (fault.code, fault.ko, fault.en))


def _note(
    conn: Connection, device: Device, next_at: datetime, failures: int, at: datetime | None,
    fault: tuple[str, str, str],
) -> None:  # fmt: skip
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_collection AS c (city, device_id, next_at, failures, succeeded_at,"
            " fault_code, fault_ko, fault_en) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (city, device_id) DO UPDATE SET next_at = EXCLUDED.next_at,"
            " failures = EXCLUDED.failures,"
            " succeeded_at = coalesce(EXCLUDED.succeeded_at, c.succeeded_at),"
            " fault_code = EXCLUDED.fault_code, fault_ko = EXCLUDED.fault_ko,"
            " fault_en = EXCLUDED.fault_en",
            (device.city, device.id, next_at, failures, at, *fault),
        )


def memory(conn: Connection, city: str, device_id: str) -> dict[str, Any]:
    """What was kept for a device's driver; empty at first."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT memory FROM devices_memory WHERE city = %s AND device_id = %s",
            (city, device_id),
        )
        row = cur.fetchone()
    return row[0] if row else {}


def remember(
    conn: Connection, city: str, device_id: str, kept: dict[str, Any], now: datetime
) -> None:
    """Keep something for a device's driver."""
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_memory (city, device_id, memory, changed_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (city, device_id) DO UPDATE SET"
            " memory = EXCLUDED.memory, changed_at = EXCLUDED.changed_at",
            (city, device_id, Jsonb(kept), now),
        )
