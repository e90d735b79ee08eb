from onsil.web.engines import sql_migration

Migration = sql_migration("hub", "0017_quality")
