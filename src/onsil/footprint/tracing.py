"""Where a reading went, and what a run rests on."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.footprint import rows
from onsil.footprint.credits import batch
from onsil.footprint.intervals import USED, fate_at
from onsil.footprint.store import rows as select
from onsil.footprint.terms import CreditBatch, Run, Use


def forward(
    conn: Connection, city: str, entity: str, attribute: str, instant: datetime
) -> list[Use]:
    """Every run that looked at a series' interval, its fate there, and the claims and batches.

    The fate is `used`, `missing`, the reason of an exclusion, `baseline` for what a baseline was
    fitted on, or `weather` for a temperature.
    """
    uses: list[Use] = []
    for role, run in rows.runs_reading(conn, city, entity, attribute, instant):
        texts = rows.run_texts(conn, city, run.id)
        assert texts is not None
        claims = tuple(rows.claims(conn, city, run.id))
        uses.append(
            Use(
                run=run,
                role=role,
                status=_fate(json.loads(texts["outputs"]), run, role, instant),
                claims=claims,
                batches=tuple(
                    made for held in claims for made in batches_of_claim(conn, city, held.id)
                ),
            )
        )
    return uses


def _fate(outputs: dict[str, Any], run: Run, role: str, instant: datetime) -> str:
    if role == "temperature":
        return "weather"
    coverage = outputs.get("coverage", {}).get(role)
    if coverage is None:
        return USED if instant in run.period else "baseline"
    if "intervals" not in coverage.get("reporting", {}):
        return _interval(coverage, instant)
    part = "reporting" if instant in run.period else "baseline"
    fate = _interval(coverage[part]["intervals"], instant)
    return "baseline" if part == "baseline" and fate == USED else fate


def _interval(coverage: dict[str, Any], instant: datetime) -> str:
    offset = instant - datetime.fromisoformat(coverage["start"])
    return fate_at(coverage, int(offset.total_seconds()))


def batches_of_claim(conn: Connection, city: str, claim_id: UUID) -> list[CreditBatch]:
    """The credit batches that a claim went into, by way of its monitoring period."""
    found = select(
        conn,
        """SELECT b.id FROM footprint_monitoring_claim m
        JOIN footprint_batch b USING (city, monitoring_id)
        WHERE m.city = %s AND m.claim_id = %s ORDER BY b.id""",
        (city, claim_id),
    )
    made = [batch(conn, city, row["id"]) for row in found]
    return [one for one in made if one is not None]


def claims_of_batch(conn: Connection, city: str, batch_id: UUID) -> list[UUID]:
    """The claims whose tonnes a batch was issued for."""
    found = select(
        conn,
        """SELECT m.claim_id FROM footprint_batch b
        JOIN footprint_monitoring_claim m USING (city, monitoring_id)
        WHERE b.city = %s AND b.id = %s ORDER BY m.claim_id""",
        (city, batch_id),
    )
    return [row["claim_id"] for row in found]


def run_details(conn: Connection, city: str, run_id: UUID) -> dict[str, Any] | None:
    """A run with its parsed inputs and outputs, its series and its claims; None if unknown."""
    run, texts = rows.run(conn, city, run_id), rows.run_texts(conn, city, run_id)
    if run is None or texts is None:
        return None
    inputs = json.loads(texts["inputs"])
    described = {
        (one["entity"], one["attribute"]): one for one in inputs["snapshot"]["manifest"]["series"]
    }
    return {
        "run": run,
        "inputs": inputs,
        "outputs": json.loads(texts["outputs"]),
        "code_sha256": texts["code_sha256"],
        "series": {
            role: described[key["entity"], key["attribute"]]
            for role, key in inputs["series"].items()
        },
        "claims": rows.claims(conn, city, run_id),
    }
