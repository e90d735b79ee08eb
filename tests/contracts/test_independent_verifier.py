"""A second program, which shares no code with the engine, comes to the very same bytes."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from footprint_world import CITY, SAR_2018, World
from typed_kit import PRECISE, tree

from onsil import footprint
from onsil.core.canonical import canonical_bytes, digest
from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.footprint.archive import pack, unpack
from onsil.footprint.methodologies import effluent_reuse

VERIFIER = Path(__file__).parents[2] / "verifier"


@pytest.fixture
def world(conn: Connection) -> World:
    return World(conn)


def verdict(bundle: bytes, folder: Path, *options: str) -> tuple[int, str]:
    """Run the program by itself: isolated, without site packages, so without Onsil."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    program = f"import sys; sys.path.insert(0, {str(VERIFIER)!r}); "
    program += "from onsil_verifier.__main__ import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(path), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def bundle_of(world: World, run: footprint.Run) -> bytes:
    made = footprint.export_archive(world.conn, CITY, run.id)
    assert isinstance(made, bytes), made
    return made


def test_the_second_program_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    code, said = verdict(bundle_of(world, world.solar_run("2.5", date(2025, 6, 1))), tmp_path)
    assert (code, "확인됨" in said) == (0, True), said


def test_stored_runs_of_tables_have_the_same_bytes(world: World, tmp_path: Path) -> None:
    """Trees, a net loss of trees, and water: out of the database, by the program itself."""
    dead = [tree(1), *(tree(n, status="dead", last_volume_m3=None) for n in (2, 3))]
    water = effluent_reuse.worked_example().inputs
    period = Period(datetime(2024, 9, 30, 15, tzinfo=UTC), datetime(2025, 10, 1, 15, tzinfo=UTC))
    for name, parameters, time, authorities, tables, status in (
        ("tree-growth", PRECISE, period, [], {"trees": [tree(1), tree(2)]}, "quantified"),
        ("tree-growth", {}, period, [], {"trees": dead}, "not-yet-measurable"),
        ("effluent-reuse", {"permit_until": "2027-01-01"}, water.period, SAR_2018, water.tables,
         "quantified"),
    ):  # fmt: skip
        made = footprint.quantify(
            world.conn, CITY, name, {}, parameters, time, authorities, "analyst", world.clock,
            tables=tables,
        )  # fmt: skip
        assert isinstance(made, footprint.Run), made
        assert made.status == status
        code, said = verdict(bundle_of(world, made), tmp_path)
        assert (code, "확인됨" in said) == (0, True), said


def changed(bundle: bytes, path: str, old: bytes, new: bytes) -> bytes:
    """The bundle with one member changed and every hash made to fit again."""
    members = unpack(bundle)
    assert old in members[path]
    members[path] = members[path].replace(old, new, 1)
    run, entry = json.loads(members["run.json"]), json.loads(members["log_entry.json"])
    for part in ("inputs", "outputs"):
        run[f"{part}_sha256"] = entry[part] = digest(json.loads(members[f"{part}.json"]))
    members["run.json"], members["log_entry.json"] = canonical_bytes(run), canonical_bytes(entry)
    members.pop("manifest.json")
    return pack(run["city"], run["run"], members)


def test_one_changed_digit_is_found(world: World, tmp_path: Path) -> None:
    bundle = bundle_of(world, world.solar_run("2.5", date(2025, 6, 1)))
    for path, old, new in (
        ("outputs.json", b'"co2e_t":"1.', b'"co2e_t":"2.'),
        ("inputs.json", b'"capacity_kw":"9000"', b'"capacity_kw":"10"'),
    ):
        code, said = verdict(changed(bundle, path, old, new), tmp_path, "--language", "en")
        assert code == 1, said
    code, said = verdict(bundle.replace(b"solar", b"polar", 1), tmp_path)
    assert code in (1, 2), said


def test_what_is_no_bundle_is_unreadable(tmp_path: Path) -> None:
    assert verdict(b"not a zip", tmp_path)[0] == 2


def test_the_program_imports_nothing_but_the_standard_library() -> None:
    known = set(sys.stdlib_module_names) | {"onsil_verifier"}
    for path in VERIFIER.rglob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] in known, f"{path.name}: {line}"
