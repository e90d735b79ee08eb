from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0001_footprint", after=[("core", "0001_tenancy")])
