"""Trees at their edges: bounds, names, dates, sizes, and each source of uncertainty by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest
from typed_kit import run, said_no, stated, tree

from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.factors import coefficient_table
from onsil.footprint.methodologies import tree_growth, tree_rows
from onsil.footprint.terms import Outcome
from onsil.footprint.trees import (
    Area,
    GrowthColumns,
    as_co2,
    biomass_t,
    close_pairs,
    find_species,
    gain_loss,
    growth_components,
    growth_implausible,
    measure,
    metres_between,
    power,
    stem_volume_m3,
    stock_co2_kg,
)
from onsil.footprint.trees.carbon import Species

GROWTH: Any = tree_growth
BIOMASS = coefficient_table("kr-nifos-biomass")
FORMS = GrowthColumns(BIOMASS, coefficient_table("stem-form-factor"))
# By the survey of knowledge: larch .45, 1.34, .29, and .51 of carbon in conifers.
LARCH_KG = Decimal(1000) * Decimal("0.45") * Decimal("1.34") * Decimal("1.29") * Decimal("0.51")


def larch() -> Species:
    found = find_species(BIOMASS, "larch")
    assert isinstance(found, Species)
    return found


def near(one: Decimal, other: Decimal, most: str = "1e-20") -> bool:
    return abs(one - other) < Decimal(most)


# ------------------------------------------------------------------------------------ columns


def test_what_is_measured_has_bounds():
    """A trunk of 0.1 to 500 cm, a tree of 0.1 to 80 m and up to 60 m3: none is larger."""
    names = [column.name for column in tree_rows.MEASURED_COLUMNS]
    assert names == [
        "species", "group", "first_date", "first_dbh_cm", "first_height_m", "first_volume_m3",
        "last_date", "last_dbh_cm", "last_height_m", "last_volume_m3",
    ]  # fmt: skip
    made = tree_rows._size("first", "첫 측정", "first time")
    assert made == tree_rows.MEASURED_COLUMNS[3:6]
    told = [(c.name, c.kind, c.unit, c.required, c.minimum, c.maximum) for c in made]
    assert told == [
        ("first_dbh_cm", "decimal", "cm", False, Decimal("0.1"), 500),
        ("first_height_m", "decimal", "m", False, Decimal("0.1"), 80),
        ("first_volume_m3", "decimal", "m3", False, 0, 60),
    ]


# ------------------------------------------------------------------------------------- carbon


def test_powers_of_small_and_of_no_bases():
    with localcontext(ARITHMETIC):
        assert power(Decimal("0.5"), Decimal(2)) == Decimal("0.25")
        assert near(power(Decimal("0.25"), Decimal("0.5")), Decimal("0.5"))
        assert near(power(Decimal(4), Decimal("-1.5")), Decimal("0.125"))
        assert stem_volume_m3(Decimal(2), Decimal(3), *map(Decimal, ("5", "2", "1"))) == 60
    for none in (Decimal(0), Decimal(-1)):
        with pytest.raises(AssertionError):
            power(none, Decimal(2))


def test_a_cubic_metre_of_larch():
    assert biomass_t(Decimal(2), larch()) == 2 * Decimal("0.45") * Decimal("1.34") * Decimal("1.29")
    assert as_co2(Decimal(12)) == 44
    with localcontext(ARITHMETIC):
        assert near(stock_co2_kg(Decimal(3), larch()), 3 * LARCH_KG * 44 / 12)
    assert gain_loss(Decimal(10), (Decimal(1), Decimal(2))) == 7
    assert gain_loss(Decimal(10), ()) == 10


# ------------------------------------------------------------------------------------- places


def test_a_bound_of_an_area_is_inside():
    area = Area.stated(
        {"area_south": Decimal(36), "area_north": Decimal(37), "area_west": Decimal(126),
         "area_east": Decimal(127)}
    )  # fmt: skip
    assert area == Area(Decimal(36), Decimal(126), Decimal(37), Decimal(127))
    for place, inside in (
        (("36", "126"), True), (("37", "127"), True), (("35.999", "126"), False),
        (("37.001", "127"), False), (("36", "125.999"), False), (("37", "127.001"), False),
    ):  # fmt: skip
        assert ((Decimal(place[0]), Decimal(place[1])) in area) is inside
    assert not Area.stated({}).binds
    for side in ("south", "north", "west", "east"):
        one = Area.stated({f"area_{side}": Decimal(50)})
        assert one.binds
        assert (Decimal(50), Decimal(50)) in one
        beyond = Decimal(-1) if side in ("south", "west") else Decimal(1)
        assert (Decimal(50) + beyond, Decimal(50) + beyond) not in one
        assert (Decimal(50) - beyond, Decimal(50) - beyond) in one


def test_a_degree_at_the_equator_and_at_sixty():
    """6,371,008.8 m × π / 180 = 111,195.08 m; at 60° north a degree of longitude is half of it."""
    with localcontext(ARITHMETIC):
        degree = metres_between((Decimal(0), Decimal(7)), (Decimal(0), Decimal(8)))
        assert round(degree, 2) == Decimal("111195.08")
        half = metres_between((Decimal(60), Decimal(7)), (Decimal(60), Decimal(8)))
        assert near(half * 2, degree, "1e-25")
        assert near(metres_between((Decimal(-60), Decimal(8)), (Decimal(-60), Decimal(7))), half)
        slanted = metres_between(
            (Decimal("60.0003"), Decimal(0)), (Decimal("60"), Decimal("0.0008"))
        )
        # 33.3585 m north and 44.478 m east: 3 to 4 to 5, but for the cosine's 60.00015°.
        assert round(slanted, 1) == Decimal("55.6")


def test_pairs_from_south_to_north_up_to_so_many():
    def at(metres: str) -> tuple[Decimal, Decimal]:
        return Decimal(metres) * 180 / Decimal("3.14159265358979") / Decimal("6371008.8"), Decimal(
            0
        )

    with localcontext(ARITHMETIC):
        row = [("d", at("30")), ("b", at("9")), ("c", at("17")), ("a", at("0"))]
        assert [pair[:2] for pair in close_pairs(row, Decimal(10))] == [("a", "b"), ("b", "c")]
        assert [pair[:2] for pair in close_pairs(row, Decimal(18))] == [
            ("a", "b"), ("a", "c"), ("b", "c"), ("c", "d"),
        ]  # fmt: skip
        assert [pair[:2] for pair in close_pairs(row, Decimal(18), 2)] == [("a", "b"), ("a", "c")]
        assert len(close_pairs(row, Decimal(18), most=1)) == 1
        apart = close_pairs(row, Decimal(10))[0][2]
        assert near(apart, Decimal(9), "1e-9")
        # Exactly so far apart is not nearer.
        assert close_pairs(row[1:2] + row[3:], apart) == []
        same = [("y", at("0")), ("x", at("0"))]
        assert close_pairs(same, Decimal(1)) == [("x", "y", Decimal(0))]
        side = [("w", (Decimal(0), Decimal("0.0002"))), ("v", (Decimal("0.00001"), Decimal(0)))]
        assert close_pairs(side, Decimal(20)) == []
        crowd = [(str(n), at("0")) for n in range(6)]
        assert len(close_pairs(crowd, Decimal(1))) == 10


# ------------------------------------------------------------------------------------ species


@pytest.mark.parametrize(
    ("name", "group", "key"),
    [
        ("central-pine", None, "central-pine"),
        ("소나무(강원지방)", None, "gangwon-pine"),
        ("Pinus densiflora (Gangwon)", None, "gangwon-pine"),
        ("pinus  DENSIFLORA (gangwon)", None, "gangwon-pine"),
        ("소나무(중부지방)", "broadleaf", "central-pine"),
        # No such region: the least of what bears the name.
        ("소나무(남부지방)", None, "gangwon-pine"),
        ("Larix Kaempferi", "broadleaf", "larch"),
        ("느티나무", "conifer", "other-conifer"),
        ("느티나무", "evergreen-broadleaf", "evergreen-broadleaf"),
        ("", "broadleaf", "other-broadleaf"),
    ],
)
def test_names_and_groups(name, group, key):
    found = find_species(BIOMASS, name, group)
    assert isinstance(found, Species)
    assert found.key == key
    row = BIOMASS.rows[key]
    assert (found.ko, found.group) == (row["ko"], row["group"])
    assert (found.density, found.bef) == (row["density"], row["bef"])
    assert (found.root_ratio, found.carbon_fraction) == (row["root_ratio"], row["carbon_fraction"])


@pytest.mark.parametrize("group", [None, "palm"])
def test_who_is_not_known_is_told_who_is(group):
    answer = said_no(find_species(BIOMASS, "느티나무", group), "unknown-species")
    known = [row["ko"] for row in BIOMASS.rows.values()]
    assert answer.facts == {"species": "느티나무", "known": known}
    said_no(find_species(BIOMASS, ""), "unknown-species")
    lacking = replace(BIOMASS, rows={"larch": BIOMASS.rows["larch"]})
    said_no(find_species(lacking, "느티나무", "conifer"), "unknown-species")


def test_of_two_regions_the_one_that_holds_less_carbon():
    """More biomass and less carbon in it: the tonnes of carbon decide."""
    light = {**BIOMASS.rows["central-pine"], "ko": "소나무(가)", "carbon_fraction": Decimal("0.4")}
    table = replace(BIOMASS, rows={**BIOMASS.rows, "light-pine": light})
    found = find_species(table, "소나무")
    assert isinstance(found, Species)
    assert found.key == "light-pine"


# -------------------------------------------------------------------------------- measurements


def sized(**more: Any) -> dict[str, Any]:
    return tree(
        1, first_volume_m3=None, last_volume_m3=None, first_dbh_cm=Decimal(14),
        first_height_m=Decimal(9), last_dbh_cm=Decimal(15), last_height_m=Decimal(9), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_dbh_cm": None}, "first-measurement-missing"),
        ({"first_height_m": None}, "first-measurement-missing"),
        ({"last_dbh_cm": None}, "last-measurement-missing"),
        ({"last_height_m": None}, "last-measurement-missing"),
        ({"first_dbh_cm": Decimal("1.999")}, "outside-equation"),
        ({"last_dbh_cm": Decimal("80.001")}, "outside-equation"),
        ({"species": "?"}, "unknown-species"),
    ],
)
def test_why_a_measurement_does_not_count(changes, reason):
    row = {k: v for k, v in {**sized(), **changes}.items() if v is not None}
    assert measure(row, FORMS) == reason


def test_the_ends_of_the_equations_range_count():
    with localcontext(ARITHMETIC):
        found = measure({**sized(), "first_dbh_cm": Decimal(2), "last_dbh_cm": Decimal(80)}, FORMS)
        assert not isinstance(found, str)
        per_litre = LARCH_KG * 44 / 12
        form = Decimal("0.000035342917352885173933")
        assert near(found.first_kg, form * 4 * 9 * per_litre)
        assert near(found.last_kg, form * 6400 * 9 * per_litre)
        assert (found.id, found.first, found.last) == (
            "urn:ngsi-ld:Tree:t:1", date(2024, 10, 1), date(2025, 10, 1),
        )  # fmt: skip
        assert found.years == 1
        assert found.yearly_kg == found.grown_kg == found.last_kg - found.first_kg
        two = measure({**tree(1), "last_date": date(2026, 10, 1)}, FORMS)
        assert not isinstance(two, str)
        assert two.years == 2
        assert near(two.yearly_kg, per_litre * 12 / 1000 / 2)


def test_a_read_volume_goes_before_a_diameter_and_a_dead_tree_has_none():
    with localcontext(ARITHMETIC):
        both = measure({**tree(1), "last_dbh_cm": Decimal(99), "last_height_m": Decimal(1)}, FORMS)
        assert both == measure(tree(1), FORMS)
        dead = measure(tree(1, last_volume_m3=None), FORMS, died=True)
        assert not isinstance(dead, str)
        assert dead.last_kg == 0
        assert near(dead.first_kg, LARCH_KG * 44 / 12 / 10)


def test_a_row_may_state_its_group():
    row = tree(1, species="느티나무", group="conifer")
    found = measure(row, FORMS)
    assert not isinstance(found, str)
    assert found.species.key == "other-conifer"
    assert measure({**row, "group": "broadleaf"}, FORMS) != found


def test_each_source_of_uncertainty_by_hand():
    """Two larches of 100 to 112 litres: a reading's errors add by squares, the rest in full."""
    with localcontext(ARITHMETIC):
        trees = [measure(tree(n), FORMS) for n in (1, 2)]
        oak = measure(tree(3, species="졸참나무"), FORMS)
        assert not any(isinstance(one, str) for one in (*trees, oak))
        known: Any = [*trees, oak]
        made = growth_components(
            known, FORMS, dbh_pct=Decimal(2), height_pct=Decimal(5), coefficient_pct=Decimal(10)
        )
        by = {one["source"]: one["half_width_t"] for one in made}
        squares = sum((t.first_kg**2 + t.last_kg**2 for t in known), Decimal(0))
        grown = known[0].grown_kg + known[1].grown_kg
        expected = {
            # Volume goes with the square of the diameter, and with the height.
            "record:trees:dbh": (squares * (2 * Decimal(2) / 100) ** 2).sqrt() / 1000,
            "record:trees:height": (squares * (Decimal(5) / 100) ** 2).sqrt() / 1000,
            "coefficient:stem-form-factor:conifer": grown * 10 / 100 / 1000,
            "coefficient:stem-form-factor:broadleaf": known[2].grown_kg * 15 / 100 / 1000,
            "coefficient:kr-nifos-biomass:larch": grown * 10 / 100 / 1000,
            f"coefficient:kr-nifos-biomass:{known[2].species.key}": known[2].grown_kg / 10_000,
        }
        assert by.keys() == expected.keys()
        for source, half_width in expected.items():
            assert near(by[source], half_width), source
        exact = growth_components(
            known, FORMS, dbh_pct=Decimal(0), height_pct=Decimal(0), coefficient_pct=Decimal(0)
        )
        assert [one["source"] for one in exact] == [
            "coefficient:stem-form-factor:broadleaf", "coefficient:stem-form-factor:conifer",
        ]  # fmt: skip
    assert [one["en"] for one in made[:3]] == ["Diameter", "Height", "Volume equation"]
    assert all(one["ko"] for one in made)


