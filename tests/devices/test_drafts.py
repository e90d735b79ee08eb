"""A draft mapping says what a table shows, reads back, and guesses nothing silently."""

import gzip
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from onsil.devices import DecodeError, draft_mapping, mapping_file_of, read_mapping


def drafted(path: Path):
    target = mapping_file_of(path)
    target.write_text(draft_mapping(path, "Asia/Seoul"), "utf-8")
    return read_mapping(target)


def test_a_plain_table(tmp_path: Path):
    table = tmp_path / "home-1.csv"
    table.write_text("start,use_kWh,note\n2025-01-01 00:00,1.5,a\n2025-01-01 00:15,NA,b\n"
                     "2025-01-01 00:30,2,c\n")  # fmt: skip
    mapping = drafted(table)
    assert (mapping.time.column, mapping.time.interval_s, mapping.time.zone) == (
        "start", 900, "Asia/Seoul",
    )  # fmt: skip
    (series,) = mapping.series
    assert (series.column, series.unit, series.kind) == ("use_kWh", "kWh", "interval")
    assert series.entity == "urn:ngsi-ld:Meter:{city}:home-1"


def test_stamps_with_an_offset_keep_it_and_gzip_is_read(tmp_path: Path):
    table = tmp_path / "weather.csv.gz"
    with gzip.open(table, "wt") as file:
        file.write("dt;tempC\n2025-01-01T00:00+09:00;1.5\n2025-01-01T01:00+09:00;2\n")
    mapping = drafted(table)
    assert (mapping.delimiter, mapping.time.zone, mapping.time.interval_s) == (";", "UTC", 3600)
    assert (mapping.series[0].unit, mapping.series[0].kind) == ("degC", "gauge")


def test_day_first_dates_are_told_by_a_day_beyond_twelve(tmp_path: Path):
    table = tmp_path / "meter.csv"
    table.write_text("when,wh\n12/01/2025 00:00,1\n13/01/2025 00:00,2\n")
    assert drafted(table).time.format == "%d/%m/%Y %H:%M"


def test_a_parquet_table(tmp_path: Path):
    table = tmp_path / "pv.parquet"
    rows = pyarrow.table({"at": ["2025-01-01T00:00:00Z", "2025-01-01T00:05:00Z"], "ac_kw": [1, 2]})
    pyarrow.parquet.write_table(rows, table)
    mapping = drafted(table)
    assert (mapping.time.interval_s, mapping.series[0].unit) == (300, "kW")


@pytest.mark.parametrize(
    ("body", "code"),
    [("a,b\n1,2\n3,4\n", "no-time-column"), ("at,b\n2025-01-01,x\n", "no-number-column"),
     ("", "no-time-column")],
)  # fmt: skip
def test_what_cannot_be_drafted_is_said(tmp_path: Path, body: str, code: str):
    table = tmp_path / "odd.csv"
    table.write_text(body)
    with pytest.raises(DecodeError) as failure:
        draft_mapping(table, "UTC")
    assert failure.value.code == code
