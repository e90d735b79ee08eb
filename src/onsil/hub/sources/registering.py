"""Registering, changing and removing context sources, as steps (§5.9)."""

from collections.abc import Callable
from datetime import datetime

from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.finding import find
from onsil.hub.query.type_selection import any_of
from onsil.hub.sources.checking import Draft
from onsil.hub.sources.compiling import compiled
from onsil.hub.sources.matching import overlap
from onsil.hub.sources.store import (
    as_json,
    create_registration,
    delete_registration,
    find_registration,
    list_registrations,
    next_version,
    write_registration,
)
from onsil.hub.sources.terms import PROXIED, Info, Registration
from onsil.hub.steps import Steps
from onsil.hub.subscriptions.outbox import enqueue_source_changes
from onsil.hub.subscriptions.terms import SourceChange


class Conflict(ValueError):
    """The registration's data are registered or held elsewhere already (§5.9.2.4)."""


class Known(ValueError):
    """There is a registration with this id already."""


def register(city: str, draft: Draft, now: datetime) -> Steps[None]:
    """Store a registration and tell subscribers. Raises Known or Conflict."""
    yield from next_version(city)
    there = yield from find_registration(city, draft.uri)
    if there is not None:
        raise Known(draft.uri)
    yield from _check_conflicts(city, compiled(city, 0, draft.uri, draft.doc), now)
    yield from create_registration(city, draft.uri, draft.doc, now)
    change = SourceChange(draft.uri, None, as_json(draft.uri, draft.doc), now)
    yield from enqueue_source_changes(city, [change])


def change(
    city: str, uri: str, patch: Callable[[Draft], Draft], now: datetime
) -> Steps[bool]:  # fmt: skip
    """Change a registration; False when there is none. Raises what `patch` raises, or Conflict."""
    yield from next_version(city)
    there = yield from find_registration(city, uri)
    if there is None:
        return False
    draft = patch(Draft(uri, there.doc))
    yield from _check_conflicts(city, compiled(city, there.number, uri, draft.doc), now)
    yield from write_registration(city, there.number, draft.doc, now)
    told = SourceChange(uri, as_json(uri, there.doc), as_json(uri, draft.doc), now)
    yield from enqueue_source_changes(city, [told])
    return True


def unregister(city: str, uri: str, now: datetime) -> Steps[bool]:
    """Remove a registration; False when there is none."""
    yield from next_version(city)
    there = yield from find_registration(city, uri)
    if there is None:
        return False
    yield from delete_registration(city, there.number)
    yield from enqueue_source_changes(city, [SourceChange(uri, as_json(uri, there.doc), None, now)])
    return True


def _check_conflicts(city: str, new: Registration, now: datetime) -> Steps[None]:
    if new.mode not in PROXIED:
        return
    for kept in (yield from list_registrations(city)):
        other = compiled(city, kept.number, kept.uri, kept.doc)
        expired = other.expires_at is not None and other.expires_at <= now
        if expired or other.uri == new.uri or other.mode not in PROXIED:
            continue
        if overlap(new, other):
            raise Conflict(f"{other.uri} is for the same attributes of the same entity")
    for info in new.information:
        found = yield from find(city, _held_by(info), 1, now=now)
        if found:
            raise Conflict(f"{found[0].document.uri} is held here already")


def _held_by(info: Info) -> Filter:
    """The entities here that a RegistrationInfo speaks of."""
    selectors = tuple(
        Selector(
            any_of(one.types), (one.uri,) if one.uri else (), "" if one.uri else one.pattern_text
        )
        for one in info.entities
    )
    return Filter(selectors, attrs=tuple(sorted(info.attrs)))
