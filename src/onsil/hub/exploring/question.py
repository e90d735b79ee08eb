"""A question as a form gives it: which entities, where, when, how summed up. Pure.

What is wrong with a form is told by field, in both languages, and nothing is asked then.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from onsil.core.periods import Period
from onsil.hub.datasets.registry import Said
from onsil.hub.exploring.sources import Field, Source

OPERATORS = ("==", "!=", ">", ">=", "<", "<=", "~=", "there")
SPANS = {"day": 1, "week": 7, "month": 31, "year": 366}
STEPS = {"hour": "PT1H", "day": "P1D", "month": "P1M"}
METHODS = ("avg", "sum", "min", "max")
COMPARED = ("previous", "year")
CONDITIONS_MAX = 12
CHOSEN_MAX = 6
VERTICES_MAX = 200
PAGE = 50
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


@dataclass(frozen=True)
class Condition:
    """One row: an attribute, an operator, a value; `there` asks that there is a value."""

    name: str
    operator: str = "there"
    value: str = ""

    def q(self, known: Field | None) -> str:
        """The term in NGSI-LD's query language."""
        if self.operator == "there":
            return self.name
        if self.operator == "~=":
            return f"{self.name}~={_quoted(re.escape(self.value))}"
        return f"{self.name}{self.operator}{_value(self.value, known.value if known else 'any')}"


def _value(text: str, kind: str) -> str:
    if kind in ("number", "any") and _NUMBER.fullmatch(text):
        return text
    if kind in ("boolean", "any") and text in ("true", "false"):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@dataclass(frozen=True)
class Circle:
    """Within `radius_m` metres of a point."""

    lon: float
    lat: float
    radius_m: float

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return [
            ("georel", f"near;maxDistance=={self.radius_m:g}"), ("geometry", "Point"),
            ("coordinates", json.dumps([self.lon, self.lat], separators=(",", ":"))),
        ]  # fmt: skip


@dataclass(frozen=True)
class Polygon:
    """Within a ring of [longitude, latitude]."""

    ring: tuple[tuple[float, float], ...]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        ring = [list(one) for one in self.ring]
        return [
            ("georel", "within"), ("geometry", "Polygon"),
            ("coordinates", json.dumps([ring], separators=(",", ":"))),
        ]  # fmt: skip


@dataclass(frozen=True)
class Question:
    """`period` is None where a span up to the newest value is wanted (`span`)."""

    source: Source
    names: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    either: bool = False
    place: Circle | Polygon | None = None
    span: str = "week"
    period: Period | None = None
    step: str = ""
    method: str = ""
    compare: str = ""
    entities: tuple[str, ...] = ()
    offset: int = 0
    faults: tuple[tuple[str, Said], ...] = field(default=(), compare=False)

    @property
    def q(self) -> str:
        """The conditions with the source's own, in NGSI-LD's query language."""
        terms = [one.q(self.source.field(one.name)) for one in self.conditions]
        asked = ("|" if self.either else ";").join(terms)
        own = self.source.q
        if not asked or not own:
            return asked or own
        if self.either and len(terms) > 1:
            asked = f"({asked})"
        return f"{asked};({own})" if "|" in own else f"{asked};{own}"

    def fault(self, name: str) -> Said | None:
        return dict(self.faults).get(name)


class _Form:
    """The fields of a form, and what is wrong with them."""

    def __init__(self, given: Mapping[str, Sequence[str]]) -> None:
        self._given = given
        self.faults: list[tuple[str, Said]] = []

    def one(self, name: str, known: Sequence[str] = (), default: str = "") -> str:
        found = self._given.get(name) or [""]
        text = found[-1].strip()[:4000]
        return default if known and text not in known else text or default

    def all(self, name: str) -> list[str]:
        return [text.strip()[:2048] for text in self._given.get(name) or ()]

    def wrong(self, name: str, ko: str, en: str) -> None:
        self.faults.append((name, Said(ko, en)))


def read_question(
    given: Mapping[str, Sequence[str]], sources: Sequence[Source], zone: ZoneInfo
) -> Question:
    """The question of a form; without one the best source as it is. There is a source."""
    form = _Form(given)
    source = next((one for one in sources if one.key == form.one("of")), None)
    if source is None:
        if form.one("of"):
            form.wrong("of", "이 데이터는 볼 수 없습니다. 다른 것을 고르세요.",
                       "This cannot be seen. Choose another.")  # fmt: skip
        source = first_source(sources)
    known = [one.name for one in source.fields]
    chosen = tuple(name for name in known if name in form.all("attr"))
    offset = form.one("offset")
    return Question(
        source, chosen or tuple(known), _conditions(form, source), form.one("either") == "1",
        _place(form), form.one("span", (*SPANS, "own"), "week"), _period(form, zone),
        form.one("step", (*STEPS, "raw")), form.one("method", METHODS),
        form.one("compare", COMPARED), tuple(dict.fromkeys(form.all("e")))[:CHOSEN_MAX],
        int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 7 else 0,
        tuple(form.faults),
    )  # fmt: skip


