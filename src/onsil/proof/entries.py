"""What enters the log: salted commitments, added in the transaction of the thing they stand for."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from onsil.core.canonical import canonical_bytes
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id

_ENVELOPE = frozenset({"kind", "city", "id"})
_PAGE = 2000


class EntrySource(Protocol):
    """Where the live rows behind one kind of leaf are read again for verification.

    `entries` yields (id, entry) in ascending order of id, with each entry equal to the one that
    was appended.
    """

    def entries(self, conn: Connection, city: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]: ...


class PageFetch(Protocol):
    """Up to `limit` pairs with an id above `after` (from the start: None), ascending by id."""

    def __call__(
        self, conn: Connection, city: str, after: UUID | None, limit: int
    ) -> list[tuple[UUID, Mapping[str, Any]]]: ...


@dataclass(frozen=True)
class PagedSource:
    """An `EntrySource` from a query of one page: constant memory however long the table is."""

    fetch: PageFetch

    def entries(self, conn: Connection, city: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        after = None
        while page := self.fetch(conn, city, after, _PAGE):
            yield from page
            after = page[-1][0]


def entry_bytes(city: str, kind: str, subject_id: UUID, entry: Mapping[str, Any]) -> bytes:
    """The canonical bytes a leaf commits to: the entry with its kind, city and id.

    Raises ValueError when the entry itself names one of these, TypeError for a float.
    """
    if not _ENVELOPE.isdisjoint(entry):
        raise ValueError(f"an entry must not hold {sorted(_ENVELOPE & set(entry))}")
    return canonical_bytes({**entry, "kind": kind, "city": city, "id": subject_id})


def commitment(salt: bytes, content: bytes) -> bytes:
    """SHA-256(salt || content); without the 32-byte salt nothing can be guessed from it."""
    return sha256(salt + content).digest()


def append(
    conn: Connection, city: str, kind: str, subject_id: UUID, entry: Mapping[str, Any]
) -> None:
    """Add one leaf in the caller's transaction. A subject has one leaf of a kind, for ever.

    Raises psycopg.errors.UniqueViolation for a second one.
    """
    append_many(conn, city, kind, [(subject_id, entry)])


def append_many(
    conn: Connection, city: str, kind: str, entries: Iterable[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Add leaves in the caller's transaction; they enter the tree together, in this order."""
    append_encoded(
        conn, city, kind, [(key, entry_bytes(city, kind, key, entry)) for key, entry in entries]
    )


def append_encoded(
    conn: Connection, city: str, kind: str, contents: list[tuple[UUID, bytes]]
) -> None:
    """The same for contents already in canonical bytes (which `entry_bytes` would give)."""
    if not contents:
        return
    batch = new_id()
    salts = os.urandom(32 * len(contents))
    rows = [salts[i : i + 32] for i in range(0, len(salts), 32)]
    ids = "{" + ",".join([str(key) for key, _ in contents]) + "}"
    parts = zip(rows, contents, strict=True)
    commitments = b"".join([commitment(salt, content) for salt, (_, content) in parts])
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_entry (city, kind, subject_id, batch, position, salt, commitment)
            SELECT %(city)s, %(kind)s, key, %(batch)s, n - 1,
              substr(%(salts)s, 32 * (n - 1)::int + 1, 32),
              substr(%(commitments)s, 32 * (n - 1)::int + 1, 32)
            FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS given (key, n)""",
            {
                "city": city, "kind": kind, "batch": batch, "ids": ids, "salts": salts,
                "commitments": commitments,
            },
        )  # fmt: skip
        assert run.rowcount == len(contents), "every leaf is written"
        run.execute(
            "INSERT INTO proof_pending (city, batch, size) VALUES (%s, %s, %s)",
            (city, batch, len(contents)),
        )


@dataclass(frozen=True)
class Leaf:
    """One subject's leaf; `year` and `index` are None until it is in the tree."""

    kind: str
    subject_id: UUID
    salt: bytes
    commitment: bytes
    year: int | None
    index: int | None


def leaf(conn: Connection, city: str, kind: str, subject_id: UUID) -> Leaf | None:
    """The leaf of a subject, or None when it was never appended."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT e.salt, e.commitment, s.year, s.first_index + e.position
            FROM proof_entry e LEFT JOIN proof_span s USING (city, batch)
            WHERE e.city = %s AND e.kind = %s AND e.subject_id = %s""",
            (city, kind, subject_id),
        ).fetchone()
    if row is None:
        return None
    return Leaf(kind, subject_id, bytes(row[0]), bytes(row[1]), row[2], row[3])
