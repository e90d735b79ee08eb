"""The leaves of the transparency log that stand for projects' rows, read from the live rows."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from onsil.core.database import Connection
from onsil.footprint.projects.documents import document, document_entry
from onsil.footprint.projects.findings import finding, finding_entry
from onsil.footprint.projects.journal import route_entry, step, step_entry
from onsil.footprint.projects.verification import opinion_entry, opinion_of
from onsil.footprint.rows import sha256_of
from onsil.footprint.store import rows

Reader = Callable[[Connection, str, UUID], Mapping[str, Any] | None]


def _route(conn: Connection, city: str, row_id: UUID) -> Mapping[str, Any] | None:
    found = rows(
        conn,
        """SELECT route, version, content, created_at FROM footprint_route
        WHERE city = %s AND id = %s""",
        (city, row_id),
    )
    if not found:
        return None
    one = found[0]
    sha256 = sha256_of(one["content"].encode())
    return route_entry(one["route"], one["version"], sha256, one["created_at"])


def _reader(read: Callable[..., Any], entry: Callable[[Any], Mapping[str, Any]]) -> Reader:
    def live(conn: Connection, city: str, subject: UUID) -> Mapping[str, Any] | None:
        made = read(conn, city, subject)
        return None if made is None else entry(made)

    return live


READERS: dict[str, tuple[str, Reader]] = {
    "route": ("SELECT id FROM footprint_route", _route),
    "project-step": ("SELECT id FROM footprint_project_step", _reader(step, step_entry)),
    "project-document": (
        "SELECT id FROM footprint_project_document",
        _reader(document, document_entry),
    ),
    "finding": ("SELECT id FROM footprint_finding", _reader(finding, finding_entry)),
    "opinion": ("SELECT id FROM footprint_opinion", _reader(opinion_of, opinion_entry)),
}
