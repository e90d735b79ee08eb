"""`onsil verify`: receipts alone, the anchor asked on a real chain, a published log over HTTP."""

import json
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evm_chain import anvil
from onsil import proof
from onsil.cli.main import run
from onsil.configuration import configuration
from onsil.core.clock import SystemClock
from onsil.core.database import connect, transaction
from onsil.core.ids import new_id
from onsil.supervisor.sequencing import sequence_once
from proof.receipt_samples import CITY, Sample, sample


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSIL_LANGUAGE", "en")


@pytest.fixture
def made() -> Sample:
    return sample()


@pytest.fixture
def kept(tmp_path: Path, made: Sample) -> tuple[str, str]:
    """The receipt's file and the policy's."""
    (tmp_path / "receipt.txt").write_text(made.text, "utf-8")
    (tmp_path / "policy.txt").write_text(made.policy, "utf-8")
    return str(tmp_path / "receipt.txt"), str(tmp_path / "policy.txt")


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    got = run(["verify", *arguments])
    said = capsys.readouterr()
    assert got == status, said.out + said.err
    return said.out + said.err


def test_a_receipt_is_told_in_both_languages(kept, capsys, monkeypatch):
    receipt, policy = kept
    english = told(capsys, receipt, "--policy", policy)
    assert english.startswith("valid\n")
    assert "cosigned by C 2026-02-02T02:40:00Z" in english
    monkeypatch.setenv("ONSIL_LANGUAGE", "ko")
    korean = told(capsys, receipt, "--policy", policy)
    assert korean.startswith("맞습니다\n")
    assert "빵 ☕ 😀" in korean


def test_as_json_it_says_what_the_stand_alone_program_says(kept, made: Sample, capsys):
    receipt, policy = kept
    shown = json.loads(told(capsys, receipt, "--policy", policy, "--json"))
    assert shown == dict(proof.verify_receipt(made.text.encode(), [], made.policy).shown)
    assert shown["quorum"] == {"met": True, "signed": 3, "known": 3}


def test_wrong_things_are_named_one_by_one(kept, made: Sample, capsys):
    receipt, policy = kept
    text = made.text.replace("index 7", "index 8")
    Path(receipt).write_text(text.replace("\n13\n", "\n14\n"), "utf-8")
    said = told(capsys, receipt, "--policy", policy, status=1)
    assert said.startswith("NOT valid\n")
    assert said.count("✗ The signature of ") == 4  # the log's and three witnesses'
    assert "✗ The leaf is not in the signed tree." in said
    assert "✗ Too few witnesses have signed: 0/3" in said


def test_keys_are_taken_as_names_or_hex(kept, made: Sample, capsys):
    receipt, _ = kept
    public = proof.parse_verifier_key(made.log_key)[1].hex()
    for key in (made.log_key, public):
        assert told(capsys, receipt, "--key", key).startswith("valid\n")
    assert "No log that you trust" in told(capsys, receipt, "--key", "00" * 32, status=1)


