"""Self-consumed solar generation of a bundle of sites, version 1.

Thousands of small plants in one run. What the readings say was added up in the lake, meter by
meter and month by month, in whole numbers; these sums are the rows that this method sees:

    energy[s]           = Σ_i generation[s, i]        over the intervals that can be used
    emission reduction  = Σ_s energy[s] · EF_grid     over the sites whose coverage suffices

Source of the approach: as of solar-self-consumption (UNFCCC CDM AMS-I.F: displaced quantity × grid
factor; bundling of small activities: UNFCCC CDM, general principles for bundling). Every site
states that it exports nothing; a site measured too little is left out whole and named, and adds
nothing. At every site expected = used + missing + excluded by stated reason; else it is refused.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.factors import factor_set
from onsil.footprint.methodologies.emissions import emissions
from onsil.footprint.methodologies.registry import (
    Column,
    FactorNeed,
    Parameter,
    Role,
    TableRole,
    WorkedExample,
)
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.uncertainty import component, stated

ID = "solar-fleet"
VERSION = "1"
TITLE_KO = "태양광 자가소비 묶음"
TITLE_EN = "Self-consumed solar generation of a bundle of sites"
SOURCES = (
    "UNFCCC CDM AMS-I.F, Renewable electricity generation for captive use and mini-grid",
    "UNFCCC CDM, General principles for bundling",
    "외부사업 타당성 평가 및 감축량 인증에 관한 지침 (환경부고시 제2020-304호)",
)
FORMULA = "ER [tCO2e] = Σ_s energy_s [MWh] × EF_grid [kgCO2e/MWh] / 1000"
CONDITIONS = (
    (
        "모든 설비는 역송하지 않음(no_export)이 현장 조건으로 확인되어야 합니다.",
        "Every site is stated to have no export connection.",
    ),
    (
        "설비마다 기대 구간의 90 % 이상(coverage_min_pct)이 측정되어야 하며, "
        "못 미치는 설비는 통째로 빠집니다.",
        "At least 90 % (coverage_min_pct) of a site's expected intervals were measured; a site "
        "below that is left out whole.",
    ),
    (
        "설비 용량의 110 %를 넘는 구간과 음수 구간은 제외됩니다.",
        "Intervals above 110 % of capacity or below zero are excluded.",
    ),
    (
        "기간의 모든 달이 해시가 기록된 레이크 파일에 있어야 합니다.",
        "Every month of the period lies in files of the lake whose hashes are recorded.",
    ),
)
ROLES: tuple[Role, ...] = ()
TABLES = (
    TableRole(
        "sites", "설비별 합계", "Sums by site",
        (
            Column("capacity_kw", "decimal", "설비 용량(교류)", "Installed AC capacity", "kW",
                   minimum=Decimal("0.01")),
            Column("no_export", "boolean", "역송 없음", "No export connection"),
            *(
                Column(name, "integer", ko, en, "900 s", minimum=Decimal(0))
                for name, ko, en in (
                    ("expected", "기대 구간", "Intervals expected"),
                    ("used", "사용 구간", "Intervals used"),
                    ("missing", "누락 구간", "Intervals missing"),
                    ("negative", "음수 제외", "Excluded: below zero"),
                    ("above_capacity", "용량 초과 제외", "Excluded: above capacity"),
                    ("unread", "판독 불가 제외", "Excluded: no exact value"),
                    ("off_grid", "구간 시작이 아닌 측정값", "Readings off the grid"),
                )
            ),
            Column("energy_wh", "decimal", "사용 구간의 발전량", "Energy of the intervals used",
                   "Wh", minimum=Decimal(0)),
            Column("months", "text", "월별 발전량 (2025-06=Wh, 빈칸으로 구분)",
                   "Energy by local month (2025-06=Wh, apart by spaces)", "Wh", required=False),
        ),
    ),
    TableRole(
        "files", "레이크 파일", "Files of the lake",
        (
            Column("month", "text", "달 (UTC)", "Month (UTC)"),
            Column("revision", "integer", "개정", "Revision", minimum=Decimal(1)),
            Column("rows", "integer", "행", "Rows", minimum=Decimal(0)),
            Column("sha256", "text", "파일의 SHA-256", "SHA-256 of the file"),
            Column("manifest_sha256", "text", "매니페스트의 SHA-256", "SHA-256 of its manifest"),
        ),
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "meter_uncertainty_pct", "decimal", "전력량계 불확도 (95 % 신뢰수준)",
        "Meter uncertainty at 95 % confidence", "%", default="2.0", minimum=Decimal(0),
        maximum=Decimal(5),
    ),
    Parameter(
        "coverage_min_pct", "decimal", "최소 측정률", "Least coverage", "%", default="90",
        minimum=Decimal(80), maximum=Decimal(100),
    ),
)  # fmt: skip
FACTORS = (FactorNeed("electricity", "consumption", ("sites",)),)

STEP = timedelta(seconds=900)
CAPACITY_MARGIN = Decimal("1.1")
EXCLUDED = ("negative", "above_capacity", "unread")


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """The readings wanted: the period's own."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Energy in Wh of each site that was measured enough, and the emissions it displaced.

    Refused: `lake-incomplete`, `export-unknown`, `counts-differ` for rows that do not add up or
    hold more than the site can make, `coverage-too-low` when no site has enough,
    `nothing-generated`.
    """
    refusal = _lake_refusal(inputs)
    if refusal is not None:
        return refusal
    expected = int(inputs.period.length / STEP)
    lines: list[RunLine] = []
    left_out: list[str] = []
    for row in inputs.tables["sites"]:
        refusal = _row_refusal(row, expected)
        if refusal is not None:
            return refusal
        if 100 * row["used"] < inputs.parameters["coverage_min_pct"] * expected:
            left_out.append(row["id"])
            continue
        parts = _months(row)
        if parts is None or row["energy_wh"] != sum(parts.values(), Decimal(0)):
            return _counts_differ(row, "months")
        if row["energy_wh"] > 0:
            lines.append(RunLine(row["id"], "solar-generation", row["energy_wh"], "Wh", parts))
    if len(left_out) == len(inputs.tables["sites"]):
        return Refusal(
            "coverage-too-low",
            f"설비 {len(left_out)}곳 모두 측정률이 기준에 못 미칩니다.",
            f"None of the {len(left_out)} sites was measured enough.",
            {"sites": len(left_out), "least_pct": inputs.parameters["coverage_min_pct"]},
        )
    if not lines:
        return Refusal(
            "nothing-generated",
            "이 기간에 자가소비한 발전량이 없습니다.",
            "Nothing was generated and used on site in this period.",
        )
    return _outcome(inputs, lines, left_out)


def _lake_refusal(inputs: MethodInputs) -> Refusal | None:
    """Refused unless every month (UTC) that the period touches has a file."""
    known = {row["month"] for row in inputs.tables["files"]}
    missing = [month for month in utc_months(inputs.period) if month not in known]
    if not missing:
        return None
    return Refusal(
        "lake-incomplete",
        f"레이크에 없는 달이 있습니다: {', '.join(missing)}.",
        f"Months that are not in the lake: {', '.join(missing)}.",
        {"months": missing},
    )


def utc_months(period: Period) -> Iterator[str]:
    """The months in UTC that a period touches, as the lake's files are cut."""
    year, month = period.start.year, period.start.month
    while datetime(year, month, 1, tzinfo=UTC) < period.end:
        yield f"{year:04}-{month:02}"
        year, month = year + month // 12, month % 12 + 1


