"""Closing months: points leave for files, are verified there, and only then leave the database.

    export  one city's month from one snapshot: file, manifest, rows that know them; one transaction
    verify  the file read back says the same, and its hash is the one kept
    close   the owner's function drops the month once every city's rows in it are the files'

Stopped anywhere, it is begun again: a file without its row is written over, a row without the drop
is found to fit. A month whose corrections came later is exported again as its next revision.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

from onsil.core.canonical import canonical_bytes, digest
from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.hub.lake.cold import Cold
from onsil.hub.lake.files import (
    Names,
    Written,
    content_of,
    file_sha256,
    write_points,
    write_text,
)
from onsil.hub.lake.place import folder, span

FORMAT = "onsil-lake-1"
_GROUP = 64  # series fetched together
_HEADER = 20
_ITEMS = {
    "ts": np.dtype([("size", ">i4"), ("value", ">i8")]),
    "num": np.dtype([("size", ">i4"), ("value", ">f8")]),
    "late": np.dtype([("size", ">i4"), ("value", "u1")]),
}


class Exported(NamedTuple):
    """One city's month: `fresh` is False when its newest file said all of it already."""

    city: str
    month: date
    revision: int
    rows: int
    path: str
    fresh: bool


class Closed(NamedTuple):
    """What became of a month: 'dropped', 'gone' (nothing was there) or 'changed' meanwhile."""

    month: date
    exported: list[Exported]
    state: str


def open_months(conn: Connection, before: date) -> list[date]:
    """The months with points in the database that ended before a day."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT to_date(right(c.relname, 7), 'YYYY_MM') FROM pg_inherits i"
            " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'hub_point'::regclass"
        )
        months = sorted(month for (month,) in cur)
    return [month for month in months if span(month).end.date() <= before]


def close_month(conn: Connection, month: date, clock: Clock) -> Closed:
    """Export every city's points of a month, verify the files, drop the month.

    Commits in between. `conn` sees all cities. Raises OperationError when a file does not say what
    was written, OSError when it cannot be written.
    """
    conn.commit()
    period = span(month)
    with cursor(conn) as cur:
        cur.execute("SELECT DISTINCT city FROM hub_point WHERE ts >= %s AND ts < %s ORDER BY 1",
                    (period.start, period.end))  # fmt: skip
        cities = [city for (city,) in cur]
    exported = [export_city(conn, city, month, clock) for city in cities]
    for one in exported:
        verify_file(conn, one.city, month, one.revision)
    with cursor(conn) as cur:
        cur.execute("SELECT hub_close_month(%s)", (month,))
        (state,) = cur.fetchone() or ("gone",)
    conn.commit()
    return Closed(month, exported, state)


def export_city(conn: Connection, city: str, month: date, clock: Clock) -> Exported:
    """Write one city's month, unless its newest file is it already. Commits."""
    conn.commit()
    with conn.transaction(), cursor(conn) as cur:
        cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cur.execute("SELECT rows, checksum FROM hub_month_sum(%s, %s)", (city, month))
        rows, checksum = cur.fetchone() or (0, 0)
        cur.execute(
            "SELECT revision, rows, checksum, path FROM hub_lake_file WHERE city = %s"
            " AND month = %s AND kind = 'points' ORDER BY revision DESC LIMIT 1", (city, month),
        )  # fmt: skip
        newest = cur.fetchone()
        if newest and newest[1:3] == (rows, checksum):
            return Exported(city, month, newest[0], rows, newest[3], fresh=False)
        revision = newest[0] + 1 if newest else 1
        path = f"{city}/{month:%Y-%m}/points-r{revision}.parquet"
        written = write_points(folder() / path, _points(cur, city, month), _names(cur, city))
        if written.rows != rows:
            raise OperationError(f"{path} has {written.rows} rows, not {rows}", retry=True)
        _note(cur, city, month, revision, path, written, checksum, clock.now())
    return Exported(city, month, revision, rows, path, fresh=True)


def _note(
    cur: Any, city: str, month: date, revision: int, path: str, written: Written, checksum: Any,
    now: datetime,
) -> None:  # fmt: skip
    """The manifest: what was written, chained to the export before it."""
    cur.execute(
        "SELECT number, sha256 FROM hub_lake_manifest WHERE city = %s ORDER BY number DESC LIMIT 1",
        (city,),
    )
    last = cur.fetchone()
    number, previous = (last[0] + 1, last[1]) if last else (1, None)
    manifest = {
        "format": FORMAT, "city": city, "number": number, "previous": previous,
        "month": f"{month:%Y-%m}", "revision": revision,
        "note": "first export" if revision == 1 else
                "points of this month that came or were corrected after it was exported",
        "files": [{"path": path, "kind": "points", "rows": written.rows, "bytes": written.bytes,
                   "sha256": written.sha256, "content_sha256": written.content}],
        "made_at": now,
    }  # fmt: skip
    body, mark = canonical_bytes(manifest).decode(), digest(manifest)
    write_text(folder() / city / f"{month:%Y-%m}" / f"manifest-r{revision}.json", body)
    cur.execute(
        "INSERT INTO hub_lake_file (city, month, kind, revision, path, rows, checksum, sha256,"
        " bytes) VALUES (%s, %s, 'points', %s, %s, %s, %s, %s, %s)",
        (city, month, revision, path, written.rows, checksum, written.sha256, written.bytes),
    )
    cur.execute(
        "INSERT INTO hub_lake_manifest (city, number, month, revision, sha256, body, made_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (city, number, month, revision, mark, body, now),
    )


