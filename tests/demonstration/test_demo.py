"""`onsil demo` as a new user runs it: once, again, and after somebody has altered a row."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onsil.configuration import embedded_home
from onsil.supervisor.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
# Simulated devices, their health, jobs and the log go on by themselves; all of this stays.
STAYING = ("footprint_", "rewards_", "citizen_", "building_", "ledger_leg")
CLAIM = "SELECT min(id::text)::uuid FROM footprint_claim WHERE programme = 'kr-offset'"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Installation:
    """A data folder of its own and the command line that works on it."""

    def __init__(self, folder: Path) -> None:
        web, hub, live, mqtt, evm, witness = _free_ports(6)
        self.folder = folder
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("ONSIL_")
        } | {
            "ONSIL_DATA_FOLDER": str(folder),
            "ONSIL_CITIES_FOLDER": str(ROOT / "cities"),
            "ONSIL_WEB_PORT": str(web),
            "ONSIL_HUB_PORT": str(hub),
            "ONSIL_LIVE_PORT": str(live),
            "ONSIL_MQTT_PORT": str(mqtt),
            "ONSIL_EVM_PORT": str(evm),
            "ONSIL_WITNESS_PORT": str(witness),
            "ONSIL_LANGUAGE": "en",
            "DJANGO_SETTINGS_MODULE": "onsil.web.settings",
            "COLUMNS": "160",
        }
        self.server = EmbeddedPostgres.at(embedded_home(folder))

    def onsil(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("onsil")), *arguments],
            env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False,
            timeout=600,
        )  # fmt: skip

    def counts(self) -> dict[str, int]:
        self.server.start()
        try:
            with psycopg.connect(self.server.dsn()) as connection:
                tables = connection.execute(
                    """SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')
                    AND relnamespace = 'public'::regnamespace AND NOT relispartition"""
                ).fetchall()
                return {
                    table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
                    for (table,) in tables
                    if table.startswith(STAYING)
                }
        finally:
            self.server.stop()

    def alter(self, statement: str) -> str:
        """Run a statement as the database's owner; the first column of what it returns."""
        self.server.start()
        try:
            with psycopg.connect(self.server.dsn()) as connection:
                return str(connection.execute(statement).fetchone()[0])
        finally:
            self.server.stop()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("demo"))
    yield made
    made.server.remove()


@pytest.fixture(scope="module")
def first_run(installation: Installation) -> subprocess.CompletedProcess[str]:
    return installation.onsil("demo", "--exit")


def test_the_loop_runs_and_every_check_holds(first_run: subprocess.CompletedProcess[str]):
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    assert "all checks hold" in first_run.stdout
    assert re.search(r"readings in\s+2\d\d,\d{3}", first_run.stdout)
    assert re.search(r"tonnes out \(tCO2e\)\s+2\.2906", first_run.stdout)
    assert re.search(r"leaves checked", first_run.stdout)
    assert re.search(
        r"full offset route\s+180 t certified and issued, orders of 35 t", first_run.stdout
    )
    assert re.search(r"second claims refused\s+4", first_run.stdout)
    assert re.search(r"evidence accepted by the second program\s+5", first_run.stdout)
    assert re.search(r"inventories .* 2024: \d,\d{3}\.\d / \d,\d{3}\.\d · 2025: ", first_run.stdout)


def test_a_second_start_adds_nothing(
    installation: Installation, first_run: subprocess.CompletedProcess[str]
):
    assert first_run.returncode == 0
    before = installation.counts()
    again = installation.onsil("demo", "--exit")
    assert again.returncode == 0, again.stdout + again.stderr
    after = installation.counts()
    assert {"footprint_run", "footprint_unit_event", "footprint_inventory_version"} <= set(before)
    assert after == before
    assert re.search(r"readings in\s+[\d,]+ \(new 0\)", again.stdout)


def test_an_altered_row_is_named(
    installation: Installation, first_run: subprocess.CompletedProcess[str]
):
    assert first_run.returncode == 0
    assert installation.onsil("verify").returncode == 0
    altered = installation.alter(
        f"UPDATE footprint_claim SET co2e_t = co2e_t + 1 WHERE id = ({CLAIM}) RETURNING id"  # noqa: S608
    )
    found = installation.onsil("verify")
    assert found.returncode == 1
    assert f"claim {altered}" in found.stdout
    assert len([line for line in found.stdout.splitlines() if altered in line]) == 1
    installation.alter(
        f"UPDATE footprint_claim SET co2e_t = co2e_t - 1 WHERE id = ({CLAIM}) RETURNING id"  # noqa: S608
    )
    assert installation.onsil("verify").returncode == 0
