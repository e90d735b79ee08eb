-- Units by their serials: who holds which, what became of them, and who approved it. A block is a
-- range of one batch's serials in one account; it is never changed, only ended by the event that
-- moves, splits or merges it. The ledger holds the same units as balances of `credit:<batch>`, and
-- no transaction commits in which the two disagree.

-- Units of another registry are a batch too, without a project or a period of ours.
ALTER TABLE footprint_project ADD COLUMN IF NOT EXISTS unit text NOT NULL DEFAULT 'tCO2e'
  CHECK (unit IN ('tCO2e', 'm3'));
ALTER TABLE footprint_batch
  ADD COLUMN unit text NOT NULL DEFAULT 'tCO2e' CHECK (unit IN ('tCO2e', 'm3')),
  ADD COLUMN origin text NOT NULL DEFAULT 'issued' CHECK (origin IN ('issued', 'imported')),
  ALTER COLUMN project_id DROP NOT NULL,
  ALTER COLUMN monitoring_id DROP NOT NULL,
  ADD CONSTRAINT footprint_batch_has_an_origin CHECK (
    (origin = 'issued' AND project_id IS NOT NULL AND monitoring_id IS NOT NULL)
    OR (origin = 'imported' AND project_id IS NULL AND monitoring_id IS NULL AND tonnes > 0
        AND buffer_tonnes = 0 AND carried_in_t = 0 AND carried_out_t = 0));

CREATE FUNCTION footprint_units_in(given int8multirange) RETURNS bigint
LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM unnest(given) r $$;

-- A retirement takes whichever serials its company holds: several stretches where they lie apart.
ALTER TABLE footprint_retirement
  ADD COLUMN stretches int8multirange,
  ADD COLUMN jurisdiction text NOT NULL DEFAULT '',
  ADD COLUMN purpose text NOT NULL DEFAULT 'voluntary'
    CHECK (purpose IN ('voluntary', 'compliance', 'corsia', 'ndc', 'other')),
  ADD COLUMN served daterange CHECK (NOT isempty(served));
UPDATE footprint_retirement SET stretches = int8multirange(serials);
ALTER TABLE footprint_retirement
  ALTER COLUMN stretches SET NOT NULL,
  DROP CONSTRAINT footprint_retirement_check,
  DROP CONSTRAINT footprint_retired_once,
  ADD CONSTRAINT footprint_retirement_serials CHECK
    (footprint_units_in(stretches) = tonnes AND range_merge(stretches) = serials),
  ADD CONSTRAINT footprint_retired_once EXCLUDE USING gist (city WITH =, stretches WITH &&);

-- What one person proposes and another decides on.
CREATE TABLE footprint_registry_action (
  city text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('reversal', 'buffer-release', 'buffer-cancellation',
    'export', 'import', 'conversion')),
  terms jsonb NOT NULL,
  key text NOT NULL CHECK (key <> ''),
  status text NOT NULL DEFAULT 'proposed' CHECK (status IN ('proposed', 'approved', 'rejected')),
  maker text NOT NULL,
  proposed_at timestamptz NOT NULL,
  checker text,
  decided_at timestamptz,
  reason text NOT NULL DEFAULT '',
  outcome jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (city, id),
  UNIQUE (city, key),
  CONSTRAINT footprint_action_maker_is_not_checker
    CHECK (checker IS NULL OR footprint_person(checker) <> footprint_person(maker)),
  CHECK ((status = 'proposed') = (checker IS NULL AND decided_at IS NULL)),
  CHECK (status <> 'rejected' OR reason <> '')
);
SELECT onsil_tenant('footprint_registry_action');
REVOKE DELETE ON footprint_registry_action FROM onsil_app;

CREATE FUNCTION footprint_registry_action_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'proposed' THEN
      RAISE EXCEPTION 'an action begins as a proposal' USING ERRCODE = '23514';
    END IF;
  ELSIF OLD.status <> 'proposed' OR NEW.status = 'proposed' OR
     (NEW.city, NEW.id, NEW.kind, NEW.terms, NEW.key, NEW.maker, NEW.proposed_at)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.kind, OLD.terms, OLD.key, OLD.maker, OLD.proposed_at)
  THEN
    RAISE EXCEPTION 'a proposal keeps its terms and is decided once' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_registry_action_step BEFORE INSERT OR UPDATE ON footprint_registry_action
  FOR EACH ROW EXECUTE FUNCTION footprint_registry_action_step();

