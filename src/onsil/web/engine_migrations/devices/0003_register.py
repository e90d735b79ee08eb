from onsil.web.engines import sql_migration

Migration = sql_migration("devices", "0003_register", after=[("hub", "0015_register")])
