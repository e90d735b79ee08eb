"""Self-consumed solar generation, version 2.

Version 1 with the plant's own use taken off, its limits in time checked, and its uncertainty by
source. Per interval i in which both meters were read:

    net[i] = generation[i] - export[i]          (generation is below zero where the plant draws)
    emission reduction = Σ net[i] · EF_grid     (baseline emissions; the project emits 0)

Source: UNFCCC CDM small-scale methodology AMS-I.F "Renewable electricity generation for captive use
and mini-grid" (net electricity displaced × grid factor; no leakage but from equipment that is moved
from another activity), and the Korean offset programme's rule that the consumption-end factor
displaces grid electricity at the consumer's.

Uncertainty: a meter without a certificate may err by its accuracy class (IEC 62053-21: 1 and 2;
IEC 62053-22: 0.2S and 0.5S; the class index is the limit in per cent at unity power factor), every
error within it as likely as any other (JCGM 100:2008, GUM, 4.3.7). With a certificate it is the
expanded uncertainty that stands there. Each meter errs on all that it counted, so a difference of
two is less sure than either. The factor adds what its publisher, or the programme, states of it.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import local_day
from onsil.core.refusal import Refusal
from onsil.footprint.intervals import (
    MISSING,
    Intervals,
    coverage_refusal,
    daily,
    energy_intervals,
    monthly,
)
from onsil.footprint.methodologies import solar_self_consumption as before
from onsil.footprint.methodologies.components import FACTOR_NOTE
from onsil.footprint.methodologies.conditions import (
    CALIBRATED,
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
    LEGAL_DUTY,
    exclude_uncalibrated,
    legally_required,
)
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.methodologies.registry import MonitoringParameter, Parameter, WorkedExample
from onsil.footprint.terms import ActivitySeries, MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = before.ID
VERSION = "2"
TITLE_KO = before.TITLE_KO
TITLE_EN = before.TITLE_EN
SOURCES = (
    *before.SOURCES,
    "IEC 62053-21 and IEC 62053-22, static meters for active energy (accuracy classes)",
    "JCGM 100:2008, Guide to the expression of uncertainty in measurement (GUM), 4.3.7",
)
FORMULA = before.FORMULA
CONDITIONS = (
    before.CONDITIONS[0],
    (
        "설비 용량은 15 MW 이하입니다 (AMS-I.F가 따르는 소규모 사업의 한도).",
        "The plant has 15 MW at most, the limit of small-scale activities that AMS-I.F keeps.",
    ),
    (
        "측정 주기는 하루 이하이고, 구간의 90 % 이상(coverage_min_pct)이 측정되어야 합니다.",
        "Intervals are a day at most, and at least 90 % (coverage_min_pct) of them were measured.",
    ),
    before.CONDITIONS[2],
    (
        "발전하지 않을 때 설비가 쓴 전력(설비 용량의 5 %까지의 음수 구간)은 뺍니다. 그보다 큰 "
        "음수 구간은 제외됩니다.",
        "What the plant draws while it generates nothing (intervals below zero by 5 % of capacity "
        "at most) is taken off. Intervals further below zero are excluded.",
    ),
    (
        "가동 개시일(commissioned)을 밝혔다면 기간은 그날 이후여야 합니다.",
        "Where the day of commissioning is stated, the period begins on or after it.",
    ),
    (
        "다른 사업에서 옮겨 온 설비(equipment_moved)는 그쪽에 누출이 생기므로 산정하지 않습니다.",
        "Equipment moved from another activity (equipment_moved) is leakage there: nothing is "
        "quantified.",
    ),
    (
        "계량기 불확도는 정확도 등급으로, 성적서가 있으면 성적서로 밝힙니다. 5 %를 넘지 않아야 "
        "합니다.",
        "The meters' uncertainty is stated by accuracy class, or by certificate; 5 % at most.",
    ),
    CALIBRATION_CONDITION,
    DUTY_CONDITION,
)  # fmt: skip
ROLES = before.ROLES
CLASSES = ("0.2S", "0.5S", "1", "2")
PARAMETERS = (
    replace(before.PARAMETERS[0], maximum=Decimal(15_000)),
    before.PARAMETERS[1],
    Parameter(
        "meter_class", "choice", "전력량계 정확도 등급", "Accuracy class of the meters",
        default="2", choices=CLASSES,
    ),
    Parameter(
        "meter_uncertainty_pct", "decimal", "성적서의 전력량계 불확도 (95 % 신뢰수준)",
        "Meter uncertainty of the certificate, at 95 % confidence", "%", required=False,
        minimum=Decimal(0), maximum=Decimal(5),
    ),
    Parameter(
        "factor_uncertainty_pct", "decimal", "밝혀진 배출계수 불확도 (95 % 신뢰수준)",
        "Uncertainty stated of the factor, at 95 % confidence", "%", required=False,
        minimum=Decimal(0), maximum=Decimal(100),
    ),
    before.PARAMETERS[3],
    Parameter("commissioned", "date", "가동 개시일", "Day of commissioning", required=False),
    Parameter(
        "equipment_moved", "boolean", "다른 사업에서 옮겨 온 설비",
        "Equipment moved from another activity", default=False,
    ),
    CALIBRATED,
    replace(
        CALIBRATED, name="export_calibrated_until", ko="역송량계 검정 유효 기간의 다음 날",
        en="Day after the export meter's calibration ends",
    ),
    LEGAL_DUTY,
)  # fmt: skip
FACTORS = before.FACTORS
MONITORING = (
    *before.MONITORING,
    MonitoringParameter(
        "class", "%", "전력량계 등급과 검정", "The meters' class and calibration",
        "설치, 교체, 검정 때마다", "when installed, replaced or calibrated",
        "형식승인서, 검정 증명서", "type approval, certificate of calibration",
        "검정 유효 기간이 지난 값은 제외", "readings after calibration has ended are excluded",
    ),
    MonitoringParameter(
        "EF_grid", "kgCO2e/MWh", "전력 배출계수 (소비단)", "Grid factor, consumption end",
        "기간마다, 사업의 계수 판", "each period, the project's edition",
        "공표된 값, 출처와 확인 정도를 함께", "as published, with provenance and maturity",
        "다른 경계나 지난 판은 거절", "another boundary or an expired edition is refused",
    ),
)  # fmt: skip

_CAPACITY_MARGIN = Decimal("1.1")
# No inverter or transformer draws this share of its rating at night: more is a wrong reading.
_OWN_USE = Decimal("0.05")
_LONGEST_S = 86_400

span = before.span


@dataclass(frozen=True)
class _Counted:
    """The usable intervals' net energy, and what either meter counted in them, in Wh."""

    net: Intervals
    generated_wh: Decimal
    own_use_wh: Decimal
    exported_wh: Decimal

    @property
    def energy_wh(self) -> Decimal:
        return self.generated_wh - self.own_use_wh - self.exported_wh


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Self-consumed energy in Wh and the emissions it displaced.

    Refused: `legally-required`, `before-commissioning`, `equipment-moved`, `export-unknown`,
    `unit-mismatch`, `no-interval`, `interval-too-long`, `intervals-differ`, `coverage-too-low`,
    `nothing-generated`.
    """
    refusal = _applicable(inputs)
    if refusal is not None:
        return refusal
    generated = _series(inputs, "generation", "calibrated_until")
    if isinstance(generated, Refusal):
        return generated
    exported = None
    if "export" in inputs.series:
        exported = _series(inputs, "export", "export_calibrated_until")
        if isinstance(exported, Refusal):
            return exported
        if exported.step_s != generated.step_s:
            return Refusal(
                "intervals-differ",
                f"발전({generated.step_s}초)과 역송({exported.step_s}초)의 측정 주기가 다릅니다.",
                f"Generation ({generated.step_s} s) and export ({exported.step_s} s) have "
                "different intervals.",
            )
    counted = _counted(generated, exported, inputs.parameters["capacity_kw"])
    coverage = counted.net.coverage()
    refusal = coverage_refusal("generation", coverage, inputs.parameters["coverage_min_pct"])
    if refusal is not None:
        return refusal
    if counted.energy_wh <= 0:
        return Refusal(
            "nothing-generated",
            "이 기간에 자가소비한 발전량이 없습니다.",
            "Nothing was generated and used on site in this period.",
        )
    return _outcome(inputs, counted, coverage)


def _applicable(inputs: MethodInputs) -> Refusal | None:
    given = inputs.parameters
    commissioned = given.get("commissioned")
    if given["equipment_moved"]:
        return Refusal(
            "equipment-moved",
            "다른 사업에서 옮겨 온 설비라 그쪽에서 줄어든 발전이 누출이 됩니다. 산정하지 않습니다.",
            "The equipment came from another activity, which generates less for it: that leakage "
            "is not quantified.",
        )
    if commissioned is not None and (
        local_day(inputs.period.start, ZoneInfo(inputs.zone)) < commissioned
    ):
        return Refusal(
            "before-commissioning",
            f"기간이 가동 개시일({commissioned})보다 먼저 시작합니다.",
            f"The period begins before the commissioning on {commissioned}.",
            {"commissioned": commissioned.isoformat()},
        )
    if "export" not in inputs.series and not given["no_export"]:
        return Refusal(
            "export-unknown",
            "역송량계가 없고 역송 없음도 확인되지 않아 자가소비량을 알 수 없습니다.",
            "Without an export meter or a stated no-export connection, self-consumption is "
            "not known.",
        )
    return legally_required(inputs)


def _series(inputs: MethodInputs, role: str, calibrated: str) -> Intervals | Refusal:
    """One meter's intervals, without those after its calibration has ended."""
    made = energy_intervals(inputs.series[role], inputs.period)
    if isinstance(made, Refusal):
        return made
    if made.step_s > _LONGEST_S:
        return Refusal(
            "interval-too-long",
            f"{role} 측정 주기가 {made.step_s}초로 하루보다 깁니다.",
            f"The {role} meter's interval of {made.step_s} s is longer than a day.",
            {"role": role, "interval_s": made.step_s},
        )
    until = inputs.parameters.get(calibrated)
    exclude_uncalibrated(made, {"calibrated_until": until}, inputs.zone)
    return made


