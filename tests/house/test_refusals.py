"""A refusal is false, so what asks whether there is one must ask `is None`, never its truth."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from house.source import PACKAGE, modules, place, tree

_TAG = re.compile(r"\{%-?\s*(?:el)?if\s+(.*?)-?%\}", re.DOTALL)


def _is_refusal(name: str) -> bool:
    return name.rsplit(".", 1)[-1].endswith("refusal")


def _asked_for_truth(text: str) -> Iterator[str]:
    """The conditions of a template that take a refusal for true or false."""
    for condition in _TAG.findall(text):
        words = condition.split()
        for word, following in zip(words, [*words[1:], ""], strict=True):
            if _is_refusal(word) and following != "is":
                yield condition.strip()


def _truths(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions whose truth a piece of Python asks for."""
    if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
        yield node.test
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.comprehension):
        yield from node.ifs


def _refusals_by_truth(module: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        for asked in _truths(node):
            name = asked.target if isinstance(asked, ast.NamedExpr) else asked
            if isinstance(name, ast.Name | ast.Attribute) and _is_refusal(ast.unparse(name)):
                yield asked


def test_no_template_asks_for_the_truth_of_a_refusal() -> None:
    templates: list[Path] = sorted(PACKAGE.rglob("*.html"))
    assert templates
    found = [
        f"{place(path)}: {condition}"
        for path in templates
        for condition in _asked_for_truth(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_code_asks_for_the_truth_of_a_refusal() -> None:
    found = [place(path, node) for path in modules() for node in _refusals_by_truth(tree(path))]
    assert found == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{% if refusal %}", True),
        ("{% if not refusal %}", True),
        ("{% if a and run.refusal %}", True),
        ("{% if run.refusal or a %}", True),
        ("{%- elif last_refusal -%}", True),
        ("{% if refusal is not None %}", False),
        ("{% if a or run.refusal is None %}", False),
        ('{% if refusal.code == "x" %}', False),
        ("{% if refusals %}", False),
        ("{{ refusal|said }}", False),
    ],
)
def test_the_rule_knows_a_wrong_template(text: str, wrong: bool) -> None:
    assert bool(list(_asked_for_truth(text))) is wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("if refusal: pass", True),
        ("x = 1 if not run.refusal else 2", True),
        ("if (refusal := look()): pass", True),
        ("x = [r for r in runs if r.refusal]", True),
        ("if refusal is not None: pass", False),
        ("if run.refusal.code: pass", False),
        ("if (refusal := look()) is not None: pass", False),
    ],
)
def test_the_rule_knows_wrong_code(text: str, wrong: bool) -> None:
    assert bool(list(_refusals_by_truth(ast.parse(text)))) is wrong
