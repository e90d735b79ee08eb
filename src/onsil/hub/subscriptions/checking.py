"""Reading a subscription as it was sent: every member checked, its names looked up (§5.2.12 ff.).

What is stored is the members as sent (`doc`) with the IRIs of their names (`names`); `compiled`
makes of these what matching and sending need.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson

from onsil.hub.contexts import Context
from onsil.hub.documents import NULL, DocumentError, is_uri, parse_time
from onsil.hub.query.geo import GeoQuery, read_geo
from onsil.hub.query.patterns import checked_pattern
from onsil.hub.query.q import parse_q
from onsil.hub.query.scopes import parse_scope_q
from onsil.hub.query.type_selection import parse_type_selection
from onsil.hub.subscriptions.names import Recorder
from onsil.hub.subscriptions.terms import DEFAULT_DATASET, TRIGGERS, Kind, Names

FORMATS = ("normalized", "concise", "simplified", "keyValues")
ACCEPTED = ("application/json", "application/ld+json", "application/geo+json")
SCHEMES = ("http", "https", "mqtt", "mqtts")
_TEXTS_MAX = 200
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")
_VERSION = re.compile(r"^\d{1,3}\.\d{1,3}$")
_LANGUAGE = re.compile(r"^[A-Za-z0-9*,;=. -]{1,200}$")


class Draft(NamedTuple):
    """A subscription that has passed the checks."""

    uri: str  # "" when the broker is to give it one
    doc: dict[str, Any]
    names: dict[str, Names]


def read_subscription(raw: Any, context: Context, kind: Kind, now: datetime) -> Draft:
    """A whole subscription (§5.8.1, §5.11.2). Raises DocumentError.

    Members that are the broker's own, or not of the standard, are left out.
    """
    if not isinstance(raw, dict):
        raise DocumentError("a subscription is a JSON object")
    if not _is_subscription(raw.get("type", raw.get("@type"))):
        raise DocumentError('the type of a subscription is "Subscription"')
    uri = raw.get("id", raw.get("@id"))
    if uri is not None and not is_uri(uri):
        raise DocumentError(f"a subscription's id is a URI: {uri!r}")
    doc, names = _members(raw, context)
    _check_whole(doc, kind)
    _check_future(doc, now)
    return Draft(uri or "", doc, names)


def patch_subscription(
    old: Draft, raw: Any, context: Context, kind: Kind, now: datetime, *, was_expired: bool
) -> Draft:
    """A subscription with a fragment laid over it, member by member; null removes one (§5.8.2).

    Raises DocumentError.
    """
    if not isinstance(raw, dict):
        raise DocumentError("a subscription fragment is a JSON object")
    if "type" in raw and not _is_subscription(raw["type"]):
        raise DocumentError('the type of a subscription is "Subscription"')
    if "id" in raw and raw["id"] != old.uri:
        raise DocumentError("the id of a subscription cannot be changed")
    gone = {key for key, value in raw.items() if value is None or value == NULL}
    if "notification" in gone:
        raise DocumentError("a subscription cannot be without its notification")
    fragment, names = _members({k: v for k, v in raw.items() if k not in gone}, context)
    doc = {k: v for k, v in old.doc.items() if k not in gone} | fragment
    kept = {k: v for k, v in old.names.items() if k not in gone and k not in fragment} | names
    if "expiresAt" in fragment:
        _check_future(fragment, now)
        if was_expired and "isActive" not in raw:
            doc.pop("isActive", None)  # an expired one is active again, paused or not before
    _check_whole(doc, kind)
    return Draft(old.uri, doc, kept)


def _is_subscription(value: Any) -> bool:
    return value == "Subscription" or value == ["Subscription"]


def _members(raw: Mapping[str, Any], context: Context) -> tuple[dict[str, Any], dict[str, Names]]:
    doc: dict[str, Any] = {}
    names: dict[str, Names] = {}
    for key, read in _READERS.items():
        if key in raw:
            recorder = Recorder(context)
            doc[key] = read(key, raw[key], recorder)
            if key == "q" and isinstance(raw.get("expandValues"), str):
                parse_q(raw[key], recorder, expanded_values(raw))  # pyright: ignore
            if recorder.kept:
                names[key] = recorder.kept
    return doc, names


def expanded_values(doc: Mapping[str, Any]) -> list[str]:
    """The attributes whose values in `q` are terms of the context."""
    return [name for name in doc.get("expandValues", "").split(",") if name]


def _check_whole(doc: Mapping[str, Any], kind: Kind) -> None:
    """What the members must be towards each other."""
    if "notification" not in doc:
        raise DocumentError("a subscription needs a notification")
    interval = "timeInterval" in doc
    if interval and "watchedAttributes" in doc:
        raise DocumentError("timeInterval does not go with watchedAttributes")
    if interval and "throttling" in doc:
        raise DocumentError("timeInterval does not go with throttling")
    local = bool(doc.get("localOnly"))
    if "entities" not in doc and (interval or "watchedAttributes" not in doc) and not local:
        raise DocumentError("a subscription needs entities or watchedAttributes")
    everything = any(one["type"] == "*" for one in doc.get("entities", ()))
    if everything and doc.get("localOnly") is False:
        raise DocumentError('type "*" is for local subscriptions only')
    if "temporalQ" in doc and kind != "sources":
        raise DocumentError("temporalQ is for subscriptions to context sources only")


def _check_future(doc: Mapping[str, Any], now: datetime) -> None:
    if "expiresAt" in doc and parse_time(doc["expiresAt"]) <= now:
        raise DocumentError("expiresAt has passed already")


def _text(key: str, value: Any, _context: Any) -> str:
    if not isinstance(value, str) or len(value) > 4096 or "\0" in value:
        raise DocumentError(f"{key} is a text")
    return value


def _flag(key: str, value: Any, _context: Any) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(f"{key} is true or false")
    return value


def _positive(key: str, value: Any, _context: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e10:
        raise DocumentError(f"{key} is a number above zero")
    return value


def _texts(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= _TEXTS_MAX:
        raise DocumentError(f"{key} is a list of 1 to {_TEXTS_MAX} texts")
    if not all(isinstance(one, str) and one and "\0" not in one for one in value):
        raise DocumentError(f"{key} is a list of texts")
    return value


def _attributes(key: str, value: Any, context: Any) -> list[str]:
    for name in _texts(key, value):
        if not is_uri(name) and any(c in name for c in " <>\"'{}|\\^`(),;"):
            raise DocumentError(f"{key}: {name!r} is no attribute's name")
        context.iri(name)
    return value


def _projection(key: str, value: Any, context: Any) -> list[str]:
    """Members of an entity, perhaps with members of linked entities in braces (§4.21)."""
    for text in _texts(key, value):
        if text.count("{") != text.count("}"):
            raise DocumentError(f"{key}: a brace is not closed in {text!r}")
        for name in re.split(r"[{},|\s]+", text):
            if name and name not in ("id", "type", "scope"):
                context.iri(name)
    return value


def _triggers(key: str, value: Any, _context: Any) -> list[str]:
    for one in _texts(key, value):
        if one not in TRIGGERS:
            raise DocumentError(f"{key}: {one!r} is not one of {', '.join(TRIGGERS)}")
    return value


def _time(key: str, value: Any, _context: Any) -> str:
    parse_time(value)
    return value


def _datasets(key: str, value: Any, _context: Any) -> list[str]:
    for one in _texts(key, value):
        if one != DEFAULT_DATASET and not is_uri(one):
            raise DocumentError(f"{key}: {one!r} is neither a URI nor {DEFAULT_DATASET}")
    return value


def _query(key: str, value: Any, context: Any) -> str:
    parse_q(_text(key, value, None), context)
    return value


def _scope_query(key: str, value: Any, _context: Any) -> str:
    parse_scope_q(_text(key, value, None))
    return value


def _entities(key: str, value: Any, context: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not 0 < len(value) <= _TEXTS_MAX:
        raise DocumentError(f"{key} is a list of 1 to {_TEXTS_MAX} entity selectors")
    return [_selector(one, context) for one in value]


def _selector(value: Any, context: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError("an entity selector is an object")
    types = value.get("type")
    if not isinstance(types, str) or not types:
        raise DocumentError("an entity selector needs a type")
    if types != "*":
        parse_type_selection(types, context)
    made: dict[str, Any] = {}
    if "id" in value:
        ids = value["id"] if isinstance(value["id"], list) else [value["id"]]
        if not ids or not all(is_uri(one) for one in ids):
            raise DocumentError("the id of an entity selector is a URI or a list of URIs")
        made["id"] = value["id"]
    if "idPattern" in value:
        made["idPattern"] = _text("idPattern", value["idPattern"], None)
        checked_pattern(made["idPattern"])
    return {**made, "type": types}


def geo_query(value: Mapping[str, Any], iri: Callable[[str], str]) -> GeoQuery:
    """A GeoQuery member as the query room's (§5.2.13). Raises QueryError."""
    coordinates = value["coordinates"]
    if isinstance(coordinates, str):
        coordinates = orjson.loads(coordinates)
    geometry = {"type": value["geometry"], "coordinates": coordinates}
    return read_geo(value["georel"], geometry, iri(value.get("geoproperty", "location")))


