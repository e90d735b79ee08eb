"""The whole installation, really started: it answers, survives kills, and stops without a trace."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from onsil import devices
from onsil.configuration import embedded_dsn, embedded_home
from onsil.core.announce import announce
from onsil.core.database import connect, transaction
from onsil.hub import entity_uri
from onsil.supervisor.hold import status_of
from onsil.web.live import make_ticket

ROOT = Path(__file__).parents[2]
CITY = "pyeongtaek"
_ONSIL = (sys.executable, "-m", "onsil.cli")


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _wait(condition: Callable[[], bool], wait_s: float, words: str) -> None:
    deadline = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {wait_s} s in vain: {words}"
        time.sleep(0.1)


@dataclass
class Installation:
    """A supervisor started on a folder and ports of its own."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]

    @property
    def dsn(self) -> str:
        return embedded_dsn(embedded_home(self.folder))

    def port(self, name: str) -> int:
        return int(self.environment[f"ONSIL_{name.upper()}_PORT"])

    def roles(self) -> dict[str, dict]:
        return (status_of(self.folder) or {"roles": {}})["roles"]

    def ready(self) -> bool:
        roles = self.roles()
        return len(roles) >= 11 and all(role["state"] == "ready" for role in roles.values())

    def secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*_ONSIL, *arguments], env=self.environment, cwd=ROOT,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def log(self) -> str:
        path = self.folder / "run" / "onsil.log"
        return path.read_text() if path.exists() else ""


