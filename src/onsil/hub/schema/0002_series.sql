-- Series and their points: what devices measured, when it was so, and when we were told.
CREATE TABLE hub_series (
  city text COLLATE "C" NOT NULL,
  series_id int GENERATED ALWAYS AS IDENTITY,
  eid bigint NOT NULL,
  attr_id int NOT NULL,
  unit text NOT NULL,
  interval_s int NOT NULL CHECK (interval_s > 0),
  grace_s int NOT NULL CHECK (grace_s >= 0),
  kind text NOT NULL CHECK (kind IN ('gauge', 'interval', 'counter')),
  minimum double precision,
  maximum double precision,
  source text NOT NULL CHECK (source IN ('measured', 'simulated', 'replayed')),
  note text NOT NULL DEFAULT '',
  PRIMARY KEY (city, series_id),
  UNIQUE (city, eid, attr_id),
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE RESTRICT,
  FOREIGN KEY (city, attr_id) REFERENCES hub_term
);

-- The newest point of each series. Its row is also the lock that puts a series' writers in line.
CREATE TABLE hub_latest (
  city text COLLATE "C" NOT NULL,
  series_id int NOT NULL,
  ts timestamptz,
  num double precision,
  received_at timestamptz,
  PRIMARY KEY (city, series_id),
  FOREIGN KEY (city, series_id) REFERENCES hub_series ON DELETE CASCADE
) WITH (fillfactor = 60);

CREATE TABLE hub_point (
  ts timestamptz NOT NULL,
  num double precision NOT NULL CHECK (num > '-Infinity' AND num < 'Infinity'),
  received_at timestamptz NOT NULL,
  series_id int NOT NULL,
  late boolean NOT NULL,
  city text COLLATE "C" NOT NULL,
  PRIMARY KEY (city, series_id, ts) INCLUDE (num)
) PARTITION BY RANGE (ts);

-- Points by the hour: `total` is a double for charts; what is paid for is summed from points.
CREATE TABLE hub_rollup (
  hour timestamptz NOT NULL,
  total double precision NOT NULL,
  minimum double precision NOT NULL,
  maximum double precision NOT NULL,
  count int NOT NULL,
  on_time int NOT NULL,
  series_id int NOT NULL,
  city text COLLATE "C" NOT NULL,
  PRIMARY KEY (city, series_id, hour)
) WITH (fillfactor = 80);

-- A corrected point's earlier value, with what replaced it.
CREATE TABLE hub_point_revision (
  city text COLLATE "C" NOT NULL,
  revision_id bigint GENERATED ALWAYS AS IDENTITY,
  series_id int NOT NULL,
  ts timestamptz NOT NULL,
  old_num double precision NOT NULL,
  old_received_at timestamptz NOT NULL,
  new_num double precision NOT NULL,
  new_received_at timestamptz NOT NULL,
  message_id text NOT NULL,
  PRIMARY KEY (city, revision_id)
);
CREATE INDEX hub_point_revision_series ON hub_point_revision (city, series_id, ts);

-- What could not be stored: the raw reading or message, and why. `mark` knows it when it comes again.
CREATE TABLE hub_quarantine (
  city text COLLATE "C" NOT NULL,
  quarantine_id bigint GENERATED ALWAYS AS IDENTITY,
  received_at timestamptz NOT NULL,
  origin text NOT NULL,
  code text NOT NULL,
  ko text NOT NULL,
  en text NOT NULL,
  raw jsonb NOT NULL,
  message_id text NOT NULL,
  mark bytea NOT NULL,
  PRIMARY KEY (city, quarantine_id),
  UNIQUE (city, mark)
);
CREATE INDEX hub_quarantine_origin ON hub_quarantine (city, origin, received_at);

SELECT onsil_tenant('hub_series');
SELECT onsil_tenant('hub_latest');
SELECT onsil_tenant('hub_point');
SELECT onsil_tenant('hub_rollup');
SELECT onsil_append_only('hub_point_revision');
SELECT onsil_append_only('hub_quarantine');

-- Points are never deleted one by one: closed months leave as whole partitions.
REVOKE DELETE ON hub_point FROM onsil_app;

-- The app role owns nothing, so the owner makes the months. Attaching a ready table, other than
-- CREATE TABLE … PARTITION OF, lets readers and writers of the other months go on meanwhile.
CREATE FUNCTION hub_ensure_months(months date[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date;
  name text;
BEGIN
  FOR month IN SELECT DISTINCT date_trunc('month', m)::date FROM unnest(months) m ORDER BY 1 LOOP
    name := 'hub_point_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                           WHERE i.inhparent = 'hub_point'::regclass AND c.relname = name);
    IF month < date '2000-01-01' OR month > date '2200-01-01' THEN
      RAISE EXCEPTION 'no partition for %', month USING ERRCODE = 'datetime_field_overflow';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('hub_ensure_months'));
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE hub_point INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'ALTER TABLE hub_point ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
      to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
      to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
  END LOOP;
END $$;
