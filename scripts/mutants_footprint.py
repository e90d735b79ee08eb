"""Change the code that counts tonnes in every way mutmut knows; the pure tests must notice.

`python scripts/mutants_footprint.py [module …]` takes names such as `led_replacement`; without
any, all that [tool.mutants-footprint] in pyproject.toml names. It works on a copy in build/, prints
a line a module and writes every mutant that lives to build/mutants-footprint/alive.txt.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "mutants-footprint"


def copy(settings: dict[str, list[str]], wanted: list[str]) -> list[str]:
    """The sources, the tests and a configuration of their own; the files that will be changed."""
    shutil.rmtree(WORK, ignore_errors=True)
    leave = shutil.ignore_patterns("static", "locale", "templates", "__pycache__", "*.mo")
    shutil.copytree(ROOT / "src", WORK / "src", ignore=leave)
    shutil.copytree(ROOT / "tests" / "footprint", WORK / "tests" / "footprint", ignore=leave)
    chosen = [f for f in settings["only_mutate"] if not wanted or Path(f).stem in wanted]
    lines = {
        **settings, "only_mutate": chosen, "source_paths": ["src"],
        "use_git_change_detection": False,
    }  # fmt: skip
    tests = {"addopts": "-q --import-mode=importlib", "pythonpath": ["tests/footprint"]}
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in (("tool.mutmut", lines), ("tool.pytest.ini_options", tests))
    )
    (WORK / "pyproject.toml").write_text(text, "utf-8")
    return chosen


def mutmut(*arguments: str) -> str:
    """One command of mutmut in the copy; what it prints. Raises CalledProcessError."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    environment = {**os.environ, "CI": "1"}  # Hypothesis then knows no deadline and no chance
    done = subprocess.run(
        command, cwd=WORK, env=environment, check=True, text=True, stdout=subprocess.PIPE
    )
    return done.stdout


def main(wanted: list[str]) -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    chosen = copy(project["tool"]["mutants-footprint"], wanted)
    if not chosen:
        print(f"no module of that name: {', '.join(wanted)}", file=sys.stderr)
        return 2
    mutmut("run", "--max-children", str(min(2, os.cpu_count() or 1)))
    alive: list[str] = []
    for path in chosen:
        verdicts = Counter[str]()
        meta = WORK / "mutants" / f"{path}.meta"
        codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            verdict = "alive" if code == 0 else "untested" if code in (None, 33) else "killed"
            verdicts[verdict] += 1
            if verdict != "killed":
                alive.append(f"# {verdict}\n{mutmut('show', name)}")
        total = sum(verdicts.values())
        share = 100 * verdicts["killed"] / total if total else 0
        print(f"{path}: {verdicts['killed']} of {total} killed ({share:.1f} %), {dict(verdicts)}")
    (WORK / "alive.txt").write_text("\n".join(alive), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
