"""Entities read by their ids, with the newest points laid over them; and linked ones (§4.5.23)."""

from collections.abc import Iterable
from typing import Any

from onsil.hub import vocabulary
from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, Instance, parse_time, time_text
from onsil.hub.query.units import unit_code
from onsil.hub.steps import Ask, Steps

LINKED_MAX = 500

_DOCUMENTS = (
    "SELECT eid, uri, type_ids, scopes, doc, created_at, modified_at, expires_at FROM hub_entity"
    " WHERE city = $1 AND uri = ANY($2::text[]) AND (expires_at IS NULL OR expires_at > now())"
)
_LATEST = (
    "SELECT s.eid, t.iri, s.unit, l.ts, l.num FROM hub_series s"
    " JOIN hub_latest l ON l.city = s.city AND l.series_id = s.series_id"
    " JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id"
    " WHERE s.city = $1 AND l.city = $1 AND t.city = $1 AND s.eid = ANY($2::bigint[])"
    " AND l.ts IS NOT NULL"
)


def fetch_documents(city: str, uris: Iterable[str]) -> Steps[dict[str, Document]]:
    """The entities with these ids, as they are in this transaction."""
    rows = yield Ask(_DOCUMENTS, (city, sorted(set(uris))))
    if not rows:
        return {}
    iris = yield from vocabulary.names(city, {number for row in rows for number in row[2]})
    found: dict[int, Document] = {}
    for eid, uri, types, scopes, doc, created, modified, expires in rows:
        found[eid] = Document(
            uri, sorted(iris[n] for n in types), scopes, doc,
            time_text(expires) if expires else None, time_text(created), time_text(modified),
        )  # fmt: skip
    for eid, iri, unit, ts, num in (yield Ask(_LATEST, (city, list(found)))):
        _lay(found[eid].attrs, iri, unit, ts, num)
    return {document.uri: document for document in found.values()}


def _lay(attrs: dict[str, list[Instance]], iri: str, unit: str, ts: Any, num: float) -> None:
    many = attrs.get(iri, [])
    plain = next((one for one in many if "datasetId" not in one), None)
    stamp = (plain or {}).get("observedAt")
    if stamp is not None and parse_time(stamp) > ts:
        return
    made = {
        "type": "Property", **(plain or {}), "value": num, "observedAt": time_text(ts),
        "unitCode": unit_code(unit),
    }  # fmt: skip
    attrs[iri] = [made, *(one for one in many if "datasetId" in one)]


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
