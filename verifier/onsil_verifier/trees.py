"""Measured trees: species, stocks on two days, what makes growth uncertain, Student's t."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import Coefficients, Days, Row, day, number, total
from onsil_verifier.uncertainty import component, half_width, reach, width

_PI = Decimal("3.1415926535897932384626433832795028841971693993751")
_GROUPS = {
    "conifer": "other-conifer", "broadleaf": "other-broadleaf",
    "evergreen-broadleaf": "evergreen-broadleaf",
}  # fmt: skip
NOTE = "Stated of the removal before the deduction."


@dataclass(frozen=True)
class Wood:
    """A species' coefficients."""

    key: str
    group: str
    dry_t_per_m3: Decimal
    carbon: Decimal


def stock_t(volume_m3: Decimal, dry_t_per_m3: Decimal, carbon: Decimal) -> Decimal:
    """Tonnes of CO2 that a stem volume stands for."""
    return volume_m3 * dry_t_per_m3 * carbon * 44 / 12


def wood_of(table: Coefficients, key: str) -> Wood:
    dry = table.number(key, "density") * table.number(key, "bef")
    dry = dry * (1 + table.number(key, "root_ratio"))
    return Wood(key, table.text(key, "group"), dry, table.number(key, "carbon_fraction"))


def find_wood(table: Coefficients, name: str, group: str | None) -> Wood | None:
    """By key, by full name with its region, by name; else the row of the group. Of several the one
    that holds least."""
    keys = [key for key in table.rows if key == name or _regional(table.rows[key], name)]
    if not keys and _bare(name):
        keys = [key for key, row in table.rows.items() if _bare(name) in map(_bare, _names(row))]
    if not keys and _GROUPS.get(group or "") in table.rows:
        keys = [_GROUPS[group or ""]]
    woods = [wood_of(table, key) for key in keys]
    return min(woods, key=lambda one: (one.dry_t_per_m3 * one.carbon, one.key), default=None)


def _names(row: Row) -> tuple[str, str]:
    return row["ko"], row.get("scientific", "")


def _regional(row: Row, name: str) -> bool:
    wanted = " ".join(name.lower().split())
    return "(" in name and wanted in [one.lower() for one in _names(row)]


def _bare(name: str) -> str:
    return " ".join(name.split("(")[0].lower().split())


@dataclass(frozen=True)
class Tree:
    """A tree's CO2 in kg on two days; nothing on the second where it died."""

    id: str
    wood: Wood
    days: int
    first_kg: Decimal
    last_kg: Decimal

    @property
    def grown_kg(self) -> Decimal:
        return self.last_kg - self.first_kg

    @property
    def years(self) -> Decimal:
        return Decimal(self.days) / 365


@dataclass(frozen=True)
class Reader:
    """What trees are read with."""

    biomass: Coefficients
    stem: Coefficients

    def tree(self, row: Row, *, died: bool = False) -> Tree | str:
        """A tree, or why its row does not count."""
        wood = find_wood(self.biomass, row["species"], row.get("group"))
        if wood is None:
            return "unknown-species"
        stocks = []
        for when in ("first", "last"):
            volume = Decimal(0) if died and when == "last" else self._volume(row, when, wood.group)
            if isinstance(volume, str):
                return volume
            stocks.append(stock_t(volume, wood.dry_t_per_m3, wood.carbon) * 1000)
        apart = day(row, "last_date") - day(row, "first_date")
        return Tree(row["id"], wood, apart.days, *stocks)

    def _volume(self, row: Row, when: str, group: str) -> Decimal | str:
        if f"{when}_volume_m3" in row:
            return number(row, f"{when}_volume_m3")
        if not {f"{when}_dbh_cm", f"{when}_height_m"} <= row.keys():
            return f"{when}-measurement-missing"
        dbh, height = number(row, f"{when}_dbh_cm"), number(row, f"{when}_height_m")
        least, most = (self.stem.number(group, f"dbh_{end}_cm") for end in ("min", "max"))
        if dbh < least or dbh > most:
            return "outside-equation"
        a, b, c = (self.stem.number(group, name) for name in "abc")
        return a * _power(dbh, b) * _power(height, c)


def reader(given: Given) -> Reader:
    return Reader(Coefficients(given, "tree-biomass"), Coefficients(given, "stem-volume"))


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    whole = int(exponent)
    return base**whole if whole == exponent else (exponent * base.ln()).exp()


def dates_reason(row: Row, given: Given, within: Days) -> str | None:
    """Both days in the period, its end day included, and far enough apart."""
    first, last = day(row, "first_date"), day(row, "last_date")
    if not all(within.first <= one <= within.end for one in (first, last)):
        return "outside-period"
    return "interval-too-short" if (last - first).days < given.number("days_min") else None


def inside(given: Given, row: Row) -> bool:
    """Whether a place lies within the bounds that are stated."""
    stated = given.parameters
    latitude, longitude = number(row, "latitude"), number(row, "longitude")
    return (
        ("area_south" not in stated or latitude >= given.number("area_south"))
        and ("area_north" not in stated or latitude <= given.number("area_north"))
        and ("area_west" not in stated or longitude >= given.number("area_west"))
        and ("area_east" not in stated or longitude <= given.number("area_east"))
    )


def bounded(given: Given) -> bool:
    return any(f"area_{side}" in given.parameters for side in ("south", "west", "north", "east"))


