"""A project's documents: bytes kept once by their hash, versions that follow one another."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.refusal import Refusal
from onsil.footprint.projects.journal import route_of
from onsil.footprint.projects.registration import project, unknown_project
from onsil.footprint.store import execute, lock, rows

BYTES_MAX = 20 * 2**20
_DOCUMENT = """SELECT id, project_id, monitoring_id, kind, version, title, language, file_name,
  media_type, size, sha256, actor, created_at FROM footprint_project_document"""


@dataclass(frozen=True)
class Document:
    """A version of a document; `kind` is one of the route's."""

    id: UUID
    project_id: UUID
    monitoring_id: UUID | None
    kind: str
    version: int
    title: str
    language: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    actor: str
    created_at: datetime


@dataclass(frozen=True)
class Upload:
    """A file as it was handed in."""

    kind: str
    title: str
    language: str
    file_name: str
    media_type: str
    content: bytes


def add_document(
    conn: Connection,
    city: str,
    project_id: UUID,
    upload: Upload,
    actor: str,
    clock: Clock,
    monitoring_id: UUID | None = None,
) -> Document | Refusal:
    """Keep a document as the next version of its kind and language.

    The newest version's bytes again give that version. Refused: unknown-project,
    unknown-monitoring, document-kind (none of the route's), document-empty, document-large
    (over 20 MiB), document-title.
    """
    if project(conn, city, project_id) is None:
        return unknown_project()
    refusal = _wrong(conn, city, project_id, monitoring_id, upload)
    if refusal is not None:
        return refusal
    sha256 = hashlib.sha256(upload.content).hexdigest()
    lock(conn, city, [f"document {project_id} {monitoring_id} {upload.kind}"])
    there = [
        one
        for one in documents(conn, city, project_id, monitoring_id)
        if (one.kind, one.language) == (upload.kind, upload.language)
    ]
    newest = max(there, key=lambda one: one.version, default=None)
    if newest is not None and (newest.sha256, newest.title) == (sha256, upload.title):
        return newest
    execute(
        conn,
        """INSERT INTO footprint_document_bytes (city, sha256, bytes) VALUES (%s, %s, %s)
        ON CONFLICT DO NOTHING""",
        (city, sha256, upload.content),
    )
    made = Document(
        new_id(), project_id, monitoring_id, upload.kind, 1 + (newest.version if newest else 0),
        upload.title.strip(), upload.language, upload.file_name, upload.media_type,
        len(upload.content), sha256, actor, clock.now(),
    )  # fmt: skip
    execute(
        conn,
        """INSERT INTO footprint_project_document (city, id, project_id, monitoring_id, kind,
          version, title, language, file_name, media_type, size, sha256, actor, created_at)
        VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
        (
            city, made.id, project_id, monitoring_id, made.kind, made.version, made.title,
            made.language, made.file_name, made.media_type, made.size, sha256, actor,
            made.created_at,
        ),
    )  # fmt: skip
    proof.append(conn, city, "project-document", made.id, document_entry(made))
    proof.audit(
        conn, city, actor, "project.document", "project", str(project_id), None,
        document_entry(made),
    )  # fmt: skip
    return made


def _wrong(
    conn: Connection, city: str, project_id: UUID, monitoring_id: UUID | None, upload: Upload
) -> Refusal | None:
    if monitoring_id is not None and not rows(
        conn,
        """SELECT 1 AS one FROM footprint_monitoring WHERE city = %s AND id = %s
          AND project_id = %s""",
        (city, monitoring_id, project_id),
    ):
        return Refusal(
            "unknown-monitoring", "모니터링 기간을 찾을 수 없습니다.", "There is no such period."
        )
    kinds = [kind.id for kind in route_of(conn, city, project_id).documents] or ["other"]
    if upload.kind not in kinds:
        return Refusal(
            "document-kind",
            "이 절차에 없는 문서 종류입니다.",
            "The route knows no document of this kind.",
            {"kind": upload.kind, "kinds": kinds},
        )
    if not upload.title.strip():
        return Refusal("document-title", "문서 제목을 적어 주세요.", "Please give it a title.")
    if not upload.content:
        return Refusal("document-empty", "빈 파일입니다.", "The file is empty.")
    if len(upload.content) > BYTES_MAX:
        return Refusal(
            "document-large",
            "20 MiB보다 큰 파일은 보관하지 않습니다. 나누어 올려 주세요.",
            "Files over 20 MiB are not kept; please split it.",
            {"size": len(upload.content), "max": BYTES_MAX},
        )
    return None


def document_entry(made: Document) -> dict[str, Any]:
    """What the log holds of a document: its hash, not its bytes."""
    return {
        "project": made.project_id,
        "monitoring": made.monitoring_id,
        "document": made.kind,
        "version": made.version,
        "title": made.title,
        "language": made.language,
        "sha256": made.sha256,
        "size": made.size,
        "actor": made.actor,
        "created_at": made.created_at,
    }


def documents(
    conn: Connection, city: str, project_id: UUID, monitoring_id: UUID | None = None
) -> list[Document]:
    """A project's own documents, or those of one of its periods, newest first."""
    found = rows(
        conn,
        f"""{_DOCUMENT} WHERE city = %s AND project_id = %s
          AND monitoring_id IS NOT DISTINCT FROM %s::uuid ORDER BY id DESC""",
        (city, project_id, monitoring_id),
    )
    return [Document(**row) for row in found]


def all_documents(conn: Connection, city: str, project_id: UUID) -> list[Document]:
    """Every document of a project and of its periods, newest first."""
    found = rows(
        conn,
        f"{_DOCUMENT} WHERE city = %s AND project_id = %s ORDER BY id DESC",
        (city, project_id),
    )
    return [Document(**row) for row in found]


def document(conn: Connection, city: str, document_id: UUID) -> Document | None:
    found = rows(conn, f"{_DOCUMENT} WHERE city = %s AND id = %s", (city, document_id))
    return Document(**found[0]) if found else None


def document_content(conn: Connection, city: str, document_id: UUID) -> bytes | None:
    """The very bytes that were handed in."""
    found = rows(
        conn,
        """SELECT b.bytes FROM footprint_project_document d
        JOIN footprint_document_bytes b USING (city, sha256) WHERE d.city = %s AND d.id = %s""",
        (city, document_id),
    )
    return bytes(found[0]["bytes"]) if found else None
