"""Urban trees by default growth, version 1.

Where no tree was measured, a default rate stands for growth:

    removal = Σ crown area [ha] × 2.9 tC/ha/a × years × 44/12     (crown cover)
    removal = Σ trees × rate of the class [tC/a] × years × 44/12  (class of species)

Source: 2006 IPCC Guidelines vol. 4 ch. 8 (settlements), tier 2a and 2b, equations 8.2 and 8.3, for
trees up to twenty years of age; older ones are taken to lose what they gain. Such rates are good to
about 50 %, which is read as a half-width at 90 %; above 30 % UNFCCC A/R methodological tool 14
takes off the whole half-width and asks for measurement. What is counted is thus a lower bound until
somebody measures. Crown cover and trees are never the same trees: a place (`site`) is counted by
one of the two.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import coefficient_table
from onsil.footprint.methodologies.records import Row, days_of_period, judge, none_usable
from onsil.footprint.methodologies.registry import (
    CoefficientNeed,
    Column,
    MonitoringParameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.trees import YEARLY_MOST, as_co2, growth_implausible
from onsil.footprint.uncertainty import component, discount, stated

ID = "urban-tree-defaults"
VERSION = "1"
TITLE_KO = "도시 수목 (기본 생장률)"
TITLE_EN = "Urban trees by default growth"
SOURCES = (
    "2006 IPCC Guidelines vol. 4 ch. 8, equations 8.2 and 8.3, tables 8.1 and 8.2 (recalled)",
    "UNFCCC CDM, A/R methodological tool 14, appendix 2 (uncertainty discount)",
)
FORMULA = (
    "removal [tCO2] = Σ amount × rate [tC/a] × years × 44/12 − discount(U_90), amount = crown "
    "hectares or trees"
)
CONDITIONS = (
    (
        "나무는 심은 지 20년 이하여야 합니다. 그보다 오래된 행은 제외됩니다.",
        "Trees are twenty years old at most; older rows are excluded.",
    ),
    (
        "한 장소는 수관 면적과 그루 수 가운데 하나로만 셉니다.",
        "A site is counted by crown cover or by trees, never by both.",
    ),
    (
        "탄소(tC)와 이산화탄소(tCO2)를 섞지 않습니다. 생장률은 tC로만 받습니다.",
        "Carbon and carbon dioxide are never mixed: rates are tC, and another unit is refused.",
    ),
    (
        "기본값의 불확도(50 %)는 AR-TOOL14에 따라 모두 뺍니다.",
        "The rates' uncertainty of 50 % is deducted whole, by AR-TOOL14.",
    ),
)
ROLES = ()
TABLES = (
    TableRole(
        "stands", "수목 집단", "Stands of trees",
        (
            Column("site", "text", "장소", "Site"),
            Column(
                "kind", "choice", "구분", "Crown cover, or the class of species",
                choices=(
                    "crown-cover", "aspen", "soft-maple", "mixed-hardwood", "hardwood-maple",
                    "juniper", "cedar-larch", "douglas-fir", "true-fir-hemlock", "pine", "spruce",
                ),
            ),
            Column(
                "amount", "decimal", "수관 면적(ha) 또는 그루 수", "Crown hectares, or trees",
                minimum=Decimal(0),
            ),
            Column(
                "planted", "date", "심은 날 (가장 오래된 나무)", "Day of planting, of the oldest",
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = ()
COEFFICIENTS = (CoefficientNeed("urban-tree-growth", "ipcc-2006-settlement-trees"),)
FACTORS = ()
MONITORING = (
    MonitoringParameter(
        "crown, trees", "ha, –", "수관 면적 또는 그루 수", "Crown cover or number of trees",
        "5년마다", "every five years", "항공사진 판독 또는 전수조사", "aerial images, or a census",
        "판독자 두 사람의 차이를 기록", "two readers' difference is recorded",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Tree-years (or hectare-years of crown), and the lower bound of what they removed.

    Refused: `unit-mismatch`, `counted-twice`, `growth-implausible`, `no-row-usable`,
    `nothing-saved`.
    """
    table = inputs.coefficients["urban-tree-growth"]
    if table.columns["tc_per_year"] != "tC":
        return Refusal(
            "unit-mismatch",
            f"생장률의 단위가 {table.columns['tc_per_year']}입니다. tC여야 합니다 (× 44/12 = "
            "tCO2).",
            f"The rates are in {table.columns['tc_per_year']}; they must be tC (× 44/12 = tCO2).",
            {"unit": table.columns["tc_per_year"]},
        )
    rows = inputs.tables["stands"]
    refusal = _counted_twice(rows)
    if refusal is None:
        rates = {row["kind"]: _number(inputs, row, "tc_per_year") for row in rows}
        rates.pop("crown-cover", None)
        yearly = [(kind, as_co2(rate) * 1000) for kind, rate in sorted(rates.items())]
        refusal = growth_implausible(yearly, YEARLY_MOST)
    if refusal is not None:
        return refusal
    judged = judge(rows, lambda row: _reason(row, inputs))
    refusal = none_usable("stands", judged)
    if refusal is not None:
        return refusal
    grown: dict[str, Decimal] = defaultdict(Decimal)
    lines: list[RunLine] = []
    for row in judged.used:
        years = _years(row, inputs)
        grown[row["kind"]] += as_co2(row["amount"] * _number(inputs, row, "tc_per_year") * years)
        if row["amount"]:
            lines.append(_line(row, years))
    total_t = sum(grown.values(), Decimal(0))
    if total_t <= 0:
        return Refusal(
            "nothing-saved", "흡수량이 없습니다.", "Nothing was removed.", {"removed_t": total_t}
        )
    components = [
        component(
            f"coefficient:{table.set_id}:{kind}", tonnes, table.value(kind, "uncertainty_pct"),
            confidence_pct=90, ko="기본 생장률", en="Default growth",
        )
        for kind, tonnes in sorted(grown.items())
    ]  # fmt: skip
    half_width = stated(total_t, components, confidence_pct=90)["half_width_t"]
    left = discount(total_t, half_width, "ar-tool14")
    return Outcome(
        lines=tuple(lines),
        co2e_t=left.amount,
        gases_kg={"co2": left.amount * 1000, "ch4": Decimal(0), "n2o": Decimal(0)},
        uncertainty=stated(total_t, components, note="Stated of the default before the deduction."),
        coverage={"stands": judged.coverage()},
        details={
            "default_t": total_t,
            "by_kind_t": dict(sorted(grown.items())),
            "deducted_t": left.deducted,
            "relative_90_pct": left.relative_pct,
            "maturity": {kind: table.maturity_of(kind) for kind in sorted(grown)},
        },
    )  # fmt: skip


