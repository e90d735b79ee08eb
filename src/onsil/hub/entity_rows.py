"""Documents in their tables: loaded under lock, written with their typed rows, removed.

All are steps of a transaction that the caller owns. Writers lock names and rows in one order, so
none waits for another in a circle.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.hub.arrays import numbers as number_array
from onsil.hub.documents import Document, Instance, parse_time, time_text
from onsil.hub.rows import typed_rows
from onsil.hub.steps import Ask, Rows, Steps
from onsil.hub.vocabulary import Dictionary, learn, names

_LOCK_NAMES = "SELECT pg_advisory_xact_lock(h) FROM unnest($1::bigint[]) h"
COLUMNS = "e.eid, e.uri, e.type_ids, e.scopes, e.doc, e.created_at, e.modified_at, e.expires_at"
_LOAD = (
    f"SELECT {COLUMNS} FROM hub_entity e WHERE city = $1 AND uri = ANY($2::text[])"  # noqa: S608
    " ORDER BY uri FOR NO KEY UPDATE"
)
_INSERT = """
INSERT INTO hub_entity
  (city, uri, type_ids, scopes, doc, created_at, modified_at, expires_at)
SELECT $1, uri, ARRAY(SELECT jsonb_array_elements_text(types)::int),
       ARRAY(SELECT jsonb_array_elements_text(scopes)), doc, $2::timestamptz, $2::timestamptz,
       expires
  FROM unnest($3::text[], $4::jsonb[], $5::jsonb[], $6::jsonb[], $7::timestamptz[])
       AS t(uri, types, scopes, doc, expires)
RETURNING uri, eid
"""
_SAVE = (
    "SELECT hub_save($1, $2::timestamptz, $3::bigint[], $4::jsonb[], $5::timestamptz[],"
    " $6::bigint[], $7::jsonb[], $8::jsonb[],"
    " $9::text::text[], $10::text::int[], $11::text::bigint[],"
    " $12::text::int[], $13::text::float8[], $14::text::bigint[],"
    " $15::text::int[], $16::text::float8[], $17::text::bigint[],"
    " $18::text::int[], $19::text[], $20::text::bigint[],"
    " $21::text::int[], $22::timestamptz[], $23::text::bigint[],"
    " $24::text::int[], $25::text[], $26::text::bigint[],"
    " $27::text::int[], $28::text[], $29::text::bigint[])"
)
_REMOVE = "SELECT hub_remove($1, $2::bigint[])"
_KINDS = ("num", "str", "time", "rel", "geo")


class Stored(NamedTuple):
    """An entity as it lies in the database."""

    eid: int
    document: Document


class Written(NamedTuple):
    """A document to be written over what was there; `before` None: it is new."""

    eid: int
    before: Document | None
    after: Document


def lock_names(city: str, uris: Iterable[str]) -> Steps[None]:
    """Keep others from making entities of these ids until the end of the transaction."""
    marks = sorted({_mark(city, uri) for uri in uris})
    yield Ask(_LOCK_NAMES, (marks,))


def _mark(city: str, uri: str) -> int:
    digest = hashlib.blake2b(f"{city}\0{uri}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def load(
    city: str, uris: Iterable[str], terms: Dictionary | None = None
) -> Steps[dict[str, Stored]]:
    """The entities of these ids that are there, locked in order of id."""
    rows = yield Ask(_LOAD, (city, sorted(set(uris))))
    return (yield from documents_of(city, rows, terms))


def documents_of(
    city: str, rows: Rows, terms: Dictionary | None = None
) -> Steps[dict[str, Stored]]:
    """Rows of `COLUMNS` as documents, by id, in the rows' order."""
    iris = yield from names(city, (n for row in rows for n in row[2]), terms)
    return {row[1]: Stored(row[0], document_of(row, iris)) for row in rows}


def document_of(row: Sequence[Any], iris: Mapping[int, str]) -> Document:
    """One row of `COLUMNS`, with the IRIs of its types."""
    _, uri, types, scopes, doc, created_at, modified_at, expires_at = row[:8]
    return Document(
        uri,
        [iris[n] for n in types],
        list(scopes),
        doc,
        None if expires_at is None else time_text(expires_at),
        time_text(created_at),
        time_text(modified_at),
    )


