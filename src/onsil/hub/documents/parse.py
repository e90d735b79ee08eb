"""Reading entities and attributes: normalised, concise and simplified (GS CIM 009 V1.9.1 §4.5).

The three are told apart attribute by attribute: an object with an attribute's type or with a member
that carries a value (`value`, `object`, …) is an attribute; anything else is a Property's plain
value, or a GeoProperty's when it is a geometry.
"""

from collections.abc import Mapping
from typing import Any

from onsil.hub.contexts import CORE, Context
from onsil.hub.contexts.core import NGSI_LD
from onsil.hub.documents.geometry import looks_like_geometry, read_geometry
from onsil.hub.documents.terms import (
    DEFAULT_DATASET,
    KIND_OF_KEY,
    META,
    NON_REIFIED,
    NULL,
    OUTPUT_ONLY,
    PREVIOUS_KEYS,
    RELATIONS,
    SEALED,
    UNITLESS,
    VALUE_KEYS,
    Document,
    DocumentError,
    Instance,
)
from onsil.hub.documents.values import (
    check_date_time,
    check_json,
    check_language_map,
    check_name,
    check_raw_json,
    check_scopes,
    is_uri,
)

_DEPTH = 8
_GEO_IRIS = frozenset(NGSI_LD + n for n in ("location", "observationSpace", "operationSpace"))
_PROOF = NGSI_LD + "ngsildproof"
_MEMBERS = frozenset(
    ("id", "@id", "type", "@type", "@context", "scope", "expiresAt", "createdAt", "modifiedAt",
     "deletedAt")
)  # fmt: skip
_NEVER = frozenset((*PREVIOUS_KEYS.values(), "entity", "entityList", "dataset", "@context", "@id"))
_FRAGMENT_META = frozenset((*META, *SEALED))
_LISTS = frozenset(("valueList", "objectList"))


def parse_entity(
    raw: Any,
    context: Context = CORE,
    *,
    partial: bool = False,
    nulls: bool = False,
    merging: bool = False,
    simplified: bool = False,
) -> Document:
    """Read an entity in any representation.

    `partial`: id and type may be missing (a fragment). `nulls`: NGSI-LD Null may remove attributes
    (§5.5.8). `merging`: it may remove whatever it stands for, and attributes may be without a value
    (§5.5.12). `simplified`: attributes are values, whatever they look like.
    Raises DocumentError saying what is wrong and where.
    """
    if not isinstance(raw, dict):
        raise DocumentError("an entity is a JSON object")
    if context.aliases:
        raw = {context.aliases.get(key, key): value for key, value in raw.items()}
    reader = _Reader(context, nulls or merging, merging, simplified)
    uri = raw.get("id", raw.get("@id", ""))
    if (uri or not partial) and (not is_uri(uri) or uri == NULL):
        raise DocumentError(f"an entity's id must be a URI: {str(uri)[:200]!r}")
    types = _types(raw.get("type", raw.get("@type")), context, partial)
    document = Document(uri, types)
    if "scope" in raw:
        document.scopes = check_scopes(raw["scope"], nulls=reader.nulls)
    if "expiresAt" in raw:
        expiry = raw["expiresAt"]
        if expiry != NULL or not reader.nulls:
            expiry = check_date_time(expiry, "expiresAt")
        document.expires_at = expiry
    for name, value in raw.items():
        if name not in _MEMBERS:
            iri, instances = reader.attribute(name, value, 0)
            if iri in document.attrs:
                raise DocumentError(f"{name}: the attribute is there twice")
            document.attrs[iri] = instances
    return document


def _types(raw: Any, context: Context, partial: bool) -> list[str]:
    if raw is None and partial:
        return []
    names = [raw] if isinstance(raw, str) else raw
    if not isinstance(names, list) or not names:
        raise DocumentError("an entity's type is a name or a list of names")
    return sorted({check_name(name, context) for name in names})


def parse_attribute(
    name: str, raw: Any, context: Context = CORE, *, nulls: bool = False
) -> tuple[str, list[Instance]]:
    """Read one attribute with all its instances: (IRI, instances). Raises DocumentError."""
    return _Reader(context, nulls, False, False).attribute(name, raw, 0)


def parse_fragment(
    name: str, raw: Any, context: Context = CORE, *, simplified: bool = False
) -> tuple[str, list[Instance]]:
    """Read an attribute fragment (§5.4, §5.6.4): type and value may be missing, NGSI-LD Null may
    remove sub-attributes. Raises DocumentError."""
    reader = _Reader(context, True, False, simplified)
    if not isinstance(raw, dict) or simplified or looks_like_geometry(raw):
        return reader.attribute(name, raw, 0)
    iri = reader.iri(name)
    instance = reader.reified(name, iri, raw, 0, fragment=True)
    if len(instance) == 0 or set(instance) == {"datasetId"}:
        raise DocumentError(f"{name}: the fragment says nothing")
    return iri, [instance]


