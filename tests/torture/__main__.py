"""`make torture`: the long versions of everything that tries to break the ledger.

`python tests/torture --short` takes a few minutes, `--minutes 30` (the default) about half an
hour. `--seed N` plays one simulated city again, exactly, and `--crash-seed N` one crash drill.
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIGURES = tuple[str, str, str]


def simulate(first: int, wanted: int, until: float) -> FIGURES:
    """Seeds from `first` on until the time is over or so many have been played."""
    from simulated_city import SimulatedCity

    logging.disable(logging.CRITICAL)
    faults: Counter[str] = Counter()
    transfers = seeds = 0
    for seed in range(first, first + wanted):
        city = SimulatedCity(seed)
        try:
            city.run()
        except BaseException:
            print(f"seed {seed} failed; again with: make torture ARGS='--seed {seed}'", flush=True)
            raise
        seeds += 1
        transfers += len(city.storage.world.journal)
        faults.update(city.counted)
        if time.monotonic() > until:
            break
    injected = sum(n for what, n in faults.items() if what not in ("message sent",))
    return "simulation", f"{seeds} seeds", f"{transfers:,} transfers, {injected:,} faults"


def crash(kills: int, seed: int, load_s: tuple[float, float]) -> FIGURES:
    """A crash drill on a server of its own with fsync on."""
    from crash_drill import drill

    print(f"crash drill with seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="onsil-torture-") as folder:
        tally = drill(Path(folder) / "drill", kills, seed, load_s)
    dead = ", ".join(f"{n} {victim}" for victim, n in sorted(tally.kills.items()))
    return (
        "crash drill", f"{sum(tally.kills.values())} kills ({dead})",
        f"{tally.acknowledged:,} acknowledged, 0 lost; {tally.transfers:,} transfers, "
        f"{tally.leaves:,} leaves verified; slowest restart {max(tally.restart_s):.1f} s",
    )  # fmt: skip


def suite(name: str, *selection: str, long: bool = False) -> FIGURES:
    """A selection of the test suite."""
    environment = {**os.environ, "ONSIL_TORTURE": "long" if long else "short"}
    environment.pop("PYTHONPATH", None)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadscope", *selection],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(done.stdout[-6000:], done.stderr[-2000:])
        raise SystemExit(f"{name}: failed")
    points = sum(len(line) for line in re.findall(r"^([.]+)", done.stdout, re.MULTILINE))
    return name, f"{points} tests", f"{time.monotonic() - began:.0f} s"


def phases(options: argparse.Namespace) -> Iterator[FIGURES]:
    """Everything in turn; the simulation and the crash drill share what time is left."""
    began = time.monotonic()
    end = began + 60 * options.minutes
    yield suite("invariants and mutants", "tests/torture/test_invariants.py")
    yield suite("races", "tests/ledger/test_races.py")
    yield suite("traps and drills", "tests/ledger/test_traps.py", "tests/torture/test_drills.py",
                "tests/torture/test_simulation.py")  # fmt: skip
    yield suite("stateful model", "tests/torture/test_model.py", long=not options.short)
    yield suite("log and witness killed", "tests/proof/test_witnessing.py",
                "tests/proof/test_witness.py", "tests/proof/test_anchor_contract.py",
                long=not options.short)  # fmt: skip
    kills = 5 if options.short else 30
    yield crash(kills, options.crash_seed, (0.3, 1.0) if options.short else (1.0, 4.0))
    left = max(30.0, end - time.monotonic())
    yield simulate(1, 500 if options.short else 10**9, time.monotonic() + left)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--short", action="store_true", help="a few minutes of everything")
    words.add_argument("--minutes", type=float, default=30.0, help="of the long run (30)")
    words.add_argument("--seed", type=int, help="play this simulated city again")
    words.add_argument("--crash-seed", type=int, default=int(time.time()), help="of the drill")
    options = words.parse_args()
    options.minutes = 4.0 if options.short else options.minutes
    if options.seed is not None:
        print("  ".join(simulate(options.seed, 1, float("inf"))))
        return
    found = []
    for figures in phases(options):
        print("  ".join(figures), flush=True)
        found.append(figures)
    width = max(len(name) for name, *_ in found)
    print("\nsummary")
    for name, what, more in found:
        print(f"  {name:<{width}}  {what}  ({more})")
    print(json.dumps({name: [what, more] for name, what, more in found}))


if __name__ == "__main__":
    main()
