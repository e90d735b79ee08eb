-- The broker's storage: entities that expire, scopes and times to find them by, one call that writes
-- documents with their typed rows. A document's own update touches no indexed column (a BRIN index
-- does not count), so it stays in its page.
ALTER TABLE hub_entity ADD COLUMN expires_at timestamptz;
ALTER TABLE hub_entity SET (fillfactor = 70);
CREATE INDEX hub_entity_expires ON hub_entity (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX hub_entity_modified ON hub_entity USING brin (modified_at) WITH (pages_per_range = 16);

-- One row for each scope of an entity (`/Madrid/Gardens`); a scope's descendants are a range of text.
CREATE TABLE hub_entity_scope (
  city text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  eid bigint NOT NULL,
  PRIMARY KEY (city, scope, eid)
);
CREATE INDEX hub_entity_scope_eid ON hub_entity_scope (city, eid);
SELECT onsil_tenant('hub_entity_scope');
INSERT INTO hub_entity_scope (city, scope, eid)
SELECT DISTINCT city, unnest(scopes), eid FROM hub_entity;

-- Tenants of the stand-alone broker: each came into being with its first write.
CREATE TABLE hub_tenant (
  city text COLLATE "C" PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);
SELECT onsil_tenant('hub_tenant');

-- Typed rows are made from documents and can be made again; checking each against its entity cost
-- more than writing it. `hub_save` and `hub_remove` are the only ones who write them.
ALTER TABLE hub_entity_type DROP CONSTRAINT hub_entity_type_city_eid_fkey;
ALTER TABLE hub_attr_num DROP CONSTRAINT hub_attr_num_city_eid_fkey;
ALTER TABLE hub_attr_str DROP CONSTRAINT hub_attr_str_city_eid_fkey;
ALTER TABLE hub_attr_time DROP CONSTRAINT hub_attr_time_city_eid_fkey;
ALTER TABLE hub_attr_rel DROP CONSTRAINT hub_attr_rel_city_eid_fkey;
ALTER TABLE hub_attr_geo DROP CONSTRAINT hub_attr_geo_city_eid_fkey;

-- Write documents over stored ones (`eids`, `docs`, `expiries`), new types and scopes of `placed`
-- (types as numbers, both as JSON lists), and take away and add typed rows. A row is taken away with
-- all of its attribute's rows of that kind.
CREATE FUNCTION hub_save(
  c text, at timestamptz,
  eids bigint[], docs jsonb[], expiries timestamptz[],
  placed bigint[], types jsonb[], scoped jsonb[],
  gone_kind text[], gone_attr int[], gone_eid bigint[],
  num_attr int[], num_value float8[], num_eid bigint[],
  str_attr int[], str_value text[], str_eid bigint[],
  time_attr int[], time_value timestamptz[], time_eid bigint[],
  rel_attr int[], rel_value text[], rel_eid bigint[],
  geo_attr int[], geo_value text[], geo_eid bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
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

-- Remove entities with all their typed rows.
CREATE FUNCTION hub_remove(c text, gone bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM hub_entity_type WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_entity_scope WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_attr_num WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_attr_str WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_attr_time WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_attr_rel WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_attr_geo WHERE city = c AND eid = ANY(gone);
  DELETE FROM hub_entity WHERE city = c AND eid = ANY(gone);
END $$;
