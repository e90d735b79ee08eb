-- The lake: closed months as Parquet files beside the database, known here by their hashes.
CREATE TABLE hub_lake_file (
  city text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  kind text NOT NULL CHECK (kind IN ('points', 'instances')),
  revision int NOT NULL CHECK (revision > 0),
  path text NOT NULL,
  rows bigint NOT NULL CHECK (rows >= 0),
  checksum numeric NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  PRIMARY KEY (city, month, kind, revision)
);

-- One row for each export of a city's month, each holding the hash of the one before it.
CREATE TABLE hub_lake_manifest (
  city text COLLATE "C" NOT NULL,
  number int NOT NULL CHECK (number > 0),
  month date NOT NULL,
  revision int NOT NULL,
  sha256 text NOT NULL,
  body text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (city, number),
  UNIQUE (city, month, revision)
);

-- How long what a data set's types left behind is kept, as dated decisions: the newest one that has
-- begun holds. NULL days: for ever.
CREATE TABLE hub_retention (
  city text COLLATE "C" NOT NULL,
  retention_id bigint GENERATED ALWAYS AS IDENTITY,
  dataset text COLLATE "C" NOT NULL,
  types text[] NOT NULL CHECK (cardinality(types) > 0),
  keep_days int CHECK (keep_days > 0),
  valid_from timestamptz NOT NULL,
  decided_at timestamptz NOT NULL,
  decided_by text NOT NULL,
  PRIMARY KEY (city, retention_id)
);
CREATE INDEX hub_retention_dataset ON hub_retention (city, dataset, valid_from DESC);

SELECT onsil_append_only('hub_lake_file');
SELECT onsil_append_only('hub_lake_manifest');
SELECT onsil_append_only('hub_retention');

-- The partitions of these months, made where they are missing; whether the city's points of any of
-- them have left for the lake already.
CREATE FUNCTION hub_open_months(wanted_city text, months text[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM hub_ensure_months(months::date[]);
  RETURN EXISTS (SELECT FROM hub_lake_file
                  WHERE city = wanted_city AND kind = 'points' AND month = ANY (months::date[]));
END $$;

-- Rows and an order-independent checksum of one city's points in a month, as the files are held
-- against it before the partition goes.
CREATE FUNCTION hub_month_sum(wanted_city text, wanted_month date, OUT rows bigint,
                              OUT checksum numeric)
  LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT count(*),
         coalesce(sum(hash_record_extended(ROW(series_id, ts, num, received_at, late), 0)), 0)
    FROM hub_point
   WHERE city = wanted_city AND ts >= wanted_month::timestamp AT TIME ZONE 'UTC'
     AND ts < (wanted_month + interval '1 month') AT TIME ZONE 'UTC';
END;

-- Drop a month's points, when every city's rows in it are the newest file's, to the last one.
-- 'gone': there was nothing; 'dropped'; 'changed': something came in between, nothing was done.
CREATE FUNCTION hub_close_month(wanted_month date) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  name text := 'hub_point_' || to_char(wanted_month, 'YYYY_MM');
  differing int;
BEGIN
  IF current_setting('onsil.city', true) IS DISTINCT FROM '*' THEN
    RAISE EXCEPTION 'closing a month is for the operator' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('hub_ensure_months'));
  IF to_regclass(name) IS NULL THEN
    RETURN 'gone';
  END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
  EXECUTE format($sql$
    SELECT count(*) FROM (
      SELECT city, count(*) AS rows,
             sum(hash_record_extended(ROW(series_id, ts, num, received_at, late), 0)) AS checksum
        FROM %I GROUP BY city) p
      LEFT JOIN LATERAL (
        SELECT f.rows, f.checksum FROM hub_lake_file f
         WHERE f.city = p.city AND f.month = $1 AND f.kind = 'points'
         ORDER BY revision DESC LIMIT 1) f ON true
     WHERE f.rows IS DISTINCT FROM p.rows OR f.checksum IS DISTINCT FROM p.checksum
  $sql$, name) INTO differing USING wanted_month;
  IF differing > 0 THEN
    RETURN 'changed';
  END IF;
  EXECUTE format('DROP TABLE %I', name);
  RETURN 'dropped';
END $$;

-- How many of a city's plain points and instances of these types are older than the bound; taken
-- away unless only asked for. Series that claims rest on are none of its business.
CREATE FUNCTION hub_forget_before(wanted_city text, wanted_types int[], bound timestamptz,
                                  OUT points bigint, OUT instances bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  plain int[];
  entities bigint[];
BEGIN
  IF NOT onsil_sees(wanted_city) THEN
    RAISE EXCEPTION 'not this city' USING ERRCODE = 'insufficient_privilege';
  END IF;
  SELECT array_agg(teid) INTO entities FROM hub_temporal_entity
   WHERE city = wanted_city AND type_ids && wanted_types;
  SELECT array_agg(p.series_id) INTO plain FROM hub_plain_series p
   WHERE p.city = wanted_city AND p.teid = ANY (entities)
     AND NOT EXISTS (SELECT FROM hub_series s WHERE s.city = p.city AND s.series_id = p.series_id);
  DELETE FROM hub_point WHERE city = wanted_city AND series_id = ANY (plain) AND ts < bound;
  GET DIAGNOSTICS points = ROW_COUNT;
  -- The hour that the bound cuts is put together anew from what is left of it.
  DELETE FROM hub_rollup WHERE city = wanted_city AND series_id = ANY (plain)
     AND hour < date_trunc('hour', bound, 'UTC') + interval '1 hour';
  INSERT INTO hub_rollup (hour, total, minimum, maximum, count, on_time, series_id, city)
  SELECT date_trunc('hour', ts, 'UTC'), sum(num), min(num), max(num), count(*),
         count(*) FILTER (WHERE NOT late), series_id, wanted_city
    FROM hub_point WHERE city = wanted_city AND series_id = ANY (plain)
     AND ts >= bound AND ts < date_trunc('hour', bound, 'UTC') + interval '1 hour'
   GROUP BY 1, series_id;
  DELETE FROM hub_instance WHERE city = wanted_city AND teid = ANY (entities) AND ts < bound;
  GET DIAGNOSTICS instances = ROW_COUNT;
END $$;
