"""Entities as they were last written out, by the version of their row.

Queries that are asked again and again mostly find entities that have not changed. So a page is
read in two steps: which versions of which entities, decided by the database, and then only those
whose text is not at hand. What changes with time and not with the row is never kept: values laid
over by series, and attributes that expire.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from onsil.hub.contexts import Context
from onsil.hub.documents import ALL, Document, Representation, render
from onsil.hub.http.asking import Asked
from onsil.hub.http.criteria import Criteria
from onsil.hub.query.finding import (
    Mark,
    count,
    find,
    find_marked,
    find_marks,
    retrieve_unless,
)
from onsil.hub.steps import Steps
from onsil.hub.vocabulary import Dictionary

BYTES_MAX = 24 * 1024 * 1024
_ENTRY_BYTES = 400  # what an entry takes beside its text

# Which tenant's entity, by number or id, and how it is written.
Key = tuple[str, int | str, Context, Representation]


class Kept(NamedTuple):
    """The text of one version of an entity."""

    mark: Mark
    text: bytes


class Page(NamedTuple):
    """Entities' texts; how many fit in all, if that was asked for; whether there are more."""

    texts: list[orjson.Fragment]
    total: int | None
    more: bool


class Rendered:
    """The texts used last, up to so many bytes; of an entity, that of its newest version."""

    def __init__(self, most: int = BYTES_MAX) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def get(self, key: Key) -> Kept | None:
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def keep(self, key: Key, mark: Mark, text: bytes) -> None:
        old = self._kept.pop(key, None)
        self._kept[key] = Kept(mark, text)
        self._bytes += len(text) - len(old.text) if old else len(text) + _ENTRY_BYTES
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.text) + _ENTRY_BYTES

    def __len__(self) -> int:
        return len(self._kept)


def is_plain(criteria: Criteria, form: Asked) -> bool:
    """Whether entities are shown whole, as they are stored, in the order they were made in."""
    return (
        criteria.filter.ordering is None and not criteria.join
        and criteria.attrs is None and criteria.selection is ALL and criteria.datasets is None
        and criteria.lang is None and is_whole(form)
    )  # fmt: skip


def is_whole(form: Asked) -> bool:
    """Whether the form adds nothing to an entity and turns it into nothing else."""
    return not (form.system or form.geo_json or form.context_inside or form.version)


def rendered_page(
    rendered: Rendered, city: str, criteria: Criteria, form: Asked, limit: int, offset: int, *,
    counted: bool, known: Dictionary, now: datetime,
) -> Steps[Page]:  # fmt: skip
    """A page of a plain query."""
    wanted = criteria.filter
    marks: Sequence[Mark] = ()
    if limit:  # one more than the page tells whether there is a next one
        marks = yield from find_marks(city, wanted, limit + 1, offset, known=known, now=now)
    more, marks = len(marks) > limit, marks[:limit]
    texts = yield from _texts(rendered, city, marks, form, known, now)
    if texts is None:  # one was written between the two steps
        found = yield from find(city, wanted, limit, offset, known=known, now=now)
        texts = [_text(one.document, form) for one in found]
    total = None
    if counted:
        total = yield from count(city, wanted, known=known, now=now)
    return Page([orjson.Fragment(text) for text in texts], total, more)


def _texts(
    rendered: Rendered, city: str, marks: Sequence[Mark], form: Asked, known: Dictionary,
    now: datetime,
) -> Steps[list[bytes] | None]:  # fmt: skip
    """The texts of these versions in their order; None when one of them is gone."""
    how = form.context, form.representation
    texts: list[bytes] = []
    missing: list[int] = []
    for place, mark in enumerate(marks):
        kept = None if mark.measured else rendered.get((city, mark.eid, *how))
        if kept is None or kept.mark != mark:
            missing.append(place)
            texts.append(b"")
        else:
            texts.append(kept.text)
    if not missing:
        return texts
    found = yield from find_marked(city, [marks[p] for p in missing], known=known, now=now)
    if found is None:
        return None
    there = {one.eid: one.document for one in found}
    for place in missing:
        mark = marks[place]
        document = there[mark.eid]
        texts[place] = _text(document, form)
        if _lasts(mark, document):
            rendered.keep((city, mark.eid, *how), mark, texts[place])
    return texts


def rendered_entity(
    rendered: Rendered, city: str, uri: str, form: Asked, known: Dictionary, now: datetime
) -> Steps[bytes | None]:
    """The text of one entity; None when there is none. It is read unless it is at hand."""
    key = (city, uri, form.context, form.representation)
    kept = rendered.get(key)
    there = yield from retrieve_unless(city, uri, kept and kept.mark, known=known, now=now)
    if there is None:
        return None
    mark, found = there
    if found is None:
        assert kept is not None
        return kept.text
    text = _text(found.document, form)
    if _lasts(mark, found.document):
        rendered.keep(key, mark, text)
    return text


def _text(document: Document, form: Asked) -> bytes:
    return orjson.dumps(render(document, form.context, form.representation))


def _lasts(mark: Mark, document: Document) -> bool:
    """Whether the text holds until the row changes: no series, no attribute that expires."""
    return not mark.measured and not any(
        "expiresAt" in one for many in document.attrs.values() for one in many
    )
