"""A city's inventory: compiled, sealed by another, recomputed; what is missing stays missing."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import openpyxl
import psycopg
import pytest
from footprint_world import CITY, World
from inventory_books import (
    SETTINGS,
    compiled,
    electricity,
    granted,
    inputs,
    meter,
    metered,
    noted,
    opened,
    outputs,
    put,
    stated,
    the_rest,
)

from onsil import footprint, hub, proof
from onsil.footprint import credits, inventory


def filled(world: World, extra: list | None = None):
    specs = [electricity(), stated("gas", "I.1.1", "100", "2000"), *(extra or [])]
    book = opened(world)
    granted(put(world, book, [*specs, *the_rest(specs)]))
    return book


def test_a_line_is_amount_times_factor_by_gas(world: World):
    version = compiled(world, filled(world))
    line = next(x for x in outputs(world, version)["lines"] if x["code"] == "homes-power")
    assert Decimal(line["co2e_kg"]) == Decimal("477700")
    assert line["gases_kg"] == {"co2": "474700", "ch4": "12.5", "n2o": "10"}
    assert version.co2e_kg == Decimal("677700")


def test_totals_by_sector_and_scope(world: World):
    found = outputs(world, compiled(world, filled(world)))["totals"]
    assert found["scope"] == {"1": "200000", "2": "477700", "3": None}
    assert found["sector"]["I"] == "677700"
    assert found["sector"]["II"] is None
    assert found["sector_scope"]["I"]["2"] == "477700"
    assert found["territorial"] == "200000"


def test_what_is_missing_is_not_zero(world: World, refused):
    book = opened(world)
    granted(put(world, book, [electricity()]))
    version = compiled(world, book)
    found = outputs(world, version)
    assert found["rows"]["I.1.1"] == {
        "status": "missing", "notation": [], "co2e_kg": None, "lines": 0
    }  # fmt: skip
    assert "III.1.1" in found["missing"]
    answer = inventory.decide(world.conn, CITY, version.id, True, "", "checker", world.clock)
    assert "I.1.1" in refused(answer, "inventory-incomplete").facts["missing"]
    with pytest.raises(psycopg.errors.CheckViolation), world.conn.transaction():
        _decide_by_sql(world, version.id, "checker")


def _decide_by_sql(world: World, version_id, checker: str) -> None:
    world.conn.execute(
        """INSERT INTO footprint_inventory_decision
        (city, id, version_id, decision, checker, reason, created_at)
        VALUES (%s, gen_random_uuid(), %s, 'sealed', %s, '', now())""",
        (CITY, version_id, checker),
    )


def test_sealing_takes_another_person_and_the_database_holds_it(world: World, refused):
    version = compiled(world, filled(world))
    answer = inventory.decide(world.conn, CITY, version.id, True, "", "maker", world.clock)
    refused(answer, "same-person")
    with pytest.raises(psycopg.errors.CheckViolation), world.conn.transaction():
        _decide_by_sql(world, version.id, "maker")
    sealed = inventory.decide(world.conn, CITY, version.id, True, "", "checker", world.clock)
    assert sealed.sealed
    again = inventory.decide(world.conn, CITY, version.id, True, "", "checker", world.clock)
    assert again == sealed
    answer = inventory.decide(world.conn, CITY, version.id, False, "no", "other", world.clock)
    refused(answer, "already-decided")
    assert inventory.newest_sealed(world.conn, CITY, version.inventory_id) == sealed


def test_a_return_wants_a_reason(world: World, refused):
    version = compiled(world, filled(world))
    answer = inventory.decide(world.conn, CITY, version.id, False, " ", "checker", world.clock)
    refused(answer, "reason-missing")
    back = inventory.decide(world.conn, CITY, version.id, False, "다시", "checker", world.clock)
    assert (back.decision, back.reason) == ("returned", "다시")


def test_equal_inputs_give_the_version_that_is_there(world: World):
    book = filled(world)
    first = compiled(world, book)
    assert compiled(world, book) == first
    granted(put(world, book, [electricity(amount="1001")], reason="정정"))
    second = compiled(world, book)
    assert (second.number, second.co2e_kg) == (2, Decimal("678177.7"))


def test_a_version_recomputes_to_the_same_bytes(world: World):
    series = meter(world, "hall")
    version = compiled(world, filled(world, [metered("hall", series, ref="I.2.2")]))
    found = inventory.recompute(world.conn, CITY, version.id)
    assert isinstance(found, inventory.Check)
    assert found.identical, found


def test_a_corrected_reading_makes_a_new_version_and_moves_no_old_one(world: World):
    series = meter(world, "hall")
    book = filled(world, [metered("hall", series, ref="I.2.2")])
    first = compiled(world, book)
    entity = series.partition("#")[0]
    start = world.day(date(2025, 3, 1)).start
    hub.record(
        world.conn, CITY,
        [hub.Reading(entity, "electricity", start, Decimal(1024), received_at=world.clock.now())],
        world.clock,
    )  # fmt: skip
    second = compiled(world, book)
    assert second.number == 2
    assert second.co2e_kg - first.co2e_kg == Decimal("477.7")
    assert inventory.recompute(world.conn, CITY, first.id).identical
    change = inventory.explain(inputs(world, first), inputs(world, second))
    assert change.causes["activity"] == Decimal("477.7")
    assert change.whole


def test_meters_are_added_up_with_what_is_missing_told(world: World):
    whole, gaps = meter(world, "a"), meter(world, "b", skip=frozenset(range(65)))
    meter(world, "c", days=0)
    book = filled(world, [metered("halls", whole, gaps, ref="I.2.2")])
    line = next(x for x in outputs(world, compiled(world, book))["lines"] if x["code"] == "halls")
    assert Decimal(line["amount"]) == Decimal("0.024") * (365 + 300)
    assert line["coverage"] == {
        "meters": 2, "silent": 0, "expected": 730, "counted": 665, "missing": 65, "filled": False
    }  # fmt: skip
    filled_up = inventory.Activity("hub", "MWh", series=(whole, gaps), gap_rule="mean")
    granted(put(world, book, [metered("halls", ref="I.2.2", activity=filled_up)], reason="채움"))
    line = next(x for x in outputs(world, compiled(world, book))["lines"] if x["code"] == "halls")
    assert Decimal(line["amount"]) == Decimal("0.024") * 730
    assert line["coverage"]["filled"]


def test_a_year_without_any_reading_is_refused(world: World, refused):
    silent = meter(world, "silent", days=0)
    book = filled(world, [metered("silent", silent, ref="I.2.2")])
    answer = inventory.compile_version(world.conn, CITY, book.id, "maker", world.clock)
    refused(answer, "activity-missing")


def test_meters_of_a_kind_are_found_by_attribute(world: World, refused):
    meter(world, "x"), meter(world, "y")
    kind = inventory.Activity("hub", "MWh", attribute="electricity", entity_type="Building")
    book = filled(world, [metered("kind", ref="I.2.2", activity=kind)])
    line = next(x for x in outputs(world, compiled(world, book))["lines"] if x["code"] == "kind")
    assert line["coverage"]["meters"] == 2
    none = replace(kind, entity_type="Greenhouse")
    granted(put(world, book, [metered("kind", ref="I.2.2", activity=none)], reason="바꿈"))
    answer = inventory.compile_version(world.conn, CITY, book.id, "maker", world.clock)
    refused(answer, "no-meters")


def test_a_changed_line_wants_a_reason_and_keeps_its_past(world: World, refused):
    book = filled(world)
    refused(put(world, book, [electricity(amount="5")]), "reason-missing")
    granted(put(world, book, [electricity(amount="5")], "error", "단위 착오"))
    past = inventory.line_history(world.conn, CITY, book.id, "homes-power")
    assert [(x["revision"], x["cause"]) for x in past] == [(2, "error"), (1, "activity")]
    same = granted(put(world, book, [electricity(amount="5")]))
    assert same[0].revision == 2


def test_nothing_of_a_set_is_kept_when_one_line_is_wrong(world: World, refused):
    book = opened(world)
    answer = put(world, book, [electricity(), electricity("two", ref="I.9.9")])
    refused(answer, "unknown-reference")
    assert inventory.lines(world.conn, CITY, book.id) == []


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (electricity(code="not a code"), "line-invalid"),
        (inventory.LineSpec("x", "I.1.1", "이름"), "line-empty"),
        (noted("I.1.1", "XX"), "notation-unknown"),
        (noted("I.1.1", "IE"), "notation-elsewhere"),
        (electricity(notation=("NO",)), "notation-and-figure"),
        (electricity(tier=None), "quality-missing"),
        (electricity(method=" "), "quality-missing"),
        (electricity(activity_pct=Decimal(-1)), "uncertainty-invalid"),
        (electricity(entity="plant"), "unknown-part"),
        (electricity(activity=inventory.Activity("table", "MWh", None, "x")), "activity-invalid"),
        (electricity(activity=inventory.Activity("table", "MWh", Decimal(1))), "activity-invalid"),
        (
            electricity(activity=inventory.Activity("table", "bananas", Decimal(1), "x")),
            "activity-invalid",
        ),
        (electricity(activity=inventory.Activity("table", "kg", Decimal(1), "x")), "unit-differs"),
        (electricity(activity=inventory.Activity("table", "tC", Decimal(1), "x")), "unit-differs"),
        (electricity(factor=replace(stated("x", "I.1.1", "1", "1").factor, document="")),
         "factor-invalid"),
        (electricity(factor=replace(stated("x", "I.1.1", "1", "1").factor, per="MWh",
                                    gases_kg={"unobtainium": Decimal(1)})), "gas-unknown"),
        (electricity(factor=inventory.FactorUse("stated", co2e_kg=Decimal(1), co2e_gwp_set="SAR",
                                                per="MWh", document="d", maturity="press")),
         "gwp-not-convertible"),
        (electricity(calculator="livestock"), "line-invalid"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_kept_says_why(world: World, refused, spec, code: str):
    refused(put(world, opened(world), [spec]), code)


def test_a_wrong_programme_gets_no_factor(world: World, refused):
    wrong = replace(electricity().factor, factor_set="kr-grid-2025")
    refused(put(world, opened(world), [electricity(factor=wrong)]), "factor-not-for-programme")


def test_confidential_figures_count_and_are_marked(world: World):
    book = filled(world, [stated("secret", "I.3.1", "10", "1000", notation=("C",))])
    found = outputs(world, compiled(world, book))
    assert found["rows"]["I.3.1"]["notation"] == ["C"]
    assert found["rows"]["I.3.1"]["co2e_kg"] == "10000"


def test_biogenic_carbon_is_told_apart(world: World):
    wood = inventory.LineSpec(
        "wood", "I.2.1", "목재", calculator="fuel-combustion",
        parameters={"fuel": "wood-stationary", "amount": "1000"}, tier=1, activity_quality="M",
        factor_quality="L", method="IPCC",
    )  # fmt: skip
    found = outputs(world, compiled(world, filled(world, [wood])))
    assert Decimal(found["gas_table"]["co2b_kg"]) == Decimal("1747.2")
    line = next(x for x in found["lines"] if x["code"] == "wood")
    assert Decimal(line["co2e_kg"]) < Decimal(200)


def test_basic_plus_asks_for_more(world: World):
    book = filled(world)
    wanted = replace(SETTINGS, level="BASIC+")
    changed = inventory.change_settings(
        world.conn, CITY, book.id, wanted, "넓힘", "maker", world.clock
    )
    assert changed == wanted
    found = outputs(world, compiled(world, book))
    assert {"IV.1", "V.1", "I.1.3"} <= set(found["missing"])


def test_a_version_is_a_leaf_and_can_be_checked(world: World):
    version = compiled(world, filled(world))
    made = footprint.entry_of(world.conn, CITY, "inventory", version.id)
    assert made is not None
    assert made["outputs"] == version.outputs_digest
    inventory.decide(world.conn, CITY, version.id, True, "", "checker", world.clock)
    kinds = {row.action for row in proof.audit_trail(world.conn, CITY, 50)}
    assert {"inventory.compiled", "inventory.sealed", "inventory.opened"} <= kinds


def test_nothing_that_was_sealed_can_be_rewritten(world: World):
    version = compiled(world, filled(world))
    for statement in (
        "UPDATE footprint_inventory_version SET co2e_kg = 1 WHERE id = %s",
        "DELETE FROM footprint_inventory_version WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.Error), world.conn.transaction():
            world.conn.execute(statement, (version.id,))


def test_the_city_adds_back_what_was_sold_out_of_it(world: World):
    """Knowledge §7 test 5, second half: a quantity sold abroad is added back in the inventory."""
    batch = world.issued("20")
    outside = world.company("company:outside", 10_000_000)
    inside = world.company("company:inside", 10_000_000)
    offer = footprint.list_for_sale(world.conn, CITY, batch.id, 8, 10_000, "official", world.clock)
    assert isinstance(offer, footprint.Listing), offer
    for key, buyer, tonnes in (("k1", outside, 4), ("k2", inside, 1)):
        sale = footprint.buy(
            world.conn, CITY, batch.id, buyer, tonnes, 10_000, key, buyer, world.clock
        )
        assert isinstance(sale, footprint.Sale), sale
    gone = footprint.retire(
        world.conn, CITY, batch.id, outside, 3, "Somebody", "2025", "r1", outside, world.clock
    )
    assert isinstance(gone, footprint.Retirement), gone
    settings = replace(SETTINGS, inside=(inside,))
    book = opened(world, settings=settings)
    granted(put(world, book, [electricity(), *the_rest([electricity()])]))
    found = outputs(world, compiled(world, book))["add_back"]
    assert (found["added_back_t"], found["inside_t"]) == (4, 1)
    assert Decimal(found["total_with_add_back_kg"]) == Decimal("477700") + 4000
    states = sorted((x["state"], x["added_back_t"]) for x in found["units"])
    assert states == [("held", 0), ("held", 1), ("retired", 3)]
    assert outputs(world, compiled(world, book))["totals"]["BASIC"] == "477700"
    assert {(x["declaration"], x["adjustment"]) for x in found["units"]} == {("Unknown", "Unknown")}
    for unit in found["units"]:
        serials = sum(last - first + 1 for first, last in unit["serials"])
        assert serials == int(unit["added_back_t"]) + int(unit["inside_t"])
    (lot,) = found["lots"]
    told = (lot["issued_t"], lot["added_back_t"], lot["inside_t"])
    assert tuple(map(int, told)) == (batch.tonnes, 4, 1)
    assert (int(lot["kept_t"]), int(lot["difference_t"])) == (batch.tonnes - 5, 0)


def test_every_row_of_units_sold_adds_up_and_says_how_its_adjustment_stands(world: World):
    """The add-back line is the sum of its rows, on screen and in the workbook alike."""
    batch = world.issued("20")
    buyer = world.company("company:outside", 10_000_000)
    footprint.list_for_sale(world.conn, CITY, batch.id, 8, 10_000, "official", world.clock)
    sale = footprint.buy(world.conn, CITY, batch.id, buyer, 5, 10_000, "k", buyer, world.clock)
    assert isinstance(sale, footprint.Sale), sale
    book = opened(world)
    granted(put(world, book, [electricity()]))
    before = compiled(world, book)
    stated = credits.Adjustment(
        batch.id, "Committed", "Pending", "KR", "LoA-1", date(2026, 1, 2), ("ndc",)
    )
    granted(credits.declare_adjustment(world.conn, CITY, stated, "a1", "official", world.clock))
    after = compiled(world, book)
    assert after.number == before.number + 1  # how the adjustment stands is part of the version
    (unit,) = outputs(world, after)["add_back"]["units"]
    assert (unit["declaration"], unit["adjustment"]) == ("Committed", "Pending")
    data = inventory.as_xlsx(inputs(world, after), outputs(world, after), {}, after.created_at)
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).worksheets[4].iter_rows(values_only=True))
    kinds = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert kinds["sum"]["added_back_t"] == kinds["sold"]["added_back_t"] == 5
    assert kinds["lot"]["difference_t"] == 0
    assert kinds["sold"]["adjustment_status"] == "Pending"
