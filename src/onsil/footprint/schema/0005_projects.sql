-- Projects on their routes. A route's version is sealed with its hash; what a project or one of its
-- monitoring periods went through is a journal, and PostgreSQL itself checks every step of it
-- against the sealed version: whether it exists, starts where the project stands, has its documents,
-- and is taken by another person than the steps it must be kept apart from.

-- One person, however an actor is written ("user:7" or "7").
CREATE FUNCTION footprint_person(actor text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN regexp_replace(actor, '^user:', '');

CREATE TABLE footprint_route (
  city text NOT NULL,
  id uuid NOT NULL,
  route text NOT NULL,
  version text NOT NULL,
  sha256 text NOT NULL,
  content text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, sha256),
  UNIQUE (city, id),
  UNIQUE (city, route, version),
  CHECK (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
  CHECK (content::jsonb ->> 'id' = route AND content::jsonb ->> 'version' = version)
);
SELECT onsil_append_only('footprint_route');

-- The version a project is under, from its registration; a later row is a migration.
CREATE TABLE footprint_project_route (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  sequence int NOT NULL CHECK (sequence > 0),
  sha256 text NOT NULL,
  reason text NOT NULL CHECK (sequence = 1 OR reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, project_id, sequence),
  UNIQUE (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, sha256) REFERENCES footprint_route
);
SELECT onsil_append_only('footprint_project_route');

CREATE TABLE footprint_project_step (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  monitoring_id uuid,
  sequence int NOT NULL CHECK (sequence > 0),
  route_sha256 text NOT NULL,
  transition text NOT NULL,
  from_state text NOT NULL,
  to_state text NOT NULL,
  role text NOT NULL,
  party text NOT NULL,
  actor text NOT NULL CHECK (actor <> ''),
  note text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  CONSTRAINT footprint_project_step_once
    UNIQUE NULLS NOT DISTINCT (city, project_id, monitoring_id, sequence),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, route_sha256) REFERENCES footprint_route
);
SELECT onsil_append_only('footprint_project_step');

-- A renewed crediting period follows on from the one before; the first stands with the project.
CREATE TABLE footprint_crediting (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  number int NOT NULL CHECK (number > 1),
  span daterange NOT NULL CHECK (NOT isempty(span)),
  step_id uuid NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, project_id, number),
  UNIQUE (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, step_id) REFERENCES footprint_project_step,
  CONSTRAINT footprint_crediting_apart EXCLUDE USING gist
    (city WITH =, project_id WITH =, span WITH &&)
);
SELECT onsil_append_only('footprint_crediting');

-- Bytes of documents by their hash, each kept once.
CREATE TABLE footprint_document_bytes (
  city text NOT NULL,
  sha256 text NOT NULL,
  bytes bytea NOT NULL CHECK (length(bytes) BETWEEN 1 AND 20971520),
  PRIMARY KEY (city, sha256),
  CHECK (sha256 = encode(sha256(bytes), 'hex'))
);
ALTER TABLE footprint_document_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;
SELECT onsil_append_only('footprint_document_bytes');

CREATE TABLE footprint_project_document (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  monitoring_id uuid,
  kind text NOT NULL CHECK (kind <> ''),
  version int NOT NULL CHECK (version > 0),
  title text NOT NULL CHECK (title <> ''),
  language text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  file_name text NOT NULL CHECK (file_name <> ''),
  media_type text NOT NULL,
  size int NOT NULL CHECK (size > 0),
  sha256 text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE NULLS NOT DISTINCT (city, project_id, monitoring_id, kind, language, version),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, sha256) REFERENCES footprint_document_bytes
);
SELECT onsil_append_only('footprint_project_document');

