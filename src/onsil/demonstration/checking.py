"""The last checks of carbon: units conserved, and evidence accepted by another program."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from onsil import footprint
from onsil.demonstration.loop import granted
from onsil.footprint import credits
from onsil.tenancy import current_city, transaction

# The second program shares no code with the engine and is not installed with it: it lies beside it.
VERIFIER = Path(__file__).parents[3] / "verifier"


def units_out_of_step() -> list[str]:
    """Batches whose blocks, ledger and journal do not agree, or that lost or gained a unit."""
    with transaction() as tx:
        every = credits.conservation_all(tx, current_city())
    return [
        f"units of batch {one.batch_id}: {code}" for one in every for code, _ in one.findings
    ] + [
        f"units of batch {one.batch_id}: {one.issued} issued, {sum(one.states.values())} counted"
        for one in every
        if one.issued != sum(one.states.values())
    ]


def second_opinion(runs: Sequence[footprint.Run]) -> tuple[int, list[str]]:
    """Hand each run's evidence to the second program: (accepted, what it said of the others).

    Without that program beside the code nothing is handed over, and nothing counts as accepted.
    """
    if not (VERIFIER / "onsil_verifier").is_dir():
        return 0, []
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for run in runs:
            with transaction() as tx:
                content = granted(footprint.export_archive(tx, current_city(), run.id))
            path = Path(folder) / f"{run.methodology}-{run.id}.zip"
            path.write_bytes(content)
            paths.append(path)
        asked = [
            subprocess.Popen(
                [sys.executable, "-m", "onsil_verifier", "--language", "en", str(path)],
                env={**os.environ, "PYTHONPATH": str(VERIFIER)},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                stdin=subprocess.DEVNULL,
            )
            for path in paths
        ]  # fmt: skip
        said = [(one.communicate()[0], one.returncode) for one in asked]
    return sum(code == 0 for _, code in said), [
        f"second program: {text.strip()}" for text, code in said if code
    ]
