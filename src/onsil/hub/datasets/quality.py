"""Five indicators of a data set's quality, each measured on a day of its city. Pure.

They are the five of the Korean city data hub's quality guide (completeness 완전성, validity 유효성,
accuracy 정확성, uniqueness 유일성, consistency 일관성), counted as ISO/IEC 25024 counts: X = A / B,
A the elements that are good, B those looked at. An indicator has up to two parts; it is as good as
its weakest part, so that many readings cannot hide few entities. A part with B = 0 is not measured,
an indicator without parts is not measurable yet: missing is never zero.

For the day D of a data set with entities E and registered series S (those that had a value by D):

completeness  readings:    A = Σ_S min(values of D, expected), B = Σ_S expected, expected =
                           hours × ceil(3600 / interval_s), hour by hour; 86 400 / interval_s,
                           rounded down to one at least, of slower series. (Com-I-1)
              attributes:  A = attributes there, B = |E| × attributes the model requires. (Com-I-2)
validity      readings:    A = values stored, B = A + readings set aside for their value, unit,
                           range or time. (Acc-I-7, Con-I-2)
              entities:    A = entities whose newest check by the end of D found that they fit the
                           model, B = entities checked. (Con-I-2)
accuracy      sensors:     A = series with values on D whose sensor is neither stuck, drifting nor
                           impossible and whose calibration has not run out, B = series with values
                           on D whose sensor is watched. (Acc-I-4)
uniqueness    entities:    A = entities that say the same as none before them, B = |E| where
                           |E| > 1. Two say the same when all of their attributes but the name
                           are equal. (Con-I-3)
consistency   references:  A = relationships that lead to an entity there, B = relationships of E to
                           NGSI-LD entities. (Con-I-1)
              readings:    A = values of D that were never contradicted by another value for the
                           same time, B = values of D. (Con-I-3)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from math import ceil

import orjson

from onsil.hub.contexts import CORE
from onsil.hub.documents import Document

INDICATORS = ("completeness", "validity", "accuracy", "uniqueness", "consistency")
_NAMES = frozenset({CORE.iri("name"), CORE.iri("description")})
_TIMES = frozenset({"createdAt", "modifiedAt", "observedAt", "expiresAt"})
CATCH_UP = 7  # days that are measured later than the day after
_FOUR = Decimal("0.0001")


@dataclass(frozen=True)
class Part:
    """One count: `good` of `total`, which is above zero."""

    indicator: str
    name: str
    good: int
    total: int

    @property
    def share(self) -> Decimal:
        """good ÷ total, rounded down to four places, so that only what is whole says so."""
        return (Decimal(self.good) / self.total).quantize(_FOUR, ROUND_DOWN)


@dataclass(frozen=True)
class Indicator:
    """An indicator on a day: its parts, the weakest first; without any it is not measurable."""

    name: str
    parts: tuple[Part, ...] = ()

    @property
    def share(self) -> Decimal | None:
        return self.parts[0].share if self.parts else None


def part(indicator: str, name: str, good: int, total: int) -> list[Part]:
    """The part as a list, empty where there was nothing to look at."""
    return [Part(indicator, name, min(good, total), total)] if total > 0 else []


def indicators(parts: Iterable[Part]) -> list[Indicator]:
    """All five, in their order."""
    found: dict[str, list[Part]] = {name: [] for name in INDICATORS}
    for one in parts:
        found[one.indicator].append(one)
    return [
        Indicator(name, tuple(sorted(held, key=lambda p: (p.share, p.name))))
        for name, held in found.items()
    ]


def expected_of(interval_s: int, hours: int) -> int:
    """How many values a series is to have in so many hours."""
    if interval_s <= 3600:
        return hours * ceil(3600 / interval_s)
    return max(1, hours * 3600 // interval_s)


def required_parts(documents: Sequence[Document], required: Sequence[str]) -> tuple[int, int]:
    """(there, wanted) of the attributes that a model requires, given as IRIs."""
    there = sum(bool(one.attrs.get(iri)) for one in documents for iri in required)
    return there, len(documents) * len(required)


def unique_entities(documents: Sequence[Document]) -> tuple[int, int]:
    """(those that say the same as none before them, all); nothing of one alone."""
    if len(documents) < 2:
        return 0, 0
    return len({_said(one) for one in documents}), len(documents)


def _said(document: Document) -> bytes:
    """What an entity says besides its id, name and times; an entity that says nothing is itself."""
    attrs = {iri: [{k: v for k, v in one.items() if k not in _TIMES} for one in many]
             for iri, many in document.attrs.items() if iri not in _NAMES}  # fmt: skip
    if not attrs:
        return document.uri.encode()
    return orjson.dumps([sorted(document.types), attrs], option=orjson.OPT_SORT_KEYS)


def references(documents: Sequence[Document]) -> list[str]:
    """The ids that entities' relationships lead to, each as often as it is named."""
    found: list[str] = []
    for document in documents:
        for many in document.attrs.values():
            for one in many:
                for key in ("object", "objectList"):
                    value = one.get(key, [])
                    named = value if isinstance(value, list) else [value]
                    found += [uri for uri in named if isinstance(uri, str)
                              and uri.startswith("urn:ngsi-ld:")]  # fmt: skip
    return found


def days_due(last: date | None, end: date) -> list[date]:
    """Which days to measure, up to `end`: those since the last one measured, at most CATCH_UP; the
    first time just the end."""
    first = end if last is None else max(last + timedelta(days=1), end - timedelta(CATCH_UP - 1))
    return [first + timedelta(days=n) for n in range((end - first).days + 1)]
