"""Drills an operator would hold: a damaged file, a deleted tile, an old backup put back."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation, base_backup, flip_a_bit, offline, restore, until

from onsil import ledger, proof
from onsil.core.clock import SystemClock
from onsil.core.database import connect
from onsil.ledger import AccountSpec, Leg, LotTerms, TransferRequest
from onsil.supervisor.postgres import program

CITY = "pyeongtaek"
LOCAL = f"local:{CITY}"
CLOCK = SystemClock()
CITIES = Path(__file__).parents[2] / "cities"
TEMPLATE = "onsil_template"


LEAVES = 5


@pytest.fixture(scope="module")
def signed_once(postgres, tmp_path_factory) -> Iterator[Installation]:
    """An installation with some charges, logged and signed by its role, stopped again."""
    made = Installation(tmp_path_factory.mktemp("once") / "city", CITIES)
    made.folder.mkdir()
    try:
        made.take_over(postgres, TEMPLATE)
        post(made, 0, LEAVES)
        with made.role("proof"):
            until(lambda: signed(made) == LEAVES)
        made.server.stop()
        yield made
    finally:
        made.server.remove()


@pytest.fixture
def installation(signed_once, tmp_path) -> Iterator[Installation]:
    """A running copy of it, to do harm to."""
    made = Installation(tmp_path / "city", CITIES)
    shutil.copytree(signed_once.folder, made.folder)
    try:
        restore(signed_once.server.home, made.server)
        made.server.start()
        yield made
    finally:
        made.server.remove()


def post(installation: Installation, first: int, count: int) -> None:
    """Charges of one won each, numbered from `first`."""
    with connect(installation.dsn, CITY) as conn:
        ledger.open_accounts(
            conn,
            CITY,
            [
                AccountSpec("external:bank", "KRW", minimum=None),
                AccountSpec("trust:local", "KRW"),
                AccountSpec("issuer:local", LOCAL, minimum=None),
                AccountSpec("citizen:1", LOCAL, lots=True),
            ],
        )
        charges = [
            TransferRequest(
                f"charge-{n}",
                "charge",
                (
                    Leg("issuer:local", "citizen:1", LOCAL, 1, LotTerms("own")),
                    Leg("external:bank", "trust:local", "KRW", 1),
                ),
                memo=f"note-{n}",
            )
            for n in range(first, first + count)
        ]
        assert all(ledger.post(conn, CITY, charges, CLOCK).values())


def signed(installation: Installation) -> int:
    """How many leaves the newest checkpoint on disk holds."""
    folder = installation.folder / "log"
    years = proof.log_years(folder, CITY)
    if not years:
        return 0
    key = proof.published_key(folder, CITY, years[-1])
    held = proof.latest(folder, CITY, key)
    return held.size if held else 0


def test_an_old_backup_put_back_is_refused_a_second_history(installation, tmp_path):
    """The database is restored, the log is not: nothing is signed, and verification says why."""
    backup = tmp_path / "backup"
    base_backup(installation.server, backup)
    post(installation, LEAVES, 4)
    with installation.role("proof"):
        until(lambda: signed(installation) == LEAVES + 4)
    checkpoint = next((installation.folder / "log").rglob("checkpoint"))
    before = checkpoint.read_bytes()

    restore(backup, installation.server)
    installation.server.start()
    post(installation, 100, 3)  # another history begins
    with installation.role("proof") as words:
        until(lambda: "Refusing to sign a second history" in words.read_text())
    assert checkpoint.read_bytes() == before
    told = installation.onsil("verify", "--city", CITY)
    assert told.returncode == 1
    assert "database-behind" in told.stdout


def test_a_flipped_bit_in_a_table_is_named(installation):
    server = installation.server
    damaged = flip_a_bit(server, "ledger_leg", b"")
    checked = offline(server, "pg_checksums", "--check")
    assert checked.returncode == 1
    assert f'checksum verification failed in file "{server.home}/{damaged}"' in checked.stderr
    server.start()
    amchecked = subprocess.run(
        [str(program("pg_amcheck")), "--install-missing", "-t", "ledger_leg", "onsil"],
        env={"PGHOST": str(server.socket_folder), "PGUSER": "onsil"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert amchecked.returncode != 0
    assert "invalid page" in amchecked.stdout + amchecked.stderr
    told = installation.onsil("verify", "--city", CITY)
    assert told.returncode == 1
    assert "invalid page" in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr


def test_a_flipped_bit_that_escapes_the_checksums_is_named_by_the_log(installation):
    """Without PostgreSQL's checksums the damaged row reads well, but is not what was logged."""
    flip_a_bit(installation.server, "ledger_leg", b"note-3")
    assert offline(installation.server, "pg_checksums", "--disable").returncode == 0
    installation.server.start()
    told = installation.onsil("verify", "--city", CITY)
    assert told.returncode == 1
    assert told.stdout.count("row-altered") == 1


def test_a_damaged_tile_is_named(installation):
    log = installation.folder / "log"
    for tile in log.rglob("tile/0/*"):
        for path in [tile] if tile.is_file() else tile.rglob("*"):
            if path.is_file():
                raw = bytearray(path.read_bytes())
                raw[7] ^= 1
                path.chmod(0o644)
                path.write_bytes(raw)
    told = installation.onsil("verify", "--city", CITY)
    assert told.returncode == 1
    assert "log-damaged" in told.stdout
    shutil.rmtree(log)
    told = installation.onsil("verify", "--city", CITY)
    assert told.returncode == 1, "a log that is gone is not a log without findings"
