-- Data sets that are not open, who asked for them, and the keys that open them.
--
-- An entity that such a data set holds is closed, whole, with its history. `closed_by` names the data
-- sets that close it. The setting `onsil.veil` says what a session sees of closed entities: unset or
-- empty all, '-' none, a data set's id those of that data set. Public doors set it; row-level security
-- does the rest, so no query can forget it.
ALTER TABLE hub_entity
  ADD COLUMN closed boolean NOT NULL DEFAULT false,
  ADD COLUMN closed_by text[] NOT NULL DEFAULT '{}';
ALTER TABLE hub_temporal_entity
  ADD COLUMN closed boolean NOT NULL DEFAULT false,
  ADD COLUMN closed_by text[] NOT NULL DEFAULT '{}';
CREATE INDEX hub_entity_closed ON hub_entity (city, eid) WHERE closed;

CREATE FUNCTION hub_shows(closed_by text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN coalesce(current_setting('onsil.veil', true), '') = ''
      OR current_setting('onsil.veil', true) = ANY (closed_by);

CREATE POLICY veil ON hub_entity AS RESTRICTIVE FOR SELECT
  USING (NOT closed OR hub_shows(closed_by));
CREATE POLICY veil ON hub_temporal_entity AS RESTRICTIVE FOR SELECT
  USING (NOT closed OR hub_shows(closed_by));

-- The closed entities that this session does not see, for counts that look at no entity.
CREATE FUNCTION hub_hidden(wanted_city text) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT eid FROM hub_entity
   WHERE city = wanted_city AND closed AND NOT hub_shows(closed_by) AND onsil_sees(wanted_city);
END;

-- Close entities by these data sets, and open those of none, with their history.
CREATE FUNCTION hub_close(c text, uris text[], holders jsonb[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hub_entity e SET closed = cardinality(t.ids) > 0, closed_by = t.ids
    FROM (SELECT uri, ARRAY(SELECT jsonb_array_elements_text(held)) AS ids
            FROM unnest(uris, holders) AS g(uri, held)) t
   WHERE e.city = c AND e.uri = t.uri AND e.closed_by <> t.ids;
  UPDATE hub_temporal_entity e SET closed = cardinality(t.ids) > 0, closed_by = t.ids
    FROM (SELECT uri, ARRAY(SELECT jsonb_array_elements_text(held)) AS ids
            FROM unnest(uris, holders) AS g(uri, held)) t
   WHERE e.city = c AND e.uri = t.uri AND e.closed_by <> t.ids;
END $$;

-- Who asked for a data set, for what and how long, and what was decided. `person` is who asked; it
-- stands nowhere in the figures of use.
CREATE TABLE hub_dataset_request (
  city text COLLATE "C" NOT NULL,
  request_id uuid NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  person text NOT NULL,
  organisation text NOT NULL,
  purpose text NOT NULL,
  days int NOT NULL CHECK (days BETWEEN 1 AND 1826),
  state text NOT NULL CHECK (state IN ('asked', 'approved', 'refused', 'withdrawn', 'ended')),
  asked_at timestamptz NOT NULL,
  decided_at timestamptz,
  decided_by text NOT NULL DEFAULT '',
  reason text NOT NULL DEFAULT '',
  expires_at timestamptz,
  PRIMARY KEY (city, request_id),
  CHECK ((state = 'approved') <= (expires_at IS NOT NULL)),
  CHECK ((state IN ('approved', 'refused', 'ended')) <= (decided_by <> '' AND decided_by <> person))
);
CREATE UNIQUE INDEX hub_dataset_request_once ON hub_dataset_request (city, dataset_id, person)
  WHERE state IN ('asked', 'approved');
CREATE INDEX hub_dataset_request_person ON hub_dataset_request (city, person);

-- Keys, as hashes of 256 random bits: there is nothing to guess, so a plain hash keeps them well.
CREATE TABLE hub_dataset_key (
  city text COLLATE "C" NOT NULL,
  key_hash bytea NOT NULL,
  request_id uuid NOT NULL,
  made_at timestamptz NOT NULL,
  revoked_at timestamptz,
  PRIMARY KEY (city, key_hash),
  FOREIGN KEY (city, request_id) REFERENCES hub_dataset_request
);
CREATE UNIQUE INDEX hub_dataset_key_one ON hub_dataset_key (city, request_id)
  WHERE revoked_at IS NULL;

SELECT onsil_tenant('hub_dataset_request');
SELECT onsil_tenant('hub_dataset_key');
