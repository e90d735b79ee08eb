"""Trees and reused water: what counts, what is refused with its explanation, what always holds."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typed_kit import PRECISE, run, said_no, stated, tonnes, tree

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import Factor, coefficient_table
from onsil.footprint.factors.plan import use_plan_coefficient
from onsil.footprint.methodologies import (
    afforestation,
    check_parameters,
    check_tables,
    effluent_reuse,
    street_tree_census,
    street_tree_census_2,
    tree_growth,
    urban_tree_defaults,
)
from onsil.footprint.methodologies.effluent_reuse import water_benefits
from onsil.footprint.terms import Outcome
from onsil.footprint.trees import (
    as_co2,
    close_pairs,
    find_species,
    gain_loss,
    metres_between,
    power,
    stem_volume_m3,
    stock_co2_kg,
)

GROWTH: Any = tree_growth
BIOMASS = coefficient_table("kr-nifos-biomass")
GROWN = st.integers(0, 40)  # litres of stem in a year


def growth(rows: list[dict[str, Any]], **parameters: Any) -> Outcome | Refusal:
    return run(tree_growth, stated(tree_growth, **parameters), trees=rows)


@pytest.fixture
def refused():
    return said_no


# ------------------------------------------------------------------------------- pure formulas


def test_species_by_every_name():
    for name in ("larch", "일본잎갈나무", "Larix kaempferi", " larix  KAEMPFERI "):
        found = find_species(BIOMASS, name)
        assert not isinstance(found, Refusal)
        assert found.key == "larch"


def test_a_pine_of_no_stated_region_takes_the_coefficients_that_hold_less():
    for name in ("소나무", "Pinus densiflora"):
        found = find_species(BIOMASS, name)
        assert not isinstance(found, Refusal)
        assert found.key == "gangwon-pine"
    named = find_species(BIOMASS, "소나무(중부지방)")
    assert not isinstance(named, Refusal)
    assert named.key == "central-pine"


def test_a_species_of_no_table_needs_its_group(refused):
    refused(find_species(BIOMASS, "느티나무"), "unknown-species")
    found = find_species(BIOMASS, "느티나무", "broadleaf")
    assert not isinstance(found, Refusal)
    assert found.key == "other-broadleaf"


def test_species_whose_sources_disagree_are_marked():
    assert BIOMASS.maturity_of("red-oak-evergreen") == "unconfirmed"
    assert BIOMASS.maturity_of("konara-oak") == "unconfirmed"
    assert BIOMASS.maturity_of("larch") == "secondary"


def test_the_plans_pine_as_a_stock_has_a_stem_of_about_a_tenth_of_a_cubic_metre():
    """0.1666 t held by a pine is 0.108 to 0.114 m3 of stem: a stock, and plausible as one."""
    with localcontext(ARITHMETIC):
        for key, low, high in (
            ("gangwon-pine", "0.113", "0.115"),
            ("central-pine", "0.107", "0.109"),
        ):
            species = find_species(BIOMASS, key)
            assert not isinstance(species, Refusal)
            volume = Decimal("166.6") / stock_co2_kg(Decimal(1), species)
            assert Decimal(low) < volume < Decimal(high)


def test_volume_by_form_factor_and_by_any_exponent():
    with localcontext(ARITHMETIC):
        row = coefficient_table("stem-form-factor").rows["conifer"]
        a, b, c = (row[name] for name in "abc")
        assert isinstance(a, Decimal)
        assert isinstance(b, Decimal)
        assert isinstance(c, Decimal)
        found = stem_volume_m3(Decimal(20), Decimal(10), a, b, c)
        assert round(found, 6) == Decimal("0.141372")  # π/4 × 0.2² × 10 × 0.45
        assert power(Decimal(9), Decimal("0.5")).quantize(Decimal("1e-40")) == 3
        assert power(Decimal(10), Decimal("2.5")) == power(Decimal(10), Decimal("2.50"))


def test_golden_9_oxygen_of_suwons_trees():
    """299 t × 32/12 = 797 t of oxygen, as published: so 299 is carbon, not CO2."""
    assert round(Decimal(299) * 32 / 12) == 797
    assert round(as_co2(Decimal(299))) == 1096


def test_golden_10_daejeons_trees():
    """216 tC is 792 t of CO2; the printed 793 comes of 3.67 for 44/12."""
    assert as_co2(Decimal(216)) == 792
    assert round(Decimal(216) * Decimal("3.67")) == 793


def test_golden_ipcc_forest_example():
    """Vol. 4 s4.2.1.4, from memory: a printed 1,378.45 is 1,378.46; the net holds."""
    carbon, roots = Decimal("0.47"), Decimal("0.29")
    with localcontext(ARITHMETIC):
        gain = 100_000 * Decimal(4) * (1 + roots) * carbon
        wood = 1000 * Decimal("2.11") * (1 + roots + Decimal("0.1")) * carbon
        fuel = 500 * Decimal("2.11") * (1 + roots) * carbon
        burnt = 2000 * Decimal(8) * (1 + roots) * carbon * Decimal("0.15")
        assert gain == 242_520
        assert round(wood, 2) == Decimal("1378.46") != Decimal("1378.45")
        assert round(fuel, 2) == Decimal("639.65")
        assert round(burnt, 2) == Decimal("1455.12")
        assert round(gain_loss(gain, (wood, fuel, burnt))) == 239_047
        printed = (Decimal("1378.45"), Decimal("639.65"), Decimal("1455.12"))
        assert round(gain_loss(gain, printed)) == 239_047


def test_metres_between_places():
    with localcontext(ARITHMETIC):
        one, north = (Decimal("37.6"), Decimal("127")), (Decimal("37.6005"), Decimal("127"))
        assert round(metres_between(one, north), 1) == Decimal("55.6")
        east = (Decimal("37.6"), Decimal("127.001"))
        assert round(metres_between(one, east), 1) == Decimal("88.1")
        assert close_pairs([("a", one), ("b", north), ("c", east)], Decimal(60)) == [
            ("a", "b", metres_between(one, north))
        ]


# ------------------------------------------------------------------------------- measured trees


def test_auditor_17_the_plans_pine_is_no_yearly_growth(refused):
    """0.1666 t in a year is refused with its reason; as a plan's coefficient, too."""
    species = find_species(BIOMASS, "central-pine")
    assert not isinstance(species, Refusal)
    with localcontext(ARITHMETIC):
        grown = Decimal("166.6") / stock_co2_kg(Decimal(1), species)
    row = tree(1, species="central-pine", last_volume_m3=Decimal("0.1") + grown)
    answer = refused(growth([row]), "growth-implausible")
    assert "17" in answer.ko
    assert "17 years' growth of one pine" in answer.en
    assert answer.facts["trees"] == ["urn:ngsi-ld:Tree:t:1"]
    refused(use_plan_coefficient("pine", "yearly-removal"), "cumulative-not-yearly")


