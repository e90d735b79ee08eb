"""Finding entities: a filter's page, its count, one entity by id; live values laid over.

Every function is steps, so that psycopg and the door run the same. A page is stable: entities come
in the order they were made in, or as `orderBy` says and then in that order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from onsil.hub.documents import Document, live, time_text
from onsil.hub.query.candidates import Candidates, candidates
from onsil.hub.query.conditions import Conditions
from onsil.hub.query.filters import Filter, by_ids
from onsil.hub.query.placing import ordered_in_memory, place_candidates
from onsil.hub.query.sorting import sorted_by
from onsil.hub.query.statement import Statement
from onsil.hub.query.units import unit_code
from onsil.hub.steps import Ask, Steps
from onsil.hub.vocabulary import Dictionary, names
from onsil.hub.vocabulary import find as find_terms

_COLUMNS = (
    "e.eid, e.uri, e.type_ids, e.scopes, e.doc, e.created_at, e.modified_at, e.expires_at,"
    " EXISTS (SELECT FROM hub_series live WHERE live.city = $1 AND live.eid = e.eid)"
)
# So many candidates are few: they are looked up one by one, in order, until the page is full. Of
# terms without an end a sixth is counted, since counting many for nothing costs more.
FEW = 3000
# So many entities are looked through in their order before candidates are joined instead.
_LOOK_THROUGH = 1500
# What tells one version of an entity from every other, and whether series are laid over it.
_MARKS = (
    "e.eid, e.xmin::text, date_part('epoch', e.modified_at),"
    " EXISTS (SELECT FROM hub_series live WHERE live.city = $1 AND live.eid = e.eid)"
)
_UNLESS = (
    "SELECT e.eid, e.uri, e.type_ids, e.scopes, CASE WHEN e.xmin::text = $4 AND"
    " date_part('epoch', e.modified_at) = $5 THEN NULL ELSE e.doc END, e.created_at,"
    " e.modified_at, e.expires_at,"
    " EXISTS (SELECT FROM hub_series live WHERE live.city = $1 AND live.eid = e.eid),"
    " e.xmin::text, date_part('epoch', e.modified_at) FROM hub_entity e"
    " WHERE e.city = $1 AND e.uri = $2 AND (e.expires_at IS NULL OR e.expires_at > $3)"
)
_LATEST = """
SELECT s.eid, t.iri, s.unit, l.ts, l.num FROM hub_series s
  JOIN hub_latest l ON l.city = $1 AND l.series_id = s.series_id
  JOIN hub_term t ON t.city = $1 AND t.term_id = s.attr_id
 WHERE s.city = $1 AND s.eid = ANY($2::bigint[]) AND l.ts IS NOT NULL
