"""`onsil up`: everything an installation consists of, started in order and kept running."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

import psycopg

from onsil.configuration import Configuration, embedded_home
from onsil.core.refusal import OperationError
from onsil.supervisor import plan
from onsil.supervisor.broker import Broker, accepts, device_accounts
from onsil.supervisor.chain import LocalChain
from onsil.supervisor.credentials import prepared
from onsil.supervisor.health import DatabaseWatch, port_taken
from onsil.supervisor.hold import Hold
from onsil.supervisor.journal import Journal
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.supervisor.process import Role, Supervised

if TYPE_CHECKING:
    from onsil.devices import BrokerAccount

POSTGRES_VERSION_MIN = 180_000
DATABASE_WAIT_S = 30.0
READY_WAIT_S = 120.0
ADMIT_S = 3.0  # how soon a newly registered device may log in


class Supervisor:
    """One installation at work. `run` returns when `stop` is set and everything has ended."""

    def __init__(self, conf: Configuration, *, simulate: bool = False, echo: bool = True) -> None:
        self.conf = prepared(conf)
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        self.journal = Journal(self.conf.data_folder / "run", echo=echo)
        self._simulate = simulate
        self._hold = Hold(self.conf.data_folder / "run")
        self._broker = Broker.of(self.conf)
        self._chain = LocalChain.of(self.conf)
        self._postgres: EmbeddedPostgres | None = None
        if not self.conf.database_url:
            self._postgres = EmbeddedPostgres.at(embedded_home(self.conf.data_folder))
        self._watch = self._maintenance = DatabaseWatch(self.conf.dsn)
        if self._postgres:  # `onsil` itself may not exist yet
            self._maintenance = DatabaseWatch(self._postgres.dsn("postgres"))
        self._roles: list[Supervised] = []
        self._broker_answers = False

    async def run(self) -> None:
        """Start everything, keep it running, stop it in order.

        Raises OperationError when something that only the operator can mend stands in the way.
        """
        self._hold.take()
        tasks: list[asyncio.Task[None]] = []
        try:
            with self.journal:
                try:
                    await self._start_unless_stopped(tasks)
                    await self.stop.wait()
                finally:
                    for task in tasks:
                        task.cancel()
                    await self._end()
        finally:
            self._hold.release()

    async def _start_unless_stopped(self, tasks: "list[asyncio.Task[None]]") -> None:
        start = asyncio.create_task(self._start(tasks))
        stopping = asyncio.create_task(self.stop.wait())
        await asyncio.wait({start, stopping}, return_when="FIRST_COMPLETED")
        stopping.cancel()
        if not start.done():
            start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await start

    async def _start(self, tasks: "list[asyncio.Task[None]]") -> None:
        """Bring everything up; what must be cancelled at the end is added to `tasks`."""
        began = time.monotonic()
        await self._refuse_taken_ports()
        await self._start_database()
        if self._broker:
            self._launch(plan.broker_role(self._broker))
        if self._chain:
            self._launch(plan.chain_role(self._chain))
        tasks.append(asyncio.create_task(self._look_after_broker()))
        await self._migrate()
        for role in plan.service_roles(
            self.conf, self._watch, lambda: self._broker_answers, simulate=self._simulate
        ):
            self._launch(role)
        tasks.append(asyncio.create_task(self._admit_devices()))
        tasks.append(asyncio.create_task(self._report()))
        await self._until_ready(began)

    def _launch(self, role: Role) -> Supervised:
        keeper = Supervised(role, self.journal.say, dict(os.environ))
        self._roles.append(keeper)
        keeper.start()
        return keeper

    async def _until_ready(self, began: float) -> None:
        deadline = began + READY_WAIT_S
        while not self.stop.is_set():
            waiting = [r.role.name for r in self._roles if r.status.state != "ready"]
            if not waiting:
                self.ready.set()
                self._write_status()
                self.journal.say("onsil", f"ready after {time.monotonic() - began:.1f} s")
                self.journal.say("onsil", f"screens   {self.conf.web_address}")
                self.journal.say("onsil", f"data hub  {self.conf.hub_address}/ngsi-ld/v1")
                return
            if time.monotonic() > deadline:
                raise OperationError(
                    f"not ready after {READY_WAIT_S:g} s: {', '.join(waiting)}"
                    f" (see {self.journal.path})",
                    retry=True,
                )
            await asyncio.sleep(0.1)

    async def _refuse_taken_ports(self) -> None:
        # The processes of a supervisor that was killed need a moment to notice and go.
        deadline = time.monotonic() + (10 if self._hold.left_behind else 0)
        for setting, host, port in plan.ports(self.conf, self._broker, self._chain):
            while await port_taken(host, port):
                if time.monotonic() > deadline:
                    raise OperationError(
                        f"port {port} on {host} is in use by another program: free it, or set"
                        f" {setting} (ONSIL_{setting.upper()}) to another one",
                        retry=False,
                    )
                await asyncio.sleep(0.2)

    async def _start_database(self) -> None:
        if self._postgres:
            server = self._postgres
            role = await asyncio.to_thread(plan.database_role, server, self._maintenance)
            await self._until_answers(self._launch(role), DATABASE_WAIT_S)
            await asyncio.to_thread(server.create_database, "onsil")
        await asyncio.to_thread(check_database, self.conf.dsn, DATABASE_WAIT_S)
        await self._watch.look()

    async def _until_answers(self, keeper: Supervised, wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while keeper.status.state != "ready":
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{keeper.role.name} does not start: {keeper.status.last_words}"
                    f" (see {self.journal.path})",
                    retry=True,
                )
            await asyncio.sleep(0.05)

    async def _migrate(self) -> None:
        """Bring tables and programmes up to date, in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "onsil.supervisor.schema",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        words = output.decode("utf-8", "replace").strip()
        if process.returncode == 0:
            for line in words.splitlines():
                self.journal.say("cities", line)
        else:
            raise OperationError(
                f"the database or a city could not be brought up to date:\n{words}", retry=False
            )

    async def _admit_devices(self) -> None:
        """Let devices log in to our broker soon after they have been registered."""
        keeper = next((r for r in self._roles if r.role.name == "broker"), None)
        admitted: list[BrokerAccount] = []
        while self._broker and keeper:
            with contextlib.suppress(psycopg.OperationalError):
                accounts = await asyncio.to_thread(device_accounts, self.conf.dsn)
                if accounts != admitted:
                    self._broker.admit(accounts)
                    keeper.signal(signal.SIGHUP)
                    admitted = accounts
            await asyncio.sleep(ADMIT_S)

    async def _look_after_broker(self) -> None:
        while True:
            self._broker_answers = await accepts(
                self.conf.mqtt_host, self.conf.mqtt_port,
                self.conf.mqtt_username, self.conf.mqtt_password,
            )  # fmt: skip
            await asyncio.sleep(2.0 if self._broker_answers else 0.2)

    async def _report(self) -> None:
        while True:
            self._write_status()
            await asyncio.sleep(2)

    def _write_status(self) -> None:
        self._hold.report(
            {r.role.name: r.status for r in self._roles},
            {r.role.name: r.role.address for r in self._roles},
        )

    async def _end(self) -> None:
        """Doors first, then those who write, then what they stand on."""
        self.journal.say("onsil", "stopping")
        names = {r.role.name: r for r in self._roles}
        last = ("writer", "proof", "broker", "chain", "database")
        await asyncio.gather(*(r.stop() for n, r in names.items() if n not in last))
        await asyncio.gather(*(names[n].stop() for n in ("writer", "proof") if n in names))
        await asyncio.gather(*(names[n].stop() for n in ("broker", "chain") if n in names))
        await self._watch.close()
        await self._maintenance.close()
        if "database" in names:
            await names["database"].stop()
        self.journal.say("onsil", "stopped")


