"""Uncertainty with shared factors, the change explained to the last digit, the base-year policy."""

import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from inventory_books import (
    GRID,
    SETTINGS,
    compiled,
    electricity,
    granted,
    inputs,
    opened,
    outputs,
    put,
    stated,
)

from onsil.footprint import inventory
from onsil.footprint.inventory.combining import summary
from onsil.footprint.inventory.compiling import calculate


def line(code: str, amount: str, kg: str, **changed: Any) -> dict[str, Any]:
    """A line as canonical inputs hold it: tonnes of something at kg CO2 a tonne."""
    return {
        "code": code, "ref": "I.1.1", "notation": [], "share_bp": 10_000, "calculator": "",
        "parameters": None, "tier": 1, "activity_quality": "M", "factor_quality": "M",
        "activity_pct": None, "factor_pct": None, "activity_source": f"activity:{code}",
        "factor_source": f"factor:{code}", "revision": 1, "history": [[1, "activity"]],
        "activity": {"source": "table", "unit": "t", "basis": "", "amount": amount,
                     "document": "d"},
        "factor": {
            "id": "f", "set": "stated", "version": 1, "commodity": code, "boundary": "",
            "per": "t", "gases_kg": {"co2": kg, "ch4": "0.5"}, "co2e_kg": None,
            "co2e_gwp_set": None, "co2_only": False, "energy_basis": None, "heating": None,
        },
        **changed,
    }  # fmt: skip


def book(*lines: dict[str, Any], gwp: str = "AR5", level: str = "BASIC") -> dict[str, Any]:
    return {
        "kind": "city", "settings": {"gwp_set": gwp, "level": level}, "lines": list(lines),
        "removed": {}, "coefficients": {}, "credits": [],
    }  # fmt: skip


def test_ten_buildings_and_one_factor_are_correlated():
    """Knowledge §5: ten buildings, 5 % meters, one 2 % factor: 2.55 %; taken apart, 1.70 %."""
    shared = [
        (
            Decimal(100),
            [{"source": f"m{i}", "pct": "5"}, {"source": "factor", "pct": "2"}],
            True,
        )
        for i in range(10)
    ]
    apart = [
        (kg, [parts[0], {"source": f"f{i}", "pct": "2"}], True)
        for i, (kg, parts, _) in enumerate(shared)
    ]
    assert summary(Decimal(1000), shared)["pct"] == Decimal("2.55")
    assert summary(Decimal(1000), apart)["pct"] == Decimal("1.70")


def test_what_has_no_uncertainty_is_named_not_exact():
    made = summary(Decimal(300), [(Decimal(300), [], False)])
    assert (made["half_width_kg"], made["pct"]) == (None, None)
    assert made["unstated_kg"] == 300


def test_lines_of_one_factor_share_its_error(world: World):
    book = opened(world)
    granted(put(world, book, [electricity("a"), electricity("b", ref="I.2.2")]))
    made = outputs(world, compiled(world, book))["uncertainty"]["total"]
    assert "factor:kr-grid-2021/electricity/consumption" in made["by_source"]
    # 2 × 477.7 t: factor 4 % of the sum, activities 3 % each apart
    assert made["pct"] == "4.53"


amounts = st.decimals("0", "1e6", places=3)
factors = st.decimals("0", "5000", places=4)
lines = st.builds(
    lambda code, amount, kg, share, cause: line(
        code, str(amount), str(kg), share_bp=share, revision=2,
        history=[[1, "activity"], [2, cause]],
    ),
    st.sampled_from("abcdef"), amounts, factors, st.sampled_from([0, 3333, 10_000]),
    st.sampled_from(["activity", "factor", "gwp", "boundary", "method", "error"]),
)  # fmt: skip
books = st.builds(
    lambda found, gwp: book(*{one["code"]: one for one in found}.values(), gwp=gwp),
    st.lists(lines, max_size=6), st.sampled_from(["SAR", "AR4", "AR5", "AR6"]),
)  # fmt: skip


@given(books, books)
def test_the_causes_add_up_to_the_change_to_the_last_digit(old: Any, new: Any):
    for one in old["lines"]:
        one["revision"] = 1
    change = inventory.explain(old, new)
    assert change.whole
    assert change.new_kg == calculate(new)["totals"]["BASIC"]
    assert sum((one.total_kg for one in change.lines), Decimal(0)) == change.change_kg


def test_each_cause_gets_its_own():
    old = book(line("a", "100", "1000"), line("gone", "1", "10"))
    amount = copy.deepcopy(old)
    amount["lines"][0]["activity"]["amount"] = "110"
    assert inventory.explain(old, amount).causes["activity"] == Decimal("10140")
    factor = copy.deepcopy(old)
    factor["lines"][0]["factor"]["gases_kg"]["co2"] = "900"
    assert inventory.explain(old, factor).causes["factor"] == Decimal("-10000")
    gwp = inventory.explain(old, {**old, "settings": {"gwp_set": "SAR", "level": "BASIC"}})
    assert gwp.causes["gwp"] == Decimal("50.5") * (21 - 28)
    gone = inventory.explain(old, book(old["lines"][0]))
    assert gone.causes["boundary"] == Decimal("-24")
    wrong = copy.deepcopy(amount)
    wrong["lines"][0] |= {"revision": 2, "history": [[1, "activity"], [2, "error"]]}
    assert inventory.explain(old, wrong).causes["error"] == Decimal("10140")