def _counted(made: Intervals, exported: Intervals | None, capacity_kw: Decimal) -> _Counted:
    """Exclude impossible intervals, then take the export off the rest, in place."""
    rated_wh = capacity_kw * 1000 * made.step_s / 3600
    generated_wh = own_use_wh = exported_wh = Decimal(0)
    for index, value in enumerate(made.values):
        if value is None:
            continue
        sent = Decimal(0) if exported is None else exported.values[index]
        if value < -rated_wh * _OWN_USE:
            made.exclude(index, "negative")
        elif value > rated_wh * _CAPACITY_MARGIN:
            made.exclude(index, "above-capacity")
        elif sent is None:
            assert exported is not None
            fate = exported.fates[index]
            made.exclude(index, "export-missing" if fate == MISSING else f"export-{fate}")
        elif sent < 0 or sent > max(value, Decimal(0)):
            made.exclude(index, "export-impossible")
        else:
            generated_wh += max(value, Decimal(0))
            own_use_wh -= min(value, Decimal(0))
            exported_wh += sent
            made.values[index] = value - sent
    return _Counted(made, generated_wh, own_use_wh, exported_wh)


def _outcome(inputs: MethodInputs, counted: _Counted, coverage: dict[str, Any]) -> Outcome:
    zone = ZoneInfo(inputs.zone)
    found = emissions(counted.energy_wh, inputs.factors["electricity"], inputs.gwp_set)
    days: dict[str, Decimal] | None = daily(counted.net, zone)
    if any(amount < 0 for amount in days.values()):
        days = None  # a day on which the plant drew more than it gave cannot be claimed by itself
    return Outcome(
        lines=(
            RunLine(
                inputs.series["generation"].meter, "solar-generation", counted.energy_wh, parts=days
            ),
        ),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=_uncertainty(inputs, counted, found["co2e_t"]),
        coverage={"generation": coverage},
        details={
            "generated_wh": counted.generated_wh,
            "own_use_wh": counted.own_use_wh,
            "exported_wh": counted.exported_wh,
            "monthly_wh": monthly(counted.net, zone),
        },
    )


