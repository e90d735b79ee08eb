"""Finding entities: by id, type, query and place, with the newest points laid over them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onsil.core.database import Connection, cursor
from onsil.hub.contexts import CORE, Context
from onsil.hub.documents import Document, render, time_text
from onsil.hub.geo import GeoQuery, entities_by_place
from onsil.hub.q import attributes_of, parse_q, to_sql
from onsil.hub.vocabulary import term_ids

# pint's names back to the UN/CEFACT codes NGSI-LD wants; other units go out under their own name.
_UNIT_CODES = {
    "Wh": "WHR", "kWh": "KWH", "MWh": "MWH", "W": "WTT", "kW": "KWT", "degC": "CEL", "m^3": "MTQ",
    "L": "LTR", "kg": "KGM", "g": "GRM", "V": "VLT", "A": "AMP", "Hz": "HTZ", "percent": "P1",
    "W/m^2": "D54", "dimensionless": "C62", "count": "C62", "m": "MTR", "km": "KMT",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A stored entity with its number and its times."""

    eid: int
    document: Document
    created_at: datetime
    modified_at: datetime

    @property
    def system(self) -> dict[str, str]:
        return {
            "createdAt": time_text(self.created_at),
            "modifiedAt": time_text(self.modified_at),
        }


@dataclass(frozen=True)
class Filter:
    """What is looked for; empty means everything. Names are short or IRIs, by `context`."""

    types: Sequence[str] = ()
    q: str = ""
    ids: Sequence[str] = ()
    attrs: Sequence[str] = ()
    geo: GeoQuery | None = None
    context: Context = CORE


def unit_code(unit: str) -> str:
    """The UN/CEFACT code of a unit, or its own name where there is none."""
    return _UNIT_CODES.get(unit, unit)


def _where(conn: Connection, city: str, wanted: Filter) -> tuple[str, list[Any]]:
    text, values = "e.city = %s", [city]
    iri = wanted.context.iri
    if wanted.types:
        numbers = list(term_ids(conn, city, map(iri, wanted.types)).values())
        text += " AND e.eid IN (SELECT eid FROM hub_entity_type WHERE city = %s"
        text += " AND type_id = ANY(%s))"
        values += [city, numbers]
    if wanted.ids:
        text, values = text + " AND e.uri = ANY(%s)", [*values, list(wanted.ids)]
    if wanted.attrs:
        text, values = text + " AND jsonb_exists_any(e.doc, %s)", [
            *values, [iri(a) for a in wanted.attrs]]  # fmt: skip
    if wanted.q:
        tree = parse_q(wanted.q, wanted.context)
        condition, bound = to_sql(tree, city, term_ids(conn, city, attributes_of(tree)))
        text, values = f"{text} AND {condition}", [*values, *bound]
    if wanted.geo:
        place = entities_by_place(conn, city, wanted.geo)
        text, values = text + " AND e.eid = ANY(%s)", [*values, place]
    return text, values


def find(
    conn: Connection, city: str, wanted: Filter, limit: int = 100, offset: int = 0
) -> list[Found]:
    """The entities that fit, in the order they were made. Raises QueryError for a bad query."""
    where, values = _where(conn, city, wanted)
    text = "SELECT e.eid, e.uri, e.type_ids, e.scopes, e.doc, e.created_at, e.modified_at"
    text += " FROM hub_entity e WHERE " + where + " ORDER BY e.eid LIMIT %s OFFSET %s"
    with cursor(conn) as cur:
        cur.execute(text.encode(), [*values, limit, offset])
        rows = cur.fetchall()
        numbers = sorted({n for row in rows for n in row[2]})
        cur.execute(
            "SELECT term_id, iri FROM hub_term WHERE city = %s AND term_id = ANY(%s)",
            (city, numbers),
        )
        iris = dict(cur.fetchall())
    found = [
        Found(eid, Document(uri, [iris[n] for n in types], scopes, doc), created, modified)
        for eid, uri, types, scopes, doc, created, modified in rows
    ]
    _lay_latest(conn, city, found)
    return found


def count(conn: Connection, city: str, wanted: Filter) -> int:
    """How many entities fit."""
    where, values = _where(conn, city, wanted)
    with cursor(conn) as cur:
        cur.execute(b"SELECT count(*) FROM hub_entity e WHERE " + where.encode(), values)
        return (cur.fetchone() or (0,))[0]


def _lay_latest(conn: Connection, city: str, found: Sequence[Found]) -> None:
    """Lay each series' newest point over its attribute, unless the document's value is newer."""
    documents = {one.eid: one.document for one in found}
    with cursor(conn) as cur:
        cur.execute(
            "SELECT s.eid, t.iri, s.unit, l.ts, l.num FROM hub_series s"
            " JOIN hub_latest l ON l.city = s.city AND l.series_id = s.series_id"
            " JOIN hub_term t ON t.city = s.city AND t.term_id = s.attr_id"
            " WHERE s.city = %s AND l.city = %s AND t.city = %s AND s.eid = ANY(%s)"
            " AND l.ts IS NOT NULL",
            (city, city, city, list(documents)),
        )
        for eid, iri, unit, ts, num in cur:
            instances = documents[eid].attrs.setdefault(iri, [{"type": "Property", "value": num}])
            plain = next((i for i in instances if "datasetId" not in i), None)
            if plain is None:
                plain = {"type": "Property", "value": num}
                instances.insert(0, plain)
            stamp = plain.get("observedAt")
            if stamp is None or datetime.fromisoformat(stamp) <= ts:
                plain |= {"value": num, "unitCode": unit_code(unit), "observedAt": time_text(ts)}


def entity(conn: Connection, city: str, uri: str) -> dict[str, Any] | None:
    """One entity, normalised, with short names; None when there is none."""
    found = find(conn, city, Filter(ids=[uri]), limit=1)
    return render(found[0].document) if found else None


def query_entities(
    conn: Connection,
    city: str,
    type: str | None = None,
    q: str | None = None,
    limit: int = 100,
    offset: int = 0,
    *,
    ids: Iterable[str] = (),
    geo: GeoQuery | None = None,
) -> list[dict[str, Any]]:
    """Entities, normalised, with short names, in the order they were made.

    Raises QueryError for a query that cannot be read.
    """
    wanted = Filter([type] if type else [], q or "", list(ids), geo=geo)
    return [render(one.document) for one in find(conn, city, wanted, limit, offset)]


def count_entities(
    conn: Connection, city: str, type: str | None = None, q: str | None = None
) -> int:
    """How many entities of a type, or of all, fit a query."""
    return count(conn, city, Filter([type] if type else [], q or ""))


def entity_types(conn: Connection, city: str) -> list[tuple[str, int]]:
    """Each type's IRI with how many entities have it."""
    with cursor(conn) as cur:
        cur.execute(
            "SELECT t.iri, count(*) FROM hub_entity_type e JOIN hub_term t"
            " ON t.city = e.city AND t.term_id = e.type_id WHERE e.city = %s AND t.city = %s"
            " GROUP BY 1 ORDER BY 1",
            (city, city),
        )
        return cur.fetchall()
