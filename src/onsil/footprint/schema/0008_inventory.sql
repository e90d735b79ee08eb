-- Greenhouse-gas inventories of the city and of companies. All is append-only: a changed line is a
-- new revision of it, a compilation is a version, and what a second person says of it is a row.

CREATE TABLE footprint_inventory (
  city text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('city', 'company')),
  subject text NOT NULL CHECK (subject <> ''),
  name text NOT NULL CHECK (name <> ''),
  year int NOT NULL CHECK (year BETWEEN 1990 AND 2100),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, kind, subject, year)
);
SELECT onsil_append_only('footprint_inventory');

CREATE TABLE footprint_inventory_settings (
  city text NOT NULL,
  inventory_id uuid NOT NULL,
  revision int NOT NULL CHECK (revision > 0),
  content jsonb NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, inventory_id, revision),
  FOREIGN KEY (city, inventory_id) REFERENCES footprint_inventory
);
SELECT onsil_append_only('footprint_inventory_settings');

-- A line's revisions; the last one holds, and one without a spec has taken the line out.
CREATE TABLE footprint_inventory_line (
  city text NOT NULL,
  inventory_id uuid NOT NULL,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9._-]{1,80}$'),
  revision int NOT NULL CHECK (revision > 0),
  spec jsonb CHECK (spec IS NULL OR spec ->> 'code' = code),
  cause text NOT NULL
    CHECK (cause IN ('activity', 'factor', 'gwp', 'boundary', 'method', 'error')),
  reason text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, inventory_id, code, revision),
  FOREIGN KEY (city, inventory_id) REFERENCES footprint_inventory,
  CONSTRAINT footprint_inventory_change_has_a_reason CHECK (revision = 1 OR reason <> '')
);
SELECT onsil_append_only('footprint_inventory_line');

-- The local days of each meter that a version rests on, by their hash.
CREATE TABLE footprint_inventory_days (
  city text NOT NULL,
  sha256 text NOT NULL CHECK (length(sha256) = 64),
  count int NOT NULL,
  lines bytea NOT NULL,
  PRIMARY KEY (city, sha256)
);
SELECT onsil_append_only('footprint_inventory_days');

CREATE TABLE footprint_inventory_version (
  city text NOT NULL,
  id uuid NOT NULL,
  inventory_id uuid NOT NULL,
  number int NOT NULL CHECK (number > 0),
  co2e_kg numeric,
  missing int NOT NULL CHECK (missing >= 0),
  inputs text NOT NULL,
  inputs_sha256 text NOT NULL,
  outputs text NOT NULL,
  outputs_sha256 text NOT NULL,
  engine text NOT NULL,
  code_sha256 text NOT NULL,
  maker text NOT NULL CHECK (maker <> ''),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, inventory_id, number),
  UNIQUE (city, inventory_id, inputs_sha256),
  FOREIGN KEY (city, inventory_id) REFERENCES footprint_inventory,
  CHECK (inputs_sha256 = encode(sha256(convert_to(inputs, 'UTF8')), 'hex')),
  CHECK (outputs_sha256 = encode(sha256(convert_to(outputs, 'UTF8')), 'hex'))
);
SELECT onsil_append_only('footprint_inventory_version');

-- What a second person says of a version. Sealed once, or returned with a reason.
CREATE TABLE footprint_inventory_decision (
  city text NOT NULL,
  id uuid NOT NULL,
  version_id uuid NOT NULL,
  decision text NOT NULL CHECK (decision IN ('sealed', 'returned')),
  checker text NOT NULL CHECK (checker <> ''),
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, version_id),
  FOREIGN KEY (city, version_id) REFERENCES footprint_inventory_version,
  CONSTRAINT footprint_inventory_return_has_a_reason CHECK (decision = 'sealed' OR reason <> '')
);
SELECT onsil_append_only('footprint_inventory_decision');

CREATE FUNCTION footprint_inventory_decided() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  made footprint_inventory_version;
BEGIN
  SELECT * INTO made FROM footprint_inventory_version v
    WHERE v.city = NEW.city AND v.id = NEW.version_id;
  IF made.maker = NEW.checker THEN
    RAISE EXCEPTION 'who compiled an inventory cannot seal it' USING ERRCODE = '23514';
  END IF;
  IF NEW.decision = 'sealed' AND (made.missing > 0 OR made.co2e_kg IS NULL) THEN
    RAISE EXCEPTION 'an inventory with missing rows cannot be sealed' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_inventory_decided BEFORE INSERT ON footprint_inventory_decision
  FOR EACH ROW EXECUTE FUNCTION footprint_inventory_decided();

-- When the base year must be done again; the last revision holds.
CREATE TABLE footprint_inventory_policy (
  city text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('city', 'company')),
  subject text NOT NULL,
  revision int NOT NULL CHECK (revision > 0),
  base_year int NOT NULL CHECK (base_year BETWEEN 1990 AND 2100),
  threshold_bp int NOT NULL CHECK (threshold_bp BETWEEN 1 AND 10000),
  causes text[] NOT NULL CHECK (causes <@ ARRAY['factor', 'gwp', 'boundary', 'method', 'error']),
  content text NOT NULL CHECK (content <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, kind, subject, revision)
);
SELECT onsil_append_only('footprint_inventory_policy');
