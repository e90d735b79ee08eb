-- Claims on any physical quantity: partial periods, boundaries within one another, release before
-- use, and what was refused. What is held lies in one table that nobody writes by hand: a claim's
-- lines make its holds, its release takes them away, and an exclusion constraint keeps them apart.

-- ---------------------------------------------------------------- programmes and quantities

-- What kind of programme a claim serves. Compliance, voluntary and rec units are sold or accounted
-- for; the others are rewards, contracts and books. `other`: a programme of the city's own.
CREATE FUNCTION footprint_programme_kind(programme text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE
  WHEN programme IN ('kr-offset', 'kr-ets', 'koc') THEN 'compliance'
  WHEN programme IN ('voluntary', 'gold-standard', 'forest-carbon', 'vcm', 'vm0047')
    THEN 'voluntary'
  WHEN programme IN ('rec', 'kr-rec', 're100') THEN 'rec'
  WHEN programme IN ('citizen-reward', 'household-saving', 'household') THEN 'citizen'
  WHEN programme IN ('dr', 'kr-dr') THEN 'dr'
  WHEN programme = 'esco' THEN 'contract'
  WHEN programme IN ('inventory', 'disclosure') THEN programme
  ELSE 'other' END;

-- Quantities that are one physical thing under two names: what a response to demand takes off the
-- load of an hour is part of what the building saved.
CREATE FUNCTION footprint_quantity_family(quantity text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE
  WHEN quantity = 'electricity-shifted' THEN 'electricity-saved'
  WHEN quantity IN ('plastic-recycled', 'waste-diverted', 'waste-incinerated') THEN 'waste-treated'
  ELSE quantity END;

-- A delivered lot or a citizen's act happens once: it is held for good, whatever the run's period.
CREATE FUNCTION footprint_happens_once(quantity text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN footprint_quantity_family(quantity) IN ('waste-treated', 'citizen-action');

-- False where the methodology's tonnes may be rewarded and never become units.
ALTER TABLE footprint_run ADD COLUMN creditable boolean NOT NULL DEFAULT true;

ALTER TABLE footprint_claim
  ADD COLUMN kind text NOT NULL GENERATED ALWAYS AS (footprint_programme_kind(programme)) STORED,
  DROP CONSTRAINT footprint_claim_city_run_id_programme_share_key,
  ADD CONSTRAINT footprint_claim_period_is_some CHECK (NOT isempty(period));
CREATE INDEX footprint_claim_run ON footprint_claim (city, run_id);
CREATE INDEX footprint_claim_line_meter ON footprint_claim_line (city, meter, quantity);

-- ---------------------------------------------------------------- what lies inside what

-- A lamp group inside a whole building's meter: every pair of a whole and a part within it, however
-- deep. Each part has a slot of its own in each whole.
CREATE TABLE footprint_boundary (
  city text NOT NULL,
  whole text NOT NULL CHECK (whole <> ''),
  part text NOT NULL CHECK (part <> ''),
  slot int NOT NULL CHECK (slot >= 0),
  direct boolean NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, part, whole),
  UNIQUE (city, whole, slot),
  CHECK (part <> whole)
);
SELECT onsil_tenant('footprint_boundary');
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON footprint_boundary FROM onsil_app;

-- ---------------------------------------------------------------- holds

CREATE TABLE footprint_hold (
  city text NOT NULL,
  claim_id uuid NOT NULL,
  meter text NOT NULL,
  family text NOT NULL,
  line_meter text NOT NULL,
  line_quantity text NOT NULL,
  share int4range NOT NULL CHECK (NOT isempty(share)),
  part int4range NOT NULL CHECK (NOT isempty(part)),
  period tstzrange NOT NULL CHECK (NOT isempty(period)),
  PRIMARY KEY (city, claim_id, line_meter, line_quantity, meter),
  FOREIGN KEY (city, claim_id, line_meter, line_quantity) REFERENCES footprint_claim_line
);
SELECT onsil_tenant('footprint_hold');
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON footprint_hold FROM onsil_app;

INSERT INTO footprint_hold
SELECT city, claim_id, meter, footprint_quantity_family(quantity), meter, quantity, share,
  int4range(0, 2147483647), period FROM footprint_claim_line;
ALTER TABLE footprint_claim_line DROP CONSTRAINT footprint_claimed_once;
ALTER TABLE footprint_hold ADD CONSTRAINT footprint_claimed_once EXCLUDE USING gist
  (city WITH =, meter WITH =, family WITH =, share WITH &&, part WITH &&, period WITH &&);

-- What claiming a run's line holds: at its own meter the whole, and its slot in all that contain it.
CREATE FUNCTION footprint_holds_of(town text, run uuid, at_meter text, of_quantity text,
  during tstzrange)
RETURNS TABLE (meter text, family text, part int4range, period tstzrange)
LANGUAGE sql STABLE AS $$
  SELECT w.meter, footprint_quantity_family(of_quantity), w.part,
    CASE WHEN footprint_happens_once(of_quantity) AND EXISTS (
      SELECT FROM footprint_run_record r
      WHERE r.city = town AND r.record = at_meter AND r.run_id = run)
    THEN tstzrange(NULL, NULL) ELSE during END
  FROM (
    SELECT at_meter AS meter, int4range(0, 2147483647) AS part
    UNION ALL
    SELECT b.whole, int4range(b.slot, b.slot + 1) FROM footprint_boundary b
    WHERE b.city = town AND b.part = at_meter
  ) w
$$;

-- What runs found by meter and quantity: each run's lines taken apart once, however many there are.
CREATE FUNCTION footprint_lines_found(towns text[], run_ids uuid[])
RETURNS TABLE (city text, run_id uuid, meter text, quantity text, amount numeric)
LANGUAGE sql STABLE AS $$
  SELECT r.city, r.id, l ->> 'meter', l ->> 'quantity',
    sum(coalesce(l ->> 'amount', l ->> 'amount_wh')::numeric)
  FROM footprint_run r CROSS JOIN LATERAL jsonb_array_elements(r.lines) l
  WHERE r.city = ANY(towns) AND r.id = ANY(run_ids)
  GROUP BY 1, 2, 3, 4
$$;

-- New lines hold what they claim, and never more than the run found in their share.
CREATE FUNCTION footprint_claim_line_held() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended(one.city || ' boundaries', 0))
  FROM (SELECT DISTINCT city FROM made) one;
  -- Groups, not joins: of tables that are new to it the planner knows too little to join well.
  IF EXISTS (
    WITH wanted AS MATERIALIZED (
      SELECT c.city, c.run_id, m.meter, m.quantity, m.amount,
        upper(m.share) - lower(m.share) AS width,
        m.period <@ r.period AND m.period <@ c.period AND m.share <@ c.share AS fits
      FROM made m
      JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
      JOIN footprint_run r ON r.city = c.city AND r.id = c.run_id
    )
    SELECT FROM (
      SELECT one.*, max(one.counted) OVER (PARTITION BY city, run_id, meter, quantity) AS most
      FROM (
        SELECT w.*, NULL::numeric AS counted FROM wanted w
        UNION ALL
        SELECT f.city, f.run_id, f.meter, f.quantity, NULL, NULL, NULL, f.amount
        FROM footprint_lines_found(ARRAY(SELECT DISTINCT city FROM wanted),
                                   ARRAY(SELECT DISTINCT run_id FROM wanted)) f
      ) one
    ) told
    WHERE told.amount IS NOT NULL AND (told.most IS NULL OR NOT told.fits
      OR told.amount > told.most * told.width / 10000)
  ) THEN
    RAISE EXCEPTION 'a claim holds no more than its run found in its share and period'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_fits';
  END IF;
  INSERT INTO footprint_hold
  SELECT m.city, m.claim_id, h.meter, h.family, m.meter, m.quantity, m.share, h.part, h.period
  FROM made m
  JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
  CROSS JOIN LATERAL footprint_holds_of(m.city, c.run_id, m.meter, m.quantity, m.period) h
  ORDER BY h.meter, h.family;
  IF EXISTS (
    WITH wanted AS MATERIALIZED (
      SELECT DISTINCT m.city, c.run_id, m.meter, m.quantity FROM made m
      JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
    )
    SELECT FROM (
      SELECT wanted.*, sums.held, NULL::numeric AS counted FROM wanted
      CROSS JOIN LATERAL (
        SELECT sum(l.amount) AS held FROM footprint_claim_line l
        JOIN footprint_claim c
          ON c.city = l.city AND c.id = l.claim_id AND c.run_id = wanted.run_id
        WHERE l.city = wanted.city AND l.meter = wanted.meter AND l.quantity = wanted.quantity
          AND EXISTS (SELECT FROM footprint_hold h
            WHERE h.city = l.city AND h.claim_id = l.claim_id AND h.line_meter = l.meter
              AND h.line_quantity = l.quantity)
      ) sums
      UNION ALL
      SELECT f.city, f.run_id, f.meter, f.quantity, NULL, f.amount
      FROM footprint_lines_found(ARRAY(SELECT DISTINCT city FROM wanted),
                                 ARRAY(SELECT DISTINCT run_id FROM wanted)) f
    ) one
    GROUP BY city, run_id, meter, quantity HAVING max(held) > max(counted)
  ) THEN
    RAISE EXCEPTION 'the claims on a line together exceed what the run found'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claims_fit';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER footprint_claim_line_held AFTER INSERT ON footprint_claim_line
  REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION footprint_claim_line_held();

-- Tonnes that are for rewards only become no units.
CREATE FUNCTION footprint_claim_kind_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF footprint_programme_kind(NEW.programme) IN ('compliance', 'voluntary', 'rec') AND NOT EXISTS (
    SELECT FROM footprint_run r WHERE r.city = NEW.city AND r.id = NEW.run_id AND r.creditable
  ) THEN
    RAISE EXCEPTION 'this reduction may be rewarded, and never becomes units of %', NEW.programme
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_creditable';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_claim_kind_fits BEFORE INSERT ON footprint_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_claim_kind_fits();

-- ---------------------------------------------------------------- boundaries, one way in

-- Put a part inside a whole, with all that contains the one and all that the other contains. What is
-- claimed of the parts is held at the wholes from now on; a claim in the way refuses it.
CREATE FUNCTION footprint_put_inside(town text, inner_one text, outer_one text, by_whom text,
  at_time timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  pair record;
BEGIN
  IF NOT onsil_sees(town) THEN
    RAISE EXCEPTION 'another city' USING ERRCODE = '42501';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended(town || ' boundaries', 0));
  IF inner_one = outer_one OR EXISTS (SELECT FROM footprint_boundary b
    WHERE b.city = town AND b.whole = inner_one AND b.part = outer_one) THEN
    RAISE EXCEPTION 'a boundary cannot lie inside itself'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_boundary_cycle';
  END IF;
  FOR pair IN
    SELECT w.name AS whole, p.name AS part FROM
      (SELECT outer_one AS name UNION SELECT b.whole FROM footprint_boundary b
       WHERE b.city = town AND b.part = outer_one) w
    CROSS JOIN
      (SELECT inner_one AS name UNION SELECT b.part FROM footprint_boundary b
       WHERE b.city = town AND b.whole = inner_one) p
    WHERE NOT EXISTS (SELECT FROM footprint_boundary b
      WHERE b.city = town AND b.part = p.name AND b.whole = w.name)
    ORDER BY 1, 2
  LOOP
    INSERT INTO footprint_boundary
    SELECT town, pair.whole, pair.part, coalesce(max(b.slot) + 1, 0),
      pair.whole = outer_one AND pair.part = inner_one, by_whom, at_time
    FROM footprint_boundary b WHERE b.city = town AND b.whole = pair.whole;
    INSERT INTO footprint_hold
    SELECT h.city, h.claim_id, pair.whole, h.family, h.line_meter, h.line_quantity, h.share,
      int4range(b.slot, b.slot + 1), h.period
    FROM footprint_hold h
    JOIN footprint_boundary b ON b.city = town AND b.part = pair.part AND b.whole = pair.whole
    WHERE h.city = town AND h.meter = pair.part AND h.line_meter = pair.part;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION footprint_put_inside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION footprint_put_inside TO onsil_app;

-- ---------------------------------------------------------------- use and release

-- What was made of a claim outside the projects: an award, a contract, a statement.
CREATE TABLE footprint_claim_use (
  city text NOT NULL,
  claim_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind <> ''),
  subject text NOT NULL CHECK (subject <> ''),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, claim_id, kind, subject),
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim
);
SELECT onsil_append_only('footprint_claim_use');

