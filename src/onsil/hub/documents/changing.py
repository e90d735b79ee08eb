"""What an operation makes of an entity: pure decisions (GS CIM 009 V1.9.1 §5.5.8, §5.5.12, §5.6).

Each takes the entity as it is and gives a new one, with what became of each attribute instance;
what it was given is left as it was. Attributes keep their createdAt; what is written gets a
modifiedAt.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from onsil.hub.contexts.core import NGSI_LD
from onsil.hub.documents.geometry import read_geometry
from onsil.hub.documents.terms import (
    DEFAULT_DATASET,
    META,
    NULL,
    RELATIONS,
    SEALED,
    UNITLESS,
    VALUE_KEYS,
    AttributeChange,
    AttributeKey,
    AttributeMissing,
    Document,
    DocumentError,
    Instance,
)
from onsil.hub.documents.values import is_uri, parse_time, time_text

SCOPE = NGSI_LD + "scope"
_LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_OF_A_KIND = ("unitCode", "objectType", "valueType")
_PATCHED = (*(m for m in META if m != "datasetId"), *SEALED)


class Changed(NamedTuple):
    """An entity after an operation. `not_updated`: attributes' IRIs that were left as they are."""

    document: Document
    attributes: dict[AttributeKey, AttributeChange]
    not_updated: list[str]


def create(new: Document, now: datetime) -> Changed:
    """§5.6.1: a new entity."""
    stamp = time_text(now)
    made = replace(new, created_at=stamp, modified_at=stamp)
    made.attrs = {iri: [_fresh(i, stamp) for i in found] for iri, found in new.attrs.items()}
    return Changed(made, dict.fromkeys(_keys(made), "created"), [])


def append(old: Document, new: Document, now: datetime, *, overwrite: bool = True) -> Changed:
    """§5.6.3: attributes added; those there are replaced, or left when not `overwrite`."""
    work = _Work(old, now)
    for iri, instance in _each(new):
        if overwrite or not work.has(iri, instance):
            work.put(iri, instance)
        else:
            work.leave(iri)
    scopes = new.scopes if overwrite else list(dict.fromkeys((*old.scopes, *new.scopes)))
    return work.done(new, scopes or old.scopes)


def update(old: Document, new: Document, now: datetime) -> Changed:
    """§5.6.2: attributes replaced or added, NGSI-LD Null removes them."""
    work = _Work(old, now)
    for iri, instance in _each(new):
        if _is_null(instance):
            work.remove(iri, instance)
        else:
            work.put(iri, instance)
    changed = work.done(new, new.scopes if old.scopes and new.scopes else old.scopes)
    if any(one != NULL for one in new.scopes) and not old.scopes:
        changed.not_updated.append(SCOPE)
    return changed


def update_attribute(
    old: Document, iri: str, fragments: Iterable[Instance], now: datetime
) -> Changed:
    """§5.6.4: of an attribute only what the fragment names; NGSI-LD Null as the value removes it.

    Raises AttributeMissing, and DocumentError for another kind of attribute.
    """
    work = _Work(old, now)
    for fragment in fragments:
        there = work.get(iri, fragment)
        if there is None:
            raise AttributeMissing(_named(iri, fragment))
        if _is_null(fragment):
            work.remove(iri, fragment)
        else:
            work.put(iri, _patched(there, fragment, deep=False))
    return work.done()


def replace_attribute(
    old: Document, iri: str, instances: Iterable[Instance], now: datetime
) -> Changed:
    """§5.6.19: an attribute's instance made anew. Raises AttributeMissing."""
    work = _Work(old, now)
    for instance in instances:
        if not work.has(iri, instance):
            raise AttributeMissing(_named(iri, instance))
        work.put(iri, instance)
    return work.done()


def replace_entity(old: Document, new: Document, now: datetime) -> Changed:
    """§5.6.18: an entity made anew; its createdAt stays."""
    work = _Work(replace(old, attrs={}), now)
    before = {key: i for key, i in _instances(old)}
    for iri, instance in _each(new):
        work.put(iri, instance, before.get((iri, instance.get("datasetId", ""))))
    for key in before.keys() - work.changes.keys():
        work.changes[key] = "deleted"
    made = replace(
        new, uri=old.uri, types=new.types or old.types, attrs=work.attrs,
        created_at=old.created_at, modified_at=work.stamp,
    )  # fmt: skip
    return Changed(made, work.changes, [])


def merge_entity(
    old: Document,
    patch: Document,
    now: datetime,
    *,
    observed_at: str | None = None,
    lang: str | None = None,
) -> Changed:
    """§5.6.17: a patch merged in, to any depth.

    `observed_at` is given to merged attributes that have an observedAt and get no new one; `lang`
    is the language of texts merged into a languageMap. Raises DocumentError for an attribute that
    is not there and comes without a value.
    """
    work = _Work(old, now)
    for iri, instance in _each(patch):
        there = work.get(iri, instance)
        if _is_null(instance):
            work.remove(iri, instance)
        elif there is None:
            work.put(iri, instance)
        else:
            merged = _patched(there, instance, deep=True, lang=lang)
            if observed_at and "observedAt" in there and "observedAt" not in instance:
                merged["observedAt"] = observed_at
            if merged.get("languageMap") == {}:
                work.remove(iri, instance)
            else:
                work.put(iri, merged)
    return work.done(patch, patch.scopes or old.scopes)


