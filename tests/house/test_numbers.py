"""Money, points, credits and claims are counted, never approximated."""

import ast
from pathlib import Path

import pytest

from house.source import PACKAGE, modules, place, tree

# Where a float is what is meant: regressions on readings, and reading tables that hold floats.
_APPROXIMATE = (
    "footprint/savings/",
    "footprint/methodologies/building_days.py",
    "footprint/methodologies/building_energy_savings.py",  # hands months to the regression's error
    "footprint/factors/gwp.py",
    "footprint/uncertainty/portable.py",  # draws of a statistic, in doubles of the same bits
)
_SECONDS = ("_s", "deadline", "began", "seconds", "timeout")


def _exact_modules() -> list[Path]:
    found = modules("ledger", "rewards", "footprint")
    return [p for p in found if not str(p.relative_to(PACKAGE)).startswith(_APPROXIMATE)]


def _is_time(name: str) -> bool:
    return name.lower().removesuffix("_max").endswith(_SECONDS)


def _about_time(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and _is_time(node.id) for node in ast.walk(test))


def floats(module: ast.Module) -> list[ast.AST]:
    """Annotations, literals and conversions that make a float, but for waiting times."""
    allowed: set[ast.AST] = set()
    for node in ast.walk(module):
        match node:
            case (
                ast.arg(arg=name)
                | ast.keyword(arg=str(name))
                | ast.AnnAssign(target=ast.Name(id=name))
            ) if _is_time(name):
                allowed.update(ast.walk(node))
            case ast.Assign(targets=[ast.Name(id=name)]) if _is_time(name):
                allowed.update(ast.walk(node))
            case ast.Call(func=ast.Attribute(attr="wait" | "sleep"), args=waits):
                allowed.update(inner for wait in waits for inner in ast.walk(wait))
            case ast.If(test=test) | ast.While(test=test) if _about_time(test):
                allowed.update(ast.walk(test))
            case ast.FunctionDef(args=arguments):
                names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
                pairs = zip(names[::-1], arguments.defaults[::-1], strict=False)
                keyword = zip(
                    [a.arg for a in arguments.kwonlyargs], arguments.kw_defaults, strict=True
                )
                for name, default in (*pairs, *keyword):
                    if default is not None and _is_time(name):
                        allowed.update(ast.walk(default))
            case _:
                pass
    found = []
    for node in ast.walk(module):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        # isinstance(x, float) is how a float is kept out
        named = isinstance(node, ast.Name) and node.id == "float"
        if (literal or named) and node not in allowed:
            found.append(node)
    guards = {
        inner
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        and node.func.id == "isinstance"
        for inner in ast.walk(node)
    }  # fmt: skip
    return [node for node in found if node not in guards]


@pytest.mark.parametrize("path", _exact_modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_float_where_value_is_counted(path: Path) -> None:
    assert [place(path, node) for node in floats(tree(path))] == []


@pytest.mark.parametrize(
    "text",
    ["x: float = 1", "def f(amount: float): ...", "y = 0.1", "z = float(3)", "def f(a=0.5): ..."],
)
def test_the_rule_sees_a_float(text: str) -> None:
    assert floats(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "def f(timeout_s: float = 5.0): ...",
        "WINDOW_S = 0.005",
        "isinstance(x, float)",
        "n = 1",
        "stop.wait(0.2)",
    ],
)
def test_the_rule_lets_waiting_times_pass(text: str) -> None:
    assert floats(ast.parse(text)) == []