def _geo(key: str, value: Any, context: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{key} is an object")
    made = {k: value[k] for k in ("georel", "geometry", "coordinates", "geoproperty") if k in value}
    for name in ("georel", "geometry"):
        _text(f"{key}.{name}", made.get(name), None)
    if "geoproperty" in made:
        _text(f"{key}.geoproperty", made["geoproperty"], None)
    try:
        geo_query(made, context.iri)
    except (KeyError, orjson.JSONDecodeError):
        raise DocumentError(f"{key}.coordinates is an array, or one encoded as a text") from None
    return made


def _temporal(key: str, value: Any, _context: Any) -> dict[str, Any]:
    relation = value.get("timerel") if isinstance(value, dict) else None
    if relation not in ("before", "after", "between"):
        raise DocumentError(f"{key}.timerel is before, after or between")
    made = {k: value[k] for k in ("timerel", "timeAt", "endTimeAt", "timeproperty") if k in value}
    parse_time(made.get("timeAt"))
    if relation == "between":
        parse_time(made.get("endTimeAt"))
    if made.get("timeproperty", "observedAt") not in (
        "observedAt", "createdAt", "modifiedAt", "deletedAt"
    ):  # fmt: skip
        raise DocumentError(f"{key}.timeproperty is not known")
    return made


def _language(key: str, value: Any, _context: Any) -> str:
    if not _LANGUAGE.match(_text(key, value, None)):
        raise DocumentError(f"{key} is a language")
    return value


def _conformance(key: str, value: Any, _context: Any) -> str:
    if not _VERSION.match(_text(key, value, None)):
        raise DocumentError(f"{key} is a version, as 1.9")
    return value


def _context_uri(key: str, value: Any, _context: Any) -> str:
    if not is_uri(_text(key, value, None)) or urlsplit(value).scheme not in ("http", "https"):
        raise DocumentError(f"{key} is the URL of an @context")
    return value


def _notification(key: str, value: Any, context: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{key} is an object")
    made = {k: read(k, value[k], context) for k, read in _NOTIFICATION.items() if k in value}
    if "endpoint" not in made:
        raise DocumentError("a notification needs an endpoint")
    simplified = made.get("format") in ("simplified", "keyValues")
    if made.get("showChanges") and simplified:
        raise DocumentError("showChanges does not go with the simplified format")
    if "attributes" in made and ("pick" in made or "omit" in made):
        raise DocumentError("attributes does not go with pick or omit")
    both = {*made.get("pick", ())} & {*made.get("omit", ())}
    if both:
        raise DocumentError(f"{', '.join(sorted(both))}: both picked and omitted")
    return made


def _one_of(*allowed: str) -> Callable[[str, Any, Any], str]:
    def read(key: str, value: Any, _context: Any) -> str:
        if value not in allowed:
            raise DocumentError(f"{key} is one of {', '.join(allowed)}")
        return value

    return read


def _level(key: str, value: Any, _context: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= 10:
        raise DocumentError(f"{key} is a whole number from 1 to 10")
    return value


def _endpoint(key: str, value: Any, _context: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DocumentError(f"{key} is an object")
    made = {k: read(k, value[k], None) for k, read in _ENDPOINT.items() if k in value}
    if "uri" not in made:
        raise DocumentError("an endpoint needs a uri")
    if urlsplit(made["uri"]).scheme.startswith("http"):
        for one in made.get("receiverInfo", ()):
            if not _HEADER_NAME.match(one["key"]) or not _is_header(one["value"]):
                raise DocumentError(f"receiverInfo: {one['key']!r} cannot be an HTTP header")
    return made


def _is_header(value: str) -> bool:
    return len(value) <= 8192 and not any(c in value for c in "\r\n\0")


def _endpoint_uri(key: str, value: Any, _context: Any) -> str:
    text = _text(key, value, None)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(c.isspace() or ord(c) < 32 for c in text):
        raise DocumentError(f"endpoint.uri is an address of {', '.join(SCHEMES)}: {text[:200]!r}")
    if urlsplit(text).scheme.startswith("mqtt") and len(urlsplit(text).path) < 2:
        raise DocumentError("an MQTT endpoint's address ends in its topic")
    return text


def _pairs(key: str, value: Any, _context: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) > _TEXTS_MAX:
        raise DocumentError(f"{key} is a list of key and value")
    for one in value:
        good = isinstance(one, dict) and isinstance(one.get("key"), str)
        if not good or not isinstance(one.get("value"), str) or not one["key"]:
            raise DocumentError(f"{key}: each has a key and a value, both texts")
    return [{"key": one["key"], "value": one["value"]} for one in value]


_ENDPOINT = {
    "uri": _endpoint_uri, "accept": _one_of(*ACCEPTED), "timeout": _positive,
    "cooldown": _positive, "receiverInfo": _pairs, "notifierInfo": _pairs,
}  # fmt: skip
_NOTIFICATION = {
    "attributes": _attributes, "pick": _projection, "omit": _projection,
    "format": _one_of(*FORMATS), "showChanges": _flag, "sysAttrs": _flag,
    "join": _one_of("flat", "inline", "@none"), "joinLevel": _level, "endpoint": _endpoint,
}  # fmt: skip
_READERS = {
    "subscriptionName": _text, "description": _text, "entities": _entities,
    "notificationTrigger": _triggers, "watchedAttributes": _attributes,
    "timeInterval": _positive, "q": _query, "geoQ": _geo, "scopeQ": _scope_query,
    "csf": _query, "temporalQ": _temporal, "isActive": _flag, "notification": _notification,
    "expiresAt": _time, "throttling": _positive, "datasetId": _datasets, "lang": _language,
    "jsonldContext": _context_uri, "localOnly": _flag, "splitEntities": _flag,
    "expandValues": _text, "jsonKeys": _text, "ngsildConformance": _conformance,
}  # fmt: skip
