-- EntityMaps (GS CIM 009 V1.9.1 §5.14): the entities that a query found, kept for its further pages.
CREATE TABLE hub_entity_map (
  city text COLLATE "C" NOT NULL,
  map_id text COLLATE "C" NOT NULL,
  entities json NOT NULL CHECK (octet_length(entities::text) <= 4000000),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (city, map_id)
);
CREATE INDEX hub_entity_map_expiry ON hub_entity_map (city, expires_at);

SELECT onsil_tenant('hub_entity_map');