-- What the project is, in dated versions. External numbers are empty until a person enters them.
CREATE TABLE footprint_project_design (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  structure text NOT NULL CHECK (structure IN ('single', 'bundle', 'programme')),
  developer text NOT NULL CHECK (developer <> ''),
  boundary text NOT NULL,
  expected_t_per_year numeric NOT NULL CHECK (expected_t_per_year >= 0),
  size_class text NOT NULL,
  register_name text NOT NULL DEFAULT '',
  register_number text NOT NULL DEFAULT '',
  methodology_number text NOT NULL DEFAULT '',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, project_id, version),
  UNIQUE (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  CHECK (register_number = '' OR register_name <> '')
);
SELECT onsil_append_only('footprint_project_design');

CREATE TABLE footprint_project_site (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9-]{1,40}$'),
  name_ko text NOT NULL,
  name_en text NOT NULL,
  entity text NOT NULL DEFAULT '',
  capacity numeric CHECK (capacity > 0),
  capacity_unit text NOT NULL DEFAULT '',
  longitude numeric CHECK (longitude BETWEEN -180 AND 180),
  latitude numeric CHECK (latitude BETWEEN -90 AND 90),
  expected_t_per_year numeric NOT NULL CHECK (expected_t_per_year >= 0),
  joined_on date NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, project_id, code),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  CHECK ((capacity IS NULL) = (capacity_unit = '')),
  CHECK ((longitude IS NULL) = (latitude IS NULL))
);
SELECT onsil_append_only('footprint_project_site');

CREATE TABLE footprint_project_site_exit (
  city text NOT NULL,
  site_id uuid NOT NULL,
  left_on date NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, site_id),
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_append_only('footprint_project_site_exit');

CREATE TABLE footprint_modelling_unit (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  site_id uuid,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9-]{1,40}$'),
  name_ko text NOT NULL,
  name_en text NOT NULL,
  started_on date NOT NULL,
  area_ha numeric CHECK (area_ha > 0),
  parameters jsonb NOT NULL DEFAULT '{}',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, project_id, code),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_append_only('footprint_modelling_unit');

-- Which meter plays which role in the project, and the certificates of its calibrations.
CREATE TABLE footprint_project_device (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  site_id uuid,
  role text NOT NULL CHECK (role <> ''),
  entity text NOT NULL CHECK (entity <> ''),
  attribute text NOT NULL CHECK (attribute <> ''),
  since date NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, project_id, role, entity, attribute),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_append_only('footprint_project_device');

CREATE TABLE footprint_calibration (
  city text NOT NULL,
  id uuid NOT NULL,
  device_id uuid NOT NULL,
  valid daterange NOT NULL CHECK (NOT isempty(valid) AND NOT upper_inf(valid)),
  certificate text NOT NULL CHECK (certificate <> ''),
  document_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, device_id) REFERENCES footprint_project_device,
  FOREIGN KEY (city, document_id) REFERENCES footprint_project_document
);
SELECT onsil_append_only('footprint_calibration');

CREATE TABLE footprint_monitoring_plan (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  effective_on date NOT NULL,
  parameters jsonb NOT NULL CHECK (jsonb_array_length(parameters) > 0),
  quality text NOT NULL,
  responsible text NOT NULL CHECK (responsible <> ''),
  reason text NOT NULL CHECK (version = 1 OR reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, project_id, version),
  UNIQUE (city, project_id, effective_on),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project
);
SELECT onsil_append_only('footprint_monitoring_plan');

-- What a submission of a monitoring period rests on: plan, methodology version, runs, snapshots.
CREATE TABLE footprint_monitoring_basis (
  city text NOT NULL,
  monitoring_id uuid NOT NULL,
  sequence int NOT NULL CHECK (sequence > 0),
  plan_id uuid,
  methodology text NOT NULL,
  methodology_version text NOT NULL,
  runs jsonb NOT NULL CHECK (jsonb_array_length(runs) > 0),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, monitoring_id, sequence),
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, plan_id) REFERENCES footprint_monitoring_plan
);
SELECT onsil_append_only('footprint_monitoring_basis');