# ------------------------------------------------------------------------------- plausibility


@pytest.mark.parametrize(("most", "refused"), [("60", True), ("60.5", False), ("200", False)])
def test_the_limit_itself_is_plausible(most, refused):
    answer = growth_implausible([("a", Decimal("60.5")), ("b", Decimal(3))], Decimal(most))
    assert (answer is not None) is refused


def test_no_stated_limit_goes_beyond_a_hundred_kilograms():
    assert growth_implausible([("a", Decimal(100))], Decimal(500)) is None
    trees = [("a", Decimal("100.5")), ("b", Decimal(7)), ("c", Decimal("166.6"))]
    answer = said_no(growth_implausible(trees, Decimal(500)), "growth-implausible")
    assert answer.facts == {
        "trees": ["a", "c"], "yearly_kg": Decimal("166.6"), "most_kg": 500,
        "public_yearly_kg": [Decimal("2.2"), Decimal("25.4")],
    }  # fmt: skip
    assert "Tree c would take up 166.6 kg" in answer.en
    assert "17 × 9.8 kg" in answer.en


# -------------------------------------------------------------------------------- whole runs


def growth(*rows: dict[str, Any], **parameters: Any) -> Outcome | Refusal:
    return run(GROWTH, stated(GROWTH, **parameters), trees=list(rows))


