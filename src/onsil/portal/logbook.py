"""The transparency log as its files tell it: what a reader without a database would see."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from onsil.configuration import configuration
from onsil.proof.home import PUBLISHED, LogHome, as_home
from onsil.proof.keys import VerifierKey
from onsil.proof.tiles import TiledLog

KEY_FILES = {"verifier-key": "Ed25519", "verifier-key.ml-dsa-44": "ML-DSA-44"}


@dataclass(frozen=True)
class LogKey:
    """A public key of a log in its text form, and what it signs by."""

    text: str
    algorithm: str


@dataclass(frozen=True)
class Log:
    """One year's log: its latest published checkpoint, the keys that sign it, and when it was
    published (None where the store does not tell)."""

    origin: str
    year: int
    size: int
    root: str
    signed_at: datetime | None
    note: str
    keys: tuple[LogKey, ...]

    @property
    def path(self) -> str:
        """Where the files are served, below the site's address."""
        return f"/log/{self.origin.removeprefix('onsil/')}/"

    @property
    def verifier_key(self) -> str:
        """The Ed25519 key, which every verifier knows."""
        return self.keys[0].text if self.keys else ""

    @property
    def first_tile(self) -> str:
        """The path of the first tile of leaf hashes, as the tree stands."""
        return "tile/0/000" if self.size >= 256 else f"tile/0/000.p/{self.size}"


def home() -> LogHome:
    """Where this installation keeps its logs."""
    return as_home(configuration().log_folder)


def logbook(city: str) -> list[Log]:
    """The city's logs, newest year first; empty before anything was published."""
    years = sorted(home().years(city), reverse=True)
    found = (_read(home().log(city, year), city, year) for year in years)
    return [log for log in found if log is not None]


def _read(log: TiledLog, city: str, year: int) -> Log | None:
    note = log.text(PUBLISHED)
    if note is None:
        return None
    origin, size, root = note.split("\n")[:3]
    lines = {name: log.text(name) for name in KEY_FILES}
    return Log(
        origin=origin,
        year=year,
        size=int(size),
        root=base64.b64decode(root).hex(),
        signed_at=_published_at(city, year),
        note=note,
        keys=tuple(
            LogKey(VerifierKey.parse(line).text, KEY_FILES[name])
            for name, line in lines.items()
            if line
        ),
    )


def _published_at(city: str, year: int) -> datetime | None:
    place = home().place
    file = Path(place) / city / str(year) / PUBLISHED if isinstance(place, Path) else None
    if file is None or not file.is_file():
        return None
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)
