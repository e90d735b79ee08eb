"""Reading a context source registration: every member checked, names made IRIs (§5.2.9 ff.)."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from onsil.hub.contexts import Context
from onsil.hub.documents import (
    NULL,
    DocumentError,
    check_name,
    check_scopes,
    is_uri,
    parse_time,
    read_geometry,
)
from onsil.hub.query.patterns import checked_pattern
from onsil.hub.sources.operations import CONSUMING, GROUPS, OPERATIONS, operations_of
from onsil.hub.sources.terms import MODES
from onsil.hub.temporal.durations import DurationError, parse_duration

TYPE = "ContextSourceRegistration"
_ITEMS_MAX = 1000
_TEXT_MAX = 4096
_PSEUDONYM = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z:/-]{1,200}$")
_HEADER_NAME = re.compile(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")
_VERSION = re.compile(r"^\d{1,3}\.\d{1,3}$")
_MEDIA = ("application/json", "application/ld+json")
_OWN = frozenset((
    "status", "timesSent", "timesFailed", "lastSuccess", "lastFailure", "createdAt", "modifiedAt",
    "id", "@id", "type", "@type", "@context",
))  # fmt: skip

Read = Callable[[str, Any, Context], Any]


class Draft(NamedTuple):
    """A registration that has passed the checks; types and attribute names are IRIs in it."""

    uri: str  # "" when the broker is to give it one
    doc: dict[str, Any]


def read_registration(raw: Any, context: Context, now: datetime) -> Draft:
    """A whole registration (§5.9.2). Raises DocumentError."""
    if not isinstance(raw, dict):
        raise DocumentError("a registration is a JSON object")
    if raw.get("type", raw.get("@type")) not in (TYPE, [TYPE]):
        raise DocumentError(f'the type of a registration is "{TYPE}"')
    uri = raw.get("id", raw.get("@id"))
    if uri is not None and not is_uri(uri):
        raise DocumentError(f"a registration's id is a URI: {str(uri)[:200]!r}")
    doc = _members(raw, context)
    _check_whole(doc, doc, now)
    return Draft(uri or "", doc)


def patch_registration(old: Draft, raw: Any, context: Context, now: datetime) -> Draft:
    """A registration with a fragment laid over it; null removes a member (§5.9.3).

    Raises DocumentError.
    """
    if not isinstance(raw, dict):
        raise DocumentError("a registration fragment is a JSON object")
    if "type" in raw and raw["type"] not in (TYPE, [TYPE]):
        raise DocumentError(f'the type of a registration is "{TYPE}"')
    if "id" in raw and raw["id"] != old.uri:
        raise DocumentError("the id of a registration cannot be changed")
    gone = {key for key, value in raw.items() if value is None or value == NULL}
    fragment = _members({k: v for k, v in raw.items() if k not in gone}, context)
    names = {key if key in _READERS else context.iri(key) for key in gone}
    doc = {k: v for k, v in old.doc.items() if k not in names} | fragment
    _check_whole(doc, fragment, now)
    return Draft(old.uri, doc)


def _members(raw: Mapping[str, Any], context: Context) -> dict[str, Any]:
    doc: dict[str, Any] = {}
    for key, value in raw.items():
        if key in _OWN:
            continue
        read = _READERS.get(key)
        if read:
            doc[key] = read(key, value, context)
        elif value is None:
            raise DocumentError(f"{key}: null is no value")
        else:
            doc[check_name(key, context)] = value
    return doc


def _check_whole(doc: Mapping[str, Any], fresh: Mapping[str, Any], now: datetime) -> None:
    """What the members must be towards each other (§4.3.6.3, §5.9.2.4)."""
    for name in ("information", "endpoint"):
        if name not in doc:
            raise DocumentError(f"a registration needs {name}")
    mode = doc.get("mode", "inclusive")
    if mode == "exclusive":
        for info in doc["information"]:
            named = info.get("propertyNames") or info.get("relationshipNames")
            entities = info.get("entities", [])
            if not named or not entities or any("id" not in one for one in entities):
                raise DocumentError("an exclusive registration names an entity's id and attributes")
    if mode == "auxiliary" and "operations" in doc:
        offered = operations_of(doc["operations"])
        if offered.isdisjoint(operations_of(CONSUMING)):
            raise DocumentError("an auxiliary registration is for retrieving and querying")
    if "expiresAt" in fresh and parse_time(fresh["expiresAt"]) <= now:
        raise DocumentError("expiresAt has passed already")


def _text(key: str, value: Any, _context: Context) -> str:
    if not isinstance(value, str) or not value or len(value) > _TEXT_MAX or "\0" in value:
        raise DocumentError(f"{key} is a text, not an empty one")
    return value


def _list(key: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(value) <= _ITEMS_MAX:
        raise DocumentError(f"{key} is a list of 1 to {_ITEMS_MAX} items")
    return value


def _information(key: str, value: Any, context: Context) -> list[dict[str, Any]]:
    return [_info(one, context) for one in _list(key, value)]


def _info(raw: Any, context: Context) -> dict[str, Any]:
    """A RegistrationInfo (§5.2.10)."""
    if not isinstance(raw, dict):
        raise DocumentError("an item of information is a JSON object")
    made: dict[str, Any] = {}
    if "entities" in raw:
        made["entities"] = [_entity(one, context) for one in _list("entities", raw["entities"])]
    for key in ("propertyNames", "relationshipNames"):
        if key in raw:
            made[key] = [check_name(one, context) for one in _list(key, raw[key])]
    if not made:
        raise DocumentError("an item of information has entities, propertyNames or both")
    return made


def _entity(raw: Any, context: Context) -> dict[str, Any]:
    """An EntityInfo (§5.2.8)."""
    if not isinstance(raw, dict):
        raise DocumentError("an entity of information is a JSON object")
    types = raw.get("type", raw.get("@type"))
    names = [types] if isinstance(types, str) else types
    if not isinstance(names, list) or not names:
        raise DocumentError("an entity of information has a type")
    iris = [check_name(one, context) for one in names]
    made: dict[str, Any] = {"type": iris[0] if isinstance(types, str) else iris}
    if "id" in raw:
        if not is_uri(raw["id"]):
            raise DocumentError(f"an entity's id is a URI: {str(raw['id'])[:200]!r}")
        made["id"] = raw["id"]
    if "idPattern" in raw:
        pattern = _text("idPattern", raw["idPattern"], context)
        made["idPattern"] = checked_pattern(pattern)
    return made


def _endpoint(key: str, value: Any, context: Context) -> str:
    text = _text(key, value, context)
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or any(c in text for c in ' <>"\r\n'):
        raise DocumentError(f"{key} is an http or https URL: {text[:200]!r}")
    return text


def _one_of(*allowed: str) -> Read:
    def read(key: str, value: Any, _context: Context) -> str:
        if value not in allowed:
            raise DocumentError(f"{key} is one of {', '.join(allowed)}")
        return value

    return read


def _operations(key: str, value: Any, _context: Context) -> list[str]:
    for one in _list(key, value):
        if not isinstance(one, str) or (one not in OPERATIONS and one not in GROUPS):
            raise DocumentError(f"{key}: there is no operation {str(one)[:60]!r}")
    return value


def _told(key: str, value: Any, _context: Context) -> list[dict[str, str]]:
    """contextSourceInfo: pairs of key and value (§5.2.22, §4.3.6.6)."""
    made = []
    for one in _list(key, value):
        if not isinstance(one, dict):
            raise DocumentError(f"{key} is a list of objects with key and value")
        name, text = one.get("key"), one.get("value")
        if not isinstance(name, str) or not isinstance(text, str):
            raise DocumentError(f"{key}: key and value are texts")
        if not _HEADER_NAME.match(name) or any(ord(c) < 32 or ord(c) > 255 for c in text):
            raise DocumentError(f"{key}: {name[:60]!r} cannot be sent as a header")
        if name in ("accept", "contentType") and text not in _MEDIA:
            raise DocumentError(f"{key}: {name} is one of {', '.join(_MEDIA)}")
        if name == "jsonldContext" and not is_uri(text):
            raise DocumentError(f"{key}: jsonldContext is a URL")
        if name == "ngsildConformance" and not _VERSION.match(text):
            raise DocumentError(f"{key}: ngsildConformance is as 1.9")
        made.append({"key": name, "value": text})
    return made


def _duration(key: str, value: Any, context: Context) -> str:
    try:
        parse_duration(_text(key, value, context))
    except DurationError as error:
        raise DocumentError(f"{key}: {error}") from None
    return value


def _management(key: str, value: Any, context: Context) -> dict[str, Any]:
    """RegistrationManagementInfo (§5.2.34)."""
    if not isinstance(value, dict):
        raise DocumentError(f"{key} is a JSON object")
    made: dict[str, Any] = {}
    for name in ("timeout", "cooldown"):
        if name in value:
            number = value[name]
            if (
                isinstance(number, bool)
                or not isinstance(number, int | float)
                or not (0 < number < 1e9)
            ):
                raise DocumentError(f"{name} is a number of milliseconds above zero")
            made[name] = number
    if "localOnly" in value:
        made["localOnly"] = _flag("localOnly", value["localOnly"], context)
    if "cacheDuration" in value:
        made["cacheDuration"] = _duration("cacheDuration", value["cacheDuration"], context)
    return made


def _flag(key: str, value: Any, _context: Context) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(f"{key} is true or false")
    return value


def _interval(key: str, value: Any, _context: Context) -> dict[str, str]:
    if not isinstance(value, dict) or "startAt" not in value:
        raise DocumentError(f"{key} is an object with startAt")
    made = {name: value[name] for name in ("startAt", "endAt") if name in value}
    times = [parse_time(text) for text in made.values()]
    if times != sorted(times):
        raise DocumentError(f"{key} ends before it starts")
    return made


def _place(key: str, value: Any, _context: Context) -> dict[str, Any]:
    """A GeoJSON geometry, or a GeoProperty that holds one."""
    if isinstance(value, dict) and value.get("type") == "GeoProperty":
        value = value.get("value")
    if not isinstance(value, dict):
        raise DocumentError(f"{key} is a GeoJSON geometry")
    return read_geometry(key, value)


def _time(_key: str, value: Any, _context: Context) -> str:
    parse_time(value)
    return value


def _datasets(key: str, value: Any, _context: Context) -> list[str]:
    for one in _list(key, value):
        if one != "@none" and not is_uri(one):
            raise DocumentError(f"{key} is a list of URIs or @none")
    return value


def _scopes(_key: str, value: Any, _context: Context) -> Any:
    check_scopes(value)
    return value


def _alias(key: str, value: Any, context: Context) -> str:
    if not _PSEUDONYM.match(_text(key, value, context)):
        raise DocumentError(f"{key} is a pseudonym as of a Via header")
    return value


_READERS: dict[str, Read] = {
    "information": _information,
    "endpoint": _endpoint,
    "mode": _one_of(*MODES),
    "operations": _operations,
    "contextSourceInfo": _told,
    "contextSourceAlias": _alias,
    "registrationName": _text,
    "description": _text,
    "tenant": _text,
    "management": _management,
    "localOnly": _flag,
    "observationInterval": _interval,
    "managementInterval": _interval,
    "location": _place,
    "observationSpace": _place,
    "operationSpace": _place,
    "expiresAt": _time,
    "datasetId": _datasets,
    "refreshRate": _duration,
    "scope": _scopes,
}
STANDARD = frozenset(_READERS)
