"""Commands in the database: every change of state in a transaction, decided by `machine.py`.

A command is marked as sent, with its attempt counted, before it leaves: whoever dies in between,
the device is asked again when it does not answer, and knows the command by its id.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from onsil.core.announce import announce
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import Refusal
from onsil.devices.commands import machine
from onsil.devices.commands.actuators import actuators, can_command, channel_of
from onsil.devices.commands.machine import Command
from onsil.devices.register import devices
from onsil.devices.terms import Device

LIVE_TOPIC = "commands"
EXPIRES_AFTER = timedelta(minutes=10)
_COLUMNS = (
    "SELECT command_id, device_id, actuator, value, made_at, due_at, expires_at, safe, state,"
    " attempts, attempts_max, retry_s, sent_at, ended_at, detail, made_by, idempotency_key"
    " FROM devices_command"
)
SYSTEM = "onsil"


def order(
    conn: Connection,
    device: Device,
    actuator: str,
    value: Any,
    made_by: str,
    clock: Clock,
    *,
    key: str = "",
    expires_after: timedelta = EXPIRES_AFTER,
    attempts_max: int = 5,
    retry_s: int = 10,
) -> Command | Refusal:
    """Queue a command, once for each `key`: the same again gives the same command.

    Refusals: `takes-no-commands`, `unknown-actuator`, `bad-value`, `key-used`.
    """
    if not can_command(device):
        return Refusal("takes-no-commands", f"기기 {device.id}은(는) 명령을 받지 않습니다.",
                       f"The device {device.id} takes no commands.")  # fmt: skip
    known = actuators(device)
    if actuator not in known:
        return Refusal(
            "unknown-actuator",
            f"{actuator}은(는) 이 기기에 없습니다. 있는 것: {', '.join(known)}.",
            f"The device has no {actuator}. It has {', '.join(known)}.",
        )  # fmt: skip
    no = known[actuator].refuse(value)
    if no is not None:
        return no
    now = clock.now()
    made = Command(
        uuid4(), device.id, actuator, value, now, now, now + expires_after, made_by=made_by,
        attempts_max=attempts_max, retry_s=retry_s, idempotency_key=key or str(uuid4()),
    )  # fmt: skip
    if _insert(conn, device.city, made):
        _tell(conn, device.city, made)
        return made
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE city = %s AND device_id = %s AND idempotency_key = %s",
            (device.city, device.id, made.idempotency_key),
        )
        before = _command(cur.fetchone())
    if (before.actuator, before.value) != (actuator, value):
        return Refusal("key-used", "같은 열쇠로 다른 명령이 이미 있습니다. 새 열쇠를 쓰세요.",
                       "The key was used for another command. Use a new one.")  # fmt: skip
    return before


def _command(row: Any) -> Command:
    return Command(*row)


def _insert(conn: Connection, city: str, one: Command) -> bool:
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_command (city, command_id, device_id, actuator, value, made_at,"
            " due_at, expires_at, safe, state, attempts, attempts_max, retry_s, sent_at, ended_at,"
            " detail, made_by, idempotency_key) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
            " %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (city, device_id, idempotency_key) DO NOTHING",
            (city, *(Jsonb(v) if n == 3 else v for n, v in enumerate(astuple(one)))),
        )
        return cur.rowcount == 1


def _save(conn: Connection, city: str, one: Command) -> None:
    with cursor(conn) as cur:
        cur.execute(
            "UPDATE devices_command SET state = %s, attempts = %s, due_at = %s, sent_at = %s,"
            " ended_at = %s, detail = %s WHERE city = %s AND command_id = %s",
            (one.state, one.attempts, one.due_at, one.sent_at, one.ended_at, one.detail, city,
             one.id),
        )  # fmt: skip
    _tell(conn, city, one)


def _tell(conn: Connection, city: str, one: Command) -> None:
    announce(conn, city, LIVE_TOPIC, {"device": one.device_id, "state": one.state})


def commands(
    conn: Connection, city: str, device_id: str | None = None, *, limit: int = 100
) -> list[Command]:
    """The newest commands of a city, or of one of its devices."""
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE city = %s AND (%s::text IS NULL OR device_id = %s)"
            " ORDER BY made_at DESC, command_id LIMIT %s",
            (city, device_id, device_id, limit),
        )
        return [_command(row) for row in cur]


def lock(conn: Connection, city: str, device_ids: Iterable[str]) -> None:
    """One at a time decides for a device; those of several always in the same order."""
    with cursor(conn) as cur:
        for device_id in sorted(set(device_ids)):
            cur.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))",
                (f"commands/{city}/{device_id}",),
            )


def _open(conn: Connection, city: str, device_ids: Collection[str]) -> list[Command]:
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE city = %s AND device_id = ANY(%s) AND state IN ('queued', 'sent')",
            (city, list(device_ids)),
        )
        return [_command(row) for row in cur]


def take_due(
    conn: Connection,
    city: str,
    clock: Clock,
    *,
    channels: Collection[str] = (),
    device_id: str | None = None,
) -> list[tuple[Device, Command]]:
    """Mark as sent what is due, of devices reached by `channels` or of one device.

    What has lapsed is ended. The caller commits, and only then sends.
    """
    now = clock.now()
    with cursor(conn) as cur:
        cur.execute(
            "SELECT DISTINCT device_id FROM devices_command WHERE city = %s"
            " AND state IN ('queued', 'sent') AND (due_at <= %s OR expires_at <= %s)"
            " AND (%s::text IS NULL OR device_id = %s)",
            (city, now, now, device_id, device_id),
        )
        waiting = [row[0] for row in cur]
    if not waiting:
        return []
    known = {d.id: d for d in devices(conn, city, ids=waiting)}
    mine = [n for n, d in known.items() if device_id or channel_of(d) in channels]
    lock(conn, city, mine)
    groups: dict[tuple[str, str], list[Command]] = {}
    for one in _open(conn, city, mine):
        groups.setdefault((one.device_id, one.actuator), []).append(one)
    sending: list[tuple[Device, Command]] = []
    for (number, actuator), group in sorted(groups.items()):
        device = known[number]
        sent = _decide(conn, city, device, actuator, group, now)
        if sent is not None:
            sending.append((device, sent))
    return sending


def _decide(
    conn: Connection, city: str, device: Device, actuator: str, group: Sequence[Command],
    now: datetime,
) -> Command | None:  # fmt: skip
    declared = actuators(device).get(actuator)
    has_safe = declared is not None and declared.safe is not None
    decision = machine.decide(group, now, has_safe=has_safe)
    for one in decision.changed:
        _save(conn, city, one)
    if decision.safe_after is not None and declared is not None:
        safe = _safe(device, actuator, declared.safe, now, f"safe:{decision.safe_after.id}")
        _insert(conn, city, safe)
        left = [c for c in group if c.id not in {d.id for d in decision.changed}]
        return _decide(conn, city, device, actuator, [*left, safe], now)
    return decision.send


def _safe(device: Device, actuator: str, value: Any, now: datetime, key: str) -> Command:
    return Command(
        uuid4(), device.id, actuator, value, now, now, None, safe=True, attempts_max=1_000_000,
        made_by=SYSTEM, idempotency_key=key,
    )  # fmt: skip


def acknowledge(
    conn: Connection, city: str, device_id: str, command_id: UUID, *, done: bool, detail: str,
    clock: Clock,
) -> Command | None:  # fmt: skip
    """Take a device's answer; again, or too late, it changes nothing. None: no such command."""
    lock(conn, city, [device_id])
    with cursor(conn) as cur:
        cur.execute(
            _COLUMNS + " WHERE city = %s AND device_id = %s AND command_id = %s",
            (city, device_id, command_id),
        )
        row = cur.fetchone()
    if row is None:
        return None
    before = _command(row)
    detail = detail.replace("\0", "")[:300]
    after = machine.acknowledge(before, done=done, detail=detail, now=clock.now())
    if after != before:
        _save(conn, city, after)
    return after


