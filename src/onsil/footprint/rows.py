"""Runs, claims and their readings as stored, and the entries that stand for them in the log."""

import hashlib
import zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.store import Row, as_period, rows
from onsil.footprint.terms import Claim, Run, RunLine

_RUN = """SELECT id, methodology, version, status, refusal, period, co2e_t, energy_wh, lines,
  inputs_sha256, outputs_sha256, snapshot_sha256, engine, actor, created_at FROM footprint_run"""
_CLAIM = """SELECT c.id, c.run_id, c.programme, c.share, c.period, c.co2e_t, c.energy_wh, c.actor,
  c.created_at, c.kind, (SELECT r.created_at FROM footprint_claim_release r
    WHERE r.city = c.city AND r.claim_id = c.id) AS released_at,
  (SELECT jsonb_agg(jsonb_build_object('meter', l.meter, 'quantity', l.quantity,
    'amount', l.amount::text, 'unit', l.unit) ORDER BY l.meter, l.quantity)
    FROM footprint_claim_line l WHERE l.city = c.city AND l.claim_id = c.id) AS lines
  FROM footprint_claim c"""


def _lines(stored: list[dict[str, Any]] | None) -> tuple[RunLine, ...]:
    return tuple(
        RunLine(
            one["meter"],
            one["quantity"],
            Decimal(one["amount_wh"] if "amount_wh" in one else one["amount"]),
            one.get("unit", "Wh"),
            {day: Decimal(part) for day, part in one["parts"].items()} if "parts" in one else None,
        )
        for one in stored or []
    )


def _refusal(stored: Mapping[str, Any] | None) -> Refusal | None:
    if stored is None:
        return None
    return Refusal(stored["code"], stored["ko"], stored["en"], stored["facts"])


def _run(row: Row) -> Run:
    return Run(
        id=row["id"],
        methodology=row["methodology"],
        version=row["version"],
        status=row["status"],
        refusal=_refusal(row["refusal"]),
        period=as_period(row["period"]),
        co2e_t=row["co2e_t"],
        energy_wh=row["energy_wh"],
        lines=_lines(row["lines"]),
        inputs_digest=row["inputs_sha256"],
        outputs_digest=row["outputs_sha256"],
        snapshot_digest=row["snapshot_sha256"],
        engine=row["engine"],
        actor=row["actor"],
        created_at=row["created_at"],
    )


def _claim(row: Row) -> Claim:
    return Claim(
        id=row["id"],
        run_id=row["run_id"],
        programme=row["programme"],
        share_from=row["share"].lower,
        share_to=row["share"].upper,
        period=as_period(row["period"]),
        co2e_t=row["co2e_t"],
        energy_wh=row["energy_wh"],
        lines=_lines(row["lines"]),
        actor=row["actor"],
        created_at=row["created_at"],
        kind=row["kind"],
        released_at=row["released_at"],
    )


def run(conn: Connection, city: str, run_id: UUID) -> Run | None:
    """A stored run, or None."""
    found = rows(conn, f"{_RUN} WHERE city = %s AND id = %s", (city, run_id))
    return _run(found[0]) if found else None


def run_by_inputs(conn: Connection, city: str, inputs_digest: str) -> Run | None:
    found = rows(conn, f"{_RUN} WHERE city = %s AND inputs_sha256 = %s", (city, inputs_digest))
    return _run(found[0]) if found else None


def runs(
    conn: Connection, city: str, limit: int = 100, methodology: str | None = None,
    meter: str | None = None,
) -> list[Run]:  # fmt: skip
    """The newest runs first, optionally of one methodology or reading one meter's series."""
    found = rows(
        conn,
        f"""{_RUN} r WHERE city = %(city)s
          AND (%(methodology)s::text IS NULL OR methodology = %(methodology)s::text)
          AND (%(meter)s::text IS NULL OR EXISTS (
            SELECT FROM footprint_run_series s WHERE s.city = r.city AND s.run_id = r.id
              AND s.entity || '#' || s.attribute = %(meter)s::text))
        ORDER BY id DESC LIMIT %(limit)s""",
        {"city": city, "methodology": methodology, "meter": meter, "limit": limit},
    )
    return [_run(row) for row in found]


def runs_reading(
    conn: Connection, city: str, entity: str, attribute: str, instant: datetime
) -> list[tuple[str, Run]]:
    """Runs whose snapshot spans an instant of a series, with the series' role; oldest first."""
    found = rows(
        conn,
        """SELECT s.role, s.run_id FROM footprint_run_series s WHERE s.city = %s
          AND s.entity = %s AND s.attribute = %s AND s.span @> %s::timestamptz
        ORDER BY s.run_id, s.role""",
        (city, entity, attribute, instant),
    )
    made = [(row["role"], run(conn, city, row["run_id"])) for row in found]
    return [(role, one) for role, one in made if one is not None]


