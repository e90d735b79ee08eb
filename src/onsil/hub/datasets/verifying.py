"""Whether an entity fits its model, as a pure decision."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from onsil.core.quantities import shortest_decimal
from onsil.hub.datasets.models import AttributeModel, DataModel
from onsil.hub.documents import VALUE_KEYS, Document, DocumentError, is_uri, parse_time
from onsil.hub.query.units import unit_code


class Finding(NamedTuple):
    """What is wrong with an attribute: missing, kind, value, unit, range or word."""

    attribute: str
    code: str
    ko: str
    en: str


def verify(document: Document, model: DataModel) -> list[Finding]:
    """Everything that does not fit; attributes that the model does not know are no fault.

    An attribute may be measured by a series and be absent here, so only `required` ones must be.
    """
    found: list[Finding] = []
    for attribute in model.attributes:
        instances = document.attrs.get(attribute.iri, [])
        if not instances and attribute.required:
            found.append(Finding(attribute.name, "missing", "없습니다.", "It is missing."))
        for instance in instances:
            found += _instance(attribute, instance)
    return found


def _instance(attribute: AttributeModel, instance: dict[str, Any]) -> Iterator[Finding]:
    name, kind = attribute.name, instance["type"]
    if kind not in attribute.kinds:
        wanted = ", ".join(attribute.kinds)
        yield Finding(name, "kind", f"{wanted}이어야 하는데 {kind}입니다.",
                      f"It is a {kind}, not a {wanted}.")  # fmt: skip
        return
    value = instance[VALUE_KEYS[kind]]
    if kind == "Property" and not _fits(value, attribute.value):
        yield Finding(name, "value", f"값의 종류가 {attribute.value}이(가) 아닙니다.",
                      f"Its value is no {attribute.value}.")  # fmt: skip
        return
    unit = instance.get("unitCode")
    if unit and attribute.unit and unit not in (attribute.unit, unit_code(attribute.unit)):
        wanted = unit_code(attribute.unit)
        yield Finding(name, "unit", f"단위가 {wanted}이(가) 아니라 {unit}입니다.",
                      f"Its unit is {unit}, not {wanted}.")  # fmt: skip
        return
    if attribute.allowed and value not in attribute.allowed:
        yield Finding(name, "word", "정해진 낱말이 아닙니다.", "It is none of the known words.")
    if attribute.value == "number" and kind == "Property":
        yield from _bounds(attribute, value)


def _bounds(attribute: AttributeModel, value: float) -> Iterator[Finding]:
    number = shortest_decimal(value) if isinstance(value, float) else Decimal(value)
    low, high = attribute.minimum, attribute.maximum
    if low is not None and number < low:
        yield Finding(attribute.name, "range", f"{low}보다 작습니다.", f"It is below {low}.")
    if high is not None and number > high:
        yield Finding(attribute.name, "range", f"{high}보다 큽니다.", f"It is above {high}.")


def _fits(value: Any, wanted: str) -> bool:
    match wanted:
        case "number":
            return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "text":
            return isinstance(value, str)
        case "list":
            return isinstance(value, list)
        case "object" | "geometry":
            return isinstance(value, dict)
        case "uri":
            return isinstance(value, str) and is_uri(value)
        case "time":
            return _is_time(value)
    return True


def _is_time(value: Any) -> bool:
    given = value.get("@value") if isinstance(value, dict) else value
    try:
        parse_time(given)
    except DocumentError:
        return False
    return True
