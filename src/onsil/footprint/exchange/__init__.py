"""The registry's public records in the forms that others read: CAD Trust tables and CDOP."""

from onsil.footprint.exchange.cadtrust import archive, tables
from onsil.footprint.exchange.cdop import document, missing
from onsil.footprint.exchange.records import Record, Registry, records
from onsil.footprint.exchange.tables import ASKED, PICKS, TABLES, faults, wanting

__all__ = [
    "ASKED", "PICKS", "TABLES", "Record", "Registry", "archive", "document", "faults", "missing",
    "records", "tables", "wanting",
]  # fmt: skip
