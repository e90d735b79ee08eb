-- Quantifications, claims, projects, credits and the market. Journals are append-only; the one
-- table whose rows live through states, a monitoring period, is guarded by a trigger.

-- Factor sets as they stood when a run first used them.
CREATE TABLE footprint_factor_set (
  city text NOT NULL,
  id uuid NOT NULL,
  set_id text NOT NULL,
  sha256 text NOT NULL CHECK (length(sha256) = 64),
  content text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, sha256)
);
SELECT onsil_append_only('footprint_factor_set');

-- The readings that runs rest on, by the hash the snapshot's manifest gives them: compressed lines
-- of "instant value". Kept apart from the hub, where a point may be corrected later.
CREATE TABLE footprint_readings (
  city text NOT NULL,
  sha256 text NOT NULL CHECK (length(sha256) = 64),
  count int NOT NULL,
  lines bytea NOT NULL,
  PRIMARY KEY (city, sha256)
);
SELECT onsil_append_only('footprint_readings');

CREATE TABLE footprint_run (
  city text NOT NULL,
  id uuid NOT NULL,
  methodology text NOT NULL,
  version text NOT NULL,
  status text NOT NULL CHECK (status IN ('quantified', 'not-yet-measurable')),
  refusal jsonb CHECK ((refusal IS NULL) = (status = 'quantified')),
  period tstzrange NOT NULL CHECK (NOT isempty(period)),
  co2e_t numeric NOT NULL CHECK (co2e_t >= 0),
  energy_wh numeric NOT NULL CHECK (energy_wh >= 0),
  lines jsonb NOT NULL,
  inputs text NOT NULL,
  inputs_sha256 text NOT NULL,
  outputs text NOT NULL,
  outputs_sha256 text NOT NULL,
  snapshot_sha256 text NOT NULL,
  engine text NOT NULL,
  code_sha256 text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, inputs_sha256),
  CHECK (inputs_sha256 = encode(sha256(convert_to(inputs, 'UTF8')), 'hex')),
  CHECK (outputs_sha256 = encode(sha256(convert_to(outputs, 'UTF8')), 'hex'))
);
SELECT onsil_append_only('footprint_run');

CREATE TABLE footprint_run_series (
  city text NOT NULL,
  run_id uuid NOT NULL,
  role text NOT NULL,
  entity text NOT NULL,
  attribute text NOT NULL,
  span tstzrange NOT NULL,
  sha256 text NOT NULL,
  PRIMARY KEY (city, run_id, role),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run,
  FOREIGN KEY (city, sha256) REFERENCES footprint_readings
);
CREATE INDEX footprint_run_series_way ON footprint_run_series
  USING gist (city, entity, attribute, span);
SELECT onsil_append_only('footprint_run_series');

-- A claim is one programme's hold on a share of what a run found.
CREATE TABLE footprint_claim (
  city text NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  programme text NOT NULL CHECK (programme <> ''),
  share int4range NOT NULL CHECK (share <@ int4range(0, 10000) AND NOT isempty(share)),
  period tstzrange NOT NULL,
  co2e_t numeric NOT NULL CHECK (co2e_t > 0),
  energy_wh numeric NOT NULL CHECK (energy_wh > 0),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run,
  UNIQUE (city, run_id, programme, share)
);
CREATE INDEX footprint_claim_period ON footprint_claim USING gist (city, period);
SELECT onsil_append_only('footprint_claim');

-- What is held: a share of one quantity at one meter over one period, by nobody else.
CREATE TABLE footprint_claim_line (
  city text NOT NULL,
  claim_id uuid NOT NULL,
  meter text NOT NULL,
  quantity text NOT NULL,
  share int4range NOT NULL CHECK (NOT isempty(share)),
  period tstzrange NOT NULL CHECK (NOT isempty(period)),
  amount_wh numeric NOT NULL CHECK (amount_wh > 0),
  PRIMARY KEY (city, claim_id, meter, quantity),
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim,
  CONSTRAINT footprint_claimed_once EXCLUDE USING gist
    (city WITH =, meter WITH =, quantity WITH =, share WITH &&, period WITH &&)
);
SELECT onsil_append_only('footprint_claim_line');

CREATE TABLE footprint_project (
  city text NOT NULL,
  id uuid NOT NULL,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9-]{1,40}$'),
  name_ko text NOT NULL,
  name_en text NOT NULL,
  programme text NOT NULL,
  methodology text NOT NULL,
  crediting daterange NOT NULL CHECK (NOT isempty(crediting)),
  buffer_bp int NOT NULL CHECK (buffer_bp BETWEEN 0 AND 10000),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, code)
);
SELECT onsil_append_only('footprint_project');

CREATE TABLE footprint_monitoring (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  sequence int NOT NULL CHECK (sequence > 0),
  period tstzrange NOT NULL CHECK (NOT isempty(period)),
  status text NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'submitted', 'approved', 'returned', 'issued')),
  maker text,
  submitted_at timestamptz,
  checker text,
  decided_at timestamptz,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  UNIQUE (city, project_id, sequence),
  CONSTRAINT footprint_monitoring_apart EXCLUDE USING gist
    (city WITH =, project_id WITH =, period WITH &&),
  CONSTRAINT footprint_maker_is_not_checker CHECK (checker IS NULL OR checker <> maker),
  CHECK (status = 'open' OR maker IS NOT NULL),
  CHECK (status NOT IN ('approved', 'returned', 'issued') OR checker IS NOT NULL)
);
SELECT onsil_tenant('footprint_monitoring');
REVOKE DELETE ON footprint_monitoring FROM onsil_app;

