-- Factor sets and coefficient tables that a city brings in itself: one person hands in, another
-- decides. What was handed in never changes; an approved one is in force beside those shipped.
CREATE TABLE footprint_factor_import (
  city text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('factors', 'coefficients')),
  set_id text NOT NULL CHECK (set_id <> ''),
  version int NOT NULL CHECK (version > 0),
  file_name text NOT NULL,
  file_sha256 text NOT NULL CHECK (length(file_sha256) = 64),
  content text NOT NULL,
  sha256 text NOT NULL,
  findings jsonb NOT NULL,
  blocking int NOT NULL CHECK (blocking >= 0),
  flagged int NOT NULL CHECK (flagged >= 0),
  status text NOT NULL DEFAULT 'draft'
    CHECK (status IN ('draft', 'checked', 'approved', 'returned')),
  maker text NOT NULL,
  created_at timestamptz NOT NULL,
  answer text NOT NULL DEFAULT '',
  checked_at timestamptz,
  checker text,
  decided_at timestamptz,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (city, id),
  CHECK (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
  -- "user:7" and "7" are one person.
  CONSTRAINT footprint_factor_import_two_people CHECK
    (checker IS NULL OR regexp_replace(checker, '^user:', '') <> regexp_replace(maker, '^user:', '')),
  CHECK ((status IN ('approved', 'returned')) = (checker IS NOT NULL AND decided_at IS NOT NULL)),
  CHECK (status = 'draft' OR checked_at IS NOT NULL),
  CHECK (status = 'draft' OR blocking = 0),
  CHECK (status = 'draft' OR flagged = 0 OR answer <> ''),
  CHECK (status <> 'returned' OR reason <> '')
);
CREATE UNIQUE INDEX footprint_factor_import_in_force ON footprint_factor_import
  (city, set_id, version) WHERE status = 'approved';
CREATE UNIQUE INDEX footprint_factor_import_once ON footprint_factor_import
  (city, sha256) WHERE status <> 'returned';
SELECT onsil_tenant('footprint_factor_import');
REVOKE DELETE, TRUNCATE ON footprint_factor_import FROM onsil_app;

-- draft → checked → approved or returned; nothing else, and nothing that was handed in changes.
CREATE FUNCTION footprint_factor_import_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.city, NEW.id, NEW.kind, NEW.set_id, NEW.version, NEW.file_name, NEW.file_sha256,
      NEW.content, NEW.sha256, NEW.findings, NEW.blocking, NEW.flagged, NEW.maker, NEW.created_at)
     IS DISTINCT FROM
     (OLD.city, OLD.id, OLD.kind, OLD.set_id, OLD.version, OLD.file_name, OLD.file_sha256,
      OLD.content, OLD.sha256, OLD.findings, OLD.blocking, OLD.flagged, OLD.maker, OLD.created_at)
  THEN
    RAISE EXCEPTION 'what was handed in cannot be rewritten' USING ERRCODE = '23514';
  END IF;
  IF (OLD.status, NEW.status) NOT IN
     (('draft', 'checked'), ('checked', 'approved'), ('checked', 'returned')) THEN
    RAISE EXCEPTION 'an import cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = '23514';
  END IF;
  IF OLD.status = 'checked'
     AND (NEW.answer, NEW.checked_at) IS DISTINCT FROM (OLD.answer, OLD.checked_at) THEN
    RAISE EXCEPTION 'an answer cannot be rewritten' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_factor_import_step BEFORE UPDATE ON footprint_factor_import
  FOR EACH ROW EXECUTE FUNCTION footprint_factor_import_step();
CREATE FUNCTION footprint_factor_import_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> 'draft' THEN
    RAISE EXCEPTION 'an import begins as a draft' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_factor_import_begins BEFORE INSERT ON footprint_factor_import
  FOR EACH ROW EXECUTE FUNCTION footprint_factor_import_begins();
