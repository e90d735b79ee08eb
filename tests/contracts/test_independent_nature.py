"""Trees, water and waste: rows of every fate have the engine's bytes in the second program."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onsil.core.periods import Period
from onsil.footprint.factors import factor_set
from onsil.footprint.terms import MethodInputs
from second_program import compare, example, tabled

SIZES = {
    "first_volume_m3": None, "last_volume_m3": None, "first_dbh_cm": Decimal("18.3"),
    "first_height_m": Decimal("9.1"), "last_dbh_cm": Decimal("19.4"),
    "last_height_m": Decimal("9.6"),
}  # fmt: skip
PINE = {**SIZES, "species": "소나무"}
AREA = {
    "area_south": Decimal("36.9"), "area_north": Decimal("37.1"), "area_west": Decimal("126.9"),
    "area_east": Decimal("127.2"),
}  # fmt: skip
HERE = {"latitude": Decimal("36.99"), "longitude": Decimal("127.11")}
SURE = {"dbh_uncertainty_pct": Decimal("0.2"), "height_uncertainty_pct": Decimal("0.7")}


def trees() -> MethodInputs:
    return tabled(
        "tree-growth", "trees",
        *({**PINE, **HERE, "last_dbh_cm": Decimal(190 + n) / 10} for n in range(4, 12)),
        {**SIZES, **HERE, "species": "리기다", "group": "conifer"},
        {**SIZES, **HERE, "species": "소나무(중부지방)"},
        {**SIZES, **HERE, "species": "Nothing known"},
        {**PINE, **HERE, "first_dbh_cm": Decimal("1.5")},
        {**PINE, **HERE, "last_height_m": None},
        {**PINE, **HERE, "status": "dead", "last_dbh_cm": None, "first_dbh_cm": Decimal("6.2")},
        {**PINE, "latitude": Decimal(10), "longitude": Decimal(127)},
        PINE,
        {**PINE, **HERE, "last_date": date(2025, 5, 1)},
        {**PINE, **HERE, "last_date": date(2026, 5, 1)},
        **AREA, **SURE, days_min=Decimal(300),
    )  # fmt: skip


def street(*volumes: str, **parameters: Any) -> MethodInputs:
    inputs = example("street-tree-census")
    sample = [
        {**inputs.tables["sample"][0], "id": f"tree:{n}", "last_volume_m3": Decimal(volume)}
        for n, volume in enumerate(volumes)
    ]
    unit = inputs.tables["census"][0]
    census = [
        {
            **unit, "id": f"tree:{n}", "tag": f"T{n}", "found": n < 14,
            "latitude": Decimal(36) + Decimal(n) / 1000,
        }
        for n in range(17)
    ]  # fmt: skip
    stated = {**inputs.parameters, "coefficient_uncertainty_pct": Decimal(3), **parameters}
    tables = {"census": tuple(census), "sample": tuple(sample)}
    return replace(inputs, tables=tables, parameters=stated)


def census(*changes: Mapping[str, Any]) -> MethodInputs:
    inputs = example("street-tree-census")
    rows = inputs.tables["census"]
    changed = [{**row, **change} for row, change in zip(rows, [*changes, *[{}] * 5], strict=False)]
    return replace(inputs, tables={**inputs.tables, "census": tuple(changed)})


LOTS = [{"ticket": f"T{n}"} for n in range(9)]
TAP = {"replaces": "tap-water", "pumping_kwh": Decimal(37)}


def months(*changes: Mapping[str, Any], tap: str | None = "kr-tap-water") -> MethodInputs:
    monthly = (
        {
            "first_date": date(2025, n, 1), "last_date": date(2025, n, 28),
            "water_m3": Decimal(1000 * n + 7), "drained_m3": Decimal(n), "source_m3": None,
            **change,
        }
        for n, change in enumerate(changes, 1)
    )  # fmt: skip
    inputs = tabled("effluent-reuse", "deliveries", *monthly)
    factors = dict(inputs.factors)
    if tap is not None:
        factors["tap-water"] = factor_set(tap).factors[0]
    return replace(inputs, factors=factors)


def with_factors(inputs: MethodInputs, **factors: Any) -> MethodInputs:
    return replace(inputs, factors={**inputs.factors, **factors})


UNIT = {"parcel": "P1"}
CASES: dict[str, tuple[str, MethodInputs, str]] = {
    "measured trees": ("tree-growth", trees(), "quantified"),
    "uncertain trees": (
        "tree-growth",
        tabled("tree-growth", "trees", PINE, height_uncertainty_pct=Decimal(9)),
        "not-yet-measurable",
    ),
    "a dead tree": (
        "tree-growth", tabled("tree-growth", "trees", {}, {"status": "dead"}),
        "not-yet-measurable",
    ),
    "a giant": (
        "tree-growth", tabled("tree-growth", "trees", {"last_volume_m3": Decimal("0.4")}),
        "growth-implausible",
    ),
    "trees by law": (
        "tree-growth", tabled("tree-growth", "trees", {}, legal_duty_from=date(2025, 1, 1)),
        "legally-required",
    ),
    "no tree": (
        "tree-growth", tabled("tree-growth", "trees", {"species": "?"}), "no-row-usable",
    ),
    "a street": ("street-tree-census", street("0.111", "0.113", "0.114", "0.109"), "quantified"),
    "a wild street": (
        "street-tree-census", street("0.101", "0.121", "0.100"), "not-yet-measurable",
    ),
    "a shrinking street": (
        "street-tree-census", street("0.091", "0.090", "0.099"), "not-yet-measurable",
    ),
    "a small sample": (
        "street-tree-census", street("0.111", "0.112", sample_min=Decimal(9)), "sample-too-small",
    ),
    "a strange sample": (
        "street-tree-census", street(*["0.111"] * 15), "sample-not-in-census",
    ),
    "found trees": (
        "street-tree-census", census({"planted_by_project": False}), "not-planted-by-project",
    ),
    "old trees": (
        "street-tree-census", census({"planted_year": Decimal(2001)}), "planted-outside-project",
    ),
    "dense trees": ("street-tree-census", street("0.1", area_ha=Decimal("0.1")), "too-dense"),
    "a tag twice": ("street-tree-census", census({"tag": "T-2"}), "duplicate-tag"),
    "neighbours": (
        "street-tree-census",
        census({"latitude": Decimal("36.99"), "longitude": Decimal("127.11")},
               {"latitude": Decimal("36.9901"), "longitude": Decimal("127.11012")}),
        "buffers-overlap",
    ),
    "far away": (
        "street-tree-census", street("0.1", area_south=Decimal("36.005")), "outside-area",
    ),
    "stands": (
        "urban-tree-defaults",
        tabled(
            "urban-tree-defaults", "stands", {"kind": "spruce", "planted": date(2025, 4, 7)},
            {"site": "b", "kind": "crown-cover", "amount": Decimal("7.3")}, {},
            {"planted": date(1970, 1, 1)}, {"planted": date(2026, 3, 1)}, {"amount": Decimal(0)},
        ),
        "quantified",
    ),
    "a site twice": (
        "urban-tree-defaults",
        tabled("urban-tree-defaults", "stands", {}, {"kind": "crown-cover"}), "counted-twice",
    ),
    "units": (
        "afforestation",
        tabled(
            "afforestation", "units", {"half_width_pct": Decimal(33), "baseline_unit": "tC",
            "baseline_stock": Decimal("7.7")},
            {"parcel": "P2", "species": "unknown", "group": "broadleaf", "baseline_stock": None,
             "baseline_unit": None, "baseline_volume_m3_per_ha": Decimal("0.7"), "burnt": True},
            {"parcel": "P3", "inventoried": date(2017, 1, 1), "baseline_unit": "tC"},
            {"parcel": "P4", "inventoried": date(2022, 1, 1), "baseline_unit": "tC"},
            {"parcel": "P5", "species": "unknown", "baseline_unit": "tC"},
            long_term_cap_t=Decimal(400),
        ),
        "quantified",
    ),
    "not grown": (
        "afforestation", tabled("afforestation", "units", UNIT, counted_before_t=Decimal(9000)),
        "not-yet-measurable",
    ),
    "two units": (
        "afforestation",
        tabled("afforestation", "units", {}, {"parcel": "P2", "baseline_unit": "tC"}),
        "unit-mismatch",
    ),
    "no baseline": (
        "afforestation", tabled("afforestation", "units", {"baseline_stock": None}),
        "baseline-unknown",
    ),
    "a parcel twice": (
        "afforestation", tabled("afforestation", "units", UNIT, UNIT), "counted-twice",
    ),
    "water": ("effluent-reuse", months(TAP, {}, TAP, {"phosphorus_mg_l": None}), "quantified"),
    "water in many fates": (
        "effluent-reuse",
        months(
            {**TAP, "last_date": date(2025, 2, 3), "first_date": date(2025, 1, 30)},
            {"meter": "b", "water_m3": None}, {"meter": "b", "pumping_kwh": None},
            {"meter": "b", "calibrated_until": date(2025, 1, 1)},
            {"meter": "b", "source_m3": Decimal(10)}, {"meter": "b", "drained_m3": Decimal(10**6)},
            {"meter": "b", "units_served": Decimal(1)},
            {"meter": "c", "first_date": date(2024, 1, 1)},
            {"meter": "a", "units_served": Decimal(10**6)},
        ),
        "quantified",
    ),
    "water twice": (
        "effluent-reuse", months({}, {"first_date": date(2025, 1, 3)}), "counted-twice",
    ),
    "bottles": (
        "pet-recycling",
        tabled(
            "pet-recycling", "lots", *LOTS[:2], {**LOTS[2], "bottles": Decimal(17_000)},
            {**LOTS[3], "bottles": Decimal(1000)}, {**LOTS[4], "bottles": Decimal(10**6)},
            {**LOTS[5], "accepted_kg": None}, {**LOTS[6], "accepted_kg": Decimal(1001)},
            {**LOTS[7], "outlet": "unknown"}, {**LOTS[8], "date": date(2024, 1, 1)},
        ),
        "quantified",
    ),
    "a ticket twice": (
        "pet-recycling", tabled("pet-recycling", "lots", {}, {}), "duplicate-ticket",
    ),
    "few bottles": (
        "pet-recycling", tabled("pet-recycling", "lots", {"accepted_kg": Decimal(1)}),
        "nothing-saved",
    ),
    "old energy": (
        "pet-recycling", tabled("pet-recycling", "energy", {"date": date(2020, 1, 1)}),
        "energy-outside-period",
    ),
    "burnt waste": (
        "incineration-avoidance",
        tabled(
            "incineration-avoidance", "diverted",
            *({**LOTS[n], "kind": kind, "wet_t": Decimal(n * 13 + 1) / 7} for n, kind in enumerate(
                ("plastics", "food", "plastics", "rubber", "textiles", "other"))),
            {**LOTS[8], "date": date(2024, 1, 1)},
        ),
        "quantified",
    ),
    "buried waste": (
        "landfill-avoidance",
        tabled(
            "landfill-avoidance", "diverted",
            *({**LOTS[n], "kind": kind, "wet_t": Decimal(n * 13 + 1) / 7,
               "date": date(2021 + n % 5, 3, 1), "route": route}
              for n, (kind, route) in enumerate((
                  ("food", "recycling"), ("wood", "composting"), ("paper", "recycling"),
                  ("food", "recycling"), ("food", "recycling"), ("food", "composting"),
                  ("textiles", "anaerobic-digestion"), ("nappies", "incineration")))),
            {**LOTS[8], "date": date(2026, 1, 1)},
            {"ticket": "plastic bags", "kind": "garden", "date": date(2025, 1, 1),
             "route": "incineration", "wet_t": Decimal("0.37")},
            site="unmanaged-shallow",
        ),
        "quantified",
    ),
    "waste of the year": (
        "landfill-avoidance",
        tabled("landfill-avoidance", "diverted",
               {"date": date(2025, 3, 1), "route": "composting", "wet_t": Decimal("3.3")}),
        "not-yet-measurable",
    ),
    "part of a year": (
        "landfill-avoidance",
        replace(example("landfill-avoidance"), period=example("pet-recycling").period),
        "not-a-year",
    ),
    "batches": (
        "pyrolysis-mass-balance",
        with_factors(
            tabled(
                "pyrolysis-mass-balance", "batches",
                {"gas_nm3": Decimal("0.7"), "fossil_carbon_kg": Decimal("0.31")}, {},
                {"feed_kg": Decimal(1001)}, {"highest_c": Decimal(271)}, {"bricks": Decimal(49)},
                {"dioxin_ng": Decimal("5.1")}, {"oil_kg": Decimal(10)},
                {"date": date(2024, 1, 1)}, {"lowest_c": Decimal(266)},
            ),
            **{"city-gas": factor_set("kr-city-gas-2022").factors[0]},
        ),
        "quantified",
    ),
    "unmeasured batches": (
        "pyrolysis-mass-balance",
        replace(
            tabled(
                "pyrolysis-mass-balance", "batches", {"oil_kg": None, "gas_nm3": Decimal(2)},
                {"fossil_carbon_kg": None, "residue_kg": Decimal("49.7")},
            ),
            factors={},
        ),
        "not-yet-measurable",
    ),
    "actions": (
        "citizen-actions",
        tabled(
            "citizen-actions", "actions", {}, {"amount": Decimal("1.7")},
            {"evidence": "photo"}, {"evidence": "photo", "verified": True}, {"amount": None},
            {"amount": Decimal(10**9)}, {"day": date(2024, 1, 1)}, {"action": "unheard of"},
        ),
        "quantified",
    ),
    "another unit": (
        "citizen-actions", tabled("citizen-actions", "actions", {"unit": "furlong"}),
        "unit-mismatch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_other_data_has_the_same_bytes_twice(case: str) -> None:
    name, inputs, expected = CASES[case]
    found = compare(name, "1", inputs)
    assert (found if isinstance(found, str) else found["status"]) == expected, found


AMOUNTS = st.decimals(Decimal("0.001"), Decimal(999), places=3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=5), AMOUNTS)
def test_any_lots_of_bottles_have_the_same_bytes_twice(
    lots: list[tuple[Decimal, Decimal]], power: Decimal
) -> None:
    changes = (
        {"ticket": f"T{n}", "weight_kg": weight + more, "accepted_kg": weight}
        for n, (weight, more) in enumerate(lots)
    )
    inputs = tabled("pet-recycling", "lots", *changes)
    used = {"electricity_kwh": power / 100, "gas_nm3": power / 99}
    energy = ({**inputs.tables["energy"][0], **used},)
    compare("pet-recycling", "1", replace(inputs, tables={**inputs.tables, "energy": energy}))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.decimals(2, 60, places=1), st.decimals(2, 20, places=1),
            st.decimals(0, 1, places=2), st.sampled_from(("소나무", "larch", "oak", "굴참나무")),
        ),
        min_size=1, max_size=6,
    ),
    st.decimals(Decimal("0.1"), 5, places=2),
)  # fmt: skip
def test_any_measured_trees_have_the_same_bytes_twice(
    sizes: list[tuple[Decimal, Decimal, Decimal, str]], percent: Decimal
) -> None:
    changes = (
        {
            "first_volume_m3": None, "last_volume_m3": None, "first_dbh_cm": dbh,
            "first_height_m": height, "last_dbh_cm": dbh + grown, "last_height_m": height,
            "species": species, "group": "broadleaf",
        }
        for dbh, height, grown, species in sizes
    )  # fmt: skip
    inputs = tabled("tree-growth", "trees", *changes, dbh_uncertainty_pct=percent)
    compare("tree-growth", "1", inputs)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            AMOUNTS, st.integers(2011, 2025), st.sampled_from(("food", "paper", "wood", "nappies")),
            st.sampled_from(("recycling", "composting", "incineration")),
        ),
        min_size=1, max_size=8,
    ),
    st.decimals(0, 1, places=2),
)  # fmt: skip
def test_any_years_of_buried_waste_have_the_same_bytes_twice(
    lots: list[tuple[Decimal, int, str, str]], recovered: Decimal
) -> None:
    changes = (
        {
            "ticket": f"T{n}", "wet_t": wet_t, "date": date(year, 7, 1), "kind": kind,
            "route": route,
        }
        for n, (wet_t, year, kind, route) in enumerate(lots)
    )  # fmt: skip
    inputs = tabled("landfill-avoidance", "diverted", *changes, recovered_share=recovered)
    compare("landfill-avoidance", "1", inputs)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(95, 150), min_size=3, max_size=14), st.integers(0, 20))
def test_any_sample_of_a_street_has_the_same_bytes_twice(litres: list[int], percent: int) -> None:
    """Mean, deviation and Student's t of a sample, found by another way."""
    volumes = [str(Decimal(one) / 1000) for one in litres]
    inputs = street(*volumes, coefficient_uncertainty_pct=Decimal(percent))
    compare("street-tree-census", "1", inputs)


@pytest.mark.parametrize("planted", [2025, 2026])
@pytest.mark.parametrize("version", ["1", "2"])
def test_the_year_after_a_calendar_year(version: str, planted: int) -> None:
    inputs = census({"planted_year": Decimal(planted)})
    sample = [{**row, "first_date": date(2025, 1, 1), "last_date": date(2025, 12, 31)}
              for row in inputs.tables["sample"]]  # fmt: skip
    period = Period(datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC))
    tables = {**inputs.tables, "sample": tuple(sample)}
    compare("street-tree-census", version, replace(inputs, period=period, tables=tables))
