-- Typed rows are found by entity and attribute, so that a batch does not look through all rows of its
-- entities; and a number that takes another's place is changed in its row.
DROP INDEX hub_attr_num_eid;
CREATE INDEX hub_attr_num_eid ON hub_attr_num (city, eid, attr_id);
DROP INDEX hub_attr_str_eid;
CREATE INDEX hub_attr_str_eid ON hub_attr_str (city, eid, attr_id);
DROP INDEX hub_attr_time_eid;
CREATE INDEX hub_attr_time_eid ON hub_attr_time (city, eid, attr_id);
DROP INDEX hub_attr_rel_eid;
CREATE INDEX hub_attr_rel_eid ON hub_attr_rel (city, eid, attr_id);
DROP INDEX hub_attr_geo_eid;
CREATE INDEX hub_attr_geo_eid ON hub_attr_geo (city, eid, attr_id);

DROP FUNCTION hub_save(text, timestamptz, bigint[], jsonb[], timestamptz[], bigint[], jsonb[], jsonb[], text[], int[], bigint[], int[], float8[], bigint[], int[], text[], bigint[], int[], timestamptz[], bigint[], int[], text[], bigint[], int[], text[], bigint[]);
-- Write documents over stored ones (`eids`, `docs`, `expiries`), new types and scopes of `placed`
-- (types as numbers, both as JSON lists), and take away, change and add typed rows. A row is taken away
-- with all of its attribute's rows of that kind. `moved` numbers stand alone before and after.
CREATE FUNCTION hub_save(
  c text, at timestamptz,
  eids bigint[], docs jsonb[], expiries timestamptz[],
  placed bigint[], types jsonb[], scoped jsonb[],
  gone_kind text[], gone_attr int[], gone_eid bigint[],
  moved_attr int[], moved_value float8[], moved_eid bigint[],
  num_attr int[], num_value float8[], num_eid bigint[],
  str_attr int[], str_value text[], str_eid bigint[],
  time_attr int[], time_value timestamptz[], time_eid bigint[],
  rel_attr int[], rel_value text[], rel_eid bigint[],
  geo_attr int[], geo_value text[], geo_eid bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  changed bigint;
BEGIN
  IF cardinality(eids) = 1 THEN
    UPDATE hub_entity SET doc = docs[1], expires_at = expiries[1], modified_at = at
     WHERE city = c AND eid = eids[1];
  ELSIF cardinality(eids) > 1 THEN
    UPDATE hub_entity e SET doc = t.doc, expires_at = t.expiry, modified_at = at
      FROM unnest(eids, docs, expiries) AS t(eid, doc, expiry) WHERE e.city = c AND e.eid = t.eid;
  END IF;
  IF cardinality(placed) > 0 THEN
    DELETE FROM hub_entity_type WHERE city = c AND eid = ANY(placed);
    DELETE FROM hub_entity_scope WHERE city = c AND eid = ANY(placed);
    UPDATE hub_entity e SET
           type_ids = ARRAY(SELECT jsonb_array_elements_text(t.types)::int),
           scopes = ARRAY(SELECT jsonb_array_elements_text(t.scoped))
      FROM unnest(placed, types, scoped) AS t(eid, types, scoped)
     WHERE e.city = c AND e.eid = t.eid
       AND (e.type_ids, e.scopes) IS DISTINCT FROM (
             ARRAY(SELECT jsonb_array_elements_text(t.types)::int),
             ARRAY(SELECT jsonb_array_elements_text(t.scoped)));
    INSERT INTO hub_entity_type (city, type_id, eid)
    SELECT DISTINCT c, jsonb_array_elements_text(t.types)::int, t.eid
      FROM unnest(placed, types) AS t(eid, types);
    INSERT INTO hub_entity_scope (city, scope, eid)
    SELECT DISTINCT c, jsonb_array_elements_text(t.scoped), t.eid
      FROM unnest(placed, scoped) AS t(eid, scoped);
  END IF;
  IF cardinality(moved_eid) > 0 THEN
    UPDATE hub_attr_num r SET value = g.value
      FROM unnest(moved_attr, moved_value, moved_eid) AS g(attr, value, eid)
     WHERE r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> cardinality(moved_eid) THEN -- one had left the rows, as expired values do
      DELETE FROM hub_attr_num r USING unnest(moved_attr, moved_eid) AS g(attr, eid)
       WHERE r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
      INSERT INTO hub_attr_num (city, attr_id, value, eid)
      SELECT c, * FROM unnest(moved_attr, moved_value, moved_eid);
    END IF;
  END IF;
  IF 'num' = ANY(gone_kind) THEN
    DELETE FROM hub_attr_num r USING unnest(gone_kind, gone_attr, gone_eid) AS g(kind, attr, eid)
     WHERE g.kind = 'num' AND r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
  END IF;
  IF 'str' = ANY(gone_kind) THEN
    DELETE FROM hub_attr_str r USING unnest(gone_kind, gone_attr, gone_eid) AS g(kind, attr, eid)
     WHERE g.kind = 'str' AND r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
  END IF;
  IF 'time' = ANY(gone_kind) THEN
    DELETE FROM hub_attr_time r USING unnest(gone_kind, gone_attr, gone_eid) AS g(kind, attr, eid)
     WHERE g.kind = 'time' AND r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
  END IF;
  IF 'rel' = ANY(gone_kind) THEN
    DELETE FROM hub_attr_rel r USING unnest(gone_kind, gone_attr, gone_eid) AS g(kind, attr, eid)
     WHERE g.kind = 'rel' AND r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
  END IF;
  IF 'geo' = ANY(gone_kind) THEN
    DELETE FROM hub_attr_geo r USING unnest(gone_kind, gone_attr, gone_eid) AS g(kind, attr, eid)
     WHERE g.kind = 'geo' AND r.city = c AND r.eid = g.eid AND r.attr_id = g.attr;
  END IF;
  IF cardinality(num_eid) > 0 THEN
    INSERT INTO hub_attr_num (city, attr_id, value, eid)
    SELECT c, * FROM unnest(num_attr, num_value, num_eid);
  END IF;
  IF cardinality(str_eid) > 0 THEN
    INSERT INTO hub_attr_str (city, attr_id, value, eid)
    SELECT c, * FROM unnest(str_attr, str_value, str_eid);
  END IF;
  IF cardinality(time_eid) > 0 THEN
    INSERT INTO hub_attr_time (city, attr_id, value, eid)
    SELECT c, * FROM unnest(time_attr, time_value, time_eid);
  END IF;
  IF cardinality(rel_eid) > 0 THEN
    INSERT INTO hub_attr_rel (city, attr_id, value, eid)
    SELECT c, * FROM unnest(rel_attr, rel_value, rel_eid);
  END IF;
  IF cardinality(geo_eid) > 0 THEN
    INSERT INTO hub_attr_geo (city, attr_id, bounds, eid)
    SELECT c, a, v::box, e FROM unnest(geo_attr, geo_value, geo_eid) AS t(a, v, e);
  END IF;
END $$;
