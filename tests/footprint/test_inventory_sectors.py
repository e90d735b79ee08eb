"""The sectors' calculators against numbers done by hand, and what they refuse."""

from decimal import Decimal
from typing import Any

import pytest

from onsil.core.refusal import Refusal
from onsil.footprint.inventory import calculators, sectors


def kg(name: str, **given: Any) -> dict[str, Decimal]:
    checked = sectors.check(name, given)
    assert not isinstance(checked, Refusal), checked
    return sectors.run(name, *checked)


def near(value: Decimal, wanted: str) -> bool:
    return abs(value - Decimal(wanted)) < Decimal("0.001")


def test_fuel():
    made = kg("fuel-combustion", fuel="diesel-road", amount="1000")
    assert near(made["co2"], "2615.730")  # 35.3 MJ/L × 74,100 kg/TJ
    assert "co2b" not in made


def test_wood_is_biogenic():
    made = kg("fuel-combustion", fuel="wood-stationary", amount="1000")
    assert near(made["co2b"], "1747.2")
    assert "co2" not in made


def test_incineration():
    """100 t of paper: 90 dry × 0.46 C × 1 % fossil × 44/12 = 1.518 t; the rest is biogenic."""
    made = kg("incineration", waste="paper", wet_t="100")
    assert near(made["co2"], "1518")
    assert near(made["co2b"], "150282")
    assert near(made["n2o"], "5")


def test_landfill_decays_from_the_year_after():
    given = {"waste": "food", "mcf": "1", "recovered_ch4_kg": "0", "oxidised": "0"}
    none = kg("landfill-fod", deposited_t={"2024": "100"}, year="2024", **given)
    assert none["ch4"] == 0
    made = kg("landfill-fod", deposited_t={"2024": "100"}, year="2025", **given)
    # 100 t × 0.15 × 0.5 = 7.5 t; × (1 − e^−0.185) = 1.26672 t decayed; × 0.5 × 16/12
    assert near(made["ch4"], "844.479")
    later = kg("landfill-fod", deposited_t={"2024": "100"}, year="2026", **given)
    assert near(later["ch4"] / made["ch4"], "0.831")


def test_recovery_and_oxidation():
    given = {"waste": "food", "mcf": "1", "deposited_t": {"2024": "100"}, "year": "2025"}
    made = kg("landfill-fod", recovered_ch4_kg="44.480", oxidised="0.1", **given)
    assert near(made["ch4"], "719.999")
    assert kg("landfill-fod", recovered_ch4_kg="9999", oxidised="0", **given)["ch4"] == 0


def test_composting():
    made = kg("biological-treatment", treatment="composting", wet_t="1000", recovered_ch4_kg="0")
    assert (made["ch4"], made["n2o"]) == (4000, 240)


WASTEWATER = {
    "treatment": "septic", "people": "1000", "utilisation": "0.5", "bod_g_per_person_day": "40",
    "industrial_correction": "1", "sludge_bod_kg": "1300", "recovered_ch4_kg": "0",
}  # fmt: skip


def test_wastewater_multiplies_by_the_degree_of_utilisation():
    """1,000 × 0.5 × 40 g × 365 = 7,300 kg BOD; less 1,300 of sludge; × 0.6 × 0.5."""
    assert near(kg("wastewater", **WASTEWATER)["ch4"], "1800")


def test_effluent_takes_nitrogen_alone():
    """1,000 × 25 kg × 0.16 × 1.1 × 1.25 − 500 = 5,000 kg N; × 0.005 × 44/28."""
    made = kg(
        "effluent-nitrogen", people="1000", protein_kg_per_person_year="25", non_consumed="1.1",
        industrial_nitrogen="1.25", sludge_nitrogen_kg="500",
    )  # fmt: skip
    assert near(made["n2o"], "39.286")


def test_livestock_and_land():
    assert kg("livestock", animal="dairy-cattle", heads="10")["ch4"] == 770
    crown = kg("crown-cover", cover="urban-crown", crown_ha="3")
    assert near(crown["co2"], "-31900")
    stock = kg("carbon-stock-difference", carbon_first_t="90", carbon_last_t="120", years="10")
    assert near(stock["co2"], "-11000")


@pytest.mark.parametrize("missing", list(WASTEWATER))
def test_a_missing_parameter_is_no_default(missing: str):
    given = {key: value for key, value in WASTEWATER.items() if key != missing}
    found = sectors.check("wastewater", given)
    assert isinstance(found, Refusal)
    assert found.code == "parameter-missing"
    assert found.facts == {"name": missing}


@pytest.mark.parametrize(
    ("name", "given", "code"),
    [
        ("alchemy", {}, "unknown-calculator"),
        ("livestock", {"set": "nowhere"}, "unknown-coefficients"),
        ("livestock", {"animal": "dragon", "heads": "1"}, "parameter-invalid"),
        ("livestock", {"animal": "swine", "heads": "many"}, "parameter-invalid"),
        ("livestock", {"animal": "swine", "heads": "1", "wings": "2"}, "parameter-unknown"),
        ("wastewater", {**WASTEWATER, "utilisation": "50"}, "parameter-invalid"),
    ],
)
def test_what_cannot_be_calculated_is_refused(name: str, given: dict, code: str):
    found = sectors.check(name, given)
    assert isinstance(found, Refusal)
    assert found.code == code
    assert found.ko
    assert found.en


def test_every_calculator_names_its_source():
    assert all("IPCC" in one.source for one in calculators().values())