def _line(row: Row, years: Decimal) -> RunLine:
    if row["kind"] == "crown-cover":
        return RunLine(row["id"], "stand-year", row["amount"] * years, "ha-year")
    return RunLine(row["id"], "tree-year", row["amount"] * years, "tree-year")


def _counted_twice(rows: tuple[Row, ...]) -> Refusal | None:
    by_cover = {row["site"] for row in rows if row["kind"] == "crown-cover"}
    both = sorted(by_cover & {row["site"] for row in rows if row["kind"] != "crown-cover"})
    if not both:
        return None
    return Refusal(
        "counted-twice",
        f"같은 장소를 수관 면적과 그루 수로 두 번 셌습니다: {', '.join(both[:5])}.",
        f"Counted by crown cover and by trees alike: {', '.join(both[:5])}.",
        {"sites": both},
    )


def _years(row: Row, inputs: MethodInputs) -> Decimal:
    days = days_of_period(inputs)
    return Decimal(days.within(row["planted"], None)) / 365


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    end = days_of_period(inputs).end
    if row["planted"] >= end:
        return "planted-later"
    active = int(_number(inputs, row, "active_years"))
    if (end - row["planted"]).days > active * Decimal("365.25"):
        return "too-old"
    return None


def _number(inputs: MethodInputs, row: Row, column: str) -> Decimal:
    found: Decimal = inputs.coefficients["urban-tree-growth"].value(row["kind"], column)
    return found


def worked_example() -> WorkedExample:
    """A year of 1,200 young pines, whose half-width of 50 % is taken off whole."""
    inputs = MethodInputs(
        period=Period(
            datetime(2024, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={},
        series={},
        factors={},
        gwp_set="SAR",
        tables={
            "stands": (
                {
                    "id": "urn:ngsi-ld:GreenspaceRecord:example:1", "site": "example-park",
                    "kind": "pine", "amount": Decimal(1200), "planted": date(2020, 3, 1),
                },
            )
        },
        coefficients={"urban-tree-growth": coefficient_table("ipcc-2006-settlement-trees")},
    )  # fmt: skip
    return WorkedExample(
        source="Made-up stand with a recalled default rate",
        inputs=inputs,
        co2e_t=Decimal("19.14"),
        steps=(
            "1,200 × 0.0087 tC × 1 a × 44/12 = 38.28 tCO2",
            "50 % of it comes off: 38.28 − 19.14 = 19.14 tCO2",
        ),
    )
