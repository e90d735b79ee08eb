"""What the city shows of its log: checkpoints, witnesses, anchors, growth, and whom to believe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from onsil import proof
from onsil.configuration import configuration
from onsil.core.database import Connection
from onsil.portal.logbook import Log, logbook
from onsil.proof.anchors import AnchorRecord, recent
from onsil.tenancy import transaction
from onsil.tenancy.witnesses import witness_plan

_POINTS = 240
_NEWEST = 10


@dataclass(frozen=True)
class Transparency:
    """A city's log as its page shows it; `newest` is None before anything was signed."""

    logs: Sequence[Log]
    status: proof.LogStatus
    checkpoints: Sequence[proof.GrowthPoint]
    growth: Sequence[proof.GrowthPoint]
    anchors: Sequence[AnchorRecord]

    @property
    def newest(self) -> Log | None:
        return self.logs[0] if self.logs else None

    @property
    def anchored(self) -> AnchorRecord | None:
        """The newest checkpoint that a place confirmed."""
        return next((one for one in self.anchors if one.state == "confirmed"), None)


def transparency(city: str) -> Transparency:
    """Everything the page shows, read at one moment."""
    logs = logbook(city)
    with transaction(city) as conn:
        history = proof.checkpoint_history(conn, city, _POINTS)
        return Transparency(
            logs,
            _status(conn, city),
            history[: -_NEWEST - 1 : -1],
            history,
            recent(conn, city, _NEWEST),
        )


def growth_chart(points: Sequence[proof.GrowthPoint], zone: ZoneInfo) -> dict[str, Any] | None:
    """The sealed records of all years over time, for the chart tag; None before two checkpoints."""
    if len(points) < 2:
        return None
    last_of: dict[int, int] = {}
    totals = []
    for point in points:
        last_of[point.year] = point.size
        totals.append(sum(last_of.values()))
    return {
        "title": _("봉인된 기록의 수"),
        "description": _("서명할 때마다 몇 건이 봉인되어 있었는지. 줄어드는 일은 없습니다."),
        "kind": "line",
        "unit": _("건"),
        "labels": [_label(point.signed_at, zone) for point in points],
        "series": [{"name": _("봉인된 기록"), "kind": "measured", "values": totals, "area": True}],
    }


def _label(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def policy_text(city: str, year: int | None = None) -> str | None:
    """The policy file for one year's log (the newest): its keys, the witnesses, the quorum.

    A policy names a key once (c2sp.org/tlog-policy), and a city's key signs all of its years, so
    each year has a file of its own. None when there is no such log.
    """
    chosen = [log for log in logbook(city) if year in (None, log.year)]
    if not chosen:
        return None
    lines = [f"# {chosen[0].origin}"]
    lines += [f"log {key.text}" for key in chosen[0].keys]
    return "\n".join([*lines, _witness_lines(city)])


def _witness_lines(city: str) -> str:
    with transaction(city) as conn:
        return _witnesses_of(_status(conn, city))


def _status(conn: Connection, city: str) -> proof.LogStatus:
    conf = configuration()
    return proof.status(conn, city, conf.log_home, witness_plan(conf, city))


def _witnesses_of(told: proof.LogStatus) -> str:
    """The policy's lines without those of logs, which the keys of each year stand for."""
    lines = [line for line in told.policy.split("\n") if line.split()[:1] != ["log"]]
    return ("\n".join(lines).strip() or "quorum none") + "\n"


def trust(city: str, language: str) -> dict[str, Any]:
    """What the browser's check believes unless the reader brings keys of their own.

    `logs` every key of the city's logs, `keys` the Ed25519 one by origin (for bundles), `policy`
    the witnesses and the quorum, `operators` who runs each witness of the policy.
    """
    logs = logbook(city)
    with transaction(city) as conn:
        told = _status(conn, city)
    return {
        "logs": [key.text for log in logs for key in log.keys],
        "keys": {log.origin: log.verifier_key for log in logs},
        "policy": _witnesses_of(told),
        "operators": {
            witness.name: operator(witness, language) for witness in getattr(told, "witnesses", ())
        },
    }


def operator(witness: proof.WitnessStatus, language: str) -> str:
    """Who runs a witness, and whether that is the city's own operator."""
    english = language.startswith("en")
    name = (witness.operator_en if english else witness.operator_ko) or witness.name
    return f"{name} · {_('운영자 자신의 증인')}" if witness.own else name
