"""A fleet's year from the lake to a claimed, hashed quantification: 10,000 meters, 350 M points.

Beside it the same group-by written by hand in SQL, by DuckDB on the bare files: per meter and local
month readings, fates and energy, joined with each meter's ceiling. Both run in processes of their
own with two threads and the same memory limit, so that the peak of each is its own. The third
figure is the same Ibis expression on Sail by its URL; its sums have to be the stored ones, byte for
byte. `ONSIL_BENCH_METERS=1000 python -m bench footprint_lake` does a tenth of it.

    python -m bench.footprint_lake keep FOLDER METERS    makes a fleet, quantifies it and stays
    python -m bench.footprint_lake recheck DSN RUN URL   adds its sums up again on another engine
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench._fleet import CAPACITY_KW, CITY, CLOCK, SLOT_S, YEAR, fill, months, sites
from bench.database import installation
from bench.figure import Figure
from onsil import footprint
from onsil.core.database import connect
from onsil.footprint.aggregates import quantify_fleet, recheck_fleet
from onsil.hub.lake.place import span

METERS = int(os.environ.get("ONSIL_BENCH_METERS", "10000"))
THREADS = 2
MEMORY = "1GB"
ENGINE = f"duckdb://?threads={THREADS}&memory_limit={MEMORY}"
RATIO_GOAL = 2
AUTHORITY = footprint.FactorAuthority("kr-offset", "kr-grid-2018", "consumption", "SAR")


def measure() -> Iterator[Figure]:
    """Bare, quantified, bare again (the first of all warms the cache), then Sail."""
    with tempfile.TemporaryDirectory(prefix="onsil-bench-lake-") as folder:
        os.environ["ONSIL_LAKE_HOME"] = folder
        with installation() as dsn:
            with connect(dsn, CITY) as conn:
                points = fill(conn, Path(folder), METERS)
            _apart("bare", folder)
            first, made, second = (
                _apart("bare", folder), _apart("quantify", dsn), _apart("bare", folder)
            )  # fmt: skip
            bare_s = (first["took_s"] + second["took_s"]) / 2
            assert made["points"] == first["points"], (made, first)
            assert made["used"] == first["used"]
            name = f"quantify_{round(METERS * 35_040 / 1e6)}m"
            yield Figure(name, made["took_s"], "s", bare_s, RATIO_GOAL, less_is_better=True)
            yield Figure(f"{name}_per_core", points / made["took_s"] / THREADS, "points/s/core")
            yield Figure(f"{name}_peak", made["peak_bytes"], "B", first["peak_bytes"])
            print(f"{name}: {made}; bare: {first}, {second}", file=sys.stderr)
            again = _apart("sail", dsn, made["run"])
            assert again["identical"], again
            yield Figure(f"{name}_sail", again["took_s"], "s", bare_s)


def _apart(what: str, *arguments: str) -> dict[str, Any]:
    """Do one of the measurements in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.footprint_lake", what, *arguments],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _bare(folder: str) -> dict[str, Any]:
    """The group-by as one writes it in SQL for DuckDB alone."""
    import duckdb
    import pyarrow as pa

    ceiling = int(CAPACITY_KW * 1000 * 1000 * 11 / 10)
    with duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY}) as duck:
        duck.execute("SET preserve_insertion_order = false")
        ((low, high),) = duck.execute(
            f"SELECT min(series_id), max(series_id) FROM '{folder}/*/*/*.parquet'"
        ).fetchall()
        began = time.perf_counter()
        meters = pa.table({
            "series_id": pa.array(range(low, high + 1), pa.int32()),
            "ceiling": pa.array([ceiling] * (high + 1 - low), pa.int64()),
        })  # fmt: skip
        duck.register("meters", meters)
        rows = duck.execute(
            f"""SELECT p.series_id, {_local_month()} AS month, count(*),
              count(*) FILTER (after_us = 0),
              count(*) FILTER (after_us = 0 AND milli < 0),
              count(*) FILTER (after_us = 0 AND milli > ceiling),
              sum(milli) FILTER (after_us = 0 AND milli BETWEEN 0 AND ceiling)
            FROM '{folder}/*/*/*.parquet' p JOIN meters m ON m.series_id = p.series_id
            WHERE slot >= {_slot(YEAR.start)} AND slot < {_slot(YEAR.end)} GROUP BY 1, 2"""
        ).fetchall()
        took_s = time.perf_counter() - began
    used = sum(row[3] - row[4] - row[5] for row in rows)
    return {"took_s": took_s, "points": sum(row[2] for row in rows), "used": used}


