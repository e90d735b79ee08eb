"""Devices as officials see them: lines with health, and one device with all that belongs to it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from onsil import devices, hub
from onsil.console.sitework import meter_chart
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.periods import Period, local_days
from onsil.devices import calibration, tokens
from onsil.devices import commands as orders
from onsil.devices.collecting.schedule import Round, rounds
from onsil.devices.register import Seen
from onsil.tenancy import transaction
from onsil.tenancy.cities import CityProfile

STATES = ("silent", "impossible", "stuck", "drifting", "new", "ok")
SIGNS = {"silent": "bad", "impossible": "watch", "stuck": "watch", "drifting": "watch",
         "new": "info", "ok": "good"}  # fmt: skip
LOW_BATTERY_PERCENT = 20


def state_words() -> dict[str, str]:
    """The states in the reader's language."""
    return {"silent": _("침묵"), "impossible": _("불가능한 값"), "stuck": _("고착"),
            "drifting": _("드리프트"), "new": _("새 기기"), "ok": _("정상")}  # fmt: skip


def command_words() -> dict[str, tuple[str, str]]:
    """A command's state as (sign, word)."""
    return {
        "queued": ("info", _("대기")), "sent": ("watch", _("보냄, 답 기다림")),
        "done": ("good", _("완료")), "failed": ("bad", _("기기가 거절")),
        "expired": ("bad", _("만료")), "cancelled": ("info", _("취소")),
    }  # fmt: skip


class Line(NamedTuple):
    """A device in the list."""

    health: devices.DeviceHealth
    seen: Seen | None
    sign: str
    word: str

    @property
    def low_battery(self) -> bool:
        percent = self.seen.battery_percent if self.seen else None
        return percent is not None and percent < LOW_BATTERY_PERCENT


class Fleet(NamedTuple):
    """The list: the lines wanted, how many of each state, the drivers there are."""

    lines: list[Line]
    counts: list[tuple[str, str, str, int]]
    drivers: list[str]
    total: int


def fleet(city: CityProfile, now: datetime, state: str, driver: str, text: str) -> Fleet:
    """The city's devices, worst first, narrowed by state, driver, and a part of id, name, model."""
    with transaction(city.code) as conn:
        health = devices.device_health(conn, city.code, FixedClock(now))
        heard = devices.seen(conn, city.code)
    words = state_words()
    every = [
        Line(one, heard.get(one.device.id), SIGNS[one.state], words[one.state]) for one in health
    ]
    tally = Counter(line.health.state for line in every)
    counts = [(key, SIGNS[key], words[key], tally[key]) for key in STATES if tally[key]]
    wanted = [
        line for line in every
        if state in ("", line.health.state) and driver in ("", line.health.device.driver)
        and text.lower() in _searched(line.health.device)
    ]  # fmt: skip
    wanted.sort(key=lambda line: (STATES.index(line.health.state), line.health.device.id))
    drivers = sorted({line.health.device.driver for line in every})
    return Fleet(wanted, counts, drivers, len(every))


def _searched(device: devices.Device) -> str:
    return f"{device.id} {device.name} {device.model}".lower()


@dataclass(frozen=True)
class DeviceView:
    """One device with everything that belongs to it."""

    line: Line
    series: Sequence[hub.Series]
    charts: Sequence[tuple[hub.Series, hub.LatestPoint | None, Mapping[str, Any] | None]]
    tokens: Sequence[tokens.Token]
    calibrations: Sequence[calibration.Calibration]
    commands: Sequence[orders.Command]
    actuators: Mapping[str, orders.Actuator]
    round: Round | None
    quarantined: Sequence[hub.QuarantineEntry]


def device_of(conn: Connection, city: str, number: str) -> devices.Device | None:
    found = devices.devices(conn, city, ids=[number])
    return found[0] if found else None


def device_view(city: CityProfile, number: str, span: str, now: datetime) -> DeviceView | None:
    """One device over its newest `span` (day, week, month); None when there is none of that id."""
    with transaction(city.code) as conn:
        health = devices.device_health(conn, city.code, FixedClock(now), ids=[number])
        if not health:
            return None
        device = health[0].device
        seen = devices.seen(conn, city.code).get(number)
        line = Line(health[0], seen, SIGNS[health[0].state], state_words()[health[0].state])
        series = hub.find_series(conn, city.code, entities=device.entities)
        newest = hub.latest(conn, city.code, [s.id for s in series])
        charts = [(s, newest.get(s.id), _chart(conn, city, s, newest.get(s.id), span))
                  for s in series]  # fmt: skip
        aside = [q for q in hub.quarantine_list(conn, city.code, 500)
                 if q.origin == f"device:{number}"]  # fmt: skip
        return DeviceView(
            line, series, charts, tokens.tokens(conn, city.code, number),
            calibration.calibrations(conn, city.code, [number]),
            orders.commands(conn, city.code, number, limit=30),
            orders.actuators(device) if orders.can_command(device) else {},
            rounds(conn, city.code).get(number), aside[:20],
        )  # fmt: skip


def _chart(
    conn: Connection, city: CityProfile, series: hub.Series, newest: hub.LatestPoint | None,
    span: str,
) -> dict[str, Any] | None:  # fmt: skip
    """The series over its newest days; nothing where nothing ever came."""
    if newest is None:
        return None
    last = newest.observed_at.astimezone(city.zone).date() + timedelta(days=1)
    days = {"day": 1, "week": 7, "month": 31}[span]
    period: Period = local_days(last - timedelta(days=days), last, city.zone)
    return meter_chart(conn, city, series, period, span)
