"""Methodologies: versioned pure functions, found through the entry points `onsil.methodologies`.

`python -m onsil.footprint.methodologies.pages` writes a page for each into `docs/methodologies/`.
"""

from onsil.footprint.methodologies.registry import (
    FactorNeed,
    Methodology,
    Parameter,
    Role,
    WorkedExample,
    check_parameters,
    methodologies,
    methodology,
)

__all__ = [
    "FactorNeed",
    "Methodology",
    "Parameter",
    "Role",
    "WorkedExample",
    "check_parameters",
    "methodologies",
    "methodology",
]