def delete_attribute(
    old: Document, iri: str, now: datetime, *, dataset_id: str | None = None, every: bool = False
) -> Changed:
    """§5.6.5: the default instance, that of a dataset, or `every` one. Raises AttributeMissing."""
    work = _Work(old, now)
    if iri == SCOPE:
        if not old.scopes:
            raise AttributeMissing(iri)
        return work.done(scopes=[])
    wanted: Instance = {} if dataset_id in (None, DEFAULT_DATASET) else {"datasetId": dataset_id}
    if not old.attrs.get(iri) or not (every or work.has(iri, wanted)):
        raise AttributeMissing(_named(iri, wanted))
    for instance in old.attrs[iri] if every else [wanted]:
        work.remove(iri, instance)
    return work.done()


def live(document: Document, now: datetime) -> Document:
    """The entity without the attribute instances that have expired (§4.22)."""
    gone = [
        (iri, instance)
        for iri, instance in _each(document)
        if "expiresAt" in instance and parse_time(instance["expiresAt"]) <= now
    ]
    if not gone:
        return document
    work = _Work(document, now)
    for iri, instance in gone:
        work.remove(iri, instance)
    return replace(document, attrs=work.attrs)


class _Work:
    """An entity's attributes while they change."""

    def __init__(self, old: Document, now: datetime) -> None:
        self._old = old
        self.attrs = dict(old.attrs)
        self.stamp = time_text(now)
        self.changes: dict[AttributeKey, AttributeChange] = {}
        self._left: dict[str, None] = {}

    def get(self, iri: str, like: Instance) -> Instance | None:
        """The instance with the same datasetId."""
        dataset = like.get("datasetId")
        for instance in self.attrs.get(iri, ()):
            if instance.get("datasetId") == dataset:
                return instance
        return None

    def has(self, iri: str, like: Instance) -> bool:
        return self.get(iri, like) is not None

    def put(self, iri: str, instance: Instance, there: Instance | None = None) -> None:
        """Write an instance over the one with its datasetId, or `there`; or beside the others."""
        made = _fresh(instance, self.stamp)
        dataset = instance.get("datasetId")
        found = list(self.attrs.get(iri, ()))
        at = -1
        for place, one in enumerate(found):
            if one.get("datasetId") == dataset:
                at, there = place, there or one
                break
        if there is not None:
            made["createdAt"] = there.get("createdAt", self.stamp)
        if at >= 0:
            found[at] = made
        elif dataset is None:
            found.insert(0, made)
        else:
            found.append(made)
        self.attrs[iri] = found
        self.changes[iri, dataset or ""] = "created" if there is None else "updated"

    def remove(self, iri: str, like: Instance) -> None:
        if not self.has(iri, like):
            return
        dataset = like.get("datasetId")
        kept = [i for i in self.attrs[iri] if i.get("datasetId") != dataset]
        if kept:
            self.attrs[iri] = kept
        else:
            del self.attrs[iri]
        self.changes[iri, dataset or ""] = "deleted"

    def leave(self, iri: str) -> None:
        self._left[iri] = None

    def done(self, new: Document | None = None, scopes: list[str] | None = None) -> Changed:
        """The entity as it became; types are added, an expiry is taken over."""
        old = self._old
        scopes = old.scopes if scopes is None else [s for s in scopes if s != NULL]
        types, expires = old.types, old.expires_at
        if new is not None:
            if not set(new.types) <= set(types):
                types = sorted({*types, *new.types})
            if new.expires_at:
                expires = None if new.expires_at == NULL else new.expires_at
        made = replace(old, types=types, scopes=scopes, attrs=self.attrs, expires_at=expires)
        if self.changes or (types, scopes, expires) != (old.types, old.scopes, old.expires_at):
            made.modified_at = self.stamp
        return Changed(made, self.changes, list(self._left))


def _each(document: Document) -> Iterable[tuple[str, Instance]]:
    return ((iri, i) for iri, found in document.attrs.items() for i in found)


def _instances(document: Document) -> Iterable[tuple[AttributeKey, Instance]]:
    return (((iri, i.get("datasetId", "")), i) for iri, i in _each(document))


def _keys(document: Document) -> Iterable[AttributeKey]:
    return (key for key, _ in _instances(document))


def _named(iri: str, like: Instance) -> str:
    dataset = like.get("datasetId")
    return f"{iri} of {dataset}" if dataset else iri


def _is_null(instance: Instance) -> bool:
    kind = instance.get("type")
    return kind is not None and instance.get(VALUE_KEYS[kind]) == NULL


