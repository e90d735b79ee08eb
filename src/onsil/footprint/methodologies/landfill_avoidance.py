"""Waste kept out of landfill, version 1.

Methane that the waste would have given in the year of the period, had it been buried:

    decayed_j(y) = Σ_x<y W_j,x · DOC_j · DOCf · MCF · e^(−k_j (y−1−x)) · (1 − e^(−k_j))
    CH4 avoided  = φ · Σ_j decayed_j · F · 16/12 · (1 − recovered) · (1 − OX)
    ER           = CH4 avoided · GWP − gases of what was done with the waste instead

Source: 2006 IPCC Guidelines vol. 5 ch. 3, first-order decay with its delay, so that waste gives
nothing in its own year and most of what it will give only in the years after: each year is counted
as it comes, never ahead. φ discounts the model's error as UNFCCC CDM tool 04 does. CO2 of the decay
is biogenic; it is told and never counted. A lot is claimed year by year for that year's decay
(`landfill-decay`), unlike a delivery, which happens once. Waste that went on to be pyrolysed is not
taken: what becomes of it has a methodology of its own.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import coefficient_table
from onsil.footprint.methodologies.conditions import (
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
)
from onsil.footprint.methodologies.records import Row, days_of_period, judge, none_usable
from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    MonitoringParameter,
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.waste_rows import (
    GWP_SET,
    LOT_COLUMNS,
    SCALE,
    TICKET_CONDITION,
    co2e_t,
    gwp_differs,
    maturities,
    no_gases,
    ticket_used_twice,
)
from onsil.footprint.terms import NOT_YET_MEASURABLE, MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated
from onsil.footprint.waste import burn, decay_by_year, degradable_carbon, methane_of_decay

ID = "landfill-avoidance"
VERSION = "1"
TITLE_KO = "매립 회피"
TITLE_EN = "Waste kept out of landfill"
SOURCES = (
    "2006 IPCC Guidelines vol. 5 ch. 3, equations 3.1 to 3.6; ch. 4, table 4.1; ch. 5",
    "UNFCCC CDM tool 04, Emissions from solid waste disposal sites (model correction φ; recalled)",
)
FORMULA = (
    "ER(y) [tCO2e] = φ × Σ_j decayed_j(y) × F × 16/12 × (1 − recovered) × (1 − OX) × GWP_CH4 − "
    "treatment(y)"
)
CONDITIONS = (
    (
        "기간은 한 해(1월 1일부터 12월 31일까지)여야 합니다. 분해는 해 단위로 셉니다.",
        "The period is one calendar year: decay is counted by the year.",
    ),
    (
        "그해에 빼낸 폐기물은 아직 메탄을 내지 않습니다(IPCC의 지연). 미리 세지 않습니다.",
        "Waste of the year itself gives no methane yet (the IPCC's delay); nothing is counted "
        "ahead.",
    ),
    TICKET_CONDITION,
    (
        "회수되는 매립가스(recovered_share)를 빼고, 처리 과정의 배출을 뺍니다.",
        "Landfill gas recovered anyway (recovered_share) and the gases of the treatment come off.",
    ),
    (
        "생물 기원 CO2는 따로 적고 세지 않습니다.",
        "Biogenic CO2 is told apart and never counted.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
_KINDS = ("food", "garden", "paper", "wood", "textiles", "nappies")
TABLES = (
    TableRole(
        "diverted", "매립하지 않은 폐기물 (앞선 해 포함)", "Waste diverted, earlier years too",
        (
            *LOT_COLUMNS,
            Column("kind", "choice", "종류", "Kind", choices=_KINDS),
            Column("wet_t", "decimal", "습윤 무게", "Wet weight", "t", minimum=Decimal(0)),
            Column(
                "route", "choice", "처리 방법", "What was done with it",
                choices=("recycling", "composting", "anaerobic-digestion", "incineration"),
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "site", "choice", "갔을 매립지", "Landfill it would have gone to",
        choices=(
            "managed-anaerobic", "managed-semi-aerobic", "unmanaged-deep", "unmanaged-shallow",
            "uncategorised",
        ),
    ),
    Parameter(
        "recovered_share", "decimal", "회수되는 매립가스 비율", "Share of the gas recovered anyway",
        "", minimum=Decimal(0), maximum=Decimal(1),
    ),
    Parameter(
        "model_correction", "decimal", "모형 보정 φ", "Model correction φ", "", default="0.75",
        minimum=Decimal("0.5"), maximum=Decimal(1),
    ),
    GWP_SET,
    SCALE,
    LEGAL_DUTY,
)  # fmt: skip
COEFFICIENTS = (
    CoefficientNeed("landfill-decay", "ipcc-2006-landfill-decay"),
    CoefficientNeed("landfill-site", "ipcc-2006-landfill-site"),
    CoefficientNeed("waste-treatment", "ipcc-2006-waste-treatment"),
    CoefficientNeed("waste-burning", "ipcc-2006-waste-burning"),
)
FACTORS = ()
MONITORING = (
    MonitoringParameter(
        "W", "t", "빼낸 폐기물의 종류별 무게", "Waste diverted by kind", "물량마다", "each lot",
        "계량대와 전표, 종류별 조성 조사", "weighbridge and ticket, survey of composition",
        "전표 중복 거절, 조성 표본은 해마다", "a ticket twice is refused; composition each year",
    ),
    MonitoringParameter(
        "recovered_share", "–", "매립가스 회수율", "Share of landfill gas recovered", "해마다",
        "each year", "매립지 운영 기록", "the landfill's records", "법정 회수도 포함",
        "what law requires is included",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Kilograms whose decay in the year was avoided; its methane less the treatment's gases.

    Refused: `legally-required`, `duplicate-ticket`, `gwp-differs`, `not-a-year`, `no-row-usable`,
    and `not-yet-measurable` while the decay avoided does not exceed the treatment's gases.
    """
    rows = inputs.tables["diverted"]
    for refusal in (
        legally_required(inputs), ticket_used_twice(rows), gwp_differs(inputs), _not_a_year(inputs),
    ):  # fmt: skip
        if refusal is not None:
            return refusal
    year = days_of_period(inputs).first.year
    judged = judge(rows, lambda row: "later" if row["date"].year > year else None)
    refusal = none_usable("diverted", judged)
    if refusal is not None:
        return refusal
    avoided, biogenic_t = _avoided(inputs, judged.used, year)
    correction = inputs.parameters["model_correction"]
    methane_kg = correction * sum(avoided.values(), Decimal(0)) * 1000
    treated = _treatment([row for row in judged.used if row["date"].year == year], inputs)
    gases = {"co2": -treated["co2"], "ch4": methane_kg - treated["ch4"], "n2o": -treated["n2o"]}
    gwp_set = inputs.parameters["gwp_set"]
    net_t = co2e_t(gases, gwp_set)
    if net_t <= 0:
        return _nothing_yet(year, methane_kg, co2e_t(treated, gwp_set))
    table = inputs.coefficients["landfill-decay"]
    components = [
        component(
            f"coefficient:{table.set_id}:{kind}",
            co2e_t({"ch4": correction * methane_t * 1000}, gwp_set),
            table.value(kind, "uncertainty_pct"), ko="매립 분해 계수", en="Decay in landfill",
        )
        for kind, methane_t in sorted(avoided.items())
    ]  # fmt: skip
    components.append(
        component(
            "record:diverted:scale", net_t, inputs.parameters["scale_uncertainty_pct"],
            ko="계량대", en="Scale",
        )
    )  # fmt: skip
    return Outcome(
        lines=tuple(
            RunLine(row["id"], "landfill-decay", row["wet_t"] * 1000, "kg")
            for row in judged.used
            if row["wet_t"] > 0 and row["date"].year < year
        ),
        co2e_t=net_t,
        gases_kg=gases,
        uncertainty=stated(net_t, components),
        coverage={"diverted": judged.coverage()},
        details={
            "year": year,
            "methane_by_kind_t": dict(sorted(avoided.items())),
            "methane_counted_kg": methane_kg,
            "treatment_t": co2e_t(treated, gwp_set),
            "biogenic_co2_avoided_t": biogenic_t,
            "maturity": maturities(table, avoided),
        },
    )


