"""What data sets are made of: told in order, circles and unknown origins refused."""

from dataclasses import replace

import pytest

from offering import FILE
from onsil.core.refusal import OperationError
from onsil.hub.datasets.lineage import lineage_of
from onsil.hub.datasets.registry import (
    Dataset,
    Said,
    Source,
    fault_of_lineage,
    read_datasets,
)

METHOD = Said("더했습니다.", "Added up.")
MARKET = Source(Said("시장", "Market"), "https://example.org/", "MIT")


def sets(**made_of: tuple[str, ...]) -> list[Dataset]:
    one = replace(read_datasets(FILE)[1][0], sources=(), method=METHOD)
    return [replace(one, id=id, derived_from=origins) for id, origins in made_of.items()]


def told(focus: str, datasets: list[Dataset]) -> tuple[dict[str, int], set[tuple[str, str]]]:
    found = lineage_of(next(one for one in datasets if one.id == focus), datasets)
    return {one.key: one.depth for one in found.nodes}, {link[:2] for link in found.links}


def test_both_ways_are_told_and_what_is_beside_is_not():
    every = sets(raw=(), hourly=("raw",), daily=("hourly",), other=("raw",), lone=())
    nodes, links = told("hourly", every)
    assert nodes == {"raw": -1, "hourly": 0, "daily": 1}
    assert links == {("raw", "hourly"), ("hourly", "daily")}
    assert not lineage_of(every[-1], every)


def test_a_station_stands_behind_all_it_comes_from():
    nodes, _ = told("sum", sets(a=(), b=("a",), sum=("a", "b")))
    assert nodes == {"a": -2, "b": -1, "sum": 0}


def test_sources_outside_stand_before_the_data_set_they_made():
    every = sets(raw=(), hourly=("raw",))
    every[0] = replace(every[0], sources=(MARKET,))
    nodes, links = told("hourly", every)
    assert nodes == {"raw#source-1": -2, "raw": -1, "hourly": 0}
    assert ("raw#source-1", "raw") in links


@pytest.mark.parametrize(
    ("made_of", "fault"),
    [({"a": ("b",), "b": ("a",), "c": ()}, "circle"), ({"a": ("a",)}, "circle"),
     ({"a": ("gone",)}, "gone"), ({"a": (), "b": ("a",)}, "")],
)  # fmt: skip
def test_a_circle_or_an_unknown_origin_is_a_fault(made_of, fault):
    found = fault_of_lineage(sets(**made_of))
    assert fault in found
    assert bool(found) is bool(fault)


def test_the_file_is_not_taken_with_a_fault(tmp_path):
    path = tmp_path / "datasets.toml"
    text = FILE.read_text("utf-8")
    origin = 'id = "solar-generation"'
    path.write_text(text.replace(origin, f'{origin}\nderived_from = ["nowhere"]'), "utf-8")
    with pytest.raises(OperationError, match="nowhere"):
        read_datasets(path)
