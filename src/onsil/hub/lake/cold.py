"""Points out of the lake's files: one series' span, read by the row groups that can hold it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from onsil.core.periods import Period
from onsil.hub.arrays import microseconds
from onsil.hub.lake.place import LakeFile

if TYPE_CHECKING:  # it comes in late: a hub whose months are all warm starts sooner without it
    import pyarrow as pa

_COLUMNS = ["series_id", "ts", "num", "received_at", "late"]
_TO_UNIX_US = 946_684_800_000_000
_US = timedelta(microseconds=1)


class Cold(NamedTuple):
    """Points as vectors in order of series and time; µs since 2000-01-01 UTC."""

    series: np.ndarray
    ts: np.ndarray
    num: np.ndarray
    received: np.ndarray
    late: np.ndarray

    def __len__(self) -> int:
        return len(self.ts)

    def at(self, keep: np.ndarray) -> "Cold":
        """The points chosen by a mask or by places."""
        return Cold(*(column[keep] for column in self))


NOTHING = Cold(*(np.empty(0, kind) for kind in (np.int64, np.int64, np.float64, np.int64, np.int8)))


def read(files: Sequence[LakeFile], series: Iterable[int], period: Period) -> Cold:
    """The points of these series in the period; a later revision's word counts.

    Raises OSError or pyarrow's errors when a file is not there or not whole.
    """
    wanted = sorted(set(series))
    parts = [_of_file(file, wanted, period) for file in files]
    parts = [part for part in parts if len(part)]
    if not parts:
        return NOTHING
    whole = Cold(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    # Files come in order of revision and lexsort keeps that order, so the last of equals counts.
    order = np.lexsort((whole.ts, whole.series))
    whole = whole.at(order)
    last = np.ones(len(whole), bool)
    last[:-1] = (whole.series[1:] != whole.series[:-1]) | (whole.ts[1:] != whole.ts[:-1])
    return whole.at(last)


def _of_file(file: LakeFile, wanted: list[int], period: Period) -> Cold:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(
        file.place, columns=_COLUMNS, memory_map=True,
        filters=(pc.field("series_id").isin(wanted)) & (pc.field("ts") >= _bound(period.start))
        & (pc.field("ts") < _bound(period.end)),
    )  # fmt: skip
    if not table.num_rows:
        return NOTHING

    def stamps(name: str) -> np.ndarray:
        return table[name].cast(pa.int64()).to_numpy() - _TO_UNIX_US

    return Cold(
        table["series_id"].to_numpy().astype(np.int64), stamps("ts"), table["num"].to_numpy(),
        stamps("received_at"), table["late"].to_numpy().astype(np.int8),
    )  # fmt: skip


def _bound(instant) -> "pa.Scalar":
    import pyarrow as pa

    return pa.scalar(microseconds(instant) + _TO_UNIX_US, pa.int64()).cast(
        pa.timestamp("us", tz="UTC")
    )
