"""The nouns of subscriptions: what is subscribed to, what triggers, where notifications go."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from onsil.hub.query.geo import GeoQuery
from onsil.hub.query.q import Tree

Kind = Literal["entities", "sources"]
Names = dict[str, str]

DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
ATTRIBUTE_TRIGGERS = ("attributeCreated", "attributeUpdated", "attributeDeleted")
TRIGGERS = ("entityCreated", "entityUpdated", "entityDeleted", *ATTRIBUTE_TRIGGERS)
DEFAULT_DATASET = "@none"


@dataclass(frozen=True)
class Selector:
    """An EntitySelector (§5.2.33): `types` is a type selection's tree, None for any type."""

    types: Any
    type_names: frozenset[str] | None  # entities of other types never match; None: cannot say
    ids: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    pattern_text: str = ""


@dataclass(frozen=True)
class Endpoint:
    """Where notifications go (§5.2.15); times in seconds."""

    uri: str
    accept: str = "application/json"
    timeout_s: float = 5.0
    cooldown_s: float = 0.0
    receiver_info: tuple[tuple[str, str], ...] = ()
    notifier_info: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Form:
    """How the entities of a notification are shown (§5.2.14)."""

    representation: Literal["normalized", "concise", "simplified"] = "normalized"
    attributes: frozenset[str] = frozenset()  # IRIs; empty: all
    pick: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    show_changes: bool = False
    system: bool = False
    join: Literal["@none", "flat", "inline"] = "@none"
    join_level: int = 1


class ContextSource(NamedTuple):
    """The @context of notifications: as a body has it, and the URL that a header names."""

    source: Any
    url: str


@dataclass(frozen=True)
class Subscription:
    """A subscription ready for matching and sending; all names are IRIs."""

    city: str
    number: int
    uri: str
    kind: Kind
    selectors: tuple[Selector, ...]
    watched: frozenset[str]
    triggers: frozenset[str]
    endpoint: Endpoint
    form: Form
    context: ContextSource
    names: Mapping[str, Names] = field(default_factory=dict)
    q: Tree | None = None
    geo: GeoQuery | None = None
    scope: Any = None
    source_filter: Tree | None = None
    temporal: Mapping[str, Any] | None = None
    datasets: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ()
    interval_s: float | None = None
    throttling_s: float = 0.0
    active: bool = True
    expires_at: datetime | None = None
    created_at: datetime | None = None

    def status(self, now: datetime) -> str:
        """`active`, `paused` or `expired` (§5.2.12)."""
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active" if self.active else "paused"


class State(NamedTuple):
    """What has become of a subscription's notifications (§5.2.14.2)."""

    times_sent: int = 0
    times_failed: int = 0
    failing: bool = False
    last_notification: datetime | None = None
    last_success: datetime | None = None
    last_failure: datetime | None = None
    reason: str = ""


class Stored(NamedTuple):
    """A device's reading that became a point: its attribute under its short name."""

    entity: str
    attribute: str
    observed_at: datetime


class SourceChange(NamedTuple):
    """What a write did to a context source registration; its types and names are IRIs."""

    uri: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: datetime
