"""The simulators role: the devices of each city's `simulators.toml`, over the real broker."""

import threading
import tomllib
from pathlib import Path

from onsil.configuration import Configuration
from onsil.core.clock import Clock
from onsil.core.database import transaction
from onsil.core.refusal import OperationError
from onsil.devices import MqttSettings, SimulatorSpec, register_simulators, run_simulators
from onsil.tenancy.cities import CityProfile, all_cities


def simulators_of(profile: CityProfile) -> list[SimulatorSpec]:
    """A city's simulated devices; none when it has no such file.

    Raises OperationError naming the file and the entry at fault.
    """
    path = profile.folder / "simulators.toml"
    if not path.exists():
        return []
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("simulator", [])
    except tomllib.TOMLDecodeError as error:
        raise OperationError(f"{path}: {error}", retry=False) from error
    return [_spec(profile, path, number, entry) for number, entry in enumerate(entries, 1)]


def _spec(profile: CityProfile, path: Path, number: int, entry: dict) -> SimulatorSpec:
    try:
        longitude, latitude = entry["location"]
        return SimulatorSpec(
            city=profile.code,
            device=entry["device"],
            profile=entry["profile"],
            interval_s=int(entry.get("interval_s", 10)),
            seed=number,
            zone=profile.zone.key,
            name=entry.get("name", ""),
            location=(longitude, latitude),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OperationError(f"{path}: simulator {number}: {error!r}", retry=False) from error


def run_city_simulators(
    conf: Configuration, clock: Clock, stop: threading.Event, ready: threading.Event
) -> None:
    """Register every city's simulated devices, then publish as they until `stop` is set.

    `ready` is set once all are registered.
    """
    specs: list[SimulatorSpec] = []
    for profile in all_cities().values():
        mine = simulators_of(profile)
        if mine:
            with transaction(conf.dsn, profile.code) as conn:
                register_simulators(conn, profile.code, mine, clock)
        specs += mine
    settings = MqttSettings(conf.mqtt_host, conf.mqtt_port, conf.mqtt_username, conf.mqtt_password)
    ready.set()
    run_simulators(settings, specs, stop, clock)
