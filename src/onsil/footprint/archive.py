"""Evidence as a ZIP: the same bytes for the same evidence, every member named with its hash.

The format is written down in docs/footprint/bundle.md, from which alone another program can check
a bundle and do its calculation again.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from onsil import proof
from onsil.core.canonical import canonical_bytes, plain
from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint import rows
from onsil.footprint.bundle import BundleCheck, check_parts
from onsil.footprint.quality import findings_of
from onsil.footprint.rows import sha256_of
from onsil.footprint.store import rows as select

FORMAT = "onsil-evidence-zip-1"
MANIFEST = "manifest.json"
RECEIPT = "proofs/receipt.tlog-proof"
# Nothing in a bundle is compressed: zlib's output differs from one release to the next.
_STAMP = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16
_SIZE_MAX = 2 * 1024**3
_ABOUT = """\
온실 증거 묶음 / Onsil evidence bundle

한 번의 산정이 근거한 모든 것입니다: 입력, 측정값, 표, 배출계수, 출력, 증명.
manifest.json에 모든 파일의 SHA-256이 있습니다. 형식과 검증 방법: docs/footprint/bundle.md

All that one quantification rests on: inputs, readings, tables, factors, outputs, proofs.
manifest.json names the SHA-256 of every file. Format and how to check it: docs/footprint/bundle.md
"""


def export_archive(
    conn: Connection, city: str, run_id: UUID, log_home: "proof.LogHome | None" = None
) -> bytes | Refusal:
    """A run's evidence as a ZIP file. With the log's folder, the run's receipt is in it too.

    Refused: `unknown-run`.
    """
    stored, found = rows.run_texts(conn, city, run_id), rows.run(conn, city, run_id)
    if stored is None or found is None:
        return rows.unknown_run(run_id)
    inputs = json.loads(stored["inputs"])
    members = _evidence(conn, city, run_id, stored, inputs)
    members["run.json"] = canonical_bytes(
        {
            "run": run_id,
            "city": city,
            "status": found.status,
            "format": inputs["format"],
            "engine": stored["engine"],
            "code_sha256": stored["code_sha256"],
            "inputs_sha256": stored["inputs_sha256"],
            "outputs_sha256": stored["outputs_sha256"],
            "snapshot_sha256": found.snapshot_digest,
            "actor": found.actor,
            "created_at": found.created_at,
        }
    )
    members["log_entry.json"] = canonical_bytes(rows.run_entry(found))
    members["findings.json"] = canonical_bytes(
        [one.document() for one in findings_of(conn, city, run_id)]
    )
    members["claims.json"] = canonical_bytes(_claims(conn, city, run_id))
    members |= _proofs(conn, city, run_id, rows.run_entry(found), log_home)
    members["README.txt"] = _ABOUT.encode("utf-8")
    return pack(city, run_id, members)


def runs_behind(conn: Connection, city: str, subject: UUID) -> tuple[UUID, ...] | Refusal:
    """The runs that a run (itself), a claim or a monitoring period rests on, in order of id.

    Refused: `unknown-subject`; `no-evidence` for a period that holds no claims.
    """
    if rows.run(conn, city, subject) is not None:
        return (subject,)
    held = rows.claim_of(conn, city, subject)
    if held is not None:
        return (held.run_id,)
    period = select(
        conn, "SELECT 1 AS one FROM footprint_monitoring WHERE city = %s AND id = %s",
        (city, subject),
    )  # fmt: skip
    if not period:
        return Refusal(
            "unknown-subject",
            f"{city}에 {subject}인 산정, 주장, 모니터링 기간이 없습니다.",
            f"{city} has no run, claim or monitoring period {subject}.",
            {"subject": str(subject)},
        )
    found = select(
        conn,
        """SELECT DISTINCT c.run_id FROM footprint_monitoring_claim m
        JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
        WHERE m.city = %s AND m.monitoring_id = %s ORDER BY c.run_id""",
        (city, subject),
    )
    if not found:
        return Refusal(
            "no-evidence",
            f"모니터링 기간 {subject}에는 아직 주장이 없습니다.",
            f"Monitoring period {subject} holds no claims yet.",
            {"monitoring": str(subject)},
        )
    return tuple(row["run_id"] for row in found)


def _evidence(
    conn: Connection, city: str, run_id: UUID, stored: Mapping[str, Any], inputs: Mapping[str, Any]
) -> dict[str, bytes]:
    members = {
        "inputs.json": stored["inputs"].encode("utf-8"),
        "outputs.json": stored["outputs"].encode("utf-8"),
    }
    tables = {one["sha256"] for one in inputs.get("tables", {}).values()}
    series = {one["sha256"] for one in inputs["snapshot"]["manifest"]["series"]}
    for sha256, text in rows.readings(conn, city, run_id).items():
        if sha256 in tables:
            members[f"tables/{sha256}.jsonl"] = text
        if sha256 in series:
            members[f"readings/{sha256}.txt"] = text
    used = rows.factor_sets_used(conn, city, list(inputs["factor_sets"].values()))
    for one in used:
        members[f"factors/{one['id']}.json"] = canonical_bytes(one)
    for table, document in inputs.get("coefficients", {}).items():
        members[f"coefficients/{table}.json"] = canonical_bytes(document)
    return members


def _claims(conn: Connection, city: str, run_id: UUID) -> list[dict[str, Any]]:
    return [
        {"claim": one.id, "kind": one.kind, "released_at": one.released_at, **rows.claim_entry(one)}
        for one in sorted(rows.claims(conn, city, run_id, 10_000, released=True),
                          key=lambda held: held.id)
    ]  # fmt: skip


def _proofs(
    conn: Connection, city: str, run_id: UUID, entry: Mapping[str, Any],
    log_home: "proof.LogHome | None",
) -> dict[str, bytes]:  # fmt: skip
    """The run's receipt and the checkpoint it leads to, as far as the log is by now."""
    if log_home is None:
        return {}
    receipt = proof.receipt(conn, city, "quantification", run_id, log_home, entry)
    if isinstance(receipt, Refusal):
        return {}
    return {
        RECEIPT: receipt.encode("utf-8"),
        "proofs/checkpoint.txt": receipt.partition("\n\n")[2].encode("utf-8"),
    }


