"""From activity to tonnes at the edges: any energy unit, any gas, what is not known apart."""

from decimal import Decimal

import pytest

from onsil.footprint.factors import Factor, FactorError, factor_set
from onsil.footprint.factors.factor import Heating
from onsil.footprint.methodologies.components import proportion_half_width, surveyed
from onsil.footprint.methodologies.emissions import add_gases, emissions, emitted, emitted_co2

GRID = Factor(
    "a-test", "electricity", "consumption", "MWh",
    {"co2": Decimal(400), "ch4": Decimal("0.5"), "n2o": Decimal("0.25")},
)  # fmt: skip
TOTAL = Factor("a-test", "electricity", "consumption", "MWh", None, Decimal(420), "AR5")
# A fuel: 40 MJ of net and 44 of gross energy in a cubic metre.
GAS = Factor(
    "a-test", "gas", "stationary", "TJ", {"co2": Decimal(50_000)},
    energy_basis="ncv", heating=Heating("Nm3", Decimal(40), Decimal(44)),
)  # fmt: skip


def test_energy_of_a_factor_per_megawatt_hour():
    """2 MWh by AR5: 2 × (400 + 0.5 × 28 + 0.25 × 265) kg."""
    found = emissions(Decimal(2_000_000), GRID, "AR5")
    assert found == {
        "co2e_t": Decimal("0.9605"), "gases_kg": {"co2": 800, "ch4": 1, "n2o": Decimal("0.5")},
    }  # fmt: skip
    assert emitted(Decimal(2), "MWh", GRID, "AR5") == found
    assert emitted(Decimal(2000), "kWh", GRID, "AR5") == found
    # 2 × (400 + 0.5 × 21 + 0.25 × 310) kg
    assert emissions(Decimal(2_000_000), GRID, "SAR")["co2e_t"] == Decimal("0.976")


def test_a_total_has_no_gases():
    for found in (
        emissions(Decimal(500_000), TOTAL, "AR5"), emitted(Decimal(500), "kWh", TOTAL, "AR5"),
    ):  # fmt: skip
        assert found == {"co2e_t": Decimal("0.21"), "gases_kg": None}
    with pytest.raises(FactorError, match="not AR4"):
        emissions(Decimal(1), TOTAL, "AR4")
    with pytest.raises(FactorError, match="not known apart"):
        emitted_co2(Decimal(1), "MWh", TOTAL)


def test_energy_of_a_factor_per_terajoule_has_the_factors_own_basis():
    """1 MWh is 0.0036 TJ: 180 kg at 50,000 kg/TJ."""
    found = emissions(Decimal(1_000_000), GAS, "AR5")
    assert found == {"co2e_t": Decimal("0.18"), "gases_kg": {"co2": 180}}
    heat = factor_set("kdhc-pyeongtaek-heat-2024").factors[0]
    assert heat.per == "TJ"
    per_tj = emissions(Decimal(1_000_000_000_000) / 3600, heat, "AR5")["co2e_t"]
    assert abs(per_tj - emitted(Decimal(1), "TJ", heat, "AR5")["co2e_t"]) < Decimal("1e-20")


def test_gross_energy_is_a_tenth_less_net():
    net = emitted_co2(Decimal(1), "MWh", GAS, "ncv")
    assert net == {"co2e_t": Decimal("0.18"), "gases_kg": {"co2": 180}}
    gross = emitted_co2(Decimal("1.1"), "MWh", GAS, "gcv")
    assert abs(gross["co2e_t"] - net["co2e_t"]) < Decimal("1e-25")
    with pytest.raises(FactorError, match="net or gross"):
        emitted_co2(Decimal(1), "MWh", GAS)
    # 1,000 m3 × 40 MJ × 50,000 kg/TJ
    assert emitted_co2(Decimal(1000), "Nm3", GAS)["co2e_t"] == 2


def test_gases_are_added_one_by_one_in_a_fixed_order():
    left = {"sf6": Decimal(7), "n2o": Decimal(2), "co2": Decimal(1)}
    right = {"ch4": Decimal(5), "co2": Decimal(10), "nf3": Decimal(9), "sf6": Decimal(1)}
    assert list((add_gases(left, right) or {}).items()) == [
        ("co2", 11), ("ch4", 5), ("n2o", 2), ("nf3", 9), ("sf6", 8),
    ]  # fmt: skip
    assert add_gases({}, {}) == {}


def test_gases_not_known_on_one_side_are_not_known_of_the_sum():
    known = {"co2": Decimal(1)}
    assert add_gases(known, None) is None
    assert add_gases(None, known) is None
    assert add_gases(None, None) is None


def test_the_half_width_of_a_share():
    """1.96 × √(0.9 × 0.1 / 50) = 8.315 points (Cochran 3.2), so 9.24 % of what it is a share of."""
    assert round(proportion_half_width(Decimal("0.9"), Decimal(50)), 5) == Decimal("0.08315")
    for certain in (Decimal(0), Decimal(1)):
        assert proportion_half_width(certain, Decimal(50)) == 0
    for wrong in (Decimal("-0.01"), Decimal("1.01")):
        with pytest.raises(AssertionError):
            proportion_half_width(wrong, Decimal(50))
    found = surveyed("sampling:x", Decimal(100), Decimal("0.9"), Decimal(50), "표본", "Sample")
    assert round(found.pop("half_width_t"), 3) == Decimal("9.239")
    assert found == {
        "source": "sampling:x", "confidence_pct": 95, "distribution": "normal", "ko": "표본",
        "en": "Sample",
    }  # fmt: skip
    assert surveyed("s", Decimal(1), Decimal("0.5"), Decimal(4), "", "")["half_width_t"] > 0
    with pytest.raises(AssertionError):
        surveyed("s", Decimal(1), Decimal(0), Decimal(4), "", "")