CREATE TABLE footprint_engagement (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  monitoring_id uuid,
  purpose text NOT NULL CHECK (purpose IN ('validation', 'verification')),
  organisation text NOT NULL CHECK (organisation <> ''),
  developer text NOT NULL CHECK (developer <> ''),
  accreditation text NOT NULL CHECK (accreditation <> ''),
  scopes text NOT NULL CHECK (scopes <> ''),
  accredited_until date NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL CHECK (ends_on >= starts_on),
  members text[] NOT NULL,
  independence text NOT NULL CHECK (independence <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  CHECK ((purpose = 'verification') = (monitoring_id IS NOT NULL)),
  CHECK (accredited_until >= ends_on),
  CONSTRAINT footprint_vvb_is_not_developer
    CHECK (lower(regexp_replace(organisation, '\s', '', 'g'))
           <> lower(regexp_replace(developer, '\s', '', 'g')))
);
SELECT onsil_append_only('footprint_engagement');

CREATE TABLE footprint_site_visit (
  city text NOT NULL,
  id uuid NOT NULL,
  engagement_id uuid NOT NULL,
  site_id uuid,
  visited_on date NOT NULL,
  note text NOT NULL CHECK (note <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, engagement_id) REFERENCES footprint_engagement,
  FOREIGN KEY (city, site_id) REFERENCES footprint_project_site
);
SELECT onsil_append_only('footprint_site_visit');

-- A sample that a verifier drew of a run's readings, so that others can draw it again.
CREATE TABLE footprint_engagement_sample (
  city text NOT NULL,
  id uuid NOT NULL,
  engagement_id uuid NOT NULL,
  run_id uuid NOT NULL,
  seed text NOT NULL CHECK (seed <> ''),
  population int NOT NULL CHECK (population > 0),
  size int NOT NULL CHECK (size > 0 AND size <= population),
  deviations int NOT NULL CHECK (deviations BETWEEN 0 AND size),
  misstatement_t numeric NOT NULL,
  note text NOT NULL DEFAULT '',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, engagement_id) REFERENCES footprint_engagement,
  FOREIGN KEY (city, run_id) REFERENCES footprint_run
);
SELECT onsil_append_only('footprint_engagement_sample');

CREATE TABLE footprint_finding (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  monitoring_id uuid,
  number int NOT NULL CHECK (number > 0),
  kind text NOT NULL CHECK (kind IN ('CAR', 'CL', 'FAR')),
  severity text NOT NULL CHECK (severity IN ('material', 'minor', 'observation')),
  title text NOT NULL CHECK (title <> ''),
  text text NOT NULL CHECK (text <> ''),
  run_id uuid,
  document_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, project_id, number),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, monitoring_id) REFERENCES footprint_monitoring,
  FOREIGN KEY (city, run_id) REFERENCES footprint_run,
  FOREIGN KEY (city, document_id) REFERENCES footprint_project_document
);
SELECT onsil_append_only('footprint_finding');

CREATE TABLE footprint_finding_remark (
  city text NOT NULL,
  finding_id uuid NOT NULL,
  sequence int NOT NULL CHECK (sequence > 0),
  act text NOT NULL CHECK (act IN ('answered', 'reopened', 'closed')),
  text text NOT NULL CHECK (text <> ''),
  document_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, finding_id, sequence),
  FOREIGN KEY (city, finding_id) REFERENCES footprint_finding,
  FOREIGN KEY (city, document_id) REFERENCES footprint_project_document
);
SELECT onsil_append_only('footprint_finding_remark');

-- An opinion; no positive one stands on a material misstatement.
CREATE TABLE footprint_opinion (
  city text NOT NULL,
  id uuid NOT NULL,
  engagement_id uuid NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('positive', 'qualified', 'adverse', 'disclaimed')),
  assurance text NOT NULL CHECK (assurance IN ('reasonable', 'limited')),
  threshold_pct numeric NOT NULL CHECK (threshold_pct > 0 AND threshold_pct <= 100),
  reported_t numeric NOT NULL CHECK (reported_t >= 0),
  misstatement_t numeric NOT NULL CHECK (misstatement_t >= 0),
  text text NOT NULL CHECK (text <> ''),
  document_id uuid,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, engagement_id) REFERENCES footprint_engagement,
  FOREIGN KEY (city, document_id) REFERENCES footprint_project_document,
  CONSTRAINT footprint_opinion_is_not_material CHECK (
    outcome <> 'positive' OR misstatement_t = 0
    OR misstatement_t * 100 < threshold_pct * reported_t)
);
SELECT onsil_append_only('footprint_opinion');

