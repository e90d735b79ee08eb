"""Reading across context sources: one entity, and a query."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from onsil.hub.contexts import Context, ContextError
from onsil.hub.documents import Document, DocumentError, parse_entity
from onsil.hub.http.asking import JSON, JSON_LD
from onsil.hub.http.criteria import Criteria
from onsil.hub.http.distributing import Spread, entity_path, query_text
from onsil.hub.http.gate import bad_data
from onsil.hub.query.filters import Filter
from onsil.hub.query.finding import Found, count, find, find_by_ids
from onsil.hub.query.q import attributes_of
from onsil.hub.sources.calling import Answered, Call
from onsil.hub.sources.matching import entity_share, query_share
from onsil.hub.sources.merging import (
    Part,
    fits,
    merge_entity_parts,
)
from onsil.hub.sources.terms import Share
from onsil.hub.vocabulary import Dictionary

PAGE = 1000
ENTITIES_MAX = 5000  # of one source in one query
_FILTERS = frozenset((
    "q", "georel", "geometry", "coordinates", "geoproperty", "scopeQ", "expandValues",
))  # fmt: skip
_FORWARDED = _FILTERS | {"type", "id", "idPattern", "attrs", "datasetId", "csf", "jsonKeys"}


class Page(NamedTuple):
    """A page of a distributed query, the total if it was asked for, and whether more follows."""

    found: list[Found]
    total: int | None
    more: bool


async def retrieve_spread(
    spread: Spread, uri: str, local: Found | None, attrs: frozenset[str] | None
) -> Found | None:
    """One entity of all that hold some of it (§5.7.1)."""
    types = local.document.types if local else ()
    shares = [
        share for one in spread.registrations
        if (share := entity_share(one, uri, types, attrs)) is not None
    ]  # fmt: skip
    answers = await asyncio.gather(*(_retrieve(spread, share, uri) for share in shares))
    parts = [
        Part(share.registration.mode, document, share.attrs if not share.whole else None)
        for share, document in zip(shares, answers, strict=True) if document is not None
    ]  # fmt: skip
    merged = merge_entity_parts(local.document if local else None, parts)
    return _found(merged, local, spread) if merged is not None else None


async def _retrieve(spread: Spread, share: Share, uri: str) -> Document | None:
    try:
        context, url = await spread.context_for(share.registration)
    except ContextError as error:
        spread.warn(199, share.registration, str(error))
        return None
    pairs: list[tuple[str, str]] = []
    if share.attrs is not None:
        pairs.append(("attrs", ",".join(sorted(context.term(one) for one in share.attrs))))
    if share.registration.local_only:
        pairs.append(("local", "true"))
    target = entity_path(uri) + (f"?{query_text(pairs)}" if pairs else "")
    call = Call("GET", target, spread.headers(share.registration, url))
    answered = await spread.ask(share.registration, call)
    if answered is None:
        return None
    document = await _document(spread, share, answered[0], answered[1], context)
    if document is not None and document.uri != uri:
        spread.warn(111, share.registration, "it answered with another entity")
        return None
    if document is not None:
        spread.came(uri, share.registration)
    return document


async def _document(
    spread: Spread, share: Share, body: Any, answered: Answered, sent: Context
) -> Document | None:
    try:
        context = await spread.answer_context(answered, body, sent)
        return parse_entity(body, context)
    except (DocumentError, ContextError) as error:
        spread.warn(111, share.registration, f"its answer is no entity: {error}")
        return None


def _found(document: Document, local: Found | None, spread: Spread) -> Found:
    now = spread.now
    if local is None:
        return Found(0, document, now, now)
    return Found(local.eid, document, local.created_at, local.modified_at)


async def query_spread(
    spread: Spread, criteria: Criteria, limit: int, offset: int, *, counted: bool,
    known: Dictionary, body: Mapping[str, Any] | None = None,
) -> Page:  # fmt: skip
    """A page of what is found here and in the sources (§5.7.2).

    Entities held here come first, in their order; then those of sources alone, by id. Filters are
    applied again to what sources say of an entity, put together with what is held here. Raises
    Problem for an order, which is never applied to distributed operations (§4.23.1, §5.7.2.4).
    """
    wanted = criteria.filter
    extra = attributes_of(wanted.q) if wanted.q is not None else set()
    extra |= {wanted.geo.iri} if wanted.geo is not None else set()
    named = frozenset(wanted.attrs)
    shares = [
        share for one in spread.registrations
        if (share := query_share(one, wanted.selectors, named)) is not None
    ]  # fmt: skip
    if shares and wanted.ordering is not None:
        raise bad_data("a query of context sources is not ordered; leave orderBy or ask local=true")
    split = spread.request.query_params.get("splitEntities") == "true"
    many = await asyncio.gather(
        *(_query(spread, share, named | extra, body, split=split) for share in shares)
    )
    parts: dict[str, list[Part]] = {}
    for share, documents in zip(shares, many, strict=True):
        attrs = share.attrs if not share.whole else None
        for document in documents:
            parts.setdefault(document.uri, []).append(
                Part(share.registration.mode, document, attrs)
            )
    return await _page(spread, wanted, parts, limit, offset, counted=counted, known=known)


async def _page(
    spread: Spread, wanted: Filter, parts: dict[str, list[Part]], limit: int, offset: int, *,
    counted: bool, known: Dictionary,
) -> Page:  # fmt: skip
    db, city, now = spread.sources.db, spread.city, spread.now
    held = await db.read(city, find_by_ids(city, list(parts), known=known, now=now))
    merged: dict[str, Found] = {}
    gone: set[str] = set()
    for uri, some in parts.items():
        local = held.get(uri)
        document = merge_entity_parts(local.document if local else None, some)
        if document is not None and fits(wanted, document):
            merged[uri] = _found(document, local, spread)
        else:
            gone.add(uri)
    hits = {uri for uri, one in held.items() if fits(wanted, one.document)}
    added = sorted(merged.keys() - hits)
    room = offset + limit + 1
    mine = await db.read(city, find(city, wanted, room + len(gone & hits), 0, known=known, now=now))
    found = [merged.get(one.document.uri, one) for one in mine if one.document.uri not in gone]
    if len(mine) < room + len(gone & hits):
        found += [merged[uri] for uri in added]
    total = None
    if counted:
        local_total = await db.read(city, count(city, wanted, known=known, now=now))
        total = local_total - len(gone & hits) + len(added)
    return Page(found[offset : offset + limit], total, len(found) > offset + limit > offset)


async def _query(
    spread: Spread, share: Share, attrs: frozenset[str], body: Mapping[str, Any] | None, *,
    split: bool,
) -> list[Document]:  # fmt: skip
    """What one source has for a query, all its pages."""
    try:
        context, url = await spread.context_for(share.registration)
    except ContextError as error:
        spread.warn(199, share.registration, str(error))
        return []
    operations = share.registration.operations
    by_body = "queryBatch" in operations and (body is not None or "queryEntity" not in operations)
    filters = share.whole and not split and share.registration.mode != "exclusive"
    made: list[Document] = []
    offset = 0
    while len(made) < ENTITIES_MAX:
        if by_body:
            call = _post(spread, share, attrs, body, context, url, offset, filters=filters)
        else:
            call = _get(spread, share, attrs, body, context, url, offset, filters=filters)
        answered = await spread.ask(share.registration, call)
        if answered is None:
            break
        entities, answer = answered
        if not isinstance(entities, list):
            spread.warn(111, share.registration, "its answer is no list")
            break
        read = [await _document(spread, share, one, answer, context) for one in entities]
        made += [one for one in read if one is not None]
        for one in made[offset:]:
            spread.came(one.uri, share.registration)
        if 'rel="next"' not in answer.headers.get("link", "") or not entities:
            break
        offset += len(entities)
    return made


def _get(
    spread: Spread, share: Share, attrs: frozenset[str], body: Mapping[str, Any] | None,
    context: Context, url: str | None, offset: int, *, filters: bool,
) -> Call:  # fmt: skip
    given = spread.request.query_params.multi_items() if body is None else _as_pairs(body)
    pairs = _pairs(spread, share, attrs, given, context, filters=filters)
    if offset:
        pairs += [("limit", str(PAGE)), ("offset", str(offset))]
    target = "/entities" + (f"?{query_text(pairs)}" if pairs else "")
    return Call("GET", target, spread.headers(share.registration, url))


def _pairs(
    spread: Spread, share: Share, attrs: frozenset[str], given: list[tuple[str, str]],
    context: Context, *, filters: bool,
) -> list[tuple[str, str]]:  # fmt: skip
    """The parameters of a query for a source: as asked, then narrowed to what is registered."""
    kept = _FORWARDED if filters else _FORWARDED - _FILTERS
    pairs = [(name, value) for name, value in given if name in kept and name != "csf"]
    foreign = context is not spread.context
    if foreign:
        pairs = [(n, _translated(v, spread.context, context) if n == "type" else v)
                 for n, v in pairs]  # fmt: skip
    names = {name for name, _ in pairs}
    if share.types and "type" not in names:
        pairs.append(("type", ",".join(context.term(one) for one in share.types)))
    if share.ids and "id" not in names:
        pairs.append(("id", ",".join(share.ids)))
    elif share.pattern and not {"id", "idPattern"} & names:
        pairs.append(("idPattern", share.pattern))
    if share.attrs is not None and (not share.whole or foreign or attrs != share.attrs):
        wanted = share.attrs if not share.whole else attrs
        text = ",".join(sorted(context.term(one) for one in wanted))
        if "attrs" in names:
            pairs = [(n, text if n == "attrs" else v) for n, v in pairs]
        else:
            pairs.append(("attrs", text))
    if share.registration.local_only:
        pairs.append(("local", "true"))
    return pairs


def _translated(types: str, mine: Context, theirs: Context) -> str:
    """A type selection in another context's names."""
    made, name = [], ""
    for character in types + " ":
        if character in "|,;() ":
            made.append(theirs.term(mine.iri(name)) if name else "")
            made.append(character)
            name = ""
        else:
            name += character
    return "".join(made).rstrip()


