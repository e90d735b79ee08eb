-- When the first of an entity's attribute instances expires (GS CIM 009 V1.9.1 §4.22); entities
-- without such instances have no row.
CREATE TABLE hub_attr_expiry (
  city text COLLATE "C" NOT NULL,
  eid bigint NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (city, eid)
);
CREATE INDEX hub_attr_expiry_time ON hub_attr_expiry (expires_at);

SELECT onsil_tenant('hub_attr_expiry');
