"""The nouns of a project's route: states, transitions, time limits, and what was done under it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from onsil.core.canonical import canonical_bytes, digest

ROLES = ("official", "approver", "verifier")
DEVELOPER, REGISTRY, VVB = "developer", "registry", "vvb"
PARTIES = (DEVELOPER, REGISTRY, VVB)
STATUSES = ("open", "submitted", "approved", "returned")


@dataclass(frozen=True)
class State:
    """A place on the route. `status` is a monitoring period's own; empty for the project."""

    id: str
    ko: str
    en: str
    final: bool = False
    status: str = ""


@dataclass(frozen=True)
class Transition:
    """A step from any of `sources` to `target`.

    `party` is the side that takes it: developer, registry or vvb. `apart_from` names steps whose
    last taker must be another person. `gates` are data that must be in order, with parameters
    after colons ("site-visit:24"). `does` is "renew" where a new crediting period begins.
    """

    id: str
    ko: str
    en: str
    sources: tuple[str, ...]
    target: str
    role: str
    party: str
    documents: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    apart_from: tuple[str, ...] = ()
    does: str = ""


@dataclass(frozen=True)
class Limit:
    """A time limit from the last of `after` to the next of `before`.

    `months` is the most that may pass, `days` the least that must. What `blocks` refuses the step;
    other limits are shown.
    """

    id: str
    ko: str
    en: str
    after: tuple[str, ...]
    before: tuple[str, ...]
    months: int = 0
    days: int = 0
    blocks: bool = False


@dataclass(frozen=True)
class Workflow:
    """One machine: the project's own, or that of each of its monitoring periods."""

    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    limits: tuple[Limit, ...] = ()

    @property
    def start(self) -> State:
        return self.states[0]

    def state(self, state_id: str) -> State | None:
        return next((s for s in self.states if s.id == state_id), None)

    def transition(self, transition_id: str) -> Transition | None:
        return next((t for t in self.transitions if t.id == transition_id), None)

    def leaving(self, state_id: str) -> tuple[Transition, ...]:
        return tuple(t for t in self.transitions if state_id in t.sources)

    def with_status(self, status: str) -> State | None:
        """The first state of a monitoring period's status, for periods older than the route."""
        return next((s for s in self.states if s.status == status), None)


@dataclass(frozen=True)
class DocumentKind:
    id: str
    ko: str
    en: str


@dataclass(frozen=True)
class Crediting:
    """`years` at most in one crediting period, which may be renewed `renewals` times.

    `years_min` is the least where a standard asks for one; `verify_months` how long a project may
    go without a verification. 0 is no rule.
    """

    years: int = 0
    years_min: int = 0
    renewals: int = 0
    verify_months: int = 0
    maturity: str = "recalled"
    basis: str = ""


@dataclass(frozen=True)
class SizeClass:
    """A class by expected tonnes a year, up to and with `up_to_t`; None is without an upper end."""

    id: str
    ko: str
    en: str
    up_to_t: int | None
    maturity: str = "recalled"
    basis: str = ""


@dataclass(frozen=True)
class Route:
    """A version of a programme's rules of procedure; unconfirmed ones say so in `maturity`."""

    id: str
    version: str
    ko: str
    en: str
    programmes: tuple[str, ...]
    maturity: str
    basis: str
    project: Workflow
    period: Workflow
    documents: tuple[DocumentKind, ...]
    crediting: Crediting
    sizes: tuple[SizeClass, ...]
    content: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def sha256(self) -> str:
        return digest(self.content)

    @property
    def text(self) -> str:
        """The canonical JSON that is sealed in the database."""
        return canonical_bytes(self.content).decode()

    def workflow(self, of_period: bool) -> Workflow:
        return self.period if of_period else self.project

    def serves(self, programme: str) -> bool:
        return "*" in self.programmes or programme in self.programmes

    def document(self, kind: str) -> DocumentKind | None:
        return next((d for d in self.documents if d.id == kind), None)


@dataclass(frozen=True)
class Past:
    """Something a person did in a project; `transition` is empty for acts beside the route."""

    transition: str
    actor: str
    party: str
    at: datetime


@dataclass(frozen=True)
class Step:
    """A stored transition of a project or of one of its monitoring periods."""

    id: UUID
    project_id: UUID
    monitoring_id: UUID | None
    sequence: int
    route_sha256: str
    transition: str
    from_state: str
    to_state: str
    role: str
    party: str
    actor: str
    note: str
    created_at: datetime

    @property
    def past(self) -> Past:
        return Past(self.transition, self.actor, self.party, self.created_at)


@dataclass(frozen=True)
class Clock:
    """A time limit at work: what started it and by which day it must be met."""

    limit: Limit
    since: date
    due: date
    overdue: bool


@dataclass(frozen=True)
class CreditingPeriod:
    """One of a project's crediting periods; the first has the number 1."""

    number: int
    starts: date
    ends: date
