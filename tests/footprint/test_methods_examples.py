"""Every methodology's worked example by its module's own name, without a registry or a database."""

from importlib import import_module

import pytest
from method_kit import outcome

NAMES = (
    "bus_modal_shift", "citizen_actions", "demand_response", "district_heat_saving",
    "efficient_appliances", "ev_replacement", "grid_solar", "led_replacement",
    "building_energy_savings_2", "afforestation", "effluent_reuse", "incineration_avoidance",
    "landfill_avoidance", "pet_recycling", "pyrolysis_mass_balance", "street_tree_census",
    "tree_growth", "urban_tree_defaults",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_example_comes_out_as_by_hand(name: str) -> None:
    made = import_module(f"onsil.footprint.methodologies.{name}")
    example = made.worked_example()
    assert outcome(made, example.inputs).co2e_t == example.co2e_t
    assert made.span(example.inputs.parameters, example.inputs.period, example.inputs.zone)
