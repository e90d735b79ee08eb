"""A first draft of a mapping for a table nobody has described yet, for a person to check.

Guesses only what the table itself shows: which column holds times and how they are written, how far
apart they are, which columns hold numbers, and what their names say of the unit.
"""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet

from onsil.devices.mapping import MISSING
from onsil.devices.terms import DecodeError

_SAMPLE_ROWS = 200
_FORMATS = ("", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y.%m.%d %H:%M",
            "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y%m%d%H%M")  # fmt: skip
# Longer names first: `mwh` must not be read as `wh`.
_UNITS = (
    ("mwh", "MWh", "interval"), ("kwh", "kWh", "interval"), ("wh", "Wh", "interval"),
    ("kw", "kW", "gauge"), ("temp", "degC", "gauge"), ("degc", "degC", "gauge"),
    ("m3", "m^3", "interval"), ("gas", "m^3", "interval"), ("water", "m^3", "interval"),
    ("power", "W", "gauge"), ("watt", "W", "gauge"), ("energy", "kWh", "interval"),
)  # fmt: skip


def mapping_file_of(table: Path) -> Path:
    """Where a table's mapping is looked for: beside it, under its name, ending in `.toml`."""
    return table.with_name(table.name.split(".")[0] + ".toml")


def draft_mapping(path: Path, zone: str) -> str:
    """A mapping file's text for a CSV (also gzipped) or Parquet table.

    Raises DecodeError when no column holds times or none holds numbers.
    """
    columns, delimiter = _sample(path)
    found = next(
        ((n, f) for n, cells in columns.items() if (f := _format(cells)) is not None), None
    )
    if found is None:
        raise DecodeError(
            "no-time-column",
            "시각이 적힌 열을 찾지 못했습니다. 매핑 파일을 직접 적어 주세요.",
            "No column of the table holds times; write its mapping by hand.",
        )
    time, pattern = found
    numbers = [n for n, cells in columns.items() if n != time and _numeric(cells)]
    if not numbers:
        raise DecodeError(
            "no-number-column",
            "숫자가 적힌 열을 찾지 못했습니다. 매핑 파일을 직접 적어 주세요.",
            "No column of the table holds numbers; write its mapping by hand.",
        )
    stamps = [_read(cell, pattern) for cell in _filled(columns[time])]
    lines = [
        f"# Drafted from {path.name}: check every line, the units above all, then import again.",
        f"delimiter = {json.dumps(delimiter)}",
        "",
        "[time]",
        f"column = {json.dumps(time, ensure_ascii=False)}",
        f"interval_s = {_interval_s(stamps)}",
        f"zone = {json.dumps('UTC' if stamps[0].tzinfo else zone)}",
        'label = "start"',
        f"format = {json.dumps(pattern)}",
    ]
    for name in numbers:
        lines += ["", *_series(path, name)]
    return "\n".join(lines) + "\n"


def _series(path: Path, column: str) -> list[str]:
    plain = re.sub(r"[^a-z0-9]", "", column.lower())
    unit, kind = next(((u, k) for part, u, k in _UNITS if part in plain), ("kWh", "interval"))
    local = re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-") or "table"
    attribute = re.sub(r"[^A-Za-z0-9_]", "", column) or "value"
    return [
        "[[series]]",
        f"column = {json.dumps(column, ensure_ascii=False)}",
        f'entity = "urn:ngsi-ld:Meter:{{city}}:{local}"',
        f'attribute = "{attribute}"',
        f'unit = "{unit}"',
        f'kind = "{kind}"',
    ]


def _sample(path: Path) -> tuple[Mapping[str, Sequence[Any]], str]:
    """The first rows by column, and the delimiter of a text table."""
    with path.open("rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        part = next(pyarrow.parquet.ParquetFile(path).iter_batches(_SAMPLE_ROWS))
        return {name: part.column(name).to_pylist() for name in part.schema.names}, ","
    opened = gzip.open if head[:2] == b"\x1f\x8b" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = [line for line, _ in zip(file, range(_SAMPLE_ROWS), strict=False)]
    try:
        delimiter = csv.Sniffer().sniff("".join(lines[:20]), ",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    names = rows[0] if rows else []
    body = [row for row in rows[1:] if len(row) == len(names)]
    return {name: [row[i] for row in body] for i, name in enumerate(names)}, delimiter


def _filled(cells: Sequence[Any]) -> list[Any]:
    return [c for c in cells if c is not None and str(c).strip() not in MISSING]


def _format(cells: Sequence[Any]) -> str | None:
    """The pattern by which every filled cell is a time; "" for ISO 8601; None when none fits."""
    filled = _filled(cells)
    if not filled or all(_is_number(cell) and len(str(cell)) < 12 for cell in filled):
        return None
    for pattern in _FORMATS:
        try:
            for cell in filled:
                _read(cell, pattern)
        except ValueError:
            continue
        return pattern
    return None


def _read(cell: Any, pattern: str) -> datetime:
    if isinstance(cell, datetime):
        return cell
    text = str(cell).strip()
    return datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007


def _interval_s(stamps: Sequence[datetime]) -> int:
    """The most frequent step between neighbours, in seconds; an hour when there is none."""
    steps = [int((b - a).total_seconds()) for a, b in pairwise(stamps)]
    common = Counter(step for step in steps if step > 0).most_common(1)
    return common[0][0] if common else 3600


def _numeric(cells: Sequence[Any]) -> bool:
    filled = _filled(cells)
    return bool(filled) and sum(map(_is_number, filled)) >= 0.8 * len(filled)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, bool | datetime):
        return False
    try:
        return Decimal(str(cell).strip()).is_finite()
    except InvalidOperation:
        return False
