"""Claims on parts of a period and within boundaries; release before use; rewards stay rewards."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import psycopg
import pytest
from footprint_world import CITY, SAR_2018, SEOUL, SOLAR, World, fill, race, site
from hypothesis import given
from hypothesis import strategies as st

from onsil import footprint
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.claims import (
    Release,
    held_at,
    insides,
    kind_of,
    put_inside,
    refused_attempts,
    release_claim,
    search,
    sold_out,
    timeline,
    use,
)
from onsil.footprint.claims.parts import part_of
from onsil.footprint.claims.programmes import KINDS, known_programmes
from onsil.footprint.factors import factor_programmes
from onsil.footprint.store import savepoint

FIRST = date(2025, 6, 1)


def week(world: World, entity: str = "", days: int = 7) -> footprint.Run:
    """A run over some days, each of which brings a little more than the one before."""
    entity = entity or site(50)
    period = world.day(FIRST, days)
    hourly = [Decimal(10 + d) + Decimal(h) / 7 for d in range(days) for h in range(24)]
    key = fill(world.conn, entity, "generation", [h.quantize(Decimal("0.001")) for h in hourly],
               period.start)  # fmt: skip
    made = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": key}, SOLAR, period, SAR_2018,
        "analyst", world.clock,
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    return made


def days(first: int, last: int) -> Period:
    return local_days(FIRST + timedelta(days=first), FIRST + timedelta(days=last), SEOUL)


def part(world: World, run: footprint.Run, first: int, last: int, programme: str = "kr-offset"):
    return footprint.claim(
        world.conn, CITY, run.id, programme, clock=world.clock, period=days(first, last)
    )


def test_parts_of_a_period_go_to_different_programmes(world: World, refused):
    run = week(world)
    early, late = part(world, run, 0, 3), part(world, run, 3, 7, "voluntary")
    assert isinstance(early, footprint.Claim)
    assert isinstance(late, footprint.Claim)
    assert early.period == days(0, 3)
    parts = run.lines[0].parts
    assert parts is not None
    assert early.lines[0].amount == sum(list(parts.values())[:3])
    assert early.energy_wh + late.energy_wh == run.energy_wh
    assert 0 <= run.co2e_t - early.co2e_t - late.co2e_t < Decimal("1e-40")
    refused(part(world, run, 2, 4, "rec"), "claim-conflict")
    refused(footprint.claim(world.conn, CITY, run.id, "rec"), "claim-conflict")
    assert part(world, run, 0, 3) == early


def test_a_part_is_made_of_whole_days_within_the_run(world: World, refused):
    run = week(world)
    whole = run.period

    def ask(start, end):
        return footprint.claim(
            world.conn, CITY, run.id, "kr-offset", clock=world.clock, period=Period(start, end)
        )

    refused(ask(whole.start - timedelta(days=1), whole.end), "part-outside")
    refused(ask(whole.start, whole.end - timedelta(hours=1)), "part-cut")
    assert footprint.claims(world.conn, CITY) == []


def line(parts: dict[str, str] | None, amount: str = "60", quantity: str = "gas-saved"):
    made = None if parts is None else {k: Decimal(v) for k, v in parts.items()}
    return footprint.RunLine(f"m-{quantity}", quantity, Decimal(amount), "Wh", made)


def run_of(world: World, *lines: footprint.RunLine) -> footprint.Run:
    return footprint.Run(
        new_id(), "x", "1", "quantified", None, days(0, 60), Decimal("1.23"), Decimal(60), lines,
        "", "", "", "", "", world.clock.now(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "first", "last", "code"),
    [
        ([line(None)], 0, 3, "part-unknown"),
        ([line({"2025-06-01": "70", "2025-06-02": "-10"})], 0, 1, "part-signed"),
        ([line({"2025-06-01": "70"})], 0, 1, "part-signed"),
        ([line({"2025-06": "40", "2025-07": "20"})], 0, 5, "part-cut"),
        ([line({"2025-06-01": "60"})], 4, 5, "part-empty"),
    ],
)
def test_what_cannot_be_divided_is_refused(world: World, refused, lines, first, last, code):
    refused(part_of(run_of(world, *lines), (0, 10_000), days(first, last), SEOUL), code)


def test_months_divide_too_and_the_least_quantity_gives_the_tonnes(world: World):
    run = run_of(
        world,
        line({"2025-06": "40", "2025-07": "20"}),
        line({"2025-06": "15", "2025-07": "45"}, quantity="electricity-saved"),
    )
    found = part_of(run, (0, 5_000), days(0, 30), SEOUL)
    assert not isinstance(found, Refusal)
    assert [x.amount for x in found.lines] == [20, Decimal("7.5")]
    assert found.co2e_t == Decimal("1.23") / 4 / 2


cuts = st.lists(st.integers(1, 27), max_size=5, unique=True).map(sorted)
shares_cut = st.lists(st.integers(1, 9_999), max_size=4, unique=True).map(sorted)


@given(
    st.lists(st.decimals("0", "1000", places=9), min_size=28, max_size=28),
    st.decimals("0.001", "90", places=12), cuts, shares_cut,
)  # fmt: skip
def test_parts_never_exceed_the_whole(amounts, tonnes, at, split):
    parts = {(FIRST + timedelta(days=i)).isoformat(): a for i, a in enumerate(amounts)}
    if not any(amounts):
        return
    total = sum(amounts, Decimal(0))
    run = footprint.Run(
        new_id(), "x", "1", "quantified", None, days(0, 28), tonnes, total,
        (footprint.RunLine("m", "gas-saved", total, "Wh", parts),), "", "", "", "", "",
        days(0, 1).start,
    )  # fmt: skip
    taken: list[Decimal] = []
    co2e_t: list[Decimal] = []
    for first, last in zip([0, *at], [*at, 28], strict=True):
        for low, high in zip([0, *split], [*split, 10_000], strict=True):
            found = part_of(run, (low, high), days(first, last), SEOUL)
            if isinstance(found, Refusal):
                assert found.code == "part-empty"
                continue
            taken += [x.amount for x in found.lines]
            co2e_t.append(found.co2e_t)
    assert sum(map(Fraction, taken)) == Fraction(total)
    assert sum(map(Fraction, co2e_t)) <= Fraction(tonnes)


# ------------------------------------------------------------------ boundaries


def test_lamps_and_the_whole_building_exclude_each_other(world: World, refused):
    building, lamps, other = (week(world, site(n)) for n in (61, 62, 63))
    meters = [run.lines[0].meter for run in (building, lamps, other)]
    for inner in meters[1:]:
        assert not isinstance(
            put_inside(world.conn, CITY, inner, meters[0], "official", world.clock), Refusal
        )
    held = world.claimed(lamps)
    beside = world.claimed(other, "voluntary")
    answer = refused(footprint.claim(world.conn, CITY, building.id, "rec"), "claim-conflict")
    assert {one["claim"] for one in answer.facts["theirs"]} == {str(held.id), str(beside.id)}
    bands = timeline(world.conn, CITY, meters[0])
    assert [(b.meter, b.inside) for b in bands] == [(meters[1], True), (meters[2], True)]


def test_the_whole_building_stands_in_the_way_of_its_lamps(world: World, refused):
    campus, building, lamps = (week(world, site(n)) for n in (64, 65, 66))
    outer, middle, inner = (run.lines[0].meter for run in (campus, building, lamps))
    put_inside(world.conn, CITY, inner, middle, "official", world.clock)
    put_inside(world.conn, CITY, middle, outer, "official", world.clock)
    held = footprint.claim(world.conn, CITY, campus.id, "kr-offset", (0, 5_000), clock=world.clock)
    assert isinstance(held, footprint.Claim)
    refused(footprint.claim(world.conn, CITY, lamps.id, "rec", (4_000, 6_000)), "claim-conflict")
    assert isinstance(
        footprint.claim(world.conn, CITY, lamps.id, "rec", (5_000, 6_000)), footprint.Claim
    )
    refused(footprint.claim(world.conn, CITY, building.id, "dr", (5_999, 6_100)), "claim-conflict")


def test_boundaries_are_no_circles_and_do_not_overtake_claims(world: World, refused):
    building, lamps = week(world, site(67)), week(world, site(68))
    outer, inner = building.lines[0].meter, lamps.lines[0].meter
    world.claimed(building)
    world.claimed(lamps, "voluntary")
    refused(put_inside(world.conn, CITY, inner, outer, "o", world.clock), "boundary-conflict")
    refused(put_inside(world.conn, CITY, inner, inner, "o", world.clock), "boundary-cycle")
    made = put_inside(world.conn, CITY, "a", "b", "o", world.clock)
    assert put_inside(world.conn, CITY, "a", "b", "p", world.clock) == made
    put_inside(world.conn, CITY, "b", "c", "o", world.clock)
    refused(put_inside(world.conn, CITY, "c", "a", "o", world.clock), "boundary-cycle")
    assert [(i.part, i.whole, i.direct) for i in claims_insides(world.conn)] == [
        ("a", "b", True), ("a", "c", False), ("b", "c", True)
    ]  # fmt: skip


def claims_insides(conn: Connection):
    return sorted(insides(conn, CITY), key=lambda i: (i.part, i.whole))


def test_nobody_writes_holds_or_boundaries_by_hand(world: World):
    held = world.claimed(week(world))
    for statement in (
        "DELETE FROM footprint_hold",
        "UPDATE footprint_hold SET part = '[5,6)'",
        "INSERT INTO footprint_hold SELECT * FROM footprint_hold",
        "INSERT INTO footprint_boundary VALUES ('pyeongtaek', 'w', 'p', 0, true, 'x', now())",
        "DELETE FROM footprint_claim_release",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
            world.conn.execute(statement)  # pyright: ignore
    with pytest.raises(psycopg.errors.InsufficientPrivilege), savepoint(world.conn):
        world.conn.execute("SELECT footprint_put_inside('goyang', 'a', 'b', 'x', now())")
    assert footprint.claims(world.conn, CITY) == [held]


def test_a_line_cannot_hold_more_than_was_found(world: World):
    run = week(world)
    held = footprint.claim(world.conn, CITY, run.id, "kr-offset", (0, 10), clock=world.clock)
    assert isinstance(held, footprint.Claim)
    other = new_id()
    for share, amount, meter in (
        ("[10,20)", run.energy_wh, held.lines[0].meter), ("[10,20)", 1, "elsewhere#x"),
        ("[10,21)", 1, held.lines[0].meter),
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.CheckViolation), savepoint(world.conn):  # noqa: PT012
            world.conn.execute(
                """INSERT INTO footprint_claim SELECT city, %s, run_id, programme, '[10,20)',
                period, co2e_t, energy_wh, actor, created_at FROM footprint_claim WHERE id = %s""",
                (other, held.id),
            )
            world.conn.execute(
                """INSERT INTO footprint_claim_line (city, claim_id, meter, quantity, share, period,
                amount) SELECT city, %s, %s, quantity, %s::int4range, period, %s
                FROM footprint_claim_line WHERE claim_id = %s""",
                (other, meter, share, amount, held.id),
            )


# ------------------------------------------------------------------ release and use


def test_a_released_claim_frees_its_hold_and_stays_in_the_books(world: World, refused):
    run = week(world)
    held = world.claimed(run)
    refused(release_claim(world.conn, CITY, held.id, " ", "official", world.clock),
            "reason-missing")  # fmt: skip
    refused(release_claim(world.conn, CITY, new_id(), "x", "official", world.clock),
            "unknown-claim")  # fmt: skip
    freed = footprint.release_claim(
        world.conn, CITY, held.id, "entered for the wrong programme", "official", world.clock
    )
    assert isinstance(freed, Release)
    assert footprint.release_claim(world.conn, CITY, held.id, "again", "b", world.clock) == freed
    assert footprint.claims(world.conn, CITY) == []
    stored = footprint.claims(world.conn, CITY, released=True)
    assert [c.released_at for c in stored] == [world.clock.now()]
    again = world.claimed(run, "voluntary")
    assert again.id != held.id
    back = footprint.release_claim(world.conn, CITY, again.id, "x", "official", world.clock)
    assert not isinstance(back, Refusal)
    assert world.claimed(run).id not in (held.id, again.id)
    assert footprint.entry_of(world.conn, CITY, "claim-release", freed.id) == freed.entry()


def test_a_used_claim_cannot_be_released_nor_a_released_one_used(world: World, refused):
    held = world.claimed(world.solar_run("5"))
    world.approved(world.project(), [held.id])
    refused(release_claim(world.conn, CITY, held.id, "late", "o", world.clock), "claim-used")
    other = world.claimed(week(world), "household-saving")
    assert use(world.conn, CITY, other.id, "award", "a-1", world.clock) is None
    assert use(world.conn, CITY, other.id, "award", "a-1", world.clock) is None
    refused(release_claim(world.conn, CITY, other.id, "late", "o", world.clock), "claim-used")
    third = world.claimed(week(world, site(70)))
    release_claim(world.conn, CITY, third.id, "early", "o", world.clock)
    refused(use(world.conn, CITY, third.id, "award", "a-2", world.clock), "claim-released")
    refused(use(world.conn, CITY, new_id(), "award", "a-2", world.clock), "unknown-claim")


def test_release_and_use_at_once_never_both_happen(connector, fresh_database):
    with connector() as conn:
        held = World(conn).claimed(week(World(conn)), "household-saving")
        conn.commit()
    clock = World(None).clock  # pyright: ignore
    answers = race(
        fresh_database,
        [
            lambda conn: release_claim(conn, CITY, held.id, "x", "o", clock),
            lambda conn: [use(conn, CITY, held.id, "award", "a", clock)],
        ],
    )
    released, [used] = answers  # pyright: ignore
    assert isinstance(released, Refusal) == (used is None)


# ------------------------------------------------------------------ programmes


def test_the_database_knows_the_same_kinds(world: World):
    for programme in [*known_programmes(), *factor_programmes(), "the-city's-own"]:
        row = world.conn.execute("SELECT footprint_programme_kind(%s)", (programme,)).fetchone()
        assert row is not None
        assert row[0] == kind_of(programme)
        assert row[0] in KINDS
    for programme in factor_programmes().values():
        assert kind_of(programme.id) == programme.kind


def reward_only(world: World) -> footprint.Run:
    run = week(world, site(80))
    world.conn.execute("RESET ROLE")
    world.conn.execute("UPDATE footprint_run SET creditable = false WHERE id = %s", (run.id,))
    world.conn.execute("SET ROLE onsil_app")
    return run


@pytest.mark.parametrize("programme", ["kr-offset", "voluntary", "gold-standard", "rec"])
def test_rewards_never_become_units(world: World, refused, programme):
    run = reward_only(world)
    answer = refused(footprint.claim(world.conn, CITY, run.id, programme), "not-creditable")
    assert answer.facts["kind"] in ("compliance", "voluntary", "rec")
    with pytest.raises(psycopg.errors.CheckViolation, match="rewarded"), savepoint(world.conn):
        world.conn.execute(
            """INSERT INTO footprint_claim SELECT city, %s, id, %s, '[0,10)', period, 1, 1, 'x',
            created_at FROM footprint_run WHERE id = %s""",
            (new_id(), programme, run.id),
        )
    assert isinstance(world.claimed(run, "citizen-reward"), footprint.Claim)


@pytest.mark.parametrize("programme", ["citizen-reward", "the-city's-own"])
def test_what_was_claimed_for_rewards_is_never_handed_in(world: World, programme):
    run = reward_only(world)
    held = world.claimed(run, programme)
    period = footprint.open_monitoring_period(
        world.conn, CITY, world.project().id, run.period, "maker", world.clock
    )
    assert isinstance(period, footprint.Monitoring)
    with pytest.raises(psycopg.errors.CheckViolation, match="rewards"), savepoint(world.conn):
        world.conn.execute(
            "INSERT INTO footprint_monitoring_claim VALUES (%s, %s, %s)",
            (CITY, period.id, held.id),
        )


# ------------------------------------------------------------------ journal and explorer


def test_refused_attempts_are_kept_with_both_sides(world: World):
    run = week(world)
    held = world.claimed(run)
    for _ in range(2):
        footprint.claim(world.conn, CITY, run.id, "voluntary", actor="b", clock=world.clock)
    meter = run.lines[0].meter
    kept = refused_attempts(world.conn, CITY)
    assert [(a.programme, a.kind, a.theirs[0]["claim"]) for a in kept] == [
        ("voluntary", "voluntary", str(held.id))
    ]
    assert refused_attempts(world.conn, CITY, meter=meter[-20:]) == kept
    assert refused_attempts(world.conn, CITY, programme="kr-offset") == kept
    assert refused_attempts(world.conn, CITY, programme="rec") == []
    assert refused_attempts(world.conn, CITY, meter="nowhere") == []


def test_claims_are_found_by_meter_programme_kind_and_period(world: World):
    run = week(world)
    world.claimed(run)
    found = search(world.conn, CITY, meter="test-50")
    assert [(h.meter, h.claims, h.programmes) for h in found] == [
        (run.lines[0].meter, 1, ("kr-offset",))
    ]
    assert search(world.conn, CITY, kind="compliance", period=days(6, 9)) == found
    assert search(world.conn, CITY, programme="rec") == []
    assert search(world.conn, CITY, period=days(7, 9)) == []
    bands = timeline(world.conn, CITY, run.lines[0].meter, days(0, 1))
    assert [(b.programme, b.share_from, b.share_to, b.inside) for b in bands] == [
        ("kr-offset", 0, 10_000, False)
    ]
    assert timeline(world.conn, CITY, run.lines[0].meter, days(8, 9)) == []
    assert len(held_at(world.conn, CITY, bands[0].meter, days(2, 3).start)) == 1


def test_the_plans_two_revenues_on_the_same_tonnes_are_a_double_sale(world: World, refused):
    """12,540 t a year for 21 years of compliance and 30 years of voluntary units: once only."""
    mwh = (Decimal(12_540) / Decimal("0.4594106")).quantize(Decimal("0.001")) + Decimal("0.024")
    key = fill(world.conn, site(99), "generation", [mwh * 1000 / 24] * 24, days(0, 1).start)
    run = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": key},
        {"capacity_kw": "2000000", "no_export": True}, days(0, 1), SAR_2018, "a", world.clock,
        version="1",  # the second stops at 15 MW
    )  # fmt: skip
    assert isinstance(run, footprint.Run)
    assert int(run.co2e_t) == 12_540
    held = world.claimed(run, "kr-offset")
    answer = refused(footprint.claim(world.conn, CITY, run.id, "voluntary"), "claim-conflict")
    assert answer.facts["theirs"][0]["claim"] == str(held.id)


def test_what_was_sold_is_added_back(world: World):
    made = world.issued("50")
    buyer = world.company("company:maker", 10_000_000)
    assert sold_out(world.conn, CITY, made.vintage) == []
    offer = footprint.list_for_sale(world.conn, CITY, made.id, 10, 1_000, "official", world.clock)
    assert isinstance(offer, footprint.Listing), offer
    sale = footprint.buy(world.conn, CITY, made.id, buyer, 7, 1_000, "k", "buyer", world.clock)
    assert isinstance(sale, footprint.Sale), sale
    found = sold_out(world.conn, CITY, made.vintage)
    assert [(s.project, s.kind, s.tonnes, s.issued) for s in found] == [
        ("SOLAR-1", "compliance", 7, made.tonnes)
    ]
    assert sold_out(world.conn, CITY, made.vintage + 1) == []
