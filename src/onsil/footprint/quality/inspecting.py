"""Looking at a run: all checks together, kept with it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil import hub
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint import engine, rows
from onsil.footprint.quality.calibration import calibrated, certificates
from onsil.footprint.quality.checks import documents_checked
from onsil.footprint.quality.findings import Finding, findings_of, keep
from onsil.footprint.store import lock
from onsil.footprint.terms import ActivitySeries

# The greatest permissible error of a meter whose own is not stated: class 2, in per cent.
ERROR_PCT = Decimal(2)
_WEATHER = ("temperature", "weather")


def look(
    conn: Connection,
    city: str,
    inputs: Mapping[str, Any],
    outputs: Mapping[str, Any],
    series: Sequence[ActivitySeries],
) -> list[Finding]:
    """Every check on a run's plain inputs and outputs and on the series behind them."""
    period = Period(
        datetime.fromisoformat(inputs["period"]["start"]),
        datetime.fromisoformat(inputs["period"]["end"]),
    )
    error = Decimal(inputs["parameters"].get("meter_uncertainty_pct", ERROR_PCT))
    meters = {one.meter: error for one in series if one.role not in _WEATHER}
    held = certificates(conn, city, sorted(meters), inputs["zone"])
    return [
        *documents_checked(inputs, outputs, series),
        *_corrected(conn, city, series, period),
        *calibrated(period, held, meters),
    ]


def _corrected(
    conn: Connection, city: str, series: Sequence[ActivitySeries], period: Period
) -> list[Finding]:
    found: list[Finding] = []
    for one in series:
        for known in hub.find_series(conn, city, entities=[one.entity], attribute=one.attribute):
            count = len({r.observed_at for r in hub.revisions(conn, city, known.id, period)})
            if count:
                found.append(Finding("corrected", "note", one.meter, {"count": count}))
    return found


def inspect_again(
    conn: Connection, city: str, run_id: UUID, actor: str, clock: Clock
) -> list[Finding] | Refusal:
    """Look at a stored run anew, after a certificate has come for instance; its findings now.

    Refused: `unknown-run`.
    """
    texts = rows.run_texts(conn, city, run_id)
    if texts is None:
        return rows.unknown_run(run_id)
    lock(conn, city, [f"inspection {run_id}"])
    inputs, outputs = json.loads(texts["inputs"]), json.loads(texts["outputs"])
    series = engine.series_from_manifest(inputs, rows.readings(conn, city, run_id))
    found = look(conn, city, inputs, outputs, list(series.values()))
    keep(conn, city, run_id, found, actor, clock.now())
    return findings_of(conn, city, run_id)
