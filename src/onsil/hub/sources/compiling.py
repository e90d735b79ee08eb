"""From a stored registration to what matching and calling need."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onsil.hub.contexts import NGSI_LD
from onsil.hub.documents import Document, check_scopes, parse_time
from onsil.hub.query.patterns import compiled_pattern
from onsil.hub.sources.checking import STANDARD
from onsil.hub.sources.operations import operations_of
from onsil.hub.sources.terms import TIMEOUT_S, EntityInfo, Info, Registration
from onsil.hub.temporal.durations import parse_duration

_API = "/ngsi-ld/v1"
_PLACES = ("location", "observationSpace", "operationSpace")
_PLAIN = (
    "endpoint", "mode", "registrationName", "description", "tenant", "contextSourceAlias",
    "refreshRate", "expiresAt",
)  # fmt: skip


def compiled(
    city: str, number: int, uri: str, doc: Mapping[str, Any], created: datetime | None = None,
    modified: datetime | None = None,
) -> Registration:  # fmt: skip
    """A stored registration, ready for matching."""
    management = doc.get("management", {})
    endpoint = doc["endpoint"].rstrip("/")
    cache = management.get("cacheDuration")
    cached = parse_duration(cache) if cache else None
    return Registration(
        city, number, uri,
        mode=doc.get("mode", "inclusive"),
        operations=operations_of(doc.get("operations")),
        information=tuple(_info(one) for one in doc["information"]),
        endpoint=endpoint.removesuffix(_API).rstrip("/") + _API,
        document=_document(uri, doc, created, modified),
        doc=doc,
        tenant=doc.get("tenant", ""),
        info=tuple((one["key"], one["value"]) for one in doc.get("contextSourceInfo", ())),
        alias=doc.get("contextSourceAlias", ""),
        local_only=management.get("localOnly", doc.get("localOnly", False)),
        timeout_s=min(management.get("timeout", TIMEOUT_S * 1000) / 1000, 60.0),
        cooldown_s=management.get("cooldown", 0) / 1000,
        cache_s=cached.months * 2_629_800 + cached.length_us / 1e6 if cached else 0.0,
        expires_at=parse_time(doc["expiresAt"]) if "expiresAt" in doc else None,
        temporal="observationInterval" in doc or "managementInterval" in doc,
        datasets=frozenset(doc.get("datasetId", ())),
    )  # fmt: skip


def _info(raw: Mapping[str, Any]) -> Info:
    names = (*raw.get("propertyNames", ()), *raw.get("relationshipNames", ()))
    return Info(tuple(_entity(one) for one in raw.get("entities", ())), frozenset(names))


def _entity(raw: Mapping[str, Any]) -> EntityInfo:
    types = raw["type"]
    text = raw.get("idPattern", "") if "id" not in raw else ""
    return EntityInfo(
        frozenset([types] if isinstance(types, str) else types), raw.get("id"),
        compiled_pattern(text) if text else None, text,
    )  # fmt: skip


def _document(
    uri: str, doc: Mapping[str, Any], created: datetime | None, modified: datetime | None
) -> Document:
    """A registration's places and properties as a document, for csf and geo-queries."""
    attrs: dict[str, list[dict[str, Any]]] = {
        NGSI_LD + name: [{"type": "GeoProperty", "value": doc[name]}]
        for name in _PLACES if name in doc
    }  # fmt: skip
    attrs |= {
        NGSI_LD + name: [{"type": "Property", "value": doc[name]}] for name in _PLAIN if name in doc
    }
    attrs |= {name: [_property(value)] for name, value in doc.items() if name not in STANDARD}
    scopes = check_scopes(doc["scope"]) if "scope" in doc else []
    return Document(uri, [NGSI_LD + "ContextSourceRegistration"], scopes, attrs)


def _property(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and value.get("type") == "Relationship":
        return {"type": "Relationship", "object": value.get("object")}
    if isinstance(value, dict) and "value" in value:
        return {"type": "Property", "value": value["value"]}
    return {"type": "Property", "value": value}
