"""A short crash drill in every run: four deaths under load, from a fixed seed."""

from crash_drill import drill


def test_what_was_acknowledged_outlives_every_death(tmp_path):
    tally = drill(tmp_path / "drill", kills=4, seed=20261122, load_s=(0.2, 0.6))
    assert sum(tally.kills.values()) == 4
    assert tally.acknowledged > 0
    assert tally.leaves == tally.transfers > 0
