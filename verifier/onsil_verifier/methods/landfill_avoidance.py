"""landfill-avoidance 1: the methane of the year's decay, less what was done with the waste."""

from datetime import date
from decimal import Decimal
from typing import Any

from onsil_verifier.factors import co2e
from onsil_verifier.given import Given
from onsil_verifier.methods import NotMeasurable, Refused
from onsil_verifier.rows import (
    Coefficients,
    Row,
    day,
    days,
    judge,
    legal_duty,
    line,
    number,
    tickets_once,
    total,
)
from onsil_verifier.uncertainty import component, stated
from onsil_verifier.waste import GASES, burnt


def unburied(given: Given) -> dict[str, Any] | NotMeasurable:
    diverted, within = given.tables["diverted"], days(given)
    legal_duty(given)
    tickets_once(diverted)
    gwp_set = given.parameters["gwp_set"]
    year = within.first.year
    if (within.first, within.end) != (date(year, 1, 1), date(year + 1, 1, 1)):
        raise Refused("not-a-year")
    judged = judge(diverted, lambda row: "later" if day(row, "date").year > year else None)
    table = Coefficients(given, "landfill-decay")
    methane_t, biogenic_t = _decay(given, table, judged.used, year)
    share = given.number("model_correction")
    methane_kg = share * total(methane_t.values()) * 1000
    treated = _treated(given, [row for row in judged.used if day(row, "date").year == year])
    treated_t = co2e(treated, gwp_set)
    gases = {"co2": -treated["co2"], "ch4": methane_kg - treated["ch4"], "n2o": -treated["n2o"]}
    net_t = co2e(gases, gwp_set)
    if net_t <= 0:
        return _nothing_yet(year, methane_kg, treated_t)
    components = [
        component(
            f"coefficient:{table.id}:{kind}", co2e({"ch4": share * tonnes * 1000}, gwp_set),
            table.number(kind, "uncertainty_pct"), ko="매립 분해 계수", en="Decay in landfill",
        )
        for kind, tonnes in methane_t.items()
    ]  # fmt: skip
    components.append(
        component(
            "record:diverted:scale", net_t, given.number("scale_uncertainty_pct"),
            ko="계량대", en="Scale",
        )
    )  # fmt: skip
    return {
        "co2e_t": net_t,
        "gases_kg": gases,
        "lines": [
            line(row["id"], "landfill-decay", number(row, "wet_t") * 1000, "kg")
            for row in judged.used
            if number(row, "wet_t") > 0 and day(row, "date").year < year
        ],
        "uncertainty": stated(net_t, components),
        "coverage": {"diverted": judged.coverage()},
        "details": {
            "year": year,
            "methane_by_kind_t": methane_t,
            "methane_counted_kg": methane_kg,
            "treatment_t": treated_t,
            "biogenic_co2_avoided_t": biogenic_t,
            "maturity": table.maturities(methane_t),
        },
    }


def _decay(
    given: Given, table: Coefficients, rows: list[Row], year: int
) -> tuple[dict[str, Decimal], Decimal]:
    """Tonnes of methane by kind in the year, and the biogenic CO2 of all kinds beside it."""
    site, recovered = given.parameters["site"], given.number("recovered_share")
    sites = Coefficients(given, "landfill-site")
    methane, biogenic = {}, Decimal(0)
    for kind in sorted({row["kind"] for row in rows}):
        buried: dict[int, Decimal] = {}
        for row in rows:
            if row["kind"] == kind:
                carbon = number(row, "wet_t") * table.number(kind, "doc")
                carbon = carbon * table.number(kind, "docf") * sites.number(site, "mcf")
                when = day(row, "date").year
                buried[when] = buried.get(when, Decimal(0)) + carbon
        # Year after year: what is left of the earlier years', then the year's own, undecayed.
        stays = (-table.number(kind, "k_per_year")).exp()
        left = Decimal(0)
        for when in range(min(buried), year):
            left = left * stays + buried.get(when, Decimal(0))
        gone = left * (1 - stays)
        formed = gone * table.number(kind, "methane_fraction") * 16 / 12
        methane[kind] = formed * (1 - recovered) * (1 - sites.number(site, "oxidation"))
        biogenic += (gone - methane[kind] * 12 / 16) * 44 / 12
    return methane, biogenic


def _treated(given: Given, rows: list[Row]) -> dict[str, Decimal]:
    """Gases in kg of what was done instead with the waste of the year."""
    table, burning = Coefficients(given, "waste-treatment"), Coefficients(given, "waste-burning")
    gases = dict.fromkeys(GASES, Decimal(0))
    for row in rows:
        wet_t, route = number(row, "wet_t"), row["route"]
        if route == "incineration":
            found = burnt(wet_t, burning, row["kind"]).gases
        else:
            found = {gas: wet_t * table.number(route, f"{gas}_kg_per_t") for gas in ("ch4", "n2o")}
        for gas, kg in found.items():
            gases[gas] += kg
    return gases


def _nothing_yet(year: int, methane_kg: Decimal, treated_t: Decimal) -> NotMeasurable:
    methane, treated = methane_kg.quantize(Decimal("0.1")), treated_t.quantize(Decimal("0.001"))
    return NotMeasurable(
        f"{year}년에 줄어든 메탄({methane} kg)이 처리 과정의 배출({treated} tCO2e)보다 크지 "
        "않습니다. 매립 폐기물의 메탄은 이듬해부터 나오므로 다음 해에 다시 산정하세요.",
        f"The methane avoided in {year} ({methane} kg) does not outweigh the treatment's gases "
        f"({treated} tCO2e). Buried waste gives methane from the next year on: quantify that "
        "year.",
        {"year": year, "methane_kg": methane_kg, "treatment_t": treated_t},
    )


METHODS = {("landfill-avoidance", "1"): unburied}
