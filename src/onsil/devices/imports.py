"""Tables from files into the hub, by a mapping, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from onsil.core.clock import Clock, SystemClock
from onsil.core.database import Connection
from onsil.devices.drivers.table import open_table, rows_to_readings
from onsil.devices.mapping import TableMapping
from onsil.hub import Series, ensure_series, record

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class ImportReport:
    """What became of a file. `missing` are cells marked as such; they are no readings.

    `first` and `last` are the observation times, as stored, of the earliest and latest reading.
    """

    rows: int = 0
    stored: int = 0
    duplicate: int = 0
    corrected: int = 0
    late: int = 0
    missing: int = 0
    quarantined: int = 0
    first: datetime | None = None
    last: datetime | None = None
    series: list[Series] = field(default_factory=list)


def import_table(
    conn: Connection,
    city: str,
    path: Path,
    mapping: TableMapping,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> ImportReport:
    """Import a CSV or Parquet file; its series are registered first.

    All or nothing, in the caller's transaction; importing the same file again stores nothing.
    `progress(rows done, rows in all or None)` is called as it goes. Raises DecodeError for a file
    that cannot be read, OperationError for a mapping that does not fit what is there.
    """
    clock = clock or SystemClock()
    series = ensure_series(conn, city, mapping.specs(city), clock)
    report = ImportReport(series=list(series.values()))
    for rows in open_table(path, mapping):
        readings, missing = rows_to_readings(rows, mapping, city, path.name)
        done = record(conn, city, readings, clock, f"file:{path.name}")
        times = [reading.observed_at for reading in readings]
        times += [t for t in (report.first, report.last) if t]
        report = replace(
            report,
            rows=report.rows + rows.count,
            stored=report.stored + done.stored,
            duplicate=report.duplicate + done.duplicate,
            corrected=report.corrected + done.corrected,
            late=report.late + done.late,
            missing=report.missing + missing,
            quarantined=report.quarantined + len(done.quarantined),
            first=min(times, default=None),
            last=max(times, default=None),
        )
        if progress:
            progress(report.rows, rows.total)
    return report
