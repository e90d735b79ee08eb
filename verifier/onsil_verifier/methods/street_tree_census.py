"""street-tree-census 1 and 2: found units times the mean growth of a measured sample."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import cos, hypot, radians
from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import Row, days, judge, legal_duty, line, number, total
from onsil_verifier.trees import (
    NOTE,
    Reader,
    Tree,
    dates_reason,
    growth_components,
    inside,
    local_year,
    net_loss,
    plausible,
    reader,
    removed,
    student_t,
    too_uncertain,
    width_90,
)
from onsil_verifier.uncertainty import stated, vm0047, width

_METRES_PER_DEGREE = radians(6_371_008.8)


@dataclass(frozen=True)
class Mean:
    """The mean of a sample with its half-width at 90 %."""

    mean: Decimal
    deviation: Decimal
    error: Decimal
    t: Decimal

    @property
    def half_width(self) -> Decimal:
        return self.error * self.t


def census(given: Given) -> dict[str, Any] | NotMeasurable:
    return _counted(given, local_year(given))


def census_2(given: Given) -> dict[str, Any] | NotMeasurable:
    """Version 2: the last year is that of the period's last day, not of the instant after it."""
    return _counted(given, local_year(given, before_end=timedelta(microseconds=1)))


def _counted(given: Given, last_year: int) -> dict[str, Any] | NotMeasurable:
    planted = given.tables["census"]
    legal_duty(given)
    _holds(given, planted, last_year)
    found = [row for row in planted if row["found"]]
    read = reader(given)
    trees, coverage = _sample(given, read, {row["id"] for row in found})
    mean = _mean([tree.grown_kg for tree in trees])
    grown_t = len(found) * mean.mean / 1000
    if grown_t <= 0:
        return net_loss(grown_t, Decimal(0))
    raised = Decimal(len(found)) / len(trees)
    components = [
        width(
            "sampling:sample:mean-growth", len(found) * mean.half_width / 1000,
            confidence_pct=90, ko="표본 추출", en="Sampling",
        ),
        *(
            {**one, "half_width_t": one["half_width_t"] * raised}
            for one in growth_components(given, read, trees, readings=False)
        ),
    ]  # fmt: skip
    left, taken, relative, accepted = vm0047(grown_t, width_90(components))
    if not accepted:
        return too_uncertain(relative, "vm0047", grown_t)
    years = Decimal(days(given).count) / 365
    dead = len(planted) - len(found)
    return {
        "co2e_t": left,
        "gases_kg": removed(left),
        "lines": [line(row["id"], "tree-year", years, "tree-year") for row in found],
        "uncertainty": stated(grown_t, components, note=NOTE),
        "coverage": {
            "census": {"expected": len(planted), "used": len(found), "dead": dead},
            "sample": coverage,
        },
        "details": {
            "planted": len(planted),
            "mortality_pct": Decimal(100 * dead) / len(planted),
            "sample": len(trees),
            "sample_mean_kg": mean.mean,
            "sample_deviation_kg": mean.deviation,
            "sample_standard_error_kg": mean.error,
            "sample_t": mean.t,
            "sample_half_width_kg": mean.half_width,
            "grown_t": grown_t,
            "deducted_t": taken,
            "relative_90_pct": relative,
            "baseline_t": Decimal(0),
            "leakage_t": Decimal(0),
        },
    }


def _holds(given: Given, rows: list[Row], last: int) -> None:
    """Who planted, when, how densely, with which tags and where."""
    if not all(row["planted_by_project"] for row in rows):
        raise Refused("not-planted-by-project")
    first = given.number("project_start_year")
    if not all(first <= number(row, "planted_year") <= last for row in rows):
        raise Refused("planted-outside-project")
    if len(rows) / given.number("area_ha") > 50:
        raise Refused("too-dense")
    tags = [row["tag"] for row in rows if "tag" in row]
    if len(set(tags)) < len(tags):
        raise Refused("duplicate-tag")
    if not all(inside(given, row) for row in rows):
        raise Refused("outside-area")
    if _overlap(rows, 2 * float(given.number("buffer_m"))):
        raise Refused("buffers-overlap")


def _overlap(rows: list[Row], metres: float) -> bool:
    """Whether two stand nearer than that. Doubles will do: no figure comes from the distance."""
    places = sorted((float(row["latitude"]), float(row["longitude"])) for row in rows)
    for index, (latitude, longitude) in enumerate(places):
        for other_latitude, other_longitude in places[index + 1 :]:
            north = (other_latitude - latitude) * _METRES_PER_DEGREE
            if north >= metres:
                break
            east = (other_longitude - longitude) * _METRES_PER_DEGREE
            if hypot(north, east * cos(radians((latitude + other_latitude) / 2))) < metres:
                return True
    return False


def _sample(given: Given, read: Reader, found: set[str]) -> tuple[list[Tree], dict[str, Any]]:
    rows, within, trees = given.tables["sample"], days(given), dict[str, Tree]()
    if not all(row["id"] in found for row in rows):
        raise Refused("sample-not-in-census")

    def reason(row: Row) -> str | None:
        tree = read.tree(row)
        if isinstance(tree, Tree):
            trees[row["id"]] = tree
        return dates_reason(row, given, within) or (tree if isinstance(tree, str) else None)

    judged = judge(rows, reason)
    least = min(max(2, int(given.number("sample_min"))), len(found))
    if len(judged.used) < max(least, 2):
        raise Refused("sample-too-small")
    used = [trees[row["id"]] for row in judged.used]
    plausible(given, used)
    return used, judged.coverage()


def _mean(values: list[Decimal]) -> Mean:
    count = len(values)
    mean = total(values) / count
    deviation = (total((one - mean) ** 2 for one in values) / (count - 1)).sqrt()
    return Mean(mean, deviation, deviation / Decimal(count).sqrt(), student_t(90, count - 1))


METHODS = {("street-tree-census", "1"): census, ("street-tree-census", "2"): census_2}
