"""Quality of a run's data: findings of a severity, kept with the run, and samples for verifiers.

Every interval is used, left out for a reason, or missing; a meter was calibrated or it was not; a
result is plausible or it is not. A blocking finding stops claims, a discount lessens them.
"""

from onsil.footprint.quality.calibration import Certificate, calibrated, certificates, lapses
from onsil.footprint.quality.checks import BANDS, documents_checked
from onsil.footprint.quality.findings import (
    SEVERITIES,
    TEXTS,
    Finding,
    blocked,
    findings_of,
    inspection_entry,
    keep,
)
from onsil.footprint.quality.inspecting import inspect_again, look
from onsil.footprint.quality.sampling import Estimate, drawn, estimate, rank

__all__ = [
    "BANDS",
    "SEVERITIES",
    "TEXTS",
    "Certificate",
    "Estimate",
    "Finding",
    "blocked",
    "calibrated",
    "certificates",
    "documents_checked",
    "drawn",
    "estimate",
    "findings_of",
    "inspect_again",
    "inspection_entry",
    "keep",
    "lapses",
    "look",
    "rank",
]
