"""Writing entities: normalised, concise and simplified, and each as GeoJSON (§4.5.1 to §4.5.24)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from onsil.hub.contexts import CORE, Context
from onsil.hub.documents.geometry import looks_like_geometry
from onsil.hub.documents.selection import ALL, Selection, choose_language
from onsil.hub.documents.terms import (
    DEFAULT_DATASET,
    NULL,
    PREVIOUS_KEYS,
    SEALED,
    VALUE_KEYS,
    Document,
    Instance,
    Representation,
)

_PLAIN_META = ("unitCode", "observedAt", "datasetId")
_WRAPPED = frozenset(("languageMap", "vocab", "json"))
_LISTS = frozenset(("valueList", "objectList"))
# Members of an instance that go out otherwise than they are kept; the broker's own times.
_WORKED = frozenset(
    (
        "attrs", "languageMap", "vocab", "json", "valueList", "objectList", "objectType",
        "valueType", "lang", "expiresAt", "deletedAt", *SEALED,
    )
)  # fmt: skip
_KEPT_BACK = frozenset(("createdAt", "modifiedAt"))


def render(
    document: Document,
    context: Context = CORE,
    representation: Representation = "normalized",
    *,
    attrs: frozenset[str] | None = None,
    selection: Selection = ALL,
    languages: Sequence[str] = (),
    datasets: frozenset[str] | None = None,
    system: bool = False,
    before: Document | None = None,
) -> dict[str, Any]:
    """An entity with short names.

    `attrs` (IRIs) and `selection` narrow it, `datasets` keeps instances of these datasetIds
    (`@none`: the default one), `languages` turns languageMaps into texts (§4.15), `system` adds
    createdAt, modifiedAt and expiresAt (§6.3.11), `before` adds previous values (showChanges).
    """
    term, shows = context.term, selection.shows
    every = selection is ALL
    made: dict[str, Any] = {}
    if every or shows("id"):
        made["id"] = document.uri
    if every or shows("type"):
        types = document.types
        made["type"] = term(types[0]) if len(types) == 1 else [term(t) for t in types]
    if document.scopes and (every or shows("scope")):
        scopes = document.scopes
        made["scope"] = scopes[0] if len(scopes) == 1 else scopes
    if system:
        for name, time in (
            ("createdAt", document.created_at), ("modifiedAt", document.modified_at),
            ("expiresAt", document.expires_at),
        ):  # fmt: skip
            if time and (every or shows(name) or selection.pick is not None):
                made[name] = time
    write = _writer(context, representation, system, languages)
    earlier = before.attrs if before is not None and representation != "simplified" else None
    for iri, instances in document.attrs.items():
        if (attrs is not None and iri not in attrs) or not (every or shows(iri)):
            continue
        if datasets is not None:
            instances = [i for i in instances if i.get("datasetId", DEFAULT_DATASET) in datasets]
            if not instances:
                continue
        if earlier is not None:
            made[term(iri)] = _with_previous(instances, earlier.get(iri, ()), write, term)
        elif len(instances) == 1:
            made[term(iri)] = write(instances[0])
        elif representation == "simplified":
            made[term(iri)] = _by_dataset(instances, write)
        else:
            made[term(iri)] = _listed(instances, write)
    return made


def render_instances(
    instances: Sequence[Instance],
    context: Context = CORE,
    representation: Representation = "normalized",
    *,
    languages: Sequence[str] = (),
    system: bool = False,
) -> Any:
    """One attribute: an object, or a list of several; simplified, a value or values by dataset."""
    write = _writer(context, representation, system, languages)
    if len(instances) == 1:
        return write(instances[0])
    if representation == "simplified":
        return _by_dataset(instances, write)
    return _listed(instances, write)


def render_feature(
    document: Document,
    geometry_iri: str,
    context: Context = CORE,
    representation: Representation = "normalized",
    *,
    dataset_id: str | None = None,
    **how: Any,
) -> dict[str, Any]:
    """An entity as a GeoJSON Feature (§4.5.16, §4.5.17); `how` as for `render`.

    Its geometry is that attribute's default instance, or that of `dataset_id`; else null.
    """
    wanted = None if dataset_id == DEFAULT_DATASET else dataset_id
    geometry = None
    for instance in document.attrs.get(geometry_iri, ()):
        if instance.get("datasetId") == wanted and looks_like_geometry(instance.get("value")):
            geometry = instance["value"]
    properties = render(document, context, representation, **how)
    feature: dict[str, Any] = {"type": "Feature", "geometry": geometry, "properties": properties}
    uri = properties.pop("id", None)
    return feature if uri is None else {"id": uri, **feature}


def feature_collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Features together (§4.5.16.3)."""
    return {"type": "FeatureCollection", "features": list(features)}


Write = Callable[[Instance], Any]


def _by_dataset(instances: Sequence[Instance], write: Write) -> dict[str, Any]:
    return {"dataset": {i.get("datasetId", DEFAULT_DATASET): write(i) for i in instances}}


