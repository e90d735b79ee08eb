"""The same expression on DuckDB and on Sail (Spark Connect): identical bytes, by one URL."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from onsil.core.canonical import canonical_bytes
from onsil.core.periods import Period
from onsil.footprint.aggregates.engines import HERE, engine
from onsil.footprint.aggregates.expressions import (
    MILLI,
    VALUE,
    Measure,
    Span,
    per_meter_and_part,
    slots_of,
)
from onsil.hub.lake.cold import Cold
from onsil.hub.lake.files import Names, write_points
from onsil.hub.lake.place import LakeFile

METERS = 160
MONTHS = (date(2025, 5, 1), date(2025, 6, 1))
# A period that neither begins nor ends with the files, cut at a local midnight in Seoul.
PERIOD = Period(datetime(2025, 5, 1, 15, tzinfo=UTC), datetime(2025, 6, 29, 15, tzinfo=UTC))
CUT = datetime(2025, 5, 31, 15, tzinfo=UTC)
SPAN = Span((slots_of(PERIOD)[0], slots_of(Period(CUT, PERIOD.end))[0], slots_of(PERIOD)[1]))
_QUARTER_US = 900_000_000
_TO_2000_US = 946_684_800_000_000


def _points(month: date, *, seed: int, every: int = 1) -> Cold:
    """A month of a fleet: gaps, signs, spikes, readings off their time, values of many places."""
    random = np.random.Generator(np.random.PCG64(seed))
    start = int(datetime(month.year, month.month, 1, tzinfo=UTC).timestamp()) * 1_000_000
    slots = np.arange(30 * 96, dtype=np.int64)
    series = np.repeat(np.arange(METERS, dtype=np.int64), len(slots))[::every]
    ts = np.tile(start - _TO_2000_US + slots * _QUARTER_US, METERS)[::every]
    fate = random.integers(0, 400, len(ts))
    ts = ts + np.where(fate == 0, 4_000_007, 0)
    num = random.integers(0, 5_400_000, len(ts)) / 1000
    num = np.where(fate == 1, -num, np.where(fate == 2, 9_000.0, num))
    num = np.where(fate == 3, np.round(num + 1e-7, 7), num)
    keep = fate != 4
    late = np.zeros(len(ts), np.int8)
    return Cold(*(column[keep] for column in (series, ts, num, ts + 5_000_000, late)))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[LakeFile]:
    """Two months, one of them with a later revision on top: about a million points."""
    folder = tmp_path_factory.mktemp("lake")
    names = {n: Names(f"urn:ngsi-ld:Meter:x:{n}", "power", "W") for n in range(METERS)}
    made = []
    for seed, (month, revision, every) in enumerate(
        ((MONTHS[0], 1, 1), (MONTHS[1], 1, 1), (MONTHS[1], 2, 9))
    ):
        place = folder / f"{month:%Y-%m}" / f"points-r{revision}.parquet"
        written = write_points(place, [_points(month, seed=seed, every=every)], names)
        made.append(LakeFile(month, "points", revision, str(place), written.rows, written.sha256))
    return made


@pytest.fixture(scope="module")
def sail() -> Iterator[str]:
    from pysail.spark import SparkConnectServer

    # A worker's main module has no file; the Spark client takes that for a doctest of its own.
    main = sys.modules["__main__"]
    if not hasattr(main, "__file__"):
        main.__file__ = __file__

    server = SparkConnectServer()
    server.start(background=True)
    host, port = server.listening_address  # pyright: ignore
    yield f"sc://{host}:{port}"
    server.stop()


def _bytes(url: str, files: list[LakeFile], measure: Measure) -> bytes:
    kind = pa.int64() if measure is MILLI else pa.decimal128(38, 12)
    ceiling = 5_500 * measure.scale
    meters = pa.table({
        "series_id": pa.array(range(METERS - 1), pa.int32()),  # one is not asked for
        "ceiling": pa.array([ceiling] * (METERS - 1), pa.int64()).cast(kind),
    })  # fmt: skip
    with engine(url) as opened:
        answer = opened.collect(per_meter_and_part(opened, files, meters, SPAN, measure))
    return canonical_bytes(sorted(answer.to_pylist(), key=lambda r: (r["series_id"], r["part"])))


@pytest.mark.parametrize("measure", [MILLI, VALUE], ids=["thousandths", "decimals"])
@pytest.mark.filterwarnings("ignore")
def test_engines_agree_to_the_byte(files, sail, measure):
    here = _bytes(HERE, files, measure)
    assert here.count(b"series_id") == 2 * (METERS - 1)
    assert _bytes(sail, files, measure) == here
    assert _bytes(f"{HERE}?threads=1&memory_limit=300MB", files, measure) == here