"""


@dataclass(frozen=True)
class Found:
    """A stored entity with its number and its times."""

    eid: int
    document: Document
    created_at: datetime
    modified_at: datetime


class Mark(NamedTuple):
    """One version of a stored entity. `measured`: series have newer values than it tells."""

    eid: int
    transaction: str
    modified_at: float
    measured: bool


class _Plan:
    """What statements for one filter are made from; each statement binds its own values."""

    def __init__(
        self, city: str, wanted: Filter, terms: dict[str, int], now: datetime,
        columns: str = _COLUMNS,
    ) -> None:  # fmt: skip
        self.city, self.wanted, self._terms, self.now = city, wanted, terms, now
        self.columns = columns

    def begun(self) -> Conditions:
        return Conditions(Statement(self.city), self._terms, self.now)

    @property
    def type(self) -> str | None:
        """The one type looked for, if it is just one and there are no ids."""
        if len(self.wanted.selectors) != 1 or self.wanted.selectors[0].ids:
            return None
        types = self.wanted.selectors[0].types
        return types if isinstance(types, str) else None

    @property
    def has_ids(self) -> bool:
        """Whether every selector names ids."""
        return bool(self.wanted.selectors) and all(one.ids for one in self.wanted.selectors)

    def condition(self, conditions: Conditions, *more: str) -> str:
        return " AND ".join(["e.city = $1", *conditions.of(self.wanted), *more])


def _ask(conditions: Conditions, sql: str) -> Ask:
    return Ask(sql, tuple(conditions.statement.values))


def _prepared(
    city: str, wanted: Filter, known: Dictionary | None, now: datetime | None
) -> Steps[_Plan]:
    terms = yield from find_terms(city, wanted.terms(), known)
    return _Plan(city, wanted, terms, now or datetime.now(UTC))


def find(
    city: str,
    wanted: Filter,
    limit: int = 100,
    offset: int = 0,
    *,
    known: Dictionary | None = None,
    now: datetime | None = None,
) -> Steps[list[Found]]:
    """A page of the entities that fit."""
    plan = yield from _prepared(city, wanted, known, now)
    if wanted.geo is not None or (wanted.ordering and wanted.ordering.in_memory):
        eids = yield from _placed(plan, offset + limit)
        rows = yield from _rows_of(plan, eids[offset : offset + limit])
    elif wanted.ordering is not None:
        begun = plan.begun()
        keyed, order = sorted_by(wanted.ordering, begun)
        sql = f"SELECT {_COLUMNS} FROM hub_entity e, {keyed} WHERE {plan.condition(begun)}"
        rows = yield _ask(begun, f"{sql} ORDER BY {order} LIMIT {limit} OFFSET {offset}")
    else:
        rows = yield from _page(plan, limit, offset)
    return (yield from _found(city, rows, known, plan.now))


def find_marks(
    city: str,
    wanted: Filter,
    limit: int,
    offset: int,
    *,
    known: Dictionary | None = None,
    now: datetime | None = None,
) -> Steps[list[Mark]]:
    """The same page, of a filter without an order: which versions of which entities."""
    terms = yield from find_terms(city, wanted.terms(), known)
    plan = _Plan(city, wanted, terms, now or datetime.now(UTC), _MARKS)
    if wanted.geo is not None:
        eids = yield from _placed(plan, offset + limit)
        rows = yield from _rows_of(plan, eids[offset : offset + limit])
    else:
        rows = yield from _page(plan, limit, offset)
    return [Mark(*row[:4]) for row in rows]


def find_marked(
    city: str,
    marks: Sequence[Mark],
    *,
    known: Dictionary | None = None,
    now: datetime | None = None,
) -> Steps[list[Found] | None]:
    """The entities of these marks, in any order; None when one has another version by now."""
    rows = yield Ask(
        f"SELECT {_COLUMNS}, e.xmin::text, date_part('epoch', e.modified_at) FROM hub_entity e"
        " WHERE e.city = $1 AND e.eid = ANY($2::bigint[])",
        (city, [one.eid for one in marks]),
    )
    there = {(row[0], row[9], row[10]) for row in rows}
    if any(one[:3] not in there for one in marks):
        return None
    return (yield from _found(city, rows, known, now or datetime.now(UTC)))


def count(
    city: str, wanted: Filter, *, known: Dictionary | None = None, now: datetime | None = None
) -> Steps[int]:
    """How many entities fit, exactly."""
    plan = yield from _prepared(city, wanted, known, now)
    if wanted.geo is not None:
        return len((yield from _placed(plan, None)))
    begun = plan.begun()
    plain = replace(wanted, ordering=None) == Filter(selectors=wanted.selectors)
    if plain and plan.type is not None and not wanted.selectors[0].id_pattern:
        return (yield from _count_of_type(begun, plan.type))
    more = [f"e.eid IN ({one.sql(begun)})" for one in candidates(wanted)]
    condition = plan.condition(begun, *more)
    rows = yield _ask(begun, f"SELECT count(*) FROM hub_entity e WHERE {condition}")
    return rows[0][0]


def _count_of_type(begun: Conditions, iri: str) -> Steps[int]:
    """A type's entities without a look at them, but for those that have expired."""
    rows = yield _ask(
        begun,
        "SELECT count(*) FROM hub_entity_type k WHERE k.city = $1"
        f" AND k.type_id = {begun.number(iri)} AND k.eid NOT IN (SELECT x.eid FROM hub_entity x"
        f" WHERE x.city = $1 AND x.expires_at <= {begun.present()}"
        " UNION ALL SELECT hub_hidden($1))",
    )
    return rows[0][0]


