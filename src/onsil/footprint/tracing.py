"""Where a reading went, and what a run rests on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import engine, rows
from onsil.footprint.claims.uses import unknown_claim
from onsil.footprint.credits import batch
from onsil.footprint.intervals import USED, fate_at
from onsil.footprint.quality import findings_of
from onsil.footprint.store import Row
from onsil.footprint.store import rows as select
from onsil.footprint.terms import CreditBatch, Run, RunLine, Use

_ALL = 100_000


def forward(
    conn: Connection, city: str, entity: str, attribute: str, instant: datetime
) -> list[Use]:
    """Every run that looked at a series' interval, its fate there, and the claims and batches.

    The fate is `used`, `missing`, the reason of an exclusion, `baseline` for what a baseline was
    fitted on, or `weather` for a temperature. A reading of the period itself leads only to those
    claims whose part of the period it lies in.
    """
    uses: list[Use] = []
    for role, run in rows.runs_reading(conn, city, entity, attribute, instant):
        texts = rows.run_texts(conn, city, run.id)
        assert texts is not None
        claims = tuple(
            held
            for held in rows.claims(conn, city, run.id, _ALL)
            if instant in held.period or instant not in run.period
        )
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


def forward_record(conn: Connection, city: str, record: str) -> list[Use]:
    """Every run that looked at a table's row, by its id: its fate there, claims and batches.

    The fate is `used` or the reason for which the row was left out. Claims are those that hold a
    line of the record itself, or all of the run's where its lines name no records.
    """
    found = select(
        conn,
        """SELECT run_id, role FROM footprint_run_record WHERE city = %s AND record = %s
        ORDER BY run_id, role""",
        (city, record),
    )
    uses: list[Use] = []
    for row in found:
        run, texts = rows.run(conn, city, row["run_id"]), rows.run_texts(conn, city, row["run_id"])
        assert run is not None
        assert texts is not None
        own = any(line.meter == record for line in run.lines)
        claims = tuple(
            held
            for held in rows.claims(conn, city, run.id, _ALL)
            if not own or any(line.meter == record for line in held.lines)
        )
        coverage = json.loads(texts["outputs"]).get("coverage", {}).get(row["role"], {})
        left_out = dict(tuple(one) for one in coverage.get("left_out", ()))
        uses.append(
            Use(
                run=run,
                role=row["role"],
                status=left_out.get(record, USED),
                claims=claims,
                batches=tuple(
                    made for held in claims for made in batches_of_claim(conn, city, held.id)
                ),
            )
        )
    return uses


@dataclass(frozen=True)
class Behind:
    """What a claim's line rests on at its own meter: the readings that counted, or the record.

    `readings` are (instant, value in the series' unit) of the intervals used in the claim's period;
    `record` is the table's row where the line is one.
    """

    line: RunLine
    role: str
    unit: str
    readings: tuple[tuple[datetime, Decimal], ...]
    record: Mapping[str, Any] | None = None


def behind(conn: Connection, city: str, claim_id: UUID) -> list[Behind] | Refusal:
    """The readings and records behind a claim, line by line: the way back from a quantity.

    Refused: `unknown-claim`.
    """
    held = rows.claim_of(conn, city, claim_id)
    if held is None:
        return unknown_claim(claim_id)
    texts = rows.run_texts(conn, city, held.run_id)
    assert texts is not None
    inputs, outputs = json.loads(texts["inputs"]), json.loads(texts["outputs"])
    kept = rows.readings(conn, city, held.run_id)
    run = rows.run(conn, city, held.run_id)
    assert run is not None
    series = {one.meter: one for one in engine.series_from_manifest(inputs, kept).values()}
    records = {
        row["id"]: (role, row)
        for role, table in engine.tables_from_lines(inputs, kept).items()
        for row in table
    }
    found: list[Behind] = []
    for line in held.lines:
        if line.meter in series:
            one = series[line.meter]
            readings = tuple(
                (at, value)
                for at, value in zip(one.times, one.values, strict=True)
                if at in held.period and _fate(outputs, run, one.role, at) == USED
            )
            found.append(Behind(line, one.role, one.unit, readings))
        elif line.meter in records:
            role, row = records[line.meter]
            found.append(Behind(line, role, "", (), row))
        else:
            found.append(Behind(line, "", "", ()))
    return found


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


def recomputations(conn: Connection, city: str, run_id: UUID) -> list[Row]:
    """When a run was done again, by whom, and whether the bytes were the same; newest first."""
    return select(
        conn,
        """SELECT identical, recomputed_sha256, note, actor, created_at
        FROM footprint_recomputation WHERE city = %s AND run_id = %s ORDER BY id DESC LIMIT 20""",
        (city, run_id),
    )


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
        "tables": inputs.get("tables", {}),
        "coefficients": inputs.get("coefficients", {}),
        "findings": findings_of(conn, city, run_id),
        "recomputations": recomputations(conn, city, run_id),
        "series": {
            role: described[key["entity"], key["attribute"]]
            for role, key in inputs["series"].items()
        },
        "claims": rows.claims(conn, city, run_id),
    }
