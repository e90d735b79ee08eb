"""Files that can be read in one sitting, named from the field, each of them used."""

import ast
import tomllib
from pathlib import Path

import pytest

from house.source import PACKAGE, ROOT, imported, module_name, modules, place, tree

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
_NO_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
# Found by Django, a server, a command or the supervisor by name, not by import.
_BY_NAME = {
    "admin", "apps", "migrations", "models", "templatetags", "urls", "jobs", "adapters", "forms",
    "wsgi", "asgi", "live", "build", "settings", "context", "middleware", "engine_migrations",
    "roles", "schema", "demo", "main", "testkit",
}  # fmt: skip


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Its lines without decorators, signature and docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    begins = (first.end_lineno or 0) + 1 if documented else first.lineno
    return (function.end_lineno or 0) - begins + 1


def _written_by_hand() -> list[Path]:
    return [path for path in modules() if "migrations" not in path.parts]


@pytest.mark.parametrize("path", _written_by_hand(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path: Path) -> None:
    lines = len(path.read_text("utf-8").splitlines())
    assert lines <= FILE_LINES_MAX, f"{place(path)} has {lines} lines"
    long = [place(path, f) for f in _functions(path) if _body_lines(f) > FUNCTION_LINES_MAX]
    assert long == []


def test_nothing_is_called_utils() -> None:
    bad = [p for p in PACKAGE.rglob("*") if p.stem in _NO_NAMES and "node_modules" not in p.parts]
    assert [place(path) for path in bad] == []


def test_no_module_is_an_orphan() -> None:
    used = {name for path in modules() for name in imported(path)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for group in (project["scripts"], *project["entry-points"].values()):
        used |= {target.partition(":")[0] for target in group.values()}
    orphans = [
        place(path)
        for path in modules()
        if path.name not in ("__init__.py", "__main__.py")
        and not _BY_NAME & set(path.relative_to(PACKAGE).with_suffix("").parts)
        and module_name(path) not in used
        and not _named_in_text(path)
    ]
    assert orphans == []


def _named_in_text(path: Path) -> bool:
    """Whether other code names the module as a string (settings, URL includes, commands)."""
    name = module_name(path)
    return any(
        name in other.read_text("utf-8")
        for other in (*modules(), ROOT / "pyproject.toml", ROOT / "Makefile")
        if other != path
    )


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        place(path)
        for path in modules()
        if path.read_text("utf-8").strip()
        and "migrations" not in path.parts
        and "engine_migrations" not in path.parts
        and not ast.get_docstring(tree(path))
    ]
    assert silent == []


def test_no_unfinished_work() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error")
    found = [
        f"{place(path)}: {mark}"
        for path in modules()
        for mark in marks
        if mark in path.read_text("utf-8")
    ]
    assert found == []
