"""Factor sets and coefficient tables brought in by people: read, checked, approved by a second."""

from onsil.footprint.factors.imports.checking import Finding, check_upload
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
    "FactorImport",
    "Finding",
    "approve_import",
    "check_upload",
    "confirm_import",
    "import_entry",
    "import_of",
    "imports",
    "library_of",
    "read_upload",
    "return_import",
    "runs_using",
    "submit_import",
]
