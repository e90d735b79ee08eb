"""Some seeds of the simulated city in every run, and that it would notice what it is there for."""

from unittest.mock import patch

import pytest
from simulated_city import SimulatedCity
from simulated_storage import SimulatedPage

from onsil.ledger import memory, writer

SEEDS = range(60)


def test_one_order_explains_every_answer_whatever_fails():
    seen: dict[str, int] = {}
    for seed in SEEDS:
        city = SimulatedCity(seed)
        city.run()
        for what, times in city.counted.items():
            seen[what] = seen.get(what, 0) + times
    for fault in ("message lost", "message doubled", "answer lost", "crash before-commit",
                  "crash after-commit", "commit after death", "serialization failure"):  # fmt: skip
        assert seen[fault] > 0, fault


@pytest.mark.parametrize("seed", [7, 8])
def test_a_seed_replays_to_the_last_id(seed):
    assert SimulatedCity(seed).run() == SimulatedCity(seed).run()


def _noticed() -> bool:
    for seed in SEEDS:
        try:
            SimulatedCity(seed).run()
        except Exception:  # the simulation's own checks, or the writer stumbling over itself
            return True
    return False


def test_it_notices_a_writer_that_does_not_look_whether_it_was_overtaken():
    first = SimulatedPage.write

    def write(self, conn):
        self.before = conn.world.head
        first(self, conn)

    with patch.object(SimulatedPage, "write", write):
        assert _noticed()


def test_it_notices_a_memory_that_forgets_what_is_on_its_way():
    first = memory.Memory.decide

    def decide(self, *given):
        self.book.keys.clear()
        self.book.reserved.clear()
        self.book.accounts.clear()
        return first(self, *given)

    with patch.object(memory.Memory, "decide", decide):
        assert _noticed()


def test_it_notices_answers_that_leave_before_the_commit():
    def announce(conn, payloads):
        conn.storage.payloads += payloads

    first = writer.CityWriter._write

    def write(self, batch):
        announce(self._writing, batch.payloads)
        first(self, batch)

    with patch.object(writer.CityWriter, "_write", write):
        assert _noticed()