def echoed(
    conn: Connection, city: str, device_id: str, values: dict[str, Any], clock: Clock
) -> None:
    """A device without answers (Sparkplug) reports a value it was told: that is its answer."""
    for one in _open(conn, city, [device_id]):
        if one.state == "sent" and one.actuator in values and values[one.actuator] == one.value:
            acknowledge(conn, city, device_id, one.id, done=True, detail="echo", clock=clock)


def cancel(conn: Connection, city: str, command_id: UUID, clock: Clock) -> Command | Refusal:
    """Take back a command that was not sent yet. Refusals: `no-such-command`, `under-way`."""
    with cursor(conn) as cur:
        cur.execute(_COLUMNS + " WHERE city = %s AND command_id = %s", (city, command_id))
        row = cur.fetchone()
        if row is None:
            return Refusal("no-such-command", "그런 명령이 없습니다.", "There is no such command.")
        lock(conn, city, [row[1]])
        cur.execute(_COLUMNS + " WHERE city = %s AND command_id = %s", (city, command_id))
        before = _command(cur.fetchone())
    after = machine.cancel(before, clock.now())
    if after == before and before.state != "cancelled":
        return Refusal(
            "under-way", "이미 보냈거나 끝난 명령이라 거둘 수 없습니다.",
            "It was sent already, or is over, and cannot be taken back.",
        )  # fmt: skip
    _save(conn, city, after)
    return after


def reconnected(conn: Connection, city: str, back: Sequence[Device], clock: Clock) -> None:
    """Devices are back after a silence or a new birth: what waits is due at once, and an actuator
    with a safe state that nothing is asked of is brought into it."""
    mine = [device for device in back if can_command(device)]
    if not mine:
        return
    now = clock.now()
    lock(conn, city, [device.id for device in mine])
    waiting: dict[tuple[str, str], list[Command]] = {}
    for one in _open(conn, city, [device.id for device in mine]):
        waiting.setdefault((one.device_id, one.actuator), []).append(one)
    for device in mine:
        for actuator in actuators(device).values():
            group = waiting.get((device.id, actuator.name), [])
            for one in group:
                hurried = machine.hurry(one, now)
                if hurried != one:
                    _save(conn, city, hurried)
            if not group and actuator.safe is not None:
                key = f"safe:back:{now.isoformat()}:{actuator.name}"
                _insert(conn, city, _safe(device, actuator.name, actuator.safe, now, key))
