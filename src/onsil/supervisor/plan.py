"""Which roles there are, how each is started, and how one knows that it answers."""

import signal
import sys
from collections.abc import Callable

from onsil.configuration import Configuration
from onsil.supervisor.broker import Broker
from onsil.supervisor.chain import OFF, LocalChain
from onsil.supervisor.health import DatabaseWatch, http_answers
from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.supervisor.process import Role, session_name


def role_command(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "onsil.supervisor.roles", name)


def database_role(server: EmbeddedPostgres, watch: DatabaseWatch) -> Role:
    return Role(
        name="database",
        command=(*server.prepare(), "-c", "log_line_prefix="),
        answers=watch.look,
        address=server.dsn(),
        user=server.user,
        patience_s=10.0,
        stop_signal=signal.SIGINT,  # "fast": sessions are ended, not waited for
    )


def broker_role(broker: Broker) -> Role:
    return Role(
        name="broker",
        command=broker.prepare(),
        answers=broker.answers,
        address=f"mqtt://{broker.host}:{broker.port}",
        user=broker.user,
    )


def chain_role(chain: LocalChain) -> Role:
    return Role(
        name="chain",
        command=chain.prepare(),
        answers=chain.answers,
        address=f"{chain.url} (local development chain: proves nothing to outsiders)",
    )


def service_roles(
    conf: Configuration, watch: DatabaseWatch, broker_ready: Callable[[], bool], *, simulate: bool
) -> list[Role]:
    """The roles that stand on the database and the broker, in the order they are started."""

    def database() -> bool:
        return watch.answering

    def both() -> bool:
        return watch.answering and broker_ready()

    def told(name: str, needs: Callable[[], bool]) -> Role:
        path = conf.data_folder / "run" / f"{name}.ready"

        async def answers() -> bool:
            return path.exists()

        return Role(name, role_command(name), answers, needs, ready_file=path)

    def http(name: str, port: int, address: str) -> Role:
        async def answers() -> bool:
            await watch.look()
            return await http_answers(conf.host, port)

        return Role(name, role_command(name), answers, database, address)

    def session(name: str, needs: Callable[[], bool]) -> Role:
        async def answers() -> bool:
            return await watch.has_session(session_name(name))

        return Role(name, role_command(name), answers, needs)

    async def witness_answers() -> bool:
        return await http_answers(conf.host, conf.witness_port)

    address = f"http://{conf.host}:{conf.witness_port}"
    witness = Role("witness", role_command("witness"), witness_answers, address=address)
    roles = [
        *([witness] if conf.local_witness else []),
        session("writer", database),
        session("proof", database),
        session("worker", database),
        told("mqtt", both),
        told("field", both),
        http("hub", conf.hub_port, conf.hub_address),
        http("live", conf.live_port, conf.live_address),
        http("web", conf.web_port, conf.web_address),
    ]
    if conf.evm_rpc_url != OFF:
        roles.append(session("anchor", database))
    if simulate:
        roles.append(told("simulators", both))
    return roles


def ports(
    conf: Configuration, broker: Broker | None, chain: LocalChain | None
) -> list[tuple[str, str, int]]:
    """The ports of ours as (setting, host, port)."""
    listed = [
        ("web_port", conf.host, conf.web_port),
        ("hub_port", conf.host, conf.hub_port),
        ("live_port", conf.host, conf.live_port),
    ]
    if conf.local_witness:
        listed.append(("witness_port", conf.host, conf.witness_port))
    if broker:
        listed.append(("mqtt_port", broker.host, broker.port))
    if chain:
        listed.append(("evm_port", chain.host, chain.port))
    return listed