-- A claim given back before anything was made of it.
CREATE TABLE footprint_claim_release (
  city text NOT NULL,
  id uuid NOT NULL,
  claim_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, claim_id),
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim
);
SELECT onsil_append_only('footprint_claim_release');

-- Whether a reward was given for a claim; the rewards' own tables, where they are installed.
CREATE FUNCTION footprint_rewarded(town text, claim uuid) RETURNS boolean LANGUAGE plpgsql
STABLE AS $$
DECLARE
  found boolean := false;
BEGIN
  IF to_regclass('rewards_award') IS NOT NULL THEN
    EXECUTE 'SELECT EXISTS (SELECT FROM rewards_award WHERE city = $1 AND claim_id = $2)'
      INTO found USING town, claim;
  END IF;
  IF NOT found AND to_regclass('rewards_evidence') IS NOT NULL THEN
    EXECUTE 'SELECT EXISTS (SELECT FROM rewards_evidence WHERE city = $1 AND claim_id = $2)'
      INTO found USING town, claim;
  END IF;
  RETURN found;
END $$;

-- Release and use wait for each other at the claim's row: one of them finds the other done.
CREATE FUNCTION footprint_claim_released() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM footprint_claim c WHERE c.city = NEW.city AND c.id = NEW.claim_id FOR UPDATE;
  IF EXISTS (SELECT FROM footprint_monitoring_claim m
             WHERE m.city = NEW.city AND m.claim_id = NEW.claim_id)
     OR EXISTS (SELECT FROM footprint_claim_use u
                WHERE u.city = NEW.city AND u.claim_id = NEW.claim_id)
     OR footprint_rewarded(NEW.city, NEW.claim_id) THEN
    RAISE EXCEPTION 'a claim that was used cannot be released'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_used';
  END IF;
  DELETE FROM footprint_hold h WHERE h.city = NEW.city AND h.claim_id = NEW.claim_id;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_claim_released BEFORE INSERT ON footprint_claim_release
  FOR EACH ROW EXECUTE FUNCTION footprint_claim_released();

