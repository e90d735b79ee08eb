"""Afforestation by stock change over modelling units, version 1.

Per modelling unit u, inventoried at the period's end:

    stock_u = V_u [m3/ha] · area_u · D · BEF · (1 + R) · 0.47 · 44/12, less its error beyond ±20 %
    net     = Σ stock_u − Σ baseline_u − leakage − burning (10 % of a baseline burnt) − fertiliser
    counted = max(0, min(net, long-term cap) − counted before)

Source: Gold Standard Afforestation/Reforestation methodology 403 v2.1 as transcribed by a third
party: baseline, leakage and burning are taken off once, in year one, which a cumulative net does by
itself; 0.005 tCO2 per kg N of fertiliser; nothing is issued while the net is nil or less. D, BEF
and R are the species' own, or defaults that make the project's stock small (0.3, 1.1, 0.2) and the
baseline's large (0.7, 3.5, 0.8). The buffer of 20 % is taken at issuance, not here.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import CoefficientTable, coefficient_table
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
from onsil.footprint.methodologies.tree_rows import SPECIES_COLUMNS
from onsil.footprint.terms import NOT_YET_MEASURABLE, MethodInputs, Outcome, RunLine
from onsil.footprint.trees import Species, as_co2, find_species, stock_co2_kg
from onsil.footprint.uncertainty import component, stated

ID = "afforestation"
VERSION = "1"
TITLE_KO = "신규조림 (축적 변화)"
TITLE_EN = "Afforestation by stock change"
SOURCES = (
    "Gold Standard, Afforestation/Reforestation methodology 403 v2.1 (second hand)",
    "2006 IPCC Guidelines vol. 4 ch. 2, equation 2.8",
    "국립산림과학원, 국가 고유 수종별 온실가스 흡수계수 (second hand)",
)
FORMULA = (
    "removal [tCO2] = max(0, min(cap, Σ V × area × D × BEF × (1 + R) × 0.47 × 44/12 − excess over "
    "20 % − baseline − leakage − 0.1 × baseline burnt − 0.005 × kg N) − counted before)"
)
CONDITIONS = (
    (
        "조사는 기간 끝의 1년 안에 이루어져야 하고, 심은 날은 조사일보다 앞서야 합니다.",
        "The inventory is of the period's last year, and after the day of planting.",
    ),
    (
        "기준 축적의 단위는 모든 단위에서 같아야 합니다. tC와 tCO2를 섞으면 거절합니다.",
        "Baselines have one unit throughout: mixing tC and tCO2 is refused.",
    ),
    (
        "조사 불확도가 ±20 %(90 %)를 넘는 만큼 축적에서 뺍니다.",
        "What an inventory's half-width exceeds ±20 % at 90 % is taken off the stock.",
    ),
    (
        "같은 임지(parcel)를 두 번 세지 않습니다.",
        "No parcel is counted twice.",
    ),
    (
        "누적 순흡수량이 0 이하이면 산정하지 않고, 장기 평균 상한(long_term_cap_t)을 넘지 "
        "않습니다.",
        "Nothing is counted while the cumulative net is nil or less, or beyond the long-term cap.",
    ),
    (
        "헥타르당 줄기 재적은 1,000 m3 이하여야 합니다.",
        "Stem volume is 1,000 m3 per hectare at most.",
    ),
    DUTY_CONDITION,
)
ROLES = ()
TABLES = (
    TableRole(
        "units", "모델링 단위", "Modelling units",
        (
            Column("parcel", "text", "임지 번호", "Parcel"),
            Column(
                "area_ha", "decimal", "면적", "Area", "ha", minimum=Decimal("0.01"),
                maximum=Decimal(100000),
            ),
            Column("planted", "date", "심은 날", "Day of planting"),
            *(
                Column(
                    c.name, c.kind, c.ko, c.en, required=False, choices=c.choices
                )
                for c in SPECIES_COLUMNS
            ),
            Column("inventoried", "date", "조사일", "Day of the inventory"),
            Column(
                "volume_m3_per_ha", "decimal", "헥타르당 줄기 재적", "Stem volume per hectare",
                "m3/ha", minimum=Decimal(0), maximum=Decimal(1000),
            ),
            Column(
                "half_width_pct", "decimal", "조사 불확도 (90 %)", "Half-width at 90 %", "%",
                minimum=Decimal(0), maximum=Decimal(100),
            ),
            Column(
                "baseline_stock", "decimal", "기준 축적", "Baseline stock", minimum=Decimal(0),
                required=False,
            ),
            Column(
                "baseline_unit", "choice", "기준 축적의 단위", "Unit of the baseline stock",
                choices=("tCO2", "tC"), required=False,
            ),
            Column(
                "baseline_volume_m3_per_ha", "decimal", "기준 줄기 재적 (축적을 모를 때)",
                "Baseline stem volume, where its stock is not known", "m3/ha", required=False,
                minimum=Decimal(0), maximum=Decimal(1000),
            ),
            Column("burnt", "boolean", "식재 전에 태웠는지", "Cleared by burning before planting"),
            Column(
                "fertiliser_kg_n", "decimal", "지금까지 준 질소 비료", "Nitrogen given until now",
                "kg", minimum=Decimal(0),
            ),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "leakage_t", "decimal", "누출량 (사업 전체, 한 번)", "Leakage of the project, once",
        "tCO2e",
        default="0", minimum=Decimal(0),
    ),
    Parameter(
        "long_term_cap_t", "decimal", "장기 평균 상한 (벌기까지의 평균 축적)",
        "Long-term cap: mean stock over the rotation", "tCO2e", required=False,
        minimum=Decimal(0),
    ),
    Parameter(
        "counted_before_t", "decimal", "앞선 기간에 산정한 누적량",
        "Counted in earlier periods, cumulative", "tCO2e", default="0", minimum=Decimal(0),
    ),
    LEGAL_DUTY,
)  # fmt: skip
COEFFICIENTS = (
    CoefficientNeed("tree-biomass", "kr-nifos-biomass"),
    CoefficientNeed("side-defaults", "gs-403-defaults"),
)
FACTORS = ()
MONITORING = (
    MonitoringParameter(
        "V", "m3/ha", "헥타르당 줄기 재적", "Stem volume per hectare",
        "성과 인증마다 (5년 이내)", "before each certification (within five years)",
        "표본점 조사", "sample plots", "±20 %(90 %) 이내, 넘는 만큼 뺌",
        "±20 % at 90 %; the excess is deducted",
    ),
    MonitoringParameter(
        "area", "ha", "면적", "Area", "해마다", "each year", "GPS 측량 또는 항공사진",
        "GPS survey or aerial images", "경계의 중복을 검사", "boundaries are checked for overlap",
    ),
    MonitoringParameter(
        "N", "kg", "질소 비료", "Nitrogen fertiliser", "줄 때마다", "at each use",
        "구매·사용 기록", "purchase and use records", "영수증 대조", "compared with receipts",
    ),
)  # fmt: skip


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Hectare-years of the units, and what they removed since what was counted before.

    Refused: `legally-required`, `unit-mismatch`, `counted-twice`, `baseline-unknown`,
    `no-row-usable`, and `not-yet-measurable` while the cumulative net has not grown.
    """
    rows = inputs.tables["units"]
    for refusal in (legally_required(inputs), _rows_hold(rows)):
        if refusal is not None:
            return refusal
    judged = judge(rows, lambda row: _reason(row, inputs))
    refusal = none_usable("units", judged)
    if refusal is not None:
        return refusal
    sides = inputs.coefficients["side-defaults"]
    stocks = {row["id"]: _stock_t(row, inputs) for row in judged.used}
    excess = {row["id"]: stocks[row["id"]] * _excess(row, sides) for row in judged.used}
    # A unit that is left out keeps its deductions: leaving one out never adds to the others.
    baseline = {row["id"]: _baseline_t(row, sides) for row in rows}
    burning_share = sides.value("project", "burning_share")
    burning_t = burning_share * sum((baseline[r["id"]] for r in rows if r["burnt"]), Decimal(0))
    nitrogen_kg = sum((row["fertiliser_kg_n"] for row in rows), Decimal(0))
    parts = {
        "stock_t": sum(stocks.values(), Decimal(0)),
        "inventory_excess_t": sum(excess.values(), Decimal(0)),
        "baseline_t": sum(baseline.values(), Decimal(0)),
        "leakage_t": inputs.parameters["leakage_t"],
        "burning_t": burning_t,
        "fertiliser_t": nitrogen_kg * sides.value("project", "fertiliser_t_per_kg_n"),
    }
    net_t = parts["stock_t"] - sum((v for k, v in parts.items() if k != "stock_t"), Decimal(0))
    cap, before = inputs.parameters.get("long_term_cap_t"), inputs.parameters["counted_before_t"]
    counted = (net_t if cap is None else min(net_t, cap)) - before
    if net_t <= 0 or counted <= 0:
        return _nothing_yet(net_t, before, cap, parts)
    components = [
        component(
            f"record:units:{row['id']}", stocks[row["id"]], row["half_width_pct"],
            confidence_pct=90, ko="임분 조사", en="Inventory",
        )
        for row in judged.used
    ]  # fmt: skip
    years = Decimal(days_of_period(inputs).count) / 365
    return Outcome(
        lines=tuple(
            RunLine(row["id"], "stand-year", row["area_ha"] * years, "ha-year")
            for row in judged.used
        ),
        co2e_t=counted,
        gases_kg={"co2": counted * 1000, "ch4": Decimal(0), "n2o": Decimal(0)},
        uncertainty=stated(
            counted, components, note="The inventory's error is of the whole stock."
        ),
        coverage={"units": judged.coverage()},
        details={**parts, "net_t": net_t, "counted_before_t": before, "cap_t": cap},
    )


