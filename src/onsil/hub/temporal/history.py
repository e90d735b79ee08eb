"""What a write leaves in the history: called by the write path, within its transaction.

A number with observedAt goes into the series that waits for it, by that series' rules; where there
is none, it becomes a point of a plain series; everything else is a row of its own. Nothing that was
is overwritten: another value for the same time stands beside the first.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from onsil.hub.arrays import instants, microseconds
from onsil.hub.arrays import numbers as number_array
from onsil.hub.changes import Change
from onsil.hub.documents import VALUE_KEYS
from onsil.hub.record import record_steps
from onsil.hub.steps import Ask, Steps
from onsil.hub.storing import Block, Row, store
from onsil.hub.temporal.instances import (
    RECORDED,
    SCOPE,
    Entry,
    deletion_of,
    entries_of,
    scope_entry,
)
from onsil.hub.terms import Reading
from onsil.hub.vocabulary import Dictionary
from onsil.hub.vocabulary import find as find_terms

_ENTITIES = """
WITH given AS (
  SELECT g.uri, g.at, g.deleted, g.expires,
         ARRAY(SELECT t.term_id FROM jsonb_array_elements_text(g.types) x
                 JOIN hub_term t ON t.city = $1 AND t.iri = x ORDER BY 1) AS types
    FROM unnest($2::text[], $3::jsonb[], $4::timestamptz[], $5::bool[], $6::timestamptz[])
         AS g(uri, types, at, deleted, expires)
), kept AS (
  INSERT INTO hub_temporal_entity
    (city, uri, type_ids, created_at, modified_at, deleted_at, expires_at)
  SELECT $1, uri, types, at, at, CASE WHEN deleted THEN at END, expires
    FROM given ORDER BY uri
  ON CONFLICT (city, uri) DO UPDATE SET
    type_ids = ARRAY(SELECT unnest(hub_temporal_entity.type_ids)
                     UNION SELECT unnest(EXCLUDED.type_ids) ORDER BY 1),
    modified_at = greatest(hub_temporal_entity.modified_at, EXCLUDED.modified_at),
    deleted_at = (SELECT CASE WHEN g.deleted IS NULL THEN hub_temporal_entity.deleted_at
                              WHEN g.deleted THEN g.at END
                    FROM given g WHERE g.uri = EXCLUDED.uri),
    expires_at = coalesce(EXCLUDED.expires_at, hub_temporal_entity.expires_at)
  RETURNING teid, uri, type_ids, xmax = 0 AS new
), typed AS (
  INSERT INTO hub_temporal_type (city, type_id, uri, teid)
  SELECT $1, type_id, uri, teid FROM kept, unnest(type_ids) type_id
  ON CONFLICT DO NOTHING
)
SELECT uri, new FROM kept
"""

# Only what is missing: each row that is tried takes a number of the sequence.
_LEARN = """
INSERT INTO hub_term (city, iri) SELECT $1, u.iri FROM unnest($2::text[]) AS u(iri)
 WHERE NOT EXISTS (SELECT FROM hub_term t WHERE t.city = $1 AND t.iri = u.iri) ORDER BY u.iri
ON CONFLICT DO NOTHING
"""

_TYPES = """
SELECT e.uri, array_agg(t.iri) FROM hub_entity e, unnest(e.type_ids) n
  JOIN hub_term t ON t.city = $1 AND t.term_id = n
 WHERE e.city = $1 AND e.uri = ANY($2::text[]) GROUP BY e.uri
"""

_LOOK_UP = """
SELECT k.uri, te.teid,
       (SELECT jsonb_object_agg(p.attr_id, jsonb_build_array(p.series_id, p.unit))
          FROM hub_plain_series p WHERE p.city = $1 AND p.teid = te.teid),
       ARRAY(SELECT s.attr_id FROM hub_entity e JOIN hub_series s ON s.city = $1 AND s.eid = e.eid
              WHERE e.city = $1 AND e.uri = k.uri),
       (SELECT hub_ensure_instance_months($3::text[]) IS NULL)
  FROM unnest($2::text[]) AS k(uri)
  LEFT JOIN hub_temporal_entity te ON te.city = $1 AND te.uri = k.uri
