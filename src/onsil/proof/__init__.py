"""Merkle transparency log (RFC 6962, C2SP tiles and signed notes) and the audit trail.

Other rooms append a leaf in the transaction of the thing it stands for; the sequencer puts what
is committed into the tree and signs it; anyone verifies a receipt or the whole log.
"""

from onsil.proof.audit import AuditRecord, audit, audit_trail
from onsil.proof.bundles import BundleCheck, bundle, verify_bundle
from onsil.proof.checkpoint import Checkpoint, open_checkpoint, origin
from onsil.proof.entries import (
    EntrySource,
    Leaf,
    PagedSource,
    append,
    append_encoded,
    append_many,
    leaf,
)
from onsil.proof.erasure import Erased, erase, erase_many
from onsil.proof.findings import Finding, VerifyReport
from onsil.proof.home import LogHome, published_key
from onsil.proof.keys import NoteError, VerifierKey, verifier_key
from onsil.proof.note import parse_verifier_key
from onsil.proof.published import PublishedCheck, verify_published
from onsil.proof.receipt_check import ReceiptCheck, verify_receipt
from onsil.proof.receipts import receipt
from onsil.proof.sequencer import latest, log_folder, log_years, sequence
from onsil.proof.signer import Cosigner, Signer, load_or_create_issuer, load_or_create_signer
from onsil.proof.status import (
    GrowthPoint,
    LogStatus,
    WitnessStatus,
    checkpoint_history,
    note_refusal,
    status,
)
from onsil.proof.verification import verify

__all__ = [
    "AuditRecord",
    "BundleCheck",
    "Checkpoint",
    "Cosigner",
    "EntrySource",
    "Erased",
    "Finding",
    "GrowthPoint",
    "Leaf",
    "LogHome",
    "LogStatus",
    "NoteError",
    "PagedSource",
    "PublishedCheck",
    "ReceiptCheck",
    "Signer",
    "VerifierKey",
    "VerifyReport",
    "WitnessStatus",
    "append",
    "append_encoded",
    "append_many",
    "audit",
    "audit_trail",
    "bundle",
    "checkpoint_history",
    "erase",
    "erase_many",
    "latest",
    "leaf",
    "load_or_create_issuer",
    "load_or_create_signer",
    "log_folder",
    "log_years",
    "note_refusal",
    "open_checkpoint",
    "origin",
    "parse_verifier_key",
    "published_key",
    "receipt",
    "sequence",
    "status",
    "verifier_key",
    "verify",
    "verify_bundle",
    "verify_published",
    "verify_receipt",
]  # fmt: skip
