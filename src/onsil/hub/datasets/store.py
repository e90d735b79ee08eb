"""Data sets in the database: loaded from the city's file, found, counted when they are used."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

import orjson

from onsil.hub.contexts import CORE
from onsil.hub.datasets.access import close_all
from onsil.hub.datasets.registry import Catalogue, Dataset, Said, dataset_of
from onsil.hub.query.type_selection import parse_type_selection, types_in
from onsil.hub.steps import Ask, Steps

_PUT = """
INSERT INTO hub_dataset (city, dataset_id, type_iri, doc, created_at, modified_at)
SELECT $1, t.id, t.iri, t.doc, $5, $5
  FROM unnest($2::text[], $3::text[], $4::jsonb[]) AS t(id, iri, doc)
ON CONFLICT (city, dataset_id) DO UPDATE
   SET doc = excluded.doc, type_iri = excluded.type_iri, modified_at = excluded.modified_at
 WHERE hub_dataset.doc IS DISTINCT FROM excluded.doc
"""
_FORGET = "DELETE FROM hub_dataset WHERE city = $1 AND dataset_id <> ALL($2::text[])"
_CATALOGUE = """
INSERT INTO hub_catalogue (city, doc, modified_at) VALUES ($1, $2::jsonb, $3)
ON CONFLICT (city) DO UPDATE SET doc = excluded.doc, modified_at = excluded.modified_at
 WHERE hub_catalogue.doc IS DISTINCT FROM excluded.doc
"""
_LIST = "SELECT doc, created_at, modified_at FROM hub_dataset WHERE city = $1"
_USE = """
INSERT INTO hub_dataset_use (city, dataset_id, day, form, uses)
SELECT $1, t.id, $2::date, t.form, t.uses
  FROM unnest($3::text[], $4::text[], $5::bigint[]) AS t(id, form, uses)
ON CONFLICT (city, dataset_id, day, form) DO UPDATE
   SET uses = hub_dataset_use.uses + excluded.uses
"""


class Entry(NamedTuple):
    """A stored data set with its times."""

    dataset: Dataset
    created_at: datetime
    modified_at: datetime


class DayUse(NamedTuple):
    """How often a data set was used in one form on one UTC day."""

    dataset: str
    day: date
    form: str
    uses: int


class Use(NamedTuple):
    """How often a data set was used in one form: in all, and in the last thirty days."""

    form: str
    total: int
    lately: int


def put_datasets(
    city: str, catalogue: Catalogue | None, datasets: Sequence[Dataset], now: datetime
) -> Steps[None]:
    """Make the city's data sets exactly these; twice changes nothing.

    Entities are closed or opened as the data sets on request say.
    """
    before = {one.dataset for one in (yield from datasets_of(city)) if not one.dataset.open}
    yield Ask(_FORGET, (city, [one.id for one in datasets]))
    iris = [_type(one) for one in datasets]
    docs = [orjson.dumps(one.as_json()).decode() for one in datasets]
    if datasets:
        yield Ask(_PUT, (city, [one.id for one in datasets], iris, docs, now))
    if before != {one for one in datasets if not one.open}:
        yield from close_all(city, datasets)
    if catalogue is not None:
        yield Ask(_CATALOGUE, (city, orjson.dumps(asdict(catalogue)).decode(), now))


def _type(dataset: Dataset) -> str:
    tree = parse_type_selection(dataset.type)
    return next(iter(types_in(tree)), CORE.iri(dataset.type))


def catalogue_of(city: str) -> Steps[Catalogue]:
    """How the city's catalogue is called; a plain name where nobody said."""
    rows = yield Ask("SELECT doc FROM hub_catalogue WHERE city = $1", (city,))
    if not rows:
        return Catalogue(
            Said(f"{city} 데이터", f"Data of {city}"),
            Said(f"{city}의 데이터 목록", f"The data sets of {city}"),
            Said(city, city),
        )
    return Catalogue(**{name: Said(**said) for name, said in rows[0][0].items()})


def datasets_of(city: str) -> Steps[list[Entry]]:
    """The city's data sets, by id."""
    rows = yield Ask(_LIST + " ORDER BY dataset_id", (city,))
    return [Entry(dataset_of(doc), made, changed) for doc, made, changed in rows]


def dataset(city: str, id: str) -> Steps[Entry | None]:
    """One data set; None when there is none of this id."""
    rows = yield Ask(_LIST + " AND dataset_id = $2", (city, id))
    return Entry(dataset_of(rows[0][0]), *rows[0][1:]) if rows else None


def datasets_of_types(city: str, types: Iterable[str]) -> Steps[list[Dataset]]:
    """The data sets whose type is one of these IRIs."""
    rows = yield Ask(
        "SELECT doc FROM hub_dataset WHERE city = $1 AND type_iri = ANY($2::text[])"
        " ORDER BY dataset_id",
        (city, list(types)),
    )
    return [dataset_of(doc) for (doc,) in rows]


def count_use(city: str, id: str, form: str, now: datetime) -> Steps[None]:
    """Note one use: a page seen or a file taken."""
    yield from count_uses(city, [(id, form, 1)], now)


def count_uses(city: str, uses: Sequence[tuple[str, str, int]], now: datetime) -> Steps[None]:
    """Note uses: data set, form and how many; never by whom."""
    ordered = sorted(uses)
    ids, forms, numbers = ([one[place] for one in ordered] for place in range(3))
    yield Ask(_USE, (city, now.date(), ids, forms, numbers))


def uses_by_day(city: str, since: date, id: str = "") -> Steps[list[DayUse]]:
    """How often data sets (or just one) were used, by day and form, from a day on."""
    rows = yield Ask(
        "SELECT dataset_id, day, form, uses FROM hub_dataset_use WHERE city = $1"
        " AND day >= $2::date AND ($3 = '' OR dataset_id = $3) ORDER BY 1, 2, 3",
        (city, since, id),
    )
    return [DayUse(*row) for row in rows]


def uses(city: str, id: str, today: date) -> Steps[list[Use]]:
    """How often it was used, by form."""
    rows = yield Ask(
        "SELECT form, sum(uses)::bigint,"
        " coalesce(sum(uses) FILTER (WHERE day > $3::date), 0)::bigint"
        " FROM hub_dataset_use WHERE city = $1 AND dataset_id = $2 GROUP BY form ORDER BY form",
        (city, id, today - timedelta(days=30)),
    )
    return [Use(*row) for row in rows]