def test_units_that_cannot_meet_are_another_method():
    old, new = book(line("a", "100", "1000")), book(line("a", "5", "9"))
    new["lines"][0]["activity"]["unit"] = "L"
    new["lines"][0]["factor"]["per"] = "L"
    change = inventory.explain(old, new)
    assert change.causes["method"] == change.change_kg
    assert change.whole


POLICY = inventory.RecalculationPolicy(
    2020, 500, ("factor", "method", "error", "boundary", "gwp"), "5 % 이상이면 다시 산정합니다."
)


@pytest.mark.parametrize(("kg", "needed"), [("1049", False), ("1050", True), ("951", False)])
def test_the_base_year_is_done_again_from_the_threshold_on(kg: str, needed: bool):
    old = book(line("a", "1000", "986"))  # 1,000 kg a tonne with the methane
    new = book(line("a", "1000", str(Decimal(kg) - 14)))
    change = inventory.explain(old, new)
    found = inventory.must_recalculate(POLICY, change, change.old_kg)
    assert found.needed is needed, found


def test_growth_never_asks_for_the_base_year():
    change = inventory.explain(book(line("a", "1", "1000")), book(line("a", "9", "1000")))
    assert not inventory.must_recalculate(POLICY, change, change.old_kg).needed


def test_errors_that_cancel_do_not_hide():
    old = book(line("a", "100", "1000"), line("b", "100", "1000"))
    new = book(line("a", "100", "900"), line("b", "100", "1100"))
    change = inventory.explain(old, new)
    # one cause, two lines: +10 and −10 t; the cause's sum is nothing, its size is not
    assert change.change_kg == 0
    assert inventory.must_recalculate(POLICY, change, change.old_kg).needed


def test_a_policy_is_data_with_its_past(world: World, refused):
    made = inventory.set_policy(world.conn, CITY, "city", CITY, POLICY, "maker", world.clock)
    assert (made.revision, made.threshold_bp) == (1, 500)
    again = inventory.set_policy(world.conn, CITY, "city", CITY, POLICY, "maker", world.clock)
    assert again == made
    later = inventory.set_policy(
        world.conn, CITY, "city", CITY, replace(POLICY, threshold_bp=300), "maker", world.clock
    )
    assert later.revision == 2
    wrong = replace(POLICY, causes=("activity",))
    answer = inventory.set_policy(world.conn, CITY, "city", CITY, wrong, "maker", world.clock)
    refused(answer, "policy-invalid")


def test_a_factor_change_makes_a_version_and_explains_itself(world: World):
    """Knowledge §7 test 6: a factor fix makes a new version and changes no issued number."""
    book = opened(world)
    granted(put(world, book, [electricity()]))
    first = compiled(world, book)
    older = replace(GRID, factor_set="kr-grid-2018")
    granted(put(world, book, [electricity(factor=older)], "factor", "승인 계수로 바꿈"))
    second = compiled(world, book)
    change = inventory.explain(inputs(world, first), inputs(world, second))
    assert change.causes["factor"] == second.co2e_kg - first.co2e_kg
    assert change.whole
    kept = inventory.version_of(world.conn, CITY, first.id)
    assert kept == first


def test_a_company_consolidates_by_its_boundary(world: World):
    parts = (
        inventory.Part("own", "본사", 10_000, True, True),
        inventory.Part("half", "합작", 4_000, True, False),
    )
    settings = replace(SETTINGS, parts=parts, approach="equity-share", boundary="본사와 합작")
    use = replace(GRID, programme="disclosure", factor_set="kr-grid-2025")

    def power(code: str, ref: str, entity: str) -> Any:
        return electricity(code, ref=ref, entity=entity, factor=use)

    def total(approach: str) -> Any:
        made = granted(
            inventory.open_inventory(
                world.conn, CITY, "company", f"company:{approach}", approach, 2025,
                replace(settings, approach=approach), "maker", world.clock,
            )
        )  # fmt: skip
        specs = [power("a", "2.L", "own"), power("b", "2.L", "half"), power("m", "2.M", "own"),
                 stated("fuel", "1.1", "1", "1000", entity="half")]  # fmt: skip
        granted(put(world, made, specs))
        return outputs(world, compiled(world, made))["totals"]

    equity = total("equity-share")
    assert equity["scope"] == {"1": "400", "2": "584220", "3": None}
    assert equity["scope_2_market"] == "417300"
    assert total("operational-control")["scope"]["2"] == "834600"
    assert total("financial-control")["scope"]["2"] == "417300"
