"""Two at once on the same serials: one gets them, the other is told no, and the sums stand."""

from footprint_world import CITY, World, race
from units_world import EXPORT, A, B, approved, done, proposed, retired, transferred

from onsil.core.refusal import Refusal
from onsil.footprint import credits


def _begin(connector, units: int = 3):
    with connector() as conn:
        world = World(conn)
        batch = world.issued("10", buffer_bp=0)
        done(transferred(world, batch, units))
        conn.commit()
    return batch


def _settled(connector, batch) -> credits.Conservation:
    with connector() as conn:
        found = credits.conservation(conn, CITY, batch.id)
    assert found is not None
    assert found.whole, found.findings
    return found


def _won(answers: list[object]) -> list[object]:
    assert all(a.code == "insufficient-balance" for a in answers if isinstance(a, Refusal)), answers
    return [a for a in answers if not isinstance(a, Refusal)]


def test_two_transfers_of_the_same_serials(connector, fresh_database):
    batch = _begin(connector)
    answers = race(
        fresh_database,
        [
            lambda conn, n=n: transferred(World(conn), batch, 2, f"company:{n}", f"t-{n}", A)
            for n in range(4)
        ],
    )
    assert len(_won(answers)) == 1
    assert _settled(connector, batch).states["held"] == batch.tonnes


def test_a_retirement_against_a_transfer(connector, fresh_database):
    batch = _begin(connector)
    answers = race(
        fresh_database,
        [
            lambda conn: retired(World(conn), batch.id, 3, "r"),
            lambda conn: transferred(World(conn), batch, 3, B, "t", A),
            lambda conn: retired(World(conn), batch.id, 3, "r2"),
        ],
    )
    assert len(_won(answers)) == 1
    assert _settled(connector, batch).states["retired"] in (0, 3)


def test_one_key_moves_once(connector, fresh_database):
    batch = _begin(connector)
    answers = race(
        fresh_database,
        [lambda conn: transferred(World(conn), batch, 1, B, "same", A) for _ in range(4)],
    )
    assert len({a.id for a in answers}) == 1  # pyright: ignore
    with connector() as conn:
        assert sum(b.units for b in credits.blocks(conn, CITY, batch.id, B)) == 1


def test_a_double_export(connector, fresh_database):
    batch = _begin(connector)

    def export(conn, key):
        terms = {"batch": str(batch.id), "account": A, "units": 2, **EXPORT}
        return proposed(World(conn), "export", key, **terms)

    answers = race(fresh_database, [lambda conn, n=n: export(conn, f"e-{n}") for n in range(3)])
    (won,) = _won(answers)
    again = race(
        fresh_database,
        [lambda conn, n=n: approved(World(conn), won, f"checker-{n}", serials="X-1")
         for n in range(3)],
    )  # fmt: skip
    assert sorted(a.code for a in again if isinstance(a, Refusal)) == ["action-decided"] * 2
    assert _settled(connector, batch).states["exported"] == 2


def test_a_split_against_a_transfer(connector, fresh_database):
    batch = _begin(connector)
    with connector() as conn:
        (block,) = credits.blocks(conn, CITY, batch.id, A)
    answers = race(
        fresh_database,
        [
            lambda conn: credits.split(conn, CITY, block.id, 1, "s", "o", World(conn).clock),
            lambda conn: transferred(World(conn), batch, 2, B, "t", A),
        ],
    )
    refused = [a.code for a in answers if isinstance(a, Refusal)]
    assert refused in ([], ["block-ended"])
    assert _settled(connector, batch).states["held"] == batch.tonnes
