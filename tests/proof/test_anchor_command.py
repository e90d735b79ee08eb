"""`onsil anchor`, and the role behind it, on a real chain, a real database and a real log."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evm_chain import Anvil, anvil
from onsil import proof
from onsil.cli.main import run
from onsil.configuration import Configuration, configuration
from onsil.core.clock import FixedClock, SystemClock
from onsil.core.database import ALL_CITIES, Connection, connect, transaction
from onsil.core.ids import new_id
from onsil.proof import anchors
from onsil.proof.home import WITNESSED, publish
from onsil.proof.signer import load_or_create_cosigner
from onsil.supervisor import anchoring
from onsil.supervisor.chain import LocalChain
from onsil.supervisor.sequencing import sequence_once

CITY = "pyeongtaek"


@dataclass
class Site:
    """An installation with a log, beside a local chain."""

    conf: Configuration
    chain: Anvil
    capsys: pytest.CaptureFixture[str]

    def grow(self, leaves: int = 1) -> None:
        """Put leaves into the city's log and sign it."""
        with transaction(self.conf.dsn, CITY) as conn:
            for number in range(leaves):
                proof.append(conn, CITY, "probe", new_id(), {"number": number})
        with connect(self.conf.dsn, CITY, autocommit=True) as conn:
            sequence_once(conn, self.conf, CITY, SystemClock())

    def onsil(self, *arguments: str, status: int = 0) -> str:
        """Run a command in this process; what it printed."""
        self.capsys.readouterr()
        got = run(["anchor", *arguments])
        told = self.capsys.readouterr()
        assert got == status, told.out + told.err
        return told.out + told.err

    @property
    def folder(self) -> Path:
        return next(self.conf.log_folder.glob(f"{CITY}/*"))

    @property
    def key(self) -> str:
        return (self.folder / "verifier-key").read_text().strip()

    @property
    def contract(self) -> str:
        return anchoring.settings_of(self.conf)["evm_contract"]

    def records(self) -> list[anchors.AnchorRecord]:
        with connect(self.conf.dsn, CITY) as conn:
            return anchors.recent(conn, CITY)


@pytest.fixture
def chain() -> Iterator[Anvil]:
    with anvil() as made:
        yield made


@pytest.fixture
def site(
    chain: Anvil, fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Site]:  # fmt: skip
    for name, value in {
        "DATA_FOLDER": tmp_path, "DATABASE_URL": fresh_database, "EVM_PORT": chain.port,
        "SECRET_KEY": "x", "MQTT_USERNAME": "x", "MQTT_PASSWORD": "x", "LANGUAGE": "en",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"ONSIL_{name}", str(value))
    configuration.cache_clear()
    before = logging.root.manager.disable
    yield Site(configuration(), chain, capsys)
    logging.disable(before)
    monkeypatch.undo()
    configuration.cache_clear()


def test_anchor_now_then_list_then_verify(site: Site) -> None:
    assert "no new checkpoint" in site.onsil("now", status=1)
    assert "nothing has been anchored" in site.onsil("list")
    site.grow(5)
    told = site.onsil("now")
    assert "confirmed" in told
    assert "proves nothing to outsiders" in told
    site.grow(3)
    (now,) = json.loads(site.onsil("now", CITY, "--json").partition("This is")[0])["anchors"]
    assert (now["size"], now["state"], now["development"]) == (8, "confirmed", True)
    listed = json.loads(site.onsil("list", "--json").partition("This is")[0])["anchors"]
    assert [one["size"] for one in listed] == [8, 5]
    assert listed[0]["transaction"] == now["transaction"]
    told = site.onsil("verify")
    assert told.count("held exactly") == 2
    assert now["transaction"] in told
    assert site.onsil("now").count("confirmed") == 1  # nothing new: what is there is told again
    assert len(site.records()) == 2


