"""Batches issued before units had blocks: their serials go to who holds them when the file runs."""

from pathlib import Path

from footprint_world import CITY, World
from test_credits import sold
from units_world import A, done, retired, spans, transferred, whole

from onsil.footprint import credits

SCHEMA = Path(credits.__file__).parents[1] / "schema" / "0006_credits.sql"


def _forget(world: World) -> None:
    """Take the journal and the blocks away, as in a database that never had them."""
    world.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    world.conn.execute("SET CONSTRAINTS ALL DEFERRED")
    world.conn.execute("RESET ROLE")
    world.conn.execute("SET session_replication_role = replica")
    world.conn.execute("DELETE FROM footprint_unit_block")
    world.conn.execute("DELETE FROM footprint_unit_event")


def _migrated(world: World) -> None:
    world.conn.execute("SELECT footprint_open_units()")
    world.conn.execute("SET session_replication_role = DEFAULT")


def test_old_batches_get_their_blocks(world: World):
    old = world.issued("50", buffer_bp=2000)
    sold(world, old, 4, price=100)
    sold(world, old, 2, price=100, company="company:b")
    used = done(retired(world, old.id, 3, "r1"))
    _forget(world)
    _migrated(world)
    n = old.serial_first
    assert spans(world, old.id, "retired") == [(used.serial_first, used.serial_last)]
    assert spans(world, old.id, A) == [(n + 3, n + 3)]
    assert spans(world, old.id, "company:b") == [(n + 4, n + 5)]
    assert spans(world, old.id, f"project:{old.project_id}") == [(n + 6, n + 16)]
    assert spans(world, old.id, "buffer") == [(n + 17, n + 21)]
    found = credits.conservation(world.conn, CITY, old.id)
    assert found is not None
    assert found.whole, found.findings
    done(transferred(world, old, 2, "company:c", "after"))
    assert credits.events(world.conn, CITY, batch_id=old.id)[0].kind == "opening"
    whole(world)


def test_opening_twice_opens_once_and_empty_batches_stay_empty(world: World):
    world.issued("1")
    world.issued("10", code="S-2")
    _forget(world)
    for _ in range(2):
        world.conn.execute("SELECT footprint_open_units()")
    world.conn.execute("SET session_replication_role = DEFAULT")
    assert len(credits.events(world.conn, CITY, kinds=("opening",))) == 1
    whole(world)


def test_the_file_opens_what_is_there():
    assert "SELECT footprint_open_units();" in SCHEMA.read_text("utf-8")
