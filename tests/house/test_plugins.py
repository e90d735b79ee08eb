"""Every plug-in group is documented beside the code, and ours register through the same door."""

import tomllib
from importlib.metadata import entry_points

import pytest

from house.source import PACKAGE, ROOT

_GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
_FOLDERS = {
    "onsil.methodologies": "footprint/methodologies",
    "onsil.programmes": "rewards/kinds",
    "onsil.drivers": "devices/drivers",
    "onsil.anchors": "proof/anchors",
}


@pytest.mark.parametrize("group", _GROUPS)
def test_a_group_has_a_page_for_those_who_add_to_it(group: str) -> None:
    page = PACKAGE / _FOLDERS[group] / "README.md"
    assert page.exists(), f"{group}: {page.relative_to(ROOT)} is missing"
    assert group in page.read_text("utf-8")


@pytest.mark.parametrize("group", _GROUPS)
def test_a_group_has_members_and_they_load(group: str) -> None:
    members = entry_points(group=group)
    assert {entry.name for entry in members} >= set(_GROUPS[group])
    assert _GROUPS[group], f"{group} has no member of our own"
    for entry in members:
        entry.load()
