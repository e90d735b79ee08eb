"""A database with credits of the first schema takes every later file, and its units are whole."""

import os
import sys
import uuid

import pytest
from footprint_world import CITY, World

from onsil import footprint
from onsil.core.database import connect
from onsil.core.programs import run_program
from onsil.footprint import credits

OLD = """
SET onsil.city = 'pyeongtaek';
INSERT INTO footprint_project (city, id, code, name_ko, name_en, programme, methodology, crediting,
  buffer_bp, actor, created_at) VALUES ('pyeongtaek', '00000000-0000-7000-8000-000000000001', 'OLD',
  '옛 사업', 'Old', 'kr-offset', 'solar-self-consumption', '[2025-01-01,2035-01-01)', 1000, 'o',
  '2026-01-01Z');
INSERT INTO footprint_monitoring (city, id, project_id, sequence, period, status, maker, checker,
  submitted_at, decided_at) VALUES ('pyeongtaek', '00000000-0000-7000-8000-000000000002',
  '00000000-0000-7000-8000-000000000001', 1, '[2025-05-31T15:00Z,2025-06-01T15:00Z)', 'issued', 'm',
  'c', '2026-01-01Z', '2026-01-02Z');
INSERT INTO footprint_batch (city, id, project_id, monitoring_id, position, vintage, tonnes,
  buffer_tonnes, serials, quantified_t, carried_in_t, carried_out_t, transfer_id, actor, created_at)
  VALUES ('pyeongtaek', '00000000-0000-7000-8000-000000000003',
  '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002', 1, 2025, 20, 2,
  '[1,21)', 20.5, 0, 0.5, '00000000-0000-7000-8000-000000000004', 'o', '2026-01-03Z');
INSERT INTO footprint_retirement (city, id, batch_id, company, tonnes, beneficiary, reason, serials,
  key, transfer_id, actor, created_at) VALUES
  ('pyeongtaek', '00000000-0000-7000-8000-000000000005', '00000000-0000-7000-8000-000000000003',
   'company:a', 3, 'b', 'r', '[1,4)', 'r1', '00000000-0000-7000-8000-000000000006', 'o',
   '2026-01-04Z'),
  ('pyeongtaek', '00000000-0000-7000-8000-000000000007', '00000000-0000-7000-8000-000000000003',
   'company:b', 1, 'b', 'r', '[4,5)', 'r2', '00000000-0000-7000-8000-000000000008', 'o',
   '2026-01-05Z');
INSERT INTO ledger_account (city, code, asset, kind, minimum, keeps_lots, balance)
  SELECT 'pyeongtaek', code, 'credit:00000000-0000-7000-8000-000000000003', '', least(0, n), false,
    n FROM (VALUES ('issuer:credit', -20), ('retired', 4), ('company:a', 2), ('company:b', 0),
    ('buffer', 2), ('project:00000000-0000-7000-8000-000000000001', 12)) AS held (code, n);
"""


@pytest.fixture
def old_database(postgres):
    """A database as it was before the second file, with credits in it."""
    import psycopg

    name = f"old_{uuid.uuid4().hex[:12]}"
    dsn = postgres.create_database(name)
    environment = {
        **os.environ, "ONSIL_DATABASE_URL": dsn, "DJANGO_SETTINGS_MODULE": "onsil.web.settings",
    }  # fmt: skip

    def migrate(*target: str) -> None:
        run_program(
            [sys.executable, "-m", "django", "migrate", "-v0", *target], environment=environment
        )

    migrate("ledger_schema")
    migrate("footprint_schema", "0001_footprint")
    with psycopg.connect(dsn) as admin:
        admin.execute(OLD)  # pyright: ignore
    migrate("footprint_schema")
    migrate("proof_schema")
    yield dsn
    postgres.drop_database(name)


def test_old_credits_keep_their_holders_and_their_leaves(old_database):
    with connect(old_database, CITY) as conn:
        (old,) = footprint.batches(conn, CITY)
        found = credits.conservation(conn, CITY, old.id)
        assert found is not None
        assert found.whole, found.findings
        held = {
            one.account: (one.first, one.last) for one in credits.blocks(conn, CITY, old.id, None)
            if one.account != "retired"
        }  # fmt: skip
        assert held == {
            "company:a": (5, 6), f"project:{old.project_id}": (7, 18), "buffer": (19, 20)
        }  # fmt: skip
        assert [b.span for b in credits.blocks(conn, CITY, old.id, "retired")] == [(1, 4), (4, 5)]
        used = footprint.retirements(conn, CITY)
        assert [(r.serial_first, r.serial_last, r.stretches) for r in used] == [
            (4, 4, ((4, 5),)), (1, 3, ((1, 4),))
        ]  # fmt: skip
        entry = credits.retirement_entry(used[0])
        assert set(entry) == {
            "batch", "company", "tonnes", "beneficiary", "reason", "serials", "transfer", "actor",
            "created_at",
        }  # fmt: skip
        assert "unit" not in credits.batch_entry(old)
        used_up = footprint.retire(
            conn, CITY, old.id, "company:a", 2, "b", "r", "r3", "o", World(conn).clock
        )
        assert isinstance(used_up, footprint.Retirement)
        assert used_up.stretches == ((5, 7),)
        conn.commit()
