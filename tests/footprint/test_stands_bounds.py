"""Street trees and stands at their edges: what a census must hold, and what a refusal tells."""

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pytest
from typed_kit import rows_of, run, said_no, stated

from onsil.core.refusal import Refusal
from onsil.footprint.engine import ARITHMETIC
from onsil.footprint.methodologies import street_tree_census, urban_tree_defaults
from onsil.footprint.terms import Outcome

CENSUS: Any = street_tree_census
STANDS: Any = urban_tree_defaults
# A litre of larch stem in kg of CO2 (D .45, BEF 1.34, R .29, CF .51).
LITRE_KG = Decimal("0.45") * Decimal("1.34") * Decimal("1.29") * Decimal("0.51") * 44 / 12


def near(one: Decimal, other: Decimal, most: str = "1e-20") -> bool:
    return abs(one - other) < Decimal(most)


def census(**changes: Any) -> list[dict[str, Any]]:
    return rows_of(CENSUS, "census", **changes)


def sample(*litres: str) -> list[dict[str, Any]]:
    """So many litres grown by each of the sampled trees of 100."""
    rows = rows_of(CENSUS, "sample")
    return [
        {**row, "last_volume_m3": (100 + Decimal(v)) / 1000}
        for row, v in zip(rows, litres, strict=False)
    ]


def counted(made: Any, inputs: Any = None, **tables: Any) -> Outcome:
    found = run(made, stated(made) if inputs is None else inputs, **tables)
    assert isinstance(found, Outcome), found
    return found


def refused(made: Any, code: str, inputs: Any = None, **tables: Any) -> Refusal:
    return said_no(run(made, stated(made) if inputs is None else inputs, **tables), code)


def tree_id(number: int) -> str:
    return f"urn:ngsi-ld:Tree:example:{number}"


# -------------------------------------------------------------------------------- the census


def test_a_scattered_sample_by_hand():
    """10, 12, 14 litres: a deviation of 2, t(90 %, 2) = 2.9200; four of five were found."""
    found = counted(CENSUS, sample=sample("10", "12", "14"))
    details = found.details
    with localcontext(ARITHMETIC):
        assert near(details["sample_mean_kg"], 12 * LITRE_KG)
        assert near(details["sample_deviation_kg"], 2 * LITRE_KG)
        assert near(details["sample_standard_error_kg"], 2 * LITRE_KG / Decimal(3).sqrt())
        assert round(details["sample_t"], 4) == Decimal("2.9200")
        half = details["sample_standard_error_kg"] * details["sample_t"]
        assert near(details["sample_half_width_kg"], half)
        assert near(details["grown_t"], 4 * 12 * LITRE_KG / 1000)
        sources = {c["source"]: c for c in found.uncertainty["components"]}
        own = sources["sampling:sample:mean-growth"]
        assert near(own["half_width_t"], 4 * half / 1000)
        assert own["confidence_pct"] == 90
        # The shared errors of three trees are raised to the four that were found.
        assert near(
            sources["coefficient:stem-form-factor:conifer"]["half_width_t"],
            details["grown_t"] * 10 / 100,
        )
        assert near(
            sources["coefficient:kr-nifos-biomass:larch"]["half_width_t"],
            details["grown_t"] * 5 / 100,
        )
        assert len(sources) == 3
        assert near(found.co2e_t, details["grown_t"] - details["deducted_t"])
    assert found.gases_kg is not None
    with localcontext(ARITHMETIC):
        assert found.gases_kg == {"co2": found.co2e_t * 1000, "ch4": 0, "n2o": 0}
    assert (details["planted"], details["mortality_pct"], details["sample"]) == (5, 20, 3)
    assert (details["baseline_t"], details["leakage_t"]) == (0, 0)
    assert isinstance(details["baseline_t"], Decimal)
    assert isinstance(details["leakage_t"], Decimal)
    assert found.coverage["census"] == {"expected": 5, "used": 4, "dead": 1}
    assert found.coverage["sample"]["used"] == 3
    assert [(line.quantity, line.unit, line.amount) for line in found.lines] == [
        ("tree-year", "tree-year", 1)
    ] * 4