def test_no_site_can_raise_the_band_to_the_plans_pine(refused):
    refused(check_parameters(GROWTH, {"yearly_most_kg": "166.6"}), "parameter-invalid")


def test_a_tree_by_diameter_and_height():
    row = tree(
        1, first_volume_m3=None, last_volume_m3=None, first_dbh_cm=Decimal(14),
        first_height_m=Decimal(9), last_dbh_cm=Decimal("14.8"), last_height_m=Decimal("9.2"),
    )  # fmt: skip
    found = growth([row], **PRECISE, coefficient_uncertainty_pct="0")
    assert isinstance(found, Outcome)
    volume = Decimal("0.000035342917352885173933") * (
        Decimal("14.8") ** 2 * Decimal("9.2") - 14**2 * 9
    )
    kg = volume * Decimal("0.45") * Decimal("1.34") * Decimal("1.29") * Decimal("0.51") * 44 / 12
    assert abs(found.details["grown_t"] - kg) < Decimal("1e-20")
    assert found.lines[0].quantity == "tree-year"
    assert found.lines[0].amount == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"first_date": date(2024, 9, 1)}, "outside-period"),
        ({"last_date": date(2025, 5, 1)}, "interval-too-short"),
        ({"last_volume_m3": None}, "last-measurement-missing"),
        ({"species": "느티나무"}, "unknown-species"),
        (
            {
                "first_volume_m3": None,
                "first_dbh_cm": Decimal(120),
                "first_height_m": Decimal(20),
            },
            "outside-equation",
        ),
    ],
)
def test_rows_that_do_not_count_say_why(more, reason):
    found = growth([tree(1), tree(2, **more)])
    assert isinstance(found, Outcome)
    assert found.coverage["trees"]["left_out"] == [["urn:ngsi-ld:Tree:t:2", reason]]
    assert [line.meter for line in found.lines] == ["urn:ngsi-ld:Tree:t:1"]


