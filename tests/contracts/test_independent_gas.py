"""Gross gas with a factor that lacks heating values: both programs say no, in both versions."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from onsil.footprint.factors import Factor, Heating, factor_set
from onsil.footprint.terms import MethodInputs
from second_program import compare, example

NAME = "building-energy-savings"
GAS = next(one for one in factor_set("kr-city-gas-2022").factors if one.per == "MWh")


def heated(version: str, factor: Factor, basis: str = "gcv", saved: str = "1") -> MethodInputs:
    """The worked example's house, heated by gas alone."""
    inputs = example(NAME, version)
    use = inputs.series["electricity"]
    gas = replace(
        use, role="gas", attribute="gas", values=tuple(v * Decimal(saved) for v in use.values)
    )
    return replace(
        inputs,
        series={"temperature": inputs.series["temperature"], "gas": gas},
        parameters={**inputs.parameters, "gas_energy_basis": basis},
        factors={"city-gas": factor},
    )


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "heating",
    [
        None,
        Heating("Nm3", None, None),
        Heating("Nm3", Decimal("38.5"), None),
        Heating("Nm3", None, Decimal("42.7")),
    ],
)
def test_gross_gas_without_heating_values_is_refused(version: str, heating: Any) -> None:
    bare = replace(GAS, heating=heating)
    assert compare(NAME, version, heated(version, bare)) == "heating-value-unknown"
    net = compare(NAME, version, heated(version, bare, "ncv"))
    assert isinstance(net, dict)
    assert net["status"] == "quantified"


@pytest.mark.parametrize("version", ["1", "2"])
def test_gross_gas_with_both_values_is_less_than_net(version: str) -> None:
    gross = compare(NAME, version, heated(version, GAS))
    net = compare(NAME, version, heated(version, GAS, "ncv"))
    assert isinstance(gross, dict)
    assert isinstance(net, dict)
    assert GAS.heating is not None
    assert GAS.heating.ncv_mj is not None
    assert GAS.heating.gcv_mj is not None
    found = Decimal(gross["co2e_t"]) / Decimal(net["co2e_t"])
    assert abs(found - GAS.heating.ncv_mj / GAS.heating.gcv_mj) < Decimal("1e-25")


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_no_gate_let_through_stays_not_measurable(version: str) -> None:
    """Such runs were kept with these inputs: they still recompute to what they were."""
    inputs = heated(version, replace(GAS, heating=None))
    use = inputs.series["gas"]
    restless = tuple(v * (1 + 3 * (n // 45 % 2)) for n, v in enumerate(use.values))
    series = {**inputs.series, "gas": replace(use, values=restless)}
    outputs = compare(NAME, version, replace(inputs, series=series))
    assert isinstance(outputs, dict)
    assert outputs["status"] == "not-yet-measurable"
