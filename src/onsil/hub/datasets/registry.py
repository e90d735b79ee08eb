"""Data sets as data: who provides what, under which licence, and which entities it holds. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onsil.core.refusal import OperationError
from onsil.hub.contexts import CORE
from onsil.hub.datasets.models import DataModel, models
from onsil.hub.documents import Document
from onsil.hub.query.filters import Filter, Selector
from onsil.hub.query.matching import matches
from onsil.hub.query.q import parse_q
from onsil.hub.query.scanner import QueryError
from onsil.hub.query.scopes import parse_scope_q, scope_matches
from onsil.hub.query.type_selection import parse_type_selection, types_match

# The European Union's data themes (authority table data-theme), DCAT-AP's vocabulary for themes.
THEMES = (
    "AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "OP_DATPRO", "REGI",
    "SOCI", "TECH", "TRAN",
)  # fmt: skip
LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "MIT": "https://opensource.org/license/mit",
    "KOGL-1": "https://www.kogl.or.kr/info/licenseType1.do",
}
ORIGINS = ("measured", "replayed", "simulated")
QUALITIES = ("checked", "unchecked")
# Open to all, or read by those whose request was approved.
ACCESSES = ("open", "request")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Said:
    """A text in both languages."""

    ko: str
    en: str

    def text(self, language: str) -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class Source:
    """Where a data set's values come from, outside the catalogue; the address may be unknown."""

    title: Said
    url: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Dataset:
    """One data set. `interval_s`: seconds between values; `retention_days`: 0 keeps them for good.

    `type`, `q`, `scope` select its entities; `attributes` are the short names it offers (all of the
    model's without any). `strict`: an entity that does not fit the model is refused. `access`:
    `request` closes its entities, whole, to all but those with a key; so it names no attributes.
    `derived_from` are ids of data sets it is made of, by `method`; `sources` those outside.
    """

    id: str
    title: Said
    description: Said
    provider: Said
    licence: str
    attribution: Said
    keywords_ko: tuple[str, ...]
    keywords_en: tuple[str, ...]
    theme: str
    region: Said
    origin: str
    quality: str
    model: str
    type: str
    q: str = ""
    scope: str = ""
    attributes: tuple[str, ...] = ()
    interval_s: int = 0
    retention_days: int = 0
    strict: bool = False
    access: str = "open"
    derived_from: tuple[str, ...] = ()
    method: Said | None = None
    sources: tuple[Source, ...] = ()

    @property
    def open(self) -> bool:
        """Whether everybody may read it."""
        return self.access == "open"

    @property
    def data_model(self) -> DataModel:
        return models()[self.model]

    @property
    def licence_url(self) -> str:
        return LICENCES[self.licence]

    def keywords(self, language: str) -> tuple[str, ...]:
        return self.keywords_en if language.startswith("en") else self.keywords_ko

    def wanted(self) -> Filter:
        """The filter for its entities."""
        return Filter(
            (Selector(parse_type_selection(self.type)),),
            parse_q(self.q) if self.q else None,
            scopes=parse_scope_q(self.scope) if self.scope else None,
        )

    def may_hold(self, document: Document) -> bool:
        """Whether an entity is of this data set's types."""
        types = parse_type_selection(self.type)
        return types is None or types_match(types, document.types)

    def holds(self, document: Document) -> bool:
        """Whether an entity is one of this data set."""
        if not self.may_hold(document):
            return False
        if self.scope and not scope_matches(parse_scope_q(self.scope), document.scopes):
            return False
        return not self.q or matches(parse_q(self.q), document)

    def offered(self) -> tuple[str, ...]:
        """The short names of what it offers, geometry left out."""
        if self.attributes:
            return self.attributes
        return tuple(a.name for a in self.data_model.attributes if "GeoProperty" not in a.kinds)

    def query(self) -> dict[str, str]:
        """The parameters of its NGSI-LD query."""
        given = {"type": self.type, "q": self.q, "scopeQ": self.scope}
        return {name: value for name, value in given.items() if value}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Catalogue:
    """A city's catalogue: what it is called and who publishes it."""

    title: Said
    description: Said
    publisher: Said


def dataset_of(table: Mapping[str, Any]) -> Dataset:
    """A data set from its table or its stored form. Raises ValueError, which names the fault."""
    said = {name: Said(**table[name])
            for name in ("title", "description", "provider", "attribution", "region")}  # fmt: skip
    lists = {name: tuple(table.get(name, ()))
             for name in ("keywords_ko", "keywords_en", "attributes", "derived_from")}  # fmt: skip
    made_of = {
        "method": Said(**table["method"]) if table.get("method") else None,
        "sources": tuple(_source(one) for one in table.get("sources", ())),
    }
    rest = {name: value for name, value in table.items() if name not in said | lists | made_of}
    made = Dataset(**said, **lists, **made_of, **rest)
    for value, known in (
        (made.theme, THEMES), (made.licence, LICENCES), (made.origin, ORIGINS),
        (made.quality, QUALITIES), (made.model, models()), (made.access, ACCESSES),
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
    if not made.open and made.attributes:
        raise ValueError("a data set on request closes entities as a whole: it names no attributes")
    if not _ID.fullmatch(made.id) or len(made.id) > 60:
        raise ValueError(f"{made.id!r}: an id is lower-case words joined by hyphens")
    unknown = [name for name in made.attributes if made.data_model.attribute(name) is None]
    if unknown:
        raise ValueError(f"the model {made.model} has no {', '.join(unknown)}")
    if not types_match(parse_type_selection(made.type) or CORE.iri(made.type),
                       [made.data_model.iri]):  # fmt: skip
        raise ValueError(f"the model {made.model} is none of {made.type}")
    made.wanted()
    return made


def fault_of_lineage(datasets: Sequence[Dataset]) -> str:
    """What is wrong with what data sets are made of: an unknown one, or a circle; empty if none."""
    made_of = {one.id: one.derived_from for one in datasets}
    for id, origins in made_of.items():
        for origin in origins:
            if origin not in made_of:
                return f"{id}: there is no data set {origin!r} it could be made of"
    left = dict(made_of)
    while ends := [id for id, origins in left.items() if not any(one in left for one in origins)]:
        for id in ends:
            del left[id]
    return f"{', '.join(left)}: made of one another in a circle" if left else ""


def _source(table: Mapping[str, Any]) -> Source:
    return Source(**{**table, "title": Said(**table["title"])})


def read_datasets(path: Path) -> tuple[Catalogue | None, list[Dataset]]:
    """A city's `datasets.toml`. Raises OperationError, which names the data set at fault."""
    if not path.exists():
        return None, []
    which: Any = "the file"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        which = "catalogue"
        catalogue = Catalogue(**{name: Said(**said) for name, said in table["catalogue"].items()})
        found = []
        for number, entry in enumerate(table.get("dataset", ()), 1):
            which = entry.get("id", f"data set {number}")
            found.append(dataset_of(entry))
    except (KeyError, TypeError, ValueError, QueryError) as error:
        raise OperationError(f"{path}: {which}: {error}", retry=False) from error
    if len({one.id for one in found}) < len(found):
        raise OperationError(f"{path}: two data sets have the same id", retry=False)
    if fault := fault_of_lineage(found):
        raise OperationError(f"{path}: {fault}", retry=False)
    return catalogue, found
