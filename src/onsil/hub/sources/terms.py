"""The nouns of federation: a registered context source, and what of a request is its share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from onsil.hub.documents import Document

Mode = Literal["inclusive", "exclusive", "redirect", "auxiliary"]
MODES: tuple[Mode, ...] = ("inclusive", "exclusive", "redirect", "auxiliary")
PROXIED = frozenset(("exclusive", "redirect"))
TIMEOUT_S = 5.0
FROM_REQUEST = "urn:ngsi-ld:request"


@dataclass(frozen=True)
class EntityInfo:
    """Entities a source speaks of (§5.2.8): of these types; of one id, or of ids that fit."""

    types: frozenset[str]
    uri: str | None = None
    pattern: re.Pattern[str] | None = None
    pattern_text: str = ""


@dataclass(frozen=True)
class Info:
    """A RegistrationInfo (§5.2.10). No entities: any; no attributes: all."""

    entities: tuple[EntityInfo, ...] = ()
    attrs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Registration:
    """A registered context source (§5.2.9), ready for matching; times in seconds."""

    city: str
    number: int
    uri: str
    mode: Mode
    operations: frozenset[str]
    information: tuple[Info, ...]
    endpoint: str  # without a slash at its end
    document: Document  # its own properties and places, for csf and geo-queries
    doc: Mapping[str, Any] = field(repr=False, default_factory=dict)
    tenant: str = ""
    info: tuple[tuple[str, str], ...] = ()
    alias: str = ""
    local_only: bool = False
    timeout_s: float = TIMEOUT_S
    cooldown_s: float = 0.0
    cache_s: float = 0.0
    expires_at: datetime | None = None
    temporal: bool = False
    datasets: frozenset[str] = frozenset()

    def told(self, key: str) -> str:
        """The value that contextSourceInfo has for a key (§4.3.6.6); empty without one."""
        return next((value for name, value in self.info if name == key), "")


class Share(NamedTuple):
    """What of a request is one source's: these attributes (None: all), of these ids and types.

    `ids`, `patterns` and `types` narrow a query to what is registered; empty: as asked.
    `whole`: the source can hold entities as a whole, so it can apply filters itself.
    """

    registration: Registration
    attrs: frozenset[str] | None = None
    ids: tuple[str, ...] = ()
    pattern: str = ""
    types: tuple[str, ...] = ()
    whole: bool = True
