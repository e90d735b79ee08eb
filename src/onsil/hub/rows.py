"""A document's values as typed rows, from which queries take their candidates.

Every instance of an attribute gives rows, also those with a datasetId, each member of a list, each
language of a languageMap. A query is decided on the document itself; the rows must only miss
nothing. Sub-attributes and members of structured values have none.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal

from shapely.errors import ShapelyError
from shapely.geometry import shape

from onsil.hub.contexts import CORE
from onsil.hub.documents import Document, DocumentError, Instance

Kind = Literal["num", "str", "time", "rel", "geo"]
TEXT_MAX = 512
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$", re.ASCII
)


def typed_rows(document: Document) -> Iterator[tuple[Kind, str, float | str | datetime]]:
    """(kind, attribute IRI, value) for each value at the top of an entity.

    Values: `num` a float, `str` (up to 512 characters) and `rel` a text, `time` an aware datetime,
    `geo` PostgreSQL's text of a box. The same row may come more than once.

    Raises DocumentError for what is no geometry.
    """
    for iri, instances in document.attrs.items():
        for instance in instances:
            for kind, value in _of_instance(iri, instance):
                yield kind, iri, value


def _of_instance(iri: str, instance: Instance) -> Iterator[tuple[Kind, float | str | datetime]]:
    match instance["type"]:
        case "GeoProperty":
            yield "geo", _box(iri, instance["value"])
        case "Relationship":
            for target in _listed(instance["object"]):
                yield "rel", target
        case "ListRelationship":
            for target in _listed(instance["objectList"]):
                yield "rel", target["object"] if isinstance(target, dict) else target
        case "LanguageProperty":
            for words in instance["languageMap"].values():
                yield from _of_value(words)
        case "VocabProperty":
            yield from _of_value(instance["vocab"])
        case "ListProperty":
            yield from _of_value(instance["valueList"])
        case "JsonProperty":
            yield from _of_value(instance["json"])
        case _:
            yield from _of_value(instance["value"])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _of_value(whole: Any) -> Iterator[tuple[Kind, float | str | datetime]]:
    for value in _listed(whole):
        if isinstance(value, dict) and "@value" in value:
            value = value["@value"]
        if isinstance(value, bool):
            yield "str", str(value).lower()
        elif isinstance(value, int | float):
            yield "num", float(value)
        elif isinstance(value, str) and "\0" not in value:
            yield "str", value[:TEXT_MAX]
            moment = instant_of(value)
            if moment is not None:
                yield "time", moment


def instant_of(text: str) -> datetime | None:
    """The instant a text writes in ISO 8601, a bare date at its beginning; UTC without a zone."""
    if not _TIME.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _box(iri: str, geometry: Any) -> str:
    try:
        west, south, east, north = shape(geometry).bounds
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise DocumentError(f"{CORE.term(iri)}: not a GeoJSON geometry") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise DocumentError(f"{CORE.term(iri)}: coordinates are longitude, latitude in degrees")
    return f"(({east},{north}),({west},{south}))"
