"""Every screen is opened by a test: its URL's name or its path stands in one."""

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from house.source import ROOT

_OURS = ("onsil.",)


def _screens(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _screens(pattern.url_patterns, path)
        elif pattern.callback.__module__.startswith(_OURS):
            yield pattern.name, path


def _tests() -> str:
    files = [p for p in (ROOT / "tests").rglob("*.py") if "house" not in p.parts]
    return "\n".join(path.read_text("utf-8") for path in files)


def _opened(name: str | None, path: str, text: str) -> bool:
    if name and re.search(rf"[\"'](?:\w+:)?{re.escape(name)}[\"']", text):
        return True
    # a path with parameters is matched up to each of them
    literal = [re.escape(part) for part in re.split(r"<[^>]+>", path)]
    return re.search("[\"'(]?/" + r"[^/\"' ]+".join(literal), text) is not None


def test_every_screen_is_opened_by_a_test() -> None:
    text = _tests()
    screens = sorted(set(_screens(get_resolver().url_patterns)), key=str)
    assert screens
    assert [f"{name}: /{path}" for name, path in screens if not _opened(name, path, text)] == []


@pytest.mark.parametrize(
    ("name", "path", "text", "expected"),
    [
        ("home", "", 'client.get(reverse("home"))', True),
        ("site", "sites/<slug:id>/", 'page.goto(f"{url}/sites/{site.id}/")', True),
        ("site", "sites/<slug:id>/", 'page.goto("/elsewhere/")', False),
    ],
)
def test_the_rule_knows_an_opened_screen(name: str, path: str, text: str, expected: bool) -> None:
    assert _opened(name, path, text) is expected