def _rows_hold(rows: tuple[Row, ...]) -> Refusal | None:
    units = {row["baseline_unit"] for row in rows if "baseline_unit" in row}
    if len(units) > 1:
        return Refusal(
            "unit-mismatch",
            "기준 축적에 tC와 tCO2가 섞여 있습니다. 1 tC는 44/12 tCO2입니다. 한 단위로 적으세요.",
            "Baselines mix tC and tCO2. A tonne of carbon is 44/12 t of CO2: state one unit.",
            {"units": sorted(units)},
        )
    unknown = [
        row["id"]
        for row in rows
        if ("baseline_stock" in row) != ("baseline_unit" in row)
        or ("baseline_stock" not in row and "baseline_volume_m3_per_ha" not in row)
    ]
    if unknown:
        return Refusal(
            "baseline-unknown",
            "기준 축적과 그 단위, 또는 기준 재적이 없는 단위가 있습니다: "
            f"{', '.join(unknown[:5])}. 없으면 "
            "0을 적으세요.",
            "Units without a baseline stock and its unit, or a baseline volume: "
            f"{', '.join(unknown[:5])}. State 0 where there is none.",
            {"units": unknown},
        )
    parcels = [row["parcel"] for row in rows]
    twice = sorted({parcel for parcel in parcels if parcels.count(parcel) > 1})
    if twice:
        return Refusal(
            "counted-twice",
            f"같은 임지가 두 번 있습니다: {', '.join(twice[:5])}.",
            f"A parcel is there twice: {', '.join(twice[:5])}.",
            {"parcels": twice},
        )
    return None