def _names(cur: Any, city: str) -> dict[int, Names]:
    """What the city's series are called, registered ones and plain ones."""
    cur.execute(
        "SELECT s.series_id, e.uri, t.iri, s.unit FROM hub_series s"
        " JOIN hub_entity e ON e.city = s.city AND e.eid = s.eid"
        " JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id WHERE s.city = %s"
        " UNION ALL SELECT p.series_id, te.uri, t.iri, p.unit FROM hub_plain_series p"
        " JOIN hub_temporal_entity te ON te.city = p.city AND te.teid = p.teid"
        " JOIN hub_term t ON t.city = p.city AND t.term_id = p.attr_id WHERE p.city = %s",
        (city, city),
    )
    return {number: Names(*names) for number, *names in cur}


def _points(cur: Any, city: str, month: date) -> Iterator[Cold]:
    """The city's points of the month in order of series and time, some series at a time."""
    period = span(month)
    cur.execute(
        "SELECT DISTINCT series_id FROM hub_point WHERE city = %s AND ts >= %s AND ts < %s"
        " ORDER BY 1", (city, period.start, period.end),
    )  # fmt: skip
    numbers = [number for (number,) in cur.fetchall()]
    for first in range(0, len(numbers), _GROUP):
        group = numbers[first : first + _GROUP]
        cur.execute(
            "SELECT series_id, array_send(array_agg(ts)), array_send(array_agg(num)),"
            " array_send(array_agg(received_at)), array_send(array_agg(late))"
            " FROM (SELECT * FROM hub_point WHERE city = %s AND series_id = ANY(%s)"
            " AND ts >= %s AND ts < %s ORDER BY series_id, ts) p GROUP BY series_id ORDER BY 1",
            (city, group, period.start, period.end), binary=True,
        )  # fmt: skip
        rows = cur.fetchall()
        columns = [
            [_array(row[place], kind) for row in rows]
            for place, kind in ((1, "ts"), (2, "num"), (3, "ts"), (4, "late"))
        ]
        counts = [len(ts) for ts in columns[0]]
        series = np.repeat(np.array([row[0] for row in rows], np.int64), counts)
        ts, num, received, late = (np.concatenate(column) for column in columns)
        yield Cold(series, ts.astype(np.int64), num.astype(np.float64),
                   received.astype(np.int64), late.astype(np.int8))  # fmt: skip


def _array(sent: bytes, kind: str) -> np.ndarray:
    return np.frombuffer(sent, _ITEMS[kind], offset=_HEADER)["value"]


def verify_file(conn: Connection, city: str, month: date, revision: int) -> None:
    """Hold a file against its manifest. Raises OperationError saying what does not fit."""
    with cursor(conn, named=True) as cur:
        cur.execute(
            "SELECT m.number, m.sha256, m.body::jsonb AS manifest, m.body, f.path, f.rows,"
            " f.sha256 AS kept FROM hub_lake_manifest m JOIN hub_lake_file f ON f.city = m.city"
            " AND f.month = m.month AND f.revision = m.revision AND f.kind = 'points'"
            " WHERE m.city = %s AND m.month = %s AND m.revision = %s", (city, month, revision),
        )  # fmt: skip
        row = cur.fetchone()
    if row is None:
        raise OperationError(f"{city} {month:%Y-%m} r{revision}: no manifest", retry=False)
    told = row["manifest"]["files"][0]
    place = folder() / row["path"]
    if not place.exists():
        raise OperationError(f"{row['path']} is missing", retry=False)
    if not file_sha256(place) == row["kept"] == told["sha256"]:
        raise OperationError(f"{row['path']} is not the file that was written", retry=False)
    if content_of(place) != (row["rows"], told["content_sha256"]):
        raise OperationError(f"{row['path']} does not hold the points it did", retry=False)


class Manifest(NamedTuple):
    """One export as the database keeps it."""

    city: str
    number: int
    month: date
    revision: int
    sha256: str
    rows: int
    bytes: int
    path: str


def manifests(conn: Connection, city: str | None = None) -> list[Manifest]:
    """All exports, in order of city and number."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT m.city, m.number, m.month, m.revision, m.sha256, f.rows, f.bytes, f.path"
            " FROM hub_lake_manifest m JOIN hub_lake_file f ON f.city = m.city"
            " AND f.month = m.month AND f.revision = m.revision AND f.kind = 'points'"
            " WHERE %s::text IS NULL OR m.city = %s ORDER BY m.city, m.number", (city, city),
        )  # fmt: skip
        return [Manifest(*row) for row in cur]


def verify_chain(conn: Connection, city: str) -> int:
    """Every manifest's hash, its link to the one before and its file. How many there are.

    Raises OperationError at the first that does not fit.
    """
    with cursor(conn) as cur:
        cur.execute("SELECT number, month, revision, sha256, body, body::jsonb"
                    " FROM hub_lake_manifest WHERE city = %s ORDER BY number", (city,))  # fmt: skip
        rows = cur.fetchall()
    previous = None
    for place, (number, month, revision, mark, body, manifest) in enumerate(rows, 1):
        kept = folder() / city / f"{month:%Y-%m}" / f"manifest-r{revision}.json"
        if number != place or manifest["previous"] != previous or digest(manifest) != mark:
            raise OperationError(f"{city}: manifest {place} is not linked", retry=False)
        if not kept.exists() or kept.read_text("utf-8") != body:
            raise OperationError(f"{kept.name} of {city} is not the one kept", retry=False)
        verify_file(conn, city, month, revision)
        previous = mark
    return len(rows)
