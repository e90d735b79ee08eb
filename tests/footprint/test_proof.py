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


# What the city of this test has rows of; other kinds have tests beside what they stand for.
_SEALED = {
    "quantification", "claim", "issuance", "retirement", "factor-set", "route", "project-step",
}  # fmt: skip


def test_an_untouched_city_verifies(sealed):
    conn, folder = sealed
    assert ours(check(conn, folder)) == set()
    for kind, source in footprint.entry_sources.items():
        found = list(source.entries(conn, CITY))
        assert found or kind not in _SEALED, kind
        for subject, entry in found[:1]:
            assert footprint.entry_of(conn, CITY, kind, subject) == entry


_ALTERATIONS = [
    ("quantification", "UPDATE footprint_run SET co2e_t = co2e_t + 1"),
    ("claim", "UPDATE footprint_claim_line SET amount = amount + 1"),
    ("claim", "UPDATE footprint_claim SET programme = 'voluntary'"),
    ("issuance", "UPDATE footprint_batch SET vintage = 2030"),
    ("retirement", "UPDATE footprint_retirement SET beneficiary = '다른 기업'"),
    ("factor-set", "UPDATE footprint_factor_set SET content = content || ' '"),
    ("retirement", "DELETE FROM footprint_retirement"),
    ("project-step", "UPDATE footprint_project_step SET actor = 'somebody else'"),
    ("route", "UPDATE footprint_route SET created_at = created_at + interval '1 day'"),
]


def test_each_altered_row_is_named(sealed, fresh_database):
    """By the database's owner, one alteration at a time, taken back after the log was asked."""
    _, folder = sealed
    named = []
    for _, statement in _ALTERATIONS:
        with psycopg.connect(fresh_database) as superuser:
            superuser.execute("SELECT set_config('onsil.city', %s, true)", (CITY,))
            superuser.execute(statement)  # pyright: ignore
            report = check(superuser, folder)
            assert not report.ok, statement
            named.append(ours(report))
            superuser.rollback()
    assert named == [{kind} for kind, _ in _ALTERATIONS]
