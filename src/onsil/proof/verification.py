"""Verifying a whole log against its own tiles and against the live rows, in constant memory.

Three checks make the chain: the signed root fits the leaves on disk; each leaf on disk is the
commitment in the database; each commitment is what the live row hashes to today. Whatever breaks
is named.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.batches import (
    EVERY,
    PlacedBatch,
    StoredLeaf,
    leaves_by_id,
    misplaced_subjects,
    pending_batches,
    placed_batches,
    placed_size,
    placed_years,
)
from onsil.proof.checkpoint import Checkpoint
from onsil.proof.entries import ERASED, ID, EntrySource, commitment, entry_bytes, unpack
from onsil.proof.erasure import KIND as ERASURE
from onsil.proof.erasure import erasure_entries, unrecorded_erasures
from onsil.proof.findings import FINDINGS_MAX, VerifyReport
from onsil.proof.home import Place, SignedLog, as_home, published_key, signed_log
from onsil.proof.merkle import Frontier, leaf_hash
from onsil.proof.published import verify_upper_tiles
from onsil.proof.sequencer import match_tail
from onsil.proof.tiles import WIDTH

Progress = Callable[[int, int], None]


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
    conn: Connection, city: str, folder: Place, sources: Mapping[str, EntrySource], *,
    public_key: bytes | None = None, progress: Progress | None = None,
) -> VerifyReport:  # fmt: skip
    """Verify every log of a city, every leaf, and every live row of the kinds in `sources`.

    `public_key` is the city's 32-byte key; without it the one published in the folder is used.
    `progress(done, total)` is called now and then. On a running system begin with a fresh
    transaction, so that all is read in one view. Raises OperationError only when the database
    cannot be reached; a damaged log and a damaged table are findings.
    """
    report = VerifyReport(city)
    sources = {ERASURE: erasure_entries, **sources}
    try:
        with _one_view(conn):
            _verify_all(conn, city, folder, sources, public_key, report, progress)
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted) as error:
        report.add(
            "database", None, "database-damaged",
            f"데이터베이스의 파일이 손상되었습니다: {error}",
            f"The database's own files are damaged: {error}",
        )  # fmt: skip
    return report


def _verify_all(
    conn: Connection, city: str, folder: Place, sources: Mapping[str, EntrySource],
    public_key: bytes | None, report: VerifyReport, progress: Progress | None,
) -> None:  # fmt: skip
    years, total = _extent(conn, city, folder)
    tick = _Ticker(progress, total)
    for year in years:
        _verify_log(conn, city, folder, year, public_key, report, tick)
    _verify_unplaced(conn, city, report)
    for kind, source in sorted(sources.items()):
        _verify_rows(conn, city, kind, source, report, tick)
    _verify_kinds(conn, city, sources, report)
    for one in unrecorded_erasures(conn, city):
        report.add(one.kind, one.subject_id, one.code, one.ko, one.en)
    tick.done()


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


def _extent(conn: Connection, city: str, folder: Place) -> tuple[list[int], int]:
    with cursor(conn) as run:
        counted = run.execute(
            "SELECT coalesce(sum(size), 0)::bigint FROM proof_batch WHERE city = %s", (city,)
        )
        (entries,) = next(counted)
    years = sorted(set(placed_years(conn, city)) | set(as_home(folder).years(city)))
    return years, 2 * entries


def _verify_log(
    conn: Connection, city: str, folder: Place, year: int, public_key: bytes | None,
    report: VerifyReport, tick: _Ticker,
) -> None:  # fmt: skip
    log = as_home(folder).log(city, year)
    try:
        found = signed_log(folder, city, year, public_key or published_key(folder, city, year))
        log, held = found.log, found.signed
        if held is None:
            raise OperationError(f"{log.place}: no checkpoint", retry=False)
        if held.origin != f"onsil/{city}/{year}":
            raise OperationError(f"{log.place}: the checkpoint is of {held.origin}", retry=False)
        report.checkpoints.append(held)
        _compare(conn, city, year, found, held, report, tick)
        verify_upper_tiles(log, held.size)
    except OperationError as error:
        report.add(
            "log", None, "log-damaged",
            f"{year}년 투명성 로그가 손상되었습니다: {error}",
            f"The transparency log of {year} is damaged: {error}",
        )  # fmt: skip


def _compare(
    conn: Connection, city: str, year: int, found: SignedLog, held: Checkpoint,
    report: VerifyReport, tick: _Ticker,
) -> None:  # fmt: skip
    """Walk the leaves on disk beside those the database has placed; then compare the root."""
    log, shown = found.log, found.published
    placed = placed_size(conn, city, year)
    frontier = Frontier()
    beside = _Beside(conn, city, year, report)
    for number in range(-(-held.size // WIDTH)):
        tile = log.tile(0, number, held.size)
        for hashed, value in zip(tile, log.entries(number, held.size), strict=True):
            index = frontier.size
            frontier.add(hashed)
            if shown and frontier.size == shown.size and frontier.root() != shown.root:
                raise OperationError(
                    f"{log.place}: the published checkpoint over {shown.size} leaves is not of "
                    "this tree", retry=False,
                )  # fmt: skip
            report.leaves += 1
            tick.step()
            if leaf_hash(value) != hashed:
                raise OperationError(f"{log.place}: leaf {index} is not its tile's", retry=False)
            if index < placed:
                beside.add(index, value)
    beside.done()
    if frontier.root() != held.root:
        raise OperationError(f"{log.place}: the leaves do not give the signed root", retry=False)
    if placed > held.size:
        gone = placed - held.size
        raise OperationError(f"{log.place}: {gone} placed leaves are gone", retry=False)
    tail = list(log.entries_from(placed, held.size)) if placed < held.size else []
    if match_tail(tail, pending_batches(conn, city, EVERY)) is None:
        report.add(
            "log", None, "database-behind",
            f"{year}년 로그에 서명된 {len(tail)}건을 데이터베이스가 알지 못합니다.",
            f"The database does not know {len(tail)} leaves signed in the log of {year}.",
        )  # fmt: skip


class _Beside:
    """The leaves of the tree, batch by batch, beside what the database holds for them."""

    def __init__(self, conn: Connection, city: str, year: int, report: VerifyReport) -> None:
        self._batches = placed_batches(conn, city, year)
        self._year, self._report = year, report
        self._batch: PlacedBatch | None = None
        self._values: list[bytes] = []

    def add(self, index: int, value: bytes) -> None:
        """Take the next leaf of the tree, at `index`."""
        if self._batch is None or index >= self._batch.first_index + self._batch.size:
            self.done()
            self._batch = next(self._batches, None)
        if self._batch is None or index < self._batch.first_index:
            _missing_entry(self._report, self._year, index)
        else:
            self._values.append(value)

    def done(self) -> None:
        """Compare what was taken of the batch so far."""
        batch, values, self._values = self._batch, self._values, []
        if batch is None or values == batch.commitments:
            return
        if len(batch.commitments) == len(values):
            pairs = zip(batch.commitments, values, strict=True)
            for place, (held, logged) in enumerate(pairs):
                if held != logged:
                    index = batch.first_index + place
                    _altered_entry(self._report, batch.kind, batch.ids[place], self._year, index)
            return
        held, logged = set(batch.commitments), set(values)
        for place, value in enumerate(values):
            if value not in held:
                _missing_entry(self._report, self._year, batch.first_index + place)
        for key, value in zip(batch.ids, batch.commitments, strict=True):
            if value not in logged:
                _unlogged_entry(self._report, batch.kind, key)


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


def _unlogged_entry(report: VerifyReport, kind: str, key: UUID) -> None:
    report.add(
        kind, key, "entry-unlogged",
        f"{kind} {key}: 증명 값이 로그를 거치지 않고 추가되었습니다.",
        f"{kind} {key}: its commitment was put in without passing the log.",
    )  # fmt: skip


def _verify_unplaced(conn: Connection, city: str, report: VerifyReport) -> None:
    """Batches neither in the tree nor waiting for it were put in behind the log's back."""
    with cursor(conn) as run:
        rows = run.execute(
            """SELECT p.size, p.size IS NOT DISTINCT FROM b.size
            FROM proof_pending p LEFT JOIN proof_batch b USING (city, batch) WHERE p.city = %s""",
            (city,),
        ).fetchall()
        report.pending = sum(size for size, _ in rows)
        unplaced = run.execute(
            """SELECT kind, ids FROM proof_batch b WHERE city = %s
              AND NOT EXISTS (SELECT FROM proof_span s
                              WHERE (s.city, s.batch) = (b.city, b.batch))
              AND NOT EXISTS (SELECT FROM proof_pending p
                              WHERE (p.city, p.batch) = (b.city, b.batch))
            LIMIT %s""",
            (city, FINDINGS_MAX),
            binary=True,
        ).fetchall()
    if not all(whole for _, whole in rows):
        report.add(
            "log", None, "entry-missing",
            "서명을 기다리던 기록이 데이터베이스에서 사라졌습니다.",
            "Leaves that were waiting to be signed are gone from the database.",
        )  # fmt: skip
    for kind, ids in unplaced:
        for key in unpack(ids, ID):
            _unlogged_entry(report, kind, UUID(bytes=key))