def _local_month() -> str:
    """Months by their first slots, as far as SQL has no better for a zone without its table."""
    local = [span(month).end.timestamp() - 9 * 3600 for month in list(months())[:-1]]
    cases = (f"WHEN slot < {int(at) // SLOT_S} THEN {n}" for n, at in enumerate(local))
    return f"CASE {' '.join(cases)} ELSE {len(local)} END"


def _slot(at: Any) -> int:
    return int(at.timestamp()) // SLOT_S


def _quantify(dsn: str) -> dict[str, Any]:
    """From the files to a committed claim."""
    with connect(dsn, CITY) as conn:
        began = time.perf_counter()
        run = quantify_fleet(
            conn, CITY, sites(METERS), YEAR, AUTHORITY, "bench", CLOCK, engine_url=ENGINE
        )
        assert isinstance(run, footprint.Run), run
        quantified = time.perf_counter()
        held = footprint.claim(conn, CITY, run.id, "kr-offset", actor="bench", clock=CLOCK)
        assert isinstance(held, footprint.Claim), held
        conn.commit()
        ended = time.perf_counter()
        (outputs,) = conn.execute(
            "SELECT outputs::jsonb -> 'coverage' -> 'sites' FROM footprint_run WHERE id = %s",
            (run.id,),
        ).fetchone() or ({},)
    counted = {key: int(outputs[key]) for key in ("expected", "used", "missing", "off_grid")}
    present = counted["expected"] - counted["missing"] + counted["off_grid"]
    return {
        "took_s": ended - began, "claim_s": ended - quantified, "points": present,
        "used": counted["used"], "run": str(run.id), "lines": len(run.lines),
        "co2e_t": str(run.co2e_t), "outputs_sha256": run.outputs_digest,
    }  # fmt: skip


def _sail(dsn: str, run_id: str) -> dict[str, Any]:
    """The run's sums again, by Sail: same files, same expression, another URL."""
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    host, port = server.listening_address or ("", 0)
    try:
        return _recheck(dsn, run_id, f"sc://{host}:{port}")
    finally:
        server.stop()


def _recheck(dsn: str, run_id: str, url: str) -> dict[str, Any]:
    from uuid import UUID

    with connect(dsn, CITY) as conn:
        began = time.perf_counter()
        again = recheck_fleet(conn, CITY, UUID(run_id), url)
        took_s = time.perf_counter() - began
    assert isinstance(again, footprint.Recomputation), again
    return {"took_s": took_s, "identical": again.identical, "sha256": again.recomputed_digest}


def _keep(folder: str, meters: str) -> dict[str, Any]:
    """Write and quantify a fleet, then wait for a line on standard input."""
    os.environ["ONSIL_LAKE_HOME"] = str(Path(folder).resolve())
    global METERS
    METERS = int(meters)
    with installation() as dsn:
        with connect(dsn, CITY) as conn:
            fill(conn, Path(folder).resolve(), METERS)
        print(json.dumps({"dsn": dsn, **_quantify(dsn)}), flush=True)
        sys.stdin.readline()
    return {}


_PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "bare": _bare, "quantify": _quantify, "sail": _sail, "recheck": _recheck, "keep": _keep,
}  # fmt: skip


def main(arguments: list[str]) -> None:
    found = _PARTS[arguments[0]](*arguments[1:])
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = used.ru_utime + used.ru_stime
    print(json.dumps({**found, "cpu_s": cpu_s, "peak_bytes": _peak_bytes()}))


def _peak_bytes() -> int:
    """This program's own peak of resident memory; rusage would tell a parent's that is more."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(sys.argv[1:])