"""

_PLAIN = """
INSERT INTO hub_plain_series (city, teid, attr_id, unit)
SELECT DISTINCT ON (teid, attr) $1, teid, attr, unit
  FROM unnest($2::bigint[], $3::int[], $4::text[]) AS t(teid, attr, unit) ORDER BY teid, attr
ON CONFLICT (city, teid, attr_id) DO NOTHING
"""

_ADD = """
INSERT INTO hub_instance (city, teid, attr_id, dataset_id, ts, created_at, modified_at,
                          observed_at, deleted_at, num, body)
SELECT $1, teid, attr, dataset, ts, at, at, observed, deleted, num, body
  FROM ROWS FROM (unnest($2::text::bigint[]), unnest($3::text::int[]), unnest($4::text[]),
                  unnest($5::text::timestamptz[]), unnest($6::text::timestamptz[]),
                  unnest($7::text::timestamptz[]), unnest($8::text::timestamptz[]),
                  unnest($9::text::float8[]), jsonb_array_elements($10::text::jsonb))
       AS t(teid, attr, dataset, ts, at, observed, deleted, num, body)
"""


class _Place(NamedTuple):
    """Where an entry belongs."""

    teid: int
    attr_id: int
    plain_id: int | None
    unit: str | None
    governed: bool


def append_changes(
    city: str, changes: Sequence[Change], terms: Dictionary | None = None
) -> Steps[None]:
    """Note what became of entities in the temporal evolution. One change an entity at most."""
    moved = [c for c in changes if c.before is None or c.after is None or _other_kind(c)]
    if moved:
        yield from keep_entities(city, [_kept(change) for change in moved], terms)
    entries = [entry for change in changes for entry in entries_of(change)]
    yield from append_entries(city, entries, terms)


def _other_kind(change: Change) -> bool:
    assert change.before is not None
    assert change.after is not None
    before, after = change.before, change.after
    return (before.types, _expiry(before)) != (after.types, _expiry(after))


def _expiry(document: object) -> datetime | None:
    """When an entity as a whole is no longer of use, where its document says so."""
    text = getattr(document, "expires_at", None)
    return datetime.fromisoformat(text) if text else None


class Kept(NamedTuple):
    """An entity to be known to the history; `deleted` None leaves that as it is."""

    uri: str
    types: list[str]
    at: datetime
    deleted: bool | None = None
    expires_at: datetime | None = None


def _kept(change: Change) -> Kept:
    document = change.after or change.before
    assert document is not None
    deleted = change.after is None
    return Kept(change.uri, document.types, change.at, deleted, _expiry(document))


def keep_entities(
    city: str, kept: Sequence[Kept], terms: Dictionary | None = None
) -> Steps[dict[str, bool]]:
    """Know these entities, with these types beside earlier ones; whether each is new."""
    known = terms.numbers(city) if terms else {}
    iris = sorted({iri for one in kept for iri in one.types if iri not in known})
    if iris:
        yield Ask(_LEARN, (city, iris))
    rows = yield Ask(_ENTITIES, (
        city, [one.uri for one in kept], [orjson.dumps(one.types).decode() for one in kept],
        [one.at for one in kept], [one.deleted for one in kept], [one.expires_at for one in kept],
    ))  # fmt: skip
    return {uri: new for uri, new in rows}


def append_entries(
    city: str, entries: Sequence[Entry], terms: Dictionary | None = None
) -> Steps[None]:
    """Write instances into the history of entities it knows."""
    if not entries:
        return
    places = yield from _look_up(city, entries, terms)
    pairs = list(zip(entries, places, strict=True))
    governed = [entry for entry, place in pairs if place.governed and entry.timed_number]
    if governed:
        yield from _record(city, governed)
    points = [
        (entry, place) for entry, place in pairs
        if entry.plain and not place.governed and place.unit in (None, _unit(entry))
    ]  # fmt: skip
    kept = {id(entry) for entry in governed if entry.plain}
    kept |= (yield from _store_points(city, points)) if points else set()
    for entry in governed:
        entry.body[RECORDED] = True
    yield from _add(city, [pair for pair in pairs if id(pair[0]) not in kept])


def _unit(entry: Entry) -> str:
    return str(entry.body.get("unitCode", ""))


def _look_up(
    city: str, entries: Sequence[Entry], terms: Dictionary | None = None
) -> Steps[list[_Place]]:
    months = sorted({f"{ts:%Y-%m}-01" for ts in {e.ts for e in entries} if ts.year >= 2000})
    uris = sorted({entry.uri for entry in entries})
    numbers = yield from _numbers(city, {entry.iri for entry in entries}, terms)
    ask = Ask(_LOOK_UP, (city, uris, months))
    rows = yield ask
    unknown = {uri for uri, teid, *_ in rows if teid is None}
    if unknown:
        types = yield Ask(_TYPES, (city, sorted(unknown)))
        found: dict[str, list[str]] = {uri: list(iris) for uri, iris in types}
        when = {e.uri: e.at for e in entries if e.uri in unknown}
        yield from keep_entities(
            city, [Kept(uri, found.get(uri, []), at) for uri, at in when.items()], terms
        )
        rows = yield ask
    held = {uri: (teid, plain or {}, governed) for uri, teid, plain, governed, _ in rows}
    made = []
    for entry in entries:
        (teid, plain, governed), number = held[entry.uri], numbers[entry.iri]
        plain_id, unit = plain.get(str(number), (None, None)) if plain else (None, None)
        made.append(_Place(teid, number, plain_id, unit, number in governed))
    return made


def _numbers(city: str, iris: set[str], terms: Dictionary | None) -> Steps[dict[str, int]]:
    """The numbers of attributes, new ones written down. What is found is not noted in `terms`: it
    may be this very transaction's."""
    known = terms.numbers(city) if terms else {}
    numbers = {iri: known[iri] for iri in iris if iri in known}
    if len(numbers) == len(iris):
        return numbers
    numbers |= yield from find_terms(city, iris - numbers.keys())
    if not iris <= numbers.keys():
        yield Ask(_LEARN, (city, sorted(iris - numbers.keys())))
        numbers |= yield from find_terms(city, iris)
    return numbers


