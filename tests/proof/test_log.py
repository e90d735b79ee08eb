"""The log on a real database and a real folder: growing, crashing, being tampered with."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from onsil import proof
from onsil.core.clock import FixedClock
from onsil.core.database import Connection
from onsil.core.ids import new_id
from onsil.proof.merkle import consistency_proof, verify_consistency

CITY = "pyeongtaek"
KIND = "claim"


class Rows:
    """A source of live rows that a test may alter."""

    def __init__(self) -> None:
        self.rows: dict[UUID, dict[str, Any]] = {}

    def add(self, conn: Connection, count: int = 1, *, city: str = CITY) -> list[UUID]:
        fresh = {new_id(): {"energy_wh": str(n), "meter": f"meter-{n}"} for n in range(count)}
        proof.append_many(conn, city, KIND, list(fresh.items()))
        self.rows.update(fresh)
        return list(fresh)

    def entries(self, conn: Connection, city: str) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        yield from sorted(self.rows.items())


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def signer(tmp_path: Path) -> proof.Signer:
    return proof.load_or_create_signer(tmp_path / "keys", CITY)


@pytest.fixture
def log(conn, tmp_path, signer, clock) -> Callable[[], proof.Checkpoint | None]:
    return lambda: proof.sequence(conn, CITY, tmp_path, signer, clock)


def test_leaves_get_places_in_the_order_of_their_batches(conn, tmp_path, log):
    rows = Rows()
    first, second = rows.add(conn, 3), rows.add(conn, 2)
    held = log()
    assert held is not None
    assert (held.origin, held.size) == ("onsil/pyeongtaek/2026", 5)
    found = [proof.leaf(conn, CITY, KIND, key) for key in first + second]
    assert [leaf.index for leaf in found if leaf] == [0, 1, 2, 3, 4]
    assert log() is None
    report = proof.verify(conn, CITY, tmp_path, {KIND: rows})
    assert (report.findings, report.leaves, report.rows, report.pending) == ([], 5, 5, 0)


@pytest.mark.parametrize("sizes", [[1, 255, 1], [300, 300], [256, 256], [70_000 % 3000, 2000]])
def test_the_tree_grows_across_tiles_and_stays_consistent(conn, tmp_path, log, sizes):
    rows, heads = Rows(), []
    for size in sizes:
        rows.add(conn, size)
        heads.append(log())
    folder = proof.log_folder(tmp_path, CITY, 2026)
    hashes = folder.hashes(heads[-1].size)
    for older in heads:
        way = consistency_proof(hashes, older.size, heads[-1].size)
        assert verify_consistency(older.size, heads[-1].size, older.root, heads[-1].root, way)
    assert proof.verify(conn, CITY, tmp_path, {KIND: rows}).ok
