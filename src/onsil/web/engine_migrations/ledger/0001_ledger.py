from onsil.web.engines import sql_migration

Migration = sql_migration("ledger", "0001_ledger", after=[("proof", "0001_log")])
