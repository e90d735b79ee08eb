-- Buffers that a programme pools over its projects. What a project puts in is an event of its own
-- with the very serials; they stay in the buffer until a loss or a decision of two cancels them.

CREATE INDEX footprint_unit_event_project ON footprint_unit_event (city, project_id, kind);
ALTER TABLE footprint_unit_event ADD CONSTRAINT footprint_contributed_once
  EXCLUDE USING gist (city WITH =, units WITH &&) WHERE (kind = 'buffer-contribution');

-- What a project still owes for its losses: to the atmosphere, or to the pool that paid for it. Of
-- losses only those written before `until`, where one is given.
CREATE FUNCTION footprint_units_owed(of_city text, of_project uuid, until uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum((facts ->> 'units')::bigint)
      FILTER (WHERE kind = 'reversal' AND (until IS NULL OR id < until)), 0)::bigint
    - coalesce(sum(tonnes) FILTER (WHERE kind <> 'reversal'), 0)::bigint
  FROM footprint_unit_event WHERE city = of_city AND project_id = of_project
    AND kind IN ('reversal', 'buffer-draw', 'recovery', 'pool-replenishment')
$$;

-- No project issues to itself while it owes: what is new goes to the loss or to the pool first.
CREATE FUNCTION footprint_batch_owes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM footprint_unit_block u JOIN footprint_unit_event e
      ON e.city = u.city AND e.id = u.born_by
      WHERE u.city = NEW.city AND u.batch_id = NEW.id AND u.ended_by IS NULL
        AND u.state = 'held' AND e.kind IN ('issuance', 'recovery', 'pool-replenishment'))
     AND footprint_units_owed(NEW.city, NEW.project_id, NEW.id) > 0 THEN
    RAISE EXCEPTION 'project % owes units for a loss', NEW.project_id
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_batch_owes_nothing';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER footprint_batch_owes_nothing AFTER INSERT ON footprint_batch
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.project_id IS NOT NULL)
  EXECUTE FUNCTION footprint_batch_owes_nothing();

CREATE FUNCTION footprint_contributed(of_city text, of_batch uuid, of_pool text, of_project uuid)
RETURNS int8multirange LANGUAGE sql STABLE AS $$
  SELECT range_agg(r) FROM footprint_unit_event e, unnest(e.units) r
  WHERE e.city = of_city AND e.kind = 'buffer-contribution'
    AND (of_batch IS NULL OR e.batch_id = of_batch)
    AND (of_pool IS NULL OR e.facts ->> 'pool' = of_pool)
    AND (of_project IS NULL OR e.project_id = of_project)
$$;

-- A loss draws its own project's part first, no more than was lost, and only what is the pool's; what
-- is put back is no more than was drawn.
CREATE FUNCTION footprint_pool_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  of_pool text := NEW.facts ->> 'pool';
BEGIN
  IF NEW.kind = 'pool-draw' THEN
    IF NOT EXISTS (SELECT FROM footprint_unit_event e WHERE e.city = NEW.city
        AND e.id = NEW.parent_id AND e.kind = 'reversal' AND e.project_id = NEW.project_id
        AND (e.facts ->> 'units')::bigint >= NEW.tonnes + coalesce((SELECT sum(d.tonnes)
          FROM footprint_unit_event d WHERE d.city = e.city AND d.parent_id = e.id
            AND d.kind IN ('buffer-draw', 'pool-draw')), 0)) THEN
      RAISE EXCEPTION 'a pool is drawn for a loss, and for no more than it'
        USING ERRCODE = '23514', CONSTRAINT = 'footprint_pool_drawn_for_a_loss';
    END IF;
    IF EXISTS (SELECT FROM footprint_unit_block u WHERE u.city = NEW.city AND u.ended_by IS NULL
        AND u.account = 'buffer'
        AND u.serials && footprint_contributed(NEW.city, NULL, of_pool, NEW.project_id)) THEN
      RAISE EXCEPTION 'a loss draws what its own project has put in first'
        USING ERRCODE = '23514', CONSTRAINT = 'footprint_pool_own_first';
    END IF;
    IF NOT coalesce(footprint_contributed(NEW.city, NEW.batch_id, of_pool, NULL) @> NEW.units,
        false) THEN
      RAISE EXCEPTION 'those units are not of the pool %', of_pool
        USING ERRCODE = '23514', CONSTRAINT = 'footprint_pool_has_them';
    END IF;
  ELSIF NEW.kind = 'pool-replenishment' AND NEW.tonnes > (
      SELECT coalesce(sum(e.tonnes) FILTER (WHERE e.kind = 'pool-draw'), 0)
        - coalesce(sum(e.tonnes) FILTER (WHERE e.kind = 'pool-replenishment'), 0)
      FROM footprint_unit_event e WHERE e.city = NEW.city AND e.project_id = NEW.project_id
        AND e.facts ->> 'pool' = of_pool) THEN
    RAISE EXCEPTION 'more is put back than the pool % paid', of_pool
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_pool_put_back';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_pool_step BEFORE INSERT ON footprint_unit_event
  FOR EACH ROW WHEN (NEW.kind IN ('pool-draw', 'pool-replenishment'))
  EXECUTE FUNCTION footprint_pool_step();

