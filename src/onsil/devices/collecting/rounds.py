"""Asking devices round by round: Modbus registers and REST pages, each committed as it comes."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, Connection, transaction
from onsil.core.refusal import OperationError
from onsil.devices.collecting import modbus, rest, schedule
from onsil.devices.collecting.faults import Fault
from onsil.devices.collecting.reach import Network
from onsil.devices.commands.orders import acknowledge, take_due
from onsil.devices.drivers import drivers
from onsil.devices.ingest import IngestReport, Message, ingest
from onsil.devices.register import devices
from onsil.devices.terms import DecodeError, Device, Frame
from onsil.hub import Reading

log = logging.getLogger(__name__)
ASKED = ("modbus", "rest-pull")
AT_ONCE = 32
TICK_S = 0.5
T = TypeVar("T")


def _no_secret(name: str) -> str:
    raise Fault("no-secret", f"비밀 {name}이(가) 없습니다.", f"There is no secret {name}.")


@dataclass
class Asker:
    """Asks the devices whose turn it is, until told to stop.

    `modbus_networks` may be asked over Modbus; pulls go to public addresses and `pull_networks`.
    `secrets(name)` gives a secret, or raises Fault.
    """

    dsn: str
    clock: Clock
    modbus_networks: Sequence[Network] = ()
    pull_networks: Sequence[Network] = ()
    secrets: rest.Secrets = _no_secret
    _under_way: set[tuple[str, str]] = field(default_factory=set)

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Rounds and Modbus commands, as they fall due."""
        tasks: set[asyncio.Task[None]] = set()
        while not stopped():
            for city, number in await self._in_database(ALL_CITIES, self._due):
                if (city, number) not in self._under_way and len(tasks) < AT_ONCE:
                    self._under_way.add((city, number))
                    tasks.add(asyncio.create_task(self._guarded(city, number)))
            await self.tell_all()
            done = {task for task in tasks if task.done()}
            tasks -= done
            for task in done:
                task.result()
            await asyncio.sleep(TICK_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _due(self, conn: Connection) -> list[tuple[str, str]]:
        return schedule.due(conn, ASKED, self.clock.now())

    async def _in_database(self, city: str, work: Callable[[Connection], T]) -> T:
        def inside() -> T:
            with transaction(self.dsn, city) as conn:
                return work(conn)

        return await asyncio.to_thread(inside)

    async def _guarded(self, city: str, number: str) -> None:
        try:
            found = await self._in_database(city, lambda c: devices(c, city, ids=[number]))
            if found:
                await self.round(found[0])
        finally:
            self._under_way.discard((city, number))

    async def round(self, device: Device) -> Fault | None:
        """Ask one device once; what went wrong is noted, with when to try again."""
        try:
            if device.driver == "modbus":
                await self._modbus(device)
            else:
                await self._pull(device)
        except OperationError as error:
            fault = Fault("bad-options", f"기기 설정이 잘못되었습니다: {error}",
                          f"The device's options are wrong: {error}")  # fmt: skip
        except Fault as error:
            fault = error
        else:
            await self._in_database(
                device.city, lambda c: schedule.succeeded(c, device, self.clock.now())
            )
            return None
        log.info("%s/%s: %s", device.city, device.id, fault.en)
        await self._in_database(
            device.city, lambda c: schedule.failed(c, device, fault, self.clock.now())
        )
        return fault

    async def _modbus(self, device: Device) -> None:
        payload = await modbus.ask(device, self.modbus_networks)
        message = Message(device.id, payload, self.clock.now())
        report = await self._take(device, message)
        _check(report)

    async def _take(self, device: Device, message: Message) -> IngestReport:
        return await self._in_database(
            device.city, lambda c: ingest(c, device.city, [message], self.clock)
        )

    async def _pull(self, device: Device) -> None:
        """Pages into the hub, each in its own transaction; the watermark moves when all are in.

        Whatever dies before that, the same pages are asked for again, and are duplicates.
        """
        now = self.clock.now()
        kept = await self._in_database(
            device.city, lambda c: schedule.memory(c, device.city, device.id)
        )
        asked = rest.window(device.options, kept.get("mark"), now)
        newest: datetime | None = None
        async for page in rest.pages(device, asked, self.pull_networks, self.secrets):
            message = Message(device.id, page, self.clock.now())
            seen = _newest(device, message)
            newest = max((t for t in (newest, seen) if t), default=None)
            _check(await self._take(device, message))
        mark = rest.moved(asked, newest, now).isoformat()
        await self._in_database(
            device.city,
            lambda c: schedule.remember(c, device.city, device.id, {"mark": mark}, now),
        )

    async def tell_all(self) -> None:
        """Send the Modbus commands that are due; what was read back is the device's answer."""
        cities = await self._in_database(ALL_CITIES, _commanded)
        for city in cities:
            due = await self._in_database(
                city, lambda c, city=city: take_due(c, city, self.clock, channels=("modbus",))
            )
            for device, command in due:
                try:
                    told = await modbus.tell(
                        device, command.actuator, command.value, self.modbus_networks
                    )
                    done = True
                except (Fault, OperationError) as fault:
                    if isinstance(fault, Fault) and fault.code in ("no-connection", "no-answer"):
                        continue  # it is tried again when its time comes
                    told, done = str(fault), False
                await self._in_database(
                    city,
                    lambda c, one=(city, device.id, command.id, told, done): acknowledge(
                        c, one[0], one[1], one[2], done=one[4], detail=one[3], clock=self.clock
                    ),
                )


def _commanded(conn: Connection) -> list[str]:
    rows = conn.execute(
        "SELECT DISTINCT c.city FROM devices_command c JOIN devices_device d"
        " ON d.city = c.city AND d.device_id = c.device_id"
        " WHERE c.state IN ('queued', 'sent') AND d.driver = 'modbus'"
    ).fetchall()
    return [row[0] for row in rows]


def _newest(device: Device, message: Message) -> datetime | None:
    frame = Frame(device, message.payload, message.received_at)
    try:
        made = drivers()[device.driver].decode(frame)
    except DecodeError:
        return None
    return max((one.observed_at for one in made if isinstance(one, Reading)), default=None)


def _check(report: IngestReport) -> None:
    """A message set aside as a whole fails the round: the watermark must not pass over it."""
    for one in report.refused:
        if one.code == "malformed":
            raise Fault(one.code, one.ko, one.en)
