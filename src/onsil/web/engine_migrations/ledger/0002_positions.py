from onsil.web.engines import sql_migration

Migration = sql_migration("ledger", "0002_positions")
