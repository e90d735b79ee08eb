"""NumPy columns as PostgreSQL arrays in binary: a batch travels without a loop in Python."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# name: (array oid, element oid, element's bytes on the wire)
_KINDS = {
    "int4": (1007, 23, np.dtype(">i4")),
    "int8": (1016, 20, np.dtype(">i8")),
    "float8": (1022, 701, np.dtype(">f8")),
    "timestamptz": (1185, 1184, np.dtype(">i8")),
    "bool": (1000, 16, np.dtype("i1")),
}


@dataclass(frozen=True)
class Column:
    """A NumPy vector bound as an SQL array of `kind`; instants are µs since 2000-01-01 UTC."""

    values: np.ndarray
    kind: str

    def listed(self) -> list[Any]:
        """The same as Python values, for a driver without a binary form of its own."""
        if self.kind == "timestamptz":
            return [instant(stamp) for stamp in self.values.tolist()]
        if self.kind == "bool":
            return [bool(one) for one in self.values.tolist()]
        return self.values.tolist()


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer:
        _, element, wire = _KINDS[obj.kind]
        body = np.empty(len(obj.values), np.dtype([("length", ">i4"), ("value", wire)]))
        body["length"] = wire.itemsize
        body["value"] = obj.values
        head = np.array([1, 0, element, len(obj.values), 1], ">i4")
        return head.tobytes() + body.tobytes()


def _dumper(kind: str) -> type[_ColumnDumper]:
    return type(f"{kind}Dumper", (_ColumnDumper,), {"oid": _KINDS[kind][0]})


class _ColumnKinds(_ColumnDumper):
    """psycopg asks by class; the kind inside the column decides on the oid."""

    _made: ClassVar = {kind: _dumper(kind) for kind in _KINDS}

    def get_key(self, obj: Column, format: Any) -> Any:
        return (self.cls, obj.kind)

    def upgrade(self, obj: Column, format: Any) -> Dumper:
        return self._made[obj.kind](self.cls)


def take_columns(made: psycopg.Cursor[Any]) -> None:
    """Let a cursor take `Column` parameters."""
    made.adapters.register_dumper(Column, _ColumnKinds)


def numbers(values: Iterable[int | float | None]) -> str:
    """Numbers as PostgreSQL writes an array; bind it as `$n::text::int[]` and the like.

    The driver looks at each element of a list several times; of a text, only at its length.
    """
    return "{" + str(list(values))[1:-1].replace("None", "NULL") + "}"


def instants(values: Iterable[datetime | None]) -> str:
    """The same of aware instants, of which many are one and the same as a rule."""
    made: list[str] = []
    last, text = None, "NULL"
    for value in values:
        if value is not last:
            last, text = value, "NULL" if value is None else value.isoformat()
        made.append(text)
    return "{" + ",".join(made) + "}"


def microseconds(instant: datetime) -> int:
    """An aware instant as PostgreSQL counts: µs since 2000-01-01 UTC."""
    step = instant - POSTGRES_EPOCH
    return step.days * 86_400_000_000 + step.seconds * 1_000_000 + step.microseconds


def instant(stamp: int) -> datetime:
    """PostgreSQL's count of µs since 2000-01-01 UTC as an aware instant."""
    return POSTGRES_EPOCH + timedelta(microseconds=stamp)


_TO_UNIX_US = 946_684_800_000_000


def stamp_texts(stamps: np.ndarray) -> list[str]:
    """PostgreSQL's counts of µs as times are written: UTC, `Z`, fractions where there are any."""
    whole = stamps % 1_000_000 == 0
    moments = (stamps + _TO_UNIX_US).astype("M8[us]")
    if whole.all():
        return np.char.add(np.datetime_as_string(moments.astype("M8[s]")), "Z").tolist()
    made = np.datetime_as_string(moments)
    made[whole] = np.datetime_as_string(moments[whole].astype("M8[s]"))
    return np.char.add(made, "Z").tolist()
