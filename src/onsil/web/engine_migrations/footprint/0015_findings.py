from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0015_findings")
