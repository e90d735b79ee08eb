-- Factors read in once for every city of the installation: imports of the city '*', by the same
-- steps and the same two people as a city's own. Only a session that sees all cities writes them;
-- an approved one every city reads.
CREATE POLICY approved_for_every_city ON footprint_factor_import FOR SELECT
  USING (city = '*' AND status = 'approved');

-- That a city was told of one: a row, and a leaf of its own log, for each city.
CREATE TABLE footprint_common_factor (
  city text NOT NULL CHECK (city <> '*'),
  id uuid NOT NULL,
  everywhere text NOT NULL GENERATED ALWAYS AS ('*') STORED,
  import_id uuid NOT NULL,
  set_id text NOT NULL,
  version int NOT NULL,
  sha256 text NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, import_id),
  FOREIGN KEY (everywhere, import_id) REFERENCES footprint_factor_import (city, id)
);
SELECT onsil_append_only('footprint_common_factor');

CREATE FUNCTION footprint_common_factor_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM footprint_factor_import i
    WHERE i.city = '*' AND i.id = NEW.import_id AND i.status = 'approved'
      AND (i.set_id, i.version, i.sha256) = (NEW.set_id, NEW.version, NEW.sha256)
  ) THEN
    RAISE EXCEPTION 'only an approved import is told of, as it stands' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_common_factor_approved BEFORE INSERT ON footprint_common_factor
  FOR EACH ROW EXECUTE FUNCTION footprint_common_factor_approved();
