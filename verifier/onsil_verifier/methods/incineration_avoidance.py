"""incineration-avoidance 1: gases of burning, less the power that the plant no longer gives."""

from decimal import Decimal
from typing import Any

from onsil_verifier.factors import add_gases, co2e, emitted
from onsil_verifier.given import Given
from onsil_verifier.rows import (
    Coefficients,
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
from onsil_verifier.waste import GASES, burnt, lots


def unburnt(given: Given) -> dict[str, Any]:
    diverted, within = given.tables["diverted"], days(given)
    legal_duty(given)
    tickets_once(diverted)
    judged = judge(
        diverted, lambda row: None if within.holds(day(row, "date")) else "outside-period"
    )
    table = Coefficients(given, "waste-burning")
    gases, by_kind = dict.fromkeys(GASES, Decimal(0)), dict[str, Decimal]()
    biogenic = Decimal(0)
    for row in judged.used:
        one = burnt(number(row, "wet_t"), table, row["kind"])
        for gas in GASES:
            gases[gas] += one.gases[gas]
        biogenic += one.biogenic_kg
        tonnes = co2e(one.gases, given.gwp_set)
        by_kind[row["kind"]] = by_kind.get(row["kind"], Decimal(0)) + tonnes
    wet_t = total(number(row, "wet_t") for row in judged.used)
    power = wet_t * given.number("power_kwh_per_t")
    lost = emitted(power, "kWh", given.factors["electricity"], given.gwp_set)
    burning_t = co2e(gases, given.gwp_set)
    net_t = burning_t - lost.tonnes
    something_saved(net_t)
    components = [
        component(
            f"coefficient:{table.id}:{kind}", by_kind[kind],
            table.number(kind, "uncertainty_pct"), ko="소각 계수", en="Burning",
        )
        for kind in sorted(by_kind)
    ]  # fmt: skip
    components.append(
        component(
            "record:diverted:scale", net_t, given.number("scale_uncertainty_pct"),
            ko="계량대", en="Scale",
        )
    )  # fmt: skip
    return {
        "co2e_t": net_t,
        "gases_kg": add_gases(gases, lost.turned().gases),
        "lines": lots(
            ((row, number(row, "wet_t") * 1000) for row in judged.used), "waste-diverted"
        ),
        "uncertainty": stated(net_t, components),
        "coverage": {"diverted": judged.coverage()},
        "details": {
            "wet_t": wet_t,
            "burning_t": burning_t,
            "power_lost_t": lost.tonnes,
            "biogenic_co2_kg": biogenic,
            "maturity": table.maturities(by_kind),
        },
    }


METHODS = {("incineration-avoidance", "1"): unburnt}