def run_texts(conn: Connection, city: str, run_id: UUID) -> Row | None:
    """Inputs and outputs as stored, with their hashes and the engine that made them."""
    found = rows(
        conn,
        """SELECT inputs, inputs_sha256, outputs, outputs_sha256, engine, code_sha256
        FROM footprint_run WHERE city = %s AND id = %s""",
        (city, run_id),
    )
    return found[0] if found else None


def readings(conn: Connection, city: str, run_id: UUID) -> dict[str, bytes]:
    """The lines of readings and tables that a run rests on, by hash."""
    found = rows(
        conn,
        """SELECT sha256, lines FROM footprint_readings WHERE city = %(city)s AND sha256 IN (
          SELECT sha256 FROM footprint_run_series WHERE city = %(city)s AND run_id = %(run)s
          UNION SELECT sha256 FROM footprint_run_table
          WHERE city = %(city)s AND run_id = %(run)s)""",
        {"city": city, "run": run_id},
    )
    return {row["sha256"]: zlib.decompress(row["lines"]) for row in found}


def sha256_of(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def factor_set_known(conn: Connection, city: str, sha256: str) -> bool:
    statement = "SELECT 1 AS one FROM footprint_factor_set WHERE city = %s AND sha256 = %s"
    return bool(rows(conn, statement, (city, sha256)))


def claim_of(conn: Connection, city: str, claim_id: UUID) -> Claim | None:
    """A stored claim, or None."""
    found = rows(conn, f"{_CLAIM} WHERE c.city = %s AND c.id = %s", (city, claim_id))
    return _claim(found[0]) if found else None


def claims(
    conn: Connection, city: str, run_id: UUID | None = None, limit: int = 100,
    programme: str | None = None, released: bool = False,
) -> list[Claim]:  # fmt: skip
    """The newest claims first, optionally of one run or programme.

    Those that were released are left out unless `released` asks for them too.
    """
    found = rows(
        conn,
        f"""{_CLAIM} WHERE c.city = %(city)s
          AND (%(run)s::uuid IS NULL OR c.run_id = %(run)s::uuid)
          AND (%(programme)s::text IS NULL OR c.programme = %(programme)s::text)
          AND (%(released)s OR NOT EXISTS (SELECT FROM footprint_claim_release r
               WHERE r.city = c.city AND r.claim_id = c.id))
        ORDER BY c.id DESC LIMIT %(limit)s""",
        {
            "city": city, "run": run_id, "programme": programme, "limit": limit,
            "released": released,
        },
    )  # fmt: skip
    return [_claim(row) for row in found]


def unknown_run(run_id: UUID) -> Refusal:
    return Refusal(
        "unknown-run",
        f"산정 {run_id}을(를) 찾을 수 없습니다.",
        f"There is no quantification {run_id}.",
        {"run": str(run_id)},
    )


def factor_set_entry(set_id: str, sha256: str, at: datetime) -> dict[str, Any]:
    """What the log holds of a factor set."""
    return {"set": set_id, "sha256": sha256, "created_at": at}


def run_entry(made: Run) -> dict[str, Any]:
    """What the log holds of a quantification."""
    return {
        "methodology": made.methodology,
        "version": made.version,
        "status": made.status,
        "inputs": made.inputs_digest,
        "outputs": made.outputs_digest,
        "co2e_t": made.co2e_t,
        "energy_wh": made.energy_wh,
        "lines": _line_entries(made.lines),
        "actor": made.actor,
        "created_at": made.created_at,
    }


def claim_entry(made: Claim) -> dict[str, Any]:
    """What the log holds of a claim."""
    return {
        "run": made.run_id,
        "programme": made.programme,
        "share": [made.share_from, made.share_to],
        "start": made.period.start,
        "end": made.period.end,
        "co2e_t": made.co2e_t,
        "energy_wh": made.energy_wh,
        "lines": _line_entries(made.lines),
        "actor": made.actor,
        "created_at": made.created_at,
    }


def _line_entries(lines: tuple[RunLine, ...]) -> list[dict[str, Any]]:
    """Energy is logged as it was before other quantities came: the log's old entries hold."""
    return [
        {"meter": line.meter, "quantity": line.quantity, "amount_wh": line.amount}
        if line.unit == "Wh"
        else {
            "meter": line.meter, "quantity": line.quantity, "amount": line.amount,
            "unit": line.unit,
        }
        for line in lines
    ]  # fmt: skip


def factor_sets_used(conn: Connection, city: str, digests: list[str]) -> list[Any]:
    """Factor sets by hash, as they stood when they were used."""
    found = rows(
        conn,
        """SELECT content::jsonb AS content FROM footprint_factor_set
        WHERE city = %s AND sha256 = ANY(%s) ORDER BY set_id""",
        (city, digests),
    )
    return [row["content"] for row in found]
