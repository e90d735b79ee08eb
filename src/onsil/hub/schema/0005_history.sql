-- Entities as the history knows them: they outlive the current entity and may never have had one.
CREATE TABLE hub_temporal_entity (
  city text COLLATE "C" NOT NULL,
  teid bigint GENERATED ALWAYS AS IDENTITY,
  uri text COLLATE "C" NOT NULL,
  type_ids int[] NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  deleted_at timestamptz,
  expires_at timestamptz,
  PRIMARY KEY (city, teid),
  UNIQUE (city, uri) INCLUDE (teid)
) WITH (fillfactor = 80);
CREATE INDEX hub_temporal_entity_expires ON hub_temporal_entity (city, expires_at)
  WHERE expires_at IS NOT NULL;

-- One row for each type an entity ever had, so that a type's entities come in the order of ids.
CREATE TABLE hub_temporal_type (
  city text COLLATE "C" NOT NULL,
  type_id int NOT NULL,
  uri text COLLATE "C" NOT NULL,
  teid bigint NOT NULL,
  PRIMARY KEY (city, type_id, uri),
  FOREIGN KEY (city, teid) REFERENCES hub_temporal_entity ON DELETE CASCADE
);
CREATE INDEX hub_temporal_type_entity ON hub_temporal_type (city, teid);

-- Attribute instances. `ts` is observedAt, else deletedAt, else when it was written: the month it is
-- filed under. `body` is the instance without its times.
CREATE TABLE hub_instance (
  ts timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  observed_at timestamptz,
  deleted_at timestamptz,
  teid bigint NOT NULL,
  attr_id int NOT NULL,
  instance_id text COLLATE "C" NOT NULL DEFAULT uuidv7()::text,
  dataset_id text COLLATE "C" NOT NULL DEFAULT '',
  num double precision,
  body jsonb NOT NULL,
  city text COLLATE "C" NOT NULL,
  PRIMARY KEY (city, teid, attr_id, ts, instance_id)
) PARTITION BY RANGE (ts);
-- Times that no calendar of measurements has: before 2000, and from 2200 on.
CREATE TABLE hub_instance_elsewhen PARTITION OF hub_instance DEFAULT;
ALTER TABLE hub_instance_elsewhen ENABLE ROW LEVEL SECURITY;

-- Numbers that the API wrote and no registered series waits for: their points lie among the others'
-- under numbers from the same sequence, and no claim rests on them.
CREATE TABLE hub_plain_series (
  city text COLLATE "C" NOT NULL,
  series_id int NOT NULL DEFAULT nextval('hub_series_series_id_seq'),
  teid bigint NOT NULL,
  attr_id int NOT NULL,
  unit text NOT NULL,
  PRIMARY KEY (city, series_id),
  UNIQUE (city, teid, attr_id),
  FOREIGN KEY (city, teid) REFERENCES hub_temporal_entity ON DELETE CASCADE
);

SELECT onsil_tenant('hub_temporal_entity');
SELECT onsil_tenant('hub_temporal_type');
SELECT onsil_tenant('hub_instance');
SELECT onsil_tenant('hub_plain_series');

INSERT INTO hub_temporal_entity (city, uri, type_ids, created_at, modified_at)
SELECT city, uri, type_ids, created_at, modified_at FROM hub_entity;
INSERT INTO hub_temporal_type (city, type_id, uri, teid)
SELECT t.city, type_id, t.uri, t.teid FROM hub_temporal_entity t, unnest(t.type_ids) type_id;

CREATE FUNCTION hub_ensure_instance_months(months text[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date;
  name text;
BEGIN
  FOR month IN SELECT DISTINCT date_trunc('month', m::date)::date FROM unnest(months) m ORDER BY 1
  LOOP
    name := 'hub_instance_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN month < date '2000-01-01' OR month >= date '2200-01-01'
      OR EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                  WHERE i.inhparent = 'hub_instance'::regclass AND c.relname = name);
    PERFORM pg_advisory_xact_lock(hashtext('hub_ensure_instance_months'));
    CONTINUE WHEN to_regclass(name) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE hub_instance INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'ALTER TABLE hub_instance ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
      to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
      to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
  END LOOP;
END $$;

-- Points of plain series, which alone may be taken away: all of these series, or one of their times.
CREATE FUNCTION hub_delete_plain(wanted_city text, wanted int[], at timestamptz DEFAULT NULL)
  RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  gone bigint;
BEGIN
  IF NOT onsil_sees(wanted_city) THEN
    RAISE EXCEPTION 'not this city' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (SELECT FROM hub_series WHERE city = wanted_city AND series_id = ANY (wanted)) THEN
    RAISE EXCEPTION 'a registered series keeps its points'
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM hub_point
   WHERE city = wanted_city AND series_id = ANY (wanted) AND (at IS NULL OR ts = at);
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM hub_rollup WHERE city = wanted_city AND series_id = ANY (wanted)
     AND (at IS NULL OR hour = date_trunc('hour', at, 'UTC'));
  IF at IS NOT NULL THEN
    INSERT INTO hub_rollup (hour, total, minimum, maximum, count, on_time, series_id, city)
    SELECT date_trunc('hour', ts, 'UTC'), sum(num), min(num), max(num), count(*),
           count(*) FILTER (WHERE NOT late), series_id, wanted_city
      FROM hub_point WHERE city = wanted_city AND series_id = ANY (wanted)
       AND ts >= date_trunc('hour', at, 'UTC')
       AND ts < date_trunc('hour', at, 'UTC') + interval '1 hour'
     GROUP BY 1, series_id;
  END IF;
  RETURN gone;
END $$;
