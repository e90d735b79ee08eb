"""XML from outside, read without what can hurt: no document type, no entities, no depth without
end. Pure."""

from dataclasses import dataclass, field
from xml.parsers import expat

DEPTH_MAX = 64
NODES_MAX = 2_000_000


class XmlRefused(ValueError):
    """The document is malformed or holds what is not taken; `line` is where."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


@dataclass
class Node:
    """An element by its local name, with its namespace, line, attributes, text and children."""

    name: str
    space: str
    line: int
    attributes: dict[str, str]
    text: str = ""
    children: "list[Node]" = field(default_factory=list)

    def all(self, path: str) -> "list[Node]":
        """The elements down a path of local names: `NtryDtls/TxDtls`."""
        found: list[Node] = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def first(self, path: str) -> "Node | None":
        return next(iter(self.all(path)), None)

    def words(self, path: str) -> str:
        """The text of the first element down a path; "" when there is none."""
        found = self.first(path)
        return found.text.strip() if found is not None else ""


def parse(content: bytes) -> Node:
    """The document's root. Raises XmlRefused."""
    parser = expat.ParserCreate(namespace_separator="\n")
    stack: list[Node] = [Node("", "", 0, {})]
    count = 0

    def refuse(words: str) -> None:
        raise XmlRefused(parser.CurrentLineNumber, words)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(stack) > DEPTH_MAX or count > NODES_MAX:
            refuse("too deep or too long")
        space, _, local = name.rpartition("\n")
        node = Node(local, space, parser.CurrentLineNumber, attributes)
        stack[-1].children.append(node)
        stack.append(node)

    def text(data: str) -> None:
        stack[-1].text += data

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = lambda *_: refuse("a document type is not taken")
    parser.EntityDeclHandler = lambda *_: refuse("an entity is not taken")
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise XmlRefused(error.lineno, expat.errors.messages[error.code]) from error
    return stack[0].children[0]
