"""Street trees by census and sample, version 1.

Every planted unit is in a census; a unit that is not found is dead; a random sample of the found
ones is measured twice:

    removal = N · (1 − M) · mean growth of the sample − deduction

with N units planted, M the share not found, growth by tree as in `tree-growth`. Source: the
census-based approach of Verra VM0047 (afforestation, reforestation and revegetation) as its terms
were read second hand, and UNFCCC A/R methodological tool 14 for the mean's half-width at 90 %.
Baseline and leakage are zero, because only trees count that the proponent planted, at most fifty
to the hectare and with buffers that do not overlap; trees that stood there before are refused,
whoever waters them. What exceeds 10 % of uncertainty is deducted; beyond 100 % nothing is credited.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onsil.core.periods import Period, local_day
from onsil.core.refusal import Refusal
from onsil.footprint.factors import coefficient_table
from onsil.footprint.methodologies.conditions import (
    DUTY_CONDITION,
    LEGAL_DUTY,
    legally_required,
)
from onsil.footprint.methodologies.records import Row, days_of_period, judge, none_usable
from onsil.footprint.methodologies.registry import (
    Column,
    MonitoringParameter,
    Parameter,
    TableRole,
    WorkedExample,
)
from onsil.footprint.methodologies.tree_rows import (
    AREA_PARAMETERS,
    DATES_CONDITION,
    GROWTH_CONDITION,
    MEASURED_COLUMNS,
    MEASURING_PARAMETERS,
    SPECIES_COLUMNS,
    TREE_COEFFICIENTS,
    TREE_MONITORING,
    conservative,
    net_loss,
    reason_of_dates,
    tables_for,
)
from onsil.footprint.terms import MethodInputs, Outcome, RunLine
from onsil.footprint.trees import (
    Area,
    Measured,
    close_pairs,
    growth_components,
    growth_implausible,
    measure,
)
from onsil.footprint.uncertainty import stated, width
from onsil.footprint.uncertainty.sampling_error import SampleMean, sample_mean

ID = "street-tree-census"
VERSION = "1"
TITLE_KO = "가로수 전수조사·표본측정"
TITLE_EN = "Street trees by census and sample"
SOURCES = (
    "Verra VM0047 Afforestation, Reforestation and Revegetation, census-based approach "
    "(second hand; to be confirmed in the document)",
    "UNFCCC CDM, A/R methodological tool 14 (half-width of a mean at 90 % by Student's t)",
    "2006 IPCC Guidelines vol. 4 ch. 2, equation 2.8",
)
FORMULA = "removal [tCO2] = N × (1 − M) × mean(growth_i) − max(0, half_width_90 − 10 %)"
CONDITIONS = (
    (
        "사업자가 심은 나무만 셉니다. 원래 있던 나무에 물을 주는 것으로는 크레딧이 생기지 "
        "않습니다.",
        "Only trees that the proponent planted count; watering trees that stood there earns "
        "nothing.",
    ),
    (
        "헥타르당 50그루 이하이고, 반경 buffer_m 완충원이 서로 겹치지 않아야 합니다.",
        "At most fifty units to the hectare, and buffers of buffer_m around them do not overlap.",
    ),
    (
        "모든 나무에 식별자, 위치, 수종, 심은 해가 있고 표찰 번호는 겹치지 않아야 합니다.",
        "Every unit has an id, a place, a species and a year; no tag is used twice.",
    ),
    (
        "찾지 못한 나무는 죽은 것으로 봅니다.",
        "A unit that was not found is dead.",
    ),
    (
        "표본은 찾은 나무에서 뽑고 sample_min 그루 이상이어야 합니다.",
        "The sample is of found units and holds sample_min or more.",
    ),
    DATES_CONDITION,
    GROWTH_CONDITION,
    (
        "불확도(90 %)가 10 %를 넘는 만큼 빼고, 100 %를 넘으면 크레딧이 없습니다.",
        "Uncertainty at 90 % beyond 10 % is deducted; beyond 100 % nothing is credited.",
    ),
    DUTY_CONDITION,
)  # fmt: skip
ROLES = ()
TABLES = (
    TableRole(
        "census", "전수조사", "Census",
        (
            *SPECIES_COLUMNS,
            Column(
                "planted_year", "integer", "심은 해", "Year of planting", "a",
                minimum=Decimal(1900), maximum=Decimal(2200),
            ),
            Column(
                "planted_by_project", "boolean", "사업자가 심었는지", "Planted by the proponent",
            ),
            Column("found", "boolean", "이번 조사에서 찾았는지", "Found by this survey"),
            Column(
                "latitude", "decimal", "위도", "Latitude", "degree", minimum=Decimal(-90),
                maximum=Decimal(90),
            ),
            Column(
                "longitude", "decimal", "경도", "Longitude", "degree", minimum=Decimal(-180),
                maximum=Decimal(180),
            ),
            Column("tag", "text", "표찰 번호", "Tag", required=False),
        ),
    ),
    TableRole(
        "sample", "표본 측정 (id는 전수조사의 id)", "Sample; its ids are the census's",
        MEASURED_COLUMNS,
    ),
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "area_ha", "decimal", "사업 구역 면적", "Area of the project", "ha",
        minimum=Decimal("0.01"),
    ),
    Parameter(
        "project_start_year", "integer", "사업 시작 연도", "Year in which the project began", "a",
        minimum=Decimal(1900), maximum=Decimal(2200),
    ),
    Parameter(
        "buffer_m", "decimal", "완충 반경", "Radius of the buffer", "m", default="10",
        minimum=Decimal(5), maximum=Decimal(50),
    ),
    Parameter(
        "sample_min", "integer", "최소 표본 수", "Least size of the sample", "", default="30",
        minimum=Decimal(2), maximum=Decimal(10000),
    ),
    *MEASURING_PARAMETERS,
    *AREA_PARAMETERS,
    LEGAL_DUTY,
)  # fmt: skip
COEFFICIENTS = TREE_COEFFICIENTS
FACTORS = ()
MONITORING = (
    MonitoringParameter(
        "N, M", "–", "심은 나무 수와 찾지 못한 비율", "Units planted and share not found",
        "기간마다 전수조사", "census each period", "위치·표찰과 사진", "place, tag and photograph",
        "표본 5 %를 다른 사람이 다시 찾음", "another person looks for 5 % again",
    ),
    *TREE_MONITORING,
)  # fmt: skip

_UNITS_PER_HA = 50


def span(parameters: Mapping[str, Any], period: Period, zone: str) -> Period:
    """No readings are wanted beyond the period."""
    return period


def quantify(inputs: MethodInputs) -> Outcome | Refusal:
    """Tree-years of the found units, and what they removed by the sample's mean.

    Refused: `legally-required`, `not-planted-by-project`, `too-dense`, `duplicate-tag`,
    `outside-area`, `planted-outside-project`, `buffers-overlap`, `sample-not-in-census`,
    `sample-too-small`, `no-row-usable`, `growth-implausible`, `not-yet-measurable`.
    """
    return counted(inputs, local_day(inputs.period.end, ZoneInfo(inputs.zone)).year)


def counted(inputs: MethodInputs, last_year: int) -> Outcome | Refusal:
    """The same, with trees planted after `last_year` refused as `planted-outside-project`."""
    census = inputs.tables["census"]
    for refusal in (legally_required(inputs), _census_holds(inputs, census, last_year)):
        if refusal is not None:
            return refusal
    found = [row for row in census if row["found"]]
    trees = _sampled(inputs, {row["id"] for row in found})
    if isinstance(trees, Refusal):
        return trees
    kept, coverage = trees
    sampled = sample_mean([tree.grown_kg for tree in kept])
    grown_t = len(found) * sampled.mean / 1000
    if grown_t <= 0:
        return net_loss(grown_t, Decimal(0))
    components = _components(inputs, kept, sampled, len(found))
    left = conservative(grown_t, components, "vm0047")
    if isinstance(left, Refusal):
        return left
    years = Decimal(days_of_period(inputs).count) / 365
    return Outcome(
        lines=tuple(RunLine(row["id"], "tree-year", years, "tree-year") for row in found),
        co2e_t=left.amount,
        gases_kg={"co2": left.amount * 1000, "ch4": Decimal(0), "n2o": Decimal(0)},
        uncertainty=stated(grown_t, components, note="Stated of the removal before the deduction."),
        coverage={
            "census": {"expected": len(census), "used": len(found),
            "dead": len(census) - len(found)},
            "sample": coverage,
        },
        details={
            "planted": len(census),
            "mortality_pct": Decimal(100 * (len(census) - len(found))) / len(census),
            "sample": sampled.count,
            "sample_mean_kg": sampled.mean,
            "sample_deviation_kg": sampled.deviation,
            "sample_standard_error_kg": sampled.standard_error,
            "sample_t": sampled.t_value,
            "sample_half_width_kg": sampled.half_width,
            "grown_t": grown_t,
            "deducted_t": left.deducted,
            "relative_90_pct": left.relative_pct,
            "baseline_t": Decimal(0),
            "leakage_t": Decimal(0),
        },
    )  # fmt: skip


def _census_holds(inputs: MethodInputs, census: tuple[Row, ...], last: int) -> Refusal | None:
    existing = [row["id"] for row in census if not row["planted_by_project"]]
    if existing:
        return Refusal(
            "not-planted-by-project",
            f"사업자가 심지 않은 나무가 있습니다 ({_few(existing)}). 이 방법론은 새로 심은 나무만 "
            "셉니다. "
            "기존 나무에 물을 주는 일은 물 재이용(effluent-reuse)과 생존으로 보고하세요.",
            f"Some trees were not planted by the proponent ({_few(existing)}). Only planted ones "
            "count here: watering trees that stood there earns no removal. Report the water "
            "(effluent-reuse) and their survival instead.",
            {"trees": existing},
        )
    start = inputs.parameters["project_start_year"]
    odd = [row["id"] for row in census if not start <= row["planted_year"] <= last]
    if odd:
        return Refusal(
            "planted-outside-project",
            f"사업 기간({start}~{last}) 밖에 심은 나무가 있습니다: {_few(odd)}.",
            f"Trees planted outside the project's years ({start} to {last}): {_few(odd)}.",
            {"trees": odd, "from": start, "to": last},
        )
    dense = len(census) / inputs.parameters["area_ha"]
    if dense > _UNITS_PER_HA:
        return Refusal(
            "too-dense",
            f"헥타르당 {round(dense, 1)}그루로 {_UNITS_PER_HA}그루를 넘습니다.",
            f"{round(dense, 1)} units to the hectare; {_UNITS_PER_HA} is the most.",
            {"per_ha": dense, "most": _UNITS_PER_HA},
        )
    return _places_hold(inputs, census)


def _places_hold(inputs: MethodInputs, census: tuple[Row, ...]) -> Refusal | None:
    tags = [row["tag"] for row in census if "tag" in row]
    twice = sorted({tag for tag in tags if tags.count(tag) > 1}) if len({*tags}) < len(tags) else []
    if twice:
        return Refusal(
            "duplicate-tag",
            f"표찰 번호가 두 번 쓰였습니다: {_few(twice)}.",
            f"A tag is used twice: {_few(twice)}.",
            {"tags": twice},
        )
    places = [(row["id"], (row["latitude"], row["longitude"])) for row in census]
    area = Area.stated(inputs.parameters)
    outside = [tree for tree, place in places if place not in area]
    if outside:
        return Refusal(
            "outside-area",
            f"사업 구역 밖의 나무가 있습니다: {_few(outside)}.",
            f"Trees outside the project's area: {_few(outside)}.",
            {"trees": outside},
        )
    pairs = close_pairs(places, 2 * inputs.parameters["buffer_m"])
    if not pairs:
        return None
    one, other, apart = pairs[0]
    return Refusal(
        "buffers-overlap",
        f"완충원이 겹칩니다: {one}와(과) {other}가 {round(apart, 1)} m 떨어져 있습니다 "
        f"(반경 {inputs.parameters['buffer_m']} m). 한쪽을 빼거나 면적 기반 방법론을 쓰세요.",
        f"Buffers overlap: {one} and {other} are {round(apart, 1)} m apart (radius "
        f"{inputs.parameters['buffer_m']} m). Leave one out, or use an area-based methodology.",
        {"pairs": [[a, b, round(m, 2)] for a, b, m in pairs]},
    )


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" (+{len(names) - 5})" if len(names) > 5 else "")


def _sampled(
    inputs: MethodInputs, found: set[str]
) -> tuple[list[Measured], dict[str, Any]] | Refusal:
    rows = inputs.tables["sample"]
    strange = [row["id"] for row in rows if row["id"] not in found]
    if strange:
        return Refusal(
            "sample-not-in-census",
            f"찾은 나무가 아닌 표본이 있습니다: {_few(strange)}.",
            f"The sample holds units that the census did not find: {_few(strange)}.",
            {"trees": strange},
        )
    tables = tables_for(inputs)

    def reason(row: Row) -> str | None:
        tree = measure(row, tables)
        return reason_of_dates(row, inputs) or (tree if isinstance(tree, str) else None)

    judged = judge(rows, reason)
    refusal = none_usable("sample", judged)
    if refusal is not None:
        return refusal
    least = max(2, int(inputs.parameters["sample_min"]))
    if len(judged.used) < min(least, len(found)) or len(judged.used) < 2:
        return Refusal(
            "sample-too-small",
            f"쓸 수 있는 표본이 {len(judged.used)}그루입니다. {least}그루 이상 측정하세요.",
            f"{len(judged.used)} sampled units can be used; measure {least} or more.",
            {"used": len(judged.used), "least": least, **judged.coverage()},
        )
    trees = [tree for row in judged.used if isinstance(tree := measure(row, tables), Measured)]
    refusal = growth_implausible(
        ((tree.id, tree.yearly_kg) for tree in trees), inputs.parameters["yearly_most_kg"]
    )
    return refusal if refusal is not None else (trees, judged.coverage())


def _components(
    inputs: MethodInputs, trees: list[Measured], sampled: SampleMean, found: int
) -> list[dict[str, Any]]:
    """The sample's own half-width, and the shared errors of equations and coefficients.

    Readings' errors are part of the scatter that the sample shows, so they are not added again.
    """
    up = Decimal(found) / len(trees)
    shared = growth_components(
        trees,
        tables_for(inputs),
        dbh_pct=Decimal(0),
        height_pct=Decimal(0),
        coefficient_pct=inputs.parameters["coefficient_uncertainty_pct"],
    )
    raised = [{**one, "half_width_t": one["half_width_t"] * up} for one in shared]
    own = width(
        "sampling:sample:mean-growth", found * sampled.half_width / 1000, confidence_pct=90,
        ko="표본 추출", en="Sampling",
    )  # fmt: skip
    return [own, *raised]


def worked_example() -> WorkedExample:
    """Five planted larches, one of them not found; three measured ones that grew alike."""

    def unit(number: int, found: bool) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Tree:example:{number}", "species": "일본잎갈나무",
            "planted_year": Decimal(2020), "planted_by_project": True, "found": found,
            "latitude": Decimal("36.99") + Decimal(number) / 1000,
            "longitude": Decimal("127.11"), "tag": f"T-{number}",
        }  # fmt: skip

    def measured(number: int, last: str) -> dict[str, Any]:
        return {
            "id": f"urn:ngsi-ld:Tree:example:{number}", "species": "일본잎갈나무",
            "first_date": date(2024, 10, 1), "first_volume_m3": Decimal("0.100"),
            "last_date": date(2025, 10, 1), "last_volume_m3": Decimal(last),
        }  # fmt: skip

    inputs = MethodInputs(
        period=Period(
            datetime(2024, 9, 30, 15, tzinfo=UTC), datetime(2025, 9, 30, 15, tzinfo=UTC)
        ),
        zone="Asia/Seoul",
        parameters={
            "area_ha": Decimal(1), "project_start_year": Decimal(2019), "buffer_m": Decimal(10),
            "sample_min": Decimal(3), "dbh_uncertainty_pct": Decimal(1),
            "height_uncertainty_pct": Decimal(5), "coefficient_uncertainty_pct": Decimal(5),
            "yearly_most_kg": Decimal(60), "days_min": Decimal(330),
        },
        series={},
        factors={},
        gwp_set="SAR",
        tables={
            "census": tuple(unit(number, number != 5) for number in range(1, 6)),
            "sample": (measured(1, "0.112"), measured(2, "0.112"), measured(3, "0.112")),
        },
        coefficients={
            "tree-biomass": coefficient_table("kr-nifos-biomass"),
            "stem-volume": coefficient_table("stem-form-factor"),
        },
    )  # fmt: skip
    return WorkedExample(
        source="Made-up volumes with the national coefficients; a sample without scatter, so that "
        "nothing is deducted",
        inputs=inputs,
        co2e_t=Decimal("0.0698216112"),
        steps=(
            "5 planted, 1 not found: N (1 − M) = 4",
            "Mean growth: 0.012 m3 × 0.45 × 1.34 × 1.29 × 0.51 × 44/12 = 17.4554028 kg",
            "4 × 17.4554028 kg = 69.8216112 kg; uncertainty 9.38 % at 90 %, below 10 %",
        ),
    )
