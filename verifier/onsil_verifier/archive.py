"""The ZIP bundle: its members, and every hash in it (docs/footprint/bundle.md, steps 1 to 5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

from onsil_verifier import strict
from onsil_verifier.canonical import canonical, sha256
from onsil_verifier.container import Unreadable, members_of

FORMAT = "onsil-evidence-zip-1"
_PARSED = ("manifest", "run", "inputs", "outputs", "log_entry")

__all__ = ["FORMAT", "Bundle", "Unreadable", "hash_findings", "open_bundle", "read"]


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
    members = members_of(data)
    try:
        parsed = {name: strict.loads(members[f"{name}.json"]) for name in _PARSED}
    except (KeyError, ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    for name, one in parsed.items():
        if not isinstance(one, dict):
            raise Unreadable(f"{name}.json holds no object")
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
        *_unnamed(bundle),
        *_factors(bundle),
        *_authorities(bundle),
        *_coefficients(bundle),
    ]


def _members(bundle: Bundle) -> Iterator[str]:
    listed = bundle.manifest["members"]
    named = {one["path"]: one for one in listed}
    if len(named) != len(listed):
        yield "the manifest names a path twice"
    if set(named) | {"manifest.json"} != set(bundle.members):
        yield "the file holds other members than its manifest names"
    for path, one in named.items():
        data = bundle.members.get(path)
        if data is None:
            continue
        if sha256(data) != one["sha256"] or len(data) != one["bytes"]:
            yield f"{path} does not have its hash"
    for path, data in bundle.members.items():
        if path.endswith(".json") and canonical(strict.loads(data)) != data:
            yield f"{path} is not in canonical form"


def _run(bundle: Bundle) -> Iterator[str]:
    run, entry = bundle.run, bundle.log_entry
    for part in ("inputs", "outputs"):
        digest = sha256(bundle.members[f"{part}.json"])
        if digest != run[f"{part}_sha256"]:
            yield f"{part} do not have their hash"
        if entry[part] != digest:
            yield f"the log entry names other {part}"
    for part in ("run", "city"):
        if run[part] != bundle.manifest[part]:
            yield f"the manifest names another {part}"
    if bundle.inputs["city"] != run["city"]:
        yield "the inputs are of another city"
    outputs, method = bundle.outputs, bundle.inputs["methodology"]
    # What was not measurable has no tonnes; the log writes that as zero.
    tonnes = outputs.get("co2e_t") if outputs.get("status") == "quantified" else None
    for name, said, true in (
        ("status", run.get("status"), outputs.get("status")),
        ("form", run.get("format"), bundle.inputs["format"]),
        ("snapshot", run.get("snapshot_sha256"), bundle.inputs["snapshot"]["digest"]),
        ("methodology", entry.get("methodology"), method["id"]),
        ("version", entry.get("version"), method["version"]),
        ("status of the log entry", entry.get("status"), outputs.get("status")),
        ("tonnes of the log entry", tonnes, entry.get("co2e_t", tonnes)),
        ("who made it", run.get("actor"), entry.get("actor")),
        ("when it was made", run.get("created_at"), entry.get("created_at")),
    ):
        if said is not None and said != true:
            yield f"{name}: {said!r:.60} is not {true!r:.60}"


def _activity(bundle: Bundle) -> Iterator[str]:
    for path, data in bundle.members.items():
        folder, _, name = path.rpartition("/")
        if folder in ("readings", "tables") and name.split(".")[0] != sha256(data):
            yield f"{path} is not named after its hash"
    taken = bundle.inputs["snapshot"]
    manifest, wanted = taken["manifest"], bundle.inputs["series"].values()
    if sha256(canonical(manifest)) != taken["digest"]:
        yield "the snapshot's manifest does not have its digest"
    if manifest["city"] != bundle.inputs["city"]:
        yield "the snapshot is of another city"
    period = bundle.inputs["period"]
    start, end = strict.instant(manifest["start"]), strict.instant(manifest["end"])
    if not start <= strict.instant(period["start"]) < strict.instant(period["end"]) <= end:
        yield "the snapshot does not cover the period"
    described = [(one["entity"], one["attribute"]) for one in manifest["series"]]
    if len(set(described)) != len(described):
        yield "the snapshot describes a series twice"
    if {(one["entity"], one["attribute"]) for one in wanted} != set(described):
        yield "the snapshot describes other series than the inputs name"
    for one in manifest["series"]:
        data = bundle.members.get(f"readings/{one['sha256']}.txt")
        if data is None:
            yield f"readings of {one['entity']} are missing"
        else:
            yield from _readings(one, data, manifest)
    for role, one in bundle.inputs.get("tables", {}).items():
        data = bundle.members.get(f"tables/{one['sha256']}.jsonl")
        if data is None:
            yield f"table {role} is missing"
        else:
            yield from _rows(role, one, data)


def _readings(one: dict[str, Any], data: bytes, manifest: dict[str, Any]) -> Iterator[str]:
    """Lines in order of time, as many and as much as the manifest says."""
    lines = data.decode("ascii").split("\n")
    if lines.pop():
        yield f"readings of {one['entity']} do not end with a line feed"
    pairs = [line.split(" ") for line in lines]
    if any(len(pair) != 2 for pair in pairs):
        yield f"readings of {one['entity']} hold a line of another form"
        return
    times = [strict.instant(at) for at, _ in pairs]
    values = [strict.number(value) for _, value in pairs]
    if any(at >= after for at, after in pairwise(times)):
        yield f"readings of {one['entity']} are not in order of time"
    start, end = strict.instant(manifest["start"]), strict.instant(manifest["end"])
    if times and not start <= times[0] <= times[-1] < end:
        yield f"readings of {one['entity']} lie outside the snapshot"
    if len(values) != one["count"] or strict.number(one["sum"]) not in _sums(values):
        yield f"readings of {one['entity']} are not as many or as much as stated"


def _sums(values: list[Decimal]) -> set[Decimal]:
    """The sum in twenty-eight digits, in which snapshots state it, and in fifty."""
    found = set()
    for digits in (28, 50):
        with localcontext(Context(prec=digits, rounding=ROUND_HALF_EVEN)):
            found.add(sum(values, Decimal(0)))
    return found


def _rows(role: str, one: dict[str, Any], data: bytes) -> Iterator[str]:
    lines = data.split(b"\n")
    if lines.pop():
        yield f"table {role} does not end with a line feed"
    if len(lines) != one["rows"]:
        yield f"table {role} has {len(lines)} rows, not {one['rows']}"
    if any(canonical(strict.loads(line)) != line for line in lines):
        yield f"a row of table {role} is not in canonical form"


def _unnamed(bundle: Bundle) -> Iterator[str]:
    """Evidence that nothing in the inputs names has no place in a bundle."""
    inputs = bundle.inputs
    named = {f"readings/{one['sha256']}.txt" for one in inputs["snapshot"]["manifest"]["series"]}
    named |= {f"tables/{one['sha256']}.jsonl" for one in inputs.get("tables", {}).values()}
    named |= {f"factors/{name}.json" for name in inputs["factor_sets"]}
    named |= {f"coefficients/{name}.json" for name in inputs.get("coefficients", {})}
    for path in sorted(bundle.members):
        if "/" in path and not path.startswith("proofs/") and path not in named:
            yield f"{path} is named by nothing"


def _factors(bundle: Bundle) -> Iterator[str]:
    sets: dict[str, dict[str, Any]] = {}
    for set_id, digest in bundle.inputs["factor_sets"].items():
        data = bundle.members.get(f"factors/{set_id}.json")
        if data is None or sha256(data) != digest:
            yield f"factor set {set_id} is missing or does not have its hash"
            continue
        sets[set_id] = strict.loads(data)
        if sets[set_id]["id"] != set_id:
            yield f"factor set {set_id} is another one"
    for commodity, factor in bundle.inputs["factors"].items():
        own = sets.get(factor["set"])
        if own is None or factor not in own["factors"]:
            yield f"factor {factor['id']} is not in its set"
        if factor["commodity"] != commodity:
            yield f"factor {factor['id']} is of another commodity than {commodity}"
    for set_id in sorted(sets.keys() - {one["set"] for one in bundle.inputs["factors"].values()}):
        yield f"factor set {set_id} is used by no factor"


def _authorities(bundle: Bundle) -> Iterator[str]:
    """Each factor is used on somebody's word, who names its set and the GWP set."""
    stated = bundle.inputs["authorities"]
    if {one["gwp_set"] for one in stated} - {bundle.inputs["gwp_set"]}:
        yield "an authority names another GWP set"
    for commodity, factor in bundle.inputs["factors"].items():
        if not any(
            (one["commodity"], one["factor_set"].partition("@")[0]) == (commodity, factor["set"])
            and one["boundary"] == factor["boundary"]
            for one in stated
        ):
            yield f"nobody's word is stated for factor {factor['id']}"


def _coefficients(bundle: Bundle) -> Iterator[str]:
    for table, made in bundle.inputs.get("coefficients", {}).items():
        data = bundle.members.get(f"coefficients/{table}.json")
        if data is None or strict.loads(data) != made:
            yield f"coefficients {table} are missing or other than those used"
