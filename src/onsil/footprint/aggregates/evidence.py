"""The lake's files behind a fleet's figures: which they are, and that they are what was written."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow.parquet as pq

from onsil.core.database import Connection
from onsil.core.periods import Period
from onsil.core.refusal import Refusal
from onsil.footprint.methodologies.solar_fleet import utc_months
from onsil.footprint.store import rows
from onsil.hub.lake.export import manifests
from onsil.hub.lake.files import file_sha256
from onsil.hub.lake.place import LakeFile, files
from onsil.hub.steps import run

_NEEDED = {"series_id", "slot", "after_us", "milli", "value"}
_READERS = 2


def files_of(
    conn: Connection, city: str, period: Period, series: Sequence[int]
) -> list[LakeFile] | Refusal:
    """The files that hold all that is known of these series in the period, by month and revision.

    Refused: `lake-incomplete` for months that were not exported, or points that came since;
    `lake-layout` for a file without the columns of whole numbers.
    """
    found = run(conn, files(city, period))
    known = {f"{file.month:%Y-%m}" for file in found}
    missing = [month for month in utc_months(period) if month not in known]
    if missing:
        return _incomplete(missing, "레이크에 없는 달", "months that are not in the lake")
    newer = rows(
        conn,
        """SELECT to_char(min(ts) AT TIME ZONE 'UTC', 'YYYY-MM') AS month FROM hub_point
        WHERE city = %s AND series_id = ANY(%s) AND ts >= %s AND ts < %s""",
        (city, list(series), period.start, period.end),
    )[0]["month"]
    if newer is not None:
        return _incomplete(
            [newer], "내보낸 뒤에 온 측정값이 있는 달", "points came after export in"
        )
    for file in found:
        if not set(pq.read_schema(file.place).names) >= _NEEDED:
            return Refusal(
                "lake-layout",
                f"{file.path}에는 정수 열이 없어 한꺼번에 산정할 수 없습니다. 설비별로 산정하세요.",
                f"{file.path} has no columns of whole numbers; quantify its sites one by one.",
                {"file": file.path},
            )
    return found


def files_named(
    conn: Connection, city: str, period: Period, named: Sequence[Mapping[str, Any]]
) -> list[LakeFile] | Refusal:
    """The files that a run's table names, whatever was exported since.

    Refused: `evidence-broken` when one is not known here, by another hash, or gone.
    """
    hashes = {file.sha256: file for file in run(conn, files(city, period))}
    for row in named:
        if row["sha256"] not in hashes or not hashes[row["sha256"]].place.is_file():
            return _broken(row["id"])
    return sorted(
        (hashes[row["sha256"]] for row in named), key=lambda file: (file.month, file.revision)
    )


def _broken(file: str) -> Refusal:
    return Refusal(
        "evidence-broken",
        f"레이크 파일 {file}이(가) 없거나 기록된 해시와 다릅니다.",
        f"The lake's file {file} is missing, or not of the recorded hash.",
        {"file": file},
    )


def _incomplete(months: list[str], ko: str, en: str) -> Refusal:
    return Refusal(
        "lake-incomplete",
        f"{ko}: {', '.join(months)}. `onsil lake export`로 먼저 내보내세요.",
        f"Not all is in the lake, {en}: {', '.join(months)}. Run `onsil lake export` first.",
        {"months": months},
    )


def file_rows(conn: Connection, city: str, found: Sequence[LakeFile]) -> list[dict[str, Any]]:
    """The files as rows of the methodology's table: by hash, with the manifests they are in."""
    marks = {(one.month, one.revision): one.sha256 for one in manifests(conn, city)}
    return [
        {
            "id": f"{file.month:%Y-%m}-r{file.revision}", "month": f"{file.month:%Y-%m}",
            "revision": file.revision, "rows": file.rows, "sha256": file.sha256,
            "manifest_sha256": marks[file.month, file.revision],
        }
        for file in found
    ]  # fmt: skip


class Checking:
    """The files' hashes, taken beside the query that reads them; `refusal` waits for the last."""

    def __init__(self, found: Sequence[LakeFile]) -> None:
        self._found = list(found)
        self._pool = ThreadPoolExecutor(_READERS)
        self._hashes = [self._pool.submit(file_sha256, file.place) for file in self._found]

    def refusal(self) -> Refusal | None:
        """Refused: `evidence-broken` for a file that is not the one its manifest names."""
        self._pool.shutdown()
        for file, taken in zip(self._found, self._hashes, strict=True):
            if taken.result() != file.sha256:
                return _broken(file.path)
        return None
