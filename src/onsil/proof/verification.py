"""Verifying a whole log against its own tiles and against the live rows, in constant memory.

Three checks make the chain: the signed root fits the leaves on disk; each leaf on disk is the
commitment in the database; each commitment is what the live row hashes to today. Whatever breaks
is named.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.pq import TransactionStatus

from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.entries import EntrySource, commitment, entry_bytes
from onsil.proof.merkle import Frontier, fold, leaf_hash
from onsil.proof.receipts import published_key
from onsil.proof.sequencer import (
    log_folder,
    log_years,
    match_tail,
    pending_batches,
    placed_size,
    read_checkpoint,
)
from onsil.proof.tiles import WIDTH, LogFolder

_PAGE = 5000
_FINDINGS_MAX = 1000
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was logged; no `subject_id` when the log itself is broken."""

    kind: str
    subject_id: UUID | None
    code: str
    ko: str
    en: str


@dataclass
class VerifyReport:
    """What a verification looked at and what it found. `truncated`: there were more findings."""

    city: str
    leaves: int = 0
    pending: int = 0
    rows: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    truncated: bool = False

    @property
    def ok(self) -> bool:
        return not self.findings

    def add(self, kind: str, subject_id: UUID | None, code: str, ko: str, en: str) -> None:
        if len(self.findings) < _FINDINGS_MAX:
            self.findings.append(Finding(kind, subject_id, code, ko, en))
        else:
            self.truncated = True


@contextmanager
def _one_view(conn: Connection) -> Iterator[None]:
    """One snapshot for all reads, unless the caller's transaction has already begun."""
    if conn.info.transaction_status != TransactionStatus.IDLE:
        yield
    elif conn.autocommit:
        with conn.transaction(), cursor(conn) as run:
            run.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield
    else:
        with cursor(conn) as run:
            run.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def verify(
    conn: Connection, city: str, folder: Path, sources: Mapping[str, EntrySource], *,
    public_key: bytes | None = None, progress: Progress | None = None,
) -> VerifyReport:  # fmt: skip
    """Verify every log of a city, every leaf, and every live row of the kinds in `sources`.

    `public_key` is the city's 32-byte key; without it the one published in the folder is used.
    `progress(done, total)` is called now and then. On a running system begin with a fresh
    transaction, so that all is read in one view. Raises OperationError only when the database
    cannot be read; a damaged log is a finding.
    """
    report = VerifyReport(city)
    with _one_view(conn):
        years, total = _extent(conn, city, folder)
        tick = _Ticker(progress, total)
        for year in years:
            _verify_log(conn, city, folder, year, public_key, report, tick)
        _verify_unplaced(conn, city, report)
        for kind, source in sorted(sources.items()):
            _verify_rows(conn, city, kind, source, report, tick)
        _verify_kinds(conn, city, sources, report)
        tick.done()
    return report


