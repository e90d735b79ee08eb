from onsil.web.engines import sql_migration

Migration = sql_migration("core", "0001_tenancy")
