"""Django's view of the room."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


def _scope_new_connection(connection: object, **_: object) -> None:
    from onsil.tenancy.scope import _city

    with connection.cursor() as cursor:  # pyright: ignore[reportAttributeAccessIssue]
        cursor.execute("SELECT set_config('onsil.city', %s, false)", (_city.get(),))


def _protect_city_tables(using: str, **_: object) -> None:
    """Every model table with a `city` column gets the isolation policy, once it exists."""
    from django.db import connections

    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regproc('onsil_tenant') IS NOT NULL")
        row = cursor.fetchone()
        if not row or not row[0]:
            return
        cursor.execute(
            """SELECT onsil_tenant(c.oid::regclass)
                 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind IN ('r', 'p') AND a.attname = 'city' AND NOT a.attisdropped
                  AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
                  AND NOT c.relispartition"""
        )
        cursor.execute(
            """SELECT c.oid::regclass::text FROM pg_class c
                WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
                  AND NOT c.relrowsecurity AND NOT c.relispartition"""
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onsil_app")
        cursor.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO onsil_app")
        cursor.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO onsil_app")


class TenancyConfig(AppConfig):
    name = "onsil.tenancy"

    def ready(self) -> None:
        connection_created.connect(_scope_new_connection, dispatch_uid="onsil-city")
        post_migrate.connect(_protect_city_tables, sender=self, dispatch_uid="onsil-protect")
