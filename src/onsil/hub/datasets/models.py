"""The data model registry: what entities of a type have, as TOML files in `models/`.

Names follow Smart Data Models (https://smartdatamodels.org) where one fits; each file names its
source. Where none does, the model is our own and says so.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError
from onsil.hub.contexts import CORE
from onsil.hub.documents import VALUE_KEYS

FOLDER = Path(__file__).parent / "models"
VALUES = ("any", "boolean", "geometry", "list", "number", "object", "text", "time", "uri")
_MEMBERS = frozenset(("kind", "value", "unit", "required", "minimum", "maximum", "allowed"))


@dataclass(frozen=True)
class AttributeModel:
    """One attribute: its kinds, the kind of its value, its unit (pint's name), and its bounds."""

    name: str
    kinds: tuple[str, ...] = ("Property",)
    value: str = "any"
    unit: str = ""
    required: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    allowed: tuple[Any, ...] = ()

    @property
    def iri(self) -> str:
        return CORE.iri(self.name)


@dataclass(frozen=True)
class DataModel:
    """A model of one entity type (short name in the core context)."""

    code: str
    type: str
    title_ko: str
    title_en: str
    source: str
    attributes: tuple[AttributeModel, ...]

    @property
    def iri(self) -> str:
        return CORE.iri(self.type)

    def attribute(self, name: str) -> AttributeModel | None:
        return next((one for one in self.attributes if one.name == name), None)


def read_model(code: str, table: Mapping[str, Any]) -> DataModel:
    """A model from its table. Raises OperationError, which names what is wrong."""
    try:
        attributes = tuple(_attribute(name, one) for name, one in table["attributes"].items())
        title = table["title"]
        return DataModel(code, table["type"], title["ko"], title["en"], table["source"], attributes)
    except (KeyError, TypeError, ValueError) as error:
        raise OperationError(f"data model {code}: {error!r}", retry=False) from error


def _attribute(name: str, table: Mapping[str, Any]) -> AttributeModel:
    unknown = table.keys() - _MEMBERS
    if unknown:
        raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
    kinds = table.get("kind", "Property")
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    value = table.get("value", "any")
    if not set(kinds) <= VALUE_KEYS.keys() or value not in VALUES:
        raise ValueError(f"{name}: {kinds} with {value}")
    low, high = table.get("minimum"), table.get("maximum")
    return AttributeModel(
        name, kinds, value, table.get("unit", ""), table.get("required", False),
        None if low is None else Decimal(str(low)), None if high is None else Decimal(str(high)),
        tuple(table.get("allowed", ())),
    )  # fmt: skip


@cache
def models() -> Mapping[str, DataModel]:
    """Every model that comes with the software, by its code."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        found[path.stem] = read_model(path.stem, tomllib.loads(path.read_text("utf-8")))
    return found