def _start(folder: Path) -> Installation:
    ports = dict(zip(("WEB", "HUB", "LIVE", "MQTT", "EVM", "WITNESS"), _free_ports(6), strict=True))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ONSIL_")}
    environment = kept | {
        "ONSIL_DATA_FOLDER": str(folder),
        "ONSIL_CITIES_FOLDER": str(ROOT / "cities"),
        "LANG": "en_US.UTF-8",
        **{f"ONSIL_{name}_PORT": str(port) for name, port in ports.items()},
    }
    process = subprocess.Popen(
        [*_ONSIL, "up"], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    return Installation(folder, environment, process)


def _remove(installation: Installation) -> None:
    import shutil

    home = embedded_home(installation.folder)
    for place in (home, home.parents[1] / "brokers" / home.name):
        if os.geteuid() == 0:
            shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = _start(tmp_path_factory.mktemp("installation"))
    try:
        _wait(lambda: made.ready() or made.process.poll() is not None, 150, "ready")
        assert made.process.poll() is None, made.log()[-3000:]
        yield made
    finally:
        if made.process.poll() is None:
            made.process.send_signal(signal.SIGTERM)
            made.process.wait(30)
        _remove(made)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_every_door_answers(installation: Installation) -> None:
    for name in ("web", "hub", "live"):
        answer = httpx.get(f"http://127.0.0.1:{installation.port(name)}/-/health")
        assert (name, answer.status_code, answer.text) == (name, 200, "ok\n")
    assert httpx.get(f"http://127.0.0.1:{installation.port('web')}/").status_code == 200


def test_status_says_that_all_is_well(installation: Installation) -> None:
    told = installation.command("status")
    assert told.returncode == 0, told.stdout
    assert {"database", "broker", "writer", "proof", "web"} <= set(told.stdout.split())
    table = json.loads(installation.command("status", "--json").stdout)
    assert table["running"] is True
    assert table["pid"] == installation.process.pid


def test_a_second_one_on_the_same_folder_refuses(installation: Installation) -> None:
    second = installation.command("up")
    assert second.returncode == 2
    assert "already running" in second.stderr
    assert second.stderr.count("\n") == 1


def test_a_taken_port_is_named_with_its_setting(installation: Installation, tmp_path: Path) -> None:
    environment = installation.environment | {"ONSIL_DATA_FOLDER": str(tmp_path)}
    other = subprocess.run(
        [*_ONSIL, "up"], env=environment, cwd=ROOT,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert other.returncode == 2
    assert f"port {installation.port('web')}" in other.stderr
    assert "ONSIL_WEB_PORT" in other.stderr


def _events(installation: Installation, ticket: str) -> Iterator[str]:
    address = f"http://127.0.0.1:{installation.port('live')}/events"
    with httpx.stream("GET", address, params={"ticket": ticket}, timeout=15) as stream:
        assert stream.status_code == 200
        yield from stream.iter_lines()


def test_a_page_hears_its_own_citys_topics_and_nothing_else(installation: Installation) -> None:
    ticket = make_ticket(installation.secret("secret-key"), CITY, ["sales"])
    lines = _events(installation, ticket)
    assert next(line for line in lines if line.startswith(":")) == ": connected"
    told = (("goyang", "sales", "다른 도시"), (CITY, "else", "다른 주제"), (CITY, "sales", "120원"))
    for city, topic, words in told:
        with transaction(installation.dsn, city) as conn:
            announce(conn, city, topic, {"words": words})
    heard = [next(lines) for _ in range(4)]
    assert "event: sales" in heard
    assert 'data: {"words": "120원"}' in heard
    lines.close()


def test_a_forged_ticket_hears_nothing(installation: Installation) -> None:
    ticket = make_ticket("another key", CITY, ["sales"])
    address = f"http://127.0.0.1:{installation.port('live')}/events"
    assert httpx.get(address, params={"ticket": ticket}).status_code == 403
    assert httpx.get(address).status_code == 403


def _log_in(installation: Installation, username: str, password: str) -> paho.Client | None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(username, password)
    codes: list[bool] = []
    client.on_connect = lambda _c, _u, _f, reason, _p: codes.append(reason.is_failure)
    client.connect("127.0.0.1", installation.port("mqtt"))
    client.loop_start()
    _wait(lambda: bool(codes), 10, "the broker's answer")
    if codes[0]:
        client.loop_stop()
        return None
    return client


def test_a_device_logs_in_with_its_token_and_publishes_on_its_own_topic_only(
    installation: Installation,
) -> None:
    spec = devices.DeviceSpec("meter-1", entities=(entity_uri("Meter", CITY, "meter-1"),))
    with transaction(installation.dsn, CITY) as conn:
        _, token = devices.register_device(conn, CITY, spec)
    platform = _log_in(installation, "onsil", installation.secret("mqtt-password"))
    assert platform
    heard: list[str] = []
    platform.on_message = lambda _c, _u, message: heard.append(message.topic)
    platform.subscribe("onsil/#", qos=1)
    assert _log_in(installation, f"{CITY}.meter-1", "not the token") is None

    made: list[paho.Client] = []

    def logged_in() -> bool:
        made.extend(c for c in [_log_in(installation, f"{CITY}.meter-1", token)] if c)
        return bool(made)

    _wait(logged_in, 15, "a device just registered may log in")
    device = made[0]

    device.publish(f"onsil/{CITY}/meter-1/up", b"{}", qos=1).wait_for_publish(20)
    _wait(lambda: bool(heard), 20, "its own message")

    # MQTT 3.1.1 §3.3.5: what may not be published is acknowledged all the same, or the line ends.
    judged: list[str] = []
    device.on_publish = lambda *_: judged.append("acknowledged")
    device.on_disconnect = lambda *_: judged.append("ended")
    device.publish(f"onsil/{CITY}/meter-2/up", b"{}", qos=1)
    _wait(lambda: bool(judged), 20, "the broker's answer to another's topic")
    platform.publish(f"onsil/{CITY}/after", b"{}", qos=1)
    _wait(lambda: len(heard) > 1, 20, "what the platform said after it")
    assert heard == [f"onsil/{CITY}/meter-1/up", f"onsil/{CITY}/after"]
    for client in (device, platform):
        client.disconnect()
        client.loop_stop()


def test_all_recover_when_database_broker_and_writer_are_killed(
    installation: Installation,
) -> None:
    with transaction(installation.dsn, CITY) as conn:
        from onsil import proof

        proof.audit(conn, CITY, "test", "kill", "installation", "1", None, {"kept": True})
    before = {
        name: installation.roles()[name]["pid"]
        for name in ("database", "broker", "writer", "chain")
    }
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    def recovered() -> bool:
        roles = installation.roles()
        changed = all(roles.get(name, {}).get("pid") != pid for name, pid in before.items())
        return changed and installation.ready()

    _wait(recovered, 120, "everything is ready again")
    with connect(installation.dsn, CITY) as conn:
        trail = proof.audit_trail(conn, CITY, 10)
    assert [record.action for record in trail].count("kill") == 1
    assert httpx.get(f"http://127.0.0.1:{installation.port('web')}/-/health").status_code == 200


def test_verify_runs_beside_it(installation: Installation) -> None:
    told = installation.command("verify")
    assert told.returncode == 0, told.stdout + told.stderr
    assert CITY in told.stdout


def test_stopping_leaves_nothing_behind(installation: Installation) -> None:
    pids = [role["pid"] for role in installation.roles().values()]
    began = time.monotonic()
    installation.process.send_signal(signal.SIGTERM)
    assert installation.process.wait(60) == 0
    assert time.monotonic() - began < 20
    assert [pid for pid in pids if pid and _alive(pid)] == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(installation.dsn)
    assert installation.command("status").returncode == 1


def test_commands_work_while_nothing_runs(installation: Installation) -> None:
    """Runs after the stop: the command starts the database for its own time, and stops it."""
    assert status_of(installation.folder) is None
    told = installation.command("user", "add", "operator@demo.invalid", "--role", "operator")
    assert told.returncode == 0, told.stderr
    assert "operator@demo.invalid" in installation.command("user", "list").stdout
    again = installation.command("user", "add", "operator@demo.invalid")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(installation.dsn)


def test_a_killed_supervisor_takes_its_roles_along_and_can_be_started_again(
    installation: Installation,
) -> None:
    """The last one: it ends what the others stood on, twice."""
    started = Installation(
        installation.folder, installation.environment,
        subprocess.Popen(
            [*_ONSIL, "up"], env=installation.environment, cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            text=True,
        ),
    )  # fmt: skip
    try:
        _wait(started.ready, 150, "second start")
        pids = [role["pid"] for role in started.roles().values() if role["pid"]]
        started.process.kill()
        started.process.wait(10)
        _wait(lambda: not any(map(_alive, pids)), 15, "the roles end with their supervisor")
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.process.wait(30)
