"""The transparency log as its files tell it: what a reader without a database would see."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from onsil.configuration import configuration


@dataclass(frozen=True)
class Log:
    """One year's log: its latest signed checkpoint, the key that signed it, and when."""

    origin: str
    year: int
    size: int
    root: str
    signed_at: datetime
    note: str
    verifier_key: str

    @property
    def path(self) -> str:
        """Where the files are served, below the site's address."""
        return f"/log/{self.origin.removeprefix('onsil/')}/"

    @property
    def first_tile(self) -> str:
        """The path of the first tile of leaf hashes, as the tree stands."""
        return f"tile/0/{self._first}"

    @property
    def first_entries(self) -> str:
        """The path of the first bundle of entries."""
        return f"tile/entries/{self._first}"

    @property
    def _first(self) -> str:
        return "000" if self.size >= 256 else f"000.p/{self.size}"


def logbook(city: str) -> list[Log]:
    """The city's logs, newest year first; empty before anything was signed."""
    folder = Path(configuration().log_folder) / city
    found = sorted(folder.glob("[0-9][0-9][0-9][0-9]/checkpoint"), reverse=True)
    return [_read(path) for path in found]


def verifier_key(city: str, year: int) -> str:
    """The public key of a log in its text form, empty when there is no such log."""
    path = Path(configuration().log_folder) / city / str(year) / "verifier-key"
    return path.read_text("utf-8").strip() if path.is_file() else ""


def _read(path: Path) -> Log:
    note = path.read_text("utf-8")
    origin, size, root = note.split("\n")[:3]
    return Log(
        origin=origin,
        year=int(path.parent.name),
        size=int(size),
        root=base64.b64decode(root).hex(),
        signed_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        note=note,
        verifier_key=verifier_key(path.parent.parent.name, int(path.parent.name)),
    )
