"""How devices fare: silent, stuck, impossible."""

from datetime import datetime, timedelta

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.devices.register import devices, seen
from onsil.devices.terms import Device, DeviceHealth, HealthState

SILENT_INTERVALS = 3
STUCK_POINTS = 12
RECENT = timedelta(hours=24)

_WORDS: dict[HealthState, tuple[str, str]] = {
    "new": ("아직 데이터를 보낸 적이 없습니다.", "It has not sent anything yet."),
    "ok": ("정상입니다.", "It works."),
    "silent": (
        "예정 주기의 3배가 지나도록 소식이 없습니다. 전원과 통신을 확인하세요.",
        "Nothing for three of its intervals. Check power and connection.",
    ),
    "stuck": (
        f"같은 값이 {STUCK_POINTS}번 이어졌습니다. 센서를 확인하세요.",
        f"The same value {STUCK_POINTS} times in a row. Check the sensor.",
    ),
    "impossible": (
        "최근 24시간에 받아들일 수 없는 값이 있었습니다. 격리 목록을 확인하세요.",
        "Readings were set aside in the last 24 hours. See the quarantine.",
    ),
}


def judge_health(
    device: Device, last_seen: datetime | None, now: datetime, *, stuck: bool, impossible: bool
) -> HealthState:
    """A device's state; silence weighs most, then impossible values, then stuck ones."""
    if last_seen is None:
        return "new"
    if now - last_seen > timedelta(seconds=SILENT_INTERVALS * device.interval_s):
        return "silent"
    if impossible:
        return "impossible"
    return "stuck" if stuck else "ok"


def device_health(conn: Connection, city: str, clock: Clock) -> list[DeviceHealth]:
    """Every device of the city with its state, in order of id."""
    now = clock.now()
    known = devices(conn, city)
    heard = seen(conn, city)
    stuck = _stuck_entities(conn, city, sorted({e for d in known for e in d.entities}))
    impossible = _set_aside(conn, city, now - RECENT)
    made = []
    for device in known:
        last = heard[device.id].last_seen if device.id in heard else None
        state = judge_health(
            device, last, now,
            stuck=any(entity in stuck for entity in device.entities),
            impossible=f"device:{device.id}" in impossible,
        )  # fmt: skip
        made.append(DeviceHealth(device, last, state, *_WORDS[state]))
    return made


def _stuck_entities(conn: Connection, city: str, entities: list[str]) -> set[str]:
    """Entities with a gauge whose last points are all the same and not zero.

    Zero is what a solar inverter shows all night, so it proves nothing.
    """
    with cursor(conn) as cur:
        cur.execute(
            "SELECT e.uri FROM hub_series s"
            " JOIN hub_entity e ON e.city = s.city AND e.eid = s.eid"
            " JOIN hub_latest l ON l.city = s.city AND l.series_id = s.series_id"
            " CROSS JOIN LATERAL (SELECT count(*) n, min(num) low, max(num) high FROM ("
            "   SELECT num FROM hub_point p WHERE p.city = s.city AND p.series_id = s.series_id"
            "   AND p.ts <= l.ts AND p.ts > l.ts - make_interval(secs => 4 * %s * s.interval_s)"
            "   ORDER BY ts DESC LIMIT %s) recent) r"
            " WHERE s.city = %s AND s.kind = 'gauge' AND e.uri = ANY(%s) AND l.ts IS NOT NULL"
            " AND r.n = %s AND r.low = r.high AND r.low <> 0",
            (STUCK_POINTS, STUCK_POINTS, city, entities, STUCK_POINTS),
        )
        return {uri for (uri,) in cur}


def _set_aside(conn: Connection, city: str, since: datetime) -> set[str]:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT DISTINCT origin FROM hub_quarantine WHERE city = %s AND received_at >= %s"
            " AND origin LIKE %s",
            (city, since, "device:%"),
        )
        return {origin for (origin,) in cur}
