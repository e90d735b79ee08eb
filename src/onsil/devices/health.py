"""How devices fare: silent, stuck, drifting, impossible; each since when, and by what evidence."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.devices.findings import Finding, findings
from onsil.devices.ingest import SILENT_INTERVALS
from onsil.devices.register import Seen, devices, seen
from onsil.devices.terms import Device, DeviceHealth, HealthState, Symptom

STUCK_POINTS = 12
RECENT = timedelta(hours=24)
# What weighs most comes first: of a device that is silent nothing else is known.
WEIGHT: tuple[HealthState, ...] = ("silent", "impossible", "stuck", "drifting")

_WORDS: dict[HealthState, tuple[str, str]] = {
    "new": ("아직 데이터를 보낸 적이 없습니다.", "It has not sent anything yet."),
    "ok": ("정상입니다.", "It works."),
    "silent": (
        "예정 주기의 3배가 지나도록 소식이 없습니다. 전원과 통신을 확인하세요.",
        "Nothing for three of its intervals. Check power and connection.",
    ),
    "stuck": (
        f"같은 값이 {STUCK_POINTS}번 이상 이어졌습니다. 센서를 확인하세요.",
        f"The same value {STUCK_POINTS} times in a row or more. Check the sensor.",
    ),
    "drifting": (
        "값이 이웃이나 과거에서 서서히 벗어나고 있습니다. 교정을 확인하세요.",
        "Its values slowly leave those of its neighbours or its past. Check the calibration.",
    ),
    "impossible": (
        "최근 24시간에 받아들일 수 없는 값이 있었습니다. 격리 목록을 확인하세요.",
        "Readings were set aside in the last 24 hours. See the quarantine.",
    ),
}


class Stuck(NamedTuple):
    """A gauge that says the same again and again."""

    entity: str
    attribute: str
    value: float
    since: datetime


class Impossible(NamedTuple):
    """What was set aside of a device in the last day."""

    count: int
    since: datetime
    codes: str


def judge(
    device: Device,
    heard: Seen | None,
    now: datetime,
    stuck: Sequence[Stuck] = (),
    impossible: Impossible | None = None,
    drifting: Sequence[Finding] = (),
) -> DeviceHealth:
    """A device's symptoms by what is known of it, the weightiest first."""
    if heard is None:
        return DeviceHealth(device, None, "new", *_WORDS["new"])
    found: list[Symptom] = []
    quiet = now - heard.last_seen > timedelta(seconds=SILENT_INTERVALS * device.interval_s)
    if quiet or heard.online is False:
        found.append(_silent(device, heard, quiet=quiet))
    if impossible is not None:
        found.append(_impossible(impossible))
    found += [_stuck(one) for one in stuck]
    found += [_drifting(one) for one in drifting]
    state: HealthState = found[0].state if found else "ok"
    return DeviceHealth(device, heard.last_seen, state, *_WORDS[state], tuple(found))


def _silent(device: Device, heard: Seen, *, quiet: bool) -> Symptom:
    if not quiet and heard.online_since:
        return Symptom(
            "silent", heard.online_since, "기기가 연결이 끊겼다고 알려 왔습니다(사망 증명).",
            "The broker told of its death (a death certificate).",
            "전원과 통신을 확인하세요. 다시 연결되면 저절로 풀립니다.",
            "Check power and network. It ends by itself when the device is back.",
        )  # fmt: skip
    since = heard.last_seen + timedelta(seconds=device.interval_s)
    return Symptom(
        "silent", since,
        f"{device.interval_s}초마다 와야 할 소식이 {SILENT_INTERVALS}번 넘게 오지 않았습니다.",
        f"What is due every {device.interval_s} s is missing more than {SILENT_INTERVALS} times.",
        "전원과 통신을 확인하고, 안 되면 현장 점검을 요청하세요.",
        "Check power and network, then ask for a visit.",
    )  # fmt: skip


def _impossible(one: Impossible) -> Symptom:
    return Symptom(
        "impossible", one.since, f"24시간 동안 {one.count:,}건이 격리되었습니다: {one.codes}.",
        f"Set aside in 24 hours: {one.count:,} ({one.codes}).",
        "격리 목록에서 원래 값을 보고 단위·시계·설정을 바로잡으세요.",
        "Look at the raw values in the quarantine; mend unit, clock or settings.",
    )  # fmt: skip


