from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0011_claims_guard")
