"""The factor library: sets read from the data files, their arithmetic checked on loading."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from onsil.core.canonical import digest
from onsil.footprint.factors.gwp import GASES, GWP_SETS, gwp

_MATURITIES = ("confirmed", "secondary", "press", "recalled")
_SET_FIELDS = ("publisher", "document", "edition", "article", "page", "note")


class FactorError(ValueError):
    """A data file that contradicts itself: the set must not be used until it is mended."""


@dataclass(frozen=True)
class Factor:
    """Emission per MWh of one commodity at one boundary.

    Either `gases_kg_per_mwh` holds co2, ch4 and n2o apart, or only `co2e_kg_per_mwh` is known,
    already summed under `co2e_gwp_set`. `energy_basis` is "ncv" where the MWh is one of net
    calorific value; `ncv_per_gcv` then turns a gross meter's energy into it.
    """

    set_id: str
    commodity: str
    boundary: str
    gases_kg_per_mwh: Mapping[str, Decimal] | None
    co2e_kg_per_mwh: Decimal | None
    co2e_gwp_set: str | None
    energy_basis: str | None
    ncv_mj_per_nm3: Decimal | None
    gcv_mj_per_nm3: Decimal | None

    @property
    def id(self) -> str:
        return f"{self.set_id}/{self.commodity}/{self.boundary}"

    def co2e_kg(self, gwp_set: str) -> Decimal:
        """kg CO2e per MWh under a GWP set.

        Raises FactorError when the gases are not known apart and the set is another one.
        """
        if self.gases_kg_per_mwh is not None:
            return sum(
                (kg * gwp(gwp_set, gas) for gas, kg in self.gases_kg_per_mwh.items()), Decimal(0)
            )
        if self.co2e_gwp_set != gwp_set:
            raise FactorError(f"{self.id} is a sum under {self.co2e_gwp_set}, not {gwp_set}")
        assert self.co2e_kg_per_mwh is not None
        return self.co2e_kg_per_mwh

    def document(self) -> dict[str, Any]:
        """The factor as it enters a run's canonical inputs."""
        return {
            "id": self.id,
            "set": self.set_id,
            "commodity": self.commodity,
            "boundary": self.boundary,
            "gases_kg_per_mwh": self.gases_kg_per_mwh,
            "co2e_kg_per_mwh": self.co2e_kg_per_mwh,
            "co2e_gwp_set": self.co2e_gwp_set,
            "energy_basis": self.energy_basis,
            "ncv_mj_per_nm3": self.ncv_mj_per_nm3,
            "gcv_mj_per_nm3": self.gcv_mj_per_nm3,
        }

    @staticmethod
    def from_document(made: Mapping[str, Any]) -> "Factor":
        """The inverse of `document`, for a run recomputed from its bundle alone."""
        gases = made["gases_kg_per_mwh"]
        return Factor(
            set_id=made["set"],
            commodity=made["commodity"],
            boundary=made["boundary"],
            gases_kg_per_mwh=None if gases is None else {g: Decimal(gases[g]) for g in GASES},
            co2e_kg_per_mwh=_decimal(made["co2e_kg_per_mwh"]),
            co2e_gwp_set=made["co2e_gwp_set"],
            energy_basis=made["energy_basis"],
            ncv_mj_per_nm3=_decimal(made["ncv_mj_per_nm3"]),
            gcv_mj_per_nm3=_decimal(made["gcv_mj_per_nm3"]),
        )


