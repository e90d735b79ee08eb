-- The city's implementation plan: goals by year, measures with owners and yearly targets, the
-- evidence behind them, and the yearly review (이행점검) that one person writes and another approves.

CREATE TABLE footprint_plan (
  city text NOT NULL,
  id uuid NOT NULL,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9-]{1,40}$'),
  name_ko text NOT NULL CHECK (name_ko <> ''),
  name_en text NOT NULL CHECK (name_en <> ''),
  base_year int NOT NULL CHECK (base_year BETWEEN 1990 AND 2100),
  source text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, code)
);
SELECT onsil_append_only('footprint_plan');

-- A goal of a year; the highest revision holds. reduction-pct is below the base year; emission-t
-- what may still be emitted; reduction-t what the measures shall take off in that year.
CREATE TABLE footprint_plan_goal (
  city text NOT NULL,
  plan_id uuid NOT NULL,
  year int NOT NULL CHECK (year BETWEEN 1990 AND 2100),
  kind text NOT NULL CHECK (kind IN ('reduction-pct', 'emission-t', 'reduction-t')),
  revision int NOT NULL CHECK (revision > 0),
  value numeric NOT NULL CHECK (value >= 0),
  source text NOT NULL,
  confirmed boolean NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, plan_id, year, kind, revision),
  FOREIGN KEY (city, plan_id) REFERENCES footprint_plan,
  CHECK (kind <> 'reduction-pct' OR value <= 100)
);
SELECT onsil_append_only('footprint_plan_goal');

-- A measure's terms; the highest revision holds. Who owns it is a department or a post.
CREATE TABLE footprint_measure (
  city text NOT NULL,
  id uuid NOT NULL,
  plan_id uuid NOT NULL,
  code text NOT NULL CHECK (code ~ '^[A-Za-z0-9-]{1,40}$'),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, plan_id, code),
  FOREIGN KEY (city, plan_id) REFERENCES footprint_plan
);
SELECT onsil_append_only('footprint_measure');

CREATE TABLE footprint_measure_terms (
  city text NOT NULL,
  measure_id uuid NOT NULL,
  revision int NOT NULL CHECK (revision > 0),
  green text NOT NULL,
  name_ko text NOT NULL CHECK (name_ko <> ''),
  name_en text NOT NULL CHECK (name_en <> ''),
  owner_ko text NOT NULL,
  owner_en text NOT NULL,
  methodology text NOT NULL DEFAULT '',
  indicator_ko text NOT NULL,
  indicator_en text NOT NULL,
  unit text NOT NULL,
  first_year int NOT NULL,
  last_year int NOT NULL,
  source text NOT NULL,
  reason text NOT NULL DEFAULT '',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, measure_id, revision),
  FOREIGN KEY (city, measure_id) REFERENCES footprint_measure,
  CHECK (last_year >= first_year)
);
SELECT onsil_append_only('footprint_measure_terms');

-- What a measure shall reach in a year. What the plan does not say is null, never zero.
CREATE TABLE footprint_measure_target (
  city text NOT NULL,
  measure_id uuid NOT NULL,
  year int NOT NULL CHECK (year BETWEEN 1990 AND 2100),
  revision int NOT NULL CHECK (revision > 0),
  quantity numeric CHECK (quantity >= 0),
  co2e_t numeric CHECK (co2e_t >= 0),
  budget_krw bigint CHECK (budget_krw >= 0),
  reason text NOT NULL,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, measure_id, year, revision),
  FOREIGN KEY (city, measure_id) REFERENCES footprint_measure
);
SELECT onsil_append_only('footprint_measure_target');

-- What shows that a measure happened. The same run, claim or paper serves one measure only; to
-- take it back is an event of its own.
CREATE TABLE footprint_measure_evidence (
  city text NOT NULL,
  id uuid NOT NULL,
  measure_id uuid NOT NULL,
  year int NOT NULL CHECK (year BETWEEN 1990 AND 2100),
  kind text NOT NULL CHECK (kind IN ('run', 'claim', 'document')),
  subject text NOT NULL CHECK (subject <> ''),
  quantity numeric CHECK (quantity >= 0),
  co2e_t numeric CHECK (co2e_t >= 0),
  note text NOT NULL DEFAULT '',
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, measure_id) REFERENCES footprint_measure,
  CHECK (kind <> 'document' OR note <> '')
);
SELECT onsil_append_only('footprint_measure_evidence');
CREATE INDEX footprint_measure_evidence_subject
  ON footprint_measure_evidence (city, kind, subject);

