"""The log notices when a number of this room is altered behind its back."""

from pathlib import Path

import psycopg
import pytest
from footprint_world import CITY, World

from onsil import footprint, proof
from onsil.core.database import Connection
from onsil.footprint.quality import Finding, keep


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
    "inspection", "quantification", "claim", "issuance", "retirement", "factor-set", "route",
    "project-step",
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
    ("inspection", "UPDATE footprint_quality_finding SET severity = 'warning'"),
    ("inspection", "UPDATE footprint_quality_finding SET subject = subject || 'x'"),
    ("inspection", "DELETE FROM footprint_quality_finding"),
    ("inspection", "UPDATE footprint_inspection SET actor = 'somebody else'"),
    ("inspection", "UPDATE footprint_inspection SET logged = false"),
    (
        "inspection",
        """INSERT INTO footprint_inspection (city, id, run_id, number, actor, created_at)
        SELECT city, gen_random_uuid(), run_id, number + 1, actor, created_at
        FROM footprint_inspection""",
    ),
    (
        "inspection",
        """ALTER TABLE footprint_inspection DISABLE TRIGGER ALL;
        INSERT INTO footprint_inspection (city, id, run_id, number, actor, created_at, logged)
        SELECT city, gen_random_uuid(), run_id, number + 1, actor, created_at, false
        FROM footprint_inspection""",
    ),
]


def test_looks_of_before_the_log_held_them_still_verify(
    connector, fresh_database, tmp_path: Path, monkeypatch
):
    """A run whose findings were kept without a leaf; what comes later has one again."""
    conn: Connection = connector()
    world = World(conn)
    append = proof.append

    def without(conn: Connection, city: str, kind: str, *rest: object) -> object:
        return None if kind == "inspection" else append(conn, city, kind, *rest)  # pyright: ignore

    with monkeypatch.context() as before:
        before.setattr(proof, "append", without)
        run = world.solar_run("2")
    conn.commit()
    with psycopg.connect(fresh_database) as superuser:
        superuser.execute("UPDATE footprint_inspection SET logged = false")
    keep(conn, CITY, run.id, [Finding("gaps", "note", "later", {"expected": 9, "missing": 1})],
         "official", world.clock.now())  # fmt: skip
    conn.commit()
    signer = proof.load_or_create_signer(tmp_path / "keys", CITY)
    proof.sequence(conn, CITY, tmp_path / "log", signer, world.clock)
    conn.commit()
    assert ours(check(conn, tmp_path / "log")) == set()
    held = list(footprint.entry_sources["inspection"].entries(conn, CITY))
    assert [entry["number"] for _, entry in held] == [2]
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            """INSERT INTO footprint_inspection (city, id, run_id, number, actor, created_at,
              logged) SELECT city, gen_random_uuid(), run_id, 3, actor, created_at, false
            FROM footprint_inspection LIMIT 1"""
        )
    conn.rollback()


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
