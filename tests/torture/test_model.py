"""The stateful model over the pure machine and over PostgreSQL."""

import os

from database_door import DatabaseDoor
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger_model import LedgerModel
from pure_door import PureDoor

LONG = os.environ.get("ONSIL_TORTURE") == "long"


def effort(examples: int, steps: int, longer: int) -> settings:
    """Few fixed examples in every run; many random ones, made small when they fail, under
    `make torture`."""
    return settings(
        max_examples=examples * longer if LONG else examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not LONG,
        suppress_health_check=list(HealthCheck),
        phases=list(Phase) if LONG else [Phase.explicit, Phase.generate],
    )


def test_the_pure_machine_decides_as_the_naive_ledger_does():
    run_state_machine_as_test(lambda: LedgerModel(PureDoor()), settings=effort(60, 40, 50))


def test_the_ledger_on_postgresql_does_as_the_naive_ledger_does(conn):
    run_state_machine_as_test(
        lambda: LedgerModel(DatabaseDoor(conn, "pyeongtaek")), settings=effort(12, 30, 25)
    )
