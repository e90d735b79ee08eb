"""Totals by approach 2: drawn with a recorded seed, shared sources once, beside approach 1."""

import hashlib
import itertools
import json
import math
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from footprint_world import CITY, World
from hypothesis import given
from hypothesis import strategies as st
from inventory_books import compiled, electricity, granted, inputs, opened, outputs, put, stated
from test_inventory_rules import book as book_of
from test_inventory_rules import line as one_line

from onsil.core.canonical import canonical_bytes, plain
from onsil.footprint import inventory
from onsil.footprint.inventory import compiling, simulating
from onsil.footprint.inventory.combining import summary
from onsil.footprint.uncertainty import Pcg64, normal_quantile, portable, seeded

D = Decimal
PLAN = simulating.plan(20260101)


def line(code: str, kg: str, *parts: tuple[str, str]) -> dict[str, Any]:
    return {
        "code": code, "co2e_kg": D(kg), "stated": len(parts) == 2,
        "uncertainty": [{"source": source, "pct": pct} for source, pct in parts],
    }  # fmt: skip


def drawn(lines: list[dict[str, Any]], plan: dict[str, Any] = PLAN) -> Any:
    return simulating.simulate(lines, {"total": {"total": lines}}, plan)["total"]["total"]


def by_sums(lines: list[dict[str, Any]]) -> Any:
    total = sum((one["co2e_kg"] for one in lines), D(0))
    return summary(total, ((x["co2e_kg"], x["uncertainty"], x["stated"]) for x in lines))


def test_the_streams_are_pcg64s_upper_bits():
    own = portable.uniforms(7, "factor:grid", 50)
    seed = int.from_bytes(hashlib.sha256(b"7 factor:grid").digest()[:16], "big")
    generator: Pcg64 = seeded(seed)
    assert own.tolist() == [(2 * (generator.draw() >> 12) + 1) / 2**53 for _ in range(50)]
    assert ((own > 0) & (own < 1)).all()


def test_array_and_single_doubles_have_the_same_bits():
    """Whoever does it again one number at a time gets these very doubles."""

    def log(x: float) -> float:
        fraction, exponent = math.frexp(x)
        if fraction < 0.7071067811865476:
            fraction, exponent = fraction * 2.0, exponent - 1
        ratio = (fraction - 1.0) / (fraction + 1.0)
        squared, series = ratio * ratio, 1.0 / 27
        for term in range(12, -1, -1):
            series = series * squared + 1.0 / (2 * term + 1)
        high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
        return exponent * high + (2.0 * ratio * series + exponent * low)

    values = portable.uniforms(3, "x", 500)
    assert portable.logarithm(values).tolist() == [log(x) for x in values.tolist()]


def test_quantiles_are_those_of_the_decimals():
    values = portable.uniforms(1, "q", 2000)
    wanted = [float(normal_quantile(D(x))) for x in values.tolist()]
    assert np.allclose(portable.normal_quantiles(values), wanted, rtol=0, atol=5e-15)
    far = np.array([2.0**-53, 1 - 2.0**-53, 0.5])
    assert portable.normal_quantiles(far).tolist()[2] == 0
    assert abs(portable.normal_quantiles(far)[0]) > 8


@given(st.floats(-40, 40))
def test_logarithm_and_exponential_undo_each_other(value: float):
    power = portable.exponential(np.array([value]))
    assert power[0] == pytest.approx(math.exp(value), rel=1e-15)
    assert portable.logarithm(power)[0] == pytest.approx(value, abs=1e-14)


def test_a_large_uncertainty_keeps_its_mean_and_stays_above_zero():
    values = portable.deviated(portable.normals(5, "n2o", 50_000), D(200))
    assert values.min() > 0
    assert float(values.mean()) == pytest.approx(1, abs=0.02)
    assert float(values.std()) == pytest.approx(200 / 196, rel=0.06)
    bell = portable.deviated(portable.normals(5, "n2o", 50_000), D(59))
    assert float(bell.min()) < 0  # which is why larger ones are not bells


SHARED = [line(f"b{i}", "100000", (f"meter:{i}", "5"), ("factor:grid", "2")) for i in range(10)]
APART = [line(f"b{i}", "100000", (f"meter:{i}", "5"), (f"factor:{i}", "2")) for i in range(10)]


@pytest.mark.parametrize(("lines", "pct"), [(SHARED, "2.55"), (APART, "1.70")])
def test_approach_1_and_2_agree_on_ten_buildings(lines: Any, pct: str):
    assert by_sums(lines)["pct"] == D(pct)
    assert drawn(lines)["pct"] == pytest.approx(D(pct), abs=D("0.06"))


parts = st.tuples(st.sampled_from(["a", "b", "c", "factor:x"]), st.integers(0, 20).map(str))
some = st.lists(
    st.tuples(st.integers(1, 10**9).map(str), st.lists(parts, min_size=1, max_size=2)),
    min_size=1, max_size=8,
)  # fmt: skip