-- At the end of a transaction: put in = in the buffer + cancelled, for every batch of a pool.
CREATE FUNCTION footprint_pool_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  put_in int8multirange := footprint_contributed(NEW.city, NEW.batch_id, NULL, NULL);
BEGIN
  IF put_in IS NOT NULL AND NOT coalesce(put_in <@ (
      SELECT range_agg(u.serials) FROM footprint_unit_block u WHERE u.city = NEW.city
        AND u.batch_id = NEW.batch_id AND u.ended_by IS NULL
        AND u.state IN ('buffer', 'cancelled')), false) THEN
    RAISE EXCEPTION 'what was put into a pool is in it, or cancelled'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_pool_whole';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER footprint_pool_whole AFTER INSERT OR UPDATE ON footprint_unit_block
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION footprint_pool_whole();
CREATE CONSTRAINT TRIGGER footprint_pool_put_in AFTER INSERT ON footprint_unit_event
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'buffer-contribution')
  EXECUTE FUNCTION footprint_pool_whole();

-- What is set apart leaves only by what it was set apart for.
CREATE FUNCTION footprint_set_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a % cannot take units from % to %', NEW.kind, NEW.source, NEW.destination
    USING ERRCODE = '23514', CONSTRAINT = 'footprint_set_apart';
END $$;
CREATE TRIGGER footprint_set_apart BEFORE INSERT ON footprint_unit_event FOR EACH ROW
  WHEN (NEW.destination <> NEW.source AND (
    (NEW.source = 'buffer' AND NEW.kind NOT IN ('buffer-draw', 'pool-draw', 'recovery',
      'buffer-release', 'buffer-cancellation'))
    OR (NEW.source = 'pending-export' AND NEW.kind NOT IN ('exported', 'export-returned'))
    OR (NEW.destination = 'buffer' AND NEW.kind <> 'pool-replenishment')
    OR (NEW.destination = 'retired' AND NEW.kind <> 'retirement')
    OR (NEW.destination = 'converted' AND NEW.kind <> 'conversion')
    OR (NEW.destination = 'expired' AND NEW.kind <> 'expiry')
    OR (NEW.destination = 'exported' AND NEW.kind <> 'exported')
    OR (NEW.destination = 'pending-export' AND NEW.kind <> 'export-started')))
  EXECUTE FUNCTION footprint_set_apart();

-- One serial of another registry comes in once, however it is spelled, and not after its use there.
CREATE FUNCTION footprint_spelled(given text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT upper(regexp_replace(normalize(given, NFKC), '[^[:alnum:]]', '', 'g')) $$;
CREATE FUNCTION footprint_outside_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW.city || ' outside '
    || footprint_spelled(NEW.facts ->> 'registry') || ' '
    || footprint_spelled(NEW.facts ->> 'serials'), 0));
  IF EXISTS (SELECT FROM footprint_unit_event e WHERE e.city = NEW.city
      AND (e.kind = NEW.kind OR (NEW.kind = 'import' AND e.kind = 'retired-elsewhere'))
      AND e.kind IN ('import', 'retired-elsewhere')
      AND footprint_spelled(e.facts ->> 'registry') = footprint_spelled(NEW.facts ->> 'registry')
      AND footprint_spelled(e.facts ->> 'serials') = footprint_spelled(NEW.facts ->> 'serials'))
  THEN
    RAISE EXCEPTION 'those serials of % are here already', NEW.facts ->> 'registry'
      USING ERRCODE = '23505', CONSTRAINT = 'footprint_outside_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_outside_once BEFORE INSERT ON footprint_unit_event
  FOR EACH ROW WHEN (NEW.kind IN ('import', 'retired-elsewhere'))
  EXECUTE FUNCTION footprint_outside_once();