def _listed(instances: Sequence[Instance], write: Write) -> list[Any]:
    """Several instances; each an object, for a list of plain values would be one value."""
    return [_as_object(write(i), i) for i in instances]


def _as_object(written: Any, instance: Instance) -> dict[str, Any]:
    key = VALUE_KEYS[instance["type"]]
    if key == "value" and not (isinstance(written, dict) and key in written):
        return {key: written}
    return written


def _writer(
    context: Context, representation: Representation, system: bool, languages: Sequence[str]
) -> Write:
    """How one instance is written."""
    term = context.term

    def shown(instance: Instance) -> Instance:
        """The instance in the one language wanted."""
        tags = instance["languageMap"]
        if tags == NULL:
            return instance
        tag = choose_language(tags, languages)
        made = {k: v for k, v in instance.items() if k not in ("languageMap", "valueType")}
        return made | {"type": "Property", "value": tags[tag], "lang": tag}

    def simplified(instance: Instance) -> Any:
        if languages and "languageMap" in instance:
            instance = shown(instance)
        key = VALUE_KEYS[instance["type"]]
        value = instance[key]
        if key == "vocab":
            value = _shortened(value, term)
        return {key: value} if key in _WRAPPED else value

    def full(instance: Instance) -> Any:
        if plain and _WORKED.isdisjoint(instance):
            return {name: said for name, said in instance.items() if name not in _KEPT_BACK}
        if languages and "languageMap" in instance:
            instance = shown(instance)
        kind = instance["type"]
        key = VALUE_KEYS[kind]
        value = instance[key]
        made: dict[str, Any] = {"type": kind, key: value}
        if key != "value":
            made[key] = _written(key, value, term, concise=concise)
        for meta in _PLAIN_META:
            if meta in instance:
                made[meta] = instance[meta]
        if len(instance) > len(made):
            _add_rest(instance, made, term, full, system=system)
        if concise:
            return _shortest(made, key, value)
        return made

    concise = representation == "concise"
    plain = representation == "normalized" and not system
    return simplified if representation == "simplified" else full


def _add_rest(
    instance: Instance,
    made: dict[str, Any],
    term: Callable[[str], str],
    write: Write,
    *,
    system: bool,
) -> None:
    """What few instances have: named kinds, seals, system times and inner attributes."""
    for name in ("objectType", "valueType", *SEALED, "lang"):
        if name in instance:
            made[name] = instance[name]
    if "objectType" in made:
        names = [term(t) for t in made["objectType"]]
        made["objectType"] = names[0] if len(names) == 1 else names
    for name in ("valueType", "entityTypeSealed"):
        if name in made:
            made[name] = term(made[name])
    if system:
        for name in ("createdAt", "modifiedAt", "deletedAt", "expiresAt"):
            if name in instance:
                made[name] = instance[name]
    if "instanceId" in instance:
        made["instanceId"] = instance["instanceId"]
    inner = instance.get("attrs")
    if inner:
        for iri, parts in inner.items():
            made[term(iri)] = write(parts[0]) if len(parts) == 1 else _listed(parts, write)


def _written(key: str, value: Any, term: Callable[[str], str], *, concise: bool) -> Any:
    """A value other than a Property's, as it goes out."""
    if value == NULL:
        if key == "languageMap":
            return {DEFAULT_DATASET: NULL}
        return [NULL] if key in _LISTS else NULL
    if key == "vocab":
        return _shortened(value, term)
    if key == "objectList" and not concise:
        return [{"object": uri} for uri in value]
    return value


def _shortened(value: Any, term: Callable[[str], str]) -> Any:
    return [term(v) for v in value] if isinstance(value, list) else term(value)


def _shortest(made: dict[str, Any], key: str, value: Any) -> Any:
    """The concise form: no type where it can be told, and a plain value where that is all."""
    kind = made["type"]
    if kind == "Property" and looks_like_geometry(value):
        return made  # without its type it would be read as a GeoProperty
    del made["type"]
    if len(made) > 1 or key != "value":
        return made
    if kind == "GeoProperty":
        return value
    items = value if isinstance(value, list) else [value]
    return made if any(isinstance(item, dict) for item in items) else value


def _with_previous(
    instances: Sequence[Instance], earlier: Sequence[Instance], write: Write,
    term: Callable[[str], str],
) -> Any:  # fmt: skip
    """An attribute with what it said before, where it says something else now (§5.2.14.1)."""
    there = {i.get("datasetId"): i for i in earlier}
    made = []
    for instance in instances:
        written = write(instance)
        old = there.get(instance.get("datasetId"))
        if old is not None:
            key = VALUE_KEYS[old["type"]]
            if old[key] != instance.get(key):
                written = _as_object(written, instance)
                written[PREVIOUS_KEYS[key]] = _written(key, old[key], term, concise=False)
        made.append(written)
    if len(made) == 1:
        return made[0]
    return [_as_object(one, i) for one, i in zip(made, instances, strict=True)]
