"""Methodologies: versioned pure functions, found through the entry points `onsil.methodologies`.

`python -m onsil.footprint.methodologies.pages` writes a page for each into `docs/methodologies/`.
"""

from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    FactorNeed,
    Methodology,
    MonitoringParameter,
    Parameter,
    Role,
    TableRole,
    WorkedExample,
    check_parameters,
    check_tables,
    coefficients_of,
    creditable,
    methodologies,
    methodology,
    monitoring_of,
    tables_of,
)

__all__ = [
    "CoefficientNeed",
    "Column",
    "FactorNeed",
    "Methodology",
    "MonitoringParameter",
    "Parameter",
    "Role",
    "TableRole",
    "WorkedExample",
    "check_parameters",
    "check_tables",
    "coefficients_of",
    "creditable",
    "methodologies",
    "methodology",
    "monitoring_of",
    "tables_of",
]
