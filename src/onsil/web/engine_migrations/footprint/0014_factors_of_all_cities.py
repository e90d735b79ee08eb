from onsil.web.engines import sql_migration

Migration = sql_migration("footprint", "0014_factors_of_all_cities")
