"""Entities read by their ids, with the newest points laid over them; and linked ones (§4.5.23)."""

from collections.abc import Iterable
from dataclasses import replace

from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, time_text
from onsil.hub.query.finding import Found, find_by_ids
from onsil.hub.steps import Ask, Steps

LINKED_MAX = 500
_CLOSED = "SELECT uri FROM hub_entity WHERE city = $1 AND closed AND uri = ANY($2::text[])"


def with_times(found: Found) -> Document:
    """A found entity with the times that the system keeps."""
    return replace(
        found.document,
        created_at=time_text(found.created_at),
        modified_at=time_text(found.modified_at),
    )


def fetch_documents(city: str, uris: Iterable[str]) -> Steps[dict[str, Document]]:
    """The entities with these ids, as they are now, with their newest points; no closed ones, for
    a subscription has no key to a data set."""
    found = yield from find_by_ids(city, sorted(set(uris)))
    if not found:
        return {}
    rows = yield Ask(_CLOSED, (city, list(found)))
    closed = {uri for (uri,) in rows}
    return {uri: with_times(one) for uri, one in found.items() if uri not in closed}


def targets(document: Document, iris: frozenset[str] = frozenset()) -> dict[str, None]:
    """The ids that an entity's relationships point to, in their order; of all or some of them."""
    found: dict[str, None] = {}
    for iri, many in document.attrs.items():
        if iris and iri not in iris:
            continue
        for one in many:
            for key in ("object", "objectList"):
                value = one.get(key, [])
                for uri in value if isinstance(value, list) else [value]:
                    if isinstance(uri, str):
                        found[uri] = None
    return found


def fetch_linked(
    city: str, documents: Iterable[Document], level: int, iris: frozenset[str] = frozenset()
) -> Steps[dict[str, Document]]:
    """The entities that these link to, up to `level` links away; at most LINKED_MAX of them."""
    known: dict[str, Document] = {}
    seen = {document.uri for document in documents}
    outer = list(documents)
    for turn in range(level):
        asked = {
            uri: None for document in outer
            for uri in targets(document, iris if turn == 0 else frozenset())
        }  # fmt: skip
        wanted = [uri for uri in asked if uri not in seen][: LINKED_MAX - len(known)]
        if not wanted:
            break
        found = yield from fetch_documents(city, wanted)
        seen.update(wanted)
        outer = [found[uri] for uri in wanted if uri in found]
        known |= {document.uri: document for document in outer}
    return known


def attribute_iri(name: str) -> str:
    """The IRI of a series' attribute, which is kept under its short name."""
    return CORE.iri(name)
