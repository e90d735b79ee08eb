"""A log in a folder and at a URL: the same objects, the same compare-and-swap, whatever fails."""

import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.conninfo import conninfo_to_dict
from witness_world import free_port

from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import connect
from onsil.core.ids import new_id
from onsil.core.refusal import OperationError
from onsil.proof import Checkpoint, LogHome, Signer, verify_published
from onsil.proof.home import WITNESSED, covering_checkpoint, publish, read_checkpoint
from onsil.proof.merkle import EMPTY_ROOT
from onsil.proof.store import FolderStore, HttpStore, LogStore
from onsil.proof.tiles import TiledLog, unpack_objects

CITY = "pyeongtaek"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CLOCK = FixedClock(NOW)
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))
SERVER = Path(__file__).with_name("store_server.py")


@dataclass
class Server:
    url: str
    folder: Path

    def fail(self, **how: int) -> None:
        query = "&".join(f"{name}={times}" for name, times in how.items())
        request = urllib.request.Request(f"{self.url}/-/fail?{query}", method="POST")  # noqa: S310
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


def running(folder: Path, token: str = "") -> Iterator[Server]:
    folder.mkdir()
    port = free_port()
    arguments = [sys.executable, str(SERVER), str(folder), str(port), *([token] if token else [])]
    with subprocess.Popen(arguments) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(200):
                try:
                    Server(url, folder).fail(error=0)
                    break
                except OSError:
                    time.sleep(0.05)
            yield Server(url, folder)
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch) -> None:
    """A server that fails is asked as often as ever, only sooner."""
    monkeypatch.setattr(proof.store, "_PAUSE_S", 0.005)


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    yield from running(tmp_path / "http")


@pytest.fixture(params=["folder", "http"])
def store(request, tmp_path) -> LogStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "folder")
    return HttpStore(request.getfixturevalue("server").url + "/below/here", timeout_s=3)


def test_objects_are_written_read_swapped_and_discarded(store):
    assert store.read("a/b") is None
    store.write({"a/b": b"1", "c": b"2"})
    content, version = store.read("a/b") or (b"", "")
    assert content == b"1"
    assert store.swap("a/b", b"3", version)
    assert not store.swap("a/b", b"4", version)
    assert not store.swap("a/b", b"4", None)
    assert store.swap("new", b"5", None)
    assert not store.swap("new", b"6", None)
    assert [(store.read(p) or [None])[0] for p in ("a/b", "c", "new")] == [b"3", b"2", b"5"]
    store.discard("new")
    store.discard("nothing")
    assert store.read("new") is None


