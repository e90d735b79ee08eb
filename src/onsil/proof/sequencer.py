"""The one sequencer of a city: gives committed leaves their places and signs the tree.

Order of the steps makes a crash harmless. The tiles are staged, then the signed checkpoint is put
into the record of signing by compare-and-swap, then the tiles and the checkpoint are shown, and
only then does the database learn the places. What is on record is the truth: what a crash left
undone is done from the staged tiles, and a database, a folder or a record that knows less than was
signed (a restored backup) is refused, so that no second history is ever signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.proof.batches import EVERY, Batch, pending_batches, placed_size
from onsil.proof.checkpoint import Checkpoint, origin
from onsil.proof.home import (
    STAGING,
    LogHome,
    Place,
    as_home,
    publish,
    read_checkpoint,
    staging_path,
)
from onsil.proof.merkle import EMPTY_ROOT, root_hash
from onsil.proof.signer import Signer
from onsil.proof.tiles import TiledLog, unpack_objects
from onsil.proof.witness_state import furthest_witness


def log_folder(place: Place, city: str, year: int) -> TiledLog:
    """The log of a city and year below the installation's log folder or address."""
    return as_home(place).log(city, year)


def log_years(place: Place, city: str) -> list[int]:
    """The years of which there is a log, ascending."""
    return as_home(place).years(city)


def latest(place: Place, city: str, public_key: bytes) -> Checkpoint | None:
    """The city's newest published checkpoint, its signature verified; None before the first."""
    for year in reversed(log_years(place, city)):
        if held := read_checkpoint(log_folder(place, city, year), public_key):
            return held
    return None


@dataclass(frozen=True)
class _Shard:
    """One log as the sequencer works on it; `version` is that of the record of signing."""

    home: LogHome
    city: str
    year: int
    signer: Signer
    log: TiledLog
    held: Checkpoint
    version: str | None
    published: Checkpoint | None

    @classmethod
    def open(cls, home: LogHome, city: str, year: int, signer: Signer) -> "_Shard":
        log = home.log(city, year)
        published = read_checkpoint(log, signer.public_key)
        recorded, version = home.record(city, year).read(signer.public_key)
        # Before there were records, the published checkpoint was all there was.
        held = recorded or published or Checkpoint(origin(city, year), 0, EMPTY_ROOT)
        return cls(home, city, year, signer, log, held, version, published)


def sequence(
    conn: Connection, city: str, place: Place, signer: Signer, clock: Clock, *,
    publish_at_once: bool = True,
) -> Checkpoint | None:  # fmt: skip
    """Put what is committed and pending into the tree and sign it, in the caller's transaction.

    Commit right afterwards. Returns the new checkpoint, or None when nothing was pending. The year
    is the clock's in UTC, and never before that of the newest log. `publish_at_once` False leaves
    the showing to who gathers the witnesses' cosignatures. Raises OperationError when log, record,
    witnesses and database tell different histories.
    """
    with cursor(conn) as run:
        run.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('onsil.proof.' || %s, 0))", (city,)
        )
    home = as_home(place)
    years = home.years(city)
    year = max([clock.now().year, *years[-1:]])
    shard = _Shard.open(home, city, years[-1] if years else year, signer)
    _refuse_forks(conn, shard, year)
    placed = placed_size(conn, city, shard.year)
    if placed > shard.held.size:
        raise OperationError(
            f"{shard.log.place}: the signed log holds {shard.held.size} leaves but the database "
            f"has placed {placed}; bring back the log folder before anything is signed",
            retry=False,
        )
    caught_up = _finish(conn, shard, placed, clock, publish_at_once=publish_at_once)
    pending = pending_batches(conn, city)
    if not pending:
        return shard.held if caught_up else None
    if year != shard.year:
        shard = _Shard.open(home, city, year, signer)
    return _extend(conn, shard, pending, clock, publish_at_once=publish_at_once)