@given(some)
def test_approach_1_and_2_agree_where_uncertainties_are_small(found: Any):
    """Products and shared sources; 10,000 draws hold a 95 % half-width to about 2 % of itself."""
    lines = [line(f"l{i}", kg, *stated) for i, (kg, stated) in enumerate(found)]
    first, second = by_sums(lines), drawn(lines)
    assert float(second["half_width_kg"]) == pytest.approx(
        float(first["half_width_kg"]), rel=0.06, abs=0.01
    )
    total = sum((one["co2e_kg"] for one in lines), D(0))
    assert second["low_kg"] <= total <= second["high_kg"] or first["half_width_kg"] == 0


def test_the_order_of_other_sources_moves_nothing():
    """A source's draws are its own: with a line more, the others' stay."""
    alone = drawn(SHARED[:1])
    pair = simulating.simulate(SHARED[:2], {"total": {"one": SHARED[:1]}}, PLAN)
    assert pair["total"]["one"] == alone
    assert drawn(SHARED[:1], simulating.plan(1)) != alone


def test_a_difference_of_one_factor_cancels():
    """What is taken off by the same factor has the same error: correlated, not independent."""
    both = [line("use", "1000", ("factor:grid", "10")), line("own", "-1000", ("factor:grid", "10"))]
    assert drawn(both)["half_width_kg"] == 0
    assert drawn(both)["pct"] is None


def test_what_is_not_stated_is_named_and_nothing_of_it_is_none():
    made = drawn([line("a", "300", ("a", "5"), ("f", "2")), line("b", "700")])
    assert made["unstated_kg"] == 700
    assert made["mean_kg"] == pytest.approx(D(1000), abs=D(1))
    assert drawn([line("b", "700")]) is None
    assert drawn([]) is None


def test_totals_sectors_and_scopes_are_sealed_with_their_seed(world: World):
    book = opened(world)
    specs = [electricity("a"), electricity("b", ref="I.2.2"), stated("c", "I.1.1", "10", "2000")]
    granted(put(world, book, specs))
    version = compiled(world, book)
    said = inputs(world, version)["simulation"]
    assert said == {"algorithm": "onsil-monte-carlo-2", "seed": str(book.id.int), "draws": 10_000}
    made = outputs(world, version)
    found = made["simulation"]
    assert {name: found[name] for name in said} == said
    assert D(found["total"]["total"]["unstated_kg"]) == 20_000
    assert found["scope"]["1"] is None  # its only line states nothing
    assert found["scope"]["3"] is None
    assert found["sector"]["VI"] is None
    first = made["scope_uncertainty"]["2"]
    assert D(found["scope"]["2"]["pct"]) == pytest.approx(D(first["pct"]), abs=D("0.15"))
    assert D(first["pct"]) == D("4.53")
    assert inventory.recompute(world.conn, CITY, version.id).identical


def test_the_seed_is_the_books_and_stays_from_version_to_version(world: World):
    book = opened(world)
    granted(put(world, book, [electricity("a")]))
    first = outputs(world, compiled(world, book))["simulation"]
    granted(put(world, book, [electricity("a"), electricity("b", ref="I.2.2")]))
    second = outputs(world, compiled(world, book))["simulation"]
    assert first["seed"] == second["seed"]
    assert first["total"] != second["total"]


def test_what_was_compiled_in_the_first_form_keeps_its_bytes():
    """Before the draws there was a form without them; this is the digest it gave then."""
    pcts = {"activity_pct": "5", "factor_pct": "2"}
    lines = [
        one_line("a", "10", "2000", **pcts),
        one_line("b", "4", "1500", **pcts, factor_source="factor:a"),
    ]
    old = plain(book_of(*lines)) | {"format": "onsil-inventory-1"}
    made = compiling.recalculate(canonical_bytes(old).decode())
    assert hashlib.sha256(made).hexdigest() == (
        "103b9ca73e0d41bb4e0debfa5719794506690c0afe74ceb0c5c2b7f04c50ef5b"
    )
    assert "simulation" not in json.loads(made)


def test_a_seed_is_a_whole_number_of_128_bits():
    assert simulating.plan(UUID(int=2**128 - 1).int)["seed"] == str(2**128 - 1)
    with pytest.raises(AssertionError):
        simulating.plan(2**128)


def test_every_draw_counts():
    """The interval leaves one draw in forty on either side."""
    values = np.array([float(x) for x in range(1, 41 + 40)])
    mean, low, high = portable.interval(values, D(95))
    assert (mean, low, high) == pytest.approx((40.5, 2.975, 78.025), rel=1e-14)
    assert all(a <= b for a, b in itertools.pairwise((low, mean, high)))