class _Reader:
    """How attributes are read within one request."""

    __slots__ = ("context", "merging", "nulls", "simplified")

    def __init__(self, context: Context, nulls: bool, merging: bool, simplified: bool) -> None:
        self.context, self.nulls = context, nulls
        self.merging, self.simplified = merging, simplified

    def iri(self, name: str) -> str:
        if name in NON_REIFIED or name.startswith("@") or name == "scope":
            raise DocumentError(f"{name!r} is no attribute's name")
        return check_name(name, self.context)

    def attribute(self, name: str, raw: Any, depth: int) -> tuple[str, list[Instance]]:
        if depth > _DEPTH:
            raise DocumentError(f"{name}: sub-attributes are nested too deeply")
        iri = self.iri(name)
        if isinstance(raw, dict) and raw.keys() == {"dataset"} and isinstance(raw["dataset"], dict):
            instances = self._by_dataset(name, iri, raw["dataset"], depth)
        elif isinstance(raw, list) and raw and all(self._is_reified(part) for part in raw):
            instances = [self.reified(name, iri, part, depth) for part in raw]
        else:
            instances = [self._one(name, iri, raw, depth)]
        if len(instances) > 1:
            datasets = {i.get("datasetId") for i in instances}
            if len(datasets) != len(instances):
                raise DocumentError(f"{name}: two instances with the same datasetId, or without")
        return iri, instances

    def _by_dataset(
        self, name: str, iri: str, parts: Mapping[str, Any], depth: int
    ) -> list[Instance]:
        """The simplified form of several instances (§4.5.4)."""
        made = []
        for dataset, value in parts.items():
            instance = self._one(name, iri, value, depth)
            if dataset != DEFAULT_DATASET:
                instance["datasetId"] = _dataset(name, dataset)
            made.append(instance)
        if not made:
            raise DocumentError(f"{name}: a dataset has instances")
        return made

    def _one(self, name: str, iri: str, raw: Any, depth: int) -> Instance:
        if self._is_reified(raw):
            return self.reified(name, iri, raw, depth)
        if raw is None:
            raise DocumentError(f"{name}: null is no value; {NULL!r} removes it in a patch")
        if raw == NULL:
            if not self.nulls:
                raise DocumentError(f"{name}: {NULL!r} is no value here")
            return {"type": "Property", "value": NULL, "bare": True}
        if looks_like_geometry(raw):
            return {"type": "GeoProperty", "value": read_geometry(name, raw)}
        if iri in _GEO_IRIS:
            raise DocumentError(f"{name} is a GeoProperty")
        check_json(name, raw, nulls=self.merging)
        made: Instance = {"type": "Property", "value": raw}
        if self.nulls:
            made["bare"] = True
        return made

    def _is_reified(self, raw: Any) -> bool:
        """Whether this is an attribute, not the plain value of one."""
        if not isinstance(raw, dict):
            return False
        kind = raw.get("type", raw.get("@type"))
        if self.simplified:
            return len(raw) == 1 and next(iter(raw)) in ("languageMap", "vocab", "json")
        if isinstance(kind, str) and kind in VALUE_KEYS:
            return True
        if KIND_OF_KEY.keys() & raw.keys():
            return not looks_like_geometry(raw)
        return self.merging and kind is None and bool(_FRAGMENT_META & raw.keys())

    def reified(
        self, name: str, iri: str, raw: Mapping[str, Any], depth: int, *, fragment: bool = False
    ) -> Instance:
        """One instance written as an object. `fragment`: type and value may be missing."""
        kind = self._kind(name, raw, fragment or self.merging)
        made: Instance = {}
        if kind is not None:
            made["type"] = kind
            key = VALUE_KEYS[kind]
            if key in raw:
                made[key] = self._value(name, iri, kind, raw[key])
            elif not (fragment or self.merging):
                raise DocumentError(f"{name}: a {kind} needs a {key!r}")
            if iri in _GEO_IRIS and kind != "GeoProperty" and made.get(key) != NULL:
                raise DocumentError(f"{name} is a GeoProperty")
        if iri == _PROOF:
            self._proof(name, kind, raw, made)
        inner: dict[str, list[Instance]] = {}
        for member, value in raw.items():
            if member in ("type", "@type") or (kind is not None and member == VALUE_KEYS[kind]):
                continue
            if member in _FRAGMENT_META:
                self._meta(name, iri, kind, member, value, made)
            elif member in OUTPUT_ONLY:
                continue
            elif member in _NEVER or member in KIND_OF_KEY:
                raise DocumentError(f"{name}: {member!r} does not go with a {kind or 'fragment'}")
            else:
                sub, instances = self.attribute(member, value, depth + 1)
                inner[sub] = instances
        if inner:
            made["attrs"] = inner
        return made

    def _kind(self, name: str, raw: Mapping[str, Any], may_lack: bool) -> str | None:
        stated = raw.get("type", raw.get("@type"))
        if stated is not None:
            if not isinstance(stated, str) or stated not in VALUE_KEYS:
                raise DocumentError(f"{name}: {stated!r} is not a kind of attribute")
            return stated
        keys = [key for key in KIND_OF_KEY if key in raw]
        if len(keys) > 1:
            raise DocumentError(f"{name}: {keys[0]!r} and {keys[1]!r} do not go together")
        if not keys:
            if may_lack:
                return None
            raise DocumentError(f"{name}: an attribute needs a value")
        if keys[0] == "value" and looks_like_geometry(raw["value"]):
            return "GeoProperty"
        return KIND_OF_KEY[keys[0]]

    def _value(self, name: str, iri: str, kind: str, value: Any) -> Any:
        """A value as it is kept: checked, vocabulary as IRIs, lists of objects as plain URIs."""
        if value is None:
            raise DocumentError(f"{name}: null is no value; {NULL!r} removes it in a patch")
        if _is_null(kind, value):
            if not self.nulls:
                raise DocumentError(f"{name}: {NULL!r} is no value here")
            return NULL
        match kind:
            case "Property":
                check_json(name, value, nulls=self.merging)
            case "GeoProperty":
                return read_geometry(name, value)
            case "Relationship":
                targets = value if isinstance(value, list) else [value]
                if not targets or not all(is_uri(t) and t != NULL for t in targets):
                    raise DocumentError(f"{name}: a Relationship's object is a URI or URIs")
            case "ListRelationship":
                return self._objects(name, value)
            case "LanguageProperty":
                check_language_map(name, value, nulls=self.merging)
            case "VocabProperty":
                return self._vocabulary(name, value)
            case "JsonProperty":
                check_raw_json(name, value)
            case _:
                if not isinstance(value, list):
                    raise DocumentError(f"{name}: a valueList is a list")
                check_json(name, value, nulls=False)
        return value

    def _objects(self, name: str, value: Any) -> list[str]:
        """URIs, alone or as {"object": URI} (§4.5.22)."""
        if not isinstance(value, list):
            raise DocumentError(f"{name}: an objectList is a list")
        found: list[Any] = [
            v["object"] if isinstance(v, dict) and v.keys() == {"object"} else v for v in value
        ]
        if not all(is_uri(v) and v != NULL for v in found):
            raise DocumentError(f"{name}: an objectList holds URIs")
        return found

    def _vocabulary(self, name: str, value: Any) -> str | list[str]:
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(v, str) and v and "\0" not in v for v in names):
            raise DocumentError(f"{name}: a vocab is a text or a list of texts")
        iris = [self.context.iri(v) for v in names]
        return iris if isinstance(value, list) else iris[0]

    def _meta(
        self, name: str, iri: str, kind: str | None, member: str, value: Any, made: Instance
    ) -> None:
        """A member that is no sub-attribute."""
        if value == NULL and self.nulls and member not in ("datasetId", *SEALED):
            made[member] = NULL
            return
        if member == "datasetId":
            if value != DEFAULT_DATASET:
                made[member] = _dataset(name, value)
        elif member in ("observedAt", "expiresAt"):
            made[member] = check_date_time(value, f"{name}.{member}")
        elif member == "unitCode":
            if kind in UNITLESS or not isinstance(value, str) or not value or "\0" in value:
                raise DocumentError(f"{name}: a unitCode is a text, and a {kind} has none")
            made[member] = value
        elif member == "objectType":
            if kind is not None and kind not in RELATIONS:
                raise DocumentError(f"{name}: a {kind} has no objectType")
            names = value if isinstance(value, list) else [value]
            if not names:
                raise DocumentError(f"{name}: an objectType is a name")
            made[member] = [check_name(n, self.context) for n in names]
        elif member == "valueType":
            self._value_type(name, kind, value, made)
        elif iri != _PROOF:
            raise DocumentError(f"{name}: {member!r} belongs to ngsildproof")

    def _value_type(self, name: str, kind: str | None, value: Any, made: Instance) -> None:
        if kind in RELATIONS or not isinstance(value, str) or not value or "\0" in value:
            raise DocumentError(f"{name}: not a valueType: {value!r}")
        if kind == "LanguageProperty" and value != "langString":
            raise DocumentError(f"{name}: a LanguageProperty's valueType is langString")
        made["valueType"] = self.context.iri(value)

    def _proof(self, name: str, kind: str | None, raw: Mapping[str, Any], made: Instance) -> None:
        """ngsildproof: a Property with a W3C proof object, and what it seals (§4.5.2.2)."""
        value = made.get("value")
        if kind != "Property" or (value is not None and value != NULL
                                  and not isinstance(value, dict)):  # fmt: skip
            raise DocumentError(f"{name} is a Property with a proof object")
        for member in SEALED:
            if member in raw:
                if not isinstance(raw[member], str):
                    raise DocumentError(f"{name}: {member} is a text")
                made[member] = raw[member]
        if "entityTypeSealed" in made:
            made["entityTypeSealed"] = self.context.iri(made["entityTypeSealed"])


def _is_null(kind: str, value: Any) -> bool:
    """Whether a value is the NGSI-LD Null of its kind (§4.5.0)."""
    if value == NULL:
        return True
    if kind == "LanguageProperty":
        return value == {DEFAULT_DATASET: NULL}
    return VALUE_KEYS[kind] in _LISTS and value in ([NULL], [{"object": NULL}])


def _dataset(name: str, value: Any) -> str:
    if not is_uri(value) or value == NULL:
        raise DocumentError(f"{name}: datasetId must be a URI")
    return value
