"""What a witness must never forget: which logs it knows, and the largest tree of each.

One SQLite file. The check against what is known and the step to what is new are one transaction,
synchronised before anything is answered, so a kill at any instant leaves the one or the other.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from onsil.proof.keys import NoteError, VerifierKey
from onsil.proof.merkle import EMPTY_ROOT
from onsil.proof.witness.protocol import Request, Verdict, judge

_YEAR = re.compile(r"/[0-9]{4}\Z")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log_key (
  origin TEXT NOT NULL, vkey TEXT NOT NULL, every_year INTEGER NOT NULL,
  PRIMARY KEY (origin, vkey)
) STRICT;
CREATE TABLE IF NOT EXISTS tree (
  origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
  cosigned_at INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class KnownTree:
    """The largest tree of a log that was cosigned."""

    origin: str
    size: int
    root: bytes
    cosigned_at: int
    note: str


class WitnessMemory:
    """A witness's file. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = FULL")
            yield db

    def add_log(self, key: VerifierKey, *, every_year: bool = False) -> None:
        """Know a log by its key; `every_year`: also where its origin ends in another year.

        Raises NoteError when the origin does not end in a year but `every_year` is asked for.
        """
        if every_year and not _YEAR.search(key.name):
            raise NoteError(f"{key.name} does not end in a year")
        with self._open() as db:
            db.execute(
                "INSERT OR REPLACE INTO log_key VALUES (?, ?, ?)",
                (_stem(key.name) if every_year else key.name, key.text, int(every_year)),
            )

    def log_keys(self, origin: str) -> list[VerifierKey]:
        """The keys trusted for an origin; none for a log that is not known."""
        with self._open() as db:
            rows = db.execute(
                "SELECT vkey FROM log_key WHERE (every_year = 0 AND origin = ?)"
                " OR (every_year = 1 AND origin = ?)",
                (origin, _stem(origin) if _YEAR.search(origin) else ""),
            ).fetchall()
        keys = [VerifierKey.parse(text) for (text,) in rows]
        return [VerifierKey(origin, key.key, key.kind) for key in keys]

    def logs(self) -> list[tuple[VerifierKey, bool]]:
        """All known logs: (key, whether for every year)."""
        with self._open() as db:
            rows = db.execute("SELECT vkey, every_year FROM log_key ORDER BY origin").fetchall()
        return [(VerifierKey.parse(text), bool(every)) for text, every in rows]

    def trees(self) -> list[KnownTree]:
        """The largest tree of each log, by origin."""
        with self._open() as db:
            rows = db.execute("SELECT * FROM tree ORDER BY origin").fetchall()
        return [KnownTree(*row) for row in rows]

    def advance(self, request: Request, now: datetime) -> tuple[Verdict, int]:
        """Judge a request and take its tree for the largest, in one step; (verdict, known size)."""
        new = request.checkpoint
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                row = db.execute(
                    "SELECT size, root FROM tree WHERE origin = ?", (new.origin,)
                ).fetchone()
                size, root = row or (0, EMPTY_ROOT)
                verdict = judge(request, size, root)
                if verdict.status == 200:
                    db.execute(
                        "INSERT OR REPLACE INTO tree VALUES (?, ?, ?, ?, ?)",
                        (new.origin, new.size, new.root, int(now.timestamp()), new.note),
                    )
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")
                raise
        return verdict, size


def _stem(origin: str) -> str:
    return _YEAR.sub("/", origin)