def _record(city: str, entries: Sequence[Entry]) -> Steps[None]:
    """Readings of registered series, by their rules."""
    readings = [
        Reading(e.uri, e.iri, e.observed_at or e.at, e.body["value"], _unit(e), e.at)
        for e in entries
    ]  # fmt: skip
    yield from record_steps(city, readings, max(e.at for e in entries), "ngsi-ld")


def _store_points(city: str, pairs: Sequence[tuple[Entry, _Place]]) -> Steps[set[int]]:
    """Points of plain series; the ids of the entries that are now kept so."""
    missing = [(entry, place) for entry, place in pairs if place.plain_id is None]
    if missing:
        yield Ask(_PLAIN, (city, [p.teid for _, p in missing], [p.attr_id for _, p in missing],
                           [_unit(e) for e, _ in missing]))  # fmt: skip
        places = yield from _look_up(city, [entry for entry, _ in pairs])
        pairs = [(entry, place) for (entry, _), place in zip(pairs, places, strict=True)
                 if place.unit == _unit(entry)]  # fmt: skip
    rows: dict[tuple[int, int], tuple[Row, int]] = {}
    kept: set[int] = set()
    for index, (entry, place) in enumerate(pairs):
        assert place.plain_id is not None
        assert entry.observed_at is not None
        assert entry.num is not None
        ts = microseconds(entry.observed_at)
        row = Row(place.plain_id, ts, index, entry.num, microseconds(entry.at), False)
        first, _ = rows.setdefault((place.plain_id, ts), (row, index))
        if first.num == row.num:
            kept.add(id(entry))
    ordered = [row for _, (row, _) in sorted(rows.items())]
    done = yield from store(city, Block.of(ordered), correct=False)
    for other in done.overwritten:
        row = ordered[other.place]
        kept -= {id(e) for e, p in pairs if p.plain_id == row.series_id
                 and e.observed_at and microseconds(e.observed_at) == row.ts}  # fmt: skip
    return kept


