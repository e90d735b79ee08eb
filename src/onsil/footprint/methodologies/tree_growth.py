"""Growth of measured trees, version 1.

Every tree is measured twice; its CO2 stock on each day is, by species:

    stock = V · D · BEF · (1 + R) · CF · 44/12,   V from a volume table, or a · DBH^b · H^c
    removal = Σ living (stock_last − stock_first) − Σ dead or missing stock_first

Source: 2006 IPCC Guidelines vol. 4 ch. 2, equations 2.5 (stock difference) and 2.8, with the
Korean institute of forest science's wood density, expansion factor, root ratio and carbon fraction
by species; deduction for uncertainty by UNFCCC A/R methodological tool 14, appendix 2. A species
whose regions differ takes the coefficients that hold less. A tree that shrank counts as measured;
a tree that died or was not found gives nothing and takes its first stock with it.
"""

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
from onsil.footprint.methodologies.records import Row, judge, none_usable
from onsil.footprint.methodologies.registry import Column, TableRole, WorkedExample
from onsil.footprint.methodologies.tree_rows import (
    AREA_PARAMETERS,
    DATES_CONDITION,
    GROWTH_CONDITION,
    MEASURED_COLUMNS,
    MEASURING_PARAMETERS,
    PLACE_COLUMNS,
    TREE_COEFFICIENTS,
    TREE_MONITORING,
    conservative,
    net_loss,
    reason_of_dates,
    reason_of_place,
    tables_for,
)
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.trees import Measured, growth_components, growth_implausible, measure
from onsil.footprint.uncertainty import stated

