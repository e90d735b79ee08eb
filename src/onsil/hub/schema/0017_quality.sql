-- What was measured of a data set's quality on a day of its city: for each part of an indicator, how
-- many of how many were good. What cannot be measured has no row. `dataset_id` may be gone since.
CREATE TABLE hub_dataset_quality (
  city text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  indicator text NOT NULL,
  part text NOT NULL,
  good bigint NOT NULL,
  total bigint NOT NULL,
  measured_at timestamptz NOT NULL,
  PRIMARY KEY (city, dataset_id, day, indicator, part),
  CHECK (total > 0 AND good BETWEEN 0 AND total)
);
SELECT onsil_tenant('hub_dataset_quality');
