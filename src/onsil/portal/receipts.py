"""Receipts for people: whose record it is, and its receipt from the row as it stands now."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any
from uuid import UUID

from onsil import footprint, ledger, proof
from onsil.configuration import configuration
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.rewards.entries import award_leaf
from onsil.tenancy import transaction

KINDS = ("transfer", "award", "retirement", "issuance", "inventory")
PUBLIC = frozenset({"retirement", "issuance", "inventory"})
PROGRAM_NAME = "verify_receipt.py"
_PROGRAM = ("onsil.proof.standalone", "standalone.py")
_CITIZEN = re.compile("citizen:([0-9a-f-]{36})")


@dataclass(frozen=True)
class Held:
    """A record's receipt, or why there is none (yet)."""

    kind: str
    subject_id: UUID
    receipt: str | Refusal

    @property
    def name(self) -> str:
        """The file's name: short, and telling one receipt from another."""
        return f"onsil-{self.kind}-{str(self.subject_id)[-12:]}.tlog-proof"


def receipt_of(city: str, kind: str, subject_id: UUID, reader: str) -> Held | None:
    """A record's receipt for a person who may have it; None for everybody else.

    `reader` is the person's id, empty for the public. A record belongs to whom it names: a
    transfer to the citizens on either side, an award to its person. Issuances, retirements and
    inventories are public.
    """
    with transaction(city) as conn:
        entry = _entry(conn, city, kind, subject_id)
        if entry is None or not (kind in PUBLIC or (reader and reader in owners(kind, entry))):
            return None
        folder = configuration().log_home
        return Held(kind, subject_id, proof.receipt(conn, city, kind, subject_id, folder, entry))


def _entry(conn: Connection, city: str, kind: str, subject_id: UUID) -> Mapping[str, Any] | None:
    match kind:
        case "transfer":
            return ledger.transfer_entry(conn, city, subject_id)
        case "award":
            return award_leaf(conn, city, subject_id)
        case "retirement" | "issuance" | "inventory":
            return footprint.entry_of(conn, city, kind, subject_id)
        case _:
            return None


def owners(kind: str, entry: Mapping[str, Any]) -> set[str]:
    """The ids of the people that a record names."""
    if kind == "award":
        return {str(entry["person"])}
    if kind != "transfer":
        return set()
    codes = [leg[side] for leg in entry["legs"] for side in ("source", "destination")]
    return {found[1] for code in codes if (found := _CITIZEN.fullmatch(code))}


@dataclass(frozen=True)
class Program:
    """The stand-alone verifier as it is handed out."""

    content: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def program() -> Program:
    """The one file that verifies receipts without this software."""
    package, file = _PROGRAM
    return Program((files(package.rpartition(".")[0]) / file).read_bytes())