def _not_a_year(inputs: MethodInputs) -> Refusal | None:
    days = days_of_period(inputs)
    if days.first == date(days.first.year, 1, 1) and days.end == date(days.first.year + 1, 1, 1):
        return None
    return Refusal(
        "not-a-year",
        f"기간({days.first}~{days.end})이 한 해가 아닙니다. 매립지의 분해는 해 단위로 셉니다.",
        f"The period ({days.first} to {days.end}) is not a calendar year; decay is by the year.",
        {"first": days.first.isoformat(), "end": days.end.isoformat()},
    )


def _avoided(
    inputs: MethodInputs, rows: tuple[Row, ...], year: int
) -> tuple[dict[str, Decimal], Decimal]:
    """Methane in tonnes by kind in the year, and the biogenic CO2 beside it."""
    table, site = inputs.coefficients["landfill-decay"], inputs.parameters["site"]
    sites = inputs.coefficients["landfill-site"]
    laid_down: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in rows:
        laid_down[row["kind"]][row["date"].year] += degradable_carbon(
            row["wet_t"], table.value(row["kind"], "doc"), table.value(row["kind"], "docf"),
            sites.value(site, "mcf"),
        )  # fmt: skip
    methane, biogenic = {}, Decimal(0)
    for kind, carbon in sorted(laid_down.items()):
        gone = decay_by_year(carbon, table.value(kind, "k_per_year"), year, year)[year]
        found = methane_of_decay(
            gone,
            methane_fraction=table.value(kind, "methane_fraction"),
            recovered_share=inputs.parameters["recovered_share"],
            oxidation=sites.value(site, "oxidation"),
        )
        methane[kind] = found.methane
        biogenic += found.biogenic_co2
    return methane, biogenic