def _reason(row: Row, inputs: MethodInputs) -> str | None:
    days = days_of_period(inputs)
    if row["inventoried"] <= row["planted"]:
        return "inventory-before-planting"
    if not 0 <= (days.end - row["inventoried"]).days <= 366:
        return "inventory-outside-period"
    if "species" in row:
        found = find_species(inputs.coefficients["tree-biomass"], row["species"], row.get("group"))
        return found.code if isinstance(found, Refusal) else None
    return None


def _stock_t(row: Row, inputs: MethodInputs) -> Decimal:
    """A unit's CO2 with its species' coefficients, or the defaults that hold least."""
    sides = inputs.coefficients["side-defaults"]
    fraction = sides.value("project", "carbon_fraction")
    species: Species | Refusal = _default(sides, "project")
    if "species" in row:
        species = find_species(
            inputs.coefficients["tree-biomass"], row["species"], row.get("group")
        )
        assert not isinstance(species, Refusal)
    used = Species(
        species.key, species.ko, species.group, species.density, species.bef, species.root_ratio,
        fraction,
    )  # fmt: skip
    return stock_co2_kg(row["volume_m3_per_ha"] * row["area_ha"], used) / 1000


def _default(sides: CoefficientTable, side: str) -> Species:
    return Species(
        side, side, side, sides.value(side, "density"), sides.value(side, "bef"),
        sides.value(side, "root_ratio"), sides.value(side, "carbon_fraction"),
    )  # fmt: skip


