"""Every Korean word of these screens has an English one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

_SOURCE = Path(__file__).parents[2] / "src" / "onsil"
_ROOMS = [
    _SOURCE / "portal",
    _SOURCE / "console" / "market",
    _SOURCE / "console" / "evidence",
    _SOURCE / "console" / "templates" / "console" / "market",
    _SOURCE / "console" / "templates" / "console" / "evidence",
]
_LITERAL = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALLS = re.compile(rf"""(?:n?gettext|\b_)\(\s*u?((?:{_LITERAL}\s*)+)""")


def words(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    sources = [text] if path.suffix == ".py" else [templatize(text), text]
    for source in sources:
        for found in _CALLS.finditer(source):
            yield ast.literal_eval(f"({found[1]})")


@pytest.mark.parametrize("room", _ROOMS, ids=lambda room: room.name)
def test_everything_is_said_in_english(room: Path):
    with (_SOURCE / "portal/locale/en/LC_MESSAGES/django.po").open("rb") as file:
        english = {
            (entry.id if isinstance(entry.id, str) else entry.id[0]): entry.string
            for entry in read_po(file)
            if entry.id
        }
    files = [path for kind in ("*.py", "*.html") for path in room.rglob(kind)]
    asked = {word for path in files if "migrations" not in path.parts for word in words(path)}
    asked = {word for word in asked if re.search(r"[가-힣]", word)}
    assert asked
    assert {word for word in asked if not english.get(word)} == set()
