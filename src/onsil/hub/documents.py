"""Entities as documents: read from and written to NGSI-LD's representations.

Inside, names are IRIs and every attribute is a list of instances, one for each datasetId. Outside
there are three representations: normalised, concise and simplified (`keyValues`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from onsil.hub.contexts import CORE, Context

Representation = Literal["normalized", "concise", "simplified"]
Instance = dict[str, Any]
NULL = "urn:ngsi-ld:null"

# Attribute kind → the member that carries its value.
VALUE_KEYS = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
_KIND_OF_KEY = {key: kind for kind, key in VALUE_KEYS.items() if kind != "GeoProperty"}
_META = ("unitCode", "observedAt", "datasetId")
_SYSTEM = ("createdAt", "modifiedAt")
_RESERVED = {"id", "type", "@id", "@type", "@context", "scope", *_SYSTEM}
_GEOMETRIES = {
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
}  # fmt: skip
_DEPTH = 8


class DocumentError(ValueError):
    """An entity or attribute that is not NGSI-LD (the standard's BadRequestData)."""


@dataclass
class Document:
    """One entity in the hub's inner form: `attrs` maps an attribute's IRI to its instances."""

    uri: str
    types: list[str]
    scopes: list[str] = field(default_factory=list)
    attrs: dict[str, list[Instance]] = field(default_factory=dict)


def parse_time(text: Any) -> datetime:
    """An ISO 8601 instant with a zone, in UTC. Raises DocumentError."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise DocumentError(f"not an ISO 8601 time: {text!r}") from None
    if instant.tzinfo is None:
        raise DocumentError(f"a time needs a zone: {text!r}")
    return instant.astimezone(UTC)


def time_text(instant: datetime) -> str:
    """An instant the way the hub writes it: UTC, `Z`, fractions only where there are any."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def is_uri(text: Any) -> bool:
    return isinstance(text, str) and ":" in text[1:] and not any(c.isspace() for c in text)


def parse_entity(raw: Any, context: Context = CORE, *, partial: bool = False) -> Document:
    """Read an entity in any representation. `partial`: id and type may be missing (for patches).

    Raises DocumentError saying what is wrong and where.
    """
    if not isinstance(raw, dict):
        raise DocumentError("an entity is a JSON object")
    uri = raw.get("id", raw.get("@id", ""))
    if (uri or not partial) and not is_uri(uri):
        raise DocumentError(f"an entity's id must be a URI: {uri!r}")
    types = raw.get("type", raw.get("@type", []))
    types = [types] if isinstance(types, str) else types
    if not isinstance(types, list) or not all(isinstance(t, str) and t for t in types):
        raise DocumentError("an entity's type is a name or a list of names")
    if not types and not partial:
        raise DocumentError("an entity must have a type")
    scopes = raw.get("scope", [])
    scopes = [scopes] if isinstance(scopes, str) else scopes
    if not isinstance(scopes, list) or not all(isinstance(s, str) for s in scopes):
        raise DocumentError("scope is a text or a list of texts")
    attrs = dict(
        parse_attribute(name, value, context)
        for name, value in raw.items()
        if name not in _RESERVED
    )
    return Document(uri, sorted({context.iri(t) for t in types}), scopes, attrs)


def parse_attribute(
    name: str, raw: Any, context: Context, depth: int = 0
) -> tuple[str, list[Instance]]:
    """Read one attribute with all its instances: (IRI, instances). Raises DocumentError."""
    if depth > _DEPTH:
        raise DocumentError(f"{name}: sub-attributes are nested too deeply")
    if not name or any(c in name for c in " <>\"'{}|\\^`()"):
        raise DocumentError(f"not an attribute's name: {name!r}")
    many = isinstance(raw, list) and bool(raw) and all(_looks_like_attribute(r) for r in raw)
    instances = [_instance(name, part, context, depth) for part in (raw if many else [raw])]
    datasets = [i.get("datasetId") for i in instances]
    if len(set(datasets)) != len(datasets):
        raise DocumentError(f"{name}: two instances with the same datasetId")
    return context.iri(name), instances


def _looks_like_attribute(raw: Any) -> bool:
    return isinstance(raw, dict) and (
        raw.get("type") in VALUE_KEYS or bool(_KIND_OF_KEY.keys() & raw.keys())
    )


def _instance(name: str, raw: Any, context: Context, depth: int) -> Instance:
    if raw is None:
        raise DocumentError(f"{name}: null is no value; {NULL!r} removes an attribute in a patch")
    if not _looks_like_attribute(raw):
        return {"type": "GeoProperty" if _is_geometry(raw) else "Property", "value": raw}
    kind = raw.get("type") if raw.get("type") in VALUE_KEYS else None
    if kind is None:
        key = next(k for k in _KIND_OF_KEY if k in raw)
        geometry = key == "value" and _is_geometry(raw["value"])
        kind = "GeoProperty" if geometry else _KIND_OF_KEY[key]
    key = VALUE_KEYS[kind]
    if raw.get(key) is None:
        raise DocumentError(f"{name}: a {kind} needs a {key!r}")
    made: Instance = {"type": kind, key: raw[key]}
    _check_value(name, kind, raw[key])
    for meta in _META:
        if meta in raw:
            made[meta] = raw[meta]
    if "observedAt" in made:
        made["observedAt"] = time_text(parse_time(made["observedAt"]))
    if "datasetId" in made and not is_uri(made["datasetId"]):
        raise DocumentError(f"{name}: datasetId must be a URI")
    inner = {
        k: v for k, v in raw.items() if k not in (*_META, *_SYSTEM, key, "type", "previousValue")
    }
    if inner:
        made["attrs"] = dict(parse_attribute(k, v, context, depth + 1) for k, v in inner.items())
    return made


def _is_geometry(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") in _GEOMETRIES and "coordinates" in value


def _check_value(name: str, kind: str, value: Any) -> None:
    if value == NULL:
        return
    if kind == "GeoProperty" and not _is_geometry(value):
        raise DocumentError(f"{name}: a GeoProperty's value is a GeoJSON geometry")
    if kind == "Relationship":
        targets = value if isinstance(value, list) else [value]
        if not all(is_uri(t) for t in targets):
            raise DocumentError(f"{name}: a Relationship's object is a URI")
    if kind == "LanguageProperty" and not isinstance(value, dict):
        raise DocumentError(f"{name}: a languageMap is an object of language: text")


def default_instances(document: Document) -> Iterator[tuple[str, Instance]]:
    """Each attribute's instance without a datasetId."""
    for iri, instances in document.attrs.items():
        for instance in instances:
            if "datasetId" not in instance:
                yield iri, instance


def merge(
    old: dict[str, list[Instance]], new: dict[str, list[Instance]], now: datetime
) -> dict[str, list[Instance]]:
    """Lay new instances over old ones, one datasetId at a time; `urn:ngsi-ld:null` removes."""
    result = {iri: list(instances) for iri, instances in old.items()}
    stamp = time_text(now)
    for iri, instances in new.items():
        there = {i.get("datasetId"): i for i in result.get(iri, [])}
        for instance in instances:
            key = instance.get("datasetId")
            if instance[VALUE_KEYS[instance["type"]]] == NULL:
                there.pop(key, None)
                continue
            created = there.get(key, {}).get("createdAt", stamp)
            there[key] = {**instance, "createdAt": created, "modifiedAt": stamp}
        if there:
            result[iri] = list(there.values())
        else:
            result.pop(iri, None)
    return result


def render(
    document: Document,
    context: Context = CORE,
    representation: Representation = "normalized",
    *,
    attrs: frozenset[str] | None = None,
    system: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An entity for the outside; `attrs` (IRIs) narrows it, `system` adds createdAt/modifiedAt."""
    types = [context.term(t) for t in document.types]
    made: dict[str, Any] = {"id": document.uri, "type": types[0] if len(types) == 1 else types}
    if document.scopes:
        made["scope"] = document.scopes
    if system:
        made |= system
    for iri, instances in document.attrs.items():
        if attrs is None or iri in attrs:
            parts = [_render(i, context, representation, bool(system)) for i in instances]
            if representation == "simplified" and len(instances) > 1:
                made[context.term(iri)] = {
                    "dataset": {i.get("datasetId", "@none"): p for i, p in zip(
                        instances, parts, strict=True)}
                }  # fmt: skip
            else:
                made[context.term(iri)] = parts[0] if len(parts) == 1 else parts
    return made


def _render(
    instance: Instance, context: Context, representation: Representation, system: bool
) -> Any:
    key = VALUE_KEYS[instance["type"]]
    value = instance[key]
    if representation == "simplified":
        return {key: value} if key in ("languageMap", "vocab", "json") else value
    made: dict[str, Any] = {}
    if representation == "normalized":
        made["type"] = instance["type"]
    made[key] = value
    for meta in (*_META, *(_SYSTEM if system else ())):
        if meta in instance:
            made[meta] = instance[meta]
    for iri, inner in instance.get("attrs", {}).items():
        parts = [_render(i, context, representation, system) for i in inner]
        made[context.term(iri)] = parts[0] if len(parts) == 1 else parts
    if representation == "concise" and set(made) == {"value"} and not isinstance(value, dict):
        return value
    return made
