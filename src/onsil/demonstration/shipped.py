"""Measured data that lie beside the code: an office, a college, and a second solar plant.

| site | measured | replayed as | shift |
| --- | --- | --- | --- |
| office | March 2012 - February 2015, daily | March 2023 - February 2026 | 4,018 days |
| college | 2020 and 2021, daily | 2024 and 2025 | 1,461 days |
| solar 2 | July - October 2016, every 15 minutes | July - October 2025 | 3,287 days |

4,018 days are whole weeks: a Monday stays a Monday. The office's last three months come in a second
delivery, after the year was first quantified, as late readings do: see `runs`.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from onsil import devices, hub
from onsil.building.services import MeterSpec, SiteSpec
from onsil.demonstration.measured import PVANALYTICS, fetch, member
from onsil.tenancy import current_city, transaction

SeriesKey = tuple[str, str]
OFFICE_SHIFT, COLLEGE_SHIFT, SOLAR_SHIFT = (timedelta(days=n) for n in (4_018, 1_461, 3_287))
LATE_FROM = date(2025, 12, 1)
SOLAR_KW = Decimal(6)
_DAY_S = 86_400
_NMECR = "kW-Labs nmecr contributors (MIT)"
_CAMBRIDGE = "Energy Efficient Cities Initiative, University of Cambridge (MIT)"
_SERF = "pvanalytics/data/serf_east_15min_ac_power.csv"
_POWER = ("electricity", "Wh", "consumed")


@dataclass(frozen=True)
class MoreSeries:
    """The series of the three sites, as (entity, attribute)."""

    office_electricity: SeriesKey
    office_temperature: SeriesKey
    college_electricity: SeriesKey
    college_gas: SeriesKey
    solar: SeriesKey
    solar_import: SeriesKey

    def all(self) -> list[SeriesKey]:
        return [self.office_electricity, self.office_temperature, self.college_electricity,
                self.college_gas, self.solar, self.solar_import]  # fmt: skip


def series_of(city: str) -> MoreSeries:
    """Where each stream goes."""

    def meter(name: str, attribute: str, kind: str = "Meter") -> SeriesKey:
        return hub.entity_uri(kind, city, f"demo-{name}"), attribute

    return MoreSeries(
        meter("office-1-electricity", "consumedEnergy"),
        meter("office-1-weather", "temperature", "WeatherObserved"),
        meter("college-1-electricity", "consumedEnergy"),
        meter("college-1-gas", "consumedEnergy"),
        meter("solar-2", "generatedEnergy", "PhotovoltaicDevice"),
        meter("solar-2-auxiliary", "consumedEnergy"),
    )


def site_specs(series: MoreSeries) -> list[tuple[SiteSpec, str, list[MeterSpec]]]:
    """The three sites with their attribution and meters, for the register."""
    serf = f"{PVANALYTICS.attribution.split(';')[0]} ({PVANALYTICS.licence})"
    return [
        (SiteSpec(
            "demo-office-1", "remodelled", "데모 업무 건물 1", "Demo office 1",
            Decimal("127.1010"), Decimal("36.9940"), replayed=True,
            note_ko="장소가 공개되지 않은 실제 업무 건물의 2012–2015년 일별 실측을"
            " 2023–2026년으로 재생합니다.",
            note_en="A real commercial building (place not stated) measured daily 2012-2015,"
            " replayed as 2023-2026.",
        ), _NMECR, [
            MeterSpec("electricity", *series.office_electricity, *_POWER),
            MeterSpec("weather", *series.office_temperature, "temperature", "degC", "ambient"),
        ]),
        (SiteSpec(
            "demo-college-1", "public", "데모 교육 건물 1", "Demo college 1",
            Decimal("127.0880"), Decimal("36.9985"), replayed=True,
            note_ko="영국 대학 건물 한 동의 2020–2021년 실측을 2024–2025년으로 재생합니다.",
            note_en="One building of a British university measured 2020-2021, replayed as"
            " 2024-2025.",
        ), _CAMBRIDGE, [
            MeterSpec("electricity", *series.college_electricity, *_POWER),
            MeterSpec("gas", *series.college_gas, "gas", "Wh", "consumed"),
        ]),
        (SiteSpec(
            "demo-solar-2", "solar", "데모 태양광 2", "Demo solar 2", Decimal("127.1150"),
            Decimal("36.9890"), capacity_kw=SOLAR_KW, replayed=True,
            note_ko="미국 콜로라도 2016년 7–10월 15분 실측을 2025년으로 재생합니다. 용량은 출처에"
            " 없어 가장 큰 실측 출력을 올림한 값입니다.",
            note_en="Measured every 15 minutes in Colorado, July to October 2016, replayed as 2025."
            " The source states no capacity: it is the largest measured power, rounded up.",
        ), serf, [
            MeterSpec("pv", *series.solar, "electricity", "Wh", "generated"),
            MeterSpec("auxiliary", *series.solar_import, *_POWER),
        ]),
    ]  # fmt: skip


def tables(series: MoreSeries, folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Each file with its mapping, the plant's out of its wheel."""
    return [*come_along(series, folder), _plant(series, folder)]


