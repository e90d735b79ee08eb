"""Runs of form 1, as they were written before form 2 came, still recompute to their own bytes."""

import hashlib
from decimal import localcontext

import pytest

from onsil.core.canonical import canonical_bytes, plain
from onsil.core.refusal import Refusal
from onsil.footprint import engine
from onsil.footprint.methodologies import methodology

# SHA-256 of the outputs that the engine of form 1 wrote for each worked example.
WRITTEN = {
    "solar-self-consumption": "e5d2c085edcbf4eb5bd56234fb7a48cad8808780fc2fdb56984f1dfe30c35bae",
    "building-energy-savings": "f7cf9da07b9bfdb8188b6c7d86b9105ee8af887614e0c8e063f9751e03ae021c",
}


# The factor of both examples as form 1 has it in its inputs.
GRID_2018 = {
    "id": "kr-grid-2018/electricity/consumption",
    "set": "kr-grid-2018",
    "commodity": "electricity",
    "boundary": "consumption",
    "gases_kg_per_mwh": {"co2": "456.7", "ch4": "0.0036", "n2o": "0.0085"},
    "co2e_kg_per_mwh": None,
    "co2e_gwp_set": None,
    "energy_basis": None,
    "ncv_mj_per_nm3": None,
    "gcv_mj_per_nm3": None,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_run_of_form_1_has_the_bytes_it_had(name: str) -> None:
    made = methodology(name, "1")
    assert not isinstance(made, Refusal)
    given = made.worked_example().inputs
    inputs = plain(
        {
            "format": "onsil-run-1",
            "methodology": {"id": name, "version": "1"},
            "parameters": given.parameters,
            "period": {"start": given.period.start, "end": given.period.end},
            "zone": given.zone,
            "gwp_set": given.gwp_set,
            "factors": {"electricity": GRID_2018},
        }
    )
    with localcontext(engine.ARITHMETIC):
        found = engine.calculate(inputs, given.series)
    assert not isinstance(found, Refusal), found
    assert hashlib.sha256(canonical_bytes(found)).hexdigest() == WRITTEN[name]
