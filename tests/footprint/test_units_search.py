"""The public search: by serial, project, vintage, state, disclosed holder and beneficiary."""

import pytest
from footprint_world import CITY, World
from units_world import A, B, done, retired, transferred

from onsil.core.ids import new_id
from onsil.footprint import credits


@pytest.fixture
def registered(world: World):
    """Two projects; units held by A, retired by A for a beneficiary, and in the buffer."""
    one, two = world.issued("50", 1000), world.issued("10", code="OTHER-9")
    done(transferred(world, one, 6))
    done(retired(world, one.id, 2, "r"))
    done(transferred(world, two, 1, B, "t2"))
    return one, two


def found(world: World, **query) -> list[tuple[str, int, str]]:
    rows = credits.search(world.conn, CITY, credits.UnitQuery(**query)).rows
    return [(r.code, r.block.first, r.block.state) for r in rows]


def test_a_serial_is_found_by_its_number_or_in_full(world: World, registered):
    one, two = registered
    assert found(world, serial="3") == [("SOLAR-1", 3, "held")]
    assert found(world, serial=f"{one.serial_prefix}-3") == [("SOLAR-1", 3, "held")]
    assert found(world, serial=f"{one.serial_prefix.lower()}-1") == [("SOLAR-1", 1, "retired")]
    assert found(world, serial=f"{two.serial_prefix}-3") == []
    assert {code for code, *_ in found(world, serial="ONSIL-PYEONGTAEK-OTHER-9-2025")} == {
        "OTHER-9"
    }
    assert {code for code, *_ in found(world, serial="onsil-pyeongtaek-sol")} == {"SOLAR-1"}
    for nothing in ("99999", "X-1", "%", "' OR 1=1", "ONSIL-GOYANG-SOLAR-1-2025-3"):
        assert found(world, serial=nothing) == []


def test_units_are_found_by_what_they_are(world: World, registered):
    one, _ = registered
    assert len(found(world)) == 6
    assert found(world, state="buffer") == [("SOLAR-1", one.serial_last - 2, "buffer")]
    assert found(world, state="nonsense") == []
    assert {code for code, *_ in found(world, project="other-9")} == {"OTHER-9"}
    assert len(found(world, project="시험 태양광")) == 6
    assert found(world, vintage=2024) == []
    assert found(world, beneficiary="수혜") == [("SOLAR-1", 1, "retired")]
    assert found(world, beneficiary="수혜", state="held") == []
    assert found(world, account=A) == [("SOLAR-1", 3, "held")]
    assert len(found(world, batch_id=one.id)) == 4


def test_a_holder_is_found_once_it_agreed_to_be_named(world: World, registered):
    assert found(world, holder="기업") == []
    done(credits.disclose_holder(world.conn, CITY, B, "둘째 기업", "d", "o", world.clock))
    assert [code for code, *_ in found(world, holder="기업")] == ["OTHER-9"]
    (row,) = credits.search(world.conn, CITY, credits.UnitQuery(account=B)).rows
    assert (row.holder, row.status) == ("둘째 기업", "Held")
    (row,) = credits.search(world.conn, CITY, credits.UnitQuery(account=A)).rows
    assert row.holder == ""


def test_results_come_in_pages_with_their_number(world: World, registered):
    whole = credits.search(world.conn, CITY, credits.UnitQuery())
    pages = [credits.search(world.conn, CITY, credits.UnitQuery(), 4, at) for at in (0, 4)]
    assert [p.total for p in pages] == [6, 6] == [whole.total] * 2
    assert pages[0].rows + pages[1].rows == whole.rows


def test_one_block_and_the_retirements_of_its_serials(world: World, registered):
    block = credits.block_of_serial(world.conn, CITY, 1)
    assert block is not None
    (used,) = credits.retirements_of(world.conn, CITY, block)
    assert used == credits.retirements(world.conn, CITY)[0].id
    row = credits.units_of(world.conn, CITY, block.id)
    assert row is not None
    assert row.serials == "ONSIL-PYEONGTAEK-SOLAR-1-2025-1…2"
    assert credits.units_of(world.conn, CITY, new_id()) is None
    assert credits.block_of_serial(world.conn, CITY, 10**9) is None