def test_trees_stand_within_the_area(refused):
    inside = tree(1, latitude=Decimal("36.99"), longitude=Decimal("127.1"))
    outside = tree(2, latitude=Decimal("35"), longitude=Decimal("127.1"))
    area = {"area_south": "36.9", "area_north": "37.2", "area_west": "126.7", "area_east": "127.2"}
    found = growth([inside, outside, tree(3)], **area)
    assert isinstance(found, Outcome)
    assert found.coverage["trees"]["excluded"] == {"outside-area": 1}
    assert found.coverage["trees"]["missing"] == 1


def test_the_same_id_twice_is_refused(refused):
    refused(check_tables(GROWTH, {"trees": [tree(1), tree(1)]}), "row-invalid")


def test_deaths_take_their_stock_along(refused):
    alive = [tree(n) for n in range(10)]
    with_loss = growth([*alive, tree(10, status="dead", last_volume_m3=None)])
    without = growth(alive)
    assert tonnes(with_loss) < tonnes(without)
    answer = refused(
        growth([tree(1), tree(2, status="missing", last_volume_m3=None)]), "not-yet-measurable"
    )
    assert answer.facts["lost_t"] > answer.facts["grown_t"]


def test_uncertainty_is_deducted_and_too_much_is_refused(refused):
    rows = [tree(n) for n in range(5)]
    found = growth(rows, coefficient_uncertainty_pct="20")
    assert isinstance(found, Outcome)
    assert found.details["relative_90_pct"] > 15
    kept = found.details["grown_t"] - found.details["deducted_t"]
    assert abs(found.co2e_t - kept) < Decimal("1e-24")
    refused(growth(rows, coefficient_uncertainty_pct="60"), "not-yet-measurable")


def test_a_legal_duty_to_plant_stops_the_clock(refused):
    refused(growth([tree(1)], legal_duty_from="2025-01-01"), "legally-required")


@settings(deadline=None, max_examples=40)
@given(st.lists(GROWN, min_size=1, max_size=6), st.integers(2, 4))
def test_growth_is_linear_and_never_negative(litres, times):
    one = [tree(n, v) for n, v in enumerate(litres)]
    many = [
        tree(
            n,
            first_volume_m3=Decimal("0.1") * times,
            last_volume_m3=Decimal(100 + v) * times / 1000,
        )
        for n, v in enumerate(litres)
    ]
    wide = {"yearly_most_kg": "100"}
    first, second = growth(one, **wide), growth(many, **wide)
    if isinstance(second, Refusal) and second.code == "growth-implausible":
        return
    assert tonnes(first) >= 0
    assert abs(tonnes(second) - tonnes(first) * times) < Decimal("1e-24")


@settings(deadline=None, max_examples=40)
@given(st.lists(GROWN, min_size=2, max_size=6), st.randoms())
def test_the_order_of_rows_does_not_matter(litres, random):
    rows = [tree(n, v) for n, v in enumerate(litres)]
    mixed = rows[:]
    random.shuffle(mixed)
    one, other = growth(rows), growth(mixed)
    assert tonnes(one) == tonnes(other)
    if isinstance(one, Outcome):
        assert one == other


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.sampled_from(["dead", "missing"]))
def test_dead_trees_never_add(litres, status):
    rows = [tree(n, v) for n, v in enumerate(litres)]
    died = [{**rows[0], "status": status}, *rows[1:]]
    gone = rows[1:]
    assert tonnes(growth(died)) <= tonnes(growth(gone))
    assert tonnes(growth(died)) <= tonnes(growth(rows))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(5, 30), min_size=1, max_size=5), st.integers(1, 8))
def test_more_growth_of_a_tree_never_counts_less_before_the_deduction(litres, more):
    rows = [tree(n, v) for n, v in enumerate(litres)]
    grown = [tree(0, litres[0] + more), *rows[1:]]
    one, other = growth(rows), growth(grown)
    if isinstance(one, Outcome) and isinstance(other, Outcome):
        assert other.details["grown_t"] > one.details["grown_t"]


