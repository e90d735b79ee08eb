"""Stands of trees and reused water at their edges: the last row that counts, and by how much."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest
from typed_kit import rows_of, run, said_no, stated

from onsil.core.canonical import canonical_bytes
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import Factor
from onsil.footprint.methodologies import afforestation, effluent_reuse
from onsil.footprint.terms import Outcome

FOREST: Any = afforestation
WATER: Any = effluent_reuse


def near(one: Decimal, other: Decimal, most: str = "1e-20") -> bool:
    return abs(one - other) < Decimal(most)


def counted(made: Any, inputs: Any = None, **tables: Any) -> Outcome:
    found = run(made, stated(made) if inputs is None else inputs, **tables)
    assert isinstance(found, Outcome), found
    return found


def refused(made: Any, code: str, inputs: Any = None, **tables: Any) -> Refusal:
    return said_no(run(made, stated(made) if inputs is None else inputs, **tables), code)


# --------------------------------------------------------------------------------------- water


def delivery(**changes: Any) -> dict[str, Any]:
    return rows_of(WATER, "deliveries", **changes)[0]


def month(number: int, name: str, **changes: Any) -> dict[str, Any]:
    return delivery(
        id=f"urn:ngsi-ld:Delivery:t:{name}", first_date=date(2025, number, 1),
        last_date=date(2025, number, 28), water_m3=Decimal(1000), drained_m3=Decimal(100),
        source_m3=None, pumping_kwh=Decimal(10), **changes,
    )  # fmt: skip


TAP = Factor("t", "tap-water", "supply", "m3", {"co2": Decimal("0.237")}, co2_only=True)


def with_tap(tap: Factor = TAP) -> Any:
    inputs = stated(WATER)
    return replace(inputs, factors={**inputs.factors, "tap-water": tap})


def test_a_year_of_water_by_hand():
    """900 m3 a month kept: nitrogen 8 g and phosphorus 0.2 g a cubic metre; one not analysed."""
    rows = [
        month(2, "b"), month(1, "a"), month(3, "c", nitrogen_mg_l=None),
        month(4, "d", meter="urn:ngsi-ld:WaterMeter:t:0#volume", replaces="tap-water"),
    ]  # fmt: skip
    found = counted(WATER, with_tap(), deliveries=rows)
    first, second = "urn:ngsi-ld:WaterMeter:example:1#volume", "urn:ngsi-ld:WaterMeter:t:0#volume"
    assert [(x.meter, x.quantity, x.amount, x.unit) for x in found.lines] == [
        (first, "water-reused", 2700, "m3"),
        (first, "nitrogen-removed", Decimal("14.4"), "kg"),
        (first, "phosphorus-removed", Decimal("0.54"), "kg"),
        (second, "water-reused", 900, "m3"),
        (second, "nitrogen-removed", Decimal("7.2"), "kg"),
        (second, "phosphorus-removed", Decimal("0.18"), "kg"),
    ]
    assert list((found.lines[0].parts or {}).items()) == [
        ("2025-01", 900), ("2025-02", 900), ("2025-03", 900),
    ]  # fmt: skip
    details = found.details
    assert (details["water_m3"], details["water_half_width_m3"]) == (3600, 72)
    # 10,000 m3 before are below the first step's end: one for one.
    assert details["water_benefits"] == 3600
    assert details["unanalysed_m3"] == {"nitrogen-removed": 900, "phosphorus-removed": 0}
    assert canonical_bytes(details["unanalysed_m3"]["phosphorus-removed"]) == b'"0"'
    assert round(details["load_relative_pct"] ** 2, 20) == 4 + 100
    with localcontext(ARITHMETIC):
        grid = stated(WATER).factors["electricity"].co2e_kg("SAR")
        assert near(details["avoided_t"], 900 * Decimal("0.237") / 1000)
        assert near(details["pumping_t"], Decimal("0.04") * grid / 1000)
        assert near(details["net_t"], details["avoided_t"] - details["pumping_t"])
        assert found.co2e_t == details["net_t"] > 0
        widths = {c["source"]: c["half_width_t"] for c in found.uncertainty["components"]}
        assert near(widths["record:deliveries:water"], details["avoided_t"] * 2 / 100)
        assert near(widths["record:deliveries:pumping"], -details["pumping_t"] * 2 / 100)
        assert found.gases_kg is not None
        assert near(found.gases_kg["co2"], Decimal("213.3") - Decimal("0.04") * Decimal("456.7"))
        assert near(found.gases_kg["n2o"], -Decimal("0.04") * Decimal("0.0085"))


def test_a_tap_known_with_all_its_gases():
    tap = replace(TAP, co2_only=False, gases_kg={"co2": Decimal("0.2"), "ch4": Decimal("0.001")})
    found = counted(WATER, with_tap(tap), deliveries=[month(1, "a", replaces="tap-water")])
    assert found.details["avoided_t"] == Decimal("0.9") * Decimal("0.221")
    total = replace(
        stated(WATER).factors["electricity"], gases_kg=None, co2e_total_kg=Decimal(460),
        co2e_gwp_set="SAR",
    )  # fmt: skip
    inputs = with_tap(tap)
    vague = replace(inputs, factors={**inputs.factors, "electricity": total})
    assert counted(WATER, vague, deliveries=[month(1, "a", replaces="tap-water")]).gases_kg is None


def test_a_net_emission_counts_for_nothing():
    found = counted(WATER)
    assert found.co2e_t == 0
    assert canonical_bytes(found.gases_kg) == b'{"ch4":"0","co2":"0","n2o":"0"}'
    assert found.uncertainty["relative_pct"] is None
    # 10,000 before and 90,000 more: 30,000 by one, 60,000 by ten.
    assert found.details["water_benefits"] == 36_000
    assert found.details["avoided_t"] == 0
    assert found.lines[0].parts is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_date": date(2025, 3, 1), "last_date": date(2025, 3, 1)}, None),
        ({"first_date": date(2025, 3, 2), "last_date": date(2025, 3, 1)}, "dates-reversed"),
        ({"last_date": date(2026, 1, 1)}, "outside-period"),
        ({"calibrated_until": date(2026, 1, 1)}, None),
        ({"calibrated_until": date(2025, 12, 31)}, "out-of-calibration"),
        # 2 % more than the source may be the meters'.
        ({"source_m3": Decimal(98_040)}, None),
        ({"source_m3": Decimal(98_039)}, "above-source"),
        ({"drained_m3": Decimal(100_001)}, "drained-impossible"),
        # 365 days of 200 L: 73 m3 each.
        ({"water_m3": Decimal(73_000), "units_served": Decimal(1000)}, None),
        ({"water_m3": Decimal("73000.1"), "units_served": Decimal(1000)}, "volume-implausible"),
    ],
)
def test_the_last_delivery_that_counts(changes, reason):
    other = month(1, "other", meter="urn:ngsi-ld:WaterMeter:t:0#volume")
    found = counted(WATER, deliveries=[other, delivery(**changes)])
    left_out = found.coverage["deliveries"]["left_out"]
    expected = [] if reason is None else [["urn:ngsi-ld:Delivery:example:2025", reason]]
    assert left_out == expected


def test_what_waters_refusals_tell():
    answer = refused(WATER, "no-permit", stated(WATER, permit_until="2025-12-31"))
    assert answer.facts == {"permit_until": "2025-12-31"}
    counted(WATER, stated(WATER, permit_until="2026-01-01"))
    one = month(1, "a")
    touching = month(2, "b") | {"first_date": one["last_date"]}
    answer = refused(WATER, "counted-twice", deliveries=[touching, one])
    assert answer.facts == {"meter": one["meter"], "rows": [one["id"], touching["id"]]}
    unmetered = {name: value for name, value in one.items() if name != "pumping_kwh"}
    answer = refused(WATER, "no-row-usable", deliveries=[unmetered])
    assert answer.facts["table"] == "deliveries"
    dry = {**one, "drained_m3": one["water_m3"]}
    assert refused(WATER, "nothing-reused", deliveries=[dry]).facts == {"m3": 0}
    refused(WATER, "legally-required", stated(WATER, legal_duty_from="2025-06-01"))


# -------------------------------------------------------------------------------------- stands


def units(first: dict[str, Any], second: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    rows = rows_of(FOREST, "units")
    rows[1].update(second or {})
    rows[0].update(first)
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


def test_the_examples_parts_by_hand():
    """Larch with 0.47; unknown: .3, 1.1, .2. B's half-width is 5 points above the tolerance."""
    found = counted(FOREST)
    with localcontext(ARITHMETIC):
        per = Decimal("0.47") * 44 / 12
        larch = 300 * Decimal("0.45") * Decimal("1.34") * Decimal("1.29") * per
        least = 300 * Decimal("0.3") * Decimal("1.1") * Decimal("1.2") * per
        details = found.details
        assert near(details["stock_t"], larch + least)
        assert near(details["inventory_excess_t"], least * 5 / 100)
        assert details["baseline_t"] == 20
        assert details["leakage_t"] == 2
        assert details["burning_t"] == 2
        assert details["fertiliser_t"] == Decimal("0.5")
        net = larch + least * 95 / 100 - Decimal("24.5")
        assert near(details["net_t"], net)
        assert near(found.co2e_t, net - 100)
        assert found.gases_kg == {"co2": found.co2e_t * 1000, "ch4": 0, "n2o": 0}
        widths = {c["source"]: c["half_width_t"] for c in found.uncertainty["components"]}
        assert near(widths["record:units:urn:ngsi-ld:ForestUnit:example:A"], larch * 15 / 100)
        assert near(widths["record:units:urn:ngsi-ld:ForestUnit:example:B"], least * 25 / 100)
        assert {c["confidence_pct"] for c in found.uncertainty["components"]} == {90}
        # Five years of 365 days and one leap day, on ten hectares.
        assert [line.amount for line in found.lines] == [Decimal(18_260) / 365] * 2
    assert {(line.quantity, line.unit) for line in found.lines} == {("stand-year", "ha-year")}
    assert (details["counted_before_t"], details["cap_t"]) == (100, None)