def test_what_the_censuss_refusals_tell():
    strangers = [{**row, "planted_by_project": False} for row in census()]
    answer = refused(CENSUS, "not-planted-by-project", census=strangers)
    assert answer.facts == {"trees": [tree_id(n) for n in range(1, 6)]}
    assert f"{tree_id(5)})" in answer.en
    many = [{**strangers[0], "id": f"t{n}"} for n in range(7)]
    answer = refused(CENSUS, "not-planted-by-project", census=many)
    assert "(t0, t1, t2, t3, t4 (+2))" in answer.en
    assert "(t0, t1, t2, t3, t4 (+2))" in answer.ko
    late = census(planted_year=Decimal(2026))
    answer = refused(CENSUS, "planted-outside-project", census=late)
    assert answer.facts == {"trees": [tree_id(1)], "from": 2019, "to": 2025}
    dense = refused(CENSUS, "too-dense", stated(CENSUS, area_ha="0.0999"))
    assert dense.facts["most"] == 50
    assert round(dense.facts["per_ha"], 2) == Decimal("50.05")
    assert "50.1 units" in dense.en
    tags = census(tag="T-2")
    tags[3]["tag"] = tags[4]["tag"] = "T-0"
    assert refused(CENSUS, "duplicate-tag", census=tags).facts == {"tags": ["T-0", "T-2"]}
    north = refused(CENSUS, "outside-area", stated(CENSUS, area_north="36.993"))
    assert north.facts == {"trees": [tree_id(4), tree_id(5)]}
    east = refused(CENSUS, "outside-area", stated(CENSUS, area_west="127.2"))
    assert len(east.facts["trees"]) == 5


@pytest.mark.parametrize("year", [2019, 2025])
def test_the_first_and_the_last_year_of_planting_count(year):
    counted(CENSUS, census=census(planted_year=Decimal(year)))


def test_untagged_trees_are_no_duplicates():
    rows = [{k: v for k, v in row.items() if k != "tag"} for row in census()]
    assert counted(CENSUS, census=rows).co2e_t == counted(CENSUS).co2e_t


def test_buffers_that_touch_do_not_overlap():
    """A thousandth of a degree is 111.195 m: radii of 55 m keep apart, of 55.6 m do not."""
    counted(CENSUS, stated(CENSUS, buffer_m="50"))
    close = census(latitude=Decimal("36.99185"))
    counted(CENSUS, stated(CENSUS, buffer_m="8"), census=close)
    answer = refused(CENSUS, "buffers-overlap", census=close)
    assert answer.facts == {"pairs": [[tree_id(1), tree_id(2), Decimal("16.68")]]}
    assert "16.7 m apart (radius 10 m)" in answer.en
    assert "16.7 m" in answer.ko


def test_what_a_sample_must_hold():
    dead = [*rows_of(CENSUS, "sample"), {**rows_of(CENSUS, "sample")[0], "id": tree_id(5)}]
    answer = refused(CENSUS, "sample-not-in-census", sample=dead)
    assert answer.facts == {"trees": [tree_id(5)]}
    two = refused(CENSUS, "sample-too-small", sample=sample("12", "12"))
    assert {k: two.facts[k] for k in ("used", "least", "expected")} == {
        "used": 2, "least": 3, "expected": 2,
    }  # fmt: skip
    counted(CENSUS, stated(CENSUS, sample_min="2"), sample=sample("12", "12"))
    one = refused(CENSUS, "sample-too-small", stated(CENSUS, sample_min="2"), sample=sample("12"))
    assert one.facts["least"] == 2
    # Of two that were found no more than two can be measured.
    few = [{**row, "found": row["id"] in (tree_id(1), tree_id(2))} for row in census()]
    counted(CENSUS, census=few, sample=sample("12", "12"))
    alone = [{**row, "found": row["id"] == tree_id(1)} for row in census()]
    refused(CENSUS, "sample-too-small", census=alone, sample=sample("12"))


def test_a_sampled_tree_that_does_not_count_says_why():
    rows = sample("12", "12", "12")
    rows.append({**rows[0], "id": tree_id(4), "first_date": date(2024, 9, 30)})
    found = counted(CENSUS, sample=rows)
    assert found.coverage["sample"]["left_out"] == [[tree_id(4), "outside-period"]]
    rows[3] = {**rows[0], "id": tree_id(4), "species": "?"}
    found = counted(CENSUS, sample=rows)
    assert found.coverage["sample"]["left_out"] == [[tree_id(4), "unknown-species"]]
    answer = refused(CENSUS, "no-row-usable", sample=rows[3:])
    assert answer.facts["table"] == "sample"
    huge = refused(CENSUS, "growth-implausible", sample=sample("12", "12", "90"))
    assert huge.facts["trees"] == [tree_id(3)]


@pytest.mark.parametrize("litres", ["0", "-1"])
def test_no_growth_is_no_removal(litres):
    answer = refused(CENSUS, "not-yet-measurable", sample=sample(litres, litres, litres))
    with localcontext(ARITHMETIC):
        assert near(answer.facts["grown_t"], 4 * Decimal(litres) * LITRE_KG / 1000)
    assert answer.facts["lost_t"] == 0
    assert isinstance(answer.facts["lost_t"], Decimal)


# --------------------------------------------------------------------------------- the stands


def stand(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"urn:ngsi-ld:GreenspaceRecord:t:{number}", "site": f"site-{number}",
        "kind": "pine", "amount": Decimal(1200), "planted": date(2020, 3, 1), **more,
    }  # fmt: skip


