"""What enters the log: salted commitments, added in the transaction of the thing they stand for."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from operator import lt
from typing import Any, Protocol
from uuid import UUID

from onsil.core.canonical import canonical_bytes
from onsil.core.database import Connection, cursor
from onsil.core.ids import new_id

ID, SALT, COMMITMENT = 16, 32, 32
"""Widths in bytes of what a batch packs."""
ERASED = bytes(SALT)
ASCENDING = frozenset({"transfer"})
"""Kinds whose ids only ever ascend within a city. Their leaves need no index of their own."""

_ENVELOPE = frozenset({"kind", "city", "id"})
_PAGE = 2000
_APPEND = """WITH b AS (
  INSERT INTO proof_batch (city, batch, kind, first_id, last_id, size, ids, salts, commitments)
  VALUES (%(city)s, %(batch)s, %(kind)s, %(first)s::uuid, %(last)s::uuid, %(size)s, %(ids)s,
    %(salts)s, %(commitments)s)
  RETURNING 1
), p AS (
  INSERT INTO proof_pending (city, batch, size) VALUES (%(city)s, %(batch)s, %(size)s) RETURNING 1
), i AS (
  INSERT INTO proof_subject (city, kind, subject_id, batch, position)
  SELECT %(city)s, %(kind)s, key, %(batch)s, n - 1
  FROM unnest(%(keys)s::uuid[]) WITH ORDINALITY AS given (key, n)
  RETURNING 1
)
SELECT (SELECT count(*) FROM b), (SELECT count(*) FROM p), (SELECT count(*) FROM i)"""


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


def unpack(packed: bytes, width: int) -> list[bytes]:
    """The items of a packed column."""
    return [packed[place : place + width] for place in range(0, len(packed), width)]


def commitment(salt: bytes, content: bytes) -> bytes:
    """SHA-256(salt || content); without the 32-byte salt nothing can be guessed from it."""
    return sha256(salt + content).digest()


def append(
    conn: Connection, city: str, kind: str, subject_id: UUID, entry: Mapping[str, Any]
) -> None:
    """Add one leaf in the caller's transaction. A subject has one leaf of a kind, for ever.

    Raises psycopg.errors.UniqueViolation for a second one (ExclusionViolation where ids ascend).
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
    """The same for contents already in canonical bytes (which `entry_bytes` would give).

    Ids of a kind in `ASCENDING` must ascend, in the batch and from batch to batch: raises
    ValueError, or psycopg.errors.ExclusionViolation where another batch has been that far.
    """
    if not contents:
        return
    ids = [key.bytes for key, _ in contents]
    ascends = kind in ASCENDING
    if ascends and not all(map(lt, ids, ids[1:])):
        raise ValueError(f"ids of {kind} have to ascend")
    salts = os.urandom(SALT * len(contents))
    commitments = [
        sha256(salts[place : place + SALT] + content).digest()
        for place, (_, content) in zip(range(0, len(salts), SALT), contents, strict=True)
    ]
    with cursor(conn) as run:
        written = next(
            run.execute(
                _APPEND,
                {
                    "city": city, "kind": kind, "batch": new_id(), "size": len(contents),
                    "first": contents[0][0] if ascends else None,
                    "last": contents[-1][0] if ascends else None,
                    "ids": b"".join(ids), "salts": salts, "commitments": b"".join(commitments),
                    "keys": [] if ascends else [key for key, _ in contents],
                },
            )
        )  # fmt: skip
    assert written == (1, 1, 0 if ascends else len(contents)), "every leaf is written"


@dataclass(frozen=True)
class Leaf:
    """One subject's leaf; `year` and `index` are None until it is in the tree."""

    kind: str
    subject_id: UUID
    salt: bytes
    commitment: bytes
    year: int | None
    index: int | None

    @property
    def erased(self) -> bool:
        """Whether the salt is gone, so that nobody can tell any more what was committed to."""
        return self.salt == ERASED


def leaf(conn: Connection, city: str, kind: str, subject_id: UUID) -> Leaf | None:
    """The leaf of a subject, or None when it was never appended."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT substr(b.salts, 32 * p.position + 1, 32),
              substr(b.commitments, 32 * p.position + 1, 32), s.year, s.first_index + p.position
            FROM onsil_leaf_place(%(city)s, %(kind)s, %(id)s) p
            JOIN proof_batch b ON b.city = %(city)s AND b.batch = p.batch
              AND substr(b.ids, 16 * p.position + 1, 16) = uuid_send(%(id)s)
            LEFT JOIN proof_span s ON s.city = %(city)s AND s.batch = p.batch""",
            {"city": city, "kind": kind, "id": subject_id},
        ).fetchone()
    if row is None:
        return None
    return Leaf(kind, subject_id, bytes(row[0]), bytes(row[1]), row[2], row[3])