CREATE TABLE footprint_measure_evidence_withdrawn (
  city text NOT NULL,
  evidence_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, evidence_id),
  FOREIGN KEY (city, evidence_id) REFERENCES footprint_measure_evidence
);
SELECT onsil_append_only('footprint_measure_evidence_withdrawn');

CREATE FUNCTION footprint_evidence_serves_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(
    hashtextextended(NEW.city || ' evidence ' || NEW.kind || ' ' || NEW.subject, 0));
  IF EXISTS (
    SELECT FROM footprint_measure_evidence e
    WHERE e.city = NEW.city AND e.kind = NEW.kind AND e.subject = NEW.subject
      AND NOT EXISTS (SELECT FROM footprint_measure_evidence_withdrawn w
        WHERE w.city = e.city AND w.evidence_id = e.id)
  ) THEN
    RAISE EXCEPTION 'this evidence already serves a measure'
      USING ERRCODE = '23505', CONSTRAINT = 'footprint_evidence_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_evidence_serves_once BEFORE INSERT ON footprint_measure_evidence
  FOR EACH ROW EXECUTE FUNCTION footprint_evidence_serves_once();

CREATE TABLE footprint_review (
  city text NOT NULL,
  id uuid NOT NULL,
  plan_id uuid NOT NULL,
  year int NOT NULL CHECK (year BETWEEN 1990 AND 2100),
  status text NOT NULL DEFAULT 'draft'
    CHECK (status IN ('draft', 'submitted', 'returned', 'approved')),
  maker text,
  submitted_at timestamptz,
  checker text,
  decided_at timestamptz,
  reason text NOT NULL DEFAULT '',
  content text,
  sha256 text,
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, plan_id, year),
  FOREIGN KEY (city, plan_id) REFERENCES footprint_plan,
  CONSTRAINT footprint_review_two_people CHECK (checker IS NULL OR checker <> maker),
  CHECK (status = 'draft' OR maker IS NOT NULL),
  CHECK (status NOT IN ('approved', 'returned') OR checker IS NOT NULL),
  CHECK ((content IS NULL) = (status IN ('draft', 'returned'))),
  CHECK (content IS NULL OR sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex'))
);
SELECT onsil_tenant('footprint_review');
REVOKE DELETE ON footprint_review FROM onsil_app;

CREATE FUNCTION footprint_review_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.city, NEW.id, NEW.plan_id, NEW.year, NEW.actor, NEW.created_at)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.plan_id, OLD.year, OLD.actor, OLD.created_at) THEN
    RAISE EXCEPTION 'a review keeps its plan and year' USING ERRCODE = '23514';
  END IF;
  IF (OLD.status, NEW.status) NOT IN
     (('draft', 'submitted'), ('submitted', 'approved'), ('submitted', 'returned'),
      ('returned', 'submitted')) THEN
    RAISE EXCEPTION 'a review cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = '23514';
  END IF;
  IF OLD.status = 'submitted' AND (NEW.maker, NEW.submitted_at)
     IS DISTINCT FROM (OLD.maker, OLD.submitted_at) THEN
    RAISE EXCEPTION 'who submitted cannot be rewritten' USING ERRCODE = '23514';
  END IF;
  IF NEW.status = 'approved' AND NEW.content IS DISTINCT FROM OLD.content THEN
    RAISE EXCEPTION 'what is approved is what was submitted' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_review_step BEFORE UPDATE ON footprint_review
  FOR EACH ROW EXECUTE FUNCTION footprint_review_step();

CREATE TABLE footprint_review_line (
  city text NOT NULL,
  review_id uuid NOT NULL,
  measure_id uuid NOT NULL,
  verdict text NOT NULL
    CHECK (verdict IN ('done', 'on-track', 'behind', 'not-started', 'stopped')),
  comment text NOT NULL DEFAULT '',
  actor text NOT NULL,
  written_at timestamptz NOT NULL,
  PRIMARY KEY (city, review_id, measure_id),
  FOREIGN KEY (city, review_id) REFERENCES footprint_review,
  FOREIGN KEY (city, measure_id) REFERENCES footprint_measure,
  CHECK (verdict IN ('done', 'on-track') OR comment <> '')
);
SELECT onsil_tenant('footprint_review_line');
REVOKE DELETE ON footprint_review_line FROM onsil_app;

CREATE FUNCTION footprint_review_line_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM footprint_review r WHERE r.city = NEW.city AND r.id = NEW.review_id
      AND r.status IN ('draft', 'returned')
  ) THEN
    RAISE EXCEPTION 'the lines of a submitted review are fixed' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_review_line_step BEFORE INSERT OR UPDATE ON footprint_review_line
  FOR EACH ROW EXECUTE FUNCTION footprint_review_line_step();
