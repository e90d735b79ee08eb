"""Methodologies: versioned pure functions, found through the entry points `onsil.methodologies`."""

from onsil.footprint.methodologies.registry import (
    FactorNeed,
    Methodology,
    Parameter,
    Role,
    WorkedExample,
    check_parameters,
    code_digest,
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
    "code_digest",
    "methodologies",
    "methodology",
]
