"""Tables: CSV, XLSX and Parquet, read by a mapping into readings."""

import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from onsil.core.refusal import OperationError
from onsil.devices.drivers.json_payload import malformed
from onsil.devices.drivers.sheet import Rows, sheet_rows
from onsil.devices.mapping import TableMapping, TimeColumn, ValueColumn, entity_of, mapping_of
from onsil.devices.terms import DecodeError, Frame
from onsil.hub import Reading

BATCH_ROWS = 20_000


def open_table(source: Path | bytes, mapping: TableMapping) -> Iterator[Rows]:
    """Read a CSV (also gzipped), XLSX or Parquet table in parts. Raises DecodeError."""
    try:
        raw = source if isinstance(source, bytes) else None
        head = raw[:4] if raw is not None else _head(source)  # pyright: ignore
        if head == b"PAR1":
            yield from _parquet(pa.BufferReader(raw) if raw is not None else str(source), mapping)
        elif head == b"PK\x03\x04":
            yield from sheet_rows(source, mapping, BATCH_ROWS, _check_columns)
        else:
            body = raw if raw is not None else Path(source).read_bytes()  # pyright: ignore
            yield from _csv(gzip.decompress(body) if head[:2] == b"\x1f\x8b" else body, mapping)
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        raise malformed(str(error).splitlines()[0]) from error


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _wanted(mapping: TableMapping) -> list[str]:
    names = [mapping.time.column]
    for one in mapping.series:
        names += [one.column, *(one.where or {})]
    return list(dict.fromkeys(names))


def _check_columns(there: Sequence[str], mapping: TableMapping) -> None:
    missing = [name for name in _wanted(mapping) if name not in there]
    if missing:
        raise DecodeError(
            "no-column",
            f"표에 열이 없습니다: {', '.join(missing)}. 있는 열: {', '.join(there)}.",
            f"The table has no column {', '.join(missing)}. It has {', '.join(there)}.",
        )


def _parquet(source: Any, mapping: TableMapping) -> Iterator[Rows]:
    file = pa.parquet.ParquetFile(source)
    _check_columns(file.schema_arrow.names, mapping)
    for part in file.iter_batches(BATCH_ROWS, columns=_wanted(mapping)):
        columns = {name: part.column(name).to_pylist() for name in part.schema.names}
        yield Rows(columns, part.num_rows, file.metadata.num_rows)


def _csv(body: bytes, mapping: TableMapping) -> Iterator[Rows]:
    """Every cell is read as text, so that no number is rounded before it is looked at."""
    options = pa.csv.ReadOptions(encoding=mapping.encoding, skip_rows=mapping.skip_rows)
    parse = pa.csv.ParseOptions(delimiter=mapping.delimiter)
    with pa.csv.open_csv(io.BytesIO(body), options, parse) as first:
        names = first.schema.names
    _check_columns(names, mapping)
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        include_columns=_wanted(mapping),
        strings_can_be_null=False,
    )
    table = pa.csv.read_csv(io.BytesIO(body), options, parse, convert)
    for part in table.to_batches(max_chunksize=BATCH_ROWS):
        columns = {name: part.column(name).to_pylist() for name in part.schema.names}
        yield Rows(columns, part.num_rows, table.num_rows)


def rows_to_readings(
    rows: Rows, mapping: TableMapping, city: str, message_id: str = ""
) -> tuple[list[Reading], int]:
    """The readings of a part, and how many cells were marked as missing."""
    times = [_instant(raw, mapping.time) for raw in rows.columns[mapping.time.column]]
    readings: list[Reading] = []
    missing = 0
    for one in mapping.series:
        entity = entity_of(one, city)
        for position, raw in _cells(rows, one):
            if raw is None or (isinstance(raw, str) and raw.strip() in mapping.missing):
                missing += 1
                continue
            at = times[position]
            readings.append(
                Reading(
                    entity, one.attribute, at, _number(raw, one, mapping.time),
                    one.sent_unit if one.power else one.unit,
                    _arrival(at, mapping.time), message_id,
                )
            )  # fmt: skip
    return readings, missing


def _cells(rows: Rows, column: ValueColumn) -> Iterator[tuple[int, Any]]:
    where = [(rows.columns[name], value) for name, value in (column.where or {}).items()]
    for position, cell in enumerate(rows.columns[column.column]):
        if all(str(cells[position]) == value for cells, value in where):
            yield position, cell


def _number(raw: Any, column: ValueColumn, time: TimeColumn) -> Any:
    """The cell as a decimal, scaled; what is no number goes on as it is, to be set aside."""
    try:
        value = Decimal(raw.strip() if isinstance(raw, str) else repr(raw))
    except (InvalidOperation, ValueError):
        return raw
    if not value.is_finite():
        return raw
    if column.decimals >= 0:
        value = round(value, column.decimals)
    value *= column.scale
    return value * time.interval_s / 3600 if column.power else value


def _arrival(at: datetime, time: TimeColumn) -> datetime | None:
    return at + timedelta(seconds=time.interval_s) if time.arrival == "observed" else None


def _instant(raw: Any, time: TimeColumn) -> datetime:
    """A stamp as the start of its interval in UTC, replayed where the mapping says so."""
    try:
        if isinstance(raw, datetime):
            stamp = raw
        elif time.format:
            stamp = datetime.strptime(str(raw).strip(), time.format)  # noqa: DTZ007
        else:
            stamp = datetime.fromisoformat(str(raw).strip())
    except ValueError:
        raise DecodeError(
            "bad-time",
            f"시각을 읽을 수 없습니다: {str(raw)[:40]!r}. 매핑의 time.format을 확인하세요.",
            f"Not a time: {str(raw)[:40]!r}. Check time.format in the mapping.",
        ) from None
    zone = ZoneInfo(time.zone)
    stamp = stamp.replace(tzinfo=zone) if stamp.tzinfo is None else stamp
    if time.replay_zone:
        stamp = stamp.astimezone(zone).replace(tzinfo=ZoneInfo(time.replay_zone))
    stamp = stamp.astimezone(UTC) + timedelta(days=time.shift_days)
    return stamp - timedelta(seconds=time.interval_s) if time.label == "end" else stamp


class TablePayload:
    """`table`: a device that sends whole tables; its mapping is the option `mapping`."""

    name = "table"
    title_ko = "표 파일(CSV·XLSX·Parquet)"
    title_en = "Tables (CSV, XLSX, Parquet)"

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raises OperationError for a mapping that says nothing usable."""
        mapping_of(options.get("mapping", {}))

    def decode(self, frame: Frame) -> list[Reading]:
        """The readings of a table, by the mapping in the device's options."""
        try:
            mapping = mapping_of(frame.device.options.get("mapping", {}))
        except OperationError as error:
            raise malformed(f"the device's mapping: {error}") from None
        made: list[Reading] = []
        for rows in open_table(frame.payload, mapping):
            made += rows_to_readings(rows, mapping, frame.device.city)[0]
        if not made:
            raise malformed("the table is empty")
        return made