-- open → submitted → approved → issued, or submitted → returned → submitted; nothing else, and who
-- made and who checked cannot be rewritten once it is approved.
CREATE FUNCTION footprint_monitoring_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.city, NEW.id, NEW.project_id, NEW.sequence, NEW.period)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.project_id, OLD.sequence, OLD.period) THEN
    RAISE EXCEPTION 'a monitoring period keeps its project and its dates' USING ERRCODE = '23514';
  END IF;
  IF (OLD.status, NEW.status) NOT IN
     (('open', 'submitted'), ('submitted', 'approved'), ('submitted', 'returned'),
      ('returned', 'submitted'), ('approved', 'issued')) THEN
    RAISE EXCEPTION 'a monitoring period cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = '23514';
  END IF;
  IF OLD.status <> 'open' AND NEW.status IN ('approved', 'returned', 'issued')
     AND (NEW.maker, NEW.submitted_at) IS DISTINCT FROM (OLD.maker, OLD.submitted_at) THEN
    RAISE EXCEPTION 'who submitted cannot be rewritten' USING ERRCODE = '23514';
  END IF;
  IF OLD.status = 'approved' AND (NEW.checker, NEW.decided_at, NEW.reason)
     IS DISTINCT FROM (OLD.checker, OLD.decided_at, OLD.reason) THEN
    RAISE EXCEPTION 'who approved cannot be rewritten' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_monitoring_step BEFORE UPDATE ON footprint_monitoring
  FOR EACH ROW EXECUTE FUNCTION footprint_monitoring_step();

-- The claims handed in with a monitoring period; a claim serves one period only.
CREATE TABLE footprint_monitoring_claim (
  city text NOT NULL,
  monitoring_id uuid NOT NULL,
  claim_id uuid NOT NULL,
  PRIMARY KEY (city, monitoring_id, claim_id),
  UNIQUE (city, claim_id),
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim
);
SELECT onsil_tenant('footprint_monitoring_claim');

CREATE FUNCTION footprint_monitoring_claim_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.monitoring_id ELSE NEW.monitoring_id END;
  town text := CASE WHEN TG_OP = 'DELETE' THEN OLD.city ELSE NEW.city END;
BEGIN
  IF TG_OP = 'UPDATE' OR NOT EXISTS (
    SELECT FROM footprint_monitoring m
    WHERE m.city = town AND m.id = touched AND m.status IN ('open', 'returned')
  ) THEN
    RAISE EXCEPTION 'the claims of a submitted monitoring period are fixed'
      USING ERRCODE = '23514';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER footprint_monitoring_claim_step
  BEFORE INSERT OR UPDATE OR DELETE ON footprint_monitoring_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_monitoring_claim_step();

-- Whole tonnes of a monitoring period; what is left of a tonne goes on to the next period.
CREATE TABLE footprint_batch (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  monitoring_id uuid NOT NULL,
  position int NOT NULL CHECK (position > 0),
  vintage int NOT NULL,
  tonnes int NOT NULL CHECK (tonnes >= 0),
  buffer_tonnes int NOT NULL CHECK (buffer_tonnes BETWEEN 0 AND tonnes),
  serials int8range,
  quantified_t numeric NOT NULL CHECK (quantified_t > 0),
  carried_in_t numeric NOT NULL CHECK (carried_in_t >= 0 AND carried_in_t < 1),
  carried_out_t numeric NOT NULL CHECK (carried_out_t >= 0 AND carried_out_t < 1),
  transfer_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, monitoring_id, vintage),
  UNIQUE (city, project_id, position),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  CHECK (quantified_t + carried_in_t = tonnes + carried_out_t),
  CHECK ((tonnes > 0) = (serials IS NOT NULL AND transfer_id IS NOT NULL)),
  CHECK (serials IS NULL OR upper(serials) - lower(serials) = tonnes),
  CONSTRAINT footprint_serials_once EXCLUDE USING gist (city WITH =, serials WITH &&)
);
SELECT onsil_append_only('footprint_batch');

CREATE TABLE footprint_listing (
  city text NOT NULL,
  id uuid NOT NULL,
  batch_id uuid NOT NULL,
  tonnes int NOT NULL CHECK (tonnes > 0),
  unit_price_krw bigint NOT NULL CHECK (unit_price_krw > 0),
  withdrawn boolean NOT NULL DEFAULT false,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch
);
SELECT onsil_append_only('footprint_listing');
GRANT UPDATE (withdrawn) ON footprint_listing TO onsil_app;

CREATE TABLE footprint_sale (
  city text NOT NULL,
  id uuid NOT NULL,
  listing_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  buyer text NOT NULL,
  tonnes int NOT NULL CHECK (tonnes > 0),
  unit_price_krw bigint NOT NULL,
  key text NOT NULL,
  transfer_id uuid NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, key),
  FOREIGN KEY (city, listing_id) REFERENCES footprint_listing,
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch
);
SELECT onsil_append_only('footprint_sale');

CREATE TABLE footprint_retirement (
  city text NOT NULL,
  id uuid NOT NULL,
  batch_id uuid NOT NULL,
  company text NOT NULL,
  tonnes int NOT NULL CHECK (tonnes > 0),
  beneficiary text NOT NULL CHECK (beneficiary <> ''),
  reason text NOT NULL CHECK (reason <> ''),
  serials int8range NOT NULL CHECK (upper(serials) - lower(serials) = tonnes),
  key text NOT NULL,
  transfer_id uuid NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, key),
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch,
  CONSTRAINT footprint_retired_once EXCLUDE USING gist (city WITH =, serials WITH &&)
);
SELECT onsil_append_only('footprint_retirement');
