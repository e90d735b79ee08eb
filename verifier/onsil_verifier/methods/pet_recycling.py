"""pet-recycling 1: the energy of virgin resin spared, less the project's energy."""

from decimal import Decimal
from typing import Any

from onsil_verifier.factors import Emitted, add_gases, emitted
from onsil_verifier.given import Given
from onsil_verifier.methods import Refused
from onsil_verifier.rows import (
    Coefficients,
    Days,
    Row,
    day,
    days,
    judge,
    legal_duty,
    number,
    something_saved,
    tickets_once,
    total,
)
from onsil_verifier.uncertainty import component, stated
from onsil_verifier.waste import lots

_NOTE = "20 % for the recalled coefficients is assumed; the factors state none."


def recycled(given: Given) -> dict[str, Any]:
    brought, energy, within = given.tables["lots"], given.tables["energy"], days(given)
    legal_duty(given)
    tickets_once(brought)
    if not all(within.holds(day(row, "date")) for row in energy):
        raise Refused("energy-outside-period")
    table = Coefficients(given, "displaced-resin")
    judged = judge(brought, lambda row: _reason(row, within, table))
    recycled_t = total(number(row, "accepted_kg") for row in judged.used) / 1000
    counted_t = recycled_t * table.number("pet", "quality_l")
    spared = _both(
        given,
        counted_t * table.number("pet", "electricity_mwh_per_t"),
        (counted_t * table.number("pet", "fuel_gj_per_t"), "GJ", "ncv"),
    )
    taken = _both(
        given,
        total(number(row, "electricity_kwh") for row in energy) / 1000,
        (total(number(row, "gas_nm3") for row in energy), "Nm3", None),
    )
    net_t = spared.tonnes - taken.tonnes
    something_saved(net_t)
    components = [
        component(
            "record:lots:scale", spared.tonnes, given.number("scale_uncertainty_pct"),
            ko="계량대", en="Scale",
        ),
        component(
            f"coefficient:{table.id}:pet", spared.tonnes, table.number("pet", "uncertainty_pct"),
            ko="수지 생산 에너지", en="Resin's energy",
        ),
    ]  # fmt: skip
    return {
        "co2e_t": net_t,
        "gases_kg": add_gases(spared.gases, taken.turned().gases),
        "lines": lots(
            ((row, number(row, "accepted_kg")) for row in judged.used), "plastic-recycled"
        ),
        "uncertainty": stated(net_t, components, note=_NOTE),
        "coverage": {"lots": judged.coverage()},
        "details": {
            "recycled_t": recycled_t,
            "counted_t": counted_t,
            "spared_t": spared.tonnes,
            "project_t": taken.tonnes,
            "not_resin_kg": total(
                number(row, "weight_kg") for row in brought if row["outlet"] != "resin"
            ),
            "coefficient_maturity": table.maturity("pet"),
        },
    }


def _both(given: Given, power_mwh: Decimal, fuel: tuple[Decimal, str, str | None]) -> Emitted:
    """Gases of electricity and of gas together."""
    grid = emitted(power_mwh, "MWh", given.factors["electricity"], given.gwp_set)
    amount, unit, basis = fuel
    gas = emitted(amount, unit, given.factors["city-gas"], given.gwp_set, basis)
    return Emitted(grid.tonnes + gas.tonnes, add_gases(grid.gases, gas.gases))


def _reason(row: Row, within: Days, table: Coefficients) -> str | None:
    if not within.holds(day(row, "date")):
        return "outside-period"
    if row["outlet"] != "resin":
        return "resin-not-displaced"
    if "accepted_kg" not in row:
        return "acceptance-missing"
    weight = number(row, "weight_kg")
    if number(row, "accepted_kg") > weight:
        return "accepted-above-weighed"
    if "bottles" in row:
        grams = weight * 1000 / number(row, "bottles")
        if grams < table.number("pet", "bottle_g_min"):
            return "bottle-mass-implausible"
        if grams > table.number("pet", "bottle_g_max"):
            return "bottle-mass-implausible"
    return None


METHODS = {("pet-recycling", "1"): recycled}
