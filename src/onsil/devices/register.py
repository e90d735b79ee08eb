"""The register of devices: who they are, which entities they write for, when each was heard."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.devices.drivers import drivers
from onsil.devices.terms import Device, DeviceSpec, Status
from onsil.devices.tokens import issue_token, token_hash
from onsil.hub import Writer, uri_city
from onsil.hub.steps import Ask, Steps

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_COLUMNS = (
    "SELECT d.city, d.device_id, d.driver, d.model, d.entities, d.interval_s, d.simulated,"
    " d.options, d.name, d.registered_at FROM devices_device d"
)


class Seen(NamedTuple):
    """When a device was last heard, what it said of itself, and how much was refused.

    `online`: what a protocol that tells (Sparkplug) said last; None where it does not.
    """

    last_seen: datetime
    messages: int
    refused: int
    firmware: str = ""
    battery_percent: float | None = None
    battery_at: datetime | None = None
    online: bool | None = None
    online_since: datetime | None = None


def _device(row: Sequence[Any]) -> Device:
    city, number, driver, model, entities, interval_s, simulated, options, name, registered = row
    return Device(
        number, tuple(entities), driver, interval_s, simulated, model, options, name, city,
        registered,
    )  # fmt: skip


def is_device_id(text: str) -> bool:
    """Whether a text can be a device's id: letters, digits, dots, underscores, hyphens."""
    return bool(_NAME.match(text))


def check_spec(city: str, spec: DeviceSpec) -> None:
    """Raises OperationError for a bad name, an unknown driver, no entity, or another city's."""
    if not is_device_id(spec.id):
        raise OperationError(f"{spec.id!r}: a device's id is of A-Z a-z 0-9 . _ -", retry=False)
    if spec.driver not in drivers():
        raise OperationError(
            f"{spec.id}: no driver {spec.driver!r}; there are {', '.join(drivers())}", retry=False
        )
    foreign = [e for e in spec.entities if uri_city(e) not in (None, city)]
    if foreign or not spec.entities:
        raise OperationError(
            f"{spec.id}: a device needs entities of {city}, not {foreign}", retry=False
        )
    if spec.interval_s <= 0:
        raise OperationError(f"{spec.id}: interval_s must be positive", retry=False)
    check = getattr(drivers()[spec.driver], "check_options", None)
    if check:
        check(spec.options)


def register_device(
    conn: Connection, city: str, spec: DeviceSpec, clock: Clock | None = None
) -> tuple[Device, str]:
    """Write a device into the register: the device, and its token, which is told this once.

    Registering one again changes it and gives it a new token; the old ones are void. Raises
    OperationError for a bad name, an unknown driver, options its driver refuses, no entity, or
    another city's.
    """
    check_spec(city, spec)
    clock = clock or SystemClock()
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_device (city, device_id, driver, model, entities, interval_s,"
            " simulated, options, name, registered_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (city, device_id) DO UPDATE SET driver = EXCLUDED.driver,"
            " model = EXCLUDED.model, entities = EXCLUDED.entities,"
            " interval_s = EXCLUDED.interval_s, simulated = EXCLUDED.simulated,"
            " options = EXCLUDED.options, name = EXCLUDED.name",
            (city, spec.id, spec.driver, spec.model, list(spec.entities), spec.interval_s,
             spec.simulated, Jsonb(dict(spec.options)), spec.name, clock.now()),
        )  # fmt: skip
    token = issue_token(conn, city, spec.id, clock)
    (device,) = devices(conn, city, ids=[spec.id])
    return device, token


def devices(
    conn: Connection, city: str, *, ids: Iterable[str] | None = None, driver: str | None = None,
    edges: Sequence[str] | None = None,
) -> list[Device]:  # fmt: skip
    """A city's devices in order of id: those of these ids, of one driver, of these edge nodes.

    An edge node's devices are named `<edge>` and `<edge>.<device>`.
    """
    wanted = None if ids is None else list(ids)
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE d.city = %s AND (%s::text[] IS NULL OR d.device_id = ANY(%s))"
            " AND (%s::text IS NULL OR d.driver = %s)"
            " AND (%s::text[] IS NULL OR split_part(d.device_id, '.', 1) = ANY(%s))"
            " ORDER BY d.device_id",
            (city, wanted, wanted, driver, driver, edges, edges),
        )
        return [_device(row) for row in cur]


def authenticate(conn: Connection, token: str, clock: Clock | None = None) -> Device | None:
    """Whose token this is, unless expired or revoked; the connection must see the city, or `*`."""
    now = (clock or SystemClock()).now()
    return _one(
        conn,
        " JOIN devices_token t ON t.city = d.city AND t.device_id = d.device_id"
        " WHERE t.token_hash = %s AND t.revoked_at IS NULL"
        " AND (t.expires_at IS NULL OR t.expires_at > %s)",
        (token_hash(token), now),
    )


