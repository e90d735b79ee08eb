"""Greenhouse-gas inventories: a city by the GPC, companies by the GHG Protocol, year by year.

Lines become a version: canonical inputs and outputs by hash, recomputed to the same bytes, sealed
by a second person. A change between versions is taken apart by cause. Missing is never zero.
"""

from onsil.footprint.inventory.books import (
    change_settings,
    inventories,
    inventory,
    inventory_of,
    line_history,
    lines,
    open_inventory,
    put_lines,
    recalculation_policy,
    remove_line,
    set_policy,
    settings,
)
from onsil.footprint.inventory.changes import Recalculation, Waterfall, explain, must_recalculate
from onsil.footprint.inventory.exporting import as_csv, as_json, as_xlsx, report_rows
from onsil.footprint.inventory.gases import group as gas_group
from onsil.footprint.inventory.gases import weight as gas_weight
from onsil.footprint.inventory.importing import COLUMNS, RowError, import_lines, specs_of
from onsil.footprint.inventory.sectors import Calculator, calculators
from onsil.footprint.inventory.terms import (
    APPROACHES,
    CAUSES,
    CITY,
    COMPANY,
    LEVELS,
    NOTATION,
    Activity,
    Check,
    FactorUse,
    Inventory,
    Line,
    LineSpec,
    Part,
    RecalculationPolicy,
    Settings,
    Version,
)
from onsil.footprint.inventory.tree import Row, Tree, required_rows, tree
from onsil.footprint.inventory.versions import (
    compile_version,
    decide,
    documents,
    newest_sealed,
    recompute,
    version_of,
    versions,
)

__all__ = [
    "APPROACHES",
    "CAUSES",
    "CITY",
    "COLUMNS",
    "COMPANY",
    "LEVELS",
    "NOTATION",
    "Activity",
    "Calculator",
    "Check",
    "FactorUse",
    "Inventory",
    "Line",
    "LineSpec",
    "Part",
    "Recalculation",
    "RecalculationPolicy",
    "Row",
    "RowError",
    "Settings",
    "Tree",
    "Version",
    "Waterfall",
    "as_csv",
    "as_json",
    "as_xlsx",
    "calculators",
    "change_settings",
    "compile_version",
    "decide",
    "documents",
    "explain",
    "gas_group",
    "gas_weight",
    "import_lines",
    "inventories",
    "inventory",
    "inventory_of",
    "line_history",
    "lines",
    "must_recalculate",
    "newest_sealed",
    "open_inventory",
    "put_lines",
    "recalculation_policy",
    "recompute",
    "remove_line",
    "report_rows",
    "required_rows",
    "set_policy",
    "settings",
    "specs_of",
    "tree",
    "version_of",
    "versions",
]