CREATE FUNCTION footprint_claim_usable() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM footprint_claim c
  WHERE c.city = NEW.city AND c.id = NEW.claim_id FOR KEY SHARE;
  IF EXISTS (SELECT FROM footprint_claim_release l
             WHERE l.city = NEW.city AND l.claim_id = NEW.claim_id) THEN
    RAISE EXCEPTION 'a released claim cannot be used'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_unusable';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_claim_usable BEFORE INSERT ON footprint_claim_use
  FOR EACH ROW EXECUTE FUNCTION footprint_claim_usable();
CREATE TRIGGER footprint_claim_usable BEFORE INSERT ON footprint_monitoring_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_claim_usable();

-- What a project turns into units was claimed for units, from tonnes that may become some.
CREATE FUNCTION footprint_monitoring_claim_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM footprint_claim c JOIN footprint_run r ON r.city = c.city AND r.id = c.run_id
    WHERE c.city = NEW.city AND c.id = NEW.claim_id AND r.creditable
      AND c.kind NOT IN ('citizen', 'dr', 'inventory', 'disclosure', 'contract')
  ) THEN
    RAISE EXCEPTION 'what was claimed for rewards or books becomes no units'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_creditable';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_monitoring_claim_kind BEFORE INSERT ON footprint_monitoring_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_monitoring_claim_kind();