def pack(city: str, run_id: UUID, members: Mapping[str, bytes]) -> bytes:
    """The members as a ZIP with their manifest first: stored, sorted, without times of its own."""
    manifest = canonical_bytes(
        {
            "format": FORMAT,
            "city": city,
            "run": run_id,
            "members": [
                {"path": path, "sha256": sha256_of(content), "bytes": len(content)}
                for path, content in sorted(members.items())
            ],
        }
    )
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as made:
        for path, content in [(MANIFEST, manifest), *sorted(members.items())]:
            entry = zipfile.ZipInfo(path, _STAMP)
            entry.create_system, entry.external_attr = 3, _MODE
            made.writestr(entry, content)
    return held.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members by path. Raises ValueError for what is no such file or names a path twice."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as held:
            entries = held.infolist()
            if len({one.filename for one in entries}) != len(entries):
                raise ValueError("a member is there twice")
            if sum(one.file_size for one in entries) > _SIZE_MAX:
                raise ValueError("larger than two gibibytes")
            return {one.filename: held.read(one) for one in entries}
    except (zipfile.BadZipFile, RuntimeError) as error:  # its subclass: an unknown compression
        raise ValueError(f"not a ZIP file: {error}") from error


def has_receipt(data: bytes) -> bool:
    """Whether the log's receipt of the run is in a ZIP."""
    return RECEIPT in unpack(data)


def verify_archive(data: bytes) -> BundleCheck:
    """Check a ZIP bundle from itself alone: manifest, every hash, then the calculation again."""
    try:
        members = unpack(data)
        manifest = json.loads(members.pop(MANIFEST))
        if manifest["format"] != FORMAT:
            return BundleCheck(False, ("not an evidence archive of this format",), "", "")
        stated = {one["path"]: one["sha256"] for one in manifest["members"]}
        findings = [
            f"{path} is missing or does not have its hash"
            for path in sorted({*stated, *members})
            if path not in members or sha256_of(members[path]) != stated.get(path)
        ]
        run = json.loads(members["run.json"])
        findings += check_parts(_parts(members, run))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return BundleCheck(False, (f"unreadable: {error!r}",), "", "")
    return BundleCheck(not findings, tuple(findings), run["run"], run["outputs_sha256"])


def _parts(members: Mapping[str, bytes], run: Mapping[str, Any]) -> dict[str, Any]:
    """The members in the shape of a JSON bundle, whose checks are the same."""
    texts = {
        path.rpartition("/")[2].partition(".")[0]: content.decode("utf-8")
        for path, content in members.items()
        if path.startswith(("readings/", "tables/"))
    }
    return {
        "inputs": json.loads(members["inputs.json"]),
        "inputs_sha256": run["inputs_sha256"],
        "outputs": json.loads(members["outputs.json"]),
        "outputs_sha256": run["outputs_sha256"],
        "log_entry": json.loads(members["log_entry.json"]),
        "readings": texts,
        "factor_sets": [
            json.loads(content) for path, content in members.items() if path.startswith("factors/")
        ],
    }


def archive_name(found_at: datetime, methodology: str, run_id: UUID) -> str:
    """A file name that says what is in it."""
    return f"onsil-{methodology}-{plain(found_at)[:10]}-{str(run_id)[:8]}.zip"