def _excess(row: Row, sides: CoefficientTable) -> Decimal:
    tolerance = sides.value("project", "inventory_tolerance_pct")
    return max(Decimal(0), row["half_width_pct"] - tolerance) / 100


def _baseline_t(row: Row, sides: CoefficientTable) -> Decimal:
    if "baseline_stock" in row:
        stock: Decimal = row["baseline_stock"]
        return as_co2(stock) if row["baseline_unit"] == "tC" else stock
    volume = row["baseline_volume_m3_per_ha"] * row["area_ha"]
    return stock_co2_kg(volume, _default(sides, "baseline")) / 1000


def _nothing_yet(
    net_t: Decimal, before: Decimal, cap: Decimal | None, parts: Mapping[str, Decimal]
) -> Refusal:
    return Refusal(
        NOT_YET_MEASURABLE,
        f"누적 순흡수량이 {round(net_t, 3)} tCO2e로, 이미 산정한 {before} tCO2e를 넘지 않습니다. "
        "더 자란 "
        "뒤에 다시 산정하세요. 줄었다면 되돌림(reversal)으로 처리하세요.",
        f"The cumulative net is {round(net_t, 3)} tCO2e, not above the {before} t counted before "
        "(or the cap). Quantify again when it has grown; record a reversal where it has fallen.",
        {"net_t": net_t, "counted_before_t": before, "cap_t": cap, **parts},
    )


def worked_example() -> WorkedExample:
    """Two units: one of a known species on bare land, one of an unknown species on burnt scrub."""

    def unit(name: str, **more: Any) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:ForestUnit:example:{name}", "parcel": name,
            "area_ha": Decimal(10), "planted": date(2018, 4, 1), "inventoried": date(2025, 10, 1),
            "half_width_pct": Decimal(15), "burnt": False, "fertiliser_kg_n": Decimal(0), **more,
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(
            datetime(2020, 12, 31, 15, tzinfo=UTC), datetime(2025, 12, 31, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={"leakage_t": Decimal(2), "counted_before_t": Decimal(100)},
        series={},
        factors={},
        gwp_set="SAR",
        tables={
            "units": (
                unit(
                    "A", species="larch", volume_m3_per_ha=Decimal(30),
                    baseline_stock=Decimal(0), baseline_unit="tCO2", fertiliser_kg_n=Decimal(100),
                ),
                unit(
                    "B", volume_m3_per_ha=Decimal(30), half_width_pct=Decimal(25),
                    baseline_stock=Decimal(20), baseline_unit="tCO2", burnt=True,
                ),
            )
        },
        coefficients={
            "tree-biomass": coefficient_table("kr-nifos-biomass"),
            "side-defaults": coefficient_table("gs-403-defaults"),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Made-up inventory with the national coefficients of larch and the defaults by side",
        inputs=inputs,
        co2e_t=Decimal("472.15419"),
        steps=(
            "A: 30 × 10 m3 × 0.45 × 1.34 × 1.29 × 0.47 × 44/12 = 402.15879 t",
            "B: 30 × 10 m3 × 0.3 × 1.1 × 1.2 × 0.47 × 44/12 = 204.732 t, less 5 % = 194.4954 t",
            "less baseline 20, leakage 2, burning 2, fertiliser 100 kg N × 0.005 = 0.5, and 100 "
            "counted before",
        ),
    )
