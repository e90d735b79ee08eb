"""Every word of the frame and the console has an English one."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2] / "src" / "onsil"
_PATTERNS = (
    r'translate "((?:[^"\\]|\\.)+)"',
    r'\b_\(\s*"((?:[^"\\]|\\.)+)"',
    r"""\b_\(\s*'((?:[^'\\]|\\.)+)'""",
    r'gettext_lazy\("([^"]+)"\)',
)
_BLOCK = re.compile(r"blocktranslate[^%]*%\}(.*?)\{% endblocktranslate", re.DOTALL)
_KOREAN = re.compile("[가-힣]")


def words(folder: Path) -> set[str]:
    """Korean texts marked for translation below a folder, rooms within the room left out."""
    found: set[str] = set()
    files = [p for p in folder.rglob("*") if p.suffix in (".html", ".py")]
    for path in files:
        if {"evidence", "market", "engine_migrations"} & set(path.parts):
            continue
        text = path.read_text("utf-8")
        for pattern in _PATTERNS:
            found.update(re.findall(pattern, text))
        found.update(re.sub(r"\{\{ ?(\w+) ?\}\}", r"%(\1)s", m) for m in _BLOCK.findall(text))
    return {word for word in found if _KOREAN.search(word)}


ROOMS = ["web", "console", *sorted(
    f"console/{p.parents[0].name}"
    for p in (ROOT / "console").glob("*/locale")
    if p.parents[0].name not in ("evidence", "market")
)]  # fmt: skip


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_stays_untranslated(room: str):
    known: set[str] = set()
    for name in ROOMS:
        with (ROOT / name / "locale/en/LC_MESSAGES/django.po").open("rb") as file:
            catalogue = read_po(file)
        known |= {str(message.id) for message in catalogue if message.string}
    assert words(ROOT / room) - known == set()
