from onsil.web.engines import sql_migration

Migration = sql_migration("devices", "0001_devices", after=[("hub", "0002_series")])
