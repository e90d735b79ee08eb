"""The engines that aggregate over the lake, each by a URL; all that differs between them is here.

    duckdb://                       in this process
    duckdb://?memory_limit=1GB&threads=2
    sc://host:port                  Spark Connect: Sail, or a Spark cluster

Of the rest of the room only `expressions` knows Ibis. Its tables of numbers come back as Arrow.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duckdb
import ibis
import pyarrow as pa

from onsil.core.refusal import OperationError

HERE = "duckdb://"
_OPTIONS = {"memory_limit", "threads"}


@dataclass(frozen=True)
class Engine:
    """An open engine: reads Parquet files into one table, gives an expression's rows."""

    name: str
    backend: Any

    def read(self, places: Sequence[Path]) -> Any:
        """One Ibis table over these files; every worker must see them at the same place."""
        paths = [str(place) for place in places]
        if self.name == "duckdb":
            return self.backend.read_parquet(paths)
        view = ibis.util.gen_name("lake")
        self.backend._session.read.parquet(*paths).createOrReplaceTempView(view)
        return self.backend.table(view)

    def collect(self, expression: Any) -> pa.Table:
        """The rows of an expression, in no order."""
        return self.backend.to_pyarrow(expression)


@contextmanager
def engine(url: str = HERE) -> Iterator[Engine]:
    """Open an engine for a while.

    Raises OperationError for a URL of another kind, or when Spark Connect's client is not there.
    """
    parts = urlsplit(url)
    if parts.scheme == "duckdb" and not parts.netloc and not parts.path:
        options = dict(parse_qsl(parts.query))
        if set(options) <= _OPTIONS and bool(options) == bool(parts.query):
            with _duckdb(options) as opened:
                yield opened
            return
    if parts.scheme == "sc" and parts.hostname:
        with _spark(url) as opened:
            yield opened
        return
    raise OperationError(f"no engine at {url!r}: duckdb:// or sc://host:port", retry=False)


@contextmanager
def _duckdb(options: dict[str, str]) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="onsil-lake-") as spill:
        try:
            backend = ibis.duckdb.connect(temp_directory=spill, **options)
        except duckdb.Error as error:
            raise OperationError(f"DuckDB does not take {options}: {error}", retry=False) from error
        try:
            # Only sums are asked for: rows need not come in the order of the files.
            backend.raw_sql("SET preserve_insertion_order = false")
            yield Engine("duckdb", backend)
        finally:
            backend.disconnect()


@contextmanager
def _spark(url: str) -> Iterator[Engine]:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise OperationError("sc:// needs the package pyspark-client", retry=False) from error
    session = SparkSession.builder.remote(url).create()  # pyright: ignore
    try:
        yield Engine("spark", ibis.pyspark.connect(session))
    finally:
        session.stop()
