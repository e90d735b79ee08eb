"""From a stored subscription to one ready for matching and sending."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from onsil.hub.documents import parse_time
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.query.q import parse_q
from onsil.hub.query.scopes import parse_scope_q
from onsil.hub.query.type_selection import parse_type_selection
from onsil.hub.subscriptions.checking import expanded_values, geo_query
from onsil.hub.subscriptions.names import Recalled, Recorder
from onsil.hub.subscriptions.terms import (
    ATTRIBUTE_TRIGGERS,
    DEFAULT_TRIGGERS,
    ContextSource,
    Endpoint,
    Form,
    Kind,
    Names,
    Selector,
    Subscription,
)

TIMEOUT_S = 5.0
TIMEOUT_MAX_S = 60.0
COOLDOWN_MAX_S = 3600.0


def compiled(
    city: str,
    number: int,
    uri: str,
    kind: Kind,
    doc: Mapping[str, Any],
    names: Mapping[str, Names],
    context: Any,
    created_at: datetime,
) -> Subscription:
    """Make a stored subscription ready. What was stored has passed the checks."""

    def recalled(key: str) -> Any:
        return Recalled(names.get(key, {}))

    triggers = set(doc.get("notificationTrigger", DEFAULT_TRIGGERS))
    if "entityUpdated" in triggers:
        triggers |= set(ATTRIBUTE_TRIGGERS)
    return Subscription(
        city, number, uri, kind,
        selectors=tuple(_selector(one, recalled("entities")) for one in doc.get("entities", ())),
        watched=frozenset(map(recalled("watchedAttributes").iri, doc.get("watchedAttributes", ()))),
        triggers=frozenset(triggers),
        endpoint=_endpoint(doc["notification"]["endpoint"]),
        form=_form(doc["notification"], recalled("notification")),
        context=_context(doc.get("jsonldContext"), context),
        names=names,
        q=parse_q(doc["q"], recalled("q"), expanded_values(doc)) if "q" in doc else None,
        geo=geo_query(doc["geoQ"], recalled("geoQ").iri) if "geoQ" in doc else None,
        scope=parse_scope_q(doc["scopeQ"]) if "scopeQ" in doc else None,
        source_filter=parse_q(doc["csf"], recalled("csf")) if "csf" in doc else None,
        temporal=doc.get("temporalQ"),
        datasets=frozenset(doc.get("datasetId", ())),
        languages=tuple(part.split(";")[0].strip() for part in doc.get("lang", "").split(",")
                        if part.strip()),
        interval_s=doc.get("timeInterval"),
        throttling_s=doc.get("throttling", 0.0),
        active=doc.get("isActive", True),
        expires_at=parse_time(doc["expiresAt"]) if "expiresAt" in doc else None,
        created_at=created_at,
    )  # fmt: skip


def _context(url: str | None, stored: Mapping[str, Any]) -> ContextSource:
    if url is not None:
        return ContextSource(url, url)
    return ContextSource(stored["source"], stored["url"])


def _selector(doc: Mapping[str, Any], context: Any) -> Selector:
    tree, names = None, None
    if doc["type"] != "*":
        recorder = Recorder(context)
        tree = parse_type_selection(doc["type"], cast(Any, recorder))
        names = frozenset(recorder.names.values())
    ids = doc.get("id", ())
    pattern = compiled_pattern(doc["idPattern"]) if "idPattern" in doc and not ids else None
    return Selector(
        tree, names, frozenset([ids] if isinstance(ids, str) else ids), pattern,
        doc["idPattern"] if pattern is not None else "",
    )  # fmt: skip


def _endpoint(doc: Mapping[str, Any]) -> Endpoint:
    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        return tuple((one["key"], one["value"]) for one in doc.get(key, ()))

    return Endpoint(
        doc["uri"],
        doc.get("accept", "application/json"),
        min(doc.get("timeout", TIMEOUT_S * 1000) / 1000, TIMEOUT_MAX_S),
        min(doc.get("cooldown", 0) / 1000, COOLDOWN_MAX_S),
        pairs("receiverInfo"),
        pairs("notifierInfo"),
    )


def _form(doc: Mapping[str, Any], context: Any) -> Form:
    representation = doc.get("format", "normalized")
    return Form(
        "simplified" if representation == "keyValues" else representation,
        frozenset(map(context.iri, doc.get("attributes", ()))),
        tuple(doc.get("pick", ())),
        tuple(doc.get("omit", ())),
        doc.get("showChanges", False),
        doc.get("sysAttrs", False),
        doc.get("join", "@none"),
        doc.get("joinLevel", 1),
    )