def _treatment(rows: list[Row], inputs: MethodInputs) -> dict[str, Decimal]:
    """Gases in kg of what was done with the year's waste instead; fossil CO2 only if burnt."""
    table, burning = inputs.coefficients["waste-treatment"], inputs.coefficients["waste-burning"]
    gases = no_gases()
    for row in rows:
        if row["route"] == "incineration":
            found = burn(row["wet_t"], burning.rows[row["kind"]])
            gases["co2"] += found.co2_kg
            gases["ch4"] += found.ch4_kg
            gases["n2o"] += found.n2o_kg
        else:
            gases["ch4"] += row["wet_t"] * table.value(row["route"], "ch4_kg_per_t")
            gases["n2o"] += row["wet_t"] * table.value(row["route"], "n2o_kg_per_t")
    return gases


def _nothing_yet(year: int, methane_kg: Decimal, treatment_t: Decimal) -> Refusal:
    return Refusal(
        NOT_YET_MEASURABLE,
        f"{year}년에 줄어든 메탄({round(methane_kg, 1)} kg)이 처리 과정의 "
        f"배출({round(treatment_t, 3)} "
        "tCO2e)보다 크지 않습니다. 매립 폐기물의 메탄은 이듬해부터 나오므로 다음 해에 다시 "
        "산정하세요.",
        f"The methane avoided in {year} ({round(methane_kg, 1)} kg) does not outweigh the "
        f"treatment's gases ({round(treatment_t, 3)} tCO2e). Buried waste gives methane from the "
        "next year on: quantify that year.",
        {"year": year, "methane_kg": methane_kg, "treatment_t": treatment_t},
    )


def worked_example() -> WorkedExample:
    """A hundred tonnes of food waste recycled as feed in 2024; what it would have given in 2025."""
    rows = (
        {
            "id": "urn:ngsi-ld:Lot:example:food-2024", "date": date(2024, 5, 1), "ticket": "F-1",
            "kind": "food", "wet_t": Decimal(100), "route": "recycling",
        },
    )  # fmt: skip
    inputs = MethodInputs(
        period=Period(
            datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={
            "site": "managed-anaerobic", "recovered_share": Decimal("0.2"),
            "model_correction": Decimal("0.75"), "gwp_set": "SAR",
            "scale_uncertainty_pct": Decimal(1),
        },
        series={},
        factors={},
        gwp_set="SAR",
        tables={"diverted": rows},
        coefficients={
            "landfill-decay": coefficient_table("ipcc-2006-landfill-decay"),
            "landfill-site": coefficient_table("ipcc-2006-landfill-site"),
            "waste-treatment": coefficient_table("ipcc-2006-waste-treatment"),
            "waste-burning": coefficient_table("ipcc-2006-waste-burning"),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Made-up lot with the IPCC's defaults for food in a wet temperate climate",
        inputs=inputs,
        co2e_t=Decimal("9.5763871055844751302441564369796591586408853937394"),
        steps=(
            "100 t × 0.15 × 0.5 × 1 = 7.5 t of degradable carbon",
            "1 − e^−0.185 = 0.16889571… of it decays in the next year: 1.26671786… t",
            "× 0.5 × 16/12 × (1 − 0.2) × (1 − 0.1) × φ 0.75 = 0.4560184… t CH4 × 21",
        ),
    )