def _fresh(instance: Instance, stamp: str) -> Instance:
    """An instance to be stored: whole, without NGSI-LD Nulls, stamped.

    Raises DocumentError for one without a value.
    """
    kind = instance.get("type")
    if kind is None or VALUE_KEYS[kind] not in instance:
        raise DocumentError("an attribute that is not there yet needs a value")
    made = {k: v for k, v in instance.items() if k != "bare" and v != NULL}
    for key in ("value", "languageMap"):
        if isinstance(made.get(key), dict):
            made[key] = _without_nulls(made[key])
    inner = instance.get("attrs")
    if inner:
        attrs = {iri: [_bare(i) for i in found if not _is_null(i)] for iri, found in inner.items()}
        made["attrs"] = {iri: found for iri, found in attrs.items() if found}
        if not made["attrs"]:
            del made["attrs"]
    made["createdAt"] = made["modifiedAt"] = stamp
    return made


def _bare(instance: Instance) -> Instance:
    """A sub-attribute's instance to be stored: as `_fresh`, without times of its own."""
    made = _fresh(instance, "")
    del made["createdAt"], made["modifiedAt"]
    return made


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v != NULL}
    return value


def _patched(there: Instance, patch: Instance, *, deep: bool, lang: str | None = None) -> Instance:
    """An instance with what the patch names laid over it. `deep`: values and sub-attributes are
    merged too (§5.5.12); else they are replaced (§5.5.8)."""
    made = dict(there)
    if patch.get("bare"):
        patch = _as_kind(there, patch, lang)
    kind = patch.get("type")
    if kind is not None:
        key, old_kind = VALUE_KEYS[kind], there["type"]
        old_key = VALUE_KEYS[old_kind]
        if key != old_key:
            if not deep:
                raise DocumentError(f"a {old_kind} does not become a {kind}")
            made = {k: v for k, v in made.items() if k not in (old_key, *_OF_A_KIND)}
            made["type"] = kind
        elif deep and kind != old_kind and key in patch:
            made["type"] = kind
        if key in patch:
            made[key] = _value(made["type"], made.get(key), patch[key], deep)
    for member in _PATCHED:
        if member in patch:
            made[member] = patch[member]
            if patch[member] == NULL:
                del made[member]
            else:
                _check_member(made["type"], member, patch[member])
    if "attrs" in patch:
        attrs = _sub_attributes(there.get("attrs", {}), patch["attrs"], deep, lang)
        made.pop("attrs", None)
        if attrs:
            made["attrs"] = attrs
    return made


def _check_member(kind: str, member: str, value: Any) -> None:
    """Raises DocumentError for a member that attributes of the kind do not have (§4.5)."""
    if (
        (member == "unitCode" and kind in UNITLESS)
        or (member == "objectType" and kind not in RELATIONS)
        or (member == "valueType" and kind in RELATIONS)
        or (member == "valueType" and kind == "LanguageProperty" and value != _LANG_STRING)
    ):
        raise DocumentError(f"a {kind} has no such {member}")


def _value(kind: str, old: Any, new: Any, deep: bool) -> Any:
    if kind == "GeoProperty":
        return read_geometry("the fragment", new)
    if deep and kind in ("Property", "JsonProperty", "LanguageProperty"):
        return _merged(old, new)
    return new


def _merged(old: Any, new: Any) -> Any:
    """JSON merge patch (RFC 7396) with NGSI-LD Null for null."""
    if not isinstance(new, dict):
        return new
    made = dict(old) if isinstance(old, dict) else {}
    for key, value in new.items():
        if value == NULL:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key), value)
    return made


def _sub_attributes(
    old: dict[str, list[Instance]], new: dict[str, list[Instance]], deep: bool, lang: str | None
) -> dict[str, list[Instance]]:
    made = dict(old)
    for iri, instances in new.items():
        there = {i.get("datasetId"): i for i in made.get(iri, [])}
        for instance in instances:
            dataset = instance.get("datasetId")
            if _is_null(instance):
                there.pop(dataset, None)
            elif deep and dataset in there:
                there[dataset] = _patched(there[dataset], instance, deep=True, lang=lang)
            else:
                there[dataset] = _bare(instance)
        made[iri] = list(there.values())
        if not made[iri]:
            del made[iri]
    return made


def _as_kind(there: Instance, patch: Instance, lang: str | None) -> Instance:
    """A plain value as the kind of attribute it comes upon (§5.6.17, simplified representation)."""
    kind, value = there["type"], patch["value"]
    if kind == "LanguageProperty" and isinstance(value, str):
        return {"type": kind, "languageMap": {lang or DEFAULT_DATASET: value}}
    items = value if isinstance(value, list) else [value]
    uris = all(is_uri(v) and v != NULL for v in items)
    fits = {
        "Relationship": uris and bool(items),
        "ListRelationship": uris and isinstance(value, list),
        "ListProperty": isinstance(value, list),
        "JsonProperty": isinstance(value, dict | list),
    }
    if fits.get(kind):
        return {"type": kind, VALUE_KEYS[kind]: value}
    return patch
