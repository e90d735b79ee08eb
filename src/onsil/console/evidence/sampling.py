"""A sample of a run's readings that anybody draws again from the same seed, in any language.

The order is that of `footprint.quality.sampling`: SHA-256 of seed, entity#attribute and instant.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from onsil import footprint, hub
from onsil.core.canonical import instant_text
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.quality import rank

SIZE_MAX = 500


@dataclass(frozen=True)
class Drawn:
    """One reading of the sample: as the run kept it, and as the hub has it now (None: gone)."""

    role: str
    entity: str
    attribute: str
    unit: str
    at: datetime
    kept: Decimal
    now: Decimal | None

    @property
    def same(self) -> bool:
        return self.kept == self.now


def draw(conn: Connection, city: str, run_id: UUID, seed: str, size: int) -> list[Drawn] | Refusal:
    """The sample of a run's readings, in order of time. Refused: `unknown-run`."""
    exported = footprint.export_bundle(conn, city, run_id)
    if isinstance(exported, Refusal):
        return exported
    held = json.loads(exported)
    ranked = []
    for role, key in held["inputs"]["series"].items():
        described = next(
            one
            for one in held["inputs"]["snapshot"]["manifest"]["series"]
            if (one["entity"], one["attribute"]) == (key["entity"], key["attribute"])
        )
        meter = f"{key['entity']}#{key['attribute']}"
        for line in held["readings"][described["sha256"]].splitlines():
            instant, _, value = line.partition(" ")
            ranked.append((rank(seed, meter, instant), role, described, instant, value))
    ranked.sort(key=lambda one: one[0])
    drawn = [
        _compare(conn, city, role, described, instant, value)
        for _, role, described, instant, value in ranked[: min(size, SIZE_MAX)]
    ]
    return sorted(drawn, key=lambda one: (one.at, one.role))


def _compare(
    conn: Connection, city: str, role: str, described: dict, instant: str, value: str
) -> Drawn:
    at = datetime.fromisoformat(instant)
    entity, attribute = described["entity"], described["attribute"]
    series = hub.find_series(conn, city, entities=[entity], attribute=attribute)
    now = None
    if series:
        moment = Period(at, at + timedelta(microseconds=1))
        points = hub.points(conn, city, series[0].id, moment)
        now = points.values[0] if len(points) else None
    assert instant_text(at) == instant
    return Drawn(role, entity, attribute, described["unit"], at, Decimal(value), now)
