"""Runs of form 2: any physical quantity in its unit, divided by day or month where that is known.

What was not measured is null here, never zero.
"""

from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.terms import NOT_YET_MEASURABLE, QUANTIFIED, Outcome, RunLine

FORMAT: str = "onsil-run-2"


def quantified(found: Outcome) -> dict[str, Any]:
    """Outputs of a run that found something to claim."""
    return {
        "format": FORMAT,
        "status": QUANTIFIED,
        "co2e_t": found.co2e_t,
        "gases_kg": found.gases_kg,
        "lines": [_line(line) for line in found.lines],
        "uncertainty": found.uncertainty,
        "coverage": found.coverage,
        "details": found.details,
    }


def _line(line: RunLine) -> dict[str, Any]:
    said = {
        "meter": line.meter, "quantity": line.quantity, "amount": line.amount, "unit": line.unit,
    }  # fmt: skip
    return said if line.parts is None else {**said, "parts": line.parts}


def not_measurable(found: Refusal) -> dict[str, Any]:
    """Outputs of a run whose gates did not hold."""
    return {
        "format": FORMAT,
        "status": NOT_YET_MEASURABLE,
        "co2e_t": None,
        "gases_kg": None,
        "lines": [],
        "refusal": {
            "code": found.code,
            "ko": found.ko,
            "en": found.en,
            "facts": dict(found.facts),
        },
    }
