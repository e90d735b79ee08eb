"""A lot of waste serves one programme, under whatever name, ticket or order it is claimed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from footprint_world import CITY, SAR_2018, World, race

from onsil import footprint
from onsil.core.ids import new_id
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.claims import refused_attempts, release_claim
from onsil.footprint.store import savepoint

JUNE = Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC))
LOT = "lot-2025-0001"


def year(number: int) -> Period:
    return Period(
        datetime(number - 1, 12, 31, 15, tzinfo=UTC), datetime(number, 12, 31, 15, tzinfo=UTC)
    )


def lot(lot_id: str = LOT, ticket: str = "W-1", **more: Any) -> dict[str, Any]:
    return {"id": lot_id, "ticket": ticket, "kind": "plastics", "wet_t": "12", **more}


def quantified(
    world: World, method: str, period: Period, rows: Sequence[Mapping[str, Any]],
    parameters: Mapping[str, Any], authority: Any = (),
) -> footprint.Run:  # fmt: skip
    made = footprint.quantify(
        world.conn, CITY, method, {}, parameters, period, authority, "analyst", world.clock,
        tables={"diverted": rows},
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    assert made.measurable, made.refusal
    return made


def decay(world: World, of_year: int, lot_id: str = LOT, ticket: str = "W-1") -> footprint.Run:
    row = lot(lot_id, ticket, kind="food", wet_t="100", date="2024-06-10", route="recycling")
    parameters = {"site": "managed-anaerobic", "recovered_share": "0", "gwp_set": "SAR"}
    return quantified(world, "landfill-avoidance", year(of_year), [row], parameters)


def burnt(world: World, lot_id: str = LOT, ticket: str = "W-1") -> footprint.Run:
    """Kept out of an incinerator: the quantity is `waste-diverted`."""
    return quantified(
        world, "incineration-avoidance", JUNE, [lot(lot_id, ticket, date="2025-06-10", plant="p")],
        {"power_kwh_per_t": "0"}, SAR_2018,
    )  # fmt: skip


def ask(world: World, run: footprint.Run, programme: str, shares: tuple[int, int] = (0, 10_000)):
    return footprint.claim(world.conn, CITY, run.id, programme, shares, clock=world.clock)


def test_decay_then_treatment_is_refused_whatever_the_year(world: World, refused):
    held = ask(world, decay(world, 2026), "voluntary")
    assert isinstance(held, footprint.Claim)
    answer = refused(ask(world, burnt(world), "kr-offset"), "claim-conflict")
    assert answer.facts["mine"]["meters"] == [LOT]
    assert answer.facts["theirs"][0]["claim"] == str(held.id)
    assert [a.sides[0].claim_id for a in refused_attempts(world.conn, CITY, meter=LOT)] == [held.id]


def test_treatment_then_decay_is_refused_in_every_year(world: World, refused):
    held = ask(world, burnt(world), "kr-offset")
    assert isinstance(held, footprint.Claim)
    for of_year in (2025, 2026, 2031):
        answer = refused(ask(world, decay(world, of_year), "voluntary"), "claim-conflict")
        assert answer.facts["theirs"][0]["programme"] == "kr-offset"
    assert len(refused_attempts(world.conn, CITY, programme="kr-offset")) == 3


def test_one_programme_cannot_count_a_lots_decay_and_its_treatment_either(world: World, refused):
    assert isinstance(ask(world, decay(world, 2025), "voluntary"), footprint.Claim)
    refused(ask(world, burnt(world), "voluntary"), "claim-conflict")


def test_decay_is_claimed_year_after_year_and_each_year_once(world: World, refused):
    for of_year in (2025, 2026, 2027):
        assert isinstance(ask(world, decay(world, of_year), "voluntary"), footprint.Claim)
    refused(ask(world, decay(world, 2026), "kr-offset"), "claim-conflict")


def test_shares_of_a_lot_go_beside_each_other(world: World, refused):
    assert isinstance(ask(world, decay(world, 2025), "voluntary", (0, 4_000)), footprint.Claim)
    assert isinstance(ask(world, burnt(world), "kr-offset", (4_000, 10_000)), footprint.Claim)
    refused(ask(world, decay(world, 2026), "kr-offset", (3_999, 4_001)), "claim-conflict")


def test_a_released_treatment_frees_the_lot_for_its_decay(world: World):
    held = ask(world, burnt(world), "kr-offset")
    assert isinstance(held, footprint.Claim)
    release_claim(world.conn, CITY, held.id, "another project took it", "official", world.clock)
    assert isinstance(ask(world, decay(world, 2025), "voluntary"), footprint.Claim)


@pytest.mark.parametrize(("first", "second"), [(decay, burnt), (burnt, decay)])
def test_a_ticket_under_another_id_is_the_same_lot(world: World, refused, first, second):
    def run(make: Any, lot_id: str, ticket: str) -> footprint.Run:
        return make(world, 2025, lot_id, ticket) if make is decay else make(world, lot_id, ticket)

    held = ask(world, run(first, "a-1", "W-7"), "voluntary")
    assert isinstance(held, footprint.Claim)
    answer = refused(ask(world, run(second, "b-1", " W-7 "), "kr-offset"), "claim-conflict")
    assert answer.facts["theirs"][0]["claim"] == str(held.id)
    assert isinstance(ask(world, run(second, "b-2", "W-8"), "kr-offset"), footprint.Claim)


@pytest.mark.parametrize("late", ["landfill-decay", "waste-diverted"])
def test_the_database_refuses_whatever_the_code_does(world: World, late):
    runs = {"landfill-decay": decay(world, 2026), "waste-diverted": burnt(world)}
    last = runs.pop(late)
    (first,) = runs.values()
    assert isinstance(ask(world, first, "voluntary"), footprint.Claim)
    made = new_id()
    world.conn.execute(
        """INSERT INTO footprint_claim (city, id, run_id, programme, share, period, co2e_t,
          energy_wh, actor, created_at)
        SELECT city, %s, id, 'kr-offset', '[0,10000)', period, 1, 0, 'x', created_at
        FROM footprint_run WHERE id = %s""",
        (made, last.id),
    )
    with (
        pytest.raises(psycopg.errors.ExclusionViolation, match="footprint_claimed_once"),
        savepoint(world.conn),
    ):
        world.conn.execute(
            """INSERT INTO footprint_claim_line (city, claim_id, meter, quantity, share, period,
              amount, unit)
            SELECT city, %s, %s, %s, '[0,10000)', period, 1, 'kg'
            FROM footprint_run WHERE id = %s""",
            (made, LOT, late, last.id),
        )


def test_under_a_race_decay_or_treatment_wins_never_both(connector, fresh_database):
    with connector() as conn:
        world = World(conn)
        runs = [decay(world, 2025), burnt(world), decay(world, 2026), burnt(world)]
        conn.commit()
    wanted = list(zip(runs, ("voluntary", "kr-offset", "vcm", "koc"), strict=True))
    answers = race(
        fresh_database,
        [lambda conn, p=pair: footprint.claim(conn, CITY, p[0].id, p[1]) for pair in wanted],
    )
    won = [a for a in answers if isinstance(a, footprint.Claim)]
    quantities = {a.lines[0].quantity for a in won}
    assert len(quantities) == 1
    assert len(won) == (2 if quantities == {"landfill-decay"} else 1)
    assert {a.code for a in answers if isinstance(a, Refusal)} == {"claim-conflict"}


def test_stands_and_their_trees_and_solar_and_savings_are_one_family(world: World):
    def family(quantity: str) -> str:
        row = world.conn.execute("SELECT footprint_quantity_family(%s)", (quantity,)).fetchone()
        assert row is not None
        return row[0]

    assert family("stand-year") == family("tree-year")
    assert family("solar-generation") == family("electricity-shifted") == "electricity-saved"
    assert family("gas-saved") == "gas-saved"
