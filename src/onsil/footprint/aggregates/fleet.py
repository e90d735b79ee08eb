"""A fleet of sites quantified in one run from the lake: added up by an engine, kept like any run.

The engine counts and adds whole numbers; decimals, factors and rounding are Python's, in the same
methodology and under the same hashes as ever. A bundle of the run recomputes from the sums; with
the lake's files at hand `recheck_fleet` adds those up again too.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa

from onsil.core.canonical import decimal_text
from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.core.periods import Period, local_day, local_month
from onsil.core.quantities import UnitError, convert, same_dimension
from onsil.core.refusal import Refusal
from onsil.footprint.aggregates.engines import HERE, Engine, engine
from onsil.footprint.aggregates.evidence import Checking, file_rows, files_named, files_of
from onsil.footprint.aggregates.expressions import (
    MILLI,
    SLOT_S,
    VALUE,
    Measure,
    Span,
    per_meter_and_part,
    slots_of,
)
from onsil.footprint.engine import ARITHMETIC, table_lines
from onsil.footprint.factors import FactorAuthority
from onsil.footprint.methodologies import check_tables, methodology
from onsil.footprint.methodologies.solar_fleet import ID, ceiling_wh
from onsil.footprint.quantification import SEOUL, quantify
from onsil.footprint.rows import readings, run_texts, sha256_of, unknown_run
from onsil.footprint.terms import Recomputation, Run
from onsil.hub import Series
from onsil.hub.lake.place import LakeFile
from onsil.hub.series import series_of

_KINDS = ("interval", "gauge")


@dataclass(frozen=True)
class FleetSite:
    """A plant of the fleet: its meter as "entity#attribute", and what is stated of it."""

    meter: str
    capacity_kw: Decimal
    no_export: bool


@dataclass(frozen=True)
class _Metered:
    site: FleetSite
    series: Series
    wh: Decimal  # of one of the series' units in one interval


def quantify_fleet(
    conn: Connection,
    city: str,
    sites: Sequence[FleetSite],
    period: Period,
    authority: FactorAuthority | Sequence[FactorAuthority],
    actor: str,
    clock: Clock,
    zone: ZoneInfo = SEOUL,
    *,
    parameters: Mapping[str, Any] | None = None,
    engine_url: str = HERE,
) -> Run | Refusal:
    """One run (methodology solar-fleet) over many sites, from quarter-hours in the lake.

    `engine_url`: see `engines`. The run does not depend on it. One line a site, by month.

    Refused: unknown-series, series-unfit, period-uneven, lake-incomplete, lake-layout,
    evidence-broken, and whatever `quantify` refuses. Raises OperationError for an engine that is
    not there, OSError for a file that is not.
    """
    metered = _metered(conn, city, sites)
    if isinstance(metered, Refusal):
        return metered
    if any(at.timestamp() % SLOT_S for at in (period.start, period.end)):
        return Refusal(
            "period-uneven",
            "기간은 15분 단위로 시작하고 끝나야 합니다.",
            "The period must begin and end at quarter-hours.",
        )
    found = files_of(conn, city, period, [one.series.id for one in metered])
    if isinstance(found, Refusal):
        return found
    checking = Checking(found)
    summed = _site_rows(metered, found, period, zone, engine_url)
    refusal = checking.refusal()
    if refusal is not None:
        return refusal
    tables = {"sites": summed, "files": file_rows(conn, city, found)}
    return quantify(
        conn, city, ID, {}, parameters or {}, period, authority, actor, clock, zone, tables=tables
    )


def recheck_fleet(
    conn: Connection, city: str, run_id: UUID, engine_url: str = HERE
) -> Recomputation | Refusal:
    """Add up a run's sites from the lake's files again and compare the sums, byte for byte.

    The files are those the run names, whatever was exported since; the digests are those of the
    table of sites. Refused: `unknown-run`, `not-a-fleet` for a run of another methodology,
    `evidence-broken` for a file that is gone or changed, unknown-series.
    """
    stored = run_texts(conn, city, run_id)
    if stored is None:
        return unknown_run(run_id)
    inputs = json.loads(stored["inputs"])
    if inputs["methodology"]["id"] != ID:
        return Refusal(
            "not-a-fleet",
            f"산정 {run_id}은(는) 레이크에서 더한 설비 전체의 산정이 아닙니다.",
            f"Run {run_id} is not of a fleet added up from the lake.",
            {"run": str(run_id), "methodology": inputs["methodology"]["id"]},
        )
    lines, tables = readings(conn, city, run_id), inputs["tables"]
    kept, named = (
        [json.loads(line) for line in lines[tables[role]["sha256"]].splitlines()]
        for role in ("sites", "files")
    )
    sites = [FleetSite(r["id"], Decimal(r["capacity_kw"]), r["no_export"]) for r in kept]
    metered = _metered(conn, city, sites)
    if isinstance(metered, Refusal):
        return metered
    period = Period(*(datetime.fromisoformat(inputs["period"][end]) for end in ("start", "end")))
    found = files_named(conn, city, period, named)
    if isinstance(found, Refusal):
        return found
    checking = Checking(found)
    try:
        summed = _site_rows(metered, found, period, ZoneInfo(inputs["zone"]), engine_url)
    except Exception:  # an engine chokes on a broken file in its own way: the hashes say which
        refusal = checking.refusal()
        if refusal is None:
            raise
        return refusal
    refusal = checking.refusal()
    if refusal is not None:
        return refusal
    made = methodology(ID, inputs["methodology"]["version"])
    assert not isinstance(made, Refusal)
    typed = check_tables(made, {"sites": summed, "files": named})
    assert not isinstance(typed, Refusal)
    before, again = tables["sites"]["sha256"], sha256_of(table_lines(typed["sites"]))
    return Recomputation(again == before, before, again, stored["engine"])


def _metered(conn: Connection, city: str, sites: Sequence[FleetSite]) -> list[_Metered] | Refusal:
    keys = {site.meter: (site.meter.rpartition("#")[0], site.meter.rpartition("#")[2])
            for site in sites}  # fmt: skip
    known = series_of(conn, city, keys.values())
    made: list[_Metered] = []
    units: dict[str, Decimal | None] = {}
    for site in sites:
        series = known.get(keys[site.meter])
        if series is None:
            return Refusal(
                "unknown-series",
                f"허브에 계열 {site.meter}이(가) 없습니다.",
                f"The hub has no series {site.meter}.",
                {"series": site.meter},
            )
        if series.unit not in units:
            units[series.unit] = _wh(series.unit)
        wh = units[series.unit]
        if wh is None or series.interval_s != SLOT_S or series.kind not in _KINDS:
            return Refusal(
                "series-unfit",
                f"{site.meter}: 15분 전력 또는 구간 전력량이 아닙니다 "
                f"({series.unit}, {series.interval_s}초, {series.kind}). 설비별로 산정하세요.",
                f"{site.meter} is not quarter-hourly power or energy ({series.unit}, "
                f"{series.interval_s} s, {series.kind}); quantify the site by itself.",
                {"series": site.meter, "unit": series.unit, "interval_s": series.interval_s},
            )
        made.append(_Metered(site, series, wh))
    return made


def _wh(unit: str) -> Decimal | None:
    """Wh that one unit comes to in a quarter-hour; None when it measures something else."""
    try:
        if same_dimension(unit, "W"):
            return convert(Decimal(1), unit, "W") * SLOT_S / 3600
        return convert(Decimal(1), unit, "Wh")
    except UnitError:
        return None


def _site_rows(
    metered: Sequence[_Metered],
    found: Sequence[LakeFile],
    period: Period,
    zone: ZoneInfo,
    engine_url: str,
) -> list[dict[str, Any]]:
    """The rows of the methodology's table of sites: counts by fate, energy, energy by month."""
    names, span = _months(period, zone)
    with engine(engine_url) as opened:
        sums = _sums(opened, metered, found, span, MILLI)
        if any(row["unread"] for parts in sums.values() for row in parts):
            sums = _sums(opened, metered, found, span, VALUE)
            measure = VALUE
        else:
            measure = MILLI
    expected = span.last - span.first
    with localcontext(ARITHMETIC):
        return [
            _site_row(one, sums.get(one.series.id, []), names, expected, measure) for one in metered
        ]