def test_of_racing_swaps_one_wins(store):
    store.write({"x": b"0"})
    _, version = store.read("x") or (b"", "")
    ready, won = threading.Barrier(12), []

    def swap(n: int) -> None:
        ready.wait()
        if store.swap("x", b"%d" % n, version):
            won.append(b"%d" % n)

    threads = [threading.Thread(target=swap, args=(n + 1,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (store.read("x") or [b""])[0] == won[0]


@pytest.mark.parametrize("how", ["error", "drop", "lost", "conflict"])
def test_what_fails_once_over_http_is_done_once(server, how):
    store = HttpStore(server.url, timeout_s=3)
    server.fail(**{how: 1})
    if how != "conflict":
        store.write({"tile": b"t"})
        assert (store.read("tile") or [b""])[0] == b"t"
    assert store.swap("x", b"1", None)
    _, version = store.read("x") or (b"", "")
    server.fail(**{how: 1})
    assert store.swap("x", b"2", version)
    assert (store.read("x") or [b""])[0] == b"2"
    server.fail(**{how: 1})
    assert not store.swap("x", b"3", version)
    assert (store.read("x") or [b""])[0] == b"2"


def test_writers_of_one_object_do_not_take_each_others_drafts_away(tmp_path):
    store, failed = FolderStore(tmp_path / "log"), []

    def write(content: bytes) -> None:
        try:
            for _ in range(40):
                store.write({"a/b": content})
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(bytes([n]) * 9,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert (store.read("a/b") or (b"", ""))[0] in [bytes([n]) * 9 for n in range(6)]
    assert [path.name for path in (tmp_path / "log/a").iterdir()] == ["b"]


def test_a_server_that_stays_down_is_named_and_may_be_tried_again(server):
    store = HttpStore(server.url, timeout_s=3)
    server.fail(error=100)
    with pytest.raises(OperationError, match="PUT failed") as caught:
        store.write({"x": b"1"})
    assert caught.value.retry
    with pytest.raises(OperationError, match="PUT failed"):
        store.swap("x", b"1", None)
    with pytest.raises(OperationError, match="GET failed"):
        HttpStore(f"http://127.0.0.1:{free_port()}", timeout_s=1).read("x")


def test_a_token_is_asked_for_and_kept_out_of_messages(tmp_path):
    for server in running(tmp_path / "closed", token="secret-token"):
        HttpStore(server.url, "secret-token").write({"x": b"1"})
        with pytest.raises(OperationError, match="401") as caught:
            HttpStore(server.url, "other").write({"x": b"1"})
        assert "other" not in str(caught.value)
        url = server.url.replace("http://", "http://name:pass@")
        with pytest.raises(OperationError) as caught:
            HttpStore(url).read("x")
        assert "pass" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://x/", "file:///etc", "nothing", ""])
def test_only_http_addresses_are_stores(url):
    with pytest.raises(OperationError, match="not an http"):
        HttpStore(url)


def test_a_server_without_strong_tags_cannot_keep_a_record():
    with pytest.raises(OperationError, match="strong ETag"):
        HttpStore("http://127.0.0.1:9").swap("x", b"1", 'W/"weak"')


def rows(conn, count: int) -> None:
    proof.append_many(conn, CITY, "claim", [(new_id(), {"n": n}) for n in range(count)])


class Nothing:
    def entries(self, conn, city):
        yield from ()


def homes(server: Server, tmp_path: Path) -> dict[str, LogHome]:
    return {"http": LogHome(server.url), "folder": LogHome(tmp_path / "log", tmp_path / "signed")}


@pytest.mark.parametrize("kind", ["http", "folder"])
def test_a_log_is_kept_grown_and_verified_at_either(fresh_database, server, tmp_path, kind):
    home = homes(server, tmp_path)[kind]
    with connect(fresh_database, CITY) as conn:
        for count in (3, 300, 500):
            rows(conn, count)
            conn.commit()
            held = proof.sequence(conn, CITY, home, SIGNER, CLOCK)
            conn.commit()
        assert held is not None
        assert held.size == 803
        report = proof.verify(conn, CITY, home, {})
        assert [f.code for f in report.findings] == ["kind-unverified"]
        assert report.leaves == 803
        told = proof.status(conn, CITY, home)
        assert (told.checkpoint, told.problem) == (held, "")
    assert home.years(CITY) == [2026]
    place = f"{server.url}/{CITY}/2026" if kind == "http" else FolderStore(
        tmp_path / "log" / CITY / "2026")  # fmt: skip
    keys = SIGNER.verifier_keys(held.origin)
    seen = Checkpoint(held.origin, 0, EMPTY_ROOT)
    check = verify_published(place, keys, seen=[seen, held])
    assert (check.findings, check.leaves) == ([], 803)


@pytest.mark.parametrize("how", [{"drop": 3}, {"lost": 3}, {"error": 3}, {"error": 9}, {"drop": 6}])
def test_a_failing_server_leaves_one_history(fresh_database, server, how):
    """The sequencer is tried again until it gets through; what is shown always grows."""
    home, shown = LogHome(server.url), []
    with connect(fresh_database, CITY) as conn:
        for turn in range(4):
            rows(conn, 100)
            conn.commit()
            server.fail(**(how if turn else {"error": 0}))
            for _ in range(30):
                try:
                    proof.sequence(conn, CITY, home, SIGNER, CLOCK)
                    conn.commit()
                    break
                except OperationError:
                    conn.rollback()
            held = proof.latest(home, CITY, SIGNER.public_key)
            assert held is not None
            shown.append(held)
        assert [c.size for c in shown] == [100, 200, 300, 400]
        assert [f.code for f in proof.verify(conn, CITY, home, {}).findings] == ["kind-unverified"]
    keys = SIGNER.verifier_keys(shown[-1].origin)
    assert verify_published(f"{server.url}/{CITY}/2026", keys, seen=shown).ok


@pytest.mark.parametrize("kind", ["http", "folder"])
def test_two_sequencers_with_databases_of_their_own_never_sign_two_histories(
    postgres, fresh_database, server, tmp_path, kind
):
    """A copy of the database at work beside the first: one of the two is refused, for good."""
    home = homes(server, tmp_path)[kind]
    with connect(fresh_database, CITY) as conn:
        rows(conn, 5)
        conn.commit()
        proof.sequence(conn, CITY, home, SIGNER, CLOCK)
    copy = f"copy_{new_id().hex[:12]}"
    dsn = postgres.create_database(copy, str(conninfo_to_dict(fresh_database)["dbname"]))
    try:
        shown, refused = [], []

        def work(dsn: str) -> None:
            with connect(dsn, CITY) as conn:
                for _ in range(8):
                    rows(conn, 7)
                    conn.commit()
                    try:
                        shown.append(proof.sequence(conn, CITY, home, SIGNER, CLOCK))
                        conn.commit()
                    except OperationError as error:
                        refused.append(str(error))
                        conn.rollback()

        threads = [threading.Thread(target=work, args=(each,)) for each in (fresh_database, dsn)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        postgres.drop_database(copy)
    assert refused
    assert all("another sequencer" in r or "second history" in r for r in refused)
    signed = [held for held in shown if held is not None]
    assert len({held.size for held in signed}) == len(signed) == 8
    final = max(signed, key=lambda held: held.size)
    place = home.log(CITY, 2026).store
    assert verify_published(place, SIGNER.verifier_keys(final.origin), seen=signed).ok


@pytest.mark.parametrize(("times", "told"), [(1, None), (9, "again and again")])
def test_a_folder_that_another_clears_is_written_to_again(tmp_path, monkeypatch, times, told):
    taken = []
    replace = Path.replace

    def cleared(draft, target):
        if len(taken) < times:
            taken.append(shutil.rmtree(draft.parent))
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", cleared)
    store = FolderStore(tmp_path)
    with pytest.raises(OperationError, match=told) if told else nullcontext():
        store.write({"staging/12": b"tiles"})
    assert (store.read("staging/12") or [None])[0] == (None if told else b"tiles")


def test_publishing_never_goes_back_and_gathers_signatures(tmp_path):
    log = TiledLog(FolderStore(tmp_path))
    one = SIGNER.sign_checkpoint(Checkpoint("l", 1, bytes(32)), NOW)
    two = SIGNER.sign_checkpoint(Checkpoint("l", 2, bytes(32)), NOW)
    key = SIGNER.public_key
    publish(log, two, key)
    publish(log, one, key)
    assert (read_checkpoint(log, key) or one).size == 2
    stranger = Signer(Ed25519PrivateKey.from_private_bytes(b"x" * 32)).signature(two.text, "w")
    publish(log, two.with_signatures([stranger]), key)
    publish(log, two, key)
    assert len((read_checkpoint(log, key) or one).signatures) == 2
    forked = SIGNER.sign_checkpoint(Checkpoint("l", 2, b"x" * 32), NOW)
    with pytest.raises(OperationError, match="another root"):
        publish(log, forked, key)


def test_a_receipt_takes_the_witnessed_checkpoint_while_it_covers_the_leaf(tmp_path):
    log = TiledLog(FolderStore(tmp_path))
    key = SIGNER.public_key
    for size, name in ((5, WITNESSED), (9, "checkpoint")):
        publish(log, SIGNER.sign_checkpoint(Checkpoint("l", size, bytes(32)), NOW), key, name)
    found = [covering_checkpoint(log, index, key) for index in (4, 5, 8, 9)]
    assert [held.size if held else None for held in found] == [5, 9, 9, None]


@pytest.mark.parametrize("raw", [b"x", b"\x00\x05\x00\x00\x00\x01ab"])
def test_a_staged_growth_that_was_cut_is_noticed(raw):
    with pytest.raises(OperationError, match="cut short"):
        unpack_objects(raw)


def test_a_published_log_tells_what_was_touched(conn, tmp_path):
    home = LogHome(tmp_path / "log", tmp_path / "signed")
    rows(conn, 600)
    held = proof.sequence(conn, CITY, home, SIGNER, CLOCK)
    assert held is not None
    folder = tmp_path / "log" / CITY / "2026"
    keys = SIGNER.verifier_keys(held.origin)
    stranger = Signer(Ed25519PrivateKey.from_private_bytes(b"x" * 32)).verifier_keys(held.origin)
    other = Checkpoint(held.origin, 300, b"x" * 32)
    larger = Checkpoint(held.origin, 700, b"x" * 32)
    store = FolderStore(folder)
    assert verify_published(store, keys).ok
    assert not verify_published(store, stranger).ok
    assert not verify_published(store, []).ok
    for seen in (other, larger):
        assert "has not grown" in verify_published(store, keys, seen=[seen]).findings[0][1]
    for name in ("tile/0/000", "tile/1/000.p/2", "tile/entries/001", "checkpoint"):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw[:50] + bytes([raw[50] ^ 1]) + raw[51:])
        check = verify_published(store, keys)
        assert len(check.findings) == 1
        (folder / name).write_bytes(raw)
    assert verify_published(store, keys).ok
