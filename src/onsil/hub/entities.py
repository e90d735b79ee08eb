"""Entities in the database: documents with typed rows of their values beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from psycopg import sql
from shapely.errors import ShapelyError
from shapely.geometry import shape

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection, cursor
from onsil.core.refusal import OperationError
from onsil.hub.contexts import CORE
from onsil.hub.documents import (
    Document,
    DocumentError,
    default_instances,
    merge,
    parse_entity,
    parse_time,
)
from onsil.hub.terms import UpsertResult, uri_city
from onsil.hub.vocabulary import learn_terms

_STRING_LIMIT = 512
_SIDE_TABLES = {
    "num": "float8", "str": "text", "time": "timestamptz", "rel": "text", "geo": "box",
}  # fmt: skip


def upsert_entities(
    conn: Connection,
    city: str,
    entities: Sequence[dict[str, Any]],
    *,
    replace: bool = False,
    clock: Clock | None = None,
) -> list[UpsertResult]:
    """Create entities or lay their attributes over what is there (`replace`: instead of it).

    Entities are NGSI-LD in any representation, with short names. The same id twice: the later one
    comes on top. Raises DocumentError for what is not NGSI-LD or not this city's.
    """
    documents = [parse_entity(raw) for raw in entities]
    return upsert_documents(conn, city, documents, replace=replace, clock=clock)


def upsert_documents(
    conn: Connection,
    city: str,
    documents: Sequence[Document],
    *,
    replace: bool = False,
    clock: Clock | None = None,
) -> list[UpsertResult]:
    """As `upsert_entities`, for documents read already."""
    now = (clock or SystemClock()).now()
    wanted: dict[str, Document] = {}
    for document in documents:
        _own_city(document.uri, city)
        first = wanted.get(document.uri)
        wanted[document.uri] = _over(first, document, now, replace) if first else document
    created = insert_new(conn, city, list(wanted.values()), now)
    rest = [d for uri, d in wanted.items() if uri not in created]
    if rest:
        there = {d.uri: (eid, d) for eid, d in locked(conn, city, [d.uri for d in rest])}
        pairs = [
            (there[d.uri][0], _over(there[d.uri][1], d, now, replace))
            for d in rest
            if d.uri in there
        ]
        update_documents(conn, city, pairs, now)
    return [UpsertResult(d.uri, d.uri in created) for d in documents]


def _own_city(uri: str, city: str) -> None:
    named = uri_city(uri)
    if named is not None and named != city:
        raise DocumentError(f"{uri} is an entity of {named}, not of {city}")


def _over(old: Document, new: Document, now: datetime, replace: bool) -> Document:
    attrs = merge({} if replace else old.attrs, new.attrs, now)
    types = sorted({*old.types, *new.types})
    return Document(old.uri, types, new.scopes or old.scopes, attrs)


def insert_new(
    conn: Connection, city: str, documents: Sequence[Document], now: datetime
) -> dict[str, int]:
    """Insert those entities whose id is free: uri → number. In order of id, against deadlocks."""
    ordered = [replace(d, attrs=merge({}, d.attrs, now)) for d in documents]
    ordered.sort(key=lambda d: d.uri)
    terms = _learn(conn, city, ordered)
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO hub_entity (city, uri, type_ids, scopes, doc, created_at, modified_at)"
            " SELECT %s, uri, ARRAY(SELECT jsonb_array_elements_text(types)::int),"
            " ARRAY(SELECT jsonb_array_elements_text(scopes)), doc, %s, %s"
            " FROM unnest(%s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[])"
            " AS t(uri, types, scopes, doc) ON CONFLICT (city, uri) DO NOTHING RETURNING uri, eid",
            (city, now, now, *_columns(ordered, terms)),
        )
        created = dict(cur.fetchall())
    _write_rows(conn, city, [(created[d.uri], d) for d in ordered if d.uri in created], terms)
    return created


def locked(conn: Connection, city: str, uris: Iterable[str]) -> list[tuple[int, Document]]:
    """The stored documents of these entities, locked in order of id."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT eid, uri, type_ids, scopes, doc FROM hub_entity"
            " WHERE city = %s AND uri = ANY(%s) ORDER BY uri FOR UPDATE",
            (city, sorted(uris)),
        )
        rows = cur.fetchall()
        numbers = sorted({n for row in rows for n in row[2]})
        cur.execute(
            "SELECT term_id, iri FROM hub_term WHERE city = %s AND term_id = ANY(%s)",
            (city, numbers),
        )
        iris = dict(cur.fetchall())
    return [
        (eid, Document(uri, [iris[n] for n in types], scopes, doc))
        for eid, uri, types, scopes, doc in rows
    ]


def update_documents(
    conn: Connection, city: str, pairs: Sequence[tuple[int, Document]], now: datetime
) -> None:
    """Write documents over the stored ones, which the caller has locked, with their typed rows."""
    if not pairs:
        return
    documents = [d for _, d in pairs]
    terms = _learn(conn, city, documents)
    eids = [eid for eid, _ in pairs]
    with cursor(conn) as cur:
        cur.execute(
            "UPDATE hub_entity e SET"
            " type_ids = ARRAY(SELECT jsonb_array_elements_text(types)::int),"
            " scopes = ARRAY(SELECT jsonb_array_elements_text(t.scopes)), doc = t.doc,"
            " modified_at = %s FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::jsonb[],"
            " %s::jsonb[]) AS t(eid, uri, types, scopes, doc)"
            " WHERE e.city = %s AND e.eid = t.eid",
            (now, eids, *_columns(documents, terms), city),
        )
        for table in ("entity_type", *(f"attr_{kind}" for kind in _SIDE_TABLES)):
            cur.execute(
                sql.SQL("DELETE FROM {} WHERE city = %s AND eid = ANY(%s)").format(
                    sql.Identifier(f"hub_{table}")
                ),
                (city, eids),
            )
    _write_rows(conn, city, pairs, terms)


