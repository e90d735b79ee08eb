-- @contexts: hosted for a tenant, made for one, or fetched once for the whole installation (city *).
CREATE TABLE hub_context (
  city text COLLATE "C" NOT NULL,
  context_id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('Hosted', 'ImplicitlyCreated', 'Cached')),
  url text COLLATE "C" CHECK ((url IS NOT NULL) = (kind = 'Cached')),
  document json NOT NULL CHECK (octet_length(document::text) <= 2000000),
  mark bytea NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (city, context_id),
  UNIQUE (city, url)
);
-- The same list or object of contexts is made into one resource only.
CREATE UNIQUE INDEX hub_context_implicit ON hub_context (city, mark) WHERE kind = 'ImplicitlyCreated';

SELECT onsil_tenant('hub_context');
