"""Factor sets and coefficient tables brought in by people: read, checked, approved by a second."""

from onsil.footprint.factors.imports.checking import Finding, check_upload
from onsil.footprint.factors.imports.everywhere import (
    CommonFactors,
    approve_common_import,
    common_entry,
    common_factors,
    tell_cities,
)
from onsil.footprint.factors.imports.reading import read_upload
from onsil.footprint.factors.imports.records import (
    FactorImport,
    approve_import,
    confirm_import,
    import_entry,
    import_of,
    imports,
    library_of,
    return_import,
    runs_using,
    submit_import,
)

__all__ = [
    "CommonFactors",
    "FactorImport",
    "Finding",
    "approve_common_import",
    "approve_import",
    "check_upload",
    "common_entry",
    "common_factors",
    "confirm_import",
    "import_entry",
    "import_of",
    "imports",
    "library_of",
    "read_upload",
    "return_import",
    "runs_using",
    "submit_import",
    "tell_cities",
]
