from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0009_targets")
