"""Subscriptions to context sources (§5.11): which registrations match, and why one is told (§5.12).

Registrations come as JSON with IRIs for their types and attribute names.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from onsil.hub.contexts import Context
from onsil.hub.documents import Document, parse_time
from onsil.hub.query.geo import place_matches
from onsil.hub.query.matching import matches
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.scopes import scope_matches
from onsil.hub.query.type_selection import types_match
from onsil.hub.subscriptions.terms import Selector, Subscription

Registration = Mapping[str, Any]
_STANDARD = frozenset((
    "id", "type", "registrationName", "description", "information", "tenant", "observationInterval",
    "managementInterval", "location", "observationSpace", "operationSpace", "expiresAt", "endpoint",
    "contextSourceInfo", "scope", "mode", "operations", "management", "datasetId", "refreshRate",
    "contextSourceAlias", "status", "timesSent", "timesFailed", "lastSuccess", "lastFailure",
    "createdAt", "modifiedAt", "@context", "localOnly", "hostAlias",
))  # fmt: skip


def narrowed(subscription: Subscription, registration: Registration) -> dict[str, Any] | None:
    """A registration with only the RegistrationInfo that matches; None when it does not match."""
    information = [
        one for one in registration.get("information", ()) if _informs(subscription, one)
    ]
    if not information or not _in_time(subscription, registration):
        return None
    document = _as_document(registration)
    if subscription.geo is not None and not place_matches(subscription.geo, document):
        return None
    if subscription.scope is not None and not scope_matches(subscription.scope, document.scopes):
        return None
    if subscription.source_filter is not None and not matches(subscription.source_filter, document):
        return None
    return {**registration, "information": information}


def reason_of(
    subscription: Subscription, before: Registration | None, after: Registration | None
) -> tuple[str, dict[str, Any]] | None:
    """The trigger reason of a change of a registration, with what is told of it (§5.3.2)."""
    then = narrowed(subscription, before) if before is not None else None
    now = narrowed(subscription, after) if after is not None else None
    if now is not None:
        return ("newlyMatching" if then is None else "updated"), now
    return ("noLongerMatching", then) if then is not None else None


def _informs(subscription: Subscription, info: Mapping[str, Any]) -> bool:
    entities = info.get("entities", ())
    if entities and subscription.selectors:
        pairs = ((one, entity) for one in subscription.selectors for entity in entities)
        if not any(_meets(one, entity) for one, entity in pairs):
            return False
    held = {*info.get("propertyNames", ()), *info.get("relationshipNames", ())}
    wanted = subscription.watched | subscription.form.attributes
    return not wanted or not held or not held.isdisjoint(wanted)


def _meets(selector: Selector, entity: Mapping[str, Any]) -> bool:
    """Whether what is selected can be among what an EntityInfo speaks of."""
    types = entity.get("type", [])
    if not types_match(selector.types, [types] if isinstance(types, str) else types):
        return False
    uri, pattern = entity.get("id"), entity.get("idPattern")
    if uri is None and pattern is None:
        return True
    if selector.ids:
        if uri is not None:
            return uri in selector.ids
        return any(_searches(pattern, one) for one in selector.ids)
    if selector.pattern is not None and uri is not None:
        return selector.pattern.search(uri) is not None
    return True


def _searches(pattern: Any, text: str) -> bool:
    try:
        return compiled_pattern(pattern).search(text) is not None
    except (ValueError, re.error):
        return False


def _in_time(subscription: Subscription, registration: Registration) -> bool:
    """Whether the temporal query meets the interval it is about (§5.11.2.4)."""
    intervals = [k for k in ("observationInterval", "managementInterval") if k in registration]
    wanted = subscription.temporal
    if wanted is None:
        return not intervals
    observed = wanted.get("timeproperty", "observedAt") == "observedAt"
    interval = registration.get("observationInterval" if observed else "managementInterval")
    if interval is None:
        return False
    start = parse_time(interval["startAt"])
    end = parse_time(interval["endAt"]) if "endAt" in interval else None
    at = parse_time(wanted["timeAt"])
    if wanted["timerel"] == "before":
        return start <= at
    if wanted["timerel"] == "after":
        return end is None or end >= at
    return start <= parse_time(wanted["endTimeAt"]) and (end is None or end >= at)


def _as_document(registration: Registration) -> Document:
    """A registration's places and further properties as a document, for the queries."""
    attrs: dict[str, list[dict[str, Any]]] = {}
    for name, value in registration.items():
        if name in ("location", "observationSpace", "operationSpace") and isinstance(value, dict):
            geometry = value.get("value", value) if "coordinates" not in value else value
            iri = f"https://uri.etsi.org/ngsi-ld/{name}"
            attrs[iri] = [{"type": "GeoProperty", "value": geometry}]
        elif name not in _STANDARD:
            attrs[name] = [_property(value)]
    scopes = registration.get("scope", [])
    return Document(
        str(registration.get("id", "")), ["ContextSourceRegistration"],
        [scopes] if isinstance(scopes, str) else list(scopes), attrs,
    )  # fmt: skip


def _property(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value.get("type") == "Relationship":
        return {"type": "Relationship", "object": value.get("object")}
    if isinstance(value, dict) and "value" in value:
        return {"type": "Property", "value": value["value"]}
    return {"type": "Property", "value": value}


def shown_registrations(
    registrations: Iterable[Registration], context: Context
) -> list[dict[str, Any]]:
    """Registrations with short names; types are always lists."""
    return [_shown(one, context.term) for one in registrations]


def _shown(registration: Registration, term: Callable[[str], str]) -> dict[str, Any]:
    made = {(name if name in _STANDARD else term(name)): value
            for name, value in registration.items()}  # fmt: skip
    made["information"] = [dict(_shown_info(one, term)) for one in registration["information"]]
    return made


def _shown_info(
    info: Mapping[str, Any], term: Callable[[str], str]
) -> Iterator[tuple[str, Any]]:  # fmt: skip
    for name, value in info.items():
        if name == "entities":
            yield name, [_shown_entity(one, term) for one in value]
        elif name in ("propertyNames", "relationshipNames"):
            yield name, [term(one) for one in value]
        else:
            yield name, value


def _shown_entity(entity: Mapping[str, Any], term: Callable[[str], str]) -> dict[str, Any]:
    types: Sequence[str] = entity.get("type", [])
    types = [types] if isinstance(types, str) else types
    return {**entity, "type": [term(one) for one in types]}