def test_an_outsider_needs_the_note_the_node_and_the_contract(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.grow(5)
    site.onsil("now")
    place = ["--rpc", site.chain.url, "--contract", site.contract]
    monkeypatch.setenv("ONSIL_DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    monkeypatch.setenv("ONSIL_DATA_FOLDER", "/nonexistent")
    configuration.cache_clear()
    note = site.folder / "checkpoint"
    told = site.onsil("verify", "--checkpoint", str(note), "--key", site.key, *place)
    assert "held exactly, in block" in told
    assert "signature was not checked" not in told
    hexadecimal = proof.parse_verifier_key(site.key)[1].hex()
    table = json.loads(site.onsil(
        "verify", "--checkpoint", str(note), "--key", hexadecimal, *place, "--json"
    ))  # fmt: skip
    assert [(one["holds"], one["size"], one["signature_checked"]) for one in table] == [
        (True, 5, True)
    ]
    assert "signature was not checked" in site.onsil("verify", "--checkpoint", str(note), *place)
    handler = partial(SimpleHTTPRequestHandler, directory=str(site.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/checkpoint"
        assert "held exactly" in site.onsil("verify", "--checkpoint", url, *place)
        site.onsil("verify", "--checkpoint", f"{url}-none", *place, status=1)
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_not_on_the_chain_is_found(site: Site, tmp_path: Path) -> None:
    site.grow(5)
    site.onsil("now")
    place = ["--rpc", site.chain.url, "--contract", site.contract]
    lines = (site.folder / "checkpoint").read_text().split("\n")
    forged, grown, broken = (tmp_path / name for name in ("forged", "grown", "broken"))
    forged.write_text("\n".join([*lines[:2], "A" * 43 + "=", *lines[3:]]))
    grown.write_text("\n".join([lines[0], "6", *lines[2:]]))
    broken.write_bytes(b"\xff\xfe\n")
    check = partial(site.onsil, "verify", *place)
    assert "two histories" in check("--checkpoint", str(forged), status=1)
    assert "does not hold size 6" in check("--checkpoint", str(grown), status=1)
    assert "not signed by this key" in check(
        "--checkpoint", str(forged), "--key", site.key, status=1
    )
    assert "not a checkpoint" in check("--checkpoint", str(broken), status=2)
    assert "no such file" in check("--checkpoint", "/nowhere", status=2)
    assert "--key wants" in check("--checkpoint", str(forged), "--key", "zz", status=2)
    other = ["--rpc", site.chain.url, "--contract", "0x" + "11" * 20]
    note = ["--checkpoint", str(site.folder / "checkpoint")]
    assert "not the OnsilAnchor contract" in site.onsil("verify", *note, *other, status=1)
    away = ["--rpc", "http://127.0.0.1:9", "--contract", site.contract]
    assert "does not answer" in site.onsil("verify", *note, *away, status=1)
    bad = ["--rpc", site.chain.url, "--contract", "0x12"]
    assert "not an address" in site.onsil("verify", *note, *bad, status=2)


def test_a_log_that_was_rewritten_at_home_is_found(site: Site) -> None:
    """Whatever is signed anew: the tiles served are not those that were anchored."""
    site.grow(5)
    site.onsil("now")
    tile = site.folder / "tile" / "0" / "000.p" / "5"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
    assert "two histories" in site.onsil("verify", status=1)
    tile.unlink()
    assert "missing" in site.onsil("verify", status=1)


def test_texts_are_korean_for_koreans(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSIL_LANGUAGE", "ko")
    assert "새로 기록할 체크포인트가 없습니다" in site.onsil("now", status=1)
    site.grow()
    assert "아무것도 증명하지 않습니다" in site.onsil("now")
    assert "체인에 그대로 있음" in site.onsil("verify")


def test_nothing_is_anchored_where_it_is_switched_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONSIL_EVM_RPC_URL", "off")
    configuration.cache_clear()
    site.grow()
    for command in ("now", "deploy", "verify"):
        assert "no EVM node" in site.onsil(command, status=2)


def test_a_node_of_ones_own_wants_its_number_and_a_key(
    site: Site, chain: Anvil, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def setting(name: str, value: object) -> None:
        monkeypatch.setenv(f"ONSIL_EVM_{name}", str(value))
        configuration.cache_clear()

    setting("RPC_URL", chain.url)
    site.grow(4)
    assert "give a key" in site.onsil("deploy", status=2)
    key = tmp_path / "key"
    key.write_text(bytes(chain.funded().account().key).hex())
    key.chmod(0o600)
    setting("KEY_FILE", key)
    assert "set evm_chain_id to the node's chain, 31337" in site.onsil("deploy", status=2)
    setting("CHAIN_ID", 31337)
    deployed = json.loads(site.onsil("deploy", "--json"))
    assert "--again" in site.onsil("deploy", status=1)
    setting("CONFIRMATIONS", 3)
    assert "pending" in site.onsil("now", "--wait", "1")
    chain.mine(3)
    assert "confirmed" in site.onsil("now")
    assert {record.contract for record in site.records()} == {deployed["contract"]}
    assert key.read_text() not in site.onsil("list") + site.onsil("verify")


@pytest.fixture
def session(site: Site) -> Iterator[Connection]:
    with connect(site.conf.dsn, ALL_CITIES, autocommit=True) as conn:
        yield conn


def test_the_role_anchors_once_a_day(site: Site, session: Connection) -> None:
    clock = FixedClock(SystemClock().now())
    role = anchoring.AnchorRole(site.conf, session, clock)
    role.turn()
    assert site.contract == ""  # nothing to anchor: the chain was not even asked
    site.grow(3)
    role.turn()
    role.turn()
    assert [(r.size, r.state) for r in site.records()] == [(3, "confirmed")]
    site.grow(2)
    role.turn()
    assert len(site.records()) == 1
    clock.advance(timedelta(days=1))
    role.turn()
    role.turn()
    assert [(r.size, r.state) for r in site.records()] == [(5, "confirmed"), (3, "confirmed")]


def test_the_role_tells_once_that_the_node_is_away_and_waits(
    site: Site, session: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    site.grow(3)
    role = anchoring.AnchorRole(site.conf, session, SystemClock())
    site.chain.stop()
    for _ in range(3):
        role.turn()
        role._next = 0.0
    told = [r.message for r in caplog.records if "does not answer" in r.message]
    assert len(told) == 1
    role.turn()
    waits = role._next
    assert waits > 0
    site.grow(1)  # signing goes on meanwhile
    site.chain.start()
    role.turn()
    assert site.records() == []  # not tried again yet
    role._next = 0.0
    role.turn()
    role.turn()
    assert [(r.size, r.state) for r in site.records()] == [(4, "confirmed")]


def test_a_local_chain_that_lost_its_blocks_is_filled_again(
    site: Site, session: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    site.grow(3)
    role = anchoring.AnchorRole(site.conf, session, SystemClock())
    role.turn()
    role.turn()
    site.chain.stop()
    site.chain.start()
    role._next_recheck = 0.0
    role.turn()
    assert any("has vanished" in r.message for r in caplog.records)
    anchoring.anchor_city_now(site.conf, CITY, SystemClock(), wait_s=20)
    assert [(r.size, r.state) for r in site.records()] == [(3, "confirmed")]
    assert site.onsil("verify").count("held exactly") == 1


def test_only_what_the_witnesses_have_seen_is_anchored(
    site: Site, session: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A policy asks for a quorum: what no witness has cosigned stays at home."""
    site.grow(2)
    witness = load_or_create_cosigner(tmp_path / "witness", "council.example")
    plan = tmp_path / "witnesses.toml"
    plan.write_text(
        "[[policy]]\nfrom = 2020-01-01\ntext = '''\n"
        f"witness council {witness.keys[-1].text} https://council.example/\nquorum council\n"
        "'''\n"
    )
    monkeypatch.setenv("ONSIL_WITNESSES", str(plan))
    configuration.cache_clear()
    conf, clock = configuration(), SystemClock()
    role = anchoring.AnchorRole(conf, session, clock)
    role.turn()
    assert site.records() == []
    log = proof.log_folder(conf.log_home, CITY, int(site.folder.name))
    signed = proof.latest(conf.log_home, CITY, proof.parse_verifier_key(site.key)[1])
    assert signed is not None
    stranger = load_or_create_cosigner(tmp_path / "stranger", "stranger.example")
    (site.folder / WITNESSED).write_text(
        signed.with_signatures(stranger.cosign(signed, clock.now())).note
    )
    role.turn()
    assert site.records() == []  # it lies where witnessed ones lie, but is not
    (site.folder / WITNESSED).unlink()
    cosigned = signed.with_signatures(witness.cosign(signed, clock.now()))
    publish(log, cosigned, proof.parse_verifier_key(site.key)[1], WITNESSED)
    site.grow(3)  # not cosigned yet
    role.turn()
    role.turn()
    assert [(r.size, r.state) for r in site.records()] == [(2, "confirmed")]


def test_where_another_process_anchors_the_role_stands_by(site: Site, session: Connection) -> None:
    site.grow(3)
    with connect(site.conf.dsn, CITY, autocommit=True) as other:
        assert anchors.try_lock(other)
        anchoring.AnchorRole(site.conf, session, SystemClock()).turn()
        assert site.records() == []


def test_a_damaged_chain_file_is_put_aside(site: Site) -> None:
    chain = LocalChain(site.conf.data_folder / "chain", 1)
    chain.prepare()
    (chain.home / "state.json").write_text('{"blocks": [')
    assert str(chain.home / "state.json") in chain.prepare()
    assert not (chain.home / "state.json").exists()
    assert (chain.home / "state.damaged").exists()


def test_a_leafs_anchor_is_the_smallest_that_covers_it(site: Site) -> None:
    for _ in range(3):
        site.grow(2)
        site.onsil("now")
    year = site.records()[0].year
    with connect(site.conf.dsn, CITY) as conn:
        found = [anchors.covering(conn, CITY, year, index, 6) for index in (0, 1, 2, 5)]
        assert [record.size for record in found if record] == [2, 2, 4, 6]
        assert anchors.covering(conn, CITY, year, 2, 3) is None
        assert anchors.covering(conn, CITY, year, 6, 9) is None
        assert anchors.covering(conn, CITY, year - 1, 0, 9) is None
        newest = anchors.latest_confirmed(conn, CITY)
    assert newest is not None
    assert newest.size == 6