def retrieve(
    city: str, uri: str, *, known: Dictionary | None = None, now: datetime | None = None
) -> Steps[Found | None]:
    """One entity by its id; None when there is none, or it has expired."""
    present = now or datetime.now(UTC)
    rows = yield Ask(
        f"SELECT {_COLUMNS} FROM hub_entity e WHERE e.city = $1 AND e.uri = $2"
        " AND (e.expires_at IS NULL OR e.expires_at > $3)",
        (city, uri, present),
    )
    found = yield from _found(city, rows, known, present)
    return found[0] if found else None


def retrieve_unless(
    city: str,
    uri: str,
    held: Mark | None,
    *,
    known: Dictionary | None = None,
    now: datetime | None = None,
) -> Steps[tuple[Mark, Found | None] | None]:
    """The version of one entity by its id, and the entity unless it is the version held already.

    None when there is none, or it has expired. It takes one statement.
    """
    present = now or datetime.now(UTC)
    _, transaction, modified, _ = held or (0, "", 0.0, False)
    rows = yield Ask(_UNLESS, (city, uri, present, transaction, modified))
    if not rows:
        return None
    mark = Mark(rows[0][0], rows[0][9], rows[0][10], rows[0][8])
    if rows[0][4] is not None:
        return mark, (yield from _found(city, rows, known, present))[0]
    if not mark.measured:
        return mark, None
    return (yield from retrieve_unless(city, uri, None, known=known, now=present))


def find_by_ids(
    city: str,
    uris: Sequence[str],
    *,
    known: Dictionary | None = None,
    now: datetime | None = None,
) -> Steps[dict[str, Found]]:
    """Those of these entities that are there, by id."""
    if not uris:
        return {}
    found = yield from find(city, by_ids(*uris), len(uris), known=known, now=now)
    return {one.document.uri: one for one in found}


def _page(plan: _Plan, limit: int, offset: int) -> Steps[Sequence[Sequence[Any]]]:
    """A page in the order of entities' numbers, by the way that reads least.

    PostgreSQL chooses as it goes: the first term with few candidates gives these; without one it is
    the type's first entities, which fill the page where many fit. Where they do not, the candidates
    that all terms have in common are asked for.
    """
    page = f"LIMIT {limit} OFFSET {offset}"
    found = [] if plan.has_ids else candidates(plan.wanted)
    if not found:
        return (yield _in_order(plan, page))
    rows = yield _few_or_first(plan, found, page)
    got = [row for row in rows if row[0] is not None]
    if len(got) == limit or rows[0][-1] >= 0:
        return got
    begun = plan.begun()
    numbers = " INTERSECT ".join(f"({one.sql(begun)})" for one in found)
    condition = plan.condition(begun, f"e.eid = ANY(ARRAY({numbers}))")
    sql = f"SELECT {plan.columns} FROM hub_entity e WHERE {condition} ORDER BY e.eid {page}"
    return (yield _ask(begun, sql))


