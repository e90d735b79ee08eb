"""Notifications as they go out (§5.3.1, §5.3.2, §5.8.6): their entities, headers and body."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from onsil.hub.contexts import Context
from onsil.hub.documents import (
    ALL,
    DEFAULT_DATASET,
    NULL,
    VALUE_KEYS,
    Document,
    Instance,
    Selection,
    feature_collection,
    parse_selection,
    render,
    render_feature,
    time_text,
)
from onsil.hub.subscriptions.names import Recalled
from onsil.hub.subscriptions.terms import Subscription

JSON, JSON_LD, GEO_JSON = "application/json", "application/ld+json", "application/geo+json"
_LINK = '<{}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


class Message(NamedTuple):
    """A notification for a binding: HTTP sends `headers` as such, MQTT beside the body."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def content(self) -> bytes:
        return orjson.dumps(self.body)


class Wording(NamedTuple):
    """The context of a notification: compiled, as written into a body, and by URL for a header."""

    context: Context
    source: Any
    url: str


def entity_message(
    subscription: Subscription,
    notification_id: str,
    entries: Sequence[Mapping[str, Any]],
    wording: Wording,
    now: datetime,
    linked: Mapping[str, Document],
    tenant: str = "",
) -> Message:
    """A Notification of entities."""
    body: dict[str, Any] = {
        "id": notification_id,
        "type": "Notification",
        "subscriptionId": subscription.uri,
        "notifiedAt": time_text(now),
    }
    if subscription.endpoint.accept == GEO_JSON:
        body["data"] = feature_collection(
            _feature(subscription, one, wording.context) for one in entries
        )
    else:
        body["data"] = shown_entities(subscription, entries, wording.context, linked)
    return _message(subscription, body, wording, tenant)


def source_message(
    subscription: Subscription,
    notification_id: str,
    registrations: Sequence[Mapping[str, Any]],
    reason: str,
    wording: Wording,
    now: datetime,
    tenant: str = "",
) -> Message:
    """A CsourceNotification; the registrations are shown already."""
    body = {
        "id": notification_id,
        "type": "ContextSourceNotification",
        "subscriptionId": subscription.uri,
        "notifiedAt": time_text(now),
        "triggerReason": reason,
        "data": [dict(one) for one in registrations],
    }
    return _message(subscription, body, wording, tenant)


def _message(
    subscription: Subscription, body: dict[str, Any], wording: Wording, tenant: str
) -> Message:
    endpoint = subscription.endpoint
    headers = {"Content-Type": endpoint.accept}
    info = dict(endpoint.receiver_info)
    plain = endpoint.accept == JSON or (
        endpoint.accept == GEO_JSON and info.get("Prefer", "") == "body=json"
    )
    if plain:
        headers["Link"] = _LINK.format(wording.url)
    else:
        body["@context"] = wording.source
        if isinstance(body["data"], list):
            for one in body["data"]:
                one["@context"] = wording.source
    if tenant:
        headers["NGSILD-Tenant"] = tenant
    own = {name.lower() for name in headers}
    taken = {name for name in info if name.lower() in own}
    headers = {k: v for k, v in headers.items() if k.lower() not in {n.lower() for n in taken}}
    return Message(headers | info, body)


def shown_entities(
    subscription: Subscription, entries: Sequence[Mapping[str, Any]], context: Context,
    linked: Mapping[str, Document],
) -> list[dict[str, Any]]:  # fmt: skip
    """The entities of a notification's data, with those they link to where that was asked for."""
    form = subscription.form
    shown = [_shown(subscription, one, context, linked) for one in entries]
    if form.join == "flat":
        there = {one["uri"] for one in entries}
        shown += [
            render(document, context, form.representation, system=form.system,
                   languages=subscription.languages)
            for uri, document in linked.items() if uri not in there
        ]  # fmt: skip
    return shown


def _selection(subscription: Subscription) -> Selection:
    form = subscription.form
    names: Any = Recalled(subscription.names.get("notification", {}))
    return parse_selection(
        ",".join(form.pick) if form.pick else None,
        ",".join(form.omit) if form.omit else None,
        names,
    )


def _how(subscription: Subscription) -> dict[str, Any]:
    form = subscription.form
    return {
        "attrs": form.attributes or None,
        "selection": _selection(subscription),
        "datasets": subscription.datasets or None,
        "languages": subscription.languages,
        "system": form.system,
    }


