"""What row-level security costs: the city is read once a query."""

from onsil.core.database import Connection, cursor


def test_the_city_is_read_once_a_query(conn: Connection):
    plan = "\n".join(row[0] for row in cursor(conn).execute("EXPLAIN SELECT * FROM ledger_account"))
    assert "InitPlan" in plan
    assert "onsil_sees" not in plan
