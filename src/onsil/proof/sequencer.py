"""The one sequencer of a city: gives committed leaves their places and signs the tree.

Order of the steps makes a crash harmless: the tiles and then the checkpoint reach the disk before
the database learns the places. What is signed on disk is the truth; a database that stopped in
between reads its places from there, and one that knows less than was signed (a restored backup)
is refused, so that no second history is ever signed.
"""

from collections.abc import Sequence
from pathlib import Path

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.batches import EVERY, Batch, pending_batches, placed_size
from onsil.proof.checkpoint import Checkpoint, open_checkpoint, origin
from onsil.proof.keys import NoteError
from onsil.proof.merkle import EMPTY_ROOT, root_hash
from onsil.proof.signer import Signer
from onsil.proof.tiles import LogFolder


def log_folder(folder: Path, city: str, year: int) -> LogFolder:
    """The log of a city and year below the installation's log folder."""
    return LogFolder(folder / city / str(year))


def log_years(folder: Path, city: str) -> list[int]:
    """The years of which a log is on disk, ascending."""
    found = (folder / city).glob("[0-9][0-9][0-9][0-9]/checkpoint")
    return sorted(int(path.parent.name) for path in found)


def latest(folder: Path, city: str, public_key: bytes) -> Checkpoint | None:
    """The city's newest checkpoint on disk, its signature verified; None before the first."""
    years = log_years(folder, city)
    return read_checkpoint(log_folder(folder, city, years[-1]), public_key) if years else None


def read_checkpoint(log: LogFolder, public_key: bytes) -> Checkpoint | None:
    """The log's checkpoint, its signature verified; None when there is none yet.

    Raises OperationError when it is damaged or signed by somebody else.
    """
    note = log.note()
    if note is None:
        return None
    try:
        return open_checkpoint(note, public_key)
    except NoteError as error:
        raise OperationError(f"{log.path}/checkpoint: {error}", retry=False) from error


def sequence(
    conn: Connection, city: str, folder: Path, signer: Signer, clock: Clock
) -> Checkpoint | None:
    """Put what is committed and pending into the tree and sign it, in the caller's transaction.

    Commit right afterwards. Returns the new checkpoint, or None when nothing was pending. The year
    is the clock's in UTC, and never before that of the newest log. Raises OperationError when disk
    and database tell different histories.
    """
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('onsil.proof.' || %s, 0))", (city,)
        )
    years = log_years(folder, city)
    year = max([clock.now().year, *years[-1:]])
    last = years[-1] if years else year
    log = log_folder(folder, city, last)
    held = read_checkpoint(log, signer.public_key) or Checkpoint(origin(city, last), 0, EMPTY_ROOT)
    placed = placed_size(conn, city, last)
    caught_up: list[Batch] | None = []
    if placed > held.size:
        raise OperationError(
            f"{log.path}: the signed log holds {held.size} leaves but the database has placed "
            f"{placed}; bring back the log folder before anything is signed",
            retry=False,
        )
    if placed < held.size:
        tail = list(log.entries_from(placed, held.size))
        caught_up = match_tail(tail, pending_batches(conn, city, EVERY))
        if caught_up is None:
            raise OperationError(
                f"the database is behind the signed log of {held.origin}: {held.size} leaves are "
                f"signed, {placed} are known here. Was a backup restored? Refusing to sign a "
                "second history",
                retry=False,
            )
        _place(conn, city, last, placed, caught_up)
        _record(conn, city, last, held, clock)
    pending = pending_batches(conn, city)
    if not pending:
        return held if caught_up else None
    if year != last:
        log = log_folder(folder, city, year)
        held = Checkpoint(origin(city, year), 0, EMPTY_ROOT)
    return _extend(conn, city, year, log, held, pending, signer, clock)


def _extend(
    conn: Connection, city: str, year: int, log: LogFolder, held: Checkpoint,
    pending: list[Batch], signer: Signer, clock: Clock,
) -> Checkpoint:  # fmt: skip
    size = log.grow(held.size, [c for batch in pending for c in batch.commitments])
    root = root_hash(log.hashes(size), size)
    signed = signer.sign_checkpoint(Checkpoint(held.origin, size, root), clock.now())
    log.publish(signed.note, signer.verifier_key(signed.origin))
    _place(conn, city, year, held.size, pending)
    _record(conn, city, year, signed, clock)
    log.tidy(held.size, size)
    return signed


def _record(conn: Connection, city: str, year: int, signed: Checkpoint, clock: Clock) -> None:
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_checkpoint (city, year, size, root, signed_at, note)
            VALUES (%s, %s, %s, %s, %s, %s)""",
            (city, year, signed.size, signed.root, clock.now(), signed.note),
        )


def match_tail(entries: Sequence[bytes], pending: Sequence[Batch]) -> list[Batch] | None:
    """The pending batches that in some order are exactly `entries`; None when they are not."""
    by_first = {batch.commitments[0]: batch for batch in pending}
    matched: list[Batch] = []
    place = 0
    while place < len(entries):
        batch = by_first.get(entries[place])
        if batch is None:
            return None
        if tuple(entries[place : place + len(batch.commitments)]) != batch.commitments:
            return None
        matched.append(batch)
        place += len(batch.commitments)
    return matched


def _place(
    conn: Connection, city: str, year: int, first_index: int, batches: Sequence[Batch]
) -> None:
    """Tell the database where the batches stand and take them off the pending list."""
    firsts, sizes, numbers = [], [], []
    for batch in batches:
        firsts.append(first_index)
        sizes.append(len(batch.commitments))
        numbers.append(batch.number)
        first_index += len(batch.commitments)
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_span (city, year, first_index, size, batch)
            SELECT %s, %s, * FROM unnest(%s::bigint[], %s::int[], %s::uuid[])""",
            (city, year, firsts, sizes, numbers),
        )
        assert run.rowcount == len(batches), "every batch is placed"
        run.execute(
            "DELETE FROM proof_pending WHERE city = %s AND batch = ANY(%s)", (city, numbers)
        )
        assert run.rowcount == len(batches), "every placed batch was pending"
