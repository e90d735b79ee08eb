"""Reading packed batches: what waits for its place, and whole logs in the order of tree or id."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from onsil.core.database import Connection, cursor
from onsil.proof.entries import COMMITMENT, ID, SALT, unpack

EVERY = 2**62
_SPANS = 1000
_LEAVES = 65_536
_WIDTHS = (ID, SALT, COMMITMENT)
_NAMES = count()


@dataclass(frozen=True)
class Batch:
    """Leaves appended together, in their order."""

    number: UUID
    commitments: tuple[bytes, ...]


@dataclass(frozen=True)
class PlacedBatch:
    """A stretch of the tree and what the database holds for it; `size` is the tree's."""

    first_index: int
    size: int
    kind: str
    ids: Sequence[UUID]
    commitments: Sequence[bytes]


@dataclass(frozen=True)
class StoredLeaf:
    """One leaf as the database holds it; `indexed` tells whether it is found by its id."""

    subject_id: UUID
    salt: bytes
    commitment: bytes
    indexed: bool
    erased: bool


def pending_batches(conn: Connection, city: str, entries_max: int = _LEAVES) -> list[Batch]:
    """Committed batches that the database has not placed yet, oldest first."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT b.batch, b.commitments
            FROM (SELECT city, batch, sum(size) OVER (ORDER BY batch) - size AS before
                  FROM proof_pending WHERE city = %s) p
            JOIN proof_batch b USING (city, batch)
            WHERE p.before < %s ORDER BY b.batch""",
            (city, entries_max),
            binary=True,
        ).fetchall()
    return [Batch(number, tuple(unpack(packed, COMMITMENT))) for number, packed in rows]


def placed_size(conn: Connection, city: str, year: int) -> int:
    """How many leaves of a year's log the database knows the places of."""
    with cursor(conn) as run:
        row = run.execute(
            """SELECT first_index + size FROM proof_span WHERE city = %s AND year = %s
            ORDER BY first_index DESC LIMIT 1""",
            (city, year),
        ).fetchone()
    return row[0] if row else 0


def placed_years(conn: Connection, city: str) -> list[int]:
    """The years in which the database has placed leaves, ascending."""
    with cursor(conn) as run:
        rows = run.execute(
            """WITH RECURSIVE y AS (
              SELECT min(year) AS year FROM proof_span WHERE city = %(city)s
              UNION ALL
              SELECT (SELECT min(year) FROM proof_span WHERE city = %(city)s AND year > y.year)
              FROM y WHERE y.year IS NOT NULL)
            SELECT year FROM y WHERE year IS NOT NULL ORDER BY year""",
            {"city": city},
        ).fetchall()
    return [year for (year,) in rows]


def placed_total(conn: Connection, city: str) -> int:
    """How many leaves the database has placed in all the city's logs."""
    return sum(placed_size(conn, city, year) for year in placed_years(conn, city))


def placed_batches(conn: Connection, city: str, year: int) -> Iterator[PlacedBatch]:
    """A year's batches in the order of the tree, some tens of thousands of leaves in memory.

    A batch whose row is gone from the database has no ids and no commitments.
    """
    after = -1
    with cursor(conn) as run:
        while spans := run.execute(
            """SELECT first_index, size, batch FROM proof_span
            WHERE city = %s AND year = %s AND first_index > %s ORDER BY first_index LIMIT %s""",
            (city, year, after, _SPANS),
        ).fetchall():
            after = spans[-1][0]
            while spans:
                page = _first_leaves(spans)
                del spans[: len(page)]
                rows = run.execute(
                    """SELECT batch, kind, ids, commitments FROM proof_batch
                    WHERE city = %s AND batch = ANY(%s)""",
                    (city, [batch for _, _, batch in page]),
                    binary=True,
                ).fetchall()
                found = {row[0]: row[1:] for row in rows}
                for first, size, batch in page:
                    kind, ids, values = found.get(batch, ("", b"", b""))
                    yield PlacedBatch(
                        first, size, kind, [UUID(bytes=key) for key in unpack(ids, ID)],
                        unpack(values, COMMITMENT),
                    )  # fmt: skip


def _first_leaves(spans: Sequence[tuple[int, int, UUID]]) -> list[tuple[int, int, UUID]]:
    """The first spans that make a page: at least one, and few leaves."""
    leaves, page = 0, []
    for span in spans:
        leaves += span[1]
        if page and leaves > _LEAVES:
            break
        page.append(span)
    return page