def _few_or_first(plan: _Plan, found: Sequence[Candidates], page: str) -> Ask:
    """A page among few candidates, or else among the first entities. A row's last column is the
    number of the term whose candidates were taken, or -1; there is always one row."""
    begun = plan.begun()
    found = sorted(found, key=lambda one: one.open)
    places = range(len(found))
    few = [FEW // 6 if one.open else FEW for one in found]
    sets = [
        f"c{n} AS MATERIALIZED (SELECT ARRAY({found[n].sql(begun)} LIMIT {few[n] + 1}) AS eids)"
        for n in places
    ]
    ways = " ".join(
        f"WHEN (SELECT cardinality(eids) FROM c{n}) <= {few[n]} THEN {n}" for n in places
    )
    arrays = " ".join(f"WHEN {n} THEN (SELECT eids FROM c{n})" for n in places)
    first = f"ARRAY(SELECT k.eid FROM {_held(plan, begun)} ORDER BY k.eid LIMIT {_LOOK_THROUGH})"
    chosen = f"e.eid = ANY(CASE (SELECT way FROM chosen) {arrays} ELSE {first} END)"
    condition = plan.condition(begun, chosen)
    return _ask(
        begun,
        f"WITH {', '.join(sets)},"
        f" chosen AS MATERIALIZED (SELECT CASE {ways} ELSE -1 END AS way)"
        f" SELECT f.*, chosen.way FROM chosen LEFT JOIN LATERAL (SELECT {plan.columns}"
        f" FROM hub_entity e WHERE {condition} ORDER BY e.eid {page}) f ON true",
    )


def _held(plan: _Plan, begun: Conditions) -> str:
    """The entities of the one type looked for, or all."""
    if plan.type is None:
        return "hub_entity k WHERE k.city = $1"
    return f"hub_entity_type k WHERE k.city = $1 AND k.type_id = {begun.number(plan.type)}"


def _in_order(plan: _Plan, page: str) -> Ask:
    """Entities in the order of their numbers, by way of their type when it is just one."""
    begun = plan.begun()
    some, order = "", "e.eid"
    if plan.type is not None:
        some = f" JOIN (SELECT k.eid FROM {_held(plan, begun)}) k ON k.eid = e.eid"
        order = "k.eid"
    return _ask(
        begun,
        f"SELECT {plan.columns} FROM hub_entity e{some} WHERE {plan.condition(begun)}"
        f" ORDER BY {order} {page}",
    )


def _placed(plan: _Plan, enough: int | None) -> Steps[list[int]]:
    """The numbers of entities that fit a place, or in an order that takes more than SQL."""
    wanted, begun = plan.wanted, plan.begun()
    if wanted.geo is None:
        return (yield from ordered_in_memory(wanted, begun, plan.condition(begun)))
    more = [f"e.eid IN ({one.sql(begun)})" for one in candidates(wanted)]
    condition = plan.condition(begun, *more)
    ordering = wanted.ordering
    eids = yield from place_candidates(wanted.geo, begun, condition, None if ordering else enough)
    if ordering is None or enough is None:
        return eids
    begun = plan.begun()
    held = begun.statement.bind(eids, "bigint[]")
    condition = f"e.city = $1 AND e.eid = ANY({held})"
    return (yield from ordered_in_memory(wanted, begun, condition))


def _rows_of(plan: _Plan, eids: Sequence[int]) -> Steps[Sequence[Sequence[Any]]]:
    """These entities, in this order."""
    if not eids:
        return []
    rows = yield Ask(
        f"SELECT {plan.columns} FROM hub_entity e WHERE e.city = $1 AND e.eid = ANY($2::bigint[])",
        (plan.city, list(eids)),
    )
    held = {row[0]: row for row in rows}
    return [held[eid] for eid in eids if eid in held]


def _found(
    city: str, rows: Sequence[Sequence[Any]], known: Dictionary | None, now: datetime
) -> Steps[list[Found]]:
    """Rows as entities, with the newest points of series laid over their attributes, and without
    attributes that have expired."""
    iris = yield from names(city, {n for row in rows for n in row[2]}, known)
    found = [
        Found(
            eid,
            Document(
                uri,
                [iris[n] for n in types],
                list(scopes),
                doc,
                time_text(expires) if expires else None,
                _stamp(created),
                _stamp(modified),
            ),
            created,
            modified,
        )
        for eid, uri, types, scopes, doc, created, modified, expires, *_ in rows
    ]
    measured = [row[0] for row in rows if row[8]]
    if measured:
        points = yield Ask(_LATEST, (city, measured))
        documents = {one.eid: one.document for one in found}
        for eid, iri, unit, at, number in points:
            lay_point(documents[eid], iri, number, unit, at)
    for place, one in enumerate(found):
        there = live(one.document, now)
        if there is not one.document:
            found[place] = replace(one, document=there)
    return found


def _stamp(moment: datetime) -> str:
    """`time_text` of what the database told, which is in UTC mostly."""
    text = moment.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else time_text(moment)


def lay_point(document: Document, iri: str, number: float, unit: str, at: datetime) -> None:
    """Lay a series' newest point over an attribute, unless the document's value is newer."""
    instances = document.attrs.setdefault(iri, [{"type": "Property", "value": number}])
    plain = next((i for i in instances if "datasetId" not in i), None)
    if plain is None:
        plain = {"type": "Property", "value": number}
        instances.insert(0, plain)
    stamp = plain.get("observedAt")
    if stamp is None or datetime.fromisoformat(stamp) <= at:
        plain |= {"value": number, "unitCode": unit_code(unit), "observedAt": time_text(at)}