def _shown(
    subscription: Subscription, entry: Mapping[str, Any], context: Context,
    linked: Mapping[str, Document],
) -> dict[str, Any]:  # fmt: skip
    form = subscription.form
    document, before = documents_of(entry, form.show_changes)
    how = _how(subscription)
    made = render(document, context, form.representation, before=before, **how)
    if form.join == "inline":
        _join(made, document, context, subscription, linked, how["selection"], form.join_level)
    if "deletedAt" in entry:
        made["deletedAt"] = entry["deletedAt"]
        made.pop("scope", None)
        for value in made.values():
            # Of a deleted entity not even the languageMap is left.
            if isinstance(value, dict) and value.get("languageMap") == {DEFAULT_DATASET: NULL}:
                value["languageMap"] = NULL
    return made


def _feature(
    subscription: Subscription, entry: Mapping[str, Any], context: Context
) -> dict[str, Any]:
    document, before = documents_of(entry, subscription.form.show_changes)
    place = subscription.geo.attribute if subscription.geo else context.iri("location")
    feature = render_feature(
        document, place, context, subscription.form.representation, before=before,
        **_how(subscription),
    )  # fmt: skip
    if "deletedAt" in entry:
        feature["properties"]["deletedAt"] = entry["deletedAt"]
    return feature


def documents_of(
    entry: Mapping[str, Any], changes: bool
) -> tuple[Document, Document | None]:  # fmt: skip
    """An outbox entry as a document, deleted attributes as NGSI-LD Null, and what was before."""
    attrs = dict(entry["attrs"])
    gone: dict[str, list[Instance]] = {}
    for one in entry.get("gone", ()):
        gone.setdefault(one["iri"], []).append(one)
    for iri, many in gone.items():
        if iri not in attrs and len(many) > 1 and not changes:
            many = [{k: v for k, v in many[0].items() if k != "datasetId"}]
        attrs[iri] = [*attrs.get(iri, ()), *(_null(one, entry) for one in many)]
    document = Document(
        entry["uri"], entry["types"], entry.get("scopes", []), attrs,
        entry.get("expiresAt"), entry.get("createdAt"), entry.get("modifiedAt"),
    )  # fmt: skip
    if not changes:
        return document, None
    before = Document(entry["uri"], entry["types"])
    for one in (*entry.get("gone", ()), *entry.get("old", ())):
        if VALUE_KEYS[one["type"]] in one:
            before.attrs.setdefault(one["iri"], []).append(one)
    return document, before


def _null(old: Instance, entry: Mapping[str, Any]) -> Instance:
    """What is told of a deleted attribute instance (§5.8.6)."""
    kept = {k: old[k] for k in ("type", "datasetId", "createdAt", "modifiedAt") if k in old}
    return kept | {VALUE_KEYS[old["type"]]: NULL, "deletedAt": entry["deletedAttrsAt"]}


def _join(
    made: dict[str, Any], document: Document, context: Context, subscription: Subscription,
    linked: Mapping[str, Document], selection: Selection, level: int,
) -> None:  # fmt: skip
    """Put linked entities into the relationships that lead to them (§4.5.23.2)."""
    if level < 1:
        return
    form = subscription.form
    for iri, instances in document.attrs.items():
        name = context.term(iri)
        links = [one for one in instances if one["type"] in ("Relationship", "ListRelationship")]
        if name not in made or not links or len(links) != len(instances):
            continue
        inner = selection.inner(iri) if selection is not ALL else ALL

        def entity(uri: Any, inner: Selection = inner) -> dict[str, Any] | None:
            other = linked.get(uri) if isinstance(uri, str) else None
            if other is None:
                return None
            shown = render(other, context, form.representation, selection=inner,
                           system=form.system, languages=subscription.languages)  # fmt: skip
            _join(shown, other, context, subscription, linked, inner, level - 1)
            return shown

        shown = made[name] if isinstance(made[name], list) else [made[name]]
        if form.representation == "simplified":
            if len(instances) == 1:
                made[name] = _inline_simplified(instances[0], made[name], entity)
            continue
        for instance, part in zip(instances, shown, strict=False):
            if isinstance(part, dict):
                _inline(instance, part, entity)


def _inline(instance: Instance, part: dict[str, Any], entity: Any) -> None:
    value = instance[VALUE_KEYS[instance["type"]]]
    if isinstance(value, list):
        found = [one for one in map(entity, value) if one is not None]
        if found:
            part["entityList"] = found
    elif (one := entity(value)) is not None:
        part["entity"] = one


def _inline_simplified(instance: Instance, shown: Any, entity: Any) -> Any:
    value = instance[VALUE_KEYS[instance["type"]]]
    if isinstance(value, list):
        return [entity(uri) or uri for uri in value]
    return entity(value) or shown