def plausible(given: Given, trees: Sequence[Tree]) -> None:
    """No tree takes up more in a year than the limit, and never above a hundred kilograms."""
    most = min(given.number("yearly_most_kg"), Decimal(100))
    if any(tree.grown_kg / tree.years > most for tree in trees):
        raise Refused("growth-implausible")


def growth_components(
    given: Given, read: Reader, trees: Sequence[Tree], *, readings: bool
) -> list[dict[str, Any]]:
    """Errors of readings are each tree's own; those of equations and coefficients are shared."""
    found = []
    for what, power, ko, en in (
        ("dbh", "b", "흉고직경 측정", "Diameter"), ("height", "c", "수고 측정", "Height"),
    ):  # fmt: skip
        percent, square = given.number(f"{what}_uncertainty_pct"), Decimal(0)
        for tree in trees if readings else ():
            share = read.stem.number(tree.wood.group, power) * percent / 100
            square += (tree.first_kg**2 + tree.last_kg**2) * share**2
        if square:
            found.append(width(f"record:trees:{what}", square.sqrt() / 1000, ko=ko, en=en))
    groups, species = _grown(trees, "group"), _grown(trees, "key")
    found += [
        component(
            f"coefficient:{read.stem.id}:{group}", kg / 1000,
            read.stem.number(group, "uncertainty_pct"), ko="재적식", en="Volume equation",
        )
        for group, kg in groups.items()
    ]  # fmt: skip
    percent = given.number("coefficient_uncertainty_pct")
    if percent:
        found += [
            component(
                f"coefficient:{read.biomass.id}:{key}", kg / 1000, percent,
                ko="수종 계수", en="Species' coefficients",
            )
            for key, kg in species.items()
        ]  # fmt: skip
    return found


def _grown(trees: Sequence[Tree], by: str) -> dict[str, Decimal]:
    names = sorted({getattr(tree.wood, by) for tree in trees})
    return {
        name: total(tree.grown_kg for tree in trees if getattr(tree.wood, by) == name)
        for name in names
    }


def width_90(components: Sequence[dict[str, Any]]) -> Decimal:
    return half_width(components, Decimal(90))


def too_uncertain(relative: Decimal, rule: str, grown_t: Decimal) -> NotMeasurable:
    shown = relative.quantize(Decimal("0.1"))
    return NotMeasurable(
        f"흡수량의 불확도가 90 % 신뢰수준에서 {shown} %로, 규칙({rule})의 한도를 넘습니다. 더 "
        "많이, 더 정확히 측정하세요.",
        f"The removal is uncertain by {shown} % at 90 % confidence, beyond what the rule ({rule}) "
        "accepts. Measure more trees, or more precisely.",
        {"relative_pct": relative, "rule": rule, "grown_t": grown_t},
    )


def net_loss(grown_t: Decimal, lost_t: Decimal) -> NotMeasurable:
    return NotMeasurable(
        f"고사·소실({lost_t} tCO2)이 생장({grown_t} tCO2)보다 크거나 같아 이 기간의 순흡수량이 "
        "없습니다. 이미 발행된 몫이 있으면 되돌림(reversal)으로 처리하세요.",
        f"Losses ({lost_t} t) are not below growth ({grown_t} t): nothing was removed on balance. "
        "Where units were issued before, record a reversal.",
        {"grown_t": grown_t, "lost_t": lost_t},
    )


def removed(tonnes: Decimal) -> dict[str, Decimal]:
    """Carbon dioxide alone, in kg by gas."""
    return {"co2": tonnes * 1000, "ch4": Decimal(0), "n2o": Decimal(0)}


def local_year(given: Given, *, before_end: timedelta = timedelta(0)) -> int:
    """The year of the local day on which the period ends, or of an instant before that."""
    end: date = (given.end - before_end).astimezone(given.zone).date()
    return end.year


def student_t(confidence_pct: int, freedom: int) -> Decimal:
    """t with P(|T| ≤ t) at a confidence, to twenty decimals.

    P is the incomplete beta function I_y(1/2, n/2) at y = t²/(n + t²), by its power series
    (Abramowitz and Stegun 26.5.4). P is concave, so Newton's steps from below never overshoot.
    """
    half = Decimal("0.5")
    # B(1/2, n/2) from B(1/2, 1/2) = π or B(1/2, 1) = 2, by B(p, q + 1) = B(p, q) q / (p + q).
    beta, q = (_PI, half) if freedom % 2 else (Decimal(2), Decimal(1))
    while q < Decimal(freedom) / 2:
        beta, q = beta * q / (half + q), q + 1
    wanted, t = Decimal(confidence_pct) / 100, reach(Decimal(confidence_pct))
    for _ in range(200):
        y = t * t / (freedom + t * t)
        term, series, k = Decimal(1), Decimal(1), 0
        while term > Decimal("1e-45"):
            term *= (half + q + k) / (half + 1 + k) * y
            series += term
            k += 1
        front = y.sqrt() * ((1 - y).ln() * q).exp() / beta
        # dP/dt = y^(-1/2) (1 - y)^(q - 1) / B · dy/dt, and dy/dt = 2 y (1 - y) / t.
        step = (wanted - front * series * 2) / (2 * front / t)
        t += step
        if abs(step) < Decimal("1e-30"):
            break
    return t.quantize(Decimal("1e-20"))
