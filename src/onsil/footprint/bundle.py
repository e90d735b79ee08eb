"""Evidence bundles: everything a run rests on in one JSON file, checked without any database."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from onsil.core.canonical import canonical_bytes, digest, plain
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.quantification import check

FORMAT = "onsil-evidence-1"


@dataclass(frozen=True)
class BundleCheck:
    """What checking a bundle found; `ok` when it found nothing amiss."""

    ok: bool
    findings: tuple[str, ...]
    run_id: str
    outputs_digest: str


def export_bundle(conn: Connection, city: str, run_id: UUID) -> bytes | Refusal:
    """A run's inputs, readings, factor sets and outputs as canonical JSON, made to be given away.

    Refused: `unknown-run`.
    """
    stored, found = rows.run_texts(conn, city, run_id), rows.run(conn, city, run_id)
    if stored is None or found is None:
        return rows.unknown_run(run_id)
    inputs = json.loads(stored["inputs"])
    return canonical_bytes(
        {
            "format": FORMAT,
            "city": city,
            "run": run_id,
            "engine": stored["engine"],
            "code_sha256": stored["code_sha256"],
            "inputs": inputs,
            "inputs_sha256": stored["inputs_sha256"],
            "readings": {
                sha256: text.decode("utf-8")
                for sha256, text in rows.readings(conn, city, run_id).items()
            },
            "factor_sets": rows.factor_sets_used(conn, city, list(inputs["factor_sets"].values())),
            "outputs": json.loads(stored["outputs"]),
            "outputs_sha256": stored["outputs_sha256"],
            "log_entry": plain(rows.run_entry(found)),
        }
    )


def verify_bundle(data: bytes) -> BundleCheck:
    """Check a bundle from itself alone: every hash, then the calculation again, byte for byte."""
    try:
        held: dict[str, Any] = json.loads(data)
        if held.get("format") != FORMAT:
            return BundleCheck(False, ("not an evidence bundle of this format",), "", "")
        findings = check_parts(held)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return BundleCheck(False, (f"unreadable: {error!r}",), "", "")
    return BundleCheck(not findings, tuple(findings), held["run"], held["outputs_sha256"])


def check_parts(held: dict[str, Any]) -> list[str]:
    """What is amiss with a bundle's parts: hashes, factors, the calculation done again."""
    return [*_hashes(held), *_calculation(held)]


def _hashes(held: dict[str, Any]) -> list[str]:
    findings: list[str] = []
    for part in ("inputs", "outputs"):
        if digest(held[part]) != held[f"{part}_sha256"]:
            findings.append(f"{part} do not have their hash")
        if held["log_entry"][part] != held[f"{part}_sha256"]:
            findings.append(f"the log entry names other {part}")
    stated = held["inputs"]["factor_sets"]
    kept = {one["id"]: one for one in held["factor_sets"]}
    for set_id, sha256 in stated.items():
        if set_id not in kept or digest(kept[set_id]) != sha256:
            findings.append(f"factor set {set_id} is missing or does not have its hash")
    for factor in held["inputs"]["factors"].values():
        if factor not in kept.get(factor["set"], {}).get("factors", []):
            findings.append(f"factor {factor['id']} is not in its set")
    return findings


def _calculation(held: dict[str, Any]) -> list[str]:
    lines = {sha256: text.encode("utf-8") for sha256, text in held["readings"].items()}
    inputs = canonical_bytes(held["inputs"]).decode()
    again = check(inputs, lines)
    if isinstance(again, Refusal):
        return [again.en]
    if again != canonical_bytes(held["outputs"]):
        return ["the calculation gives other outputs"]
    return []