def _as_pairs(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A Query as parameters, as far as these can say it."""
    entities = [one for one in body.get("entities", ()) if isinstance(one, dict)]
    pairs: list[tuple[str, str]] = []
    if len(entities) == 1 or not any("id" in e or "idPattern" in e for e in entities):
        ids = [i for e in entities for i in ([e["id"]] if isinstance(e.get("id"), str)
               else e.get("id", ()))]  # fmt: skip
        if ids:
            pairs.append(("id", ",".join(ids)))
        pairs += [("idPattern", e["idPattern"]) for e in entities if "idPattern" in e and not ids]
    if entities:
        pairs.append(("type", ",".join(str(e.get("type", "")) for e in entities)))
    pairs += [(n, ",".join(body[n])) for n in ("attrs", "datasetId") if n in body]
    pairs += [(n, body[n]) for n in ("q", "scopeQ") if n in body]
    geo = body.get("geoQ") or {}
    pairs += [(n, v if isinstance(v, str) else orjson.dumps(v).decode()) for n, v in geo.items()]
    return pairs


def _post(
    spread: Spread, share: Share, attrs: frozenset[str], body: Mapping[str, Any] | None,
    context: Context, url: str | None, offset: int, *, filters: bool,
) -> Call:  # fmt: skip
    """The query as a Query in a body (§5.2.23)."""
    given = dict(body) if body is not None else _as_query(spread)
    inside = given.pop("@context", None)
    kept = {"type", "entities", "attrs", "datasetId"} | (
        {"q", "geoQ", "scopeQ"} if filters else set()
    )
    made: dict[str, Any] = {k: v for k, v in given.items() if k in kept}
    made["type"] = "Query"
    if "entities" not in made and share.types:
        made["entities"] = [{"type": context.term(one)} for one in share.types]
    if share.ids:
        types = [e.get("type") for e in made.get("entities", ())] or ["*"]
        made["entities"] = [{"type": types[0], "id": list(share.ids)}]
    if not share.whole and share.attrs is not None:
        made["attrs"] = sorted(context.term(one) for one in share.attrs)
    elif "attrs" in made:
        made["attrs"] = sorted(context.term(one) for one in attrs)
    media = JSON_LD if inside is not None and url is None else JSON
    if media == JSON_LD:
        made["@context"] = inside
    pairs = [("limit", str(PAGE)), ("offset", str(offset))] if offset else []
    if share.registration.local_only:
        pairs.append(("local", "true"))
    target = "/entityOperations/query" + (f"?{query_text(pairs)}" if pairs else "")
    headers = spread.headers(share.registration, url, media)
    return Call("POST", target, headers, orjson.dumps(made))


def _as_query(spread: Spread) -> dict[str, Any]:
    """A request's parameters as a Query."""
    given = spread.request.query_params
    selector: dict[str, Any] = {"type": given.get("type") or "*"}
    if given.get("id"):
        selector["id"] = given["id"].split(",")
    elif given.get("idPattern"):
        selector["idPattern"] = given["idPattern"]
    made: dict[str, Any] = {"type": "Query"}
    if {"type", "id", "idPattern"} & given.keys():
        made["entities"] = [selector]
    made |= {n: given[n].split(",") for n in ("attrs", "datasetId") if n in given}
    made |= {n: given[n] for n in ("q", "scopeQ") if n in given}
    if "georel" in given:
        geo: dict[str, Any] = {n: given[n] for n in ("georel", "geometry", "geoproperty")
                               if n in given}  # fmt: skip
        geo["coordinates"] = orjson.loads(given.get("coordinates", "[]"))
        made["geoQ"] = geo
    return made
