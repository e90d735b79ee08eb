"""Which subscriptions a change concerns: pure decisions on documents (§5.8.6, §4.9, §4.10, §4.19).

An attribute has changed when any of its members has another value than before; a write of what was
there already triggers nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onsil.hub.changes import Change
from onsil.hub.documents import Document, Instance, parse_time, time_text
from onsil.hub.query.geo import place_matches
from onsil.hub.query.matching import Resolve, matches
from onsil.hub.query.q import Junction, Tree
from onsil.hub.query.scopes import scope_matches
from onsil.hub.query.type_selection import types_match
from onsil.hub.subscriptions.terms import DEFAULT_DATASET, Selector, Subscription

Entry = dict[str, Any]
AttributeKey = tuple[str, str]  # IRI, datasetId or ""
_SYSTEM = ("createdAt", "modifiedAt")


def selected(subscription: Subscription, uri: str, types: list[str]) -> bool:
    """Whether an entity is among those subscribed to. Without selectors all are."""
    if not subscription.selectors:
        return True
    return any(_selects(one, uri, types) for one in subscription.selectors)


def _selects(selector: Selector, uri: str, types: list[str]) -> bool:
    if selector.ids and uri not in selector.ids:
        return False
    if selector.pattern is not None and not selector.pattern.search(uri):
        return False
    return selector.types is None or types_match(selector.types, types)


def asks_of_linked(tree: Tree | None) -> bool:
    """Whether a query looks into entities that relationships point to."""
    if isinstance(tree, Junction):
        return any(map(asks_of_linked, tree.parts))
    return tree is not None and tree.path.link is not None


def meets_conditions(
    subscription: Subscription, document: Document, resolve: Resolve | None = None
) -> bool:
    """Whether q, geoQ and scopeQ hold for a document. `resolve` finds linked entities."""
    if subscription.scope is not None and not scope_matches(subscription.scope, document.scopes):
        return False
    if subscription.geo is not None and not place_matches(subscription.geo, document):
        return False
    if subscription.q is None:
        return True
    times = {"createdAt": document.created_at, "modifiedAt": document.modified_at,
             "expiresAt": document.expires_at}  # fmt: skip
    system = {key: parse_time(text) for key, text in times.items() if text}
    return matches(subscription.q, document, system=system, resolve=resolve)


def changed_attributes(change: Change) -> dict[AttributeKey, str]:
    """The attribute instances that are other than before, with what became of them."""
    if change.before is None or change.after is None:
        document, word = (
            (change.after, "created") if change.before is None else (change.before, "deleted")
        )
        assert document is not None
        return {key: word for key in _instances(document)}
    before, after = _instances(change.before), _instances(change.after)
    found: dict[AttributeKey, str] = {}
    for key in change.attributes:
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            found[key] = "created"
        elif new is None and old is not None:
            found[key] = "deleted"
        elif old is not None and new is not None and _other(old, new):
            found[key] = "updated"
    return found


def _instances(document: Document) -> dict[AttributeKey, Instance]:
    return {
        (iri, one.get("datasetId", "")): one for iri, many in document.attrs.items() for one in many
    }


def _other(old: Instance, new: Instance) -> bool:
    """Whether two instances differ in more than the system's times."""
    keys = {*old, *new}.difference(_SYSTEM)
    for key in keys:
        if key == "attrs":
            inner_old, inner_new = old.get("attrs") or {}, new.get("attrs") or {}
            if inner_old.keys() != inner_new.keys():
                return True
            for iri, many in inner_old.items():
                others = inner_new[iri]
                if len(many) != len(others) or any(map(_other, many, others)):
                    return True
        elif old.get(key) != new.get(key):
            return True
    return False


def triggering(
    subscription: Subscription, change: Change, changed: Mapping[AttributeKey, str]
) -> set[AttributeKey] | None:
    """The attribute instances for which a change is told, or None: it is not told at all."""
    triggers = subscription.triggers
    watched = {key: word for key, word in changed.items() if _watches(subscription, key)}
    hits = {key for key, word in watched.items() if "attribute" + word.capitalize() in triggers}
    if change.before is None and "entityCreated" in triggers:
        whole = True
    else:
        whole = change.after is None and "entityDeleted" in triggers
    narrowed = bool(subscription.watched or subscription.datasets)
    return hits if hits or (whole and (watched or not narrowed)) else None


def _watches(subscription: Subscription, key: AttributeKey) -> bool:
    iri, dataset = key
    if subscription.watched and iri not in subscription.watched:
        return False
    return not subscription.datasets or (dataset or DEFAULT_DATASET) in subscription.datasets


def entry_of(
    subscription: Subscription,
    change: Change,
    changed: Mapping[AttributeKey, str],
    resolve: Resolve | None = None,
) -> Entry | None:
    """What the outbox keeps of a change for a subscription; None when it is not concerned."""
    document = change.after or change.before
    assert document is not None
    if not selected(subscription, change.uri, document.types):
        return None
    hits = triggering(subscription, change, changed)
    if hits is None or not meets_conditions(subscription, document, resolve):
        return None
    return _entry(subscription, change, changed, hits)


def _entry(
    subscription: Subscription, change: Change, changed: Mapping[AttributeKey, str],
    hits: set[AttributeKey],
) -> Entry:  # fmt: skip
    before = _instances(change.before) if change.before else {}
    if change.after is None:
        assert change.before is not None
        entry = document_entry(change.before) | {"attrs": {}, "deletedAt": time_text(change.at)}
        whole = "entityDeleted" in subscription.triggers and subscription.form.show_changes
        gone = changed if whole else hits
    else:
        entry = document_entry(change.after)
        gone = {key for key, word in changed.items() if word == "deleted"}
    if gone:
        entry["gone"] = [before[key] | {"iri": key[0]} for key in before if key in gone]
        entry.setdefault("deletedAttrsAt", time_text(change.at))
    if subscription.form.show_changes:
        old = [key for key, word in changed.items() if word == "updated"]
        if old:
            entry["old"] = [before[key] | {"iri": key[0]} for key in old]
    return entry


def document_entry(document: Document) -> Entry:
    """A document as JSON."""
    entry: Entry = {"uri": document.uri, "types": document.types, "attrs": document.attrs}
    for key, value in (
        ("scopes", document.scopes),
        ("createdAt", document.created_at),
        ("modifiedAt", document.modified_at),
        ("expiresAt", document.expires_at),
    ):
        if value:
            entry[key] = value
    return entry


def is_due(subscription: Subscription, now: datetime) -> bool:
    """Whether changes are told to a subscription at all at this moment."""
    return subscription.interval_s is None and subscription.status(now) == "active"
