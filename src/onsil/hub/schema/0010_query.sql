-- What queries need beside documents and typed rows: which entities have live values of an
-- attribute, these laid over a stored attribute, and places by their boxes.
CREATE INDEX hub_series_attr ON hub_series (city, attr_id) INCLUDE (series_id, eid);

-- An attribute's instances with a series' newest point in the one without a datasetId, unless what
-- is stored was observed later.
CREATE FUNCTION hub_lay_latest(instances jsonb, num double precision, at timestamptz, unit text)
  RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  place int;
  plain jsonb;
  point jsonb := jsonb_build_object('value', num, 'unitCode', unit, 'observedAt',
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
BEGIN
  SELECT i - 1, v INTO place, plain
    FROM jsonb_array_elements(coalesce(instances, '[]')) WITH ORDINALITY AS x(v, i)
   WHERE NOT v ? 'datasetId' LIMIT 1;
  IF place IS NULL THEN
    RETURN jsonb_build_array('{"type": "Property"}'::jsonb || point) || coalesce(instances, '[]');
  ELSIF hub_instant(plain ->> 'observedAt') > at THEN
    RETURN instances;
  END IF;
  RETURN jsonb_set(instances, ARRAY[place::text], plain || point);
END $$;

-- Entities of one attribute whose boxes meet one of these, each once. Operators on boxes are not
-- leakproof, so this runs as the owner and asks itself whether the session may see that city.
CREATE FUNCTION hub_entities_in_boxes(wanted_city text, attr int, areas box[])
  RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT g.eid FROM unnest(areas) AS a(area)
    JOIN hub_attr_geo g ON g.city = wanted_city AND g.attr_id = attr AND g.bounds && a.area
   WHERE onsil_sees(wanted_city);
END;
DROP FUNCTION hub_entities_in_box;