def _uncertainty(inputs: MethodInputs, counted: _Counted, co2e_t: Decimal) -> dict[str, Any]:
    """Each meter on what it counted, and the factor where something is stated of it."""
    given, factor = inputs.parameters, inputs.factors["electricity"]
    per_wh = co2e_t / counted.energy_wh
    certified = given.get("meter_uncertainty_pct")
    meters = {"generation": counted.generated_wh + counted.own_use_wh}
    if counted.exported_wh:
        meters["export"] = -counted.exported_wh
    words = {
        "generation": ("발전 전력량계", "Generation meter"),
        "export": ("역송 전력량계", "Export meter"),
    }
    components = [
        component(
            f"meter:{inputs.series[role].meter}",
            wh * per_wh,
            Decimal(given["meter_class"].rstrip("S")) if certified is None else certified,
            confidence_pct=100 if certified is None else 95,
            distribution="uniform" if certified is None else "normal",
            ko=words[role][0],
            en=words[role][1],
        )
        for role, wh in meters.items()
    ]
    relative = given.get("factor_uncertainty_pct")
    if relative is not None:
        source = f"factor:{factor.set_id}:{factor.id}"
        components.append(component(source, co2e_t, relative, ko="배출계수", en="Grid factor"))
    return stated(co2e_t, components, note=FACTOR_NOTE if relative is None else "")


def worked_example() -> WorkedExample:
    """Ten quarter-hours by hand: one above capacity, one at which the inverter draws."""
    example = before.worked_example()
    inputs = example.inputs

    def read(role: str, watts: str) -> ActivitySeries:
        return replace(inputs.series[role], values=tuple(Decimal(w) for w in watts.split()))

    series = {
        "generation": read("generation", "4000 4000 4000 4000 4000 4000 4000 4000 -40 6000"),
        "export": read("export", "0 0 0 0 1000 1000 1000 1000 0 1000"),
    }
    parameters = {
        "capacity_kw": Decimal(5), "no_export": False, "meter_class": "1",
        "coverage_min_pct": Decimal(90), "equipment_moved": False,
    }  # fmt: skip
    return WorkedExample(
        source=example.source,
        inputs=replace(inputs, parameters=parameters, series=series),
        co2e_t=Decimal("0.003211280094"),
        steps=(
            "The tenth interval is 6 kW from a 5 kW plant: above 110 %, excluded; 9 of 10 = 90 %",
            "4 × 4,000 W × 0.25 h = 4,000 Wh; 4 × (4,000 − 1,000) W × 0.25 h = 3,000 Wh",
            "The ninth: the inverter draws 40 W × 0.25 h = 10 Wh, taken off; net 6,990 Wh",
            "6,990 Wh = 0.00699 MWh × 459.4106 kg/MWh = 3.211280094 kg = 0.003211280094 t",
            "Class 1 on 8,010 Wh and on 1,000 Wh exported: √(80.1² + 10²)/√3 × 1.96 = 91.35 Wh, "
            "1.31 % at 95 %",
        ),
    )
