"""A data set as a file: CSV, Parquet, GeoJSON, XLSX. Units stand in the headers, what is missing
stays empty, numbers are the decimals that were sent."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from onsil.hub.contexts import CORE
from onsil.hub.datasets.content import Table, plain_value
from onsil.hub.datasets.registry import Dataset
from onsil.hub.documents import Document, time_text

if TYPE_CHECKING:  # loaded when a file is made: the broker starts without them
    import pyarrow as pa

# A spreadsheet runs a cell that begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CHUNK = 1000


class Form(NamedTuple):
    """A file format: its media type, and the European file-type authority's name of it."""

    media: str
    file_type: str


FORMS: Mapping[str, Form] = {
    "csv": Form("text/csv", "CSV"),
    "parquet": Form("application/vnd.apache.parquet", "PARQUET"),
    "geojson": Form("application/geo+json", "GEOJSON"),
    "xlsx": Form("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"),
}

ENTITIES = "json-ld"  # by the NGSI-LD query itself


def forms_of(dataset: Dataset) -> tuple[str, ...]:
    """The formats a data set comes in: GeoJSON only of what has a place."""
    placed = any("GeoProperty" in one.kinds for one in dataset.data_model.attributes)
    return tuple(form for form in FORMS if placed or form != "geojson")


def _text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value


def as_csv(table: Table) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, in pieces; the byte-order mark is for offices that open it with Hangul."""
    out = StringIO(newline="")
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow([column.header for column in table.columns])
    for number, row in enumerate(table.rows, 1):
        writer.writerow([_text(value) for value in row])
        if number % _CHUNK == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def as_parquet(table: Table, dataset: Dataset) -> bytes:
    """Numbers as doubles, times as UTC microseconds, the unit in each column's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays, fields = [], []
    for number, column in enumerate(table.columns):
        array = _array([row[number] for row in table.rows])
        arrays.append(array)
        unit = {"unit": column.unit} if column.unit else None
        fields.append(pa.field(column.header, array.type, metadata=unit))
    told = {"title": dataset.title.en, "licence": dataset.licence, "origin": dataset.origin}
    made = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=told))
    sink = BytesIO()
    pq.write_table(made, sink, compression="zstd")
    return sink.getvalue()


def _array(values: Sequence[Any]) -> "pa.Array":
    import pyarrow as pa

    there = [value for value in values if value is not None]
    if there and all(isinstance(value, datetime) for value in there):
        return pa.array(values, pa.timestamp("us", "UTC"))
    if there and all(isinstance(value, bool) for value in there):
        return pa.array(values, pa.bool_())
    if there and all(_is_number(value) for value in there):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([None if v is None else str(_plain(v)) for v in values], pa.string())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else _text(value)


def as_xlsx(table: Table, dataset: Dataset) -> bytes:
    """A workbook of two sheets: the data, and what they are."""
    return workbook(table, (
        ("title", dataset.title.ko), ("title (en)", dataset.title.en),
        ("provider", dataset.provider.ko), ("licence", dataset.licence),
        ("attribution", dataset.attribution.ko), ("origin", dataset.origin),
        ("model", dataset.model),
    ))  # fmt: skip


def workbook(table: Table, about: Sequence[tuple[str, str]]) -> bytes:
    """A table as a workbook, with a second sheet of lines about it."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.append([column.header for column in table.columns])
    for row in table.rows:
        sheet.append([_cell(sheet, value) for value in row])
    told = book.create_sheet("about")
    for line in about:
        told.append([_cell(told, value) for value in line])
    sink = BytesIO()
    book.save(sink)
    return sink.getvalue()


def _cell(sheet: Any, value: Any) -> Any:
    """Numbers as numbers, the rest as text that no spreadsheet takes for a formula."""
    if value is None or _is_number(value) or isinstance(value, bool):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=str(_plain(value)))
    cell.data_type = "s"
    return cell


def as_geojson(dataset: Dataset, documents: Sequence[Document]) -> bytes:
    """The entities as they are: a Feature each (RFC 7946), units beside the values."""
    features = []
    for document in documents:
        values, units = {}, {}
        for name in dataset.offered():
            for instance in document.attrs.get(CORE.iri(name), [])[:1]:
                value = plain_value(instance)
                values[name] = float(value) if isinstance(value, Decimal) else value
                if instance.get("unitCode"):
                    units[name] = instance["unitCode"]
        places = document.attrs.get(CORE.iri("location"), [])
        geometry = places[0]["value"] if places else None
        properties = {**values, **({"unitCodes": units} if units else {})}
        features.append({"type": "Feature", "id": document.uri, "geometry": geometry,
                         "properties": properties})  # fmt: skip
    return orjson.dumps({"type": "FeatureCollection", "features": features})


FILES: Mapping[str, Callable[[Table, Dataset], Iterator[bytes]]] = {
    "csv": lambda table, _: as_csv(table),
    "parquet": lambda table, dataset: iter((as_parquet(table, dataset),)),
    "xlsx": lambda table, dataset: iter((as_xlsx(table, dataset),)),
}