# ------------------------------------------------------------------------------- street trees


def census(**changes: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in street_tree_census.worked_example().inputs.tables["census"]]
    rows[0].update(changes)
    return rows


def by_census(**parameters: Any) -> Any:
    return stated(street_tree_census, **parameters)


def test_watering_trees_that_stood_there_earns_nothing(refused):
    answer = refused(
        run(street_tree_census, by_census(), census=census(planted_by_project=False)),
        "not-planted-by-project",
    )
    assert "effluent-reuse" in answer.en


@pytest.mark.parametrize(
    ("changes", "parameters", "code"),
    [
        ({"planted_year": Decimal(2010)}, {}, "planted-outside-project"),
        ({}, {"area_ha": "0.09"}, "too-dense"),
        ({"tag": "T-2"}, {}, "duplicate-tag"),
        ({}, {"area_north": "36.99"}, "outside-area"),
        ({"latitude": Decimal("36.9921")}, {}, "buffers-overlap"),
        ({}, {"sample_min": "4"}, "sample-too-small"),
        ({"found": False}, {}, "sample-not-in-census"),
    ],
)
def test_what_a_census_must_hold(refused, changes, parameters, code):
    refused(run(street_tree_census, by_census(**parameters), census=census(**changes)), code)


def of_the_year(made: Any, planted: int, year: int = 2025) -> Any:
    """The example over a calendar year, with one tree planted in another."""
    period = Period(
        datetime(year - 1, 12, 31, 15, tzinfo=UTC), datetime(year, 12, 31, 15, tzinfo=UTC)
    )
    example = made.worked_example().inputs
    rows = census(planted_year=Decimal(planted))
    sample_rows = [{**row, "first_date": date(year, 1, 1), "last_date": date(year, 12, 31)}
                   for row in example.tables["sample"]]  # fmt: skip
    tables = {"census": tuple(rows), "sample": tuple(sample_rows)}
    return replace(example, period=period, tables=tables)


def test_version_2_lets_no_tree_of_the_year_after_in(refused):
    after, within = (of_the_year(street_tree_census, year) for year in (2026, 2025))
    assert isinstance(run(street_tree_census, after), Outcome)  # what version 1 overlooks
    refused(run(street_tree_census_2, after), "planted-outside-project")
    same = [run(made, within) for made in (street_tree_census, street_tree_census_2)]
    assert same[0] == same[1]
    assert isinstance(same[0], Outcome)


def test_fifty_units_to_the_hectare_are_just_allowed():
    found = run(street_tree_census, by_census(area_ha="0.1"))
    assert isinstance(found, Outcome)


def test_units_not_found_are_dead():
    whole = run(street_tree_census, by_census())
    rows = [{**row, "found": row["found"] and not row["id"].endswith(":4")} for row in census()]
    fewer = run(street_tree_census, by_census(), census=rows)
    assert tonnes(fewer) < tonnes(whole)
    assert isinstance(fewer, Outcome)
    assert fewer.details["mortality_pct"] == 40
    assert len(fewer.lines) == 3


def test_a_scattered_sample_is_deducted_and_a_wild_one_earns_nothing(refused):
    example = street_tree_census.worked_example().inputs

    def sample(*litres: int) -> list[dict[str, Any]]:
        return [
            {**row, "last_volume_m3": Decimal(100 + v) / 1000}
            for row, v in zip(example.tables["sample"], litres, strict=True)
        ]

    found = run(street_tree_census, by_census(), sample=sample(10, 12, 14))
    assert isinstance(found, Outcome)
    above = found.details["relative_90_pct"] - 10
    assert above > 0
    assert abs(found.details["deducted_t"] - found.details["grown_t"] * above / 100) < Decimal(
        "1e-24"
    )
    refused(run(street_tree_census, by_census(), sample=sample(1, 12, 40)), "not-yet-measurable")


# ------------------------------------------------------------------------------- defaults