def come_along(series: MoreSeries, folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The files that lie beside the code, without the office's late delivery."""
    early = [row for row in _office_rows(folder) if row[:10] < _office_cut()]
    return [
        (_written(folder / f"office-until-{_office_cut()}.csv", early),
         _office(series, "observed")),
        *((_copied(f"college-{carrier}-daily.csv", folder), _daily(
            [{**_energy("kwh"), "entity": key[0], "attribute": key[1]}], COLLEGE_SHIFT,
            _CAMBRIDGE, "observed",
        )) for carrier, key in (("electricity", series.college_electricity),
                                ("gas", series.college_gas))),
    ]  # fmt: skip


def _plant(series: MoreSeries, folder: Path) -> tuple[Path, dict[str, Any]]:
    return two_registers(member(fetch(PVANALYTICS, folder), _SERF, folder)), {
        "attribution": PVANALYTICS.attribution.split(";")[0],
        "time": {"column": "measured_on", "interval_s": 900, "zone": "Etc/GMT+7",
                 "replay_zone": "Asia/Seoul", "shift_days": SOLAR_SHIFT.days,
                 "arrival": "observed"},
        "series": [
            {"column": column, "unit": "W", "stored_unit": "Wh", "power": True, "decimals": 3,
             "minimum": 0, "maximum": 2_000, "source": "replayed",
             "note": "signed power of one channel split by its sign",
             "entity": key[0], "attribute": key[1]}
            for column, key in (("sent_w", series.solar), ("taken_w", series.solar_import))
        ],
    }  # fmt: skip


def two_registers(path: Path) -> Path:
    """The plant's signed power as the two registers of its meter: sent out, and taken at night."""
    target = path.with_name(f"registers-{path.name}")
    lines = path.read_text("utf-8").splitlines()[1:]
    rows = (row.split(",") for row in lines if "," in row)
    held = [(at, Decimal(watts)) for at, watts in rows if watts]
    target.write_text(
        "measured_on,sent_w,taken_w\n"
        + "".join(f"{at},{max(w, Decimal(0))},{max(-w, Decimal(0))}\n" for at, w in held),
        "utf-8",
    )
    return target


def late_delivered(series: MoreSeries) -> bool:
    """Whether the office's second delivery is in."""
    with transaction() as tx:
        found = hub.find_series(
            tx, current_city(), entities=[series.office_electricity[0]],
            attribute=series.office_electricity[1],
        )  # fmt: skip
        newest = hub.latest(tx, current_city(), [one.id for one in found])
    return any(point.observed_at.date() >= LATE_FROM for point in newest.values())


def deliver_late(series: MoreSeries, folder: Path) -> int:
    """Import the office's last months, received now and not when they were measured."""
    rows = [row for row in _office_rows(folder) if row[:10] >= _office_cut()]
    path = _written(folder / f"office-from-{_office_cut()}.csv", rows)
    with transaction() as tx:
        report = devices.import_table(
            tx, current_city(), path, devices.mapping_of(_office(series, "import"))
        )
    return report.stored


def _office_cut() -> str:
    """The first late day, as the source dates it."""
    return (LATE_FROM - OFFICE_SHIFT).isoformat()


def _office(series: MoreSeries, arrival: str) -> dict[str, Any]:
    (meter, used), (station, felt) = series.office_electricity, series.office_temperature
    return _daily([
        {**_energy("kwh"), "entity": meter, "attribute": used},
        {"column": "temp_f", "unit": "degF", "stored_unit": "degC", "kind": "gauge",
         "decimals": 4, "minimum": -60, "maximum": 60, "source": "replayed",
         "entity": station, "attribute": felt},
    ], OFFICE_SHIFT, _NMECR, arrival)  # fmt: skip


def _energy(column: str) -> dict[str, Any]:
    return {"column": column, "unit": "kWh", "stored_unit": "Wh", "minimum": 0,
            "maximum": 100_000_000, "source": "replayed"}  # fmt: skip


def _daily(
    columns: list[dict[str, Any]], shift: timedelta, attribution: str, arrival: str
) -> dict[str, Any]:
    return {
        "attribution": attribution,
        "time": {"column": "date", "interval_s": _DAY_S, "zone": "Asia/Seoul",
                 "shift_days": shift.days, "arrival": arrival},
        "series": columns,
    }  # fmt: skip


def _office_rows(folder: Path) -> list[str]:
    return _copied("office-daily.csv", folder).read_text("utf-8").splitlines()[1:]


def _copied(name: str, folder: Path) -> Path:
    """A file that came along, as a path of its own."""
    with as_file(files("onsil.demonstration").joinpath("data", name)) as path:
        target = folder / name
        target.write_bytes(path.read_bytes())
    return target


def _written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["date,kwh,temp_f", *rows]) + "\n", "utf-8")
    return path


def published_office_kwh() -> dict[date, Decimal]:
    """What the office's published file says of each of its own days, in kWh."""
    text = files("onsil.demonstration").joinpath("data", "office-daily.csv").read_text("utf-8")
    cells = (row.split(",") for row in text.splitlines()[1:])
    return {date.fromisoformat(day): Decimal(kwh) for day, kwh, _ in cells}
