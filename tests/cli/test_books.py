"""`onsil statement` and `onsil books …` on a real database, as an operator types them."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.reconciliation.town import CITY, HEAD, Town, found
from onsil.core.clock import SystemClock
from onsil.core.database import Connection
from onsil.core.periods import local_day
from onsil.tenancy.cities import city as city_profile

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def onsil(fresh_database: str, connector: Callable[..., Connection], tmp_path: Path) -> Run:
    """The command on a database in which 50,000 won were charged today."""
    with connector() as conn:
        town: Town = found(conn)
        town.clock.instant = SystemClock().now()
        town.charge("c1", 50_000)
    environment = {**os.environ, "ONSIL_DATABASE_URL": fresh_database, "ONSIL_LANGUAGE": "en",
                   "ONSIL_DATA_FOLDER": str(tmp_path / "data")}  # fmt: skip
    environment.pop("ONSIL_OWNER", None)

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "onsil.cli", *words], env=environment, capture_output=True,
            check=False,
        )  # fmt: skip

    return run


def _today() -> date:
    return local_day(SystemClock().now(), city_profile(CITY).zone)


def test_a_statement_is_written_to_a_file_or_to_standard_output(onsil: Run, tmp_path: Path):
    span = ["--from", str(_today()), "--until", str(_today() + timedelta(days=1))]
    shown = onsil("statement", "trust:local", "KRW", *span)
    assert shown.returncode == 0, shown.stderr
    assert b"50000" in shown.stdout
    assert shown.stdout.startswith(b"\xef\xbb\xbf")
    path = tmp_path / "trust.pdf"
    written = onsil("statement", "trust:local", "KRW", *span, "--format", "pdf", "--out", str(path))
    assert written.returncode == 0, written.stderr
    assert path.read_bytes().startswith(b"%PDF-")
    nobody = onsil("statement", "trust:nobody", "KRW", *span)
    assert (nobody.returncode, nobody.stdout) == (1, b"")
    assert b"There is no account" in nobody.stderr
    wrong = onsil("statement", "trust:local", "KRW", *span, "--format", "doc")
    assert wrong.returncode == 2


def test_a_bank_file_is_brought_in_and_a_day_closed(onsil: Run, tmp_path: Path):
    file = tmp_path / "bank.csv"
    day = _today()
    file.write_text(f"{HEAD}\n{day},10:00,0,lots,,,,,\n", "utf-8")
    bring = ("books", "import", str(file), "--account", "trust", "--format", "bank-csv")
    bad = onsil(*bring)
    assert bad.returncode == 1
    assert b"not an amount in whole won" in bad.stdout
    file.write_text(f"{HEAD}\n{day},10:00,0,50000,50000,,,,\n", "utf-8")
    good = onsil(*bring)
    assert good.returncode == 0, good.stderr
    assert b"1 new lines, 1 matches, 0 open" in good.stdout
    early = onsil("books", "close", str(day))
    assert early.returncode == 1
    assert b"is not over yet" in early.stderr
    done = onsil("books", "close", str(day - timedelta(days=1)))
    assert done.returncode == 0, done.stderr
    assert b"closed, hash" in done.stdout
    assert onsil("books", "close", "soon").returncode == 2
