"""What may know the lake's query engines: Ibis is young, so that few files depend on it."""

from house.source import PACKAGE, imported, modules

_ENGINES = {"ibis", "duckdb", "pysail", "pyspark", "sqlglot"}
_ALLOWED = {
    "footprint/aggregates/engines.py",
    "footprint/aggregates/expressions.py",
}


def test_ibis_is_known_in_one_place():
    found = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if _ENGINES & {name.partition(".")[0] for name in imported(path)}
    }
    assert found == _ALLOWED
