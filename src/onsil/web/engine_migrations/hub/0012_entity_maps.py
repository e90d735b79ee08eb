from onsil.web.engines import sql_migration

Migration = sql_migration("hub", "0012_entity_maps")
