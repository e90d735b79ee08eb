"""Scope queries (GS CIM 009 V1.9.1 §4.19): `/Madrid/Gardens/#;(/CompanyA,/CompanyB/+)`.

`#` at a scope's end is that scope with all below it, `+` any one level; `;` is and, `|` or `,`
is or.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from onsil.hub.query.scanner import QueryError, Scanner

_LEVEL = r"[^/\s;|,()#]+"
_SCOPE = rf"/?{_LEVEL}(?:/{_LEVEL})*(?:/#)?|/?#"


@dataclass(frozen=True)
class Scope:
    """A scope, or all that a pattern with `+` and `#` stands for."""

    levels: tuple[str, ...]
    below: bool = False

    @property
    def plain(self) -> bool:
        return "+" not in self.levels

    @property
    def text(self) -> str:
        return "/" + "/".join(self.levels)

    @property
    def pattern(self) -> str:
        """A regular expression for the scopes meant (PostgreSQL's and Python's)."""
        inside = "".join("/[^/]+" if level == "+" else "/" + re.escape(level)
                         for level in self.levels)  # fmt: skip
        return f"^{inside}{'(/|$)' if self.below and inside else '' if self.below else '$'}"


@dataclass(frozen=True)
class ScopeJunction:
    word: str
    parts: tuple["Scope | ScopeJunction", ...]


ScopeTree = Scope | ScopeJunction


@lru_cache(maxsize=256)
def parse_scope_q(text: str) -> ScopeTree:
    """Read a scope query. Raises QueryError, which says where."""
    scanner = Scanner(text, "scopeQ")
    tree = _alternatives(scanner)
    scanner.end()
    return tree


def _alternatives(scanner: Scanner) -> ScopeTree:
    parts = [_together(scanner)]
    while scanner.take("|") or scanner.take(","):
        parts.append(_together(scanner))
    return parts[0] if len(parts) == 1 else ScopeJunction("or", tuple(parts))


def _together(scanner: Scanner) -> ScopeTree:
    parts = [_one(scanner)]
    while scanner.take(";"):
        parts.append(_one(scanner))
    return parts[0] if len(parts) == 1 else ScopeJunction("and", tuple(parts))


def _one(scanner: Scanner) -> ScopeTree:
    if scanner.take("("):
        scanner.deeper()
        tree = _alternatives(scanner)
        scanner.expect(")", "a closing bracket is missing")
        scanner.shallower()
        return tree
    found = scanner.match(_SCOPE)
    if found is None:
        raise scanner.error("a scope such as /Madrid/Gardens is wanted")
    levels = tuple(found[0].strip("/").split("/"))
    below = levels[-1] == "#"
    return Scope(levels[:-1] if below else levels, below)


def normal_scope(scope: str) -> str:
    """A scope with its leading slash, as entities keep it."""
    return scope if scope.startswith("/") else "/" + scope


def scope_matches(tree: ScopeTree, scopes: Iterable[str]) -> bool:
    """Whether an entity's scopes meet a scope query."""
    held = [normal_scope(scope) for scope in scopes]
    return _matches(tree, held)


def _matches(tree: ScopeTree, held: list[str]) -> bool:
    if isinstance(tree, ScopeJunction):
        decide = any if tree.word == "or" else all
        return decide(_matches(part, held) for part in tree.parts)
    return any(re.search(tree.pattern, scope) for scope in held)


__all__ = ["QueryError", "Scope", "ScopeJunction", "ScopeTree", "parse_scope_q", "scope_matches"]
