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
from onsil.hub.query.finding import Mark, count, find, find_marked, find_marks
from onsil.hub.steps import Steps
from onsil.hub.vocabulary import Dictionary

BYTES_MAX = 32 * 1024 * 1024
_ENTRY_BYTES = 400  # what an entry takes beside its text

# Which tenant's entity, in which version, and how it is written.
Key = tuple[str, int, str, float, Context, Representation]


class Page(NamedTuple):
    """Entities' texts; how many fit in all, if that was asked for; whether there are more."""

    texts: list[orjson.Fragment]
    total: int | None
    more: bool


class Rendered:
    """The texts used last, up to so many bytes."""

    def __init__(self, most: int = BYTES_MAX) -> None:
        self._most, self._bytes = most, 0
        self._texts: OrderedDict[Key, bytes] = OrderedDict()

    def get(self, key: Key) -> bytes | None:
        text = self._texts.get(key)
        if text is not None:
            self._texts.move_to_end(key)
        return text

    def keep(self, key: Key, text: bytes) -> None:
        if key in self._texts:
            return
        self._texts[key] = text
        self._bytes += len(text) + _ENTRY_BYTES
        while self._bytes > self._most:
            _, gone = self._texts.popitem(last=False)
            self._bytes -= len(gone) + _ENTRY_BYTES

    def __len__(self) -> int:
        return len(self._texts)


def is_plain(criteria: Criteria, form: Asked) -> bool:
    """Whether entities are shown whole, as they are stored, in the order they were made in."""
    wanted = criteria.filter
    return (
        wanted.geo is None and wanted.ordering is None and not criteria.join
        and criteria.attrs is None and criteria.selection is ALL and criteria.datasets is None
        and criteria.lang is None and not form.system and not form.geo_json
        and not form.context_inside and form.version is None
    )  # fmt: skip


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
        text = None if mark.measured else rendered.get((city, *mark[:3], *how))
        if text is None:
            missing.append(place)
        texts.append(text or b"")
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
        if not mark.measured and not _expires(document):
            rendered.keep((city, *mark[:3], *how), texts[place])
    return texts


def _text(document: Document, form: Asked) -> bytes:
    return orjson.dumps(render(document, form.context, form.representation))


def _expires(document: Document) -> bool:
    """Whether an attribute of it may be gone before the entity changes."""
    return any("expiresAt" in one for many in document.attrs.values() for one in many)
