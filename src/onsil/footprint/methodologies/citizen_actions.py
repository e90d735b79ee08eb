"""Citizens' verified actions, version 1. For rewards only: they can never become units.

    reduction = Σ_actions amount · coefficient(action)

Source: the coefficients are published ones, action by action (the carbon point scheme of 2009:
424 g per kWh saved, 3 KRW per 10 g; the city plan's 0.65 t per 10,000 km of electric driving). The
Korean offset guideline leaves out changes of behaviour (외부사업 타당성 평가 및 감축량 인증에 관한
지침), so `CREDITABLE` is False. An action without a published coefficient is counted and shown, and
earns no tonnes; one without evidence is excluded. What a reward pays is the reward programme's.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors.coefficients import CoefficientTable, coefficient_table
from onsil.footprint.methodologies.records import (
    Days,
    Row,
    days_of_period,
    judge,
    none_usable,
    nothing_saved,
)
from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    MonitoringParameter,
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "citizen-actions"
VERSION = "1"
CREDITABLE = False
TITLE_KO = "시민 행동"
TITLE_EN = "Citizens' verified actions"
SOURCES = (
    "탄소포인트제 (2009): 전력 424 g/kWh, 10 g당 3원",
    "외부사업 타당성 평가 및 감축량 인증에 관한 지침 (행태 변화는 대상에서 제외)",
)
FORMULA = "R [tCO2e] = Σ_a amount_a × coefficient(action_a) [kgCO2e/unit] / 1000"
CONDITIONS = (
    (
        "행태 변화이므로 보상에만 쓰이고 크레딧이 될 수 없습니다.",
        "A change of behaviour: for rewards only, never units.",
    ),
    (
        "카드, 계량기, 영수증처럼 서버에 남는 증빙이 있거나 사람이 확인한(verified) 행동만 셉니다.",
        "Only actions with evidence kept by a server (card, meter, receipt) count, or those that "
        "a person verified.",
    ),
    (
        "공표된 계수가 없는 행동은 건수로만 보이고 감축량은 없습니다.",
        "An action without a published coefficient is counted and earns no tonnes.",
    ),
    (
        "하루의 양은 계수표의 상한(per_day_max)을 넘을 수 없습니다.",
        "An action's amount does not exceed the table's limit of a day (per_day_max).",
    ),
    ("단위는 계수의 단위와 같아야 합니다.", "The unit is that of the coefficient."),
)
ROLES = ()
TABLES = (
    TableRole(
        "actions", "행동", "Actions",
        (
            Column("person", "text", "참여자(가명)", "Person, by pseudonym"),
            Column("day", "date", "날짜", "Day"),
            Column("action", "text", "행동", "Action"),
            Column(
                "amount", "decimal", "양", "Amount", required=False, minimum=Decimal(0)
            ),
            Column("unit", "text", "단위", "Unit"),
            Column(
                "evidence", "choice", "증빙", "Evidence",
                choices=("card", "meter", "receipt", "photo", "sensor", "declared"),
            ),
            Column("verified", "boolean", "사람이 확인함", "Verified by a person"),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "coefficient_uncertainty_pct", "decimal", "계수의 불확도 (95 %)",
        "Uncertainty of the coefficients at 95 %", "%", default="50", minimum=Decimal(0),
        maximum=Decimal(100),
    ),
)  # fmt: skip
FACTORS = ()
COEFFICIENTS = (CoefficientNeed("citizen-actions", "citizen-actions-2026"),)
MONITORING = (
    MonitoringParameter(
        "A", "행동의 단위 (unit of the action)", "행동의 양", "Amount of the action",
        "행동마다", "each action", "교통카드, 계량기, 영수증 등 서버 기록",
        "records of fare cards, meters, receipts", "증빙 등급, 중복 id 거절, 하루 상한",
        "grade of evidence; an id twice is refused; limit of a day",
    ),
)  # fmt: skip

_SERVER_EVIDENCE = frozenset({"card", "meter", "receipt"})


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """What verified actions are worth, action by action.

    Refused: `unit-mismatch`, `no-row-usable`, `nothing-saved`.
    """
    table, days = inputs.coefficients["citizen-actions"], days_of_period(inputs)
    refusal = _unit_refusal(inputs.tables["actions"], table)
    if refusal is not None:
        return refusal
    judged = judge(inputs.tables["actions"], lambda row: _reason(row, days, table))
    refusal = none_usable("actions", judged)
    if refusal is not None:
        return refusal
    by_action: dict[str, Decimal] = {}
    for row in judged.used:
        kg = row["amount"] * table.value(row["action"], "co2e_kg_per_unit")
        by_action[row["action"]] = by_action.get(row["action"], Decimal(0)) + kg
    co2e_t = sum(by_action.values(), Decimal(0)) / 1000
    refusal = nothing_saved(co2e_t)
    if refusal is not None:
        return refusal
    relative = inputs.parameters["coefficient_uncertainty_pct"]
    return Outcome(
        lines=tuple(
            RunLine(
                row["id"], "citizen-action", row["amount"], table.text(row["action"], "unit"),
                {row["day"].isoformat(): row["amount"]},
            )
            for row in judged.used
        ),
        co2e_t=co2e_t,
        gases_kg=None,
        uncertainty=stated(
            co2e_t,
            [
                component(
                    f"coefficient:{table.set_id}:{action}", kg / 1000, relative,
                    ko=f"{action} 계수", en=f"Coefficient of {action}",
                )
                for action, kg in sorted(by_action.items())
            ],
            note="The coefficients' publishers state no uncertainty; the stated share is ours.",
        ),
        coverage={"actions": judged.coverage()},
        details={"kg_by_action": dict(sorted(by_action.items()))},
    )  # fmt: skip


def _unit_refusal(rows: tuple[Row, ...], table: CoefficientTable) -> Refusal | None:
    for row in rows:
        if row["action"] in table and row["unit"] != table.text(row["action"], "unit"):
            wanted = table.text(row["action"], "unit")
            return Refusal(
                "unit-mismatch",
                f"행동 {row['id']}의 단위가 {row['unit']}입니다. 계수의 단위는 {wanted}입니다.",
                f"Action {row['id']} is in {row['unit']}; its coefficient is per {wanted}.",
                {"action": row["id"], "unit": row["unit"], "wanted": wanted},
            )
    return None


def _reason(row: Row, days: Days, table: CoefficientTable) -> str | None:
    if row["evidence"] not in _SERVER_EVIDENCE and not row["verified"]:
        return "not-verified"
    if row["day"] not in days:
        return "outside-period"
    if row["action"] not in table:
        return "no-coefficient"
    if "amount" not in row:
        return "amount-missing"
    if row["amount"] > table.value(row["action"], "per_day_max"):
        return "amount-impossible"
    return None


def worked_example() -> WorkedExample:
    """Three actions by hand: a meter, a car, and a cup that no coefficient is published for."""

    def action(number: int, kind: str, amount: str, unit: str, evidence: str) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Action:example:{number}", "person": "p-1",
            "day": date(2025, 6, number), "action": kind, "amount": Decimal(amount), "unit": unit,
            "evidence": evidence, "verified": False,
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 30, 15, tzinfo=UTC)),
        zone="Asia/Seoul",
        parameters={"coefficient_uncertainty_pct": Decimal(50)},
        series={},
        factors={},
        gwp_set="AR5",
        tables={
            "actions": (
                action(1, "electricity-saved", "35", "kWh", "meter"),
                action(2, "ev-distance", "100", "km", "card"),
                action(3, "tumbler", "1", "cup", "receipt"),
            )
        },
        coefficients={"citizen-actions": coefficient_table("citizen-actions-2026")},
    )
    return WorkedExample(
        source="Arithmetic by hand with the carbon point scheme's 424 g/kWh and the plan's 65 g/km",
        inputs=inputs,
        co2e_t=Decimal("0.02134"),
        steps=(
            "35 kWh × 0.424 kg = 14.84 kg (1,484 points of 10 g, at 3 KRW 4,452 KRW a month)",
            "100 km × 0.065 kg = 6.5 kg",
            "The cup has no published coefficient: excluded; in all 21.34 kg",
        ),
    )