ID = "tree-growth"
VERSION = "1"
TITLE_KO = "수목 생장 (반복 측정)"
TITLE_EN = "Growth of measured trees"
SOURCES = (
    "2006 IPCC Guidelines vol. 4 ch. 2, equations 2.5 and 2.8",
    "국립산림과학원, 탄소배출계수를 활용한 국가 고유 수종별 온실가스 흡수계수 (second hand)",
    "UNFCCC CDM, A/R methodological tool 14, appendix 2 (uncertainty discount)",
)
FORMULA = (
    "removal [tCO2] = Σ (V_last − V_first) [m3] × D × BEF × (1 + R) × CF × 44/12 "
    "− Σ_dead V_first × D × BEF × (1 + R) × CF × 44/12 − discount(U_90)"
)
CONDITIONS = (
    DATES_CONDITION,
    (
        "수종의 계수가 표에 있거나 구분(침엽수·활엽수·상록활엽수)이 적혀 있어야 합니다.",
        "The species is in the table, or its group (conifer, broadleaf, evergreen) is stated.",
    ),
    (
        "흉고직경은 재적식의 범위 안이어야 합니다. 아니면 그 나무는 제외됩니다.",
        "The diameter lies in the volume equation's range; a tree outside of it is excluded.",
    ),
    (
        "고사하거나 찾지 못한 나무는 흡수량을 더하지 않고, 처음 저장량을 뺍니다.",
        "A dead or missing tree adds nothing; its first stock is taken off.",
    ),
    GROWTH_CONDITION,
    (
        "불확도(90 %)가 10 %를 넘으면 AR-TOOL14에 따라 빼고, 30 %를 넘으면 산정하지 않습니다.",
        "Uncertainty at 90 % above 10 % is deducted by AR-TOOL14; above 30 % nothing is counted.",
    ),
    (
        "구역(area_*)이 적혀 있으면 나무의 위치가 그 안이어야 합니다.",
        "Where an area (area_*) is stated, every tree has a place within it.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
TABLES = (
    TableRole(
        "trees", "측정한 나무", "Measured trees",
        (
            *MEASURED_COLUMNS,
            Column(
                "status", "choice", "상태", "State at the second visit",
                choices=("alive", "dead", "missing"),
            ),
            *PLACE_COLUMNS,
        ),
    ),
)  # fmt: skip
PARAMETERS = (*MEASURING_PARAMETERS, *AREA_PARAMETERS, LEGAL_DUTY)
COEFFICIENTS = TREE_COEFFICIENTS
FACTORS = ()
MONITORING = TREE_MONITORING


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Tree-years of the living trees, and what all trees removed on balance.

    Refused: `legally-required`, `no-row-usable`, `growth-implausible`, and
    `not-yet-measurable` for a net loss or an estimate too uncertain.
    """
    refusal = legally_required(inputs)
    if refusal is not None:
        return refusal
    judged = judge(inputs.tables["trees"], lambda row: _reason(row, inputs))
    refusal = none_usable("trees", judged)
    if refusal is not None:
        return refusal
    trees = [(row, _measured(row, inputs)) for row in judged.used]
    living = [tree for row, tree in trees if row["status"] == "alive"]
    lost = [tree for row, tree in trees if row["status"] != "alive"]
    refusal = growth_implausible(
        ((tree.id, tree.yearly_kg) for tree in living), inputs.parameters["yearly_most_kg"]
    )
    if refusal is not None:
        return refusal
    grown_t = sum((tree.grown_kg for tree in living), Decimal(0)) / 1000
    lost_t = sum((tree.first_kg for tree in lost), Decimal(0)) / 1000
    net_t = grown_t - lost_t
    if net_t <= 0:
        return net_loss(grown_t, lost_t)
    components = growth_components(
        [tree for _, tree in trees],
        tables_for(inputs),
        dbh_pct=inputs.parameters["dbh_uncertainty_pct"],
        height_pct=inputs.parameters["height_uncertainty_pct"],
        coefficient_pct=inputs.parameters["coefficient_uncertainty_pct"],
    )
    left = conservative(net_t, components, "ar-tool14")
    if isinstance(left, Refusal):
        return left
    biomass = inputs.coefficients["tree-biomass"]
    return Outcome(
        lines=tuple(RunLine(t.id, "tree-year", t.years, "tree-year") for t in living),
        co2e_t=left.amount,
        gases_kg={"co2": left.amount * 1000, "ch4": Decimal(0), "n2o": Decimal(0)},
        uncertainty=stated(net_t, components, note="Stated of the removal before the deduction."),
        coverage={"trees": judged.coverage()},
        details={
            "grown_t": grown_t,
            "lost_t": lost_t,
            "deducted_t": left.deducted,
            "relative_90_pct": left.relative_pct,
            "living": len(living),
            "dead_or_missing": len(lost),
            "coefficients_maturity": {
                key: biomass.maturity_of(key) for key in sorted({t.species.key for _, t in trees})
            },
            "trees": {t.id: {"species": t.species.key, "grown_kg": t.grown_kg} for t in living},
        },
    )


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    found = reason_of_dates(row, inputs) or reason_of_place(row, inputs)
    if found is not None:
        return found
    tree = measure(row, tables_for(inputs), died=row["status"] != "alive")
    return tree if isinstance(tree, str) else None


def _measured(row: Row, inputs: MethodInputs) -> Measured:
    tree = measure(row, tables_for(inputs), died=row["status"] != "alive")
    assert isinstance(tree, Measured)
    return tree


def worked_example() -> WorkedExample:
    """Two trees with volumes from their tables: a larch by hand, and a cork oak."""

    def tree(name: str, species: str, first: str, last: str) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Tree:example:{name}", "species": species, "status": "alive",
            "first_date": date(2024, 10, 1), "first_volume_m3": Decimal(first),
            "last_date": date(2025, 10, 1), "last_volume_m3": Decimal(last),
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(
            datetime(2024, 9, 30, 15, tzinfo=UTC), datetime(2025, 10, 1, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={
            "dbh_uncertainty_pct": Decimal("0.1"), "height_uncertainty_pct": Decimal("0.1"),
            "coefficient_uncertainty_pct": Decimal(5), "yearly_most_kg": Decimal(60),
            "days_min": Decimal(330),
        },
        series={},
        factors={},
        gwp_set="SAR",
        tables={
            "trees": (
                tree("larch", "일본잎갈나무", "0.120", "0.135"),
                tree("oak", "Quercus variabilis", "0.090", "0.102"),
            )
        },
        coefficients={
            "tree-biomass": coefficient_table("kr-nifos-biomass"),
            "stem-volume": coefficient_table("stem-form-factor"),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Made-up volumes with the national coefficients; small uncertainties, so that "
        "nothing is deducted",
        inputs=inputs,
        co2e_t=Decimal("0.04871633382"),
        steps=(
            "Larch: 0.015 m3 × 0.45 × 1.34 × 1.29 × 0.51 × 44/12",
            "Cork oak: 0.012 m3 × 0.72 × 1.34 × 1.32 × 0.48 × 44/12",
        ),
    )
