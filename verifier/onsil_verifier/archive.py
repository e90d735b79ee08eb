"""The ZIP bundle: its members, and every hash in it (docs/footprint/bundle.md, steps 1 to 5)."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onsil_verifier.canonical import canonical, sha256

FORMAT = "onsil-evidence-zip-1"


class Unreadable(Exception):
    """Not a bundle of this form at all."""


@dataclass(frozen=True)
class Bundle:
    """The members of a bundle by path, and the parsed ones that are looked at most."""

    members: dict[str, bytes]
    manifest: dict[str, Any]
    run: dict[str, Any]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    log_entry: dict[str, Any]


def open_bundle(data: bytes) -> Bundle:
    """Read a ZIP. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(set(names)) != len(names):
                raise Unreadable("a path occurs twice")
            members = {name: archive.read(name) for name in names}
        parsed = {
            name: json.loads(members[f"{name}.json"])
            for name in ("manifest", "run", "inputs", "outputs", "log_entry")
        }
    except (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
        raise Unreadable(str(error)) from error
    if parsed["manifest"].get("format") != FORMAT:
        raise Unreadable("the manifest is of another form")
    return Bundle(members, **parsed)


def read(path: Path) -> Bundle:
    """Read a file. Raises Unreadable and OSError."""
    return open_bundle(path.read_bytes())


def hash_findings(bundle: Bundle) -> list[str]:
    """Everything that is wrong with members and hashes; nothing when all of it fits."""
    return [
        *_members(bundle),
        *_run(bundle),
        *_activity(bundle),
        *_factors(bundle),
        *_coefficients(bundle),
    ]


def _members(bundle: Bundle) -> list[str]:
    found = []
    named = {one["path"]: one for one in bundle.manifest["members"]}
    if set(named) | {"manifest.json"} != set(bundle.members):
        found.append("the file holds other members than its manifest names")
    for path, one in named.items():
        data = bundle.members.get(path)
        if data is None:
            continue
        if sha256(data) != one["sha256"] or len(data) != one["bytes"]:
            found.append(f"{path} does not have its hash")
    for path, data in bundle.members.items():
        if path.endswith(".json") and canonical(json.loads(data)) != data:
            found.append(f"{path} is not in canonical form")
    return found


def _run(bundle: Bundle) -> list[str]:
    found = []
    for part in ("inputs", "outputs"):
        digest = sha256(bundle.members[f"{part}.json"])
        if digest != bundle.run[f"{part}_sha256"]:
            found.append(f"{part} do not have their hash")
        if bundle.log_entry[part] != digest:
            found.append(f"the log entry names other {part}")
    if bundle.run["run"] != bundle.manifest["run"] or bundle.run["city"] != bundle.manifest["city"]:
        found.append("the manifest names another run")
    return found


def _activity(bundle: Bundle) -> list[str]:
    found = []
    for path, data in bundle.members.items():
        folder, _, name = path.rpartition("/")
        if folder in ("readings", "tables") and name.split(".")[0] != sha256(data):
            found.append(f"{path} is not named after its hash")
    taken = bundle.inputs["snapshot"]
    if sha256(canonical(taken["manifest"])) != taken["digest"]:
        found.append("the snapshot's manifest does not have its digest")
    for one in taken["manifest"]["series"]:
        if f"readings/{one['sha256']}.txt" not in bundle.members:
            found.append(f"readings of {one['entity']} are missing")
    for role, one in bundle.inputs.get("tables", {}).items():
        if f"tables/{one['sha256']}.jsonl" not in bundle.members:
            found.append(f"table {role} is missing")
    return found


def _factors(bundle: Bundle) -> list[str]:
    found, sets = [], {}
    for path, data in bundle.members.items():
        if path.startswith("factors/"):
            sets[sha256(data)] = json.loads(data)
    for set_id, digest in bundle.inputs["factor_sets"].items():
        if digest not in sets:
            found.append(f"factor set {set_id} is missing or does not have its hash")
    held = [one for made in sets.values() for one in made["factors"]]
    found += [
        f"factor {factor['id']} is not in its set"
        for factor in bundle.inputs["factors"].values()
        if factor not in held
    ]
    return found


def _coefficients(bundle: Bundle) -> list[str]:
    found = []
    for table, made in bundle.inputs.get("coefficients", {}).items():
        data = bundle.members.get(f"coefficients/{table}.json")
        if data is None or json.loads(data) != made:
            found.append(f"coefficients {table} are missing or other than those used")
    return found
