from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0012_totals_by_simulation")
