"""Calibrations of sensors: a scale and a shift from one day to another, applied as readings come.

What the sensor itself said is kept beside every corrected point (`devices_raw`).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import psycopg

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.core.refusal import Refusal
from onsil.devices.terms import Device
from onsil.hub import Reading


class Calibration(NamedTuple):
    """corrected = raw × scale + shift, both in `unit`, in [`valid_from`, `valid_until`)."""

    id: int
    device_id: str
    entity: str
    attribute: str
    unit: str
    scale: Decimal
    shift: Decimal
    valid_from: datetime
    valid_until: datetime | None
    certificate: str
    made_by: str
    made_at: datetime

    def covers(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


class RawReading(NamedTuple):
    """What a sensor said before its calibration was applied."""

    calibration_id: int
    observed_at: datetime
    raw: float
    received_at: datetime


def corrected(reading: Reading, lines: Sequence[Calibration]) -> tuple[Reading, RawReading | None]:
    """A reading by the calibration of its time; as it is where none covers it."""
    one = next((c for c in lines if c.covers(reading.observed_at)), None)
    value = reading.value
    if one is None or isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return reading, None
    try:
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
        if not exact.is_finite():
            return reading, None
        unit = reading.unit
        if one.unit and unit and unit != one.unit:
            exact, unit = convert(exact, unit, one.unit), one.unit
    except (UnitError, InvalidOperation):
        return reading, None  # the hub says what is wrong with the unit
    raw = RawReading(one.id, reading.observed_at, float(exact), reading.received_at or one.made_at)
    made = reading._replace(value=exact * one.scale + one.shift, unit=unit or one.unit)
    return made, raw


def calibrations(
    conn: Connection, city: str, device_ids: Sequence[str] | None = None
) -> list[Calibration]:
    """A city's calibrations, or those of these devices, newest first."""
    wanted = None if device_ids is None else list(device_ids)
    with cursor(conn) as cur:
        cur.execute(
            "SELECT calibration_id, device_id, entity, attribute, unit, scale, shift, valid_from,"
            " valid_until, certificate, made_by, made_at FROM devices_calibration WHERE city = %s"
            " AND (%s::text[] IS NULL OR device_id = ANY(%s)) ORDER BY valid_from DESC",
            (city, wanted, wanted),
        )
        return [Calibration(*row) for row in cur]


def calibrate(
    conn: Connection,
    device: Device,
    entity: str,
    attribute: str,
    unit: str,
    scale: Decimal,
    shift: Decimal,
    valid_from: datetime,
    valid_until: datetime | None,
    made_by: str,
    certificate: str = "",
    clock: Clock | None = None,
) -> Calibration | Refusal:
    """Write a calibration. An open one of before ends where this one begins.

    It counts for readings that arrive from now on. Refusals: `not-its-entity`,
    `scale-not-positive`, `ends-before-it-begins`, `unknown-unit`, `calibration-overlaps`.
    """
    no = _checked(device, entity, unit, scale, shift, valid_from, valid_until)
    if no is not None:
        return no
    try:
        with conn.transaction(), cursor(conn) as cur:
            cur.execute(
                "UPDATE devices_calibration SET valid_until = %s WHERE city = %s AND device_id = %s"
                " AND entity = %s AND attribute = %s AND valid_until IS NULL AND valid_from < %s",
                (valid_from, device.city, device.id, entity, attribute, valid_from),
            )
            cur.execute(
                "INSERT INTO devices_calibration (city, device_id, entity, attribute, unit, scale,"
                " shift, valid_from, valid_until, certificate, made_by, made_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING calibration_id",
                (device.city, device.id, entity, attribute, unit, scale, shift, valid_from,
                 valid_until, certificate, made_by, (clock or SystemClock()).now()),
            )  # fmt: skip
            row = cur.fetchone()
    except psycopg.errors.ExclusionViolation:
        return Refusal(
            "calibration-overlaps",
            "그 기간에는 이미 다른 교정값이 있습니다. 먼저 있던 것의 기간을 확인하세요.",
            "Another calibration covers that time already. Look at its dates first.",
        )
    assert row
    return next(c for c in calibrations(conn, device.city, [device.id]) if c.id == row[0])


def _checked(
    device: Device, entity: str, unit: str, scale: Decimal, shift: Decimal,
    valid_from: datetime, valid_until: datetime | None,
) -> Refusal | None:  # fmt: skip
    if entity not in device.entities:
        return Refusal("not-its-entity", "이 기기의 개체가 아닙니다. 목록에서 고르세요.",
                       "That is not one of the device's entities. Choose one of them.")  # fmt: skip
    if not scale.is_finite() or scale <= 0 or not shift.is_finite():
        return Refusal("scale-not-positive", "배율은 0보다 큰 수, 보정값은 수여야 합니다.",
                       "The scale must be a number above zero, the shift a number.")  # fmt: skip
    if valid_until is not None and valid_until <= valid_from:
        return Refusal("ends-before-it-begins", "끝나는 때가 시작보다 빠릅니다. 날짜를 확인하세요.",
                       "It ends before it begins. Check the dates.")  # fmt: skip
    try:
        same_dimension(unit or "dimensionless", "Wh")
    except UnitError:
        return Refusal("unknown-unit", f"알 수 없는 단위입니다: {unit}. 예: degC, W, percent.",
                       f"Unknown unit: {unit}. Use one such as degC, W, percent.")  # fmt: skip
    return None


def keep_raw(conn: Connection, city: str, raws: Sequence[RawReading]) -> None:
    """Keep what sensors said; the same again changes nothing."""
    if not raws:
        return
    columns = [list(column) for column in zip(*sorted(raws), strict=True)]
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_raw (city, calibration_id, ts, raw, received_at)"
            " SELECT %s, * FROM unnest(%s::bigint[], %s::timestamptz[], %s::float8[],"
            " %s::timestamptz[]) ON CONFLICT DO NOTHING",
            (city, *columns),
        )


def raw_readings(
    conn: Connection, city: str, calibration_id: int, limit: int = 1000
) -> list[RawReading]:
    """The newest raw values under a calibration."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT calibration_id, ts, raw, received_at FROM devices_raw WHERE city = %s"
            " AND calibration_id = %s ORDER BY ts DESC LIMIT %s",
            (city, calibration_id, limit),
        )
        return [RawReading(*row) for row in cur]
