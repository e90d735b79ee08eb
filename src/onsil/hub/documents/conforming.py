"""Entities as earlier versions of the standard knew them: GS CIM 009 V1.9.1 §4.3.6.8.

Pure. It works on what goes out, in any representation; what is new is left out or told as what was
there before it.
"""

from collections.abc import Mapping
from typing import Any

CURRENT = (1, 9)
Version = tuple[int, int]
# Table 4.3.6.8-1: since when, what it was before, and where its value is.
_KINDS: Mapping[str, tuple[Version, str, str]] = {
    "LanguageProperty": ((1, 4), "Property", "languageMap"),
    "JsonProperty": ((1, 8), "Property", "json"),
    "VocabProperty": ((1, 8), "Property", "vocab"),
    "ListProperty": ((1, 8), "Property", "valueList"),
    "ListRelationship": ((1, 8), "Relationship", "objectList"),
}
_BY_VALUE = {key: kind for kind, (_, _, key) in _KINDS.items()}
# Tables 4.3.6.8-2 and -3: members of attributes.
_MEMBERS: Mapping[str, Version] = {
    "datasetId": (1, 3), "observedAt": (1, 3), "unitCode": (1, 3), "objectType": (1, 8),
    "expiresAt": (1, 9), "valueType": (1, 9),
}  # fmt: skip
_SEVERAL = (1, 3)  # types of an entity, instances of an attribute
_OWN: Mapping[str, Version] = {"scope": (1, 4), "expiresAt": (1, 9)}
_PLAIN = frozenset(("id", "type", "scope", "@context", "createdAt", "modifiedAt", "deletedAt"))
_VALUES = frozenset(("value", "object", "json", "languageMap", "vocab", "valueList", "objectList"))


def conform(content: Any, version: Version) -> tuple[Any, bool]:
    """An entity, a list of them or GeoJSON as of a version, and whether that changed anything."""
    if version >= CURRENT:
        return content, False
    made = _content(content, version)
    return made, made != content


def _content(content: Any, version: Version) -> Any:
    if isinstance(content, list):
        return [_content(one, version) for one in content]
    if not isinstance(content, dict):
        return content
    if content.get("type") == "FeatureCollection":
        return {**content, "features": [_content(one, version) for one in content["features"]]}
    if content.get("type") == "Feature" and "properties" in content:
        return {**content, "properties": _entity(content["properties"], version)}
    return _entity(content, version)


def _entity(entity: Mapping[str, Any], version: Version) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, given in entity.items():
        if name in _OWN and version < _OWN[name]:
            continue
        if name == "type" and isinstance(given, list) and version < _SEVERAL:
            made[name] = given[0]
        else:
            made[name] = given if name in _PLAIN else _attribute(given, version)
    return made


def _attribute(given: Any, version: Version) -> Any:
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        if version < _SEVERAL:
            plain = next((one for one in given if "datasetId" not in one), given[0])
            return _instance(plain, version)
        return [_instance(one, version) for one in given]
    return _instance(given, version) if isinstance(given, dict) else given


def _instance(given: Mapping[str, Any], version: Version) -> Any:
    if given.get("type") == "Relationship" or "object" in given or "value" in given:
        kind = ""
    else:
        kind = given.get("type") or next((k for key, k in _BY_VALUE.items() if key in given), "")
    since, before, key = _KINDS.get(kind, (version, "", ""))
    older = version < since and key in given
    if older and len(given) == 1:
        return given[key]  # the simplified form
    made: dict[str, Any] = {}
    for name, value in given.items():
        if name in _MEMBERS and version < _MEMBERS[name]:
            continue
        if older and name == "type":
            made[name] = before
        elif older and name == key:
            made["object" if before == "Relationship" else "value"] = _bare(value, kind)
        elif name in _VALUES or not isinstance(value, dict | list):
            made[name] = value
        else:
            made[name] = _attribute(value, version)
    return made


def _bare(value: Any, kind: str) -> Any:
    """The objects of a list as a Relationship tells them."""
    if kind == "ListRelationship" and isinstance(value, list):
        return [one["object"] if isinstance(one, dict) and "object" in one else one
                for one in value]  # fmt: skip
    return value