def first_source(sources: Sequence[Source]) -> Source:
    """What to begin with: numbers that were measured, rather than simulated ones or none."""
    return max(
        sources,
        key=lambda one: (
            any(known.value == "number" for known in one.fields),
            one.origin != "simulated",
            one.key.startswith("set:"),
        ),
    )


def _conditions(form: _Form, source: Source) -> tuple[Condition, ...]:
    rows = zip(form.all("ca"), form.all("co"), form.all("cv"), strict=False)
    made = []
    for name, operator, value in list(rows)[:CONDITIONS_MAX]:
        if not name:
            continue
        known = source.field(name)
        if known is None or operator not in OPERATORS:
            continue  # a row of the source that was chosen before
        if operator != "there" and not value:
            form.wrong("conditions", f"{name}: 값을 적어 주세요.", f"{name}: a value is wanted.")
        elif operator in (">", ">=", "<", "<=") and known.value == "number" and (
            not _NUMBER.fullmatch(value)
        ):  # fmt: skip
            form.wrong("conditions", f"{name}: 숫자를 적어 주세요.", f"{name}: a number is wanted.")
        else:
            made.append(Condition(name, operator, value))
    return tuple(made)


def _place(form: _Form) -> Circle | Polygon | None:
    kind = form.one("place", ("circle", "polygon"))
    if kind == "circle":
        numbers = [_number(form.one(name)) for name in ("lon", "lat", "radius")]
        lon, lat, radius_m = numbers
        if lon is None or lat is None or radius_m is None:
            form.wrong(
                "place", "가운데의 경도와 위도, 반지름(m)을 숫자로 적어 주세요.",
                "The centre's longitude and latitude and the radius in m are numbers.",
            )  # fmt: skip
        elif not (-180 <= lon <= 180 and -90 <= lat <= 90 and 0 < radius_m <= 1_000_000):
            form.wrong(
                "place", "경도는 ±180, 위도는 ±90, 반지름은 1,000 km까지입니다.",
                "Longitude is within ±180, latitude ±90, the radius up to 1,000 km.",
            )  # fmt: skip
        else:
            return Circle(lon, lat, radius_m)
    if kind == "polygon":
        pairs = [part.replace(",", " ").split() for part in form.one("ring").splitlines() if part]
        points = [(_number(one[0]), _number(one[1])) for one in pairs if len(one) == 2]
        ring = [(x, y) for x, y in points if x is not None and y is not None]
        if len(ring) != len(pairs) or not 3 <= len(set(ring)) <= VERTICES_MAX:
            form.wrong("place", "한 줄에 ‘경도 위도’ 하나씩, 꼭짓점을 셋 이상 적어 주세요.",
                       "One ‘longitude latitude’ a line, three corners or more.")  # fmt: skip
        else:
            closed = ring if ring[0] == ring[-1] else [*ring, ring[0]]
            return Polygon(tuple(closed))
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _period(form: _Form, zone: ZoneInfo) -> Period | None:
    if form.one("span") != "own":
        return None
    ends = []
    for name in ("from", "until"):
        try:
            ends.append(datetime.fromisoformat(form.one(name)).replace(tzinfo=zone))
        except ValueError:
            form.wrong("period", "처음과 끝을 날짜와 시각으로 적어 주세요.",
                       "The first and the last moment are dates with times.")  # fmt: skip
            return None
    if ends[1] <= ends[0]:
        form.wrong("period", "끝이 처음보다 뒤여야 합니다.", "The end comes after the beginning.")
        return None
    if not 1900 < ends[0].year < ends[1].year + 1 < 2200:
        form.wrong("period", "1900년부터 2200년 사이여야 합니다.", "The years are 1900 to 2200.")
        return None
    return Period(*ends)


def period_until(newest: datetime, span: str) -> Period:
    """The days of a span up to and with the newest value, cut at whole hours."""
    end = newest.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Period(end - timedelta(days=SPANS[span]), end)


def compared(period: Period, how: str, zone: ZoneInfo) -> Period:
    """The period before, or the same days a year earlier."""
    if how == "previous":
        return Period(period.start - period.length, period.start)
    local = period.start.astimezone(zone)
    day = min(local.day, 28) if local.month == 2 else local.day
    start = local.replace(year=local.year - 1, day=day)
    return Period(start, start + period.length)


def fitting_step(period: Period, interval_s: int) -> str:
    """The finest step that tells a period in at most 3,000 values: raw, hour, day, month."""
    length_s = period.length.total_seconds()
    if length_s <= 3000 * max(interval_s, 1):
        return "raw"
    return "hour" if length_s <= 3000 * 3600 else "day" if length_s <= 3000 * 86400 else "month"


def aligned(period: Period, step: str, zone: ZoneInfo) -> Period:
    """The period begun at the city's midnight, or the first of a month, where steps are so long."""
    start = period.start.astimezone(zone)
    if step in ("day", "month"):
        start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "month":
        start = start.replace(day=1)
    return Period(start, period.end)
