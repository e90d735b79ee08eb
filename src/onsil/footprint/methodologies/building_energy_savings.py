"""Building energy savings by whole-facility measurement, version 1.

The International Performance Measurement and Verification Protocol's option C: the meters of the
whole building before and after, the before carried into the after's weather by a regression.

    savings = Σ_days (baseline model(temperature) − metered use)        per energy carrier
    emission reduction = Σ_carriers savings × EF(carrier)

Source: EVO, IPMVP Core Concepts (EVO 10000-1), option C; ASHRAE Guideline 14-2014, whole-building
path, for the models, the CVRMSE and NMBE limits and the uncertainty of the savings. The model of
each carrier is named in advance as a parameter: it is never picked for its result.

A carrier whose model fits but whose use has risen is taken off the others' savings; one whose
savings do not exceed their uncertainty counts as nothing; a carrier whose model does not fit makes
the whole building not yet measurable, since a change of fuel could hide in it.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_days
from onsil.core.refusal import Refusal
from onsil.footprint.methodologies.building_days import Carrier, carrier_data
from onsil.footprint.methodologies.building_example import example_inputs
from onsil.footprint.methodologies.emissions import add_gases, emissions
from onsil.footprint.methodologies.registry import FactorNeed, Parameter, Role, WorkedExample
from onsil.footprint.savings import Gates, MeasuredSavings, measure_savings
from onsil.footprint.terms import MethodInputs, Outcome, RunLine

ID = "building-energy-savings"
VERSION = "1"
TITLE_KO = "건물 에너지 절감"
TITLE_EN = "Building energy savings"
SOURCES = (
    "Efficiency Valuation Organization, IPMVP Core Concepts, option C (whole facility)",
    "ASHRAE Guideline 14-2014, Measurement of Energy, Demand, and Water Savings",
    "Mathieu et al., IEEE Transactions on Smart Grid 2(3), 2011 (time of week and temperature)",
    "Sun and Baltazar, ASHRAE Transactions 119, 2013 (uncertainty with correlated residuals)",
)
FORMULA = (
    "ER [tCO2e] = Σ_c (Σ_d model_c(T_d) − use_c,d) [MWh] × EF_c [kgCO2e/MWh] / 1000, "
    "c = electricity, gas"
)
CONDITIONS = (
    (
        "기준 기간은 12개월(365일) 이상이고 보고 기간 앞에 끝나야 합니다.",
        "The baseline holds twelve months (365 days) or more and ends before the reporting period.",
    ),
    (
        "두 기간 모두 날(또는 시간)의 90 % 이상이 완전히 측정되어야 합니다. 빠진 날은 양쪽에서 "
        "빼며 0으로 채우지 않습니다.",
        "In both periods 90 % of the days (or hours) were measured completely. A day with a gap is "
        "left out; nothing is filled with zero.",
    ),
    (
        "기준 모형은 가이드라인 14의 한도를 지켜야 합니다: 시간 CVRMSE 30 %·NMBE 10 %, 월 CVRMSE "
        "15 %·NMBE 5 %. 일 모형은 월 합계로 판정합니다.",
        "The baseline keeps Guideline 14's limits: hourly CVRMSE 30 %, NMBE 10 %; monthly CVRMSE "
        "15 %, NMBE 5 %. A daily model is judged on its monthly sums.",
    ),
    (
        "절감량은 그 불확도(68 % 신뢰수준에서 50 % 이하)보다 커야 합니다.",
        "The savings exceed their uncertainty, which is 50 % at most at 68 % confidence.",
    ),
    (
        "보고 기간에 태양광을 더했다면(solar_added) 발전과 역송을 재어 되돌려 더합니다.",
        "Where solar was added (solar_added), generation and export are metered and added back.",
    ),
)
ROLES = (
    Role("temperature", "temperature", "외기 온도", "Outdoor temperature"),
    Role("electricity", "energy or power", "전력 사용량", "Electricity use", required=False),
    Role("gas", "energy or power", "가스 사용량", "Gas use", required=False),
    Role("generation", "energy or power", "태양광 발전량", "Solar generation", required=False),
    Role("export", "energy or power", "계통 역송량", "Export to the grid", required=False),
)
_MODELS = ("2P", "3P-heating", "3P-cooling", "4P", "5P", "degree-days", "TOWT")
PARAMETERS = (
    Parameter("baseline_start", "date", "기준 기간 시작일", "First day of the baseline"),
    Parameter("baseline_end", "date", "기준 기간 종료 다음 날", "Day after the baseline"),
    Parameter(
        "resolution", "choice", "모형 시간 간격", "Model interval", default="daily",
        choices=("daily", "hourly"),
    ),
    Parameter(
        "model_electricity", "choice", "전력 모형", "Electricity model", default="3P-heating",
        choices=_MODELS,
    ),
    Parameter(
        "model_gas", "choice", "가스 모형", "Gas model", default="3P-heating", choices=_MODELS
    ),
    Parameter("solar_added", "boolean", "태양광 신설", "Solar was added", default=False),
    Parameter(
        "gas_energy_basis", "choice", "가스 발열량 기준 (총·순)", "Gas meter's energy basis",
        required=False, choices=("gcv", "ncv"),
    ),
    Parameter(
        "coverage_min_pct", "decimal", "최소 측정률", "Least coverage", "%", default="90",
        minimum=Decimal(80), maximum=Decimal(100),
    ),
)  # fmt: skip
FACTORS = (
    FactorNeed("electricity", "consumption", ("electricity",)),
    FactorNeed("city-gas", "combustion", ("gas",)),
)
_COMMODITY = {"electricity": "electricity", "gas": "city-gas"}


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: from the baseline's first local day to the reporting period's end."""
    first = local_days(parameters["baseline_start"], parameters["baseline_end"], ZoneInfo(zone))
    return Period(min(first.start, period.start), period.end)


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Savings of each carrier and the emissions they avoided.

    Refused: `no-carrier`, `baseline-too-short`, `baseline-overlaps`, `solar-not-metered`,
    `gas-basis-unknown`, `unit-mismatch`, `no-interval`, `coverage-too-low`,
    `heating-value-unknown`, and `not-yet-measurable` with the gates' figures.
    """
    refusal = _applicable(inputs)
    if refusal is not None:
        return refusal
    measured: dict[str, tuple[Carrier, MeasuredSavings]] = {}
    for name in ("electricity", "gas"):
        if name not in inputs.series:
            continue
        carrier = carrier_data(inputs, name)
        if isinstance(carrier, Refusal):
            return carrier
        found = _measure(inputs, name, carrier)
        if isinstance(found, Refusal):
            return found
        measured[name] = (carrier, found)
    return _outcome(inputs, measured)


def _applicable(inputs: MethodInputs) -> Refusal | None:
    stated, carriers = inputs.parameters, {"electricity", "gas"} & set(inputs.series)
    zone = ZoneInfo(inputs.zone)
    first, end = stated["baseline_start"], stated["baseline_end"]
    if not carriers:
        return Refusal(
            "no-carrier",
            "전력이나 가스 계량기가 하나는 있어야 합니다.",
            "At least one of electricity and gas must be metered.",
        )
    if (end - first).days < 365:
        return Refusal(
            "baseline-too-short",
            f"기준 기간이 {(end - first).days}일로 365일보다 짧습니다.",
            f"The baseline has {(end - first).days} days; 365 are needed.",
            {"days": (end - first).days},
        )
    if local_days(first, end, zone).end > inputs.period.start:
        return Refusal(
            "baseline-overlaps",
            "기준 기간이 보고 기간과 겹칩니다.",
            "The baseline overlaps the reporting period.",
        )
    if stated["solar_added"] and not {"generation", "export"} <= set(inputs.series):
        return Refusal(
            "solar-not-metered",
            "더해진 태양광의 발전량과 역송량이 모두 계량되지 않아 절감량을 알 수 없습니다.",
            "Solar was added, but generation and export are not both metered, so savings are "
            "not known.",
        )
    if "gas" in carriers and "gas_energy_basis" not in stated:
        return Refusal(
            "gas-basis-unknown",
            "가스 열량이 총발열량(gcv)인지 순발열량(ncv)인지 밝혀야 합니다.",
            "State whether the gas meter's energy is gross (gcv) or net (ncv).",
        )
    return None


def _measure(inputs: MethodInputs, name: str, carrier: Carrier) -> MeasuredSavings | Refusal:
    resolution = inputs.parameters["resolution"]
    gates = Gates.for_resolution("monthly" if resolution == "daily" else resolution)
    months = float(Decimal(inputs.period.length.days) / Decimal("30.4375"))
    found = measure_savings(
        inputs.parameters[f"model_{name}"],
        resolution,
        carrier.baseline,
        carrier.baseline_months,
        carrier.reporting,
        months,
        gates,
    )
    if isinstance(found, Refusal) or not found.fits:
        refusal = found if isinstance(found, Refusal) else found.finding
        assert refusal is not None
        facts = {**refusal.facts, "carrier": name}
        return Refusal(refusal.code, refusal.ko, refusal.en, facts)
    return found


def _counted(found: MeasuredSavings) -> Decimal:
    """What a carrier counts for: proven savings, any increase, nothing in between."""
    if found.finding is None or found.savings_wh < 0:
        return found.savings_wh
    return Decimal(0)


def _outcome(
    inputs: MethodInputs, measured: Mapping[str, tuple[Carrier, MeasuredSavings]]
) -> Outcome | Refusal:
    lines: list[RunLine] = []
    co2e_t = Decimal(0)
    gases: dict[str, Decimal] | None = dict.fromkeys(("co2", "ch4", "n2o"), Decimal(0))
    variance_t, coverage, carriers = Decimal(0), {}, {}
    for name, (carrier, found) in measured.items():
        factor, counted = inputs.factors[_COMMODITY[name]], _counted(found)
        basis = _to_factor_basis(inputs, name)
        if isinstance(basis, Refusal):
            return basis
        amount = emissions(counted * basis, factor, inputs.gwp_set)
        co2e_t += amount["co2e_t"]
        gases = add_gases(gases, amount["gases_kg"])
        if counted > 0:
            lines.append(RunLine(inputs.series[name].meter, f"{name}-saved", counted))
        if counted:
            width = emissions((found.uncertainty_wh or Decimal(0)) * basis, factor, inputs.gwp_set)
            variance_t += width["co2e_t"] ** 2
        coverage[name] = carrier.coverage
        carriers[name] = _carrier_details(found, counted, amount["co2e_t"])
    if co2e_t <= 0:
        reasons = [m.finding for _, m in measured.values() if m.finding is not None]
        assert reasons
        facts = {"carriers": carriers, "coverage": coverage}
        return Refusal(reasons[0].code, reasons[0].ko, reasons[0].en, facts)
    half_width_t = variance_t.sqrt()
    return Outcome(
        lines=tuple(lines),
        co2e_t=co2e_t,
        gases_kg=gases,
        uncertainty={
            "confidence_pct": Decimal(68),
            "half_width_t": half_width_t,
            "relative_pct": (100 * half_width_t / co2e_t).quantize(Decimal("0.01")),
            "sources": ["baseline model"],
            "note": "Carriers' models are taken as independent; factors add none stated.",
        },
        coverage=coverage,
        details={"carriers": carriers},
    )


def _to_factor_basis(inputs: MethodInputs, name: str) -> Decimal | Refusal:
    """Net per metered energy: gas meters count gross calorific value unless stated otherwise."""
    if name != "gas" or inputs.parameters["gas_energy_basis"] == "ncv":
        return Decimal(1)
    factor = inputs.factors["city-gas"]
    heating = factor.heating
    # Asked for here alone: runs that no gate let through have been kept without these values.
    if heating is None or heating.ncv_mj is None or heating.gcv_mj is None:
        return Refusal(
            "heating-value-unknown",
            f"가스 열량이 총발열량(gcv)인데 배출계수 {factor.id}에 발열량이 없어 순발열량으로 바꿀 "
            "수 없습니다.",
            f"The gas is metered in gross energy (gcv), but the factor {factor.id} states no net "
            "and gross heating values, so it cannot become net energy.",
            {"factor": factor.id, "gas_energy_basis": "gcv"},
        )
    return heating.ncv_mj / heating.gcv_mj


def _carrier_details(found: MeasuredSavings, counted: Decimal, co2e_t: Decimal) -> dict[str, Any]:
    return {
        "model": found.fit.kind,
        "bends_c": [Decimal(repr(round(b, 4))) for b in found.fit.bends_c],
        "parameters": found.fit.parameters,
        "r_squared": found.statistics.r_squared,
        "cvrmse_pct": found.statistics.cvrmse_pct,
        "nmbe_pct": found.statistics.nmbe_pct,
        "judged_at": found.gates.resolution,
        "judged_cvrmse_pct": found.judged.cvrmse_pct,
        "judged_cvrmse_limit_pct": found.gates.cvrmse_pct,
        "judged_nmbe_pct": found.judged.nmbe_pct,
        "judged_nmbe_limit_pct": found.gates.nmbe_pct,
        "residual_correlation": found.correlation,
        "baseline_intervals": found.statistics.intervals,
        "adjusted_baseline_wh": found.baseline_wh,
        "metered_wh": found.observed_wh,
        "savings_wh": found.savings_wh,
        "savings_pct": found.savings_pct,
        "uncertainty_pct": found.uncertainty_pct,
        "uncertainty_wh": found.uncertainty_wh,
        "counted_wh": counted,
        "co2e_t": co2e_t,
        "finding_ko": "" if found.finding is None else found.finding.ko,
        "finding_en": "" if found.finding is None else found.finding.en,
    }


def worked_example() -> WorkedExample:
    """Days on an exact line, 10 kWh and 1 kWh a degree below 15 °C, then a fifth less."""
    inputs, co2e_t = example_inputs()
    first = inputs.parameters["baseline_start"]
    last = inputs.parameters["baseline_end"] - timedelta(days=1)
    return WorkedExample(
        source="Made-up days that lie on a change-point line, so that every figure is exact",
        inputs=inputs,
        co2e_t=co2e_t,
        steps=(
            f"Baseline {first} to {last}: use = 10 kWh + 1 kWh × max(15 − T, 0), fitted exactly",
            "Reporting year: a fifth less on every day of the same weather",
            "savings = 0.2 × adjusted baseline; × 459.4106 kg/MWh (2018 set, SAR)",
        ),
    )