def counted(*rows: dict[str, Any], **parameters: Any) -> Outcome:
    found = growth(*rows, **parameters)
    assert isinstance(found, Outcome), found
    return found


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"first_date": date(2024, 10, 1), "last_date": date(2025, 10, 2)}, None),
        ({"last_date": date(2025, 10, 3)}, "outside-period"),
        ({"first_date": date(2024, 9, 30)}, "outside-period"),
        ({"last_date": date(2025, 8, 27)}, None),
        ({"last_date": date(2025, 8, 26)}, "interval-too-short"),
    ],
)
def test_days_of_measurement(changes, reason):
    """The example's period is 2024-10-01 to 2025-10-01; 330 days on is 2025-08-27."""
    found = counted(tree(1), tree(2, **changes))
    left_out = found.coverage["trees"]["left_out"]
    assert left_out == ([] if reason is None else [["urn:ngsi-ld:Tree:t:2", reason]])


@pytest.mark.parametrize("lacking", ["latitude", "longitude"])
def test_half_a_place_is_none(lacking):
    area = {"area_south": "36", "area_north": "38"}
    place = {"latitude": Decimal(37), "longitude": Decimal(127)}
    found = counted(tree(1, **place), tree(2, **{**place, lacking: None}), **area)
    assert found.coverage["trees"]["left_out"] == [["urn:ngsi-ld:Tree:t:2", "place-missing"]]


