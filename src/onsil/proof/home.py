"""Where an installation keeps its logs: by city and year, in a folder or at a URL.

Beside each log there is the record of the last checkpoint signed. It is written by compare-and-swap
before anything that was signed is shown, and it is kept apart from the database, so that a database
that was restored, or a second sequencer, finds out that more has been signed than it knows.
"""

from dataclasses import dataclass
from pathlib import Path

from onsil.core.refusal import OperationError
from onsil.proof.checkpoint import Checkpoint, open_checkpoint
from onsil.proof.keys import NoteError, VerifierKey
from onsil.proof.note import Signature, parse_verifier_key
from onsil.proof.store import FolderStore, HttpStore, LogStore
from onsil.proof.tiles import TiledLog, unpack_objects

PUBLISHED = "checkpoint"
"""The checkpoint that is shown (c2sp.org/tlog-tiles)."""
WITNESSED = "checkpoint.witnessed"
"""The newest one that has the quorum's cosignatures; `checkpoint` may be ahead of it."""
STAGING = "staging"
_YEARS = "years"


@dataclass(frozen=True)
class LogHome:
    """All logs of an installation: a folder or a URL, and where the records of signing are kept.

    Without `records` they lie beside the logs, which is right for a URL that several may reach.
    """

    place: Path | str
    records: Path | None = None
    token: str = ""

    def _store(self, below: str) -> LogStore:
        if isinstance(self.place, Path):
            return FolderStore(self.place / below)
        return HttpStore(f"{self.place.rstrip('/')}/{below}", self.token)

    def log(self, city: str, year: int) -> TiledLog:
        """The log of a city and year."""
        return TiledLog(self._store(f"{city}/{year}"))

    def record(self, city: str, year: int) -> "SigningRecord":
        """The last checkpoint signed of that log."""
        if self.records is not None:
            return SigningRecord(FolderStore(self.records / city), str(year))
        return SigningRecord(self._store(f"{city}/{year}"), "signed")

    def years(self, city: str) -> list[int]:
        """The years of which there is a log or a record, ascending."""
        found: set[int] = set()
        if isinstance(self.place, Path):
            for name in (PUBLISHED, "signed"):
                paths = (self.place / city).glob(f"[0-9][0-9][0-9][0-9]/{name}")
                found |= {int(path.parent.name) for path in paths}
        else:
            held = self._store(city).read(_YEARS)
            found |= {int(line) for line in (held[0].decode().split() if held else [])}
        if self.records is not None:
            found |= {int(p.name) for p in (self.records / city).glob("[0-9][0-9][0-9][0-9]")}
        return sorted(found)

    def begin(self, city: str, year: int, keys: list[VerifierKey]) -> None:
        """Make a year's log known: its public keys, and the year in the list of years."""
        names = ["verifier-key", "verifier-key.ml-dsa-44"]
        log = self.log(city, year)
        log.write({name: f"{key.text}\n".encode() for name, key in zip(names, keys, strict=False)})
        years = sorted({*self.years(city), year})
        self._store(city).write({_YEARS: "".join(f"{y}\n" for y in years).encode()})


Place = Path | str | LogHome
"""A log folder, the address of one, or both with what goes with it."""


def as_home(place: Place) -> LogHome:
    """A folder, or an address, taken for the home of logs."""
    return place if isinstance(place, LogHome) else LogHome(place)


def read_checkpoint(log: TiledLog, public_key: bytes, name: str = PUBLISHED) -> Checkpoint | None:
    """A log's checkpoint, its signature verified; None when there is none yet.

    Raises OperationError when it is damaged or signed by somebody else.
    """
    return _opened(log.text(name), public_key, f"{log.place}/{name}")


@dataclass(frozen=True)
class SignedLog:
    """A log with the last checkpoint signed, whose tiles are all there, and the one shown."""

    log: TiledLog
    signed: Checkpoint | None
    published: Checkpoint | None


