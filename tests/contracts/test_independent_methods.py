"""Every methodology is written a second time and comes to the engine's bytes."""

import pytest

from onsil.footprint.methodologies import methodologies
from second_program import compare, example, second

# Installed, and not yet written a second time: the second program says so (exit 3).
NOT_YET: set[tuple[str, str]] = set()
INSTALLED = [(made.ID, made.VERSION) for made in methodologies()]


def test_what_is_not_covered_is_known() -> None:
    assert {*INSTALLED} - {*second("methods").known()} == NOT_YET


@pytest.mark.parametrize(("name", "version"), [one for one in INSTALLED if one not in NOT_YET])
def test_the_worked_example_has_the_same_bytes_twice(name: str, version: str) -> None:
    outputs = compare(name, version, example(name, version))
    assert isinstance(outputs, dict)
    assert outputs["status"] == "quantified"
