"""One month's points as a Parquet file: written beside its place, made durable, then put there.

Plain types that DuckDB, Polars and Spark read alike: timestamps in UTC microseconds, doubles, and
beside each double its exact decimal where twelve places hold it, so that sums agree everywhere;
whole thousandths too, which every engine adds fastest.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from onsil.hub.lake.cold import Cold

PLACES = 12
_TO_UNIX_US = 946_684_800_000_000
_SLOT_US = 900_000_000
_EXACT = 2.0**53
_INSTANT = pa.timestamp("us", tz="UTC")
_DECIMAL = pa.decimal128(38, PLACES)
SCHEMA = pa.schema(
    [
        pa.field("series_id", pa.int32(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
        pa.field("attribute", pa.string(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("ts", _INSTANT, nullable=False),
        pa.field("slot", pa.int32(), nullable=False),
        pa.field("num", pa.float64(), nullable=False),
        pa.field("value", _DECIMAL),
        pa.field("received_at", _INSTANT, nullable=False),
        pa.field("late", pa.bool_(), nullable=False),
        pa.field("milli", pa.int64()),
        pa.field("after_us", pa.int32(), nullable=False),
    ]
)


class Names(NamedTuple):
    """What a series is called outside: entity, attribute's IRI, unit."""

    entity: str
    attribute: str
    unit: str


class Written(NamedTuple):
    """A file that was written: its rows, size, hash, and the hash of the points themselves."""

    rows: int
    bytes: int
    sha256: str
    content: str


def write_points(place: Path, parts: Iterable[Cold], names: dict[int, Names]) -> Written:
    """Write points, in order of series and time, at `place`; whole or not at all.

    Raises OSError.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(".writing")
    content, rows = hashlib.sha256(), 0
    with pq.ParquetWriter(
        beside, SCHEMA, compression="zstd", version="2.6", store_schema=False,
        data_page_version="1.0",
    ) as writer:  # fmt: skip
        for part in parts:
            if len(part):
                writer.write_table(_table(part, names), row_group_size=131_072)
                _digest(content, part)
                rows += len(part)
    digest = file_sha256(beside)
    size = beside.stat().st_size
    _settle(beside, place)
    return Written(rows, size, digest, content.hexdigest())


def write_text(place: Path, text: str) -> None:
    """Write a small file at `place`; whole or not at all."""
    beside = place.with_suffix(".writing")
    beside.write_text(text, "utf-8")
    _settle(beside, place)


def _settle(beside: Path, place: Path) -> None:
    """Make a file durable, and then the name that it goes by."""
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    beside.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def file_sha256(place: Path) -> str:
    with place.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def content_of(place: Path) -> tuple[int, str]:
    """Rows and content hash of a file, read back. Raises OSError or pyarrow's errors."""
    content, rows = hashlib.sha256(), 0
    for part in read_parts(place):
        _digest(content, part)
        rows += len(part)
    return rows, content.hexdigest()


def read_parts(place: Path) -> Iterator[Cold]:
    """A file's points by row group."""
    with pq.ParquetFile(place, memory_map=True) as opened:
        for group in range(opened.num_row_groups):
            table = opened.read_row_group(
                group, columns=["series_id", "ts", "num", "received_at", "late"]
            )
            yield Cold(
                table["series_id"].to_numpy().astype(np.int64), _stamps(table["ts"]),
                table["num"].to_numpy(), _stamps(table["received_at"]),
                table["late"].to_numpy().astype(np.int8),
            )  # fmt: skip


def _stamps(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy() - _TO_UNIX_US


def _digest(content: Any, part: Cold) -> None:
    """Row after row in big-endian, so that how rows were grouped does not matter."""
    rows = np.empty(len(part), np.dtype(
        [("series", ">i4"), ("ts", ">i8"), ("num", ">f8"), ("received", ">i8"), ("late", "u1")]
    ))  # fmt: skip
    for name, column in zip(("series", "ts", "num", "received", "late"), part, strict=True):
        rows[name] = column
    content.update(rows.tobytes())


def _table(part: Cold, names: dict[int, Names]) -> pa.Table:
    numbers, inverse = np.unique(part.series, return_inverse=True)
    known = [names.get(int(number), Names("", "", "")) for number in numbers]
    texts = [
        pa.DictionaryArray.from_arrays(pa.array(inverse, pa.int32()), list(column)).cast(
            pa.string()
        )
        for column in zip(*known, strict=True)
    ]
    unix = part.ts + _TO_UNIX_US
    return pa.Table.from_arrays(
        [
            pa.array(part.series.astype(np.int32)), *texts, pa.array(unix).cast(_INSTANT),
            pa.array((unix // _SLOT_US).astype(np.int32)), pa.array(part.num),
            exact(part.num), pa.array(part.received + _TO_UNIX_US).cast(_INSTANT),
            pa.array(part.late.astype(bool)), thousandths(part.num),
            pa.array((unix % _SLOT_US).astype(np.int32)),
        ],
        schema=SCHEMA,
    )  # fmt: skip


def thousandths(numbers: np.ndarray) -> pa.Array:
    """Whole thousandths of doubles that are decimals of three places at most; else null."""
    scaled = np.rint(numbers * 1000.0)
    fits = (np.abs(scaled) < _EXACT) & (scaled / 1000.0 == numbers)
    return pa.array(np.where(fits, scaled, 0).astype(np.int64), mask=~fits)


def exact(numbers: np.ndarray) -> pa.Array:
    """The shortest decimals of doubles with at most twelve places; null where that does not do."""
    places = np.full(len(numbers), -1)
    units = np.zeros(len(numbers), np.int64)
    for count in range(PLACES + 1):
        open_ = np.flatnonzero(places < 0)
        if not len(open_):
            break
        scaled = np.rint(numbers[open_] * 10.0**count)
        # A quotient of such whole numbers is rounded correctly: it is the decimal's own double.
        fits = (np.abs(scaled) < _EXACT) & (scaled / 10.0**count == numbers[open_])
        places[open_[fits]] = count
        units[open_[fits]] = scaled[fits].astype(np.int64)
    chunks, order = [], []
    for count in np.unique(places):
        rows = np.flatnonzero(places == count)
        order.append(rows)
        if count < 0:
            chunks.append(pa.nulls(len(rows), _DECIMAL))
            continue
        whole = pa.array(units[rows]).cast(pa.decimal128(19, 0))
        step = pa.scalar(Decimal(1).scaleb(-int(count)), pa.decimal128(13, int(count)))
        chunks.append(pc.multiply(whole, step).cast(_DECIMAL))
    if not chunks:
        return pa.nulls(0, _DECIMAL)
    places_of = np.argsort(np.concatenate(order), kind="stable")
    return pa.concat_arrays(chunks).take(pa.array(places_of))
