"""Inventories of what was really measured: the city's by the GPC, and that of two buildings.

What nobody measured here is marked NE with the reason, never zero. So the city's inventory covers a
few demonstration buildings, and says so in its boundary: it is not the city's emissions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from onsil.core.clock import SystemClock
from onsil.demonstration.loop import granted
from onsil.demonstration.sites import DemoSites, SeriesKey
from onsil.footprint import inventory
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile

CLOCK = SystemClock()
YEARS = (2024, 2025)
OPERATOR = "demo-buildings"
_NOT_ESTIMATED = "이 시연에는 이 항목을 잰 자료가 없습니다. 0이 아니라 산정하지 않았습니다(NE)."
_BOUNDARY = (
    "데모 건물 네 곳의 계량기만 잽니다(가구 2, 업무 1, 교육 1; 실측 재생). 나머지 배출원은 NE이며,"
    " 합계는 도시 전체의 배출량이 아닙니다."
)
_POLICY = inventory.RecalculationPolicy(
    YEARS[0], 500, ("boundary", "error", "factor", "method"),
    "시연: 두 건물의 자료가 한 해를 다 덮는 첫해를 기준연도로 두고, 5 %부터 다시 산정합니다.",
)  # fmt: skip
_METER_PCT = Decimal(2)
# Natural gas 56,100 kg/TJ with 95 % limits 54,300 and 58,300: the wider side (IPCC 2006, vol. 2,
# table 2.2; recalled).
_GAS_PCT = Decimal("3.9")


@dataclass(frozen=True)
class _Factors:
    programme: str
    grid: str

    def power(self) -> inventory.FactorUse:
        return inventory.FactorUse("authority", self.programme, self.grid, "electricity",
                                   "consumption")  # fmt: skip

    def gas(self) -> inventory.FactorUse:
        return inventory.FactorUse("authority", self.programme, "kr-city-gas-2022", "city-gas",
                                   "combustion")  # fmt: skip


_CITY = _Factors("inventory", "kr-grid-2021")
_COMPANY = _Factors("disclosure", "kr-grid-2025")


def compile_all(
    series: DemoSites, maker: str, checker: str, progress: Callable[[int, int], None]
) -> list[inventory.Version]:
    """Both inventories of each year, compiled by one and sealed by another person.

    Again, the versions that are there. Raises DemonstrationFailed when something is refused.
    """
    books = [(kind, year) for year in YEARS for kind in (inventory.CITY, inventory.COMPANY)]
    made = []
    for number, (kind, year) in enumerate(books):
        progress(number, len(books))
        made.append(sealed(kind, year, series, maker, checker))
    progress(len(books), len(books))
    return made


def sealed(kind: str, year: int, series: DemoSites, maker: str, checker: str) -> inventory.Version:
    """One inventory of a year, compiled by the maker and sealed by the checker."""
    city, of_city = current_city(), kind == inventory.CITY
    subject, name = (
        (city, city_profile(city).name("ko")) if of_city else (OPERATOR, "데모 건물 운영자 (시연)")
    )
    specs = _city_lines(series) if of_city else _company_lines(series)
    with transaction() as tx:
        book = granted(inventory.open_inventory(
            tx, city, kind, subject, name, year, _settings(of_city), maker, CLOCK
        ))  # fmt: skip
        granted(inventory.set_policy(tx, city, kind, subject, _POLICY, maker, CLOCK))
        there = inventory.newest_sealed(tx, city, book.id)
        if there is None:
            granted(inventory.put_lines(tx, city, book.id, specs, "activity", "", maker, CLOCK))
            version = granted(inventory.compile_version(tx, city, book.id, maker, CLOCK))
            there = granted(inventory.decide(tx, city, version.id, True, "", checker, CLOCK))
    return there


def _settings(of_city: bool) -> inventory.Settings:
    if of_city:
        return inventory.Settings("AR5", "BASIC", _BOUNDARY)
    parts = tuple(
        inventory.Part(code, name, 10_000, operational=True, financial=True)
        for code, name in (("office", "데모 업무 건물 1"), ("college", "데모 교육 건물 1"))
    )
    return inventory.Settings(
        "AR5", "BASIC", "데모 건물 두 곳 (실측 재생). 차량·냉매·구매 품목은 잰 자료가 없습니다.",
        "operational-control", parts,
    )  # fmt: skip


def _city_lines(series: DemoSites) -> list[inventory.LineSpec]:
    more = series.more
    made = [
        _gas(_CITY, "homes-gas", "I.1.1", "데모 가구 도시가스", series.home_gas),
        _power(_CITY, "home-power", "I.1.2", "데모 가구 전력", series.home_electricity,
               series.young_electricity),
        _gas(_CITY, "college-gas", "I.2.1", "데모 교육 건물 도시가스", more.college_gas),
        _power(_CITY, "college-power", "I.2.2", "데모 교육 건물 전력", more.college_electricity),
        _power(_CITY, "office-power", "I.2.2", "데모 업무 건물 전력", more.office_electricity),
    ]  # fmt: skip
    return [*made, *_the_rest(inventory.CITY, made)]


def _company_lines(series: DemoSites) -> list[inventory.LineSpec]:
    more = series.more
    made = [
        _gas(_COMPANY, "college-gas", "1.1", "교육 건물 도시가스", more.college_gas,
             part="college"),
        _power(_COMPANY, "office-power", "2.L", "업무 건물 전력", more.office_electricity,
               part="office"),
        _power(_COMPANY, "college-power", "2.L", "교육 건물 전력", more.college_electricity,
               part="college"),
    ]  # fmt: skip
    return [*made, *_the_rest(inventory.COMPANY, made)]


def _power(
    factors: _Factors, code: str, ref: str, name: str, *meters: SeriesKey, part: str = ""
) -> inventory.LineSpec:
    return inventory.LineSpec(
        code, ref, name,
        activity=inventory.Activity("hub", "MWh", series=_names(meters)), factor=factors.power(),
        tier=2, activity_quality="H", factor_quality="M", activity_pct=_METER_PCT, entity=part,
        method="계량 전력량 × 전력 배출계수. 계량기 불확도 2 %는 가정이고, 계수의 불확도는 공표되지"
        " 않았습니다.",
    )  # fmt: skip


def _gas(
    factors: _Factors, code: str, ref: str, name: str, *meters: SeriesKey, part: str = ""
) -> inventory.LineSpec:
    return inventory.LineSpec(
        code, ref, name,
        activity=inventory.Activity("hub", "MWh", series=_names(meters), basis="gcv"),
        factor=factors.gas(), tier=2, activity_quality="H", factor_quality="M",
        activity_pct=_METER_PCT, factor_pct=_GAS_PCT, entity=part,
        method="계량 가스 열량(총발열량으로 봄) × 도시가스 배출계수. 계량기 불확도 2 %는 가정이고,"
        " 계수의 불확도는 IPCC 2006 기본값의 범위에서 옮겼습니다(확인 필요).",
    )  # fmt: skip


def _names(meters: tuple[SeriesKey, ...]) -> tuple[str, ...]:
    return tuple(f"{entity}#{attribute}" for entity, attribute in meters)


def _the_rest(kind: str, told: list[inventory.LineSpec]) -> list[inventory.LineSpec]:
    """NE, with its reason, for every row that a level asks for and nothing here measured."""
    known = {one.ref for one in told}
    return [
        inventory.LineSpec(f"ne-{row.ref}", row.ref, row.ko, notation=("NE",),
                           method=_NOT_ESTIMATED)
        for row in inventory.required_rows(kind, "BASIC")
        if row.ref not in known
    ]  # fmt: skip


def wrong(versions: list[inventory.Version]) -> list[str]:
    """What does not hold of sealed versions: the same bytes again, the sum of their lines."""
    city, found = current_city(), []
    with transaction() as tx:
        for one in versions:
            again = inventory.recompute(tx, city, one.id)
            if not (isinstance(again, inventory.Check) and again.identical):
                found.append(f"inventory {one.id} does not recompute to the same bytes")
            _, outputs = inventory.documents(tx, city, one.id)
            if one.co2e_kg != _added_up(outputs):
                found.append(f"inventory {one.id} is not the sum of its lines")
    return found


def _added_up(outputs: dict) -> Decimal:
    return sum((Decimal(line["co2e_kg"]) for line in outputs["lines"]
                if line.get("co2e_kg") is not None), Decimal(0))  # fmt: skip