def test_old_trees_and_double_counting(refused):
    inputs = urban_tree_defaults.worked_example().inputs
    row = inputs.tables["stands"][0]
    old = {**row, "planted": date(2000, 1, 1)}
    refused(run(urban_tree_defaults, inputs, stands=[old]), "no-row-usable")
    cover = {**row, "id": "urn:ngsi-ld:x:2", "kind": "crown-cover", "amount": Decimal(2)}
    refused(run(urban_tree_defaults, inputs, stands=[row, cover]), "counted-twice")
    both = run(urban_tree_defaults, inputs, stands=[row, {**cover, "site": "another"}])
    assert isinstance(both, Outcome)
    crown_t = both.details["by_kind_t"]["crown-cover"]
    assert round(crown_t, 2) == Decimal("21.27")  # 2 ha × 2.9 tC × 44/12
    assert [line.unit for line in both.lines] == ["tree-year", "ha-year"]


def test_auditor_8_a_default_in_another_unit_or_beyond_the_band_is_refused(refused):
    inputs = urban_tree_defaults.worked_example().inputs
    table = inputs.coefficients["urban-tree-growth"]
    other = replace(table, columns={**table.columns, "tc_per_year": "tCO2"})
    mixed = replace(inputs, coefficients={"urban-tree-growth": other})
    refused(run(urban_tree_defaults, mixed), "unit-mismatch")
    pine = {**table.rows["pine"], "tc_per_year": Decimal("0.1666") * 12 / 44}
    wrong = replace(table, rows={**table.rows, "pine": pine})
    seventeen = replace(inputs, coefficients={"urban-tree-growth": wrong})
    answer = refused(run(urban_tree_defaults, seventeen), "growth-implausible")
    assert "17" in answer.en


@settings(deadline=None)
@given(st.integers(1, 100_000), st.integers(1, 50))
def test_defaults_are_linear(amount, times):
    inputs = urban_tree_defaults.worked_example().inputs
    row = inputs.tables["stands"][0]
    one = run(urban_tree_defaults, inputs, stands=[{**row, "amount": Decimal(amount)}])
    many = run(urban_tree_defaults, inputs, stands=[{**row, "amount": Decimal(amount) * times}])
    assert abs(tonnes(many) - tonnes(one) * times) < Decimal("1e-24")


# ------------------------------------------------------------------------------- afforestation


def units(**changes: Any) -> list[dict[str, Any]]:
    rows = [dict(row) for row in afforestation.worked_example().inputs.tables["units"]]
    rows[0].update(changes)
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"baseline_unit": "tC"}, "unit-mismatch"),
        ({"baseline_unit": None}, "baseline-unknown"),
        ({"parcel": "B"}, "counted-twice"),
    ],
)
def test_auditor_8_carbon_and_co2_are_not_mixed_and_units_hold(refused, changes, code):
    refused(run(afforestation, stated(afforestation), units=units(**changes)), code)


def test_nothing_counts_until_the_net_has_grown(refused):
    answer = refused(
        run(afforestation, stated(afforestation, counted_before_t="600")), "not-yet-measurable"
    )
    assert answer.facts["net_t"] < 600
    refused(run(afforestation, stated(afforestation, leakage_t="5000")), "not-yet-measurable")


def test_the_long_term_cap_binds_and_periods_add_up():
    whole = run(afforestation, stated(afforestation, counted_before_t="0"))
    later = run(afforestation, stated(afforestation, counted_before_t="200"))
    assert tonnes(whole) == tonnes(later) + 200
    capped = run(afforestation, stated(afforestation, long_term_cap_t="300"))
    assert tonnes(capped) == 200


def test_a_baseline_of_unknown_species_is_large_and_a_project_of_one_small():
    """0.7 × 3.5 × 1.8 on the baseline's side against 0.3 × 1.1 × 1.2 on the project's."""
    rows = units(
        species=None, baseline_stock=None, baseline_unit=None,
        baseline_volume_m3_per_ha=Decimal(2),
    )  # fmt: skip
    found = run(afforestation, stated(afforestation, counted_before_t="0"), units=rows)
    assert isinstance(found, Outcome)
    baseline = 2 * 10 * Decimal("0.7") * Decimal("3.5") * Decimal("1.8") * Decimal("0.47") * 44 / 12
    assert abs(found.details["baseline_t"] - 20 - baseline) < Decimal("1e-20")


