"""Runs of form 1: energy in Wh alone. Kept for the runs that were made so; nothing new uses it."""

from decimal import Decimal
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.terms import NOT_YET_MEASURABLE, QUANTIFIED, Outcome

FORMAT: str = "onsil-run-1"


def quantified(found: Outcome) -> dict[str, Any]:
    """Outputs of a run that found something to claim."""
    return {
        "format": FORMAT,
        "status": QUANTIFIED,
        "co2e_t": found.co2e_t,
        "gases_kg": found.gases_kg,
        "energy_wh": sum((line.amount for line in found.lines), Decimal(0)),
        "lines": [
            {"meter": line.meter, "quantity": line.quantity, "amount_wh": line.amount}
            for line in found.lines
        ],
        "uncertainty": found.uncertainty,
        "coverage": found.coverage,
        "details": found.details,
    }


def not_measurable(found: Refusal) -> dict[str, Any]:
    """Outputs of a run whose gates did not hold."""
    return {
        "format": FORMAT,
        "status": NOT_YET_MEASURABLE,
        "co2e_t": Decimal(0),
        "gases_kg": None,
        "energy_wh": Decimal(0),
        "lines": [],
        "refusal": {
            "code": found.code,
            "ko": found.ko,
            "en": found.en,
            "facts": dict(found.facts),
        },
    }