class _Ticker:
    """Passes progress on, every few thousand steps."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._count = progress, total, 0

    def step(self) -> None:
        self._count += 1
        if self._progress and self._count % 2048 == 0:
            self._progress(min(self._count, self._total), self._total)

    def done(self) -> None:
        if self._progress:
            self._progress(self._total, self._total)


def _extent(conn: Connection, city: str, folder: Path) -> tuple[list[int], int]:
    with cursor(conn) as run:
        placed = run.execute(
            "SELECT DISTINCT year FROM proof_span WHERE city = %s", (city,)
        ).fetchall()
        counted = run.execute("SELECT count(*) FROM proof_entry WHERE city = %s", (city,))
        entries = next(counted)[0]
    years = sorted({year for (year,) in placed} | set(log_years(folder, city)))
    return years, 2 * entries


def _verify_log(
    conn: Connection, city: str, folder: Path, year: int, public_key: bytes | None,
    report: VerifyReport, tick: _Ticker,
) -> None:  # fmt: skip
    log = log_folder(folder, city, year)
    try:
        held = read_checkpoint(log, public_key or published_key(folder, city, year))
        if held is None:
            raise OperationError(f"{log.path}: no checkpoint", retry=False)
        if held.origin != f"onsil/{city}/{year}":
            raise OperationError(f"{log.path}: the checkpoint is of {held.origin}", retry=False)
        report.checkpoints.append(held)
        _compare(conn, city, year, log, held, report, tick)
        _verify_upper_tiles(log, held.size)
    except OperationError as error:
        report.add(
            "log", None, "log-damaged",
            f"{year}년 투명성 로그가 손상되었습니다: {error}",
            f"The transparency log of {year} is damaged: {error}",
        )  # fmt: skip


def _compare(
    conn: Connection, city: str, year: int, log: LogFolder, held: Checkpoint,
    report: VerifyReport, tick: _Ticker,
) -> None:  # fmt: skip
    """Walk the leaves on disk beside those the database has placed; then compare the root."""
    placed = placed_size(conn, city, year)
    frontier = Frontier()
    expected = _placed_entries(conn, city, year)
    ahead = next(expected, None)
    for number in range(-(-held.size // WIDTH)):
        tile = log.tile(0, number, held.size)
        for hashed, value in zip(tile, log.entries(number, held.size), strict=True):
            index = frontier.size
            frontier.add(hashed)
            report.leaves += 1
            tick.step()
            if leaf_hash(value) != hashed:
                raise OperationError(f"{log.path}: leaf {index} is not its tile's", retry=False)
            if index >= placed:
                continue
            if ahead is None or ahead[0] != index:
                _missing_entry(report, year, index)
                continue
            if ahead[3] != value:
                _altered_entry(report, ahead[1], ahead[2], year, index)
            ahead = next(expected, None)
    if frontier.root() != held.root:
        raise OperationError(f"{log.path}: the leaves do not give the signed root", retry=False)
    if placed > held.size:
        gone = placed - held.size
        raise OperationError(f"{log.path}: {gone} placed leaves are gone", retry=False)
    tail = list(log.entries_from(placed, held.size)) if placed < held.size else []
    if match_tail(tail, pending_batches(conn, city, 2**62)) is None:
        report.add(
            "log", None, "database-behind",
            f"{year}년 로그에 서명된 {len(tail)}건을 데이터베이스가 알지 못합니다.",
            f"The database does not know {len(tail)} leaves signed in the log of {year}.",
        )  # fmt: skip


def _missing_entry(report: VerifyReport, year: int, index: int) -> None:
    report.add(
        "log", None, "entry-missing",
        f"{year}년 로그의 {index}번 기록이 데이터베이스에서 사라졌습니다.",
        f"Leaf {index} of the log of {year} is gone from the database.",
    )  # fmt: skip


def _altered_entry(report: VerifyReport, kind: str, key: UUID, year: int, index: int) -> None:
    report.add(
        kind, key, "entry-altered",
        f"{kind} {key}: 데이터베이스의 증명 값이 서명된 로그({year}년 {index}번)와 다릅니다.",
        f"{kind} {key}: its commitment differs from the signed log ({year}, leaf {index}).",
    )  # fmt: skip


def _placed_entries(
    conn: Connection, city: str, year: int
) -> Iterator[tuple[int, str, UUID, bytes]]:
    """(index, kind, id, commitment) in tree order, a page of the tree at a time."""
    with cursor(conn) as run:
        spans = run.execute(
            """SELECT first_index, batch FROM proof_span WHERE city = %s AND year = %s
            ORDER BY first_index""",
            (city, year),
        ).fetchall()
        for start in range(0, len(spans), 200):
            page = spans[start : start + 200]
            first_of = {batch: first for first, batch in page}
            rows = run.execute(
                """SELECT batch, position, kind, subject_id, commitment FROM proof_entry
                WHERE city = %s AND batch = ANY(%s)""",
                (city, list(first_of)),
            ).fetchall()
            found = [(first_of[r[0]] + r[1], r[2], r[3], bytes(r[4])) for r in rows]
            yield from sorted(found)


def _verify_upper_tiles(log: LogFolder, size: int) -> None:
    """Tiles above the leaves hold what the tiles below them hash to."""
    level = 1
    while count := size >> (8 * level):
        for number in range(-(-count // WIDTH)):
            for offset, hashed in enumerate(log.tile(level, number, size)):
                if fold(log.tile(level - 1, number * WIDTH + offset, size)) != hashed:
                    raise OperationError(f"{log.path}: damaged tile {level}/{number}", retry=False)
        level += 1


def _verify_unplaced(conn: Connection, city: str, report: VerifyReport) -> None:
    """Entries neither in the tree nor waiting for it were put in behind the log's back."""
    with cursor(conn) as run:
        report.pending = next(
            run.execute(
                "SELECT coalesce(sum(size), 0)::bigint FROM proof_pending WHERE city = %s", (city,)
            )
        )[0]
        rows = run.execute(
            """SELECT kind, subject_id FROM proof_entry e WHERE city = %s
              AND NOT EXISTS (SELECT FROM proof_span s
                              WHERE (s.city, s.batch) = (e.city, e.batch)
                                AND e.position < s.size)
              AND NOT EXISTS (SELECT FROM proof_pending p
                              WHERE (p.city, p.batch) = (e.city, e.batch))
            LIMIT %s""",
            (city, _FINDINGS_MAX),
        ).fetchall()
    for kind, key in rows:
        report.add(
            kind, key, "entry-unlogged",
            f"{kind} {key}: 증명 값이 로그를 거치지 않고 추가되었습니다.",
            f"{kind} {key}: its commitment was put in without passing the log.",
        )  # fmt: skip