def test_an_inventory_before_planting_or_of_another_year_does_not_count():
    for changes, reason in (
        ({"inventoried": date(2018, 1, 1)}, "inventory-before-planting"),
        ({"inventoried": date(2024, 1, 1)}, "inventory-outside-period"),
    ):
        found = run(
            afforestation, stated(afforestation, counted_before_t="0"), units=units(**changes)
        )
        assert isinstance(found, Outcome)
        assert found.coverage["units"]["excluded"] == {reason: 1}


# ------------------------------------------------------------------------------- reused water


def delivery(**changes: Any) -> list[dict[str, Any]]:
    row = {**effluent_reuse.worked_example().inputs.tables["deliveries"][0], **changes}
    return [{k: v for k, v in row.items() if v is not None}]


def test_golden_19_tiers_of_water_benefits():
    """To 40,000 m3 one each, to 1.3 million one for ten, above that one for a hundred."""
    assert water_benefits(Decimal(40_000)) == 40_000
    assert water_benefits(Decimal(100_000)) == 46_000
    assert water_benefits(Decimal(1_300_000)) == 166_000
    assert water_benefits(Decimal(2_000_000)) == 173_000
    assert water_benefits(Decimal(0)) == 0


@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000))
def test_water_benefits_never_fall_and_never_exceed_the_water(one, other):
    low, high = sorted((Decimal(one), Decimal(other)))
    assert water_benefits(low) <= water_benefits(high) <= high


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"water_m3": Decimal(110_000)}, "above-source"),
        ({"drained_m3": Decimal(100_001)}, "drained-impossible"),
        ({"units_served": Decimal(100)}, "volume-implausible"),
        ({"pumping_kwh": None}, "pumping-missing"),
        ({"water_m3": None}, "volume-missing"),
        ({"first_date": date(2024, 12, 31)}, "outside-period"),
        ({"calibrated_until": date(2025, 12, 31)}, "out-of-calibration"),
    ],
)
def test_auditor_17_water_that_does_not_balance(refused, changes, reason):
    answer = refused(
        run(effluent_reuse, stated(effluent_reuse), deliveries=delivery(**changes)),
        "no-row-usable",
    )
    assert answer.facts["left_out"] == [["urn:ngsi-ld:Delivery:example:2025", reason]]


def test_permit_and_overlapping_rows(refused):
    refused(run(effluent_reuse, stated(effluent_reuse, permit_until="2025-06-01")), "no-permit")
    twice = [*delivery(), {**delivery()[0], "id": "urn:ngsi-ld:Delivery:example:again"}]
    refused(run(effluent_reuse, stated(effluent_reuse), deliveries=twice), "counted-twice")


def test_tap_water_replaced_is_counted_and_a_net_emission_is_never_negative():
    tap = Factor(
        "example", "tap-water", "supply", "m3", {"co2": Decimal("0.237")}, co2_only=True
    )  # fmt: skip
    inputs = stated(effluent_reuse)
    inputs = replace(inputs, factors={**inputs.factors, "tap-water": tap})
    river = run(effluent_reuse, inputs)
    assert isinstance(river, Outcome)
    assert river.co2e_t == 0
    assert river.details["net_t"] < 0
    assert river.lines
    found = run(effluent_reuse, inputs, deliveries=delivery(replaces="tap-water"))
    assert isinstance(found, Outcome)
    assert found.co2e_t == Decimal("0.237") * 90 - Decimal("5.5129272")
    monthly = run(
        effluent_reuse, inputs,
        deliveries=delivery(
            first_date=date(2025, 3, 1), last_date=date(2025, 3, 31), units_served=Decimal(90_000)
        ),
    )  # fmt: skip
    assert isinstance(monthly, Outcome)
    assert monthly.lines[0].parts == {"2025-03": Decimal(90_000)}


@settings(deadline=None)
@given(st.integers(1, 90), st.integers(1, 9))
def test_water_and_nutrients_are_linear(hundreds, times):
    def lines(factor: int) -> dict[str, Decimal]:
        rows = delivery(water_m3=Decimal(hundreds * 100 * factor), source_m3=None, drained_m3=None)
        found = run(effluent_reuse, stated(effluent_reuse), deliveries=rows)
        assert isinstance(found, Outcome)
        return {line.quantity: line.amount for line in found.lines}

    one, many = lines(1), lines(times)
    assert many == {quantity: amount * times for quantity, amount in one.items()}
