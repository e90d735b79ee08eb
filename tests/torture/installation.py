"""An installation of its own for a drill: a copied cluster, its folders, its roles as processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from onsil.configuration import embedded_home
from onsil.core.programs import run_program
from onsil.supervisor.postgres import EmbeddedPostgres, program

DATABASE = "onsil"


class Installation:
    """A data folder with an embedded server whose `onsil` database is a copy of a template."""

    def __init__(self, folder: Path, cities: Path) -> None:
        self.folder = folder
        self.server = EmbeddedPostgres.at(
            embedded_home(folder), fsync="off", full_page_writes="off", max_connections="40"
        )
        self.environment = {
            **os.environ,
            "ONSIL_DATA_FOLDER": str(folder),
            "ONSIL_CITIES_FOLDER": str(cities),
            "ONSIL_LANGUAGE": "en",
            "LANG": "en_US.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "ONSIL_LOCAL_WITNESS": "false",  # no role runs it here, and signing would wait for it
        }
        for name in ("ONSIL_OWNER", "ONSIL_DATABASE_URL", "ONSIL_READY_FILE"):
            self.environment.pop(name, None)

    @property
    def dsn(self) -> str:
        return self.server.dsn(DATABASE)

    def take_over(self, source: EmbeddedPostgres, template: str) -> None:
        """Become a copy of another cluster (while that one runs) with its template at hand."""
        base_backup(source, self.server.home)
        self.server.start()
        self.server.create_database(DATABASE, template)

    def onsil(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command line of this installation's operator."""
        command = [sys.executable, "-m", "onsil.cli", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    @contextmanager
    def role(self, name: str) -> Iterator[Path]:
        """A supervised role's own process, as the supervisor starts it; yields its output."""
        words = self.folder / f"{name}.log"
        with words.open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "onsil.supervisor.roles", name],
                env=self.environment, stdout=said, stderr=said,
            )  # fmt: skip
        try:
            yield words
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def base_backup(source: EmbeddedPostgres, home: Path) -> None:
    """An online base backup, as an operator would take it.

    The log is streamed meanwhile: fetched at the end, it may have been recycled by checkpoints of
    whoever else works on that server.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    run_program(
        [program("pg_basebackup"), "-D", home, "-c", "fast", "-X", "stream", "-d",
         source.dsn("postgres")],
    )  # fmt: skip
    _give_to_server(source, home)


def restore(backup: Path, server: EmbeddedPostgres) -> None:
    """Put a backup, or a stopped server's files, in a server's place."""
    server.stop("immediate")
    shutil.rmtree(server.home, ignore_errors=True)
    shutil.copytree(backup, server.home)
    _give_to_server(server, server.home)


def _give_to_server(server: EmbeddedPostgres, home: Path) -> None:
    home.chmod(0o700)
    if server.user:
        run_program(["chown", "-R", server.user, home])


def flip_a_bit(server: EmbeddedPostgres, table: str, text: bytes) -> str:
    """Stop the server and turn over one bit in a table's file, within `text`; the file's path.

    Without a text, where the last row of the first page lies.
    """
    with psycopg.connect(server.dsn(DATABASE), autocommit=True) as owner:
        owner.execute("CHECKPOINT")
        found = owner.execute("SELECT pg_relation_filepath(%s)", (table,)).fetchone()
    assert found is not None
    server.stop()
    path = server.home / found[0]
    raw = bytearray(path.read_bytes())
    place = raw.rindex(text) + len(text) - 1 if text else 8192 - 40
    raw[place] ^= 0x10
    with path.open("r+b") as file:  # it stays its owner's
        file.write(raw)
    return found[0]


def offline(server: EmbeddedPostgres, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs on the files of a stopped server."""
    return subprocess.run(
        [str(program(name)), *options, "-D", str(server.home)],
        user=server.user, cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip


def until(condition: Callable[[], object], wait_s: float = 90) -> None:
    """Wait for a condition. Raises AssertionError when it does not come about."""
    deadline = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