-- Whoever places, accepts and settles an order, or makes and checks a rule, are other persons,
-- however they are written.
CREATE FUNCTION footprint_market_persons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'footprint_order' THEN
    IF (to_jsonb(NEW) ->> 'accepted_by') IS NOT NULL
       AND footprint_person(to_jsonb(NEW) ->> 'accepted_by')
         = footprint_person(to_jsonb(NEW) ->> 'placed_by')
       OR (to_jsonb(NEW) ->> 'settled_by') IS NOT NULL
       AND footprint_person(to_jsonb(NEW) ->> 'settled_by') IN (
         footprint_person(to_jsonb(NEW) ->> 'placed_by'),
         footprint_person(to_jsonb(NEW) ->> 'accepted_by')) THEN
      RAISE EXCEPTION 'an order wants several persons' USING ERRCODE = '23514';
    END IF;
  ELSIF footprint_person(to_jsonb(NEW) ->> 'checker')
      = footprint_person(to_jsonb(NEW) ->> 'maker') THEN
    RAISE EXCEPTION 'a rule wants a second person' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_order_persons BEFORE INSERT OR UPDATE ON footprint_order
  FOR EACH ROW EXECUTE FUNCTION footprint_market_persons();
CREATE TRIGGER footprint_revenue_persons BEFORE INSERT OR UPDATE ON footprint_revenue_rule
  FOR EACH ROW EXECUTE FUNCTION footprint_market_persons();

-- A member of a bundle has a crediting period of its own, and a law may bind it alone.
CREATE TABLE footprint_site_crediting (
  city text NOT NULL,
  site_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  span daterange NOT NULL CHECK (NOT isempty(span) AND NOT lower_inf(span) AND NOT upper_inf(span)),
  reason text NOT NULL CHECK (reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, site_id, version),
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_append_only('footprint_site_crediting');

CREATE TABLE footprint_site_duty (
  city text NOT NULL,
  id uuid NOT NULL,
  site_id uuid NOT NULL,
  law text NOT NULL CHECK (law <> ''),
  text text NOT NULL CHECK (text <> ''),
  in_force_on date NOT NULL,
  in_force_at timestamptz NOT NULL,
  withdraws uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, withdraws),
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site,
  FOREIGN KEY (city, withdraws) REFERENCES footprint_site_duty
);
SELECT onsil_append_only('footprint_site_duty');
CREATE FUNCTION footprint_site_duty_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM footprint_site_duty d WHERE d.city = NEW.city
      AND d.id = NEW.withdraws AND d.site_id = NEW.site_id AND d.withdraws IS NULL
      AND footprint_person(d.actor) <> footprint_person(NEW.actor)) THEN
    RAISE EXCEPTION 'a duty is taken back by another than who recorded it'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_site_duty_two_people';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_site_duty_withdrawn BEFORE INSERT ON footprint_site_duty
  FOR EACH ROW WHEN (NEW.withdraws IS NOT NULL) EXECUTE FUNCTION footprint_site_duty_withdrawn();

-- What was left out of a submission, of which member and why; a new submission replaces it.
CREATE TABLE footprint_member_exclusion (
  city text NOT NULL,
  monitoring_id uuid NOT NULL,
  claim_id uuid NOT NULL,
  site_id uuid NOT NULL,
  code text NOT NULL CHECK (code IN ('member-outside-crediting', 'member-legal-duty')),
  facts jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, monitoring_id, claim_id),
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, claim_id) REFERENCES footprint_claim,
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_tenant('footprint_member_exclusion');
