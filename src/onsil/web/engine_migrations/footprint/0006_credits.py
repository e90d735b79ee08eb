from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0006_credits", after=[("ledger", "0002_positions")])
