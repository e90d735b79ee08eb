"""Emission factors as data, chosen by authority."""

from onsil.footprint.factors.choice import FactorAuthority, choose_factor
from onsil.footprint.factors.examples import Example, published_examples, recalculate
from onsil.footprint.factors.gwp import gwp
from onsil.footprint.factors.library import (
    Factor,
    FactorError,
    FactorSet,
    factor_set,
    factor_sets,
)
from onsil.footprint.factors.plan import (
    PlanCoefficient,
    equivalents,
    plan_coefficients,
    use_plan_coefficient,
)

__all__ = [
    "Example",
    "Factor",
    "FactorAuthority",
    "FactorError",
    "FactorSet",
    "PlanCoefficient",
    "choose_factor",
    "equivalents",
    "factor_set",
    "factor_sets",
    "gwp",
    "plan_coefficients",
    "published_examples",
    "recalculate",
    "use_plan_coefficient",
]