def _add(city: str, pairs: Sequence[tuple[Entry, _Place]]) -> Steps[None]:
    if not pairs:
        return
    entries = [entry for entry, _ in pairs]
    yield Ask(_ADD, (
        city, number_array(p.teid for _, p in pairs), number_array(p.attr_id for _, p in pairs),
        [e.dataset for e in entries], instants(e.ts for e in entries),
        instants(e.at for e in entries), instants(e.observed_at for e in entries),
        instants(e.deleted_at for e in entries), number_array(e.num for e in entries),
        orjson.dumps([e.body for e in entries]).decode(),
    ))  # fmt: skip


_PAST = """
SELECT i.body ->> 'type', i.dataset_id
  FROM hub_temporal_entity te JOIN hub_term t ON t.city = $1 AND t.iri = $3
  JOIN hub_instance i ON i.city = $1 AND i.teid = te.teid AND i.attr_id = t.term_id
 WHERE te.city = $1 AND te.uri = $2 GROUP BY 1, 2
UNION
SELECT 'Property', ''
  FROM hub_temporal_entity te JOIN hub_term t ON t.city = $1 AND t.iri = $3
  JOIN hub_plain_series p ON p.city = $1 AND p.teid = te.teid AND p.attr_id = t.term_id
 WHERE te.city = $1 AND te.uri = $2
"""


def delete_past_attribute(
    city: str, uri: str, iri: str, dataset_id: str | None, every: bool, now: datetime
) -> Steps[bool]:
    """Note the deletion of an attribute of an entity that only the history knows (§5.6.5).

    False: the history knows no such attribute either.
    """
    rows = yield Ask(_PAST, (city, uri, iri))
    gone = {dataset: kind for kind, dataset in rows if every or dataset == (dataset_id or "")}
    if not gone:
        return False
    entries = (
        [scope_entry(uri, [], now)] if iri == SCOPE
        else [deletion_of(uri, iri, kind if kind in VALUE_KEYS else "Property", dataset, now)
              for dataset, kind in gone.items()]
    )  # fmt: skip
    yield from append_entries(city, entries)
    return True


_UNMEASURED = """
SELECT teid, uri FROM hub_temporal_entity te
 WHERE city = $1 AND ($2::text[] IS NULL OR uri = ANY($2))
   AND NOT EXISTS (SELECT FROM hub_entity e JOIN hub_series s ON s.city = $1 AND s.eid = e.eid
                    WHERE e.city = $1 AND e.uri = te.uri)
 ORDER BY uri FOR UPDATE
"""
_PLAIN_OF = "SELECT series_id FROM hub_plain_series WHERE city = $1"


def forget(city: str, uris: Iterable[str] | None = None) -> Steps[list[str]]:
    """Remove entities' temporal evolution (§5.6.16), all of the city's without `uris`.

    Entities with registered series keep theirs. Returns the URIs whose evolution is gone.
    """
    wanted = None if uris is None else sorted(uris)
    rows = yield Ask(_UNMEASURED, (city, wanted))
    teids = [teid for teid, _ in rows]
    if not teids:
        return []
    plain = yield Ask(_PLAIN_OF + " AND teid = ANY($2::bigint[])", (city, teids))
    if plain:
        numbers = [number for (number,) in plain]
        yield Ask("SELECT hub_delete_plain($1, $2::int[])", (city, numbers))
    yield Ask("DELETE FROM hub_instance WHERE city = $1 AND teid = ANY($2::bigint[])",
              (city, teids))  # fmt: skip
    yield Ask("DELETE FROM hub_temporal_entity WHERE city = $1 AND teid = ANY($2::bigint[])",
              (city, teids))  # fmt: skip
    return [uri for _, uri in rows]
