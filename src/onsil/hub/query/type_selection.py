"""Entity type selection (GS CIM 009 V1.9.1 §4.17): `(Building;Hotel)|Home`, `Home,Vehicle`.

`;` is and, `|` or `,` is or, brackets group; `*` stands for every type.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from onsil.hub.contexts import CORE, Context
from onsil.hub.query.scanner import QueryError, Scanner

ANY_TYPE = "*"
_NAME = r"(?:[^\W\d]|_)[^\s,;|()\"<>\\{}^`\[\]]*"


@dataclass(frozen=True)
class TypeJunction:
    word: str
    parts: tuple["str | TypeJunction", ...]


# A type's IRI, or types joined by `and` or `or`.
TypeTree = str | TypeJunction


def parse_type_selection(text: str, context: Context = CORE) -> TypeTree | None:
    """Read a type selection; None when every type is meant. Raises QueryError, which says where."""
    if text.strip() == ANY_TYPE:
        return None
    scanner = Scanner(text, "type")
    tree = _alternatives(scanner, context)
    scanner.end()
    return tree


def _alternatives(scanner: Scanner, context: Context) -> TypeTree:
    parts = [_together(scanner, context)]
    while scanner.take("|") or scanner.take(","):
        parts.append(_together(scanner, context))
    return parts[0] if len(parts) == 1 else TypeJunction("or", tuple(parts))


def _together(scanner: Scanner, context: Context) -> TypeTree:
    parts = [_one(scanner, context)]
    while scanner.take(";"):
        parts.append(_one(scanner, context))
    return parts[0] if len(parts) == 1 else TypeJunction("and", tuple(parts))


def _one(scanner: Scanner, context: Context) -> TypeTree:
    if scanner.take("("):
        scanner.deeper()
        tree = _alternatives(scanner, context)
        scanner.expect(")", "a closing bracket is missing")
        scanner.shallower()
        return tree
    found = scanner.match(_NAME)
    if found is None:
        raise scanner.error("an entity type's name is wanted")
    return context.iri(found[0])


def any_of(types: Iterable[str]) -> TypeTree | None:
    """The selection of entities with one of these IRIs; None without any."""
    parts = tuple(types)
    return None if not parts else parts[0] if len(parts) == 1 else TypeJunction("or", parts)


def types_in(tree: TypeTree | None) -> Iterator[str]:
    """The IRIs that a selection speaks of."""
    if isinstance(tree, str):
        yield tree
    elif tree is not None:
        for part in tree.parts:
            yield from types_in(part)


def types_match(tree: TypeTree | None, types: Iterable[str]) -> bool:
    """Whether an entity with these types (IRIs) is selected."""
    if tree is None:
        return True
    if isinstance(tree, str):
        return tree in types
    held = set(types)
    decide = any if tree.word == "or" else all
    return decide(types_match(part, held) for part in tree.parts)


__all__ = ["QueryError", "TypeJunction", "TypeTree", "parse_type_selection", "types_match"]