-- ---------------------------------------------------------------- refused attempts

-- What somebody asked for and did not get, and who held it: for the explorer and the verifier.
CREATE TABLE footprint_claim_refusal (
  city text NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  code text NOT NULL,
  programme text NOT NULL,
  share int4range NOT NULL,
  period tstzrange NOT NULL,
  meters text[] NOT NULL,
  theirs jsonb NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run
);
SELECT onsil_append_only('footprint_claim_refusal');

-- ---------------------------------------------------------------- findings about a run

-- What checking a run's data found: append-only. A run can be looked at again when a certificate has
-- come; the newest look counts, and a blocking finding in it stops claims.
CREATE TABLE footprint_inspection (
  city text NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  number int NOT NULL CHECK (number > 0),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, run_id, number),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run
);
SELECT onsil_append_only('footprint_inspection');

CREATE TABLE footprint_quality_finding (
  city text NOT NULL,
  run_id uuid NOT NULL,
  number int NOT NULL,
  position int NOT NULL CHECK (position >= 0),
  code text NOT NULL CHECK (code <> ''),
  severity text NOT NULL CHECK (severity IN ('note', 'warning', 'discount', 'blocking')),
  subject text NOT NULL,
  facts jsonb NOT NULL,
  PRIMARY KEY (city, run_id, number, position),
  FOREIGN KEY (city, run_id, number) REFERENCES footprint_inspection (city, run_id, number)
);
SELECT onsil_append_only('footprint_quality_finding');