def _refuse_forks(conn: Connection, shard: _Shard, year: int) -> None:
    """Nothing is signed on when somebody has seen more than is on record here."""
    held, published = shard.held, shard.published
    if published is not None and (
        published.size > held.size or (published.size == held.size and published.root != held.root)
    ):
        raise OperationError(
            f"{shard.log.place}: {published.size} leaves are published but the record of signing "
            f"knows {held.size}; was the record restored? Refusing to sign a second history",
            retry=False,
        )
    for of_year in {shard.year, year}:
        ahead = furthest_witness(conn, shard.city, of_year)
        if ahead and ahead.size > (held.size if of_year == shard.year else 0):
            raise OperationError(
                f"the witness {ahead.name} has seen {ahead.size} leaves of "
                f"{origin(shard.city, of_year)}, more than the {held.size} on record here. Was a "
                "backup restored? Refusing to sign a second history",
                retry=False,
            )


def _finish(
    conn: Connection, shard: _Shard, placed: int, clock: Clock, *, publish_at_once: bool
) -> bool:
    """Do what a crash after signing left undone; whether there was anything for the database."""
    held, log = shard.held, shard.log
    if not held.size:
        return False
    behind = placed < held.size or (publish_at_once and _behind(shard.published, held))
    if not behind and not pending_batches(conn, shard.city, 1):
        return False
    if staged := log.store.read(staging_path(held)):
        log.write(unpack_objects(staged[0]))
        log.store.discard(STAGING)
        log.store.discard(staging_path(held))
    try:
        whole = root_hash(log.hashes(held.size), held.size) == held.root
    except OperationError as error:
        raise OperationError(f"{error}; bring back the log folder", retry=error.retry) from error
    if not whole:
        raise OperationError(
            f"{log.place}: the tiles do not give the root that was signed over {held.size} leaves; "
            "bring back the log folder before anything is signed",
            retry=False,
        )
    if publish_at_once and _behind(shard.published, held):
        publish(log, held, shard.signer.public_key)
    if placed == held.size:
        return False
    caught_up = match_tail(
        list(log.entries_from(placed, held.size)), pending_batches(conn, shard.city, EVERY)
    )
    if caught_up is None:
        raise OperationError(
            f"the database is behind the signed log of {held.origin}: {held.size} leaves are "
            f"signed, {placed} are known here. Was a backup restored? Refusing to sign a "
            "second history",
            retry=False,
        )
    _place(conn, shard.city, shard.year, placed, caught_up)
    _record(conn, shard.city, shard.year, held, shard.signer, clock)
    return True


def _behind(published: Checkpoint | None, held: Checkpoint) -> bool:
    return published is None or published.size < held.size


def _extend(
    conn: Connection, shard: _Shard, pending: list[Batch], clock: Clock, *, publish_at_once: bool
) -> Checkpoint:
    held, log, signer = shard.held, shard.log, shard.signer
    growth = log.plan(held.size, [c for batch in pending for c in batch.commitments])
    root = root_hash(log.hashes(growth.size), growth.size)
    signed = signer.sign_checkpoint(Checkpoint(held.origin, growth.size, root), clock.now())
    if not held.size:
        shard.home.begin(shard.city, shard.year, signer.verifier_keys(held.origin))
    log.store.write({staging_path(signed): growth.packed()})
    shard.home.record(shard.city, shard.year).advance(signed, shard.version)
    log.write(growth.objects)
    if publish_at_once:
        publish(log, signed, signer.public_key)
    log.store.discard(STAGING)
    log.store.discard(staging_path(signed))
    _place(conn, shard.city, shard.year, held.size, pending)
    _record(conn, shard.city, shard.year, signed, signer, clock)
    log.tidy(held.size, growth.size)
    return signed


def _record(
    conn: Connection, city: str, year: int, signed: Checkpoint, signer: Signer, clock: Clock
) -> None:
    """Keep the checkpoint for graphs, with its short signature alone."""
    note = signer.sign(signed.text, signed.origin)
    with cursor(conn) as run:
        run.execute(
            """INSERT INTO proof_checkpoint (city, year, size, root, signed_at, note)
            VALUES (%s, %s, %s, %s, %s, %s)""",
            (city, year, signed.size, signed.root, clock.now(), note),
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
