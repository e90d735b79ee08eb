"""Reports whose every number resolves to a stored output, as PDF, workbook and HWPX."""

from onsil.footprint.reports.hwpx_paper import hwpx
from onsil.footprint.reports.implementation_report import implementation_report
from onsil.footprint.reports.kept import keep_report, kept_report, kept_reports, report_entry
from onsil.footprint.reports.monitoring_report import monitoring_report
from onsil.footprint.reports.pdf import page_source, pdf
from onsil.footprint.reports.resolving import Number, numbers, pointed
from onsil.footprint.reports.terms import (
    Facts,
    Figure,
    Paragraph,
    Report,
    Section,
    Source,
    Table,
    document,
    figures,
)
from onsil.footprint.reports.workbook import xlsx

__all__ = [
    "Facts", "Figure", "Number", "Paragraph", "Report", "Section", "Source", "Table", "document",
    "figures", "hwpx",
    "implementation_report", "keep_report", "kept_report", "kept_reports", "monitoring_report",
    "numbers", "page_source", "pdf", "pointed", "report_entry", "xlsx",
]  # fmt: skip
