"""The register of devices: tokens, topics, when each was last heard."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.devices.drivers import drivers
from onsil.devices.terms import Device, DeviceSpec
from onsil.hub import Writer, uri_city

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
_COLUMNS = (
    "SELECT d.city, d.device_id, d.driver, d.model, d.entities, d.interval_s, d.simulated,"
    " d.options, d.registered_at FROM devices_device d"
)
# Tokens are 256 random bits: there is nothing to guess, so a plain hash keeps them well.
_BROKER_ITERATIONS = 101


class Seen(NamedTuple):
    last_seen: datetime
    messages: int
    refused: int


class BrokerAccount(NamedTuple):
    """What a broker needs to let one device publish, and on its own topics only."""

    username: str
    password_line: str
    topic: str


def _device(row: Sequence[Any]) -> Device:
    city, number, driver, model, entities, interval_s, simulated, options, registered = row
    return Device(
        number, tuple(entities), driver, interval_s, simulated, model, options, city, registered
    )


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def register_device(
    conn: Connection, city: str, spec: DeviceSpec, clock: Clock | None = None
) -> tuple[Device, str]:
    """Write a device into the register: the device, and its token, which is told this once.

    Registering one again changes it and gives it a new token; the old one is void. Raises
    OperationError for a bad name, an unknown driver, no entity, or another city's.
    """
    if not _NAME.match(spec.id):
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
    token = secrets.token_urlsafe(32)
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", token.encode(), salt, _BROKER_ITERATIONS)
    parts = (base64.b64encode(part).decode() for part in (salt, key))
    broker = f"$7${_BROKER_ITERATIONS}${'$'.join(parts)}"
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_device (city, device_id, driver, model, entities, interval_s,"
            " simulated, options, token_hash, broker_hash, registered_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (city, device_id) DO UPDATE SET driver = EXCLUDED.driver,"
            " model = EXCLUDED.model, entities = EXCLUDED.entities,"
            " interval_s = EXCLUDED.interval_s, simulated = EXCLUDED.simulated,"
            " options = EXCLUDED.options, token_hash = EXCLUDED.token_hash,"
            " broker_hash = EXCLUDED.broker_hash",
            (city, spec.id, spec.driver, spec.model, list(spec.entities), spec.interval_s,
             spec.simulated, Jsonb(dict(spec.options)), token_hash(token), broker,
             (clock or SystemClock()).now()),
        )  # fmt: skip
    (device,) = devices(conn, city, ids=[spec.id])
    return device, token


def devices(conn: Connection, city: str, *, ids: Iterable[str] | None = None) -> list[Device]:
    """A city's devices in order of id, or those of these ids."""
    wanted = None if ids is None else list(ids)
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE d.city = %s AND (%s::text[] IS NULL OR d.device_id = ANY(%s))"
            " ORDER BY d.device_id",
            (city, wanted, wanted),
        )
        return [_device(row) for row in cur]


def authenticate(conn: Connection, token: str) -> Device | None:
    """Whose token this is; the connection must see the city, or `*` for any."""
    with cursor(conn) as cur:
        cur.execute(_COLUMNS + " WHERE d.token_hash = %s", (token_hash(token),))
        row = cur.fetchone()
    return _device(row) if row else None


def note_seen(conn: Connection, city: str, heard: Mapping[str, tuple[datetime, int, int]]) -> None:
    """Count messages and refused readings: device id → (last time, messages, refused)."""
    rows = [(device, *heard[device]) for device in sorted(heard)]
    if rows:
        with cursor(conn) as cur:
            cur.execute(
                "INSERT INTO devices_seen (city, device_id, last_seen, messages, refused)"
                " SELECT %s, * FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[],"
                " %s::bigint[]) ON CONFLICT (city, device_id) DO UPDATE SET"
                " last_seen = greatest(devices_seen.last_seen, EXCLUDED.last_seen),"
                " messages = devices_seen.messages + EXCLUDED.messages,"
                " refused = devices_seen.refused + EXCLUDED.refused",
                (city, *(list(column) for column in zip(*rows, strict=True))),
            )


def seen(conn: Connection, city: str) -> dict[str, Seen]:
    """When each device was last heard, and how much of it."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, last_seen, messages, refused FROM devices_seen WHERE city = %s",
            (city,),
        )
        return {device: Seen(*row) for device, *row in cur}


def broker_accounts(conn: Connection, city: str) -> list[BrokerAccount]:
    """Each device's login for an MQTT broker: `<city>.<device>` with its token as password.

    `password_line` is for Mosquitto's password file (PBKDF2 with SHA-512, `$7$`), `topic` for its
    access list (`user …` / `topic write …`).
    """
    with cursor(conn) as cur:
        cur.execute(
            "SELECT device_id, broker_hash FROM devices_device WHERE city = %s ORDER BY 1", (city,)
        )
        return [
            BrokerAccount(f"{city}.{d}", f"{city}.{d}:{key}", f"onsil/{city}/{d}/#")
            for d, key in cur
        ]


def writer_of(conn: Connection, token: str) -> Writer | None:
    """Who a token lets write through the hub's NGSI-LD door.

    A device writes for its own entities; one registered with the option `scope = "city"` (another
    system of the city) for all of them.
    """
    device = authenticate(conn, token)
    if device is None:
        return None
    whole = device.options.get("scope") == "city"
    return Writer(device.city, device.id, frozenset({"*"} if whole else device.entities))
