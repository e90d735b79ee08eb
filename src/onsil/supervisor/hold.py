"""One supervisor a data folder: its lock, and what it tells other commands about the roles."""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from onsil.core.refusal import OperationError
from onsil.supervisor.process import RoleState


class Hold:
    """The lock is the kernel's: it goes with its process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self.left_behind = False  # the last supervisor did not end in order
        self._folder = folder
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Become the data folder's supervisor. Raises OperationError when there is one already."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = (self._folder / "supervisor.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "?"
            file.close()
            raise OperationError(
                f"onsil is already running on {self._folder.parent} (process {holder}):"
                " stop it first, or give this one a data_folder and ports of its own",
                retry=False,
            ) from None
        file.seek(0)
        self.left_behind = bool(file.read().strip())
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def report(self, states: Mapping[str, RoleState], addresses: Mapping[str, str]) -> None:
        """Write down how the roles are, whole or not at all."""
        table = {
            "pid": os.getpid(),
            "at": time.time(),
            "roles": {
                name: asdict(state) | {"address": addresses.get(name, "")}
                for name, state in states.items()
            },
        }
        staging = self._folder / "status.json.new"
        staging.write_text(json.dumps(table))
        staging.rename(self._folder / "status.json")

    def release(self) -> None:
        if self._file:
            (self._folder / "status.json").unlink(missing_ok=True)
            self._file.truncate(0)
            self._file.close()
            self._file = None


def status_of(data_folder: Path) -> dict[str, Any] | None:
    """What the data folder's supervisor last wrote down; None when none is at work."""
    folder = data_folder / "run"
    try:
        with (folder / "supervisor.lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            except OSError:
                pass
        return json.loads((folder / "status.json").read_text())
    except FileNotFoundError:
        return None