def _row_refusal(row: Mapping[str, Any], expected: int) -> Refusal | None:
    if not row["no_export"]:
        return Refusal(
            "export-unknown",
            f"{row['id']}: 역송 없음이 확인되지 않아 자가소비량을 알 수 없습니다.",
            f"{row['id']}: without a stated no-export connection, self-consumption is not known.",
            {"site": row["id"]},
        )
    told = row["used"] + row["missing"] + sum(row[reason] for reason in EXCLUDED)
    if row["expected"] != expected or told != expected:
        return _counts_differ(row, "expected")
    if row["energy_wh"] > row["used"] * ceiling_wh(row["capacity_kw"]):
        return _counts_differ(row, "energy_wh")
    return None


def ceiling_wh(capacity_kw: Decimal) -> Decimal:
    """The most that an interval of a site may hold, in Wh."""
    return capacity_kw * 1000 * int(STEP.total_seconds()) / 3600 * CAPACITY_MARGIN


def _counts_differ(row: Mapping[str, Any], column: str) -> Refusal:
    return Refusal(
        "counts-differ",
        f"{row['id']}의 합계가 서로 맞지 않습니다: {column}.",
        f"The sums of {row['id']} do not agree: {column}.",
        {"site": row["id"], "column": column},
    )


def _months(row: Mapping[str, Any]) -> dict[str, Decimal] | None:
    """Energy by month out of a row's text; None where that cannot be read."""
    pairs = (part.partition("=") for part in row.get("months", "").split())
    try:
        return {month: Decimal(energy_wh) for month, _, energy_wh in pairs}
    except InvalidOperation:
        return None