def test_baselines_in_carbon_and_by_volume():
    """6 tC are 22 t of CO2; 2 m3 a hectare of unknown species: .7, 3.5, .8 and 0.47."""
    carbon = units({"baseline_stock": Decimal(6), "baseline_unit": "tC"},
                   {"baseline_stock": None, "baseline_unit": None,
                    "baseline_volume_m3_per_ha": Decimal(2), "burnt": False})  # fmt: skip
    details = counted(FOREST, units=carbon).details
    with localcontext(ARITHMETIC):
        volume = 20 * Decimal("0.7") * Decimal("3.5") * Decimal("1.8") * Decimal("0.47") * 44 / 12
        assert near(details["baseline_t"], 22 + volume)
    assert details["burning_t"] == 0
    assert isinstance(details["burning_t"], Decimal)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"half_width_pct": Decimal(20)}, None),
        ({"planted": date(2025, 10, 1)}, "inventory-before-planting"),
        ({"planted": date(2025, 9, 30)}, None),
        ({"inventoried": date(2026, 1, 1)}, None),
        ({"inventoried": date(2026, 1, 2)}, "inventory-outside-period"),
        ({"inventoried": date(2024, 12, 31)}, None),
        ({"inventoried": date(2024, 12, 30)}, "inventory-outside-period"),
        ({"species": "느티나무"}, "unknown-species"),
        ({"species": "느티나무", "group": "broadleaf"}, None),
    ],
)
def test_the_last_inventory_that_counts(changes, reason):
    found = counted(FOREST, stated(FOREST, counted_before_t="0"), units=units({}, changes))
    left_out = found.coverage["units"]["left_out"]
    assert left_out == ([] if reason is None else [["urn:ngsi-ld:ForestUnit:example:B", reason]])
    # Left out or not, its baseline and its fire stay deducted.
    assert (found.details["baseline_t"], found.details["burning_t"]) == (20, 2)
    excess = found.details["inventory_excess_t"]
    assert (excess == 0) is (reason is not None or "half_width_pct" in changes)


