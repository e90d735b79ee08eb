"""The broker by itself: NGSI-LD over its own embedded database, and nothing else of Onsil.

Imports are few and late here: a second start is to take about a second.
"""

import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onsil.core.refusal import OperationError

if TYPE_CHECKING:
    from onsil.supervisor.postgres import EmbeddedPostgres

DEFAULT_TENANT = "default"
_PATIENCE_S = 60.0
_ENVIRONMENT = "ONSIL_HUB_ALONE"


@dataclass(frozen=True)
class Broker:
    """How the broker is to run. Without `database` it has a PostgreSQL of its own in `data`.

    Writing is open, unless there is a `token`. `contexts` is a folder of contexts to know without
    a network, `context_hosts` those that others may be fetched from: without any, an open broker
    that only this machine reaches fetches what this machine serves, any other nothing. With a
    token `source_hosts` and `notify_hosts` are sent to besides public addresses. `alias` is its
    pseudonym in Via headers.
    """

    host: str = "127.0.0.1"
    port: int = 8401
    data: Path = Path("hub-data")
    database: str = ""
    token: str = ""
    contexts: Path | None = None
    context_hosts: tuple[str, ...] = ()
    source_hosts: tuple[str, ...] = ()
    notify_hosts: tuple[str, ...] = ()
    alias: str = ""
    workers: int = 1


def serve(broker: Broker) -> None:
    """Run the broker until it is told to stop.

    Raises OperationError when the port is taken or the database does not start.
    """
    # Here and not in the thread below: workers are forked, and one forked while a thread imports
    # would wait for ever for that import's lock.
    import psycopg  # noqa: F401

    from onsil.supervisor import tables  # noqa: F401
    from onsil.supervisor.postgres import EmbeddedPostgres

    _check_port(broker)
    # Pages of the lake and whatever else the hub keeps in files lie beside the database.
    os.environ["ONSIL_DATA_FOLDER"] = str(broker.data.resolve())
    own = None
    dsn = broker.database
    if not dsn:
        from onsil.configuration import embedded_home

        server = EmbeddedPostgres.at(embedded_home(broker.data.resolve()))
        dsn = server.dsn()
        own = None if server.running() else server
    os.environ[_ENVIRONMENT] = _told(broker, dsn)
    if own is None or not (own.home / "PG_VERSION").exists():
        _build(own, dsn)
    ready = threading.Thread(target=_get_ready, args=(broker, own, dsn), daemon=True)
    ready.start()
    try:
        _run(broker)
    finally:
        if own is not None:
            ready.join(_PATIENCE_S)
            own.stop()


def application() -> Any:
    """The ASGI application of one worker, as `serve` has described it in the environment."""
    import orjson

    from onsil.hub.contexts import library
    from onsil.hub.http.app import make_app

    told = orjson.loads(os.environ[_ENVIRONMENT])
    if told["contexts"]:
        library.add_folder(Path(told["contexts"]))
    return make_app(
        told["dsn"],
        DEFAULT_TENANT,
        open_writing=not told["token"],
        operator_token=told["token"],
        **told["house"],
    )


def _told(broker: Broker, dsn: str) -> str:
    import orjson

    from onsil.core.loopback import LOOPBACK, is_loopback

    contexts = str(broker.contexts.resolve()) if broker.contexts else ""
    ours = (LOOPBACK,) if not broker.token and is_loopback(broker.host) else ()
    house = {
        "context_hosts": broker.context_hosts or ours, "source_hosts": broker.source_hosts,
        "notify_hosts": broker.notify_hosts, "alias": broker.alias,
    }  # fmt: skip
    told = {"dsn": dsn, "token": broker.token, "contexts": contexts, "house": house}
    return orjson.dumps(told).decode()


def _check_port(broker: Broker) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((broker.host, broker.port))
        except OSError as error:
            raise OperationError(
                f"{broker.host}:{broker.port} cannot be listened on: {error.strerror}", retry=False
            ) from error


def _build(own: "EmbeddedPostgres | None", dsn: str) -> None:
    """The database up and its tables built."""
    from onsil.supervisor.tables import build_tables

    if own is not None:
        own.start()
        own.create_database("onsil")
    build_tables(dsn)


def _get_ready(broker: Broker, own: "EmbeddedPostgres | None", dsn: str) -> None:
    """Start the database while the workers start, and say when all is there."""
    try:
        _build(own, dsn)
    except Exception as error:
        print(f"onsil: the database does not start: {error}", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        return
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as trial:
            if trial.connect_ex((broker.host, broker.port)) == 0:
                break
        time.sleep(0.02)
    name = "localhost" if broker.host in ("127.0.0.1", "0.0.0.0") else broker.host  # noqa: S104
    print(f"NGSI-LD on http://{name}:{broker.port}/ngsi-ld/v1", flush=True)


def _run(broker: Broker) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "onsil.supervisor.alone:application",
        address=broker.host,
        port=broker.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=broker.workers,
        log_level=LogLevels.error,
        websockets=False,
        workers_kill_timeout=5,
        respawn_failed_workers=True,
    ).serve()
