"""NumPy columns as PostgreSQL arrays in binary: a batch travels without a loop in Python."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from onsil.core.database import Connection, cursor

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


def array_cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """The room's cursor, which also takes `Column` parameters."""
    made = cursor(connection)
    made.adapters.register_dumper(Column, _ColumnKinds)
    return made


def microseconds(instant: datetime) -> int:
    """An aware instant as PostgreSQL counts: µs since 2000-01-01 UTC."""
    step = instant - POSTGRES_EPOCH
    return step.days * 86_400_000_000 + step.seconds * 1_000_000 + step.microseconds
