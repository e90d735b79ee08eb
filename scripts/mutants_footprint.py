"""Change the code that counts tonnes in every way mutmut knows; the pure tests must notice.

`python scripts/mutants_footprint.py [module …]` takes names such as `led_replacement` or
`uncertainty/components`; without any, all that [tool.mutants-footprint] in pyproject.toml names.
A module that was run with the same sources and tests is not run again (`--again` does); with
`--left`, of a module that was run only the mutants that lived are. Each works on a copy of its own
under build/ (`--into` names another folder; `--together` takes one copy for all the modules), where
the mutants that live are written to <module>.alive.txt. `--table` runs nothing and prints the
outcomes as a table.

A mutant that no test can notice stands in mutants_footprint_equivalent.toml with its reason.
"""

import argparse
import ast
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROOM = Path("src/onsil/footprint")
UNTESTED = 33  # mutmut's exit code of a mutant that no test calls
# The copy's conftest. A mutant mostly dies by an example, so slow properties run last and shorter;
# what needs a database is left out. A mutant's process inherits what the tests' first run cached:
# it is forgotten, or the mutant would never be asked.
KIT = """
import sys

import pytest
from hypothesis import settings

CHANGED = %(names)r
DATABASE = {"world", "conn", "connector", "fresh_database"}
KEPT = "_hypothesis_internal_use_settings"


@pytest.fixture
def refused():
    from typed_kit import said_no

    return said_no


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if not DATABASE & set(item.fixturenames)]
    items.sort(key=lambda item: getattr(item.function, "is_hypothesis_test", False))
    for item in items:
        kept = getattr(item.function, KEPT, None)
        if kept is not None:
            setattr(item.function, KEPT, settings(kept, max_examples=min(12, kept.max_examples)))
    for name in CHANGED:
        for one in vars(sys.modules.get(name, object)).values():
            if hasattr(one, "cache_clear"):
                one.cache_clear()
"""


@dataclass(frozen=True)
class Module:
    """A file that is changed, and the tests that must notice; both from the project's root."""

    path: Path
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        name = str(self.path.relative_to(ROOM).with_suffix(""))
        return name.removeprefix("methodologies/")

    @property
    def folder(self) -> str:
        return self.name.replace("/", "-")

    @property
    def dotted(self) -> str:
        return ".".join(self.path.relative_to("src").with_suffix("").parts)

    def digest(self) -> str:
        """Changes with the module or with anything under its tests' folders."""
        folders = sorted({str(Path(test).parent) for test in self.tests})
        kits = [p for f in folders for p in (ROOT / f).glob("*.py") if p.name[:5] != "test_"]
        files = [self.path, *map(Path, self.tests), *(p.relative_to(ROOT) for p in sorted(kits))]
        made = hashlib.sha256()
        for file in files:
            made.update((ROOT / file).read_bytes())
        return made.hexdigest()


@dataclass(frozen=True)
class Outcome:
    """How many mutants died, and those that did not as (name, function, was, becomes)."""

    digest: str
    work: str
    killed: int
    alive: list[list[str]]
    endings: str = ""

    @property
    def total(self) -> int:
        return self.killed + len(self.alive)

    def keep(self, into: Path, module: Module) -> None:
        (into / f"{module.folder}.json").write_text(json.dumps(asdict(self)), "utf-8")


def kept(into: Path, module: Module) -> Outcome | None:
    """A module's outcome, if it was ever run."""
    path = into / f"{module.folder}.json"
    return Outcome(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def modules(settings: dict[str, Any], wanted: list[str]) -> list[Module]:
    """All that the settings name, or those with a wanted name or stem."""
    every = settings["pytest_add_cli_args_test_selection"]
    made: list[Module] = []
    for path in settings["only_mutate"]:
        found = Module(Path(path), tuple(every))
        tests = settings["tests"].get(found.name)
        if tests is not None:
            found = replace(found, tests=tuple(f"tests/footprint/{name}.py" for name in tests))
        made.append(found)
    return [m for m in made if not wanted or m.name in wanted or m.path.stem in wanted]


def copy(chosen: list[Module], settings: dict[str, Any], work: Path) -> None:
    """The sources, the tests and a configuration of their own."""
    shutil.rmtree(work, ignore_errors=True)
    leave = shutil.ignore_patterns("static", "locale", "templates", "__pycache__", "*.mo")
    shutil.copytree(ROOT / "src", work / "src", ignore=leave)
    lines = {
        "only_mutate": [str(module.path) for module in chosen], "source_paths": ["src"],
        "use_git_change_detection": False, "track_dependencies": False,
        "do_not_mutate_patterns": settings["do_not_mutate_patterns"],
        "pytest_add_cli_args": settings["pytest_add_cli_args"],
        "pytest_add_cli_args_test_selection": sorted({t for m in chosen for t in m.tests}),
    }  # fmt: skip
    tests = {"addopts": "-q --import-mode=importlib", "pythonpath": ["tests/footprint"]}
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in (("tool.mutmut", lines), ("tool.pytest.ini_options", tests))
    )
    (work / "pyproject.toml").write_text(text, "utf-8")


def copy_tests(chosen: list[Module], root: Path) -> None:
    """The tests as they are now, and the copy's own conftest."""
    folder = root / "tests" / "footprint"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "footprint", folder)
    (folder / "conftest.py").write_text(KIT % {"names": [m.dotted for m in chosen]}, "utf-8")


def mutmut(work: Path, *names: str) -> None:
    """Run all mutants of a copy, or the named ones. Raises CalledProcessError."""
    # Hypothesis then knows no deadline and no chance.
    environment = {**os.environ, "CI": "1"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(min(2, cpus()))]
    with (work / "mutmut.log").open("w") as log:
        subprocess.run([*command, *names], cwd=work, env=environment, check=True, stdout=log)


