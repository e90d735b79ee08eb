"""One role under supervision: started, watched, its lines passed on, restarted when it dies."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str, str], None]

BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 60.0  # alive this long, a role's earlier deaths are forgotten
CHECK_S = 1.0
DEAF_S = 45.0  # silent this long while what it stands on answers, a role is restarted


@dataclass(frozen=True)
class Role:
    """What a role is: its command, and how one knows that it answers.

    `needs` says whether what the role stands on (database, broker) answers at present; a role is
    not blamed for its silence while that does not.
    """

    name: str
    command: tuple[str, ...]
    answers: Callable[[], Awaitable[bool]]
    needs: Callable[[], bool] = lambda: True
    address: str = ""
    user: str | None = None
    patience_s: float = 4.0  # between being asked to stop and being killed
    stop_signal: signal.Signals = signal.SIGTERM
    ready_file: Path | None = None  # made by a role without a door once it is at work


@dataclass
class RoleState:
    """What `onsil status` shows of a role."""

    state: str = "waiting"  # waiting, starting, ready, silent, restarting, stopped
    pid: int | None = None
    since: float = field(default_factory=time.time)
    restarts: int = 0
    last_words: str = ""

    def turn(self, state: str) -> None:
        if state != self.state:
            self.state, self.since = state, time.time()


def tied_to_us(role: Role) -> tuple[str, ...]:
    """The role's command, ended by the kernel should the supervisor die without a word."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return role.command
    return (setpriv, "--pdeathsig", role.stop_signal.name.removeprefix("SIG"), "--", *role.command)


class Supervised:
    """Keeps one role running until it is told to stop."""

    def __init__(self, role: Role, say: Say, environment: dict[str, str]) -> None:
        self.role = role
        self.status = RoleState()
        self._say = say
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_running(), name=self.role.name)

    async def stop(self) -> None:
        """Ask the role to end, wait, and make it end. Harmless when it does not run."""
        self._stopping.set()
        if self._task:
            await self._task
            self._task = None

    def signal(self, number: signal.Signals) -> None:
        """Send the running role a signal; nothing happens while it is between two lives."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _keep_running(self) -> None:
        deaths = 0
        while not self._stopping.is_set():
            born = time.monotonic()
            try:
                await self._one_life()
            except OSError as error:  # the program is gone, or no process can be made
                self._say(self.role.name, f"cannot be started: {error}")
            if self._stopping.is_set():
                break
            deaths = 1 if time.monotonic() - born > STEADY_S else deaths + 1
            pause = BACK_OFF_S[min(deaths, len(BACK_OFF_S)) - 1]
            self.status.restarts += 1
            self.status.turn("restarting")
            self._say(self.role.name, f"ended unasked; starting it again in {pause:g} s")
            await self._until_stopping(pause)
        self.status.pid = None
        self.status.turn("stopped")

    async def _one_life(self) -> None:
        self.status.turn("starting")
        environment = self._environment | {"PGAPPNAME": session_name(self.role.name)}
        if self.role.ready_file:
            self.role.ready_file.unlink(missing_ok=True)
            environment["ONSIL_READY_FILE"] = str(self.role.ready_file)
        process = await asyncio.create_subprocess_exec(
            *tied_to_us(self.role),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            process_group=0,  # Ctrl-C reaches the supervisor alone, which stops things in order
            cwd="/" if self.role.user else None,  # that user may not enter ours
            user=self.role.user,
            group=self.role.user,
            extra_groups=[] if self.role.user else None,
            limit=1 << 20,
        )
        self._process, self.status.pid = process, process.pid
        lines = asyncio.create_task(self._pass_on_lines(process))
        death = asyncio.create_task(process.wait())
        try:
            await self._watch(death)
            if not death.done():
                await self._end(process)
        finally:
            self._kill_group(process.pid)  # a server's own workers must not outlive it
            await death
            await lines
            self.status.pid = None

    async def _watch(self, death: "asyncio.Task[int]") -> None:
        """Return when the role has died, is to stop, or has been deaf for too long."""
        heard = time.monotonic()
        while not death.done() and not self._stopping.is_set():
            if await self.role.answers():
                heard = time.monotonic()
                self.status.turn("ready")
            elif not self.role.needs():
                heard = time.monotonic()
                self.status.turn("silent" if self.status.state != "starting" else "starting")
            elif self.status.state == "ready":
                self.status.turn("silent")
            if time.monotonic() - heard > DEAF_S:
                self._say(self.role.name, f"has not answered for {DEAF_S:g} s")
                return
            pause = CHECK_S if self.status.state == "ready" else CHECK_S / 5
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({death, stopping}, timeout=pause, return_when="FIRST_COMPLETED")
            stopping.cancel()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        try:
            process.send_signal(self.role.stop_signal)
            await asyncio.wait_for(process.wait(), self.role.patience_s)
        except ProcessLookupError:
            return
        except TimeoutError:
            self._say(self.role.name, "does not stop; killing it")
            self._kill_group(process.pid)

    @staticmethod
    def _kill_group(group: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)

    async def _pass_on_lines(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # a line longer than the limit; its rest follows
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace").rstrip()
            if line:
                self.status.last_words = line[:300]
                self._say(self.role.name, line)

    async def _until_stopping(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def session_name(role: str) -> str:
    """What the role's database sessions are called in `pg_stat_activity`."""
    return f"onsil {role}"