def signed_log(place: Place, city: str, year: int, public_key: bytes) -> SignedLog:
    """A log as it was signed last, even where that is not shown yet.

    Raises OperationError when a checkpoint is damaged or signed by somebody else.
    """
    home = as_home(place)
    log = home.log(city, year)
    published = read_checkpoint(log, public_key)
    signed, _ = home.record(city, year).read(public_key)
    if signed is None or (published is not None and published.size > signed.size):
        return SignedLog(log, published, published)
    if staged := log.store.read(staging_path(signed)):
        log.lay_over(unpack_objects(staged[0]))
    return SignedLog(log, signed, published)


def published_key(place: Place, city: str, year: int) -> bytes:
    """The public key published beside a log: for convenience, trust has to come from elsewhere.

    Raises OperationError when it is missing or malformed.
    """
    log = as_home(place).log(city, year)
    text = log.text("verifier-key")
    if text is None:
        raise OperationError(f"{log.place}/verifier-key: no such file", retry=False)
    try:
        return parse_verifier_key(text)[1]
    except NoteError as error:
        raise OperationError(f"{log.place}/verifier-key: {error}", retry=False) from error


def covering_checkpoint(log: TiledLog, index: int, public_key: bytes) -> Checkpoint | None:
    """A published checkpoint that covers leaf `index`: the witnessed one when it does, else the
    newest; None when the leaf is not covered yet. Raises OperationError when one is damaged."""
    for name in (WITNESSED, PUBLISHED):
        held = read_checkpoint(log, public_key, name)
        if held is not None and held.size > index:
            return held
    return None


def staging_path(signed: Checkpoint) -> str:
    """Where the tiles lie that a checkpoint's signature was given for, until they are in place."""
    return f"{STAGING}/{signed.size}-{signed.root.hex()[:32]}"


def _opened(note: str | None, public_key: bytes, where: str) -> Checkpoint | None:
    if note is None:
        return None
    try:
        return open_checkpoint(note, public_key)
    except NoteError as error:
        raise OperationError(f"{where}: {error}", retry=False) from error


def publish(
    log: TiledLog, checkpoint: Checkpoint, public_key: bytes, name: str = PUBLISHED
) -> None:
    """Put a checkpoint in place of a smaller one; to one of the same tree, add its signatures.

    Raises OperationError when the same size is published with another root.
    """
    for _ in range(100):
        held = log.store.read(name)
        version = held[1] if held else None
        before = _opened(held[0].decode() if held else None, public_key, f"{log.place}/{name}")
        fresh = checkpoint
        if before is not None:
            if before.size > checkpoint.size:
                return
            if before.size == checkpoint.size:
                if before.root != checkpoint.root:
                    raise OperationError(f"{log.place}/{name} has another root", retry=False)
                fresh = before.with_signatures(_newest(before, checkpoint))
                if fresh.note == before.note:
                    return
        if log.store.swap(name, fresh.note.encode(), version):
            return
    raise OperationError(f"{log.place}/{name} changes all the time", retry=True)


def _newest(before: Checkpoint, after: Checkpoint) -> list[Signature]:
    """Lines of keys that have not signed yet: one line a key is enough."""
    known = {(line.name, line.id) for line in before.signatures}
    return [line for line in after.signatures if (line.name, line.id) not in known]


@dataclass(frozen=True)
class SigningRecord:
    """The last checkpoint that was signed of one log, changed by compare-and-swap alone."""

    store: LogStore
    path: str

    def read(self, public_key: bytes) -> tuple[Checkpoint | None, str | None]:
        """(checkpoint, version); (None, None) before the first.

        Raises OperationError when it is damaged or signed by somebody else.
        """
        held = self.store.read(self.path)
        if held is None:
            return None, None
        where = f"{self.store.place}/{self.path}"
        return _opened(held[0].decode("utf-8", "replace"), public_key, where), held[1]

    def advance(self, to: Checkpoint, version: str | None) -> None:
        """Record a checkpoint in place of the version read. Raises OperationError when another
        sequencer was faster: then what was signed here must not be shown to anybody."""
        if not self.store.swap(self.path, to.note.encode(), version):
            raise OperationError(
                f"{self.store.place}/{self.path}: another sequencer has signed in the meantime; "
                "there must be one alone",
                retry=False,
            )
