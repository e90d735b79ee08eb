"""The field role: asking devices, watching folders, sending commands, and the hourly long look."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from onsil.core.clock import Clock
from onsil.core.database import ALL_CITIES, connect, scope
from onsil.devices.collecting.drops import DropFolders
from onsil.devices.collecting.faults import Fault
from onsil.devices.collecting.reach import networks
from onsil.devices.collecting.rounds import Asker
from onsil.devices.commands.sending import run_sending
from onsil.devices.findings import assess_drift
from onsil.devices.mqtt_link import MqttSettings

log = logging.getLogger(__name__)
LOOK_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class FieldSettings:
    """Where things are: database, broker, drop folders, secrets; and what may be asked."""

    dsn: str
    mqtt: MqttSettings
    drops: Path
    secrets: Path
    modbus_networks: str = ""
    pull_networks: str = ""


def run_field(
    settings: FieldSettings, clock: Clock, stop: threading.Event,
    ready: threading.Event | None = None,
) -> None:  # fmt: skip
    """Work until told to stop. Raises what ended the first part that ended."""
    asker = Asker(
        settings.dsn, clock, networks(settings.modbus_networks), networks(settings.pull_networks),
        secrets_in(settings.secrets),
    )  # fmt: skip
    drops = DropFolders(settings.drops, settings.dsn, clock)
    parts: list[Callable[[], None]] = [
        lambda: asyncio.run(asker.run(stop.is_set)),
        lambda: drops.run(stop.wait),
        lambda: run_sending(settings.dsn, settings.mqtt, stop, clock),
        lambda: _look(settings.dsn, clock, stop),
    ]
    ended: list[BaseException] = []

    def guarded(part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:
            ended.append(error)
        finally:
            stop.set()

    threads = [threading.Thread(target=guarded, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    if ready is not None:
        ready.set()
    for thread in threads:
        thread.join()
    if ended:
        raise ended[0]


def secrets_in(folder: Path) -> Callable[[str], str]:
    """Secrets by name, a file each; the name may lead nowhere else."""

    def secret(name: str) -> str:
        path = folder / name
        if not name or "/" in name or name.startswith(".") or not path.is_file():
            raise Fault(
                "no-secret", f"비밀 {name[:40]!r}이(가) 없습니다. secrets 폴더에 넣으세요.",
                f"There is no secret {name[:40]!r}. Put it into the secrets folder.",
            )  # fmt: skip
        return path.read_text("utf-8").strip()

    return secret


def _look(dsn: str, clock: Clock, stop: threading.Event) -> None:
    """Every hour, city by city: which sensors drift."""
    wait = 60.0  # the doors come first after a start
    while not stop.wait(wait):
        with connect(dsn, ALL_CITIES, autocommit=True) as conn:
            rows = conn.execute("SELECT DISTINCT city FROM devices_device").fetchall()
            for (city,) in rows:
                with conn.transaction():
                    scope(conn, city)
                    found = assess_drift(conn, city, clock)
                if found:
                    log.info("%s: %d sensors drift", city, len(found))
        wait = LOOK_EVERY.total_seconds()