-- The journal of the registry: what moved which serials, and what was stated about them.
CREATE TABLE footprint_unit_event (
  city text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind <> ''),
  batch_id uuid,
  project_id uuid,
  parent_id uuid,
  tonnes bigint NOT NULL DEFAULT 0 CHECK (tonnes >= 0),
  units int8multirange CHECK (footprint_units_in(units) = tonnes),
  source text NOT NULL DEFAULT '',
  destination text NOT NULL DEFAULT '',
  facts jsonb NOT NULL DEFAULT '{}',
  key text NOT NULL CHECK (key <> ''),
  action_id uuid,
  transfer_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, key),
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch,
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, parent_id) REFERENCES footprint_unit_event,
  FOREIGN KEY (city, action_id) REFERENCES footprint_registry_action
);
CREATE INDEX footprint_unit_event_batch ON footprint_unit_event (city, batch_id, id);
CREATE INDEX footprint_unit_event_kind ON footprint_unit_event (city, kind, id);
-- A serial of another registry comes in once, and is retired over there once.
CREATE UNIQUE INDEX footprint_imported_once ON footprint_unit_event
  (city, (facts ->> 'registry'), (facts ->> 'serials')) WHERE kind = 'import';
CREATE UNIQUE INDEX footprint_retired_elsewhere_once ON footprint_unit_event
  (city, (facts ->> 'registry'), (facts ->> 'serials')) WHERE kind = 'retired-elsewhere';
SELECT onsil_append_only('footprint_unit_event');

-- Some things happen only when another person has approved them.
CREATE FUNCTION footprint_unit_event_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM footprint_registry_action a WHERE a.city = NEW.city AND a.id = NEW.action_id
      AND a.status = 'approved' AND a.checker = NEW.actor AND a.kind = CASE NEW.kind
        WHEN 'exported' THEN 'export' ELSE NEW.kind END
  ) THEN
    RAISE EXCEPTION 'a % wants the approval of a second person', NEW.kind USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_unit_event_approved BEFORE INSERT ON footprint_unit_event
  FOR EACH ROW WHEN (NEW.kind IN ('reversal', 'buffer-release', 'buffer-cancellation', 'exported',
    'import', 'conversion'))
  EXECUTE FUNCTION footprint_unit_event_approved();

CREATE TABLE footprint_unit_block (
  city text NOT NULL,
  id uuid NOT NULL,
  batch_id uuid NOT NULL,
  serials int8range NOT NULL CHECK (NOT isempty(serials) AND lower(serials) IS NOT NULL
    AND upper(serials) IS NOT NULL),
  account text NOT NULL CHECK (account <> ''),
  state text NOT NULL GENERATED ALWAYS AS (CASE
    WHEN account IN ('buffer', 'retired', 'cancelled', 'expired', 'exported', 'pending-export',
      'converted') THEN account ELSE 'held' END) STORED,
  born_by uuid NOT NULL,
  ended_by uuid,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch,
  FOREIGN KEY (city, born_by) REFERENCES footprint_unit_event,
  FOREIGN KEY (city, ended_by) REFERENCES footprint_unit_event,
  CHECK (ended_by <> born_by),
  CONSTRAINT footprint_unit_held_once EXCLUDE USING gist (city WITH =, serials WITH &&)
    WHERE (ended_by IS NULL)
);
CREATE INDEX footprint_unit_block_batch ON footprint_unit_block (city, batch_id)
  WHERE ended_by IS NULL;
CREATE INDEX footprint_unit_block_account ON footprint_unit_block (city, account)
  WHERE ended_by IS NULL;
CREATE INDEX footprint_unit_block_born ON footprint_unit_block (city, born_by);
CREATE INDEX footprint_unit_block_ended ON footprint_unit_block (city, ended_by)
  WHERE ended_by IS NOT NULL;
CREATE INDEX footprint_unit_block_serials ON footprint_unit_block USING gist (city, serials);
SELECT onsil_append_only('footprint_unit_block');
GRANT UPDATE (ended_by) ON footprint_unit_block TO onsil_app;

CREATE FUNCTION footprint_unit_block_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.ended_by IS NOT NULL OR NEW.ended_by IS NULL OR
     (NEW.city, NEW.id, NEW.batch_id, NEW.serials, NEW.account, NEW.born_by)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.batch_id, OLD.serials, OLD.account, OLD.born_by)
  THEN
    RAISE EXCEPTION 'a block of units is only ever ended, once' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_unit_block_step BEFORE UPDATE OR DELETE ON footprint_unit_block
  FOR EACH ROW EXECUTE FUNCTION footprint_unit_block_step();