def _stuck(one: Stuck) -> Symptom:
    return Symptom(
        "stuck", one.since, f"{one.attribute} 값이 {one.value:g}에서 움직이지 않습니다.",
        f"{one.attribute} does not move from {one.value:g}.",
        "센서가 막히거나 끊기지 않았는지 현장에서 확인하세요.",
        "See on site whether the sensor is blocked or cut off.",
    )  # fmt: skip


def _drifting(one: Finding) -> Symptom:
    e = one.evidence
    ko_side = f"이웃 {e['neighbours']}곳" if e["against"] == "neighbours" else "자기 과거"
    en_side = f"{e['neighbours']} neighbours" if e["against"] == "neighbours" else "its own past"
    moved = f"{e['shift']:+.3g} {e['unit']}"
    return Symptom(
        "drifting", one.since,
        f"{one.attribute}이(가) {ko_side}보다 {moved} 벗어났습니다"
        f"(누적합 {e['sum']:.1f}σ, 한계 {e['limit']:g}σ).",
        f"{one.attribute} is {moved} away from {en_side}"
        f" (CUSUM {e['sum']:.1f}σ, limit {e['limit']:g}σ).",
        "기준기와 견주어 보고, 맞으면 새 교정값을 적으세요.",
        "Compare it with a reference instrument and, if so, write down a new calibration.",
    )  # fmt: skip


def device_health(
    conn: Connection, city: str, clock: Clock, *, ids: Collection[str] | None = None
) -> list[DeviceHealth]:
    """Every device of the city (or those of `ids`) with its symptoms, in order of id."""
    now = clock.now()
    known = devices(conn, city, ids=ids)
    heard = seen(conn, city)
    stuck = _stuck_gauges(conn, city, sorted({e for d in known for e in d.entities}))
    aside = _set_aside(conn, city, now - RECENT)
    drifting = findings(conn, city)
    return [
        judge(
            device, heard.get(device.id), now,
            [one for entity in device.entities for one in stuck.get(entity, ())],
            aside.get(device.id), drifting.get(device.id, ()),
        )
        for device in known
    ]  # fmt: skip


def _stuck_gauges(conn: Connection, city: str, entities: list[str]) -> dict[str, list[Stuck]]:
    """Gauges whose last points are all the same and not zero, and since when they are.

    Zero is what a solar inverter shows all night, so it proves nothing.
    """
    with cursor(conn) as cur:
        cur.execute(
            "SELECT e.uri, t.iri, r.high, coalesce((SELECT min(p.ts) FROM hub_point p"
            "   WHERE p.city = s.city AND p.series_id = s.series_id AND p.ts > ("
            "   SELECT max(q.ts) FROM hub_point q WHERE q.city = s.city"
            "   AND q.series_id = s.series_id AND q.num <> r.high"
            "   AND q.ts > l.ts - interval '7 days')), r.first)"
            " FROM hub_series s"
            " JOIN hub_entity e ON e.city = s.city AND e.eid = s.eid"
            " JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id"
            " JOIN hub_latest l ON l.city = s.city AND l.series_id = s.series_id"
            " CROSS JOIN LATERAL (SELECT count(*) n, min(num) low, max(num) high, min(ts) AS first"
            "   FROM (SELECT num, ts FROM hub_point p WHERE p.city = s.city"
            "   AND p.series_id = s.series_id"
            "   AND p.ts <= l.ts AND p.ts > l.ts - make_interval(secs => 4 * %s * s.interval_s)"
            "   ORDER BY ts DESC LIMIT %s) recent) r"
            " WHERE s.city = %s AND s.kind = 'gauge' AND e.uri = ANY(%s) AND l.ts IS NOT NULL"
            " AND r.n = %s AND r.low = r.high AND r.low <> 0",
            (STUCK_POINTS, STUCK_POINTS, city, entities, STUCK_POINTS),
        )
        found: dict[str, list[Stuck]] = {}
        for uri, iri, value, since in cur:
            attribute = iri.rpartition("/")[2].rpartition("#")[2]
            found.setdefault(uri, []).append(Stuck(uri, attribute, value, since))
        return found


def _set_aside(conn: Connection, city: str, since: datetime) -> dict[str, Impossible]:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT origin, count(*), min(received_at), string_agg(DISTINCT code, ', ')"
            " FROM hub_quarantine WHERE city = %s AND received_at >= %s AND origin LIKE %s"
            " GROUP BY origin",
            (city, since, "device:%"),
        )
        return {
            origin.removeprefix("device:"): Impossible(count, first, codes)
            for origin, count, first, codes in cur
        }