def _learn(conn: Connection, city: str, documents: Iterable[Document]) -> dict[str, int]:
    return learn_terms(conn, city, {iri for d in documents for iri in (*d.types, *d.attrs)})


def _columns(documents: Sequence[Document], terms: dict[str, int]) -> list[list[str]]:
    return [
        [d.uri for d in documents],
        [orjson.dumps([terms[t] for t in d.types]).decode() for d in documents],
        [orjson.dumps(d.scopes).decode() for d in documents],
        [orjson.dumps(d.attrs).decode() for d in documents],
    ]


def _write_rows(
    conn: Connection, city: str, pairs: Sequence[tuple[int, Document]], terms: dict[str, int]
) -> None:
    """The typed rows of documents: numbers, texts, times, relationships and boxes."""
    rows: dict[str, list[tuple[int, Any, int]]] = {kind: [] for kind in _SIDE_TABLES}
    for eid, document in pairs:
        for iri, instance in default_instances(document):
            for kind, value in _typed(iri, instance):
                rows[kind].append((terms[iri], value, eid))
    types = sorted((terms[t], eid) for eid, d in pairs for t in d.types)
    with cursor(conn) as cur:
        cur.execute(
            "INSERT INTO hub_entity_type (city, type_id, eid)"
            " SELECT %s, * FROM unnest(%s::int[], %s::bigint[])",
            (city, [t for t, _ in types], [e for _, e in types]),
        )
        for kind, found in rows.items():
            if found:
                insert = sql.SQL(
                    "INSERT INTO {} (city, attr_id, {}, eid) SELECT %s, a, v::{}, e"
                    " FROM unnest(%s::int[], %s::text[], %s::bigint[]) AS t(a, v, e)"
                ).format(
                    sql.Identifier(f"hub_attr_{kind}"),
                    sql.Identifier("bounds" if kind == "geo" else "value"),
                    sql.Identifier(_SIDE_TABLES[kind]),
                )
                columns = ([r[0] for r in found], [str(r[1]) for r in found], [r[2] for r in found])
                cur.execute(insert, (city, *columns))


def _typed(iri: str, instance: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Which typed rows an attribute's instance asks for."""
    kind = instance["type"]
    if kind == "Relationship":
        target = instance["object"]
        for one in target if isinstance(target, list) else [target]:
            yield "rel", one
    elif kind == "GeoProperty":
        yield "geo", _bounds(iri, instance["value"])
    elif kind == "Property":
        whole = instance["value"]
        for value in whole if isinstance(whole, list) else [whole]:
            yield from _typed_value(value)
    elif kind == "VocabProperty" and isinstance(instance["vocab"], str):
        yield "str", instance["vocab"][:_STRING_LIMIT]


def _typed_value(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, bool):
        yield "str", str(value).lower()
    elif isinstance(value, int | float):
        yield "num", float(value)
    elif isinstance(value, str) and "\0" not in value:
        yield "str", value[:_STRING_LIMIT]
        if len(value) >= 20 and value[:4].isdigit():
            try:
                yield "time", parse_time(value).isoformat()
            except DocumentError:
                return


def _bounds(iri: str, geometry: Any) -> str:
    try:
        west, south, east, north = shape(geometry).bounds
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise DocumentError(f"{CORE.term(iri)}: not a GeoJSON geometry") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise DocumentError(f"{CORE.term(iri)}: coordinates are longitude, latitude in degrees")
    return f"(({east},{north}),({west},{south}))"


def ensure_entities(
    conn: Connection, city: str, uris: Iterable[str], clock: Clock
) -> dict[str, int]:
    """The numbers of entities; those not there yet are made, with the type their URN names."""
    wanted = sorted(set(uris))

    def known() -> dict[str, int]:
        with cursor(conn) as cur:
            cur.execute(
                "SELECT uri, eid FROM hub_entity WHERE city = %s AND uri = ANY(%s)", (city, wanted)
            )
            return dict(cur.fetchall())

    there = known()
    missing = [Document(uri, [_type_of(uri)]) for uri in wanted if uri not in there]
    if missing:
        insert_new(conn, city, missing, clock.now())
        there = known()
    return there


def _type_of(uri: str) -> str:
    parts = uri.split(":")
    if len(parts) < 4 or parts[:2] != ["urn", "ngsi-ld"] or not parts[2]:
        raise OperationError(f"{uri}: register the entity with its type first", retry=False)
    return CORE.iri(parts[2])


def delete_entity(conn: Connection, city: str, uri: str) -> bool:
    """Remove an entity. Returns whether there was one.

    Raises OperationError when it has series: what was measured stays, as claims may rest on it.
    """
    with cursor(conn) as cur:
        cur.execute(
            "SELECT EXISTS (SELECT FROM hub_series s JOIN hub_entity e USING (city, eid)"
            " WHERE e.city = %s AND e.uri = %s)",
            (city, uri),
        )
        if (cur.fetchone() or (False,))[0]:
            raise OperationError(f"{uri} has measured series, which are kept", retry=False)
        cur.execute("DELETE FROM hub_entity WHERE city = %s AND uri = %s", (city, uri))
        return cur.rowcount > 0
