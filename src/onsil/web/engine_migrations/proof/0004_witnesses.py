from onsil.web.engines import sql_migration

Migration = sql_migration("proof", "0004_witnesses")
