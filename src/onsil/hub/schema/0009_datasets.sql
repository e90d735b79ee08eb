-- Data sets: what a city offers of its entities, to whom it owes them, and what it promises of them.
-- `type_iri` finds the data sets that a written entity may belong to; `doc` is the whole description.
CREATE TABLE hub_dataset (
  city text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  type_iri text COLLATE "C" NOT NULL,
  doc jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  PRIMARY KEY (city, dataset_id)
);
CREATE INDEX hub_dataset_type ON hub_dataset (city, type_iri);

-- A city's catalogue: its title, description and publisher.
CREATE TABLE hub_catalogue (
  city text COLLATE "C" PRIMARY KEY,
  doc jsonb NOT NULL,
  modified_at timestamptz NOT NULL
);

-- How often a data set was used, by UTC day and form (page, csv, parquet, geojson, xlsx).
CREATE TABLE hub_dataset_use (
  city text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  form text NOT NULL,
  uses bigint NOT NULL,
  PRIMARY KEY (city, dataset_id, day, form)
);

-- What checking an entity against its model found: one row as long as the findings stay the same.
-- An empty list means that the entity fits.
CREATE TABLE hub_verification (
  city text COLLATE "C" NOT NULL,
  uri text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  times bigint NOT NULL,
  findings jsonb NOT NULL,
  PRIMARY KEY (city, uri, model, since)
);
CREATE INDEX hub_verification_last ON hub_verification (city, last_at);

SELECT onsil_tenant('hub_dataset');
SELECT onsil_tenant('hub_catalogue');
SELECT onsil_tenant('hub_dataset_use');
SELECT onsil_tenant('hub_verification');
