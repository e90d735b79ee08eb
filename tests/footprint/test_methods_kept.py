"""Runs of trees, water and waste: kept, recomputed to the same bytes, and claimed once."""

from datetime import UTC, datetime

from footprint_world import CITY, SAR_2018, World
from typed_kit import PRECISE, rows_of, tree

from onsil import footprint
from onsil.core.periods import Period
from onsil.footprint.methodologies import effluent_reuse, landfill_avoidance


def year() -> Period:
    return Period(datetime(2024, 9, 30, 15, tzinfo=UTC), datetime(2025, 10, 1, 15, tzinfo=UTC))


def test_a_run_of_trees_is_kept_recomputed_and_claimed_once(world: World, refused):
    made = footprint.quantify(
        world.conn, CITY, "tree-growth", {}, PRECISE, year(), [], "analyst", world.clock,
        tables={"trees": [tree(n) for n in range(3)]},
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    assert made.measurable
    again = footprint.recompute(world.conn, CITY, made.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical, again
    held = footprint.claim(world.conn, CITY, made.id, "voluntary", actor="analyst")
    assert isinstance(held, footprint.Claim), held
    assert held.co2e_t == made.co2e_t
    refused(
        footprint.claim(world.conn, CITY, made.id, "kr-offset", actor="other"), "claim-conflict"
    )


def test_water_without_tonnes_is_kept_and_claimed(world: World, refused):
    example = effluent_reuse.worked_example().inputs
    made = footprint.quantify(
        world.conn, CITY, "effluent-reuse", {}, {"permit_until": "2027-01-01"}, example.period,
        SAR_2018, "analyst", world.clock, tables=example.tables,
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    assert made.co2e_t == 0
    held = footprint.claim(world.conn, CITY, made.id, "voluntary", actor="analyst")
    assert isinstance(held, footprint.Claim), held
    quantities = {line.quantity: line.unit for line in held.lines}
    assert quantities == {
        "water-reused": "m3", "nitrogen-removed": "kg", "phosphorus-removed": "kg",
    }  # fmt: skip


def test_a_net_loss_is_kept_and_cannot_be_claimed(world: World, refused):
    rows = [tree(1), *(tree(n, status="dead", last_volume_m3=None) for n in (2, 3))]
    made = footprint.quantify(
        world.conn, CITY, "tree-growth", {}, {}, year(), [], "analyst", world.clock,
        tables={"trees": rows},
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    assert not made.measurable
    refused(footprint.claim(world.conn, CITY, made.id, "voluntary"), "not-measurable")


def test_a_lots_decay_is_claimed_year_by_year(world: World, refused):
    """The same lot in two years is two claims; the same year twice is a conflict."""
    parameters = {"site": "managed-anaerobic", "recovered_share": "0", "gwp_set": "AR5"}
    rows = rows_of(landfill_avoidance, "diverted")

    def kept(year: int) -> footprint.Run:
        period = Period(
            datetime(year - 1, 12, 31, 15, tzinfo=UTC), datetime(year, 12, 31, 15, tzinfo=UTC)
        )
        made = footprint.quantify(
            world.conn, CITY, "landfill-avoidance", {}, parameters, period, [], "analyst",
            world.clock, tables={"diverted": rows},
        )  # fmt: skip
        assert isinstance(made, footprint.Run), made
        return made

    first, second = kept(2025), kept(2026)
    assert second.co2e_t < first.co2e_t
    for made in (first, second):
        held = footprint.claim(world.conn, CITY, made.id, "voluntary", actor="analyst")
        assert isinstance(held, footprint.Claim), held
    refused(footprint.claim(world.conn, CITY, first.id, "kr-offset"), "claim-conflict")
    again = footprint.recompute(world.conn, CITY, second.id)
    assert isinstance(again, footprint.Recomputation)
    assert again.identical
