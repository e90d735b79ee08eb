"""Sites, meters and their measured readings, with the dates shifted openly into 2024-2026.

| site | measured | replayed as | shift |
| --- | --- | --- | --- |
| solar | April 2011 - December 2013 | April 2024 - today | 4,749 days |
| home 1 | April 2020 - December 2022 | April 2024 - today | 1,461 days |
| home 2 | October 2012 - January 2014 | October 2024 - January 2026 | 4,383 days |

Three more come from data that lie beside the code (`shipped`). The wall clock of the source is
kept: noon there is noon here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from onsil import devices, hub
from onsil.building import services as register
from onsil.building.services import MeterSpec, SiteSpec
from onsil.core.refusal import Refusal
from onsil.demonstration import shipped
from onsil.demonstration.cast import Cast
from onsil.demonstration.measured import OPENDSM, PVANALYTICS, Wheel, fetch, member
from onsil.demonstration.shipped import MoreSeries, SeriesKey
from onsil.tenancy import current_city, transaction

_UK = "opendsm/eemeter/samples/"
_PV = "pvanalytics/data/system_50_ac_power_2_full_DST.parquet"


@dataclass(frozen=True)
class DemoSites:
    """The series of the demonstration, as (entity, attribute)."""

    solar: SeriesKey
    home_electricity: SeriesKey
    home_gas: SeriesKey
    home_temperature: SeriesKey
    young_electricity: SeriesKey
    young_temperature: SeriesKey
    more: MoreSeries

    def all(self) -> list[SeriesKey]:
        return [self.solar, self.home_electricity, self.home_gas, self.home_temperature,
                self.young_electricity, self.young_temperature, *self.more.all()]  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """One file to import: where it is, what it means, and, where its replay may reach past
    today, the column of its times and the shift of its days."""

    path: Path
    mapping: dict[str, Any]
    column: str = ""
    shift_days: int = 0


def series_of(city: str) -> DemoSites:
    """Where each stream of the demonstration goes."""

    def meter(name: str, attribute: str, kind: str = "Meter") -> SeriesKey:
        return hub.entity_uri(kind, city, f"demo-{name}"), attribute

    return DemoSites(
        meter("solar-1", "generatedEnergy", "PhotovoltaicDevice"),
        meter("home-1-electricity", "consumedEnergy"),
        meter("home-1-gas", "consumedEnergy"),
        meter("home-1-weather", "temperature", "WeatherObserved"),
        meter("home-2-electricity", "consumedEnergy"),
        meter("home-2-weather", "temperature", "WeatherObserved"),
        shipped.series_of(city),
    )


def register_sites(cast: Cast) -> DemoSites:
    """Enter the sites and their meters. Raises RuntimeError when the register refuses."""
    city = current_city()
    series = series_of(city)
    power = ("electricity", "Wh", "consumed")
    _enter(SiteSpec(
        "demo-solar-1", "solar", "데모 태양광 1", "Demo solar 1", Decimal("127.1128"),
        Decimal("36.9922"), capacity_kw=Decimal("3.4"), replayed=True,
        note_ko="미국 콜로라도 2011–2013년 15분 실측을 2024–2026년으로 재생합니다.",
        note_en="Measured every 15 minutes in Colorado, 2011-2013, replayed as 2024-2026.",
    ), _credit(PVANALYTICS), [
        MeterSpec("pv", *series.solar, "electricity", "Wh", "generated"),
    ])  # fmt: skip
    _enter(SiteSpec(
        "demo-home-1", "household", "데모 가구 1", "Demo home 1", Decimal("127.0985"),
        Decimal("36.9961"), person=cast.citizens[0].pk, replayed=True,
        note_ko="영국 한 가구의 2020–2022년 실측을 2024–2026년으로 재생합니다.",
        note_en="One United Kingdom home measured 2020-2022, replayed as 2024-2026.",
    ), _credit(OPENDSM), [
        MeterSpec("electricity", *series.home_electricity, *power),
        MeterSpec("gas", *series.home_gas, "gas", "Wh", "consumed"),
        MeterSpec("weather", *series.home_temperature, "temperature", "degC", "ambient"),
    ])  # fmt: skip
    _enter(SiteSpec(
        "demo-home-2", "household", "데모 가구 2", "Demo home 2", Decimal("126.9310"),
        Decimal("36.9905"), person=cast.citizens[1].pk, replayed=True,
        note_ko="영국 한 가구의 2012–2014년 실측을 2024–2026년으로 재생합니다.",
        note_en="One United Kingdom home measured 2012-2014, replayed as 2024-2026.",
    ), _credit(OPENDSM), [
        MeterSpec("electricity", *series.young_electricity, *power),
        MeterSpec("weather", *series.young_temperature, "temperature", "degC", "ambient"),
    ])  # fmt: skip
    for spec, credit, meters in shipped.site_specs(series.more):
        _enter(spec, credit, meters)
    return series


def _credit(source: Wheel) -> str:
    return f"{source.attribution} ({source.licence})"


def _enter(spec: SiteSpec, credit: str, meters: list[MeterSpec]) -> None:
    spec = replace(spec, attribution_ko=f"실측: {credit}", attribution_en=f"Measured: {credit}")
    made = register.register_site(current_city(), spec, meters, actor="demonstration")
    if isinstance(made, Refusal):
        raise RuntimeError(made.en)


def import_readings(
    series: DemoSites, folder: Path, progress: Callable[[int, int], None]
) -> tuple[int, bool]:
    """Fetch the measured data and import what is not there yet: (readings stored, was new).

    `progress(done, total)` counts files.
    """
    city = current_city()
    with transaction() as tx:
        found = hub.find_series(tx, city, entities=[entity for entity, _ in series.all()])
        latest = hub.latest(tx, city, [s.id for s in found])
    if len(found) == len(series.all()) and len(latest) == len(found):
        progress(1, 1)
        return 0, False
    tables = [*_tables(series, folder), *(
        _Table(path, mapping) for path, mapping in shipped.tables(series.more, folder)
    )]  # fmt: skip
    stored = 0
    for number, table in enumerate(tables):
        progress(number, len(tables))
        path = _before_today(table) if table.column else table.path
        with transaction() as tx:
            report = devices.import_table(tx, city, path, devices.mapping_of(table.mapping))
        stored += report.stored
    progress(len(tables), len(tables))
    return stored, True


def _tables(series: DemoSites, folder: Path) -> list[_Table]:
    pv, uk = fetch(PVANALYTICS, folder), fetch(OPENDSM, folder)

    def home(file: str, target: SeriesKey, interval_s: int, shift: int) -> _Table:
        value = {"column": "value", "unit": "kWh", "stored_unit": "Wh", "minimum": 0,
                 "maximum": 50_000}  # fmt: skip
        path = member(uk, f"{_UK}{file}.csv.gz", folder)
        return _Table(path, _mapping("start", interval_s, shift, target, value,
                                     OPENDSM.attribution), "start", shift)  # fmt: skip

    def weather(file: str, target: SeriesKey, shift: int) -> _Table:
        value = {"column": "tempC", "unit": "degC", "kind": "gauge", "decimals": 4,
                 "minimum": -40, "maximum": 50}  # fmt: skip
        path = member(uk, f"{_UK}{file}.csv.gz", folder)
        return _Table(path, _mapping("dt", 3600, shift, target, value, OPENDSM.attribution),
                      "dt", shift)  # fmt: skip

    solar = {"column": "ac_power_2", "unit": "W", "stored_unit": "Wh", "power": True,
             "decimals": 3, "minimum": -5, "maximum": 1_000}  # fmt: skip
    return [
        _Table(member(pv, _PV, folder),
               _mapping("measured_on", 900, 4_749, series.solar, solar, PVANALYTICS.attribution,
                        "Etc/GMT+7"), "measured_on", 4_749),
        home("uk-electricity-hdd-only-hourly-sample-0", series.home_electricity, 3600, 1_461),
        home("uk-gas-hdd-only-hourly-sample-0", series.home_gas, 3600, 1_461),
        weather("uk-tempC-sample-0", series.home_temperature, 1_461),
        home("uk-electricity-hdd-only-hourly-sample-1", series.young_electricity, 1800, 4_383),
        weather("uk-tempC-sample-1_2", series.young_temperature, 4_383),
    ]  # fmt: skip


def _mapping(
    column: str, interval_s: int, shift_days: int, target: SeriesKey, value: dict[str, Any],
    attribution: str, zone: str = "UTC",
) -> dict[str, Any]:  # fmt: skip
    entity, attribute = target
    return {
        "attribution": attribution,
        "time": {
            "column": column, "interval_s": interval_s, "zone": zone,
            "replay_zone": "Asia/Seoul", "shift_days": shift_days, "arrival": "observed",
        },
        "series": [{**value, "entity": entity, "attribute": attribute, "source": "replayed"}],
    }  # fmt: skip


def _before_today(table: _Table) -> Path:
    """The table without the rows whose replayed day has not come yet."""
    today = datetime.now(UTC).date()
    last = today - timedelta(days=table.shift_days)
    reader = pyarrow.parquet.read_table if table.path.suffix == ".parquet" else _text_table
    rows = reader(table.path)
    stamps = pc.cast(rows[table.column], "string")  # pyright: ignore
    kept = rows.filter(pc.less(pc.utf8_slice_codeunits(stamps, 0, 10), last.isoformat()))  # pyright: ignore
    if kept.num_rows == rows.num_rows:
        return table.path
    path = table.path.with_name(f"until-{last.isoformat()}-{table.path.stem}.parquet")
    pyarrow.parquet.write_table(kept, path)
    return path


def _text_table(path: Path) -> Any:
    with pa.CompressedInputStream(str(path), "gzip") as stream:
        return pyarrow.csv.read_csv(
            stream,
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: "string" for name in ("start", "dt", "value", "tempC")}
            ),
        )
