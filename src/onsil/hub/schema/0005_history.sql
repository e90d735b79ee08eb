-- Entities as the history knows them: they outlive the current entity and may never have had one.
CREATE TABLE hub_temporal_entity (
  city text COLLATE "C" NOT NULL,
  teid bigint GENERATED ALWAYS AS IDENTITY,
  uri text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  PRIMARY KEY (city, teid),
  UNIQUE (city, uri) INCLUDE (teid)
);
SELECT onsil_tenant('hub_temporal_entity');
