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

-- A document with the newest points of its series laid over these attributes.
CREATE FUNCTION hub_live_document(
  c text, entity bigint, document jsonb, attributes int[], unit_codes jsonb
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN document || coalesce((
    SELECT jsonb_object_agg(t.iri, hub_lay_latest(document -> t.iri, l.num, l.ts,
                                                  coalesce(unit_codes ->> s.unit, s.unit)))
      FROM hub_series s JOIN hub_latest l ON l.city = c AND l.series_id = s.series_id
      JOIN hub_term t ON t.city = c AND t.term_id = s.attr_id
     WHERE s.city = c AND s.eid = entity AND s.attr_id = ANY (attributes) AND l.ts IS NOT NULL
  ), '{}');
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