def device_of_certificate(
    conn: Connection, fingerprint: bytes, subject: str, now: datetime
) -> Device | None:
    """Whose client certificate this is, by its SHA-256 or by its subject (RFC 4514)."""
    return _one(
        conn,
        " WHERE (d.certificate_sha256 = %s OR d.certificate_subject = %s)"
        " AND (d.certificate_until IS NULL OR d.certificate_until > %s)"
        " ORDER BY d.certificate_sha256 NULLS LAST LIMIT 1",
        (fingerprint, subject, now),
    )


def _one(conn: Connection, rest: str, values: Sequence[Any]) -> Device | None:
    with cursor(conn) as cur:
        cur.execute((_COLUMNS + rest).encode(), values)
        row = cur.fetchone()
    return _device(row) if row else None


def note_seen(conn: Connection, city: str, heard: Mapping[str, tuple[datetime, int, int]]) -> None:
    """Count messages and refused readings: device id → (last time, messages, refused).

    Devices that have left the register are passed over.
    """
    rows = [(device, *heard[device]) for device in sorted(heard)]
    if rows:
        with cursor(conn) as cur:
            cur.execute(
                "INSERT INTO devices_seen (city, device_id, last_seen, messages, refused)"
                " SELECT %s, t.* FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[],"
                " %s::bigint[]) AS t(device_id, at, messages, refused) WHERE EXISTS (SELECT"
                " FROM devices_device d WHERE d.city = %s AND d.device_id = t.device_id OFFSET 0)"
                " ON CONFLICT (city, device_id) DO UPDATE SET"
                " last_seen = greatest(devices_seen.last_seen, EXCLUDED.last_seen),"
                " messages = devices_seen.messages + EXCLUDED.messages,"
                " refused = devices_seen.refused + EXCLUDED.refused",
                (city, *(list(column) for column in zip(*rows, strict=True)), city),
            )


def note_status(conn: Connection, city: str, told: Mapping[str, tuple[datetime, Status]]) -> None:
    """Keep what devices, already counted as seen, say of themselves."""
    with cursor(conn) as cur:
        for device, (at, status) in sorted(told.items()):
            cur.execute(
                "UPDATE devices_seen SET firmware = coalesce(nullif(%s, ''), firmware),"
                " battery_percent = coalesce(%s, battery_percent),"
                " battery_at = CASE WHEN %s::real IS NULL THEN battery_at ELSE %s END"
                " WHERE city = %s AND device_id = %s",
                (status.firmware[:100].replace("\0", ""), status.battery_percent,
                 status.battery_percent, at, city, device),
            )  # fmt: skip


def note_online(conn: Connection, city: str, told: Mapping[str, tuple[datetime, bool]]) -> None:
    """Keep what a protocol that tells says about who is there: device id → (when, whether)."""
    with cursor(conn) as cur:
        for device, (at, online) in sorted(told.items()):
            cur.execute(
                "INSERT INTO devices_seen AS s (city, device_id, last_seen, messages, refused,"
                " online, online_since) VALUES (%s, %s, %s, 0, 0, %s, %s)"
                " ON CONFLICT (city, device_id) DO UPDATE SET online = EXCLUDED.online,"
                " online_since = CASE WHEN s.online = EXCLUDED.online THEN s.online_since"
                " ELSE EXCLUDED.online_since END",
                (city, device, at, online, at),
            )


def seen(conn: Connection, city: str) -> dict[str, Seen]:
    """When each device was last heard, and how much of it."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, last_seen, messages, refused, firmware, battery_percent, battery_at,"
            " online, online_since FROM devices_seen WHERE city = %s",
            (city,),
        )
        return {device: Seen(*row) for device, *row in cur}


def seen_before(conn: Connection, city: str, ids: Sequence[str]) -> dict[str, datetime]:
    """When these devices were last heard; those never heard are missing."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, last_seen FROM devices_seen WHERE city = %s AND device_id = ANY(%s)",
            (city, list(ids)),
        )
        return dict(cur.fetchall())


def writer_of(conn: Connection, token: str) -> Writer | None:
    """Who a token lets write through the hub's NGSI-LD door.

    A device writes for its own entities; one registered with the option `scope = "city"` (another
    system of the city) for all of them.
    """
    device = authenticate(conn, token)
    return None if device is None else writer_for(device)


def writer_steps(token: str, now: datetime) -> Steps[Writer | None]:
    """The same as steps, for the door's own connections; these must see the city, or `*`."""
    rows = yield Ask(
        _COLUMNS + " JOIN devices_token t ON t.city = d.city AND t.device_id = d.device_id"
        " WHERE t.token_hash = $1::bytea AND t.revoked_at IS NULL"
        " AND (t.expires_at IS NULL OR t.expires_at > $2)",
        (token_hash(token), now),
    )
    return writer_for(_device(rows[0])) if rows else None


def writer_for(device: Device) -> Writer:
    """What a device, once known, may write."""
    whole = device.options.get("scope") == "city"
    return Writer(device.city, device.id, frozenset({"*"} if whole else device.entities))
