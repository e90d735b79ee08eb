"""One tree measured twice: its stock on both days, and what makes the difference uncertain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from onsil.core.refusal import Refusal
from onsil.footprint.factors import CoefficientTable
from onsil.footprint.trees.carbon import Species, stem_volume_m3, stock_co2_kg
from onsil.footprint.trees.species import find_species
from onsil.footprint.uncertainty import component, width

_DAYS_A_YEAR = 365


@dataclass(frozen=True)
class GrowthColumns:
    """The two tables that a measurement is read with."""

    biomass: CoefficientTable
    stem: CoefficientTable


@dataclass(frozen=True)
class Measured:
    """A tree's stocks in kg CO2 on two days. `last_kg` is zero where the tree died meanwhile."""

    id: str
    species: Species
    first: date
    last: date
    first_kg: Decimal
    last_kg: Decimal

    @property
    def grown_kg(self) -> Decimal:
        return self.last_kg - self.first_kg

    @property
    def years(self) -> Decimal:
        return Decimal((self.last - self.first).days) / _DAYS_A_YEAR

    @property
    def yearly_kg(self) -> Decimal:
        return self.grown_kg / self.years


def _volume(row: Mapping[str, Any], when: str, form: Mapping[str, Any]) -> Decimal | str:
    """The stem's volume on one of the two days, or the reason why it is not known."""
    stated = row.get(f"{when}_volume_m3")
    if stated is not None:
        return stated
    dbh, height = row.get(f"{when}_dbh_cm"), row.get(f"{when}_height_m")
    if dbh is None or height is None:
        return f"{when}-measurement-missing"
    if not form["dbh_min_cm"] <= dbh <= form["dbh_max_cm"]:
        return "outside-equation"
    return stem_volume_m3(dbh, height, form["a"], form["b"], form["c"])


def measure(row: Mapping[str, Any], tables: GrowthColumns, *, died: bool = False) -> Measured | str:
    """A tree's two stocks, or the reason why the row does not count.

    `died`: the tree is gone; it has only its first stock, and loses it.
    """
    species = find_species(tables.biomass, row["species"], row.get("group"))
    if isinstance(species, Refusal):
        return species.code
    form = tables.stem.rows[species.group]
    first = _volume(row, "first", form)
    last = Decimal(0) if died else _volume(row, "last", form)
    for volume in (first, last):
        if isinstance(volume, str):
            return volume
    assert isinstance(first, Decimal)
    assert isinstance(last, Decimal)
    return Measured(
        row["id"], species, row["first_date"], row["last_date"],
        stock_co2_kg(first, species), stock_co2_kg(last, species),
    )  # fmt: skip


def growth_components(
    trees: Iterable[Measured],
    tables: GrowthColumns,
    *,
    dbh_pct: Decimal,
    height_pct: Decimal,
    coefficient_pct: Decimal,
) -> list[dict[str, Any]]:
    """What makes the growth of these trees uncertain, in tonnes at 95 %.

    A reading's error is new on every tree and every day; the error of a volume equation, or of a
    species' coefficients, is the same for all trees that share it, and counts on their difference.
    """
    kept = list(trees)
    squares = {"dbh": Decimal(0), "height": Decimal(0)}
    by_group: dict[str, Decimal] = defaultdict(Decimal)
    by_species: dict[str, Decimal] = defaultdict(Decimal)
    for tree in kept:
        form = tables.stem.rows[tree.species.group]
        both = tree.first_kg**2 + tree.last_kg**2
        squares["dbh"] += both * (_number(form["b"]) * dbh_pct / 100) ** 2
        squares["height"] += both * (_number(form["c"]) * height_pct / 100) ** 2
        by_group[tree.species.group] += tree.grown_kg
        by_species[tree.species.key] += tree.grown_kg
    words = {"dbh": ("흉고직경 측정", "Diameter"), "height": ("수고 측정", "Height")}
    found = [
        width(f"record:trees:{what}", square.sqrt() / 1000, ko=words[what][0], en=words[what][1])
        for what, square in squares.items()
        if square
    ]
    found += [
        component(
            f"coefficient:{tables.stem.set_id}:{group}", kg / 1000,
            _number(tables.stem.rows[group]["uncertainty_pct"]), ko="재적식", en="Volume equation",
        )
        for group, kg in sorted(by_group.items())
    ]  # fmt: skip
    found += [
        component(
            f"coefficient:{tables.biomass.set_id}:{key}", kg / 1000, coefficient_pct,
            ko="수종 계수", en="Species' coefficients",
        )
        for key, kg in sorted(by_species.items())
        if coefficient_pct
    ]  # fmt: skip
    return found


def _number(value: Decimal | str) -> Decimal:
    assert isinstance(value, Decimal)
    return value
