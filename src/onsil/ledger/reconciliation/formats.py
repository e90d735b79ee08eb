"""A file's layout as data: which column is what, how it writes dates, amounts and signs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from onsil.core.refusal import OperationError
from onsil.ledger.reconciliation.terms import Text

FormatKind = Literal["delimited", "xlsx", "fixed", "camt.053"]
FIELDS = (
    "day", "time", "amount", "incoming", "outgoing", "sign", "balance", "reference", "text",
    "party", "bank_id",
)  # fmt: skip
_KINDS = ("delimited", "xlsx", "fixed", "camt.053")
_RECORDS = ("header", "data", "trailer")


@dataclass(frozen=True)
class FixedField:
    """Bytes `start` (from 1) for `length` of a record."""

    name: str
    start: int
    length: int


@dataclass(frozen=True)
class Record:
    """One kind of line of a fixed-length file, known by how it begins."""

    type: Literal["header", "data", "trailer"]
    begins: str
    fields: tuple[FixedField, ...]


@dataclass(frozen=True)
class Format:
    """How one bank's or card network's file is read.

    `columns`: our field names to the file's headings. `in_words`/`out_words`: what the sign column
    says. `footers`: a row whose first filled cell begins so ends the table. `newest_first`: how
    rows are ordered, for the balance at the end of a day. `simulated` marks files of a simulator.
    """

    code: str
    kind: FormatKind
    name: Text
    encodings: tuple[str, ...] = ("utf-8-sig",)
    delimiter: str = ","
    sheet: int = 0
    columns: Mapping[str, str] | None = None
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    time_formats: tuple[str, ...] = ("%H:%M:%S",)
    in_words: frozenset[str] = frozenset()
    out_words: frozenset[str] = frozenset()
    footers: tuple[str, ...] = ()
    newest_first: bool = False
    records: tuple[Record, ...] = ()
    record_bytes: int = 0
    simulated: bool = False
    confirmed: bool = False


def read_format(code: str, table: Mapping[str, Any], where: str) -> Format:
    """A layout from its TOML table. Raises OperationError naming file and field."""
    kind = table.get("kind")
    if kind not in _KINDS:
        raise _wrong(where, "kind", f"one of {', '.join(_KINDS)}")
    columns = dict(table.get("columns", {}))
    unknown = sorted(set(columns) - set(FIELDS))
    if unknown:
        raise _wrong(where, "columns", f"no field {', '.join(unknown)}")
    records = tuple(_record(r, where) for r in table.get("record", ()))
    names = {f.name for r in records if r.type == "data" for f in r.fields} or set(columns)
    if kind != "camt.053":
        _complete(names, where)
    if kind == "fixed" and not table.get("record_bytes"):
        raise _wrong(where, "record_bytes", "the length of a record")
    name = table.get("name", {})
    if not {"ko", "en"} <= set(name):
        raise _wrong(where, "name", "ko and en")
    sign = table.get("sign", {})
    return Format(
        code, kind, Text(name["ko"], name["en"]), tuple(table.get("encodings", ("utf-8-sig",))),
        table.get("delimiter", ","), table.get("sheet", 0), columns or None,
        tuple(table.get("date_formats", ("%Y-%m-%d",))),
        tuple(table.get("time_formats", ("%H:%M:%S",))),
        frozenset(sign.get("in", ())), frozenset(sign.get("out", ())),
        tuple(table.get("footers", ())), bool(table.get("newest_first", False)), records,
        int(table.get("record_bytes", 0)), bool(table.get("simulated", False)),
        bool(table.get("confirmed", False)),
    )  # fmt: skip


def _complete(names: set[str], where: str) -> None:
    if "day" not in names:
        raise _wrong(where, "columns", "a `day`")
    if not ("amount" in names or {"incoming", "outgoing"} <= names):
        raise _wrong(where, "columns", "an `amount`, or `incoming` and `outgoing`")


def _record(table: Mapping[str, Any], where: str) -> Record:
    if table.get("type") not in _RECORDS:
        raise _wrong(where, "record.type", f"one of {', '.join(_RECORDS)}")
    fields = tuple(
        FixedField(name, int(place[0]), int(place[1]))
        for name, place in dict(table.get("fields", {})).items()
    )
    return Record(table["type"], str(table.get("begins", "")), fields)


def _wrong(where: str, field: str, wanted: str) -> OperationError:
    return OperationError(f"{where}: `{field}` wants {wanted}", retry=False)