@dataclass(frozen=True)
class FactorSet:
    """A publication of factors and where it was read. Unconfirmed sets say so in `maturity`."""

    id: str
    publisher: str
    document: str
    edition: str
    article: str
    page: str
    published: date
    read: date
    statistic_years: tuple[int, int] | None
    maturity: str
    note: str
    factors: tuple[Factor, ...] = field(default=())

    @property
    def confirmed(self) -> bool:
        return self.maturity == "confirmed"

    @property
    def digest(self) -> str:
        return digest(self.content())

    def content(self) -> dict[str, Any]:
        """Everything stated of the set, as it is kept beside the runs that used it."""
        return {
            "id": self.id,
            **{name: getattr(self, name) for name in _SET_FIELDS},
            "published": self.published,
            "read": self.read,
            "statistic_years": self.statistic_years,
            "maturity": self.maturity,
            "factors": [factor.document() for factor in self.factors],
        }


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _factor(set_id: str, made: Mapping[str, Any]) -> Factor:
    if made["unit"] != "kg/MWh":
        raise FactorError(f"{set_id}: {made['unit']} where kg/MWh is wanted")
    apart = [gas in made for gas in GASES]
    if any(apart) and not all(apart):
        raise FactorError(f"{set_id}: some gases are missing; CO2 alone is not CO2e")
    if all(apart) == ("co2e" in made):
        raise FactorError(f"{set_id}: either the gases or their sum, not both and not neither")
    if "co2e" in made and made.get("co2e_gwp_set") not in GWP_SETS:
        raise FactorError(f"{set_id}: a CO2e total must say under which GWP set it was summed")
    factor = Factor(
        set_id=set_id,
        commodity=made["commodity"],
        boundary=made["boundary"],
        gases_kg_per_mwh={g: Decimal(made[g]) for g in GASES} if all(apart) else None,
        co2e_kg_per_mwh=_decimal(made.get("co2e")),
        co2e_gwp_set=made.get("co2e_gwp_set"),
        energy_basis=made.get("energy_basis"),
        ncv_mj_per_nm3=_decimal(made.get("ncv_mj_per_nm3")),
        gcv_mj_per_nm3=_decimal(made.get("gcv_mj_per_nm3")),
    )
    _check(factor, made)
    return factor


def _check(factor: Factor, made: Mapping[str, Any]) -> None:
    """Redo the file's own arithmetic: printed totals, and carbon content against kg CO2."""
    for check in made.get("check", []):
        printed = Decimal(check["printed_t_per_mwh"])
        ours = (factor.co2e_kg(check["gwp_set"]) / 1000).quantize(printed)
        if (ours == printed) != (check["verdict"] == "match"):
            raise FactorError(f"{factor.id}: printed {printed}, recalculated {ours}")
    carbon = _decimal(made.get("carbon_t_per_tj"))
    if carbon is not None and factor.gases_kg_per_mwh is not None:
        ours = carbon * 44 * Decimal("3.6") / 12
        if ours != factor.gases_kg_per_mwh["co2"]:
            raise FactorError(f"{factor.id}: {carbon} tC/TJ gives {ours} kg CO2/MWh")


def parse_factor_sets(text: str) -> tuple[FactorSet, ...]:
    """Read factor sets from TOML. Raises FactorError for units, gaps or sums that do not hold."""
    made: list[FactorSet] = []
    for table in tomllib.loads(text)["set"]:
        if table["maturity"] not in _MATURITIES:
            raise FactorError(f"{table['id']}: unknown maturity {table['maturity']!r}")
        years = table.get("statistic_years")
        made.append(
            FactorSet(
                id=table["id"],
                **{name: table[name] for name in _SET_FIELDS},
                published=table["published"],
                read=table["read"],
                statistic_years=None if years is None else (years[0], years[1]),
                maturity=table["maturity"],
                factors=tuple(_factor(table["id"], f) for f in table["factor"]),
            )
        )
    return tuple(made)


def data_text(name: str) -> str:
    """A data file of the package, as text."""
    return files("onsil.footprint.factors").joinpath("data", name).read_text("utf-8")


@cache
def factor_sets() -> Mapping[str, FactorSet]:
    """Every set of the library by its id."""
    found: dict[str, FactorSet] = {}
    for name in ("kr-grid.toml", "kr-city-gas.toml"):
        for made in parse_factor_sets(data_text(name)):
            if made.id in found:
                raise FactorError(f"{made.id} is stated twice")
            found[made.id] = made
    return found


def factor_set(set_id: str) -> FactorSet:
    """One set. Raises KeyError when the library has none of that id."""
    return factor_sets()[set_id]
