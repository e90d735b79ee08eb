"""The nouns of documents: entities, attribute instances, the kinds of attributes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Representation = Literal["normalized", "concise", "simplified"]
Instance = dict[str, Any]
AttributeKey = tuple[str, str]  # attribute IRI, datasetId or ""
AttributeChange = Literal["created", "updated", "deleted"]

NULL = "urn:ngsi-ld:null"
DEFAULT_DATASET = "@none"

# Attribute kind → the member that carries its value (GS CIM 009 V1.9.1 §4.5.2 to §4.5.24).
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
KIND_OF_KEY = {key: kind for kind, key in VALUE_KEYS.items() if kind != "GeoProperty"}
PREVIOUS_KEYS = {key: f"previous{key[0].upper()}{key[1:]}" for key in KIND_OF_KEY}

# Members of an attribute that are no sub-attributes, in the order they are written in.
RELATIONS = frozenset(("Relationship", "ListRelationship"))
UNITLESS = frozenset((*RELATIONS, "LanguageProperty", "VocabProperty", "JsonProperty"))
META = ("unitCode", "observedAt", "datasetId", "objectType", "valueType", "expiresAt")
SEALED = ("entityIdSealed", "entityTypeSealed")
SYSTEM = ("createdAt", "modifiedAt", "deletedAt")
# What the broker alone writes: ignored when a producer sends it (§5.2.5).
OUTPUT_ONLY = frozenset((*SYSTEM, "instanceId", "lang"))
# Terms of the core context that are plain members, so no attribute's name (§4.5.1).
NON_REIFIED = frozenset(
    (
        *META, *SEALED, *SYSTEM, *KIND_OF_KEY, *PREVIOUS_KEYS.values(), "instanceId", "entity",
        "entityList", "dataset", "langString",
    )
)  # fmt: skip


class DocumentError(ValueError):
    """An entity or attribute that is not NGSI-LD (the standard's BadRequestData)."""


class AttributeMissing(LookupError):
    """The entity has no such attribute instance (the standard's ResourceNotFound)."""


@dataclass
class Document:
    """One entity in the hub's inner form: `attrs` maps an attribute's IRI to its instances.

    An instance is {type, its kind's value key, unitCode?, observedAt?, datasetId?, …, createdAt,
    modifiedAt, attrs?}. Times are texts in UTC with `Z`.
    """

    uri: str
    types: list[str]
    scopes: list[str] = field(default_factory=list)
    attrs: dict[str, list[Instance]] = field(default_factory=dict)
    expires_at: str | None = None
    created_at: str | None = None
    modified_at: str | None = None


def default_instances(document: Document) -> Iterator[tuple[str, Instance]]:
    """Each attribute's instance without a datasetId."""
    for iri, instances in document.attrs.items():
        for instance in instances:
            if "datasetId" not in instance:
                yield iri, instance


def value_of(instance: Instance) -> Any:
    """What an instance says, whatever its kind."""
    return instance[VALUE_KEYS[instance["type"]]]
