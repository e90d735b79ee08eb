"""The papers that go with the code are current: notices, settings, pages of rooms, clean words."""

import subprocess
import sys
from dataclasses import fields

import pytest

from house.source import PACKAGE, ROOT
from onsil.configuration import Configuration

_ROOMS = sorted(p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists())


def test_third_party_notices_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/notices.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("field", [field.name for field in fields(Configuration)])
def test_every_setting_is_documented(field: str) -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"| `{field}` |" in page


def test_no_setting_is_documented_that_is_none() -> None:
    import re

    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    table = page.split("<!-- settings -->")[1].split("<!-- /settings -->")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert named == {field.name for field in fields(Configuration)}


@pytest.mark.parametrize("room", _ROOMS)
def test_every_room_has_a_page(room: str) -> None:
    page = ROOT / "docs" / f"{room}.md"
    assert page.exists(), f"docs/{room}.md is missing"
    assert f"({room}.md)" in (ROOT / "docs" / "index.md").read_text("utf-8")


def test_the_locks_name_no_place() -> None:
    """A lock says what, by hash; where from is each machine's own business."""
    for name in ("requirements.lock", "requirements-tools.lock", "package-lock.json"):
        text = (ROOT / name).read_text("utf-8")
        for mark in ("://", "file:", "/opt/", "/home/"):
            lines = [line for line in text.splitlines() if mark in line and '"url"' not in line]
            assert lines == [], f"{name} names a place"