CREATE TABLE footprint_additionality (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  test text NOT NULL CHECK (test IN ('legal-surplus', 'investment', 'common-practice')),
  shown boolean NOT NULL,
  text text NOT NULL CHECK (text <> ''),
  document_id uuid,
  assessed_on date NOT NULL,
  valid_until date CHECK (valid_until >= assessed_on),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  FOREIGN KEY (city, document_id) REFERENCES footprint_project_document
);
SELECT onsil_append_only('footprint_additionality');

-- A law that makes what a project does a duty: nothing is credited from its first instant on.
CREATE TABLE footprint_legal_duty (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid,
  methodology text,
  law text NOT NULL CHECK (law <> ''),
  text text NOT NULL CHECK (text <> ''),
  in_force_on date NOT NULL,
  in_force_at timestamptz NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  CHECK ((project_id IS NULL) <> (methodology IS NULL))
);
SELECT onsil_append_only('footprint_legal_duty');

-- A duty recorded in error is taken back by another person, with the reason.
CREATE TABLE footprint_legal_duty_withdrawal (
  city text NOT NULL,
  duty_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, duty_id),
  FOREIGN KEY (city, duty_id) REFERENCES footprint_legal_duty
);
SELECT onsil_append_only('footprint_legal_duty_withdrawal');

-- Everything that anybody did in a project, and for which side.
CREATE VIEW footprint_project_act WITH (security_invoker = true) AS
  SELECT city, id AS project_id, actor, 'developer' AS party, created_at
    FROM footprint_project
  UNION ALL SELECT city, project_id, actor, party, created_at FROM footprint_project_step
  UNION ALL SELECT city, project_id, maker, 'developer', submitted_at
    FROM footprint_monitoring WHERE maker IS NOT NULL
  UNION ALL SELECT city, project_id, checker, 'registry', decided_at
    FROM footprint_monitoring WHERE checker IS NOT NULL
  UNION ALL SELECT city, project_id, actor, 'vvb', created_at FROM footprint_finding
  UNION ALL SELECT f.city, f.project_id, r.actor,
      CASE r.act WHEN 'answered' THEN 'developer' ELSE 'vvb' END, r.created_at
    FROM footprint_finding_remark r
    JOIN footprint_finding f ON f.city = r.city AND f.id = r.finding_id
  UNION ALL SELECT e.city, e.project_id, v.actor, 'vvb', v.created_at FROM footprint_site_visit v
    JOIN footprint_engagement e ON e.city = v.city AND e.id = v.engagement_id
  UNION ALL SELECT e.city, e.project_id, s.actor, 'vvb', s.created_at
    FROM footprint_engagement_sample s
    JOIN footprint_engagement e ON e.city = s.city AND e.id = s.engagement_id
  UNION ALL SELECT e.city, e.project_id, o.actor, 'vvb', o.created_at FROM footprint_opinion o
    JOIN footprint_engagement e ON e.city = o.city AND e.id = o.engagement_id;
GRANT SELECT ON footprint_project_act TO onsil_app;

-- Who verifies a project neither develops it nor decides on it.
CREATE FUNCTION footprint_impartial(town text, project uuid, who text, side text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM footprint_project_act a
    WHERE a.city = town AND a.project_id = project
      AND footprint_person(a.actor) = footprint_person(who)
      AND (a.party = 'vvb') <> (side = 'vvb')
  ) THEN
    RAISE EXCEPTION 'who verifies a project takes no other part in it' USING ERRCODE = '23514';
  END IF;
END $$;