def test_three_stands_by_hand():
    """Pines 0.0087 tC, maples 0.0118; one planted on 1 July; crowns 2.9 tC a hectare."""
    rows = [
        stand(1), stand(2, amount=Decimal(300)),
        stand(3, kind="soft-maple", planted=date(2025, 7, 1)),
        stand(4, kind="crown-cover", amount=Decimal("0.5")), stand(5, amount=Decimal(0)),
    ]  # fmt: skip
    found = counted(STANDS, stands=rows)
    details = found.details
    with localcontext(ARITHMETIC):
        pine = 1500 * Decimal("0.0087") * 44 / 12
        maple = 1200 * Decimal("0.0118") * 44 / 12 * 184 / 365
        crown = Decimal("1.45") * 44 / 12
        assert list(details["by_kind_t"]) == ["crown-cover", "pine", "soft-maple"]
        for kind, tonnes in (("pine", pine), ("soft-maple", maple), ("crown-cover", crown)):
            assert near(details["by_kind_t"][kind], tonnes)
        total = pine + maple + crown
        assert near(details["default_t"], total)
        half = (pine**2 + maple**2 + crown**2).sqrt() / 2
        assert near(details["relative_90_pct"], 100 * half / total)
        # Above 30 % all of the half-width is taken off.
        assert near(found.co2e_t, total - half)
        assert near(details["deducted_t"], half)
        assert near(found.lines[2].amount, Decimal(1200) * 184 / 365)
    assert found.gases_kg is not None
    with localcontext(ARITHMETIC):
        assert found.gases_kg == {"co2": found.co2e_t * 1000, "ch4": 0, "n2o": 0}
    assert [(line.meter[-1], line.quantity, line.unit) for line in found.lines] == [
        ("1", "tree-year", "tree-year"), ("2", "tree-year", "tree-year"),
        ("3", "tree-year", "tree-year"), ("4", "stand-year", "ha-year"),
    ]  # fmt: skip
    assert found.lines[3].amount == Decimal("0.5")
    assert {c["source"].rpartition(":")[0] for c in found.uncertainty["components"]} == {
        "coefficient:ipcc-2006-settlement-trees"
    }
    assert {c["confidence_pct"] for c in found.uncertainty["components"]} == {90}
    assert details["maturity"].keys() == {"pine", "soft-maple", "crown-cover"}


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "planted-later"),
        # Twenty years of 365.25 days before 2026-01-01: 7,305 days.
        (date(2006, 1, 1), None),
        (date(2005, 12, 31), "too-old"),
    ],
)
def test_the_first_and_the_last_day_of_planting(planted, reason):
    found = counted(STANDS, stands=[stand(1), stand(2, planted=planted)])
    left_out = found.coverage["stands"]["left_out"]
    assert left_out == ([] if reason is None else [["urn:ngsi-ld:GreenspaceRecord:t:2", reason]])


def test_what_the_stands_refusals_tell():
    answer = refused(STANDS, "no-row-usable", stands=[stand(1, planted=date(2026, 1, 1))])
    assert answer.facts["table"] == "stands"
    rows = [stand(n) for n in range(7)]
    covers = [stand(10 + n, kind="crown-cover", site=f"site-{n}") for n in range(6, -1, -1)]
    answer = refused(STANDS, "counted-twice", stands=[*rows, *covers])
    assert answer.facts == {"sites": [f"site-{n}" for n in range(7)]}
    assert answer.en.endswith("site-0, site-1, site-2, site-3, site-4.")
    assert answer.ko.endswith("site-0, site-1, site-2, site-3, site-4.")
    answer = refused(STANDS, "nothing-saved", stands=[stand(1, amount=Decimal(0))])
    assert answer.facts == {"removed_t": 0}
    inputs = stated(STANDS)
    table = inputs.coefficients["urban-tree-growth"]
    carbonic = replace(table, columns={**table.columns, "tc_per_year": "tCO2"})
    answer = refused(
        STANDS, "unit-mismatch", replace(inputs, coefficients={"urban-tree-growth": carbonic})
    )
    assert answer.facts == {"unit": "tCO2"}


def test_a_tree_of_a_hundred_kilograms_is_the_most():
    """0.0272 tC are 99.7 kg of CO2, 0.0273 are 100.1; a hectare of crowns is no tree."""
    inputs = stated(STANDS)
    table = inputs.coefficients["urban-tree-growth"]

    def with_pine(rate: str) -> Any:
        pine = {**table.rows["pine"], "tc_per_year": Decimal(rate)}
        made = replace(table, rows={**table.rows, "pine": pine})
        return replace(inputs, coefficients={"urban-tree-growth": made})

    counted(STANDS, with_pine("0.0272"), stands=[stand(1), stand(2, kind="crown-cover")])
    answer = refused(STANDS, "growth-implausible", with_pine("0.0273"), stands=[stand(1)])
    assert answer.facts["trees"] == ["pine"]
    assert answer.facts["most_kg"] == 100
    assert answer.facts["yearly_kg"] == Decimal("100.1")
