"""Watched folders: tables that somebody puts down, taken in once, and moved with the reason.

`<root>/<city>/<device>/` belongs to one device of the driver `table`. A file whose size and time
have not changed between two looks is taken by renaming it into `.taking/`; then it is recorded in
one transaction together with its SHA-256, and moved to `done/` or, with a `.reason.txt`, to
`failed/`.
Whoever dies in between finds it in `.taking/` and goes on; the same content again stores nothing.
Names that begin with a dot or end in `.part` or `.tmp` are still being written.
"""

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from onsil.core.clock import Clock
from onsil.core.database import Connection, cursor, transaction
from onsil.core.refusal import OperationError
from onsil.devices.imports import import_table
from onsil.devices.ingest import raw_payload
from onsil.devices.mapping import TableMapping, entity_of, mapping_of
from onsil.devices.register import devices, note_seen
from onsil.devices.terms import DecodeError, Device
from onsil.hub import QuarantineDraft, quarantine_raw

log = logging.getLogger(__name__)
TAKING, DONE, FAILED = ".taking", "done", "failed"
_CITY = re.compile(r"^[a-z][a-z0-9-]{0,39}$")
FILE_MAX_BYTES = 512 * 1024 * 1024
EVERY_S = 2.0


class Look(NamedTuple):
    """How a file looked: unchanged between two looks, it is whole."""

    size: int
    changed_ns: int


@dataclass
class DropFolders:
    """The watched folders of an installation."""

    root: Path
    dsn: str
    clock: Clock
    _looks: dict[Path, Look] = field(default_factory=dict)

    def once(self) -> int:
        """Look at every folder once; how many files were dealt with."""
        dealt = 0
        for city in _folders(self.root):
            if not _CITY.match(city.name):
                continue
            for folder in _folders(city):
                dealt += self._folder(city.name, folder)
        return dealt

    def run(self, wait: Callable[[float], bool]) -> None:
        """Look again and again until `wait(seconds)` says stop."""
        while not wait(EVERY_S):
            self.once()

    def _folder(self, city: str, folder: Path) -> int:
        taking = folder / TAKING
        ready = [path for path in _files(folder) if self._is_whole(path)]
        left_behind = _files(taking) if taking.is_dir() else []
        if not ready and not left_behind:
            return 0
        with transaction(self.dsn, city) as conn:
            known = devices(conn, city, ids=[folder.name], driver="table")
        if not known:
            return 0
        for name in (TAKING, DONE, FAILED):
            (folder / name).mkdir(exist_ok=True)
        taken = [*left_behind, *(one for path in ready if (one := _take(path, taking)))]
        for path in taken:
            self._deal(known[0], folder, path)
        return len(taken)

    def _is_whole(self, path: Path) -> bool:
        try:
            found = path.stat()
        except OSError:
            self._looks.pop(path, None)
            return False
        look = Look(found.st_size, found.st_mtime_ns)
        before = self._looks.get(path)
        self._looks[path] = look
        return before == look

    def _deal(self, device: Device, folder: Path, path: Path) -> None:
        self._looks.pop(folder / path.name, None)
        try:
            told = self._record(device, path)
        except (DecodeError, OperationError, psycopg.DataError, OSError) as error:
            reason = f"{error.ko}\n{error.en}" if isinstance(error, DecodeError) else str(error)
            log.warning("%s/%s: %s was not taken: %s", device.city, device.id, path.name, error)
            self._set_aside(device, path, error)
            moved = _move(path, folder / FAILED)
            moved.with_name(f"{moved.name}.reason.txt").write_text(f"{reason}\n", "utf-8")
        else:
            log.info("%s/%s: %s: %s", device.city, device.id, path.name, told)
            _move(path, folder / DONE)

    def _record(self, device: Device, path: Path) -> str:
        if path.stat().st_size > FILE_MAX_BYTES:
            raise OperationError("the file is larger than 512 MB", retry=False)
        mapping = mapping_of(device.options.get("mapping", {}))
        _own_entities(device, mapping)
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").digest()
        now = self.clock.now()
        with transaction(self.dsn, device.city) as conn:
            if not _first_time(conn, device, digest, now):
                return "the same content was taken before"
            report = import_table(conn, device.city, path, mapping, clock=self.clock)
            if not report.rows:
                raise OperationError("the table is empty", retry=False)
            note_seen(conn, device.city, {device.id: (now, 1, report.quarantined)})
        return f"{report.stored} stored, {report.quarantined} set aside"

    def _set_aside(self, device: Device, path: Path, error: Exception) -> None:
        ko = getattr(error, "ko", f"파일을 받아들일 수 없습니다: {error}")
        en = getattr(error, "en", f"The file cannot be taken: {error}")
        code = getattr(error, "code", "file-not-taken")
        with path.open("rb") as opened:
            head = raw_payload(opened.read(2_000))
        draft = QuarantineDraft(f"device:{device.id}", code, ko, en, {"file": path.name, **head})
        with transaction(self.dsn, device.city) as conn:
            quarantine_raw(conn, device.city, self.clock.now(), [draft])


def _own_entities(device: Device, mapping: TableMapping) -> None:
    foreign = {entity_of(one, device.city) for one in mapping.series} - set(device.entities)
    if foreign:
        raise OperationError(
            f"the mapping fills {', '.join(sorted(foreign))}, not entities of the device",
            retry=False,
        )


def _first_time(conn: Connection, device: Device, digest: bytes, now: object) -> bool:
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO devices_message (city, device_id, message_id, digest, received_at, answer)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (device.city, device.id, f"file:{digest.hex()}", digest, now, Jsonb({})),
        )
        return cur.rowcount == 1


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.is_symlink()
                  and not p.name.startswith("."))  # fmt: skip


def _files(folder: Path) -> list[Path]:
    return sorted(
        p for p in folder.iterdir()
        if p.is_file() and not p.is_symlink() and not p.name.startswith(".")
        and p.suffix not in (".part", ".tmp")
    )  # fmt: skip


def _take(path: Path, taking: Path) -> Path | None:
    """Make a file ours; None when somebody else was quicker."""
    try:
        return path.rename(taking / path.name)
    except OSError:
        return None


def _move(path: Path, into: Path) -> Path:
    """Put a file away under a name that is free there."""
    target = into / path.name
    number = 1
    while target.exists():
        number += 1
        target = into / f"{path.stem}-{number}{path.suffix}"
    return path.rename(target)