def check_database(dsn: str, wait_s: float) -> None:
    """Wait for the database. Raises OperationError when it stays away or is too old."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with psycopg.connect(dsn, connect_timeout=5) as connection:
                version = connection.info.server_version
            break
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise OperationError(
                    f"the database does not answer (database_url): {error}", retry=True
                ) from error
            time.sleep(0.5)
    if version < POSTGRES_VERSION_MIN:
        raise OperationError(
            f"PostgreSQL 18 or later is needed; database_url leads to version {version // 10_000}",
            retry=False,
        )


@contextlib.contextmanager
def running(
    conf: Configuration, *, simulate: bool = False, echo: bool = False
) -> Iterator[Supervisor]:
    """An installation at work in the background of this process while the block runs.

    Entered once everything answers. Raises OperationError when it does not come up.
    """
    supervisor = Supervisor(conf, simulate=simulate, echo=echo)
    failure: list[BaseException] = []
    loop = asyncio.new_event_loop()

    def work() -> None:
        try:
            loop.run_until_complete(supervisor.run())
        except BaseException as error:
            failure.append(error)
        finally:
            loop.close()

    thread = Thread(target=work, name="supervisor")
    thread.start()
    try:
        while not supervisor.ready.is_set() and thread.is_alive():
            time.sleep(0.05)
        if failure:
            raise failure[0]
        yield supervisor
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(supervisor.stop.set)
        thread.join()


def serve(conf: Configuration, *, simulate: bool = False) -> None:
    """Run in the foreground until Ctrl-C or SIGTERM; what `onsil up` does."""

    async def work() -> None:
        supervisor = Supervisor(conf, simulate=simulate)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, supervisor.stop.set)
        await supervisor.run()

    asyncio.run(work())