def _entries_by_id(conn: Connection, city: str, kind: str) -> Iterator[tuple[UUID, bytes, bytes]]:
    after: UUID | None = None
    with cursor(conn) as run:
        while True:
            page = run.execute(
                """SELECT subject_id, salt, commitment FROM proof_entry
                WHERE city = %s AND kind = %s AND (%s::uuid IS NULL OR subject_id > %s::uuid)
                ORDER BY subject_id LIMIT %s""",
                (city, kind, after, after, _PAGE),
            ).fetchall()
            if not page:
                return
            for key, salt, value in page:
                yield key, bytes(salt), bytes(value)
            after = page[-1][0]


def _verify_rows(
    conn: Connection, city: str, kind: str, source: EntrySource, report: VerifyReport,
    tick: _Ticker,
) -> None:  # fmt: skip
    """Merge the live rows with the commitments by id: each must have its other half, and fit."""
    logged = _entries_by_id(conn, city, kind)
    ahead = next(logged, None)
    before: UUID | None = None
    for key, entry in source.entries(conn, city):
        if before is not None and key <= before:
            raise ValueError(f"the source of {kind} does not go by ascending id")
        before = key
        report.rows += 1
        tick.step()
        while ahead is not None and ahead[0] < key:
            _missing_row(report, kind, ahead[0])
            ahead = next(logged, None)
        if ahead is None or ahead[0] != key:
            report.add(
                kind, key, "row-unlogged",
                f"{kind} {key}: 로그에 없는 기록이 추가되었습니다.",
                f"{kind} {key}: this record was added without entering the log.",
            )  # fmt: skip
            continue
        if not _fits(city, kind, key, entry, ahead[1], ahead[2]):
            report.add(
                kind, key, "row-altered",
                f"{kind} {key}: 기록이 로그에 남은 내용과 다르게 바뀌었습니다.",
                f"{kind} {key}: this record was changed after it had been logged.",
            )  # fmt: skip
        ahead = next(logged, None)
    rest: Iterator[Any] = itertools.chain([ahead] if ahead else [], logged)
    for key, _, _ in rest:
        _missing_row(report, kind, key)


def _fits(
    city: str, kind: str, key: UUID, entry: Mapping[str, Any], salt: bytes, value: bytes
) -> bool:
    try:
        return commitment(salt, entry_bytes(city, kind, key, entry)) == value
    except (TypeError, ValueError):
        return False


def _missing_row(report: VerifyReport, kind: str, key: UUID) -> None:
    report.add(
        kind, key, "row-missing",
        f"{kind} {key}: 로그에 있는 기록이 데이터베이스에서 지워졌습니다.",
        f"{kind} {key}: this record is in the log but was deleted from the database.",
    )  # fmt: skip


def _verify_kinds(
    conn: Connection, city: str, sources: Mapping[str, EntrySource], report: VerifyReport
) -> None:
    """Kinds that are logged but that nobody can read again are told, not passed over."""
    with cursor(conn) as run:
        rows = run.execute(
            "SELECT DISTINCT kind FROM proof_entry WHERE city = %s", (city,)
        ).fetchall()
    for (kind,) in sorted(set(rows) - {(known,) for known in sources}):
        report.add(
            kind, None, "kind-unverified",
            f"{kind}: 이 종류의 기록은 대조할 원본이 지정되지 않았습니다.",
            f"{kind}: no source was given to compare records of this kind with.",
        )  # fmt: skip


@dataclass(frozen=True)
class LogStatus:
    """The state of a city's log: newest checkpoint (None before the first) and what is waiting."""

    city: str
    checkpoint: Checkpoint | None
    signed_at: datetime | None
    entries: int
    pending: int
    problem: str = ""


def status(conn: Connection, city: str, folder: Path) -> LogStatus:
    """How far the log is; `problem` says what is wrong with the folder, if anything is."""
    with cursor(conn) as run:
        entries, pending = next(
            run.execute(
                """SELECT (SELECT coalesce(sum(size), 0)::bigint FROM proof_span WHERE city = %s),
                  (SELECT coalesce(sum(size), 0)::bigint FROM proof_pending WHERE city = %s)""",
                (city, city),
            )
        )
        signed = run.execute(
            """SELECT signed_at FROM proof_checkpoint WHERE city = %s
            ORDER BY year DESC, size DESC LIMIT 1""",
            (city,),
        ).fetchone()
    held, problem = None, ""
    years = log_years(folder, city)
    try:
        if years:
            key = published_key(folder, city, years[-1])
            held = read_checkpoint(log_folder(folder, city, years[-1]), key)
    except OperationError as error:
        problem = str(error)
    return LogStatus(city, held, signed[0] if signed else None, entries + pending, pending, problem)