def test_what_cannot_be_used_is_bad_input(kept, made: Sample, capsys):
    receipt, policy = kept
    witness = made.witnesses[0].key
    for arguments in (
        [receipt], [receipt, "--key", "xyz"], [receipt, "--policy", receipt],
        [receipt, "--key", witness], [policy + "x", "--key", "x"],
    ):  # fmt: skip
        assert len(told(capsys, *arguments, status=2).splitlines()) == 1


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def site(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An installation with a log of a few hundred leaves; one of them is `site.subject`."""
    for name, value in {
        "DATA_FOLDER": tmp_path, "DATABASE_URL": fresh_database, "SECRET_KEY": "x",
        "MQTT_USERNAME": "x", "MQTT_PASSWORD": "x", "EVM_RPC_URL": "off",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"ONSIL_{name}", str(value))
    configuration.cache_clear()
    before = logging.root.manager.disable
    made = Site(fresh_database)
    made.grow(300)
    yield made
    logging.disable(before)
    monkeypatch.undo()
    configuration.cache_clear()


class Site:
    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.subject = new_id()

    def grow(self, leaves: int) -> None:
        with transaction(self.dsn, CITY) as conn:
            if proof.leaf(conn, CITY, "probe", self.subject) is None:
                proof.append(conn, CITY, "probe", self.subject, {"number": -1})
            proof.append_many(
                conn, CITY, "probe", [(new_id(), {"number": n}) for n in range(leaves)]
            )
        with connect(self.dsn, CITY, autocommit=True) as conn:
            sequence_once(conn, configuration(), CITY, SystemClock())

    @property
    def folder(self) -> Path:
        return next(configuration().log_folder.glob(f"{CITY}/[0-9]*"))

    @property
    def key(self) -> str:
        return (self.folder / "verifier-key").read_text("utf-8").strip()

    def receipt(self, path: Path) -> str:
        with transaction(self.dsn, CITY) as conn:
            folder = configuration().log_folder
            text = proof.receipt(conn, CITY, "probe", self.subject, folder, {"number": -1})
        assert isinstance(text, str), text
        path.write_text(text, "utf-8")
        return str(path)


def test_the_anchor_is_asked_on_the_chain(site: Site, tmp_path: Path, capsys, monkeypatch):
    """The receipt is younger than the anchor: it carries the way up to the anchored tree too."""
    with anvil() as chain:
        monkeypatch.delenv("ONSIL_EVM_RPC_URL")
        monkeypatch.setenv("ONSIL_EVM_PORT", str(chain.port))
        configuration.cache_clear()
        before = site.receipt(tmp_path / "before.txt")
        assert run(["anchor", "now"]) == 0
        site.grow(50)
        receipt = site.receipt(tmp_path / "receipt.txt")
        shown = json.loads(told(capsys, receipt, "--key", site.key, "--rpc", chain.url, "--json"))
        assert (shown["valid"], shown["anchored"]) == (True, True)
        assert (shown["anchor"]["size"], shown["leaf"]["size"]) == (301, 351)
        assert shown["anchor"]["transaction"].startswith("0x")
        said = told(capsys, receipt, "--key", site.key, "--rpc", chain.url)
        assert "proves nothing to outsiders" in said
        none = told(capsys, before, "--key", site.key, "--rpc", chain.url, status=1)
        assert "names no chain" in none
        with anvil() as other:
            said = told(capsys, receipt, "--key", site.key, "--rpc", other.url, status=1)
            assert said.startswith("valid\n")


def test_a_published_log_is_verified_from_its_files(site: Site, tmp_path: Path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(site.folder, copy)
    with served(copy) as address:
        assert "301 leaves, all true" in told(capsys, "--log", address, "--key", site.key)
        trusting = told(capsys, "--log", address)
        assert "published at the address is trusted" in trusting
        other = sample().log_key
        told(capsys, "--log", address, "--key", other, status=1)
        tile = copy / "tile/0/000"
        raw = bytearray(tile.read_bytes())
        raw[100] ^= 1
        tile.write_bytes(raw)
        assert "✗" in told(capsys, "--log", address, "--key", site.key, status=1)


def test_without_a_file_the_whole_log_is_held_against_the_rows(site: Site, capsys):
    said = told(capsys, "--city", CITY, status=1)
    assert "kind-unverified" in said  # nobody reads a probe again


def test_erasing_is_a_command_too(site: Site):
    def onsil(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "onsil.cli", "erase", *arguments, "--city", CITY]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    nobody = onsil("person", "nobody@demo.invalid")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "nobody of that address" in nobody.stderr
    assert onsil("record", "nobody@demo.invalid", "transfer", "x").returncode == 2
    due = onsil("due")
    assert (due.returncode, due.stdout) == (0, f"{CITY}: 0 erased\n")
