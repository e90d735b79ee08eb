"""One supervisor a data folder, secrets made once, settings that stand in the way named."""

import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from asynchronous import in_a_loop
from onsil.configuration import Configuration, configuration
from onsil.core.refusal import OperationError
from onsil.supervisor.broker import password_line
from onsil.supervisor.credentials import prepared
from onsil.supervisor.health import http_answers, port_taken
from onsil.supervisor.hold import Hold, status_of
from onsil.supervisor.postgres import make_passable
from onsil.supervisor.process import RoleState
from onsil.supervisor.service import check_database


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("SECRET_KEY", "MQTT_USERNAME", "MQTT_PASSWORD"):
        monkeypatch.setenv(f"ONSIL_{name}", "")  # so that what `prepared` sets is undone
        monkeypatch.delenv(f"ONSIL_{name}")
    yield Configuration(data_folder=tmp_path)
    configuration.cache_clear()


def test_a_second_supervisor_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    first, second = Hold(tmp_path / "run"), Hold(tmp_path / "run")
    first.take()
    with pytest.raises(OperationError, match="already running"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_supervisor_that_was_killed_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisor.lock").write_text("12345")
    hold = Hold(tmp_path / "run")
    hold.take()
    assert hold.left_behind
    hold.release()
    again = Hold(tmp_path / "run")
    again.take()
    assert not again.left_behind
    again.release()


def test_status_is_told_only_while_somebody_holds(tmp_path: Path) -> None:
    assert status_of(tmp_path) is None
    hold = Hold(tmp_path / "run")
    hold.take()
    hold.report({"web": RoleState("ready", 7)}, {"web": "http://localhost:1"})
    table = status_of(tmp_path)
    assert table
    assert table["roles"]["web"]["state"] == "ready"
    assert table["roles"]["web"]["address"] == "http://localhost:1"
    hold.release()
    assert status_of(tmp_path) is None


def test_secrets_are_made_once_and_are_the_owners_alone(conf: Configuration) -> None:
    first = prepared(conf)
    assert len(first.secret_key) >= 50
    assert first.secret_key != first.mqtt_password
    assert prepared(conf) == first
    for name in ("secret-key", "mqtt-password"):
        mode = (conf.data_folder / "secrets" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_a_secret_of_the_operators_wins(conf: Configuration) -> None:
    assert prepared(replace(conf, secret_key="set-by-hand")).secret_key == "set-by-hand"
    assert not (conf.data_folder / "secrets" / "secret-key").exists()


def test_a_taken_port_is_seen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert in_a_loop(port_taken("127.0.0.1", port))
        assert not in_a_loop(http_answers("127.0.0.1", port))
    assert not in_a_loop(port_taken("127.0.0.1", port))


def test_a_password_line_has_the_form_that_mosquitto_reads() -> None:
    line = password_line("onsil", "password", bytes(12))
    name, form, iterations, salt, key = line.replace(":", "$", 1).replace("$$", "$").split("$")
    assert (name, form, iterations, salt) == ("onsil", "7", "10000", "A" * 16)
    assert len(key) == 88  # 64 bytes in base64


def test_a_database_that_stays_away_is_named() -> None:
    with pytest.raises(OperationError, match="database_url"):
        check_database("postgresql://nobody@127.0.0.1:1/none", wait_s=0)


def test_permissions_outside_the_installations_own_place_stay(tmp_path: Path) -> None:
    tmp_path.chmod(0o1770)
    make_passable(tmp_path / "made" / "here")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1770
    assert (tmp_path / "made" / "here").is_dir()
