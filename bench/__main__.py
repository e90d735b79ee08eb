"""`python -m bench [NAME]`: run one measurement, or all of them.

A module `bench/<name>.py` has `measure() -> Iterator[Figure]`; `hub` runs its parts `hub_…`, each
of which also runs alone. Standard output holds nothing but one JSON object a figure; whatever the
modules and their servers say goes to standard error.
"""

import contextlib
import importlib
import json
import sys
from pathlib import Path

from bench.figure import Figure


def whole(names: list[str]) -> list[str]:
    """Those that are no other one's part."""
    return [one for one in names if not any(one.startswith(f"{other}_") for other in names)]


def names() -> list[str]:
    """The measurements there are."""
    skipped = {"__init__", "__main__", "database", "figure"}
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py")
                  if path.stem not in skipped and not path.stem.startswith("_"))  # fmt: skip


def run(name: str) -> list[Figure]:
    """Run one measurement, printing each figure as soon as it is known."""
    figures = []
    results = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for figure in importlib.import_module(f"bench.{name}").measure():
            figures.append(figure)
            print(json.dumps(figure.row(name), ensure_ascii=False), file=results, flush=True)
    return figures


def main(arguments: list[str]) -> int:
    unknown = sorted(set(arguments) - set(names()))
    if unknown:
        print(f"bench: no {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    missed = [
        figure for name in arguments or whole(names()) for figure in run(name) if figure.missed
    ]
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
