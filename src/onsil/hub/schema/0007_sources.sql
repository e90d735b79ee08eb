-- Registered context sources (GS CIM 009 §5.2.9). `doc` has IRIs for types and attribute names.
CREATE TABLE hub_source (
  city text COLLATE "C" NOT NULL,
  source_no int GENERATED ALWAYS AS IDENTITY,
  uri text COLLATE "C" NOT NULL,
  doc jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  PRIMARY KEY (city, source_no),
  UNIQUE (city, uri)
);

-- One row a city that ever had a registration; its lock puts those who change them in line.
CREATE TABLE hub_source_version (
  city text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  lineage uuid NOT NULL DEFAULT gen_random_uuid()
);

-- What has come of the requests sent to a source.
CREATE TABLE hub_source_state (
  city text COLLATE "C" NOT NULL,
  source_no int NOT NULL,
  times_sent bigint NOT NULL DEFAULT 0,
  times_failed bigint NOT NULL DEFAULT 0,
  last_success timestamptz,
  last_failure timestamptz,
  PRIMARY KEY (city, source_no),
  FOREIGN KEY (city, source_no) REFERENCES hub_source ON DELETE CASCADE
) WITH (fillfactor = 50);

SELECT onsil_tenant('hub_source');
SELECT onsil_tenant('hub_source_version');
SELECT onsil_tenant('hub_source_state');
