from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0013_credit_rules")
