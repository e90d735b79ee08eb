"""Reports kept as they were made, so that every form of one is drawn from the same content."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.reports.resolving import numbers
from onsil.footprint.reports.terms import Report, document, from_document
from onsil.footprint.store import execute, lock, rows


def keep_report(
    conn: Connection, city: str, report: Report, actor: str, clock: Clock
) -> UUID | Refusal:
    """Keep a report and log it; the same content again gives the one that is there.

    Refused: `report-differs` when a number is not what its source holds.
    """
    wrong = [n for n in numbers(conn, city, report) if not n.holds]
    if wrong:
        first = wrong[0].figure
        return Refusal(
            "report-differs",
            f"보고서의 값이 원자료와 다릅니다: {first.value} ({first.source.text()}).",
            f"A number differs from its source: {first.value} ({first.source.text()}).",
            {"numbers": [n.figure.source.text() for n in wrong]},
        )
    content = plain(document(report))
    sha256 = digest(content)
    lock(conn, city, [f"report {sha256}"])
    there = rows(
        conn,
        """SELECT id FROM footprint_report WHERE city = %s AND kind = %s AND subject = %s
          AND language = %s AND sha256 = %s""",
        (city, report.kind, report.subject, report.language, sha256),
    )
    if there:
        return there[0]["id"]
    made = new_id()
    execute(
        conn,
        """INSERT INTO footprint_report
        (city, id, kind, subject, language, content, sha256, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made, report.kind, report.subject, report.language,
            canonical_bytes(content).decode(), sha256, actor, clock.now(),
        ),
    )  # fmt: skip
    entry = report_entry(conn, city, made)
    assert entry is not None
    proof.append(conn, city, "report", made, entry)
    proof.audit(
        conn, city, actor, "report.made", "report", str(made), None,
        {"kind": report.kind, "subject": report.subject, "sha256": sha256},
    )  # fmt: skip
    return made


def kept_report(conn: Connection, city: str, report_id: UUID) -> tuple[Report, str] | None:
    """A kept report with the SHA-256 of its content; None for an unknown one."""
    found = rows(
        conn,
        "SELECT content, sha256 FROM footprint_report WHERE city = %s AND id = %s",
        (city, report_id),
    )
    if not found:
        return None
    return from_document(json.loads(found[0]["content"])), found[0]["sha256"]


def kept_reports(
    conn: Connection, city: str, subject: UUID
) -> list[tuple[UUID, str, datetime, str]]:
    """The reports of a subject, newest first: id, language, when, SHA-256."""
    found = rows(
        conn,
        """SELECT id, language, created_at, sha256 FROM footprint_report
        WHERE city = %s AND subject = %s ORDER BY id DESC""",
        (city, subject),
    )
    return [(r["id"], r["language"], r["created_at"], r["sha256"]) for r in found]


def report_entry(conn: Connection, city: str, report_id: UUID) -> dict[str, Any] | None:
    """What the log holds of a report."""
    found = rows(
        conn,
        """SELECT kind AS report, subject, language, sha256, actor, created_at
        FROM footprint_report
        WHERE city = %s AND id = %s""",
        (city, report_id),
    )
    return dict(found[0]) if found else None