def test_what_a_run_of_trees_states():
    rows = [tree(1), tree(2), tree(3, 20, species="졸참나무"), tree(4, status="dead")]
    rows[3] = {**rows[3], "first_volume_m3": Decimal("0.01")}
    found = counted(*rows)
    with localcontext(ARITHMETIC):
        kg = LARCH_KG * 44 / 12
        details = found.details
        assert near(details["trees"]["urn:ngsi-ld:Tree:t:1"]["grown_kg"], kg * 12 / 1000)
        assert near(details["lost_t"], kg / 100 / 1000)
        assert near(found.co2e_t, details["grown_t"] - details["lost_t"] - details["deducted_t"])
        assert found.gases_kg == {"co2": found.co2e_t * 1000, "ch4": 0, "n2o": 0}
    assert (details["living"], details["dead_or_missing"]) == (3, 1)
    assert details["coefficients_maturity"] == {
        "konara-oak": "unconfirmed", "larch": "secondary",
    }  # fmt: skip
    assert [one["species"] for one in details["trees"].values()] == ["larch", "larch", "konara-oak"]
    assert [(line.quantity, line.unit, line.amount) for line in found.lines] == [
        ("tree-year", "tree-year", 1)
    ] * 3
    assert found.uncertainty["components"]


def test_losses_as_large_as_growth_leave_nothing():
    """A dead tree of 12 litres takes off what a living one of 100 to 112 litres grew."""
    gone = tree(2, status="missing", first_volume_m3=Decimal("0.012"), last_volume_m3=None)
    answer = said_no(growth(tree(1), gone), "not-yet-measurable")
    assert answer.facts["grown_t"] == answer.facts["lost_t"] > 0
    little = {**gone, "first_volume_m3": Decimal("0.0001")}
    assert counted(tree(1), little).co2e_t > 0


def test_refusals_name_their_facts():
    answer = said_no(growth(tree(1, species="?")), "no-row-usable")
    assert answer.facts["table"] == "trees"
    vague = said_no(growth(tree(1), coefficient_uncertainty_pct="60"), "not-yet-measurable")
    assert vague.facts.keys() == {"relative_pct", "rule", "grown_t"}
    assert vague.facts["rule"] == "ar-tool14"
    assert vague.facts["relative_pct"] > 30
    assert f"{round(vague.facts['relative_pct'], 1)} %" in vague.en
    large = said_no(growth(tree(1, 90), yearly_most_kg="60"), "growth-implausible")
    assert large.facts["most_kg"] == 60
