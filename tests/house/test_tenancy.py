"""PostgreSQL itself keeps the cities apart: every table with a city has the policy."""

from onsil.core.database import Connection, cursor


def test_every_table_of_a_city_is_isolated(conn: Connection) -> None:
    with cursor(conn) as cur:
        cur.execute(
            """SELECT c.relname, c.relrowsecurity,
                      EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
                  AND a.attname = 'city' AND NOT a.attisdropped AND NOT c.relispartition"""
        )
        tables = cur.fetchall()
    assert tables
    assert [name for name, secured, policy in tables if not (secured and policy)] == []


def test_partitions_cannot_be_reached_past_their_parent(conn: Connection) -> None:
    with cursor(conn) as cur:
        cur.execute(
            """SELECT c.relname FROM pg_class c
                WHERE c.relispartition AND c.relkind = 'r' AND NOT c.relrowsecurity
                  AND has_table_privilege('onsil_app', c.oid, 'SELECT')"""
        )
        assert cur.fetchall() == []


def test_the_running_system_owns_nothing(conn: Connection) -> None:
    with cursor(conn) as cur:
        cur.execute(
            "SELECT relname FROM pg_class WHERE relowner = 'onsil_app'::regrole"
            " AND relnamespace = 'public'::regnamespace"
        )
        assert cur.fetchall() == []
        cur.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'onsil_app'")
        assert cur.fetchone() == (False,)


def test_engine_tables_start_their_key_with_the_city(conn: Connection) -> None:
    """Cells are split by city, so a key that leads with it never needs another."""
    with cursor(conn) as cur:
        cur.execute(
            """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'city'
                WHERE i.indisprimary AND NOT c.relispartition
                  AND split_part(c.relname, '_', 1) IN
                      ('proof', 'ledger', 'hub', 'device', 'devices', 'point', 'footprint')
                  AND c.relnamespace = 'public'::regnamespace AND i.indkey[0] <> a.attnum"""
        )
        assert [name for (name,) in cur.fetchall()] == []
