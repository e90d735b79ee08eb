"""The lines of all roles in one place: a file always, the terminal when asked."""

import sys
from datetime import datetime
from pathlib import Path
from typing import IO

ROTATE_BYTES = 20_000_000
_COLOURS = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)


class Journal:
    """Every line gets the time and the role's name; `path` is the file they all go to."""

    def __init__(self, folder: Path, *, echo: bool) -> None:
        self.path = folder / "onsil.log"
        self.echo = echo
        self._file: IO[str] | None = None
        self._colours: dict[str, int] = {}

    def __enter__(self) -> "Journal":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        if self.path.exists() and self.path.stat().st_size > ROTATE_BYTES:
            self.path.replace(self.path.with_suffix(".log.1"))
        self._file = self.path.open("a", encoding="utf-8", buffering=1)

    def say(self, name: str, line: str) -> None:
        """Pass on one line of a role's."""
        now = datetime.now().astimezone()
        if self._file:
            self._file.write(f"{now.isoformat(timespec='milliseconds')} {name:<10} {line}\n")
            if self._file.tell() > ROTATE_BYTES:
                self._file.close()
                self._open()
        if self.echo:
            print(f"{now:%H:%M:%S} {self._label(name)} {line}", flush=True)

    def _label(self, name: str) -> str:
        if not sys.stdout.isatty():
            return f"{name:<10}│"
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{name:<10}│\x1b[0m"