def run(chosen: list[Module], settings: dict[str, Any], into: Path, endings: str = "") -> None:
    """Every mutant of some modules in one copy, or a sample; the outcomes are kept."""
    work = into / "+".join(module.folder for module in chosen)[:100]
    digests = [module.digest() for module in chosen]
    copy(chosen, settings, work)
    copy_tests(chosen, work)
    mutmut(work, *(f"*__mutmut_*{digit}" for digit in endings))
    for module, digest in zip(chosen, digests, strict=True):
        judged(module, work, digest, endings).keep(into, module)


def run_left(module: Module, found: "Outcome", into: Path) -> None:
    """The mutants of a module that lived, against the tests as they are now."""
    work, digest = Path(found.work), module.digest()
    copy_tests([module], work)
    copy_tests([module], work / "mutants")
    if found.alive:
        mutmut(work, *(name for name, *_ in found.alive))
    judged(module, work, digest, found.endings).keep(into, module)


def judged(module: Module, work: Path, digest: str, endings: str) -> "Outcome":
    """What mutmut found of a module in a copy."""
    meta = (work / "mutants" / f"{module.path}.meta").read_text("utf-8")
    codes = json.loads(meta)["exit_code_by_key"]
    verdicts = {name: code for name, code in codes.items() if code is not None}  # None: not run
    living = {name for name, code in verdicts.items() if code in (0, UNTESTED)}
    alive = sorted(changes(work / "mutants" / module.path, living), key=lambda one: one[1:])
    return Outcome(digest, str(work), len(verdicts) - len(living), alive, endings)


def cpus() -> int:
    return os.cpu_count() or 1


def changes(path: Path, names: set[str]) -> Iterator[list[str]]:
    """Name, function, old and new lines of each of the named mutants in mutmut's own file."""
    text = path.read_text("utf-8")
    lines = text.splitlines()
    found = {
        node.name: textwrap.dedent("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for name in names:
        own = name.rpartition(".")[2]
        stem = own.rpartition("__mutmut_")[0]
        first = found[f"{stem}__mutmut_orig"].splitlines()
        delta = list(difflib.ndiff(first[1:], found[own].splitlines()[1:]))
        yield [
            name,
            stem.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."),
            "\n".join(line[2:].strip() for line in delta if line[0] == "-"),
            "\n".join(line[2:].strip() for line in delta if line[0] == "+"),
        ]


def equivalents(module: Module, alive: list[list[str]]) -> list[list[str]]:
    """Those mutants of a module that no test can notice: named one by one, or by a pattern."""
    told = tomllib.loads((ROOT / "scripts/mutants_footprint_equivalent.toml").read_text("utf-8"))
    named = {tuple(one) for group in told["equivalent"] for one in group.get("mutants", ())}
    patterns = [re.compile(p) for group in told["equivalent"] for p in group.get("patterns", ())]
    return [
        one
        for one in alive
        if (module.name, *one[1:]) in named or any(p.search(one[2]) for p in patterns)
    ]


def row(module: Module, found: Outcome, into: Path) -> Counter[str]:
    """Print a module's line, and name those that live to its own file."""
    known = equivalents(module, found.alive)
    left = [one[1:] for one in found.alive if one not in known]
    same = len(known)
    share = 100 * found.killed / max(1, found.total - same)
    part = f" ({10 * len(found.endings)} %)" if found.endings else ""
    print(
        f"| `{module.name}`{part} | {found.total} | {found.killed} | {same} | {len(left)} "
        f"| {share:.1f} % |",
        flush=True,
    )
    (into / f"{module.folder}.alive.txt").write_text(
        "\n".join(f"{function}\n- {was}\n+ {becomes}\n" for function, was, becomes in left), "utf-8"
    )
    return Counter(total=found.total, killed=found.killed, same=same, left=len(left))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wanted", nargs="*", metavar="module")
    parser.add_argument("--again", action="store_true", help="run what is known, too")
    parser.add_argument("--together", action="store_true", help="run the modules in one copy")
    parser.add_argument("--left", action="store_true", help="of what was run, run what lived")
    parser.add_argument("--sample", default="", metavar="DIGITS", help="numbers that end so: 036")
    parser.add_argument("--table", action="store_true", help="print the outcomes; run nothing")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "mutants-footprint")
    said = parser.parse_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    settings = project["tool"]["mutants-footprint"]
    chosen = modules(settings, said.wanted)
    if not chosen:
        print(f"no module of that name: {', '.join(said.wanted)}", file=sys.stderr)
        return 2
    said.into.mkdir(parents=True, exist_ok=True)
    stale: list[Module] = []
    for module in chosen:
        found = kept(said.into, module)
        if found is not None and not said.again and found.digest == module.digest():
            continue
        if found is not None and said.left and not said.table:
            run_left(module, found, said.into)
        elif not said.table:
            stale.append(module)
    for batch in [stale] if said.together and stale else [[module] for module in stale]:
        run(batch, settings, said.into, said.sample)
    print("| Module | Mutants | Killed | Equivalent | Survived | Score |")
    print("|---|---|---|---|---|---|")
    outcomes = [(module, found) for module in chosen if (found := kept(said.into, module))]
    verdicts = sum((row(module, found, said.into) for module, found in outcomes), Counter[str]())
    print(
        f"\n{verdicts['killed']} of {verdicts['total']} killed; of the others {verdicts['same']} "
        f"are equivalent, {verdicts['left']} live that a test could notice.",
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