-- Batches issued before there were blocks: what was retired keeps its serials; what is left goes, in
-- serial order, to the accounts that hold it, the buffer last.
CREATE FUNCTION footprint_open_units() RETURNS void LANGUAGE sql AS $$
  WITH opened AS (
    INSERT INTO footprint_unit_event (city, id, kind, batch_id, project_id, tonnes, units, key,
      actor, created_at)
    SELECT b.city, b.id, 'opening', b.id, b.project_id, b.tonnes, int8multirange(b.serials),
      'opening:' || b.id, b.actor, b.created_at
    FROM footprint_batch b WHERE b.tonnes > 0 AND NOT EXISTS (
      SELECT FROM footprint_unit_block u WHERE u.city = b.city AND u.batch_id = b.id)
    RETURNING city, id, units
  ), used AS (
    SELECT o.city, o.id, sum(r.tonnes)::bigint AS tonnes FROM opened o
    JOIN footprint_retirement r ON r.city = o.city AND r.batch_id = o.id GROUP BY o.city, o.id
  ), held AS (
    SELECT o.city, o.id, a.code, a.balance, lower(o.units) + coalesce(u.tonnes, 0) AS first,
      sum(a.balance) OVER (PARTITION BY o.city, o.id ORDER BY a.code = 'buffer', a.code)::bigint
        AS upto
    FROM opened o
    JOIN ledger_account a ON a.city = o.city AND a.asset = 'credit:' || o.id
    LEFT JOIN used u ON u.city = o.city AND u.id = o.id
    WHERE a.balance > 0 AND a.code <> 'retired'
  )
  INSERT INTO footprint_unit_block (city, id, batch_id, serials, account, born_by)
  SELECT o.city, gen_random_uuid(), o.id, s.range, 'retired', o.id FROM opened o
  JOIN footprint_retirement r ON r.city = o.city AND r.batch_id = o.id
  CROSS JOIN LATERAL unnest(r.stretches) AS s (range)
  UNION ALL
  SELECT h.city, gen_random_uuid(), h.id,
    int8range(h.first + h.upto - h.balance, h.first + h.upto), h.code, h.id
  FROM held h
$$;
SELECT footprint_open_units();

-- At the end of a transaction: the batch's live blocks are its serials, each account's blocks are
-- its balance, an event ends exactly the serials that it gives birth to, and what has left the
-- market for good has not come back.
CREATE FUNCTION footprint_units_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  step uuid := coalesce(NEW.ended_by, NEW.born_by);
  moved int8multirange;
  made int8multirange;
BEGIN
  IF (SELECT range_agg(u.serials) FROM footprint_unit_block u
      WHERE u.city = NEW.city AND u.batch_id = NEW.batch_id AND u.ended_by IS NULL)
     IS DISTINCT FROM (SELECT int8multirange(b.serials) FROM footprint_batch b
      WHERE b.city = NEW.city AND b.id = NEW.batch_id) THEN
    RAISE EXCEPTION 'the blocks of batch % are not its serials', NEW.batch_id
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_units_whole';
  END IF;
  IF EXISTS (
    SELECT FROM (SELECT u.account, sum(upper(u.serials) - lower(u.serials)) AS n
                 FROM footprint_unit_block u WHERE u.city = NEW.city
                   AND u.batch_id = NEW.batch_id AND u.ended_by IS NULL GROUP BY u.account) held
    FULL JOIN (SELECT a.code, a.balance FROM ledger_account a WHERE a.city = NEW.city
                 AND a.asset = 'credit:' || NEW.batch_id AND a.balance > 0) book
      ON book.code = held.account
    WHERE held.n IS DISTINCT FROM book.balance) THEN
    RAISE EXCEPTION 'the blocks of batch % are not what the ledger holds', NEW.batch_id
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_units_as_in_the_ledger';
  END IF;
  SELECT range_agg(u.serials) INTO moved FROM footprint_unit_block u
    WHERE u.city = NEW.city AND u.ended_by = step;
  SELECT range_agg(u.serials) INTO made FROM footprint_unit_block u
    WHERE u.city = NEW.city AND u.born_by = step;
  IF moved IS DISTINCT FROM made AND NOT EXISTS (
    SELECT FROM footprint_unit_event e WHERE e.city = NEW.city AND e.id = step
      AND e.kind IN ('opening', 'issuance', 'import') AND moved IS NULL) THEN
    RAISE EXCEPTION 'event % ends other serials than it makes', step
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_units_conserved';
  END IF;
  IF EXISTS (
    SELECT FROM footprint_unit_block u WHERE u.city = NEW.city AND u.ended_by = step
      AND u.state IN ('retired', 'cancelled', 'expired', 'exported', 'converted')
      AND NOT EXISTS (SELECT FROM footprint_unit_block v WHERE v.city = u.city
        AND v.born_by = step AND v.state = u.state GROUP BY v.state
        HAVING range_agg(v.serials) @> u.serials)) THEN
    RAISE EXCEPTION 'units that left the market cannot come back'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_units_gone_stay_gone';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER footprint_units_whole AFTER INSERT OR UPDATE ON footprint_unit_block
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION footprint_units_whole();