def _sums(
    opened: Engine,
    metered: Sequence[_Metered],
    found: Sequence[LakeFile],
    span: Span,
    measure: Measure,
) -> dict[int, list[dict[str, Any]]]:
    """What the engine says of each series, in order of parts."""
    answer = opened.collect(
        per_meter_and_part(opened, found, _ceilings(metered, measure), span, measure)
    )
    sums: dict[int, list[dict[str, Any]]] = {}
    for row in answer.sort_by([("series_id", "ascending"), ("part", "ascending")]).to_pylist():
        sums.setdefault(row["series_id"], []).append(row)
    return sums


def _ceilings(metered: Sequence[_Metered], measure: Measure) -> pa.Table:
    """The most that an interval of each series may hold, in the measure's units, rounded down."""
    places = Decimal(1) if measure is MILLI else Decimal(1).scaleb(-12)
    with localcontext(ARITHMETIC):
        most = [
            (ceiling_wh(one.site.capacity_kw) / one.wh * measure.scale).quantize(
                places, ROUND_FLOOR
            )
            for one in metered
        ]
    kind = pa.int64() if measure is MILLI else pa.decimal128(38, 12)
    values = [int(one) for one in most] if measure is MILLI else most
    return pa.table(
        {
            "series_id": pa.array([one.series.id for one in metered], pa.int32()),
            "ceiling": pa.array(values, kind),
        }
    )


def _site_row(
    one: _Metered,
    parts: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    expected: int,
    measure: Measure,
) -> dict[str, Any]:
    on_time, negative, above, unread = (
        sum(part[name] for part in parts) for name in ("on_time", "negative", "above", "unread")
    )
    wh = one.wh / measure.scale
    made = {
        "id": one.site.meter,
        "capacity_kw": one.site.capacity_kw,
        "no_export": one.site.no_export,
        "expected": expected,
        "used": on_time - negative - above - unread,
        "missing": expected - on_time,
        "negative": negative,
        "above_capacity": above,
        "unread": unread,
        "off_grid": sum(part["readings"] for part in parts) - on_time,
        "energy_wh": sum(part["total"] for part in parts) * wh,
    }
    months = " ".join(
        f"{names[part['part']]}={decimal_text(part['total'] * wh)}"
        for part in parts
        if part["total"]
    )
    return {**made, "months": months} if months else made


def _months(period: Period, zone: ZoneInfo) -> tuple[list[str], Span]:
    """The local months of a period by name, and where they begin and end."""
    names: list[str] = []
    bounds: list[int] = []
    begins = period.start
    while begins < period.end:
        day = local_day(begins, zone)
        ends = min(local_month(day.year, day.month, zone).end, period.end)
        names.append(f"{day:%Y-%m}")
        bounds.append(slots_of(Period(begins, ends))[0])
        begins = ends
    return names, Span((*bounds, slots_of(period)[1]))