def _verify_rows(
    conn: Connection, city: str, kind: str, source: EntrySource, report: VerifyReport,
    tick: _Ticker,
) -> None:  # fmt: skip
    """Merge the live rows with the commitments by id: each must have its other half, and fit."""
    logged = _known_leaves(conn, city, kind, report)
    ahead = next(logged, None)
    before: UUID | None = None
    for key, entry in source.entries(conn, city):
        if before is not None and key <= before:
            raise ValueError(f"the source of {kind} does not go by ascending id")
        before = key
        report.rows += 1
        tick.step()
        while ahead is not None and ahead.subject_id < key:
            _missing_row(report, kind, ahead)
            ahead = next(logged, None)
        if ahead is None or ahead.subject_id != key:
            report.add(
                kind, key, "row-unlogged",
                f"{kind} {key}: 로그에 없는 기록이 추가되었습니다.",
                f"{kind} {key}: this record was added without entering the log.",
            )  # fmt: skip
            continue
        if not ahead.erased and not _fits(city, kind, entry, ahead):
            report.add(
                kind, key, "row-altered",
                f"{kind} {key}: 기록이 로그에 남은 내용과 다르게 바뀌었습니다.",
                f"{kind} {key}: this record was changed after it had been logged.",
            )  # fmt: skip
        ahead = next(logged, None)
    for left in itertools.chain([ahead] if ahead else [], logged):
        _missing_row(report, kind, left)


