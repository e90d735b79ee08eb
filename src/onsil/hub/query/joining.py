"""Linked entity retrieval (GS CIM 009 V1.9.1 §4.5.23): showing what relationships lead to."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents import Document, Instance, Selection
from onsil.hub.query.finding import Found, find_by_ids
from onsil.hub.steps import Steps
from onsil.hub.vocabulary import Dictionary

Linked = dict[str, Found]
Render = Callable[[Document, Selection], dict[str, Any]]
LINKED_MAX = 10_000


def linked_entities(
    city: str,
    documents: Sequence[Document],
    selection: Selection,
    level: int,
    *,
    without: Iterable[str] = (),
    known: Dictionary | None = None,
) -> Steps[Linked]:
    """The entities that shown relationships lead to, up to `level` of them away, by id."""
    found: Linked = {}
    front = [(document, selection) for document in documents]
    seen = set(without) | {document.uri for document in documents}
    for _ in range(level):
        wanted: dict[str, Selection] = {}
        for document, chosen in front:
            for iri, uri in shown_links(document, chosen):
                if uri not in seen:
                    wanted.setdefault(uri, chosen.inner(iri))
        missing = list(wanted)[: max(0, LINKED_MAX - len(found))]
        got = yield from find_by_ids(city, missing, known=known)
        found |= got
        seen |= wanted.keys()
        front = [(one.document, wanted[uri]) for uri, one in got.items()]
        if not front:
            break
    # What is linked may be one of the entities themselves.
    return found


def shown_links(document: Document, selection: Selection) -> Iterator[tuple[str, str]]:
    """(attribute, id) of every relationship that a selection shows."""
    for iri, instances in document.attrs.items():
        if selection.shows(iri):
            for instance in instances:
                for uri in _targets(instance):
                    yield iri, uri


def _targets(instance: Instance) -> list[str]:
    match instance["type"]:
        case "Relationship":
            given = instance["object"]
        case "ListRelationship":
            given = instance["objectList"]
        case _:
            return []
    return [uri for uri in (given if isinstance(given, list) else [given]) if isinstance(uri, str)]


def flat(
    documents: Sequence[Document],
    linked: Linked,
    selection: Selection,
    level: int,
    render: Render,
) -> list[dict[str, Any]]:
    """The entities and then those they lead to, each once, by levels."""
    made = [render(document, selection) for document in documents]
    seen = {document.uri for document in documents}
    front = [(document, selection) for document in documents]
    for _ in range(level):
        behind = []
        for document, chosen in front:
            for iri, uri in shown_links(document, chosen):
                if uri in linked and uri not in seen:
                    seen.add(uri)
                    behind.append((linked[uri].document, chosen.inner(iri)))
        made += [render(*one) for one in behind]
        front = behind
    return made


def inline(
    document: Document,
    linked: Linked,
    selection: Selection,
    level: int,
    render: Render,
    context: Context,
    *,
    simplified: bool,
) -> dict[str, Any]:
    """An entity with what its relationships lead to inside of them."""
    made = render(document, selection)
    if level == 0:
        return made
    for iri, instances in document.attrs.items():
        name = context.term(iri)
        if name not in made or not selection.shows(iri):
            continue
        parts: list[Any] = []
        for instance in instances:
            parts.append([
                inline(linked[uri].document, linked, selection.inner(iri), level - 1, render,
                       context, simplified=simplified) if uri in linked else None
                for uri in _targets(instance)
            ])  # fmt: skip
        if any(one for part in parts for one in part):
            made[name] = _joined(made[name], instances, parts, simplified=simplified)
    return made


def _joined(
    shown: Any, instances: Sequence[Instance], parts: list[Any], *, simplified: bool
) -> Any:
    """A rendered attribute with its linked entities."""
    if simplified:
        if len(instances) > 1:
            by_id = shown.get("dataset", {})
            for instance, part in zip(instances, parts, strict=True):
                key = instance.get("datasetId", "@none")
                if key in by_id:
                    by_id[key] = _instead(by_id[key], part)
            return shown
        return _instead(shown, parts[0])
    several = isinstance(shown, list)
    listed = shown if several else [shown]
    by_dataset = {i.get("datasetId"): p for i, p in zip(instances, parts, strict=True)}
    for one in listed:
        part = by_dataset.get(one.get("datasetId")) if isinstance(one, dict) else None
        entities = [entity for entity in part or () if entity is not None]
        if not entities:
            continue
        if "objectList" in one or isinstance(one.get("object"), list):
            one["entityList"] = entities
        else:
            one["entity"] = entities[0]
    return listed if several else listed[0]


def _instead(value: Any, part: list[Any]) -> Any:
    """A simplified relationship with entities in their ids' place, where there are any."""
    if isinstance(value, list):
        return [e if e is not None else v for v, e in zip(value, part, strict=False)]
    return part[0] if part and part[0] is not None else value
