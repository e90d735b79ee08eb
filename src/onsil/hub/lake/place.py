"""Where the lake's files lie, and which of them the database knows."""

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from onsil.core.periods import Period
from onsil.hub.steps import Ask, Steps

_FILES = """
SELECT month::text, kind, revision, path, rows, sha256 FROM hub_lake_file
 WHERE city = $1 AND kind = $2 AND month >= $3::text::date AND month < $4::text::date
 ORDER BY month, revision
"""
_EARLIEST, _LATEST = date(1, 1, 1), date(9999, 12, 1)


class LakeFile(NamedTuple):
    """One immutable file; of a month's revisions the later ones come on top."""

    month: date
    kind: str
    revision: int
    path: str
    rows: int
    sha256: str

    @property
    def place(self) -> Path:
        return folder() / self.path


def folder() -> Path:
    """The folder of the lake's files: the environment says where (see onsil.configuration)."""
    data = os.environ.get("ONSIL_DATA_FOLDER", ".data")
    return Path(os.environ.get("ONSIL_LAKE_HOME") or Path(data) / "lake").resolve()


def files(city: str, period: Period | None = None, kind: str = "points") -> Steps[list[LakeFile]]:
    """The files that may hold rows of the period, in order of month and revision."""
    first = _month(period.start) if period else _EARLIEST
    last = following(_month(period.end)) if period else _LATEST
    rows = yield Ask(_FILES, (city, kind, first.isoformat(), last.isoformat()))
    return [LakeFile(date.fromisoformat(row[0]), *row[1:]) for row in rows]


def _month(instant: datetime) -> date:
    return instant.astimezone(UTC).date().replace(day=1)


def following(month: date) -> date:
    """The first day of the month after this one's."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def span(month: date) -> Period:
    """A month in UTC, as the files and partitions are cut."""
    return Period(_midnight(month), _midnight(following(month)))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def months_of(stamps: Iterable[datetime]) -> list[date]:
    return sorted({_month(stamp) for stamp in stamps})
