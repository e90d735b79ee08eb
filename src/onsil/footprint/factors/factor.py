"""A factor: kilograms of each gas per unit of an activity, and what may not be made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.footprint.factors.gwp import GASES, GWP_SETS, gwp, known_gas
from onsil.footprint.factors.provenance import FactorError, decimal_of, plain_unit

ENERGY_BASES = ("ncv", "gcv")


@dataclass(frozen=True)
class Heating:
    """Calorific values of a fuel in MJ per `per` (Nm3, L or kg); a side not stated is None."""

    per: str
    ncv_mj: Decimal | None
    gcv_mj: Decimal | None

    def mj(self, basis: str) -> Decimal | None:
        return self.ncv_mj if basis == "ncv" else self.gcv_mj


@dataclass(frozen=True)
class Factor:
    """Emission per unit of activity of one commodity at one boundary.

    `per` is that unit: MWh, TJ, L, Nm3, kg, t, m3, km, passenger-km, tree-year. Either `gases_kg`
    holds kg of each gas per unit (a gas not named is not emitted), or only `co2e_total_kg` is
    known, already summed under `co2e_gwp_set`. `co2_only` marks a factor whose other gases are not
    known: it is never a CO2e. `energy_basis` says whether an energy in `per` is net (ncv) or gross
    (gcv); `heating` leads from a fuel's amount, or from the other basis, to it.
    """

    set_id: str
    commodity: str
    boundary: str
    per: str
    gases_kg: Mapping[str, Decimal] | None
    co2e_total_kg: Decimal | None = None
    co2e_gwp_set: str | None = None
    co2_only: bool = False
    energy_basis: str | None = None
    heating: Heating | None = None
    version: int = field(default=1, kw_only=True)

    @property
    def id(self) -> str:
        return f"{self.set_id}/{self.commodity}/{self.boundary}"

    def co2e_kg(self, gwp_set: str) -> Decimal:
        """kg CO2e per `per` under a GWP set.

        Raises FactorError when only CO2 is known, or a sum under another set.
        """
        if self.co2_only:
            raise FactorError(f"{self.id} knows CO2 alone, which is not CO2e")
        if self.gases_kg is not None:
            return sum((kg * gwp(gwp_set, gas) for gas, kg in self.gases_kg.items()), Decimal(0))
        if self.co2e_gwp_set != gwp_set:
            raise FactorError(f"{self.id} is a sum under {self.co2e_gwp_set}, not {gwp_set}")
        assert self.co2e_total_kg is not None
        return self.co2e_total_kg

    @property
    def gases_kg_per_mwh(self) -> Mapping[str, Decimal] | None:
        """The gases of a factor stated per MWh. Raises FactorError for one per anything else."""
        if self.per != "MWh":
            raise FactorError(f"{self.id} is per {self.per}, not per MWh")
        return self.gases_kg

    @property
    def ncv_mj_per_nm3(self) -> Decimal | None:
        return self.heating.ncv_mj if self.heating and self.heating.per == "Nm3" else None

    @property
    def gcv_mj_per_nm3(self) -> Decimal | None:
        return self.heating.gcv_mj if self.heating and self.heating.per == "Nm3" else None

    def activity(self, amount: Decimal, unit: str, basis: str | None = None) -> Decimal:
        """An amount in the factor's own unit: converted by pint, a fuel by its calorific value.

        `basis` says whether an amount of energy is net (ncv) or gross (gcv); a fuel's factor needs
        it. Raises FactorError for another dimension, an unknown unit or an unstated basis.
        """
        if basis is not None and basis not in ENERGY_BASES:
            raise FactorError(f"{self.id}: an energy is net (ncv) or gross (gcv), not {basis!r}")
        try:
            if same_dimension(unit, self.per):
                return convert(amount * self._to_own_basis(unit, basis), unit, self.per)
            return self._from_fuel(amount, unit)
        except UnitError as error:
            raise FactorError(f"{self.id} is per {self.per}: {error}") from error

    def _to_own_basis(self, unit: str, basis: str | None) -> Decimal:
        if not same_dimension(unit, "MJ"):
            return Decimal(1)
        if self.energy_basis is None:
            if basis is not None:
                raise FactorError(f"{self.id} knows no calorific basis, but {basis} was stated")
            return Decimal(1)
        if basis is None:
            raise FactorError(f"{self.id} is per {self.energy_basis} energy: net or gross?")
        if basis == self.energy_basis:
            return Decimal(1)
        wanted = self.heating and self.heating.mj(self.energy_basis)
        given = self.heating and self.heating.mj(basis)
        if wanted is None or given is None:
            raise FactorError(f"{self.id} is per {self.energy_basis} energy, not {basis}")
        return wanted / given

    def _from_fuel(self, amount: Decimal, unit: str) -> Decimal:
        heating = self.heating
        mj = None if heating is None or self.energy_basis is None else heating.mj(self.energy_basis)
        if heating is None or mj is None or not same_dimension(unit, heating.per):
            raise FactorError(f"{self.id} is per {self.per}; {unit} cannot become that")
        return convert(convert(amount, unit, heating.per) * mj, "MJ", self.per)

    def document(self) -> dict[str, Any]:
        """The factor as it enters the canonical inputs of a run of format 2."""
        heating = self.heating
        return {
            "id": self.id,
            "set": self.set_id,
            "version": self.version,
            "commodity": self.commodity,
            "boundary": self.boundary,
            "per": self.per,
            "gases_kg": self.gases_kg,
            "co2e_kg": self.co2e_total_kg,
            "co2e_gwp_set": self.co2e_gwp_set,
            "co2_only": self.co2_only,
            "energy_basis": self.energy_basis,
            "heating": None
            if heating is None
            else {"per": heating.per, "ncv_mj": heating.ncv_mj, "gcv_mj": heating.gcv_mj},
        }

    def document_1(self) -> dict[str, Any]:
        """The factor as runs of format 1 hold it: three gases per MWh, heating per Nm3."""
        assert self.per == "MWh"
        return {
            "id": self.id,
            "set": self.set_id,
            "commodity": self.commodity,
            "boundary": self.boundary,
            "gases_kg_per_mwh": self.gases_kg,
            "co2e_kg_per_mwh": self.co2e_total_kg,
            "co2e_gwp_set": self.co2e_gwp_set,
            "energy_basis": self.energy_basis,
            "ncv_mj_per_nm3": self.ncv_mj_per_nm3,
            "gcv_mj_per_nm3": self.gcv_mj_per_nm3,
        }

    @staticmethod
    def from_document(made: Mapping[str, Any]) -> "Factor":
        """The inverse of `document` and of `document_1`, for a run recomputed from its bundle."""
        if "gases_kg_per_mwh" in made:
            return _from_document_1(made)
        heating, gases = made["heating"], made["gases_kg"]
        return Factor(
            set_id=made["set"],
            commodity=made["commodity"],
            boundary=made["boundary"],
            per=made["per"],
            gases_kg=None if gases is None else in_order(gases),
            co2e_total_kg=decimal_of(made["co2e_kg"]),
            co2e_gwp_set=made["co2e_gwp_set"],
            co2_only=made["co2_only"],
            energy_basis=made["energy_basis"],
            heating=heating
            and Heating(
                heating["per"], decimal_of(heating["ncv_mj"]), decimal_of(heating["gcv_mj"])
            ),
            version=made["version"],
        )


def _heating_of(made: Mapping[str, Any] | None) -> Heating | None:
    if made is None:
        return None
    return Heating(made["per"], decimal_of(made["ncv_mj"]), decimal_of(made["gcv_mj"]))


def _from_document_1(made: Mapping[str, Any]) -> Factor:
    gases = made["gases_kg_per_mwh"]
    ncv, gcv = decimal_of(made["ncv_mj_per_nm3"]), decimal_of(made["gcv_mj_per_nm3"])
    return Factor(
        set_id=made["set"],
        commodity=made["commodity"],
        boundary=made["boundary"],
        per="MWh",
        gases_kg=None if gases is None else {g: Decimal(gases[g]) for g in GASES},
        co2e_total_kg=decimal_of(made["co2e_kg_per_mwh"]),
        co2e_gwp_set=made["co2e_gwp_set"],
        energy_basis=made["energy_basis"],
        heating=None if ncv is None and gcv is None else Heating("Nm3", ncv, gcv),
    )


def in_order(gases: Mapping[str, Any]) -> dict[str, Decimal]:
    """Gases as decimals: CO2, CH4, N2O first, then the others by name, so that sums agree."""
    names = [g for g in GASES if g in gases] + sorted(set(gases) - set(GASES))
    made: dict[str, Decimal] = {}
    for gas in names:
        value = decimal_of(gases[gas])
        assert value is not None
        made[gas] = value
    return made


def stated_factor(set_id: str, version: int, made: Mapping[str, Any]) -> Factor:
    """A factor out of a TOML or JSON table: `unit` "kg/MWh", gases or `co2e`, bounds, heating.

    Raises FactorError for units, gaps and contradictions.
    """
    name = f"{set_id}/{made.get('commodity')}/{made.get('boundary')}"
    per = _per(name, str(made.get("unit", "")))
    gases = {key: made[key] for key in made if known_gas(key)}
    only = bool(made.get("co2_only", False))
    if bool(gases) == ("co2e" in made):
        raise FactorError(f"{name}: either the gases or their sum, not both and not neither")
    if only and set(gases) != {"co2"}:
        raise FactorError(f"{name}: marked as CO2 only, but other gases or a sum are stated")
    if gases and not only and not set(GASES) <= set(gases):
        raise FactorError(f"{name}: some gases are missing; CO2 alone is not CO2e")
    if "co2e" in made and made.get("co2e_gwp_set") not in GWP_SETS:
        raise FactorError(f"{name}: a CO2e total must say under which GWP set it was summed")
    if made.get("energy_basis") not in (None, *ENERGY_BASES):
        raise FactorError(f"{name}: energy basis {made['energy_basis']!r}")
    return Factor(
        set_id=set_id,
        commodity=made["commodity"],
        boundary=made["boundary"],
        per=per,
        gases_kg=in_order(gases) if gases else None,
        co2e_total_kg=decimal_of(made.get("co2e")),
        co2e_gwp_set=made.get("co2e_gwp_set"),
        co2_only=only,
        energy_basis=made.get("energy_basis"),
        heating=_heating(name, made),
        version=version,
    )


def _per(name: str, unit: str) -> str:
    kg, slash, per = unit.partition("/")
    if kg != "kg" or not slash:
        raise FactorError(f"{name}: {unit!r} where kg per a unit of activity is wanted")
    plain_unit(per)
    try:
        same_dimension(per, "MWh")
    except UnitError as error:
        raise FactorError(f"{name}: {error}") from error
    return per


def _heating(name: str, made: Mapping[str, Any]) -> Heating | None:
    found = [
        Heating(per, decimal_of(made.get(f"ncv_{key}")), decimal_of(made.get(f"gcv_{key}")))
        for key, per in (("mj_per_nm3", "Nm3"), ("mj_per_l", "L"), ("mj_per_kg", "kg"))
        if f"ncv_{key}" in made or f"gcv_{key}" in made
    ]
    if len(found) > 1:
        raise FactorError(f"{name}: calorific values per two units")
    if not found:
        return None
    ncv, gcv = found[0].ncv_mj, found[0].gcv_mj
    if ncv is not None and gcv is not None and ncv >= gcv:
        raise FactorError(f"{name}: the net calorific value is not below the gross one")
    return found[0]