def insert(
    city: str, documents: Sequence[Document], now: datetime, terms: Dictionary | None = None
) -> Steps[dict[str, int]]:
    """Write new entities whose names the caller has locked: id → number."""
    ordered = sorted(documents, key=lambda d: d.uri)
    numbers = yield from _numbers(city, [Written(0, None, d) for d in ordered], terms)
    values = (
        city,
        now,
        [d.uri for d in ordered],
        [_types(d, numbers) for d in ordered],
        [_scopes(d) for d in ordered],
        [_body(d) for d in ordered],
        [_expiry(d) for d in ordered],
    )
    made = {uri: eid for uri, eid in (yield Ask(_INSERT, values))}
    yield from _save(city, [Written(made[d.uri], None, d) for d in ordered], now, numbers)
    return made


def update(
    city: str, written: Sequence[Written], now: datetime, terms: Dictionary | None = None
) -> Steps[None]:
    """Write documents over stored ones; of the typed rows only those of changed attributes."""
    if written:
        numbers = yield from _numbers(city, written, terms)
        yield from _save(city, written, now, numbers)


def remove(city: str, eids: Iterable[int]) -> Steps[None]:
    """Remove entities with their typed rows."""
    yield Ask(_REMOVE, (city, sorted(eids)))


def _numbers(
    city: str, written: Sequence[Written], terms: Dictionary | None
) -> Steps[dict[str, int]]:
    wanted = {iri for w in written for iri in (*w.after.types, *w.after.attrs)}
    wanted |= {iri for w in written if w.before for iri in w.before.attrs}
    return (yield from learn(city, wanted, terms))


def _types(document: Document, numbers: Mapping[str, int]) -> str:
    return orjson.dumps([numbers[t] for t in document.types]).decode()


def _scopes(document: Document) -> str:
    return orjson.dumps(document.scopes).decode()


def _body(document: Document) -> str:
    return orjson.dumps(document.attrs).decode()


def _expiry(document: Document) -> datetime | None:
    return parse_time(document.expires_at) if document.expires_at else None


def _save(
    city: str, written: Sequence[Written], now: datetime, numbers: Mapping[str, int]
) -> Steps[None]:
    over = [w for w in written if w.before is not None]
    placed = [
        w
        for w in written
        if w.before is None or (w.before.types, w.before.scopes) != (w.after.types, w.after.scopes)
    ]
    gone: list[tuple[str, int, int]] = []
    moved: list[tuple[int, float, int]] = []
    added: dict[str, list[tuple[int, Any, int]]] = {kind: [] for kind in _KINDS}
    for one in written:
        for (kind, iri), (was, values) in _changed_rows(one).items():
            number = numbers[iri]
            if kind == "num" and len(was) == len(values) == 1:
                moved.append((number, next(iter(values)), one.eid))
                continue
            if was:
                gone.append((kind, number, one.eid))
            added[kind] += [(number, value, one.eid) for value in values]
    sent: list[Any] = [city, now]
    sent += [[w.eid for w in over], [_body(w.after) for w in over]]
    sent += [[_expiry(w.after) for w in over], [w.eid for w in placed]]
    sent += [[_types(w.after, numbers) for w in placed], [_scopes(w.after) for w in placed]]
    sent += ["{" + ",".join(g[0] for g in gone) + "}", number_array(g[1] for g in gone)]
    sent += [number_array(g[2] for g in gone)]
    for kind, rows in (("num", moved), *added.items()):
        values = [row[1] for row in rows]
        sent += [
            number_array(row[0] for row in rows),
            number_array(values) if kind == "num" else values,
        ]
        sent += [number_array(row[2] for row in rows)]
    yield Ask(_SAVE, tuple(sent))


def _changed_rows(one: Written) -> dict[tuple[str, str], tuple[set[Any], set[Any]]]:
    """By (kind, IRI), the typed values that were and those that shall be, where they differ."""
    old = one.before.attrs if one.before else {}
    new = one.after.attrs
    was = _typed({iri: found for iri, found in old.items() if found != new.get(iri)})
    shall = _typed({iri: found for iri, found in new.items() if found != old.get(iri)})
    return {
        key: (was.get(key, set()), shall.get(key, set()))
        for key in was.keys() | shall.keys()
        if was.get(key) != shall.get(key)
    }


def _typed(attrs: dict[str, list[Instance]]) -> dict[tuple[str, str], set[Any]]:
    """The typed values of attributes by (kind, IRI)."""
    found: dict[tuple[str, str], set[Any]] = {}
    for kind, iri, value in typed_rows(Document("", [], [], attrs)):
        found.setdefault((kind, iri), set()).add(value)
    return found
