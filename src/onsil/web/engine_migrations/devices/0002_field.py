from onsil.web.engines import sql_migration

Migration = sql_migration("devices", "0002_field")