def _known_leaves(
    conn: Connection, city: str, kind: str, report: VerifyReport
) -> Iterator[StoredLeaf]:
    """The kind's leaves by id, telling on the way what cannot be looked up and what is erased."""
    before: UUID | None = None
    for key in misplaced_subjects(conn, city, kind, FINDINGS_MAX):
        _unfindable(report, kind, key)
    for known in leaves_by_id(conn, city, kind):
        if not known.indexed:
            _unfindable(report, kind, known.subject_id)
        if known.erased:
            report.erased += 1
        if known.erased != (known.salt == ERASED):
            report.add(
                kind, known.subject_id, "salt-altered",
                f"{kind} {known.subject_id}: 증명 값의 솔트와 삭제 기록이 서로 맞지 않습니다.",
                f"{kind} {known.subject_id}: its salt and the record of erasures do not agree.",
            )  # fmt: skip
        if before is None or before < known.subject_id:
            before = known.subject_id
            yield known


def _unfindable(report: VerifyReport, kind: str, key: UUID) -> None:
    report.add(
        kind, key, "index-altered",
        f"{kind} {key}: 증명 값의 색인이 실제 위치와 다릅니다.",
        f"{kind} {key}: the index of commitments does not lead to its leaf.",
    )  # fmt: skip


def _fits(city: str, kind: str, entry: Mapping[str, Any], leaf: StoredLeaf) -> bool:
    try:
        content = entry_bytes(city, kind, leaf.subject_id, entry)
        return commitment(leaf.salt, content) == leaf.commitment
    except (TypeError, ValueError):
        return False


def _missing_row(report: VerifyReport, kind: str, leaf: StoredLeaf) -> None:
    if leaf.erased:
        return
    key = leaf.subject_id
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
            "SELECT DISTINCT kind FROM proof_batch WHERE city = %s", (city,)
        ).fetchall()
    for (kind,) in sorted(set(rows) - {(known,) for known in sources}):
        report.add(
            kind, None, "kind-unverified",
            f"{kind}: 이 종류의 기록은 대조할 원본이 지정되지 않았습니다.",
            f"{kind}: no source was given to compare records of this kind with.",
        )  # fmt: skip
