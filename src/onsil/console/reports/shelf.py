"""The reports of a thing as its page lists them, and the one a new wish gives."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil.citizen.models import Role
from onsil.console.frame import Request
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import reports

KINDS = ("monitoring", "implementation")


@dataclass(frozen=True)
class Kept:
    """A kept report as a line of the panel."""

    id: UUID
    language: str
    made_at: datetime
    sha256: str


def shelf(request: Request, conn: Connection, kind: str, subject: UUID) -> Mapping[str, Any]:
    """What the panel `console/reports/_panel.html` needs to know of a subject's reports."""
    kept = [Kept(*line) for line in reports.kept_reports(conn, request.city.code, subject)]
    return {
        "kind": kind, "subject": subject, "kept": kept, "may_make": Role.OFFICIAL in request.roles,
    }  # fmt: skip


def write(
    request: Request, conn: Connection, kind: str, subject: UUID, language: str, clock: Clock
) -> reports.Report | Refusal:
    """The report of a monitoring period or of a year's review, as things stand now."""
    city, name = request.city.code, request.city.name(language)
    if kind == "monitoring":
        return reports.monitoring_report(
            conn, city, name, subject, language, clock.now(), request.city.zone
        )
    return reports.implementation_report(conn, city, name, subject, language, clock.now())


def same_as_before(
    conn: Connection, city: str, subject: UUID, report: reports.Report
) -> UUID | None:
    """The newest kept report in that language when nothing in it would change but its time."""
    for made, language, _at, _sha256 in reports.kept_reports(conn, city, subject):
        if language != report.language:
            continue
        found = reports.kept_report(conn, city, made)
        assert found is not None
        before = found[0]
        return made if replace(report, made_at=before.made_at) == before else None
    return None
