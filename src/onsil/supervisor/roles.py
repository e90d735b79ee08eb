"""The roles themselves: `python -m onsil.supervisor.roles ROLE`, or `onsil role ROLE`.

Each runs in the foreground until SIGTERM, says what goes wrong in one line, and leaves the mending
of a lost database or broker to whoever started it: it ends, and is started again.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg

from onsil.configuration import Configuration, configuration
from onsil.core.clock import SystemClock
from onsil.core.refusal import OperationError
from onsil.supervisor.credentials import prepared

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h


def _until_told(work: Callable[[threading.Event], None]) -> None:
    """Run `work(stop)`; SIGTERM and SIGINT set `stop`."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    work(stop)


def _tell_ready(ready: threading.Event) -> None:
    """Leave a sign for the supervisor once the role is at work."""
    ready.wait()
    if path := os.environ.get("ONSIL_READY_FILE"):
        Path(path).touch()


def _serve(conf: Configuration, target: str, interface: str, port: int, **options: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        target,
        address=conf.host,
        port=port,
        interface=Interfaces(interface),
        log_level=LogLevels.error,  # that open streams are cut at the end is no warning
        websockets=False,
        workers_kill_timeout=2,
        **options,  # pyright: ignore[reportArgumentType]
    ).serve()


def web(conf: Configuration) -> None:
    """The screens: Django behind a WSGI server."""
    _serve(conf, "onsil.web.wsgi:application", "wsgi", conf.web_port, workers=2,
           blocking_threads=4)  # fmt: skip


def hub(conf: Configuration) -> None:
    """The data hub's own door, NGSI-LD and devices."""
    _serve(conf, "onsil.web.asgi:app", "asgi", conf.hub_port)


def live(conf: Configuration) -> None:
    """Server-sent events for open pages."""
    _serve(conf, "onsil.web.live:app", "asgi", conf.live_port)


def writer(conf: Configuration) -> None:
    """The single posting writer of the ledger."""
    from onsil.ledger import run_writer

    _until_told(lambda stop: run_writer(conf.dsn, SystemClock(), stop))


def proof(conf: Configuration) -> None:
    """Puts new leaves into each city's transparency log and signs, once a second."""
    from onsil.supervisor.sequencing import run_sequencing

    _until_told(lambda stop: run_sequencing(conf, SystemClock(), stop))


def witness(conf: Configuration) -> None:
    """The installation's own witness: it cosigns its logs, and proves nothing to outsiders."""
    from onsil.proof.witness.serving import open_witness, serve
    from onsil.tenancy.witnesses import LOCAL_NAME, local_witness_folder

    folder = local_witness_folder(conf)
    open_witness(folder, LOCAL_NAME)
    serve(folder, conf.host, conf.witness_port)


def anchor(conf: Configuration) -> None:
    """Each city's newest checkpoint, once a day, to where the operator cannot rewrite it."""
    from onsil.supervisor.anchoring import run_anchoring

    _until_told(lambda stop: run_anchoring(conf, SystemClock(), stop))


def mqtt(conf: Configuration) -> None:
    """Readings from the broker into the hub."""
    from onsil.devices import MqttSettings, run_mqtt

    settings = MqttSettings(conf.mqtt_host, conf.mqtt_port, conf.mqtt_username, conf.mqtt_password)
    ready = threading.Event()
    threading.Thread(target=_tell_ready, args=(ready,), daemon=True).start()
    _until_told(lambda stop: run_mqtt(conf.dsn, settings, stop, ready=ready))


def field(conf: Configuration) -> None:
    """Devices that are asked, watched folders, commands down, and the long look at sensors."""
    from onsil.devices import FieldSettings, MqttSettings, run_field

    broker = MqttSettings(conf.mqtt_host, conf.mqtt_port, conf.mqtt_username, conf.mqtt_password)
    settings = FieldSettings(
        conf.dsn, broker, conf.data_folder / "drops", conf.data_folder / "secrets",
        conf.modbus_networks, conf.pull_networks,
    )  # fmt: skip
    ready = threading.Event()
    threading.Thread(target=_tell_ready, args=(ready,), daemon=True).start()
    _until_told(lambda stop: run_field(settings, SystemClock(), stop, ready))


def worker(conf: Configuration) -> None:
    """Daily and deferred jobs of the rooms."""
    from onsil.supervisor.jobs import run_worker

    run_worker()


def simulators(conf: Configuration) -> None:
    """Simulated devices, labelled so, publishing over the real broker."""
    from onsil.supervisor.simulation import run_city_simulators

    ready = threading.Event()
    threading.Thread(target=_tell_ready, args=(ready,), daemon=True).start()
    _until_told(lambda stop: run_city_simulators(conf, SystemClock(), stop, ready))


ROLES: dict[str, Callable[[Configuration], None]] = {
    role.__name__: role
    for role in (web, hub, live, writer, proof, witness, anchor, mqtt, field, worker, simulators)
}


def run_role(name: str) -> int:
    """Run one role until it is told to stop; the exit status of its process."""
    try:
        ROLES[name](prepared(configuration()))
    except (psycopg.OperationalError, ConnectionError) as error:
        print(f"lost a connection: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return TRY_AGAIN
    except OperationError as error:
        print(str(error), file=sys.stderr)
        return TRY_AGAIN if error.retry else 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        print(f"one of: {', '.join(ROLES)}", file=sys.stderr)
        raise SystemExit(2)
    raise SystemExit(run_role(sys.argv[1]))
