"""Emission factors as data, chosen by authority."""

from onsil.footprint.factors.choice import (
    PROGRAMME_KINDS,
    FactorAuthority,
    FactorProgramme,
    choose_factor,
    factor_programmes,
)
from onsil.footprint.factors.coefficients import (
    CoefficientTable,
    coefficient_sets,
    coefficient_table,
    parse_coefficients,
    stated_coefficients,
)
from onsil.footprint.factors.examples import Example, published_examples, recalculate
from onsil.footprint.factors.factor import Factor, Heating
from onsil.footprint.factors.factor_set import FactorSet
from onsil.footprint.factors.gwp import GASES, GWP_SETS, gwp, gwp_gases
from onsil.footprint.factors.imports import FactorImport, library_of
from onsil.footprint.factors.library import (
    Library,
    factor_set,
    factor_sets,
    shipped_library,
    shipped_statements,
)
from onsil.footprint.factors.plan import (
    PlanCoefficient,
    equivalents,
    plan_coefficients,
    use_plan_coefficient,
)
from onsil.footprint.factors.provenance import MATURITIES, FactorError

__all__ = [
    "GASES",
    "GWP_SETS",
    "MATURITIES",
    "PROGRAMME_KINDS",
    "CoefficientTable",
    "Example",
    "Factor",
    "FactorAuthority",
    "FactorError",
    "FactorImport",
    "FactorProgramme",
    "FactorSet",
    "Heating",
    "Library",
    "PlanCoefficient",
    "choose_factor",
    "coefficient_sets",
    "coefficient_table",
    "equivalents",
    "factor_programmes",
    "factor_set",
    "factor_sets",
    "gwp",
    "gwp_gases",
    "library_of",
    "parse_coefficients",
    "plan_coefficients",
    "published_examples",
    "recalculate",
    "shipped_library",
    "shipped_statements",
    "stated_coefficients",
    "use_plan_coefficient",
]
