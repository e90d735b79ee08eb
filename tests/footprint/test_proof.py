"""The log notices when a number of this room is altered behind its back."""

from pathlib import Path

import psycopg
import pytest
from footprint_world import CITY, World

from onsil import footprint, proof
from onsil.core.database import Connection


@pytest.fixture
def sealed(connector, tmp_path: Path):
    """A city whose loop ran once and was put into the log; gives connection and folder."""
    conn: Connection = connector()
    world = World(conn)
    batch = world.issued("10")
    world.company("company:a", 100_000)
    footprint.list_for_sale(conn, CITY, batch.id, 2, 100, "o", world.clock)
    footprint.buy(conn, CITY, batch.id, "company:a", 2, 100, "b", "a", world.clock)
    made = footprint.retire(
        conn, CITY, batch.id, "company:a", 1, "수혜 기업", "상쇄", "r", "a", world.clock
    )
    assert isinstance(made, footprint.Retirement)
    conn.commit()
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    proof.sequence(conn, CITY, tmp_path / "log", signer, world.clock)
    conn.commit()
    return conn, tmp_path / "log"


def check(conn: Connection, folder: Path) -> proof.VerifyReport:
    return proof.verify(conn, CITY, folder, footprint.entry_sources)


def ours(report: proof.VerifyReport) -> set[str]:
    return {finding.kind for finding in report.findings} & set(footprint.entry_sources)


def test_an_untouched_city_verifies(sealed):
    conn, folder = sealed
    assert ours(check(conn, folder)) == set()
    for kind, source in footprint.entry_sources.items():
        found = list(source.entries(conn, CITY))
        assert found, kind
        assert footprint.entry_of(conn, CITY, kind, found[0][0]) == found[0][1]


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("quantification", "UPDATE footprint_run SET co2e_t = co2e_t + 1"),
        ("claim", "UPDATE footprint_claim_line SET amount_wh = amount_wh + 1"),
        ("claim", "UPDATE footprint_claim SET programme = 'voluntary'"),
        ("issuance", "UPDATE footprint_batch SET vintage = 2030"),
        ("retirement", "UPDATE footprint_retirement SET beneficiary = '다른 기업'"),
        ("factor-set", "UPDATE footprint_factor_set SET content = content || ' '"),
        ("retirement", "DELETE FROM footprint_retirement"),
    ],
)
def test_an_altered_row_is_named(sealed, fresh_database, kind, statement):
    conn, folder = sealed
    with psycopg.connect(fresh_database) as superuser:
        superuser.execute(statement)
    report = check(conn, folder)
    assert not report.ok
    assert kind in ours(report)