CREATE FUNCTION footprint_route_now(town text, project uuid) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT sha256 FROM footprint_project_route
  WHERE city = town AND project_id = project ORDER BY sequence DESC LIMIT 1
$$;

-- Where a project, or one of its monitoring periods, stands: where the last step led; a period
-- older than the journal stands where its status is, anything else where the route begins.
CREATE FUNCTION footprint_state_now(town text, project uuid, of_period uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  route jsonb;
  found text;
BEGIN
  SELECT to_state INTO found FROM footprint_project_step
  WHERE city = town AND project_id = project AND monitoring_id IS NOT DISTINCT FROM of_period
  ORDER BY sequence DESC LIMIT 1;
  IF found IS NOT NULL THEN
    RETURN found;
  END IF;
  SELECT content::jsonb INTO route FROM footprint_route
  WHERE city = town AND sha256 = footprint_route_now(town, project);
  IF of_period IS NULL THEN
    RETURN route #>> '{project,state,0,id}';
  END IF;
  SELECT s.state ->> 'id' INTO found
  FROM footprint_monitoring m,
    jsonb_array_elements(route #> '{period,state}') WITH ORDINALITY AS s(state, place)
  WHERE m.city = town AND m.id = of_period AND s.state ->> 'status' = m.status
  ORDER BY s.place LIMIT 1;
  RETURN found;
END $$;

CREATE FUNCTION footprint_project_step_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  part text := CASE WHEN NEW.monitoring_id IS NULL THEN 'project' ELSE 'period' END;
  step jsonb;
  other text;
  last_actor text;
  last_sequence int;
BEGIN
  -- one step at a time: the last one is only known when no other is under way
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW.city || ' route ' || NEW.project_id, 0));
  IF NEW.route_sha256 IS DISTINCT FROM footprint_route_now(NEW.city, NEW.project_id) THEN
    RAISE EXCEPTION 'the project is not under this version of a route' USING ERRCODE = '23514';
  END IF;
  IF NEW.monitoring_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM footprint_monitoring m WHERE m.city = NEW.city AND m.id = NEW.monitoring_id
      AND m.project_id = NEW.project_id
  ) THEN
    RAISE EXCEPTION 'the monitoring period is another project''s' USING ERRCODE = '23514';
  END IF;
  SELECT t INTO step FROM footprint_route r,
    jsonb_array_elements(r.content::jsonb #> ARRAY[part, 'transition']) AS t
  WHERE r.city = NEW.city AND r.sha256 = NEW.route_sha256 AND t ->> 'id' = NEW.transition;
  IF step IS NULL OR NOT (step -> 'from') ? NEW.from_state
     OR step ->> 'to' <> NEW.to_state OR step ->> 'role' <> NEW.role
     OR step ->> 'party' <> NEW.party THEN
    RAISE EXCEPTION 'the sealed route has no step % from % to %',
      NEW.transition, NEW.from_state, NEW.to_state USING ERRCODE = '23514';
  END IF;
  IF NEW.from_state IS DISTINCT FROM
     footprint_state_now(NEW.city, NEW.project_id, NEW.monitoring_id) THEN
    RAISE EXCEPTION 'it does not stand at %', NEW.from_state USING ERRCODE = '23514';
  END IF;
  SELECT coalesce(max(sequence), 0) INTO last_sequence FROM footprint_project_step
  WHERE city = NEW.city AND project_id = NEW.project_id
    AND monitoring_id IS NOT DISTINCT FROM NEW.monitoring_id;
  IF NEW.sequence <> last_sequence + 1 THEN
    RAISE EXCEPTION 'the next step is number %', last_sequence + 1 USING ERRCODE = '23514';
  END IF;
  FOR other IN SELECT jsonb_array_elements_text(coalesce(step -> 'apart_from', '[]')) LOOP
    SELECT actor INTO last_actor FROM footprint_project_step
    WHERE city = NEW.city AND project_id = NEW.project_id
      AND monitoring_id IS NOT DISTINCT FROM NEW.monitoring_id AND transition = other
    ORDER BY sequence DESC LIMIT 1;
    IF FOUND AND footprint_person(last_actor) = footprint_person(NEW.actor) THEN
      RAISE EXCEPTION 'the maker of % cannot do %', other, NEW.transition USING ERRCODE = '23514';
    END IF;
  END LOOP;
  FOR other IN SELECT jsonb_array_elements_text(coalesce(step -> 'documents', '[]')) LOOP
    IF NOT EXISTS (
      SELECT FROM footprint_project_document d
      WHERE d.city = NEW.city AND d.project_id = NEW.project_id AND d.kind = other
        AND d.monitoring_id IS NOT DISTINCT FROM NEW.monitoring_id
    ) THEN
      RAISE EXCEPTION 'the document % is missing', other USING ERRCODE = '23514';
    END IF;
  END LOOP;
  PERFORM footprint_impartial(NEW.city, NEW.project_id, NEW.actor, NEW.party);
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_project_step_check BEFORE INSERT ON footprint_project_step
  FOR EACH ROW EXECUTE FUNCTION footprint_project_step_check();

-- The first route comes with the project. A migration is to a version that knows where the project
-- and its open periods stand, and is not decided by whoever registered the project.
CREATE FUNCTION footprint_project_route_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  route jsonb;
  last_sequence int;
BEGIN
  SELECT coalesce(max(sequence), 0) INTO last_sequence FROM footprint_project_route
  WHERE city = NEW.city AND project_id = NEW.project_id;
  IF NEW.sequence <> last_sequence + 1 THEN
    RAISE EXCEPTION 'the next route is number %', last_sequence + 1 USING ERRCODE = '23514';
  END IF;
  IF NEW.sequence = 1 THEN
    RETURN NEW;
  END IF;
  IF EXISTS (
    SELECT FROM footprint_project p WHERE p.city = NEW.city AND p.id = NEW.project_id
      AND footprint_person(p.actor) = footprint_person(NEW.actor)
  ) THEN
    RAISE EXCEPTION 'who registered the project cannot move it' USING ERRCODE = '23514';
  END IF;
  SELECT content::jsonb INTO route FROM footprint_route
  WHERE city = NEW.city AND sha256 = NEW.sha256;
  IF NOT EXISTS (
    SELECT FROM jsonb_array_elements(route #> '{project,state}') s
    WHERE s ->> 'id' = footprint_state_now(NEW.city, NEW.project_id, NULL)
  ) OR EXISTS (
    SELECT FROM footprint_monitoring m
    WHERE m.city = NEW.city AND m.project_id = NEW.project_id AND m.status <> 'issued'
      AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(route #> '{period,state}') s
        WHERE s ->> 'id' = footprint_state_now(NEW.city, NEW.project_id, m.id)
          AND s ->> 'status' = m.status)
  ) THEN
    RAISE EXCEPTION 'the new version does not know where the project stands'
      USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_project_route_check BEFORE INSERT ON footprint_project_route
  FOR EACH ROW EXECUTE FUNCTION footprint_project_route_check();

-- Renewals: in a row, as many as the route allows, by a step that renews.
CREATE FUNCTION footprint_crediting_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  route jsonb;
  last_number int;
  last_end date;
BEGIN
  SELECT content::jsonb INTO route FROM footprint_route
  WHERE city = NEW.city AND sha256 = footprint_route_now(NEW.city, NEW.project_id);
  SELECT 1, upper(crediting) INTO last_number, last_end FROM footprint_project
  WHERE city = NEW.city AND id = NEW.project_id;
  SELECT number, upper(span) INTO last_number, last_end FROM (
    SELECT last_number AS number, daterange(NULL, last_end) AS span
    UNION ALL SELECT number, span FROM footprint_crediting
    WHERE city = NEW.city AND project_id = NEW.project_id
  ) c ORDER BY number DESC LIMIT 1;
  IF NEW.number <> last_number + 1 OR lower(NEW.span) <> last_end
     OR NEW.number - 1 > coalesce((route #>> '{crediting,renewals}')::int, 0) THEN
    RAISE EXCEPTION 'the crediting period cannot be renewed like this' USING ERRCODE = '23514';
  END IF;
  IF NOT EXISTS (
    SELECT FROM footprint_project_step s,
      jsonb_array_elements(route #> '{project,transition}') AS t
    WHERE s.city = NEW.city AND s.id = NEW.step_id AND s.project_id = NEW.project_id
      AND t ->> 'id' = s.transition AND t ->> 'does' = 'renew'
      AND NOT EXISTS (SELECT FROM footprint_crediting c
                      WHERE c.city = NEW.city AND c.step_id = s.id)
  ) THEN
    RAISE EXCEPTION 'no step renewed this crediting period' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_crediting_check BEFORE INSERT ON footprint_crediting
  FOR EACH ROW EXECUTE FUNCTION footprint_crediting_check();

-- A finding: raised and closed by who verifies, answered by the others, never both by one person.
CREATE FUNCTION footprint_finding_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM footprint_impartial(NEW.city, NEW.project_id, NEW.actor, 'vvb');
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_finding_check BEFORE INSERT ON footprint_finding
  FOR EACH ROW EXECUTE FUNCTION footprint_finding_check();

CREATE FUNCTION footprint_finding_remark_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found footprint_finding;
  last_act text := 'raised';
  last_sequence int := 0;
  remark record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(NEW.city || ' finding ' || NEW.finding_id, 0));
  SELECT * INTO found FROM footprint_finding WHERE city = NEW.city AND id = NEW.finding_id;
  FOR remark IN SELECT act, sequence FROM footprint_finding_remark
    WHERE city = NEW.city AND finding_id = NEW.finding_id ORDER BY sequence DESC LIMIT 1
  LOOP
    last_act := remark.act;
    last_sequence := remark.sequence;
  END LOOP;
  IF NEW.sequence <> last_sequence + 1 THEN
    RAISE EXCEPTION 'the next remark is number %', last_sequence + 1 USING ERRCODE = '23514';
  END IF;
  IF (last_act, NEW.act) NOT IN (('raised', 'answered'), ('answered', 'answered'),
      ('answered', 'reopened'), ('answered', 'closed'), ('reopened', 'answered'))
     AND NOT (NEW.act = 'closed' AND last_act <> 'closed' AND found.severity = 'observation') THEN
    RAISE EXCEPTION 'a finding that was % cannot be %', last_act, NEW.act USING ERRCODE = '23514';
  END IF;
  PERFORM footprint_impartial(NEW.city, found.project_id, NEW.actor,
    CASE NEW.act WHEN 'answered' THEN 'developer' ELSE 'vvb' END);
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_finding_remark_check BEFORE INSERT ON footprint_finding_remark
  FOR EACH ROW EXECUTE FUNCTION footprint_finding_remark_check();

-- Members of a verification body, and whoever acts for it, take no other part in the project.
CREATE FUNCTION footprint_engagement_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  member text;
BEGIN
  IF NEW.monitoring_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM footprint_monitoring m WHERE m.city = NEW.city AND m.id = NEW.monitoring_id
      AND m.project_id = NEW.project_id
  ) THEN
    RAISE EXCEPTION 'the monitoring period is another project''s' USING ERRCODE = '23514';
  END IF;
  PERFORM footprint_impartial(NEW.city, NEW.project_id, NEW.actor, 'developer');
  FOREACH member IN ARRAY NEW.members LOOP
    PERFORM footprint_impartial(NEW.city, NEW.project_id, member, 'vvb');
    IF footprint_person(member) = footprint_person(NEW.actor) THEN
      RAISE EXCEPTION 'nobody engages himself' USING ERRCODE = '23514';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_engagement_check BEFORE INSERT ON footprint_engagement
  FOR EACH ROW EXECUTE FUNCTION footprint_engagement_check();

CREATE FUNCTION footprint_vvb_act_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  engaged footprint_engagement;
BEGIN
  SELECT * INTO engaged FROM footprint_engagement WHERE city = NEW.city AND id = NEW.engagement_id;
  PERFORM footprint_impartial(NEW.city, engaged.project_id, NEW.actor, 'vvb');
  IF footprint_person(engaged.actor) = footprint_person(NEW.actor) THEN
    RAISE EXCEPTION 'who engaged the verification body does not act for it'
      USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_vvb_act_check BEFORE INSERT ON footprint_site_visit
  FOR EACH ROW EXECUTE FUNCTION footprint_vvb_act_check();
CREATE TRIGGER footprint_vvb_act_check BEFORE INSERT ON footprint_engagement_sample
  FOR EACH ROW EXECUTE FUNCTION footprint_vvb_act_check();
CREATE TRIGGER footprint_vvb_act_check BEFORE INSERT ON footprint_opinion
  FOR EACH ROW EXECUTE FUNCTION footprint_vvb_act_check();

CREATE FUNCTION footprint_legal_duty_withdrawal_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM footprint_legal_duty d WHERE d.city = NEW.city AND d.id = NEW.duty_id
      AND footprint_person(d.actor) = footprint_person(NEW.actor)
  ) THEN
    RAISE EXCEPTION 'another person takes back a recorded duty' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_legal_duty_withdrawal_check
  BEFORE INSERT ON footprint_legal_duty_withdrawal
  FOR EACH ROW EXECUTE FUNCTION footprint_legal_duty_withdrawal_check();

-- The first instant from which nothing of a project is credited; NULL without a duty.
CREATE FUNCTION footprint_duty_from(town text, project uuid) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT min(d.in_force_at) FROM footprint_legal_duty d
  JOIN footprint_project p ON p.city = d.city AND p.id = project
  WHERE d.city = town AND (d.project_id = p.id OR d.methodology = p.methodology)
    AND NOT EXISTS (SELECT FROM footprint_legal_duty_withdrawal w
                    WHERE w.city = d.city AND w.duty_id = d.id)
$$;

-- A monitoring period's status follows its journal: the last step leads to a state of that status
-- and was taken by the person who is named. Nothing is handed in or approved past a legal duty.
CREATE FUNCTION footprint_monitoring_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sealed text := footprint_route_now(NEW.city, NEW.project_id);
  last record;
BEGIN
  IF NEW.status IN ('submitted', 'approved') AND EXISTS (
    SELECT FROM footprint_monitoring_claim m
    JOIN footprint_claim c ON c.city = m.city AND c.id = m.claim_id
    WHERE m.city = NEW.city AND m.monitoring_id = NEW.id
      AND upper(c.period) > footprint_duty_from(NEW.city, NEW.project_id)
  ) THEN
    RAISE EXCEPTION 'a legal duty stops crediting before the end of these claims'
      USING ERRCODE = '23514';
  END IF;
  IF sealed IS NULL OR NEW.status = 'issued' THEN
    RETURN NULL; -- a project older than routes; an issuance is its batch's
  END IF;
  SELECT s.actor, state.one ->> 'status' AS status INTO last
  FROM footprint_project_step s
  JOIN footprint_route r ON r.city = s.city AND r.sha256 = s.route_sha256
  CROSS JOIN LATERAL jsonb_array_elements(r.content::jsonb #> '{period,state}') AS state(one)
  WHERE s.city = NEW.city AND s.project_id = NEW.project_id AND s.monitoring_id = NEW.id
    AND state.one ->> 'id' = s.to_state
  ORDER BY s.sequence DESC LIMIT 1;
  IF NOT FOUND OR last.status <> NEW.status OR footprint_person(last.actor) <> footprint_person(
      CASE NEW.status WHEN 'submitted' THEN NEW.maker ELSE NEW.checker END) THEN
    RAISE EXCEPTION 'no step of the route made this period %', NEW.status USING ERRCODE = '23514';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER footprint_monitoring_follows AFTER UPDATE OF status ON footprint_monitoring
  FOR EACH ROW EXECUTE FUNCTION footprint_monitoring_follows();