CREATE FUNCTION footprint_findings_now(town text, run uuid)
RETURNS SETOF footprint_quality_finding LANGUAGE sql STABLE AS $$
  SELECT f.* FROM footprint_quality_finding f
  WHERE f.city = town AND f.run_id = run AND f.number = (
    SELECT max(i.number) FROM footprint_inspection i WHERE i.city = town AND i.run_id = run)
  ORDER BY f.position
$$;

CREATE FUNCTION footprint_claim_quality_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM footprint_findings_now(NEW.city, NEW.run_id) f
             WHERE f.severity = 'blocking') THEN
    RAISE EXCEPTION 'a blocking finding stops claims on this run'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_quality';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_claim_quality_fits BEFORE INSERT ON footprint_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_claim_quality_fits();

-- The calibration certificates of meters ("entity#attribute"), from the projects' own register and
-- from the devices', as far as each is installed.
CREATE FUNCTION footprint_certificates(town text, meters text[], zone text)
RETURNS TABLE (meter text, period tstzrange, certificate text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF to_regclass('footprint_calibration') IS NOT NULL THEN
    RETURN QUERY EXECUTE
      'SELECT d.entity || ''#'' || d.attribute,
         tstzrange(lower(c.valid)::timestamp AT TIME ZONE $3,
                   upper(c.valid)::timestamp AT TIME ZONE $3), c.certificate
       FROM footprint_calibration c
       JOIN footprint_project_device d ON d.city = c.city AND d.id = c.device_id
       WHERE c.city = $1 AND d.entity || ''#'' || d.attribute = ANY($2)'
      USING town, meters, zone;
  END IF;
  IF to_regclass('devices_calibration') IS NOT NULL THEN
    RETURN QUERY EXECUTE
      'SELECT c.entity || ''#'' || c.attribute, tstzrange(c.valid_from, c.valid_until),
         c.certificate
       FROM devices_calibration c
       WHERE c.city = $1 AND c.certificate <> '''' AND c.entity || ''#'' || c.attribute = ANY($2)'
      USING town, meters;
  END IF;
END $$;

-- ---------------------------------------------------------------- recomputations

-- A run done again: when, by which code, and whether the bytes were the same.
CREATE TABLE footprint_recomputation (
  city text NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  sweep uuid,
  identical boolean NOT NULL,
  recomputed_sha256 text NOT NULL,
  code_sha256 text NOT NULL,
  note text NOT NULL DEFAULT '',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run
);
CREATE INDEX footprint_recomputation_run ON footprint_recomputation (city, run_id, id);
SELECT onsil_append_only('footprint_recomputation');