def leaves_by_id(conn: Connection, city: str, kind: str) -> Iterator[StoredLeaf]:
    """A kind's leaves in ascending order of id, read from the batches themselves.

    A leaf that `leaf` would not find, because it is out of order or the index does not lead to it,
    is one that is not `indexed`.
    """
    return heapq.merge(
        _by_span(conn, city, kind), _by_index(conn, city, kind), key=lambda leaf: leaf.subject_id
    )


def _by_span(conn: Connection, city: str, kind: str) -> Iterator[StoredLeaf]:
    erased = _erased(conn, city, kind)
    gone = next(erased, None)
    before = b""
    for first, last, *packed in _spanned_batches(conn, city, kind):
        columns = [unpack(raw, width) for raw, width in zip(packed, _WIDTHS, strict=True)]
        for key, salt, value in zip(*columns, strict=True):
            found = UUID(bytes=key)
            while gone is not None and gone < found:
                gone = next(erased, None)
            in_order = before < key and first <= found <= last
            yield StoredLeaf(found, salt, value, in_order, gone == found)
            before = max(before, key)


def _spanned_batches(
    conn: Connection, city: str, kind: str
) -> Iterator[tuple[UUID, UUID, bytes, bytes, bytes]]:
    after: UUID | None = None
    with cursor(conn) as run:
        while heads := run.execute(
            """SELECT last_id, size, batch FROM proof_batch
            WHERE city = %s AND kind = %s AND first_id IS NOT NULL
              AND (%s::uuid IS NULL OR last_id > %s::uuid) ORDER BY last_id LIMIT %s""",
            (city, kind, after, after, _SPANS),
        ).fetchall():
            after = heads[-1][0]
            while heads:
                page = _first_leaves(heads)
                del heads[: len(page)]
                yield from run.execute(
                    """SELECT first_id, last_id, ids, salts, commitments FROM proof_batch
                    WHERE city = %s AND batch = ANY(%s) ORDER BY last_id""",
                    (city, [batch for _, _, batch in page]),
                    binary=True,
                ).fetchall()


def _erased(conn: Connection, city: str, kind: str) -> Iterator[UUID]:
    after: UUID | None = None
    with cursor(conn) as run:
        while page := run.execute(
            """SELECT subject_id FROM proof_erased_salt WHERE city = %s AND kind = %s
              AND (%s::uuid IS NULL OR subject_id > %s::uuid) ORDER BY subject_id LIMIT 5000""",
            (city, kind, after, after),
        ).fetchall():
            yield from (key for (key,) in page)
            after = page[-1][0]


def _by_index(conn: Connection, city: str, kind: str) -> Iterator[StoredLeaf]:
    """PostgreSQL sorts what is in the batches; the index is only compared, never trusted."""
    name = f"onsil_leaves_{next(_NAMES)}"
    with psycopg.ServerCursor(conn, name, row_factory=tuple_row) as run:
        run.itersize = 5000
        run.execute(
            """SELECT l.id, l.salt, l.commitment,
              coalesce((s.batch, s.position) = (l.batch, l.place), false), e.subject_id IS NOT NULL
            FROM (
              SELECT b.batch, n AS place, encode(substr(b.ids, 16 * n + 1, 16), 'hex')::uuid AS id,
                substr(b.salts, 32 * n + 1, 32) AS salt,
                substr(b.commitments, 32 * n + 1, 32) AS commitment
              FROM proof_batch b CROSS JOIN generate_series(0, b.size - 1) n
              WHERE b.city = %(city)s AND b.kind = %(kind)s AND b.first_id IS NULL) l
            LEFT JOIN proof_subject s
              ON (s.city, s.kind, s.subject_id) = (%(city)s, %(kind)s, l.id)
            LEFT JOIN proof_erased_salt e
              ON (e.city, e.kind, e.subject_id) = (%(city)s, %(kind)s, l.id)
            ORDER BY l.id""",
            {"city": city, "kind": kind},
            binary=True,
        )
        for row in run:
            yield StoredLeaf(*row)


def misplaced_subjects(conn: Connection, city: str, kind: str, limit: int) -> list[UUID]:
    """Ids in the index that do not stand where the index says."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT s.subject_id FROM proof_subject s
            LEFT JOIN proof_batch b ON (b.city, b.batch, b.kind) = (s.city, s.batch, s.kind)
            WHERE s.city = %s AND s.kind = %s AND (b.batch IS NULL
              OR substr(b.ids, 16 * s.position + 1, 16) <> uuid_send(s.subject_id))
            ORDER BY 1 LIMIT %s""",
            (city, kind, limit),
        ).fetchall()
    return [key for (key,) in rows]