def _outcome(inputs: MethodInputs, lines: list[RunLine], left_out: list[str]) -> Outcome:
    energy_wh = sum((line.amount for line in lines), Decimal(0))
    found = emissions(energy_wh, inputs.factors["electricity"], inputs.gwp_set)
    monthly: dict[str, Decimal] = {}
    for line in lines:
        for month, part in (line.parts or {}).items():
            monthly[month] = monthly.get(month, Decimal(0)) + part
    return Outcome(
        lines=tuple(lines),
        co2e_t=found["co2e_t"],
        gases_kg=found["gases_kg"],
        uncertainty=stated(
            found["co2e_t"],
            [
                component(
                    f"meters:{ID}", found["co2e_t"], inputs.parameters["meter_uncertainty_pct"],
                    ko="전력량계 (함께 어긋난다고 봄)",
                    en="Electricity meters, taken to err together",
                )
            ],
            note="Meters of one make may err together: nothing is taken off for their number. "
            "The factor's publisher states no uncertainty; none is added for it.",
        ),
        coverage={"sites": _coverage(inputs, len(left_out))},
        details={
            "monthly_wh": dict(sorted(monthly.items())),
            "sites_counted": len(lines),
            "sites_left_out": left_out,
        },
    )  # fmt: skip


def _coverage(inputs: MethodInputs, left_out: int) -> dict[str, Any]:
    """Counts over all sites, those left out among them."""
    sites = inputs.tables["sites"]
    total = {
        name: int(sum(row[name] for row in sites))
        for name in ("expected", "used", "missing", "off_grid", *EXCLUDED)
    }
    return {
        "start": inputs.period.start,
        "step_s": int(STEP.total_seconds()),
        "expected": total["expected"],
        "used": total["used"],
        "missing": total["missing"],
        "excluded": {reason: total[reason] for reason in EXCLUDED if total[reason]},
        "off_grid": total["off_grid"],
        "used_pct": (Decimal(100 * total["used"]) / total["expected"]).quantize(Decimal("0.01")),
        "sites": len(sites),
        "sites_left_out": left_out,
    }


def worked_example() -> WorkedExample:
    """Three plants for an hour and a half by hand; one of them was measured too little."""
    start = datetime(2025, 6, 1, 3, tzinfo=UTC)

    def site(name: str, counts: tuple[int, int, int], energy_wh: str) -> dict[str, Any]:
        used, missing, above = counts
        return {
            "id": f"urn:ngsi-ld:Building:example:{name}#power", "capacity_kw": Decimal(5),
            "no_export": True, "expected": 10, "used": used, "missing": missing, "negative": 0,
            "above_capacity": above, "unread": 0, "off_grid": 0,
            "energy_wh": Decimal(energy_wh), "months": f"2025-06={energy_wh}",
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(start, start + timedelta(minutes=150)),
        zone="Asia/Seoul",
        parameters={"meter_uncertainty_pct": Decimal(2), "coverage_min_pct": Decimal(90)},
        series={},
        factors={"electricity": factor_set("kr-grid-2018").factors[0]},
        gwp_set="SAR",
        tables={
            "sites": (
                site("a", (10, 0, 0), "10000"),
                site("b", (9, 0, 1), "9000"),
                site("c", (8, 2, 0), "8000"),
            ),
            "files": (
                {"id": "2025-06-r1", "month": "2025-06", "revision": 1, "rows": 28,
                 "sha256": "0" * 64, "manifest_sha256": "0" * 64},
            ),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Arithmetic by hand with the 2018 consumption-end factor (0.45941 tCO2e/MWh, SAR)",
        inputs=inputs,
        co2e_t=Decimal("0.0087288014"),
        steps=(
            "Site c was measured in 8 of 10 intervals, below 90 %: left out whole",
            "Site a 10 × 1,000 Wh; site b 9 × 1,000 Wh, one interval above capacity excluded",
            "19,000 Wh = 0.019 MWh × 459.4106 kg/MWh = 8.7288014 kg = 0.0087288014 t",
        ),
    )
