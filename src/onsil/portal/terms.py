"""The nouns of a trace: steps, the amounts that join them, and how far each is proved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from onsil.core.canonical import plain


class StepKind(StrEnum):
    """What a step of a trace is, named after the row it stands for."""

    TRANSFER = "transfer"
    AWARD = "award"
    EVIDENCE = "evidence"
    RETIREMENT = "retirement"
    CREDIT = "credit"
    CLAIM = "claim"
    RUN = "run"
    READINGS = "readings"
    SENSOR = "sensor"


# The ring's stations, in the order of the loop.
STATIONS = ("measure", "quantify", "claim", "credit", "sell", "fund", "reward", "spend")


class ProofState(StrEnum):
    """What the transparency log says of a step.

    `sealed`: a leaf under a signed checkpoint, and the row still hashes to it. `waiting`: a leaf
    that the next checkpoint will cover. `failed`: the row no longer gives the leaf's hash, or
    the inclusion proof does not lead to the signed root. `covered`: the step has no leaf of its
    own; its digest lies inside the entry of the step above it. `none`: outside the log.
    """

    SEALED = "sealed"
    WAITING = "waiting"
    FAILED = "failed"
    COVERED = "covered"
    NONE = "none"


@dataclass(frozen=True)
class Words:
    """One sentence in both languages."""

    ko: str
    en: str

    def text(self, language: str = "ko") -> str:
        return self.en if language.startswith("en") else self.ko


@dataclass(frozen=True)
class Figure:
    """A number of a step with its name and unit, as the row holds it.

    `value` is exact: an int for money, points and credits, a Decimal for quantities, a text for
    names and versions. `said` is what a code stands for; `code` is what a figure that was written
    out for readers stood for, in full. `href` leads to what the figure names.
    """

    name: Words
    value: int | Decimal | str
    unit: str = ""
    said: Words | None = None
    code: str = ""
    href: str = ""


@dataclass(frozen=True)
class Proof:
    """A step's standing in the log; `bundle` is what a browser needs to check it by itself."""

    state: ProofState
    leaf_index: int | None = None
    bundle: Mapping[str, Any] | None = None
    note: Words | None = None


@dataclass(frozen=True)
class Chart:
    """A day's readings for drawing: one value an interval, None where nothing came.

    `shaded` are pairs of indexes [first, last) that the claim covers; `expected` is the modelled
    course where the method has one. `source` is measured, replayed or simulated.
    """

    title: Words
    times: tuple[datetime, ...]
    values: tuple[Decimal | None, ...]
    unit: str
    shaded: tuple[tuple[int, int], ...] = ()
    expected: tuple[Decimal | None, ...] | None = None
    source: str = "measured"
    note: str = ""


@dataclass(frozen=True)
class Place:
    """Where a sensor stands; longitude and latitude in degrees (WGS 84)."""

    name: str
    longitude: Decimal
    latitude: Decimal


@dataclass(frozen=True)
class Step:
    """One thing that happened on the way; `key` is unique within its trace.

    `simulated`: it rests on data that no meter or card reader made.
    """

    key: str
    kind: StepKind
    id: str
    at: datetime
    station: str
    title: Words
    words: Words
    figures: tuple[Figure, ...] = ()
    digest: str = ""
    proof: Proof = field(default_factory=lambda: Proof(ProofState.NONE))
    chart: Chart | None = None
    place: Place | None = None
    simulated: bool = False

    @property
    def short_digest(self) -> str:
        """The first and last characters of the digest, enough to compare by eye."""
        return f"{self.digest[:8]}…{self.digest[-4:]}" if self.digest else ""


@dataclass(frozen=True)
class Link:
    """`amount` of the later step's value came from the earlier one (None: not divisible)."""

    later: str
    earlier: str
    amount: int | Decimal | None = None
    unit: str = ""


@dataclass(frozen=True)
class Trace:
    """A journey through the loop: steps newest first, joined by links.

    `backward` traces start at value and end at readings; forward ones run the other way.
    `owner` is the citizen's id whose personal steps it shows, empty when it shows nobody's.
    """

    city: str
    backward: bool
    subject: str
    steps: tuple[Step, ...]
    links: tuple[Link, ...]
    checkpoint: str = ""
    public_key: str = ""
    owners: frozenset[str] = frozenset()

    def step(self, key: str) -> Step:
        """The step of that key. Raises KeyError."""
        return next((s for s in self.steps if s.key == key), None) or _missing(key)

    def earlier(self, key: str) -> tuple[Link, ...]:
        """What a step came from."""
        return tuple(link for link in self.links if link.later == key)

    def later(self, key: str) -> tuple[Link, ...]:
        """What a step led to."""
        return tuple(link for link in self.links if link.earlier == key)

    @property
    def stations(self) -> tuple[str, ...]:
        """The ring's stations it passes, in the loop's order."""
        passed = {step.station for step in self.steps}
        return tuple(station for station in STATIONS if station in passed)

    def kinds(self, kind: StepKind) -> tuple[Step, ...]:
        """The steps of one kind, newest first."""
        return tuple(step for step in self.steps if step.kind == kind)


def _missing(key: str) -> Step:
    raise KeyError(key)


def words_json(words: Words) -> dict[str, str]:
    return {"ko": words.ko, "en": words.en}


def figure_json(figure: Figure) -> dict[str, Any]:
    return {"name": words_json(figure.name), "value": plain(figure.value), "unit": figure.unit}
