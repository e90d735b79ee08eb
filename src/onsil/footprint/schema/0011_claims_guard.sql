-- One quantity under whatever name, and one fate for every claim: it becomes units, or something is
-- given for it, or it is released. Constraints decide, at every isolation level and in any order.

-- ---------------------------------------------------------------- quantities

-- Quantities that are one physical thing under several names: electricity not taken from a grid,
-- whether saved, shifted or made behind the meter; a lot of waste, whether its treatment or its
-- decay is counted; trees, whether one by one or by the stand.
CREATE OR REPLACE FUNCTION footprint_quantity_family(quantity text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE
  WHEN quantity IN ('electricity-shifted', 'solar-generation') THEN 'electricity-saved'
  WHEN quantity IN ('plastic-recycled', 'waste-diverted', 'waste-incinerated', 'landfill-decay')
    THEN 'waste-treated'
  WHEN quantity = 'stand-year' THEN 'tree-year'
  ELSE quantity END;

-- A lot is treated once and for good; its decay is counted a year at a time. As one family, decay
-- of different years goes together, and a treatment with no decay of any year.
CREATE OR REPLACE FUNCTION footprint_happens_once(quantity text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN quantity <> 'landfill-decay'
  AND footprint_quantity_family(quantity) IN ('waste-treated', 'citizen-action');

-- The weighbridge's ticket of a lot: whatever id a table gives it, it is the same lot.
ALTER TABLE footprint_run_record ADD COLUMN ticket text NOT NULL DEFAULT '';

-- What claiming a run's line holds: at its own meter the whole, its slot in all that contain it,
-- and of a lot its ticket.
CREATE OR REPLACE FUNCTION footprint_holds_of(town text, run uuid, at_meter text, of_quantity text,
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
    UNION
    SELECT 'ticket:' || r.ticket, int4range(0, 2147483647) FROM footprint_run_record r
    WHERE r.city = town AND r.record = at_meter AND r.run_id = run AND r.ticket <> ''
      AND footprint_quantity_family(of_quantity) = 'waste-treated'
  ) w
$$;

-- Put holds that still lie under an older name under their family, whoever asks for it. One that another claim stands in
-- the way of stays, and is put right when that claim is released.
CREATE FUNCTION footprint_hold_renamed() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  one footprint_hold;
BEGIN
  FOR one IN SELECT * FROM footprint_hold
    WHERE family IN ('solar-generation', 'stand-year', 'landfill-decay')
  LOOP
    BEGIN
      UPDATE footprint_hold h SET family = footprint_quantity_family(one.line_quantity)
      WHERE h.city = one.city AND h.claim_id = one.claim_id AND h.meter = one.meter
        AND h.line_meter = one.line_meter AND h.line_quantity = one.line_quantity;
    EXCEPTION WHEN exclusion_violation THEN
      RAISE WARNING 'claim % of % shares its quantity with another claim',
        one.claim_id, one.city;
    END;
  END LOOP;
END $$;
DO $$ BEGIN
  UPDATE footprint_hold SET family = footprint_quantity_family(line_quantity)
  WHERE family IN ('solar-generation', 'stand-year', 'landfill-decay');
EXCEPTION WHEN exclusion_violation THEN
  PERFORM footprint_hold_renamed();
END $$;

-- One meter, one city: an entity's name is the same thing in whatever city's books it stands.
-- Where two cities claimed one already, what to do about it is for people, not for this file.
DO $$ BEGIN
  ALTER TABLE footprint_hold ADD CONSTRAINT footprint_claimed_in_one_city EXCLUDE USING gist
    (city WITH <>, meter WITH =, family WITH =, share WITH &&, part WITH &&, period WITH &&)
    WHERE (meter LIKE 'urn:%');
EXCEPTION WHEN exclusion_violation THEN
  RAISE WARNING 'two cities hold claims on one meter: %', SQLERRM;
END $$;

-- ---------------------------------------------------------------- what becomes of a claim

CREATE TABLE footprint_claim_fate (
  city text NOT NULL,
  claim_id uuid NOT NULL,
  fate text NOT NULL CHECK (fate IN ('units', 'given', 'released')),
  PRIMARY KEY (city, claim_id),
  UNIQUE (city, claim_id, fate),
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim
);
SELECT onsil_tenant('footprint_claim_fate');
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON footprint_claim_fate FROM onsil_app;

-- What is made of a claim by a use of some kind: units, or something given for it.
CREATE FUNCTION footprint_use_fate(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind IN ('monitoring', 'issuance') THEN 'units' ELSE 'given' END;

INSERT INTO footprint_claim_fate
SELECT DISTINCT city, claim_id, 'units' FROM footprint_monitoring_claim
ON CONFLICT DO NOTHING;
INSERT INTO footprint_claim_fate
SELECT DISTINCT city, claim_id, footprint_use_fate(kind) FROM footprint_claim_use
ON CONFLICT DO NOTHING;
INSERT INTO footprint_claim_fate
SELECT city, claim_id, 'released' FROM footprint_claim_release
ON CONFLICT DO NOTHING;

-- Whatever the triggers below do or fail to do, no row stands against another fate.
ALTER TABLE footprint_monitoring_claim
  ADD COLUMN fate text NOT NULL GENERATED ALWAYS AS ('units') STORED,
  ADD CONSTRAINT footprint_monitoring_claim_fate FOREIGN KEY (city, claim_id, fate)
    REFERENCES footprint_claim_fate (city, claim_id, fate) NOT VALID;
ALTER TABLE footprint_claim_use
  ADD COLUMN fate text NOT NULL GENERATED ALWAYS AS (footprint_use_fate(kind)) STORED,
  ADD CONSTRAINT footprint_claim_use_fate FOREIGN KEY (city, claim_id, fate)
    REFERENCES footprint_claim_fate (city, claim_id, fate) NOT VALID;
ALTER TABLE footprint_claim_release
  ADD COLUMN fate text NOT NULL GENERATED ALWAYS AS ('released') STORED,
  ADD CONSTRAINT footprint_claim_release_fate FOREIGN KEY (city, claim_id, fate)
    REFERENCES footprint_claim_fate (city, claim_id, fate) NOT VALID;

-- Give a claim its fate, or find the one it has; who comes second waits for the first's transaction.
CREATE FUNCTION footprint_claim_becomes(town text, claim uuid, wanted text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  found_fate text;
BEGIN
  IF pg_trigger_depth() = 0 THEN
    RAISE insufficient_privilege USING MESSAGE = 'a claim''s fate follows from its rows alone';
  END IF;
  IF NOT EXISTS (SELECT FROM footprint_claim c WHERE c.city = town AND c.id = claim) THEN
    RAISE EXCEPTION 'there is no such claim' USING ERRCODE = '23503';
  END IF;
  WHILE found_fate IS NULL LOOP
    INSERT INTO footprint_claim_fate VALUES (town, claim, wanted) ON CONFLICT DO NOTHING;
    SELECT f.fate INTO found_fate FROM footprint_claim_fate f
    WHERE f.city = town AND f.claim_id = claim FOR KEY SHARE;
  END LOOP;
  RETURN found_fate;
END $$;

-- Something is made of a claim: by a project's period, by a stated use, by a reward.
CREATE OR REPLACE FUNCTION footprint_claim_usable() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  wanted text := CASE TG_TABLE_NAME
    WHEN 'footprint_monitoring_claim' THEN 'units'
    WHEN 'footprint_claim_use' THEN footprint_use_fate(to_jsonb(NEW) ->> 'kind')
    ELSE 'given' END;
  stands text;
BEGIN
  PERFORM FROM footprint_claim c
  WHERE c.city = NEW.city AND c.id = NEW.claim_id FOR KEY SHARE;
  stands := footprint_claim_becomes(NEW.city, NEW.claim_id, wanted);
  IF stands = 'released' THEN
    RAISE EXCEPTION 'a released claim cannot be used'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_unusable';
  ELSIF stands <> wanted THEN
    RAISE EXCEPTION 'a claim serves units or rewards, never both'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_served';
  END IF;
  RETURN NEW;
END $$;

-- A claim taken out of a returned period is free for another fate.
CREATE FUNCTION footprint_monitoring_claim_gone() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM footprint_claim c
  WHERE c.city = OLD.city AND c.id = OLD.claim_id FOR KEY SHARE;
  PERFORM FROM footprint_claim_fate f
  WHERE f.city = OLD.city AND f.claim_id = OLD.claim_id FOR UPDATE;
  DELETE FROM footprint_claim_fate f
  WHERE f.city = OLD.city AND f.claim_id = OLD.claim_id AND f.fate = 'units'
    AND NOT EXISTS (SELECT FROM footprint_monitoring_claim m
                    WHERE m.city = f.city AND m.claim_id = f.claim_id)
    AND NOT EXISTS (SELECT FROM footprint_claim_use u
                    WHERE u.city = f.city AND u.claim_id = f.claim_id AND u.fate = 'units');
  RETURN NULL;
END $$;
CREATE TRIGGER footprint_monitoring_claim_gone AFTER DELETE ON footprint_monitoring_claim
  FOR EACH ROW EXECUTE FUNCTION footprint_monitoring_claim_gone();

CREATE OR REPLACE FUNCTION footprint_claim_released() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM footprint_claim c WHERE c.city = NEW.city AND c.id = NEW.claim_id FOR UPDATE;
  IF footprint_claim_becomes(NEW.city, NEW.claim_id, 'released') <> 'released'
     OR footprint_rewarded(NEW.city, NEW.claim_id) THEN
    RAISE EXCEPTION 'a claim that was used cannot be released'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_used';
  END IF;
  DELETE FROM footprint_hold h WHERE h.city = NEW.city AND h.claim_id = NEW.claim_id;
  PERFORM footprint_hold_renamed() WHERE EXISTS (
    SELECT FROM footprint_hold h WHERE h.city = NEW.city
      AND h.family IN ('solar-generation', 'stand-year', 'landfill-decay'));
  RETURN NEW;
END $$;

-- Credits that are issued say so at each claim they rest on.
CREATE FUNCTION footprint_batch_uses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
  SELECT NEW.city, m.claim_id, 'issuance', NEW.id::text, NEW.created_at
  FROM footprint_monitoring_claim m
  WHERE m.city = NEW.city AND m.monitoring_id = NEW.monitoring_id
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER footprint_batch_uses AFTER INSERT ON footprint_batch
  FOR EACH ROW EXECUTE FUNCTION footprint_batch_uses();
INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
SELECT b.city, m.claim_id, 'issuance', b.id::text, b.created_at
FROM footprint_batch b
JOIN footprint_monitoring_claim m ON m.city = b.city AND m.monitoring_id = b.monitoring_id
JOIN footprint_claim_fate f ON f.city = m.city AND f.claim_id = m.claim_id AND f.fate = 'units'
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------------------- tonnes

-- A claim takes no more tonnes than its share of the run's, and all claims on a run together no
-- more than it found. Looked at when the transaction ends, after the holds have decided who has
-- what; claims on one run wait for each other here.
CREATE FUNCTION footprint_claim_tonnes_fit() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  found_t numeric;
BEGIN
  SELECT r.co2e_t INTO found_t FROM footprint_run r
  WHERE r.city = NEW.city AND r.id = NEW.run_id FOR NO KEY UPDATE;
  IF NEW.co2e_t * 10000 > found_t * (upper(NEW.share) - lower(NEW.share))
     OR found_t < (
       SELECT sum(c.co2e_t) FROM footprint_claim c
       WHERE c.city = NEW.city AND c.run_id = NEW.run_id AND NOT EXISTS (
         SELECT FROM footprint_claim_release l WHERE l.city = c.city AND l.claim_id = c.id)
     ) THEN
    RAISE EXCEPTION 'a claim takes no more tonnes than its run found in its share'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_claim_tonnes';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER footprint_claim_tonnes_fit AFTER INSERT ON footprint_claim
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION footprint_claim_tonnes_fit();
