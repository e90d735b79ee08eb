-- Entities: one document each, and beside it typed rows of its top-level values for queries.
-- IRIs (types, attribute names) are kept once, as numbers.
CREATE TABLE hub_term (
  city text COLLATE "C" NOT NULL,
  term_id int GENERATED ALWAYS AS IDENTITY,
  iri text COLLATE "C" NOT NULL,
  PRIMARY KEY (city, term_id),
  UNIQUE (city, iri) INCLUDE (term_id)
);

CREATE TABLE hub_entity (
  city text COLLATE "C" NOT NULL,
  eid bigint GENERATED ALWAYS AS IDENTITY,
  uri text COLLATE "C" NOT NULL,
  type_ids int[] NOT NULL CHECK (cardinality(type_ids) > 0),
  scopes text[] NOT NULL DEFAULT '{}',
  doc jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  PRIMARY KEY (city, eid),
  UNIQUE (city, uri) INCLUDE (eid)
);

-- One row for each type of an entity, so that a type's entities come in the order of their ids.
CREATE TABLE hub_entity_type (
  city text COLLATE "C" NOT NULL,
  type_id int NOT NULL,
  eid bigint NOT NULL,
  PRIMARY KEY (city, type_id, eid),
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_entity_type_eid ON hub_entity_type (city, eid);

CREATE TABLE hub_attr_num (
  city text COLLATE "C" NOT NULL,
  attr_id int NOT NULL,
  value double precision NOT NULL,
  eid bigint NOT NULL,
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_attr_num_value ON hub_attr_num (city, attr_id, value, eid);
CREATE INDEX hub_attr_num_eid ON hub_attr_num (city, eid);

CREATE TABLE hub_attr_str (
  city text COLLATE "C" NOT NULL,
  attr_id int NOT NULL,
  value text COLLATE "C" NOT NULL CHECK (length(value) <= 512),
  eid bigint NOT NULL,
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_attr_str_value ON hub_attr_str (city, attr_id, value, eid);
CREATE INDEX hub_attr_str_eid ON hub_attr_str (city, eid);

CREATE TABLE hub_attr_time (
  city text COLLATE "C" NOT NULL,
  attr_id int NOT NULL,
  value timestamptz NOT NULL,
  eid bigint NOT NULL,
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_attr_time_value ON hub_attr_time (city, attr_id, value, eid);
CREATE INDEX hub_attr_time_eid ON hub_attr_time (city, eid);

CREATE TABLE hub_attr_rel (
  city text COLLATE "C" NOT NULL,
  attr_id int NOT NULL,
  value text COLLATE "C" NOT NULL,
  eid bigint NOT NULL,
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_attr_rel_value ON hub_attr_rel (city, attr_id, value, eid);
CREATE INDEX hub_attr_rel_eid ON hub_attr_rel (city, eid);

-- Longitude and latitude, WGS 84: the box around the geometry, exact tests come after it.
CREATE TABLE hub_attr_geo (
  city text COLLATE "C" NOT NULL,
  attr_id int NOT NULL,
  bounds box NOT NULL,
  eid bigint NOT NULL,
  FOREIGN KEY (city, eid) REFERENCES hub_entity ON DELETE CASCADE
);
CREATE INDEX hub_attr_geo_bounds ON hub_attr_geo USING gist (city, attr_id, bounds);
CREATE INDEX hub_attr_geo_eid ON hub_attr_geo (city, eid);

SELECT onsil_tenant('hub_term');
SELECT onsil_tenant('hub_entity');
SELECT onsil_tenant('hub_entity_type');
SELECT onsil_tenant('hub_attr_num');
SELECT onsil_tenant('hub_attr_str');
SELECT onsil_tenant('hub_attr_time');
SELECT onsil_tenant('hub_attr_rel');
SELECT onsil_tenant('hub_attr_geo');

-- Operators on boxes are not leakproof, so under row-level security no index would serve them. The
-- owner's function searches, and asks itself whether the session may see that city.
CREATE FUNCTION hub_entities_in_box(wanted_city text, attr int, area box) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT eid FROM hub_attr_geo
   WHERE city = wanted_city AND attr_id = attr AND bounds && area AND onsil_sees(wanted_city);
END;

-- A text as an instant where it is one; NULL otherwise, for documents hold what people wrote.
CREATE FUNCTION hub_instant(given text) RETURNS timestamptz
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN given::timestamptz;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;