def test_a_group_chooses_the_coefficients():
    def stock(**more: Any) -> Decimal:
        inputs = stated(FOREST, counted_before_t="0")
        return counted(FOREST, inputs, units=units({}, more)).details["stock_t"]

    by_group = stock(species="느티나무", group="broadleaf")
    assert by_group == stock(species="other-broadleaf") > stock(species="느티나무", group="conifer")


def test_what_the_forests_refusals_tell():
    mixed = units({"baseline_unit": "tC"})
    assert refused(FOREST, "unit-mismatch", units=mixed).facts == {"units": ["tC", "tCO2"]}
    for lacking in (
        {"baseline_stock": None}, {"baseline_unit": None},
        {"baseline_stock": None, "baseline_unit": None},
        {"baseline_stock": None, "baseline_volume_m3_per_ha": Decimal(1)},
    ):  # fmt: skip
        answer = refused(FOREST, "baseline-unknown", units=units(lacking))
        assert answer.facts == {"units": ["urn:ngsi-ld:ForestUnit:example:A"]}
    twice = refused(FOREST, "counted-twice", units=units({"parcel": "B"}))
    assert twice.facts == {"parcels": ["B"]}
    assert twice.en.endswith(": B.")
    none = refused(FOREST, "no-row-usable", units=units({"species": "?"}, {"species": "?"}))
    assert none.facts["table"] == "units"
    refused(FOREST, "legally-required", stated(FOREST, legal_duty_from="2025-06-01"))


@pytest.mark.parametrize(("before", "grown"), [("572.15419", False), ("572.15", True)])
def test_only_what_exceeds_what_was_counted(before, grown):
    """The example nets 572.15419 t."""
    inputs = stated(FOREST, counted_before_t=before)
    if grown:
        assert counted(FOREST, inputs).co2e_t == Decimal("0.00419")
        return
    facts = refused(FOREST, "not-yet-measurable", inputs).facts
    assert facts["net_t"] == facts["counted_before_t"] == Decimal(before)
    assert facts["cap_t"] is None
    assert facts["stock_t"] > 0


def test_the_cap_is_of_the_whole_and_no_net_is_nothing():
    capped = stated(FOREST, long_term_cap_t="150", counted_before_t="100")
    found = counted(FOREST, capped)
    assert (found.co2e_t, found.details["cap_t"]) == (50, 150)
    full = stated(FOREST, long_term_cap_t="100", counted_before_t="100")
    assert refused(FOREST, "not-yet-measurable", full).facts["cap_t"] == 100
    leaking = stated(FOREST, leakage_t="1000", counted_before_t="0")
    answer = refused(FOREST, "not-yet-measurable", leaking)
    assert answer.facts["net_t"] < 0
    assert f"{round(answer.facts['net_t'], 3)} tCO2e" in answer.en
    assert f"{round(answer.facts['net_t'], 3)} tCO2e" in answer.ko
