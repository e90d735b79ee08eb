-- One installation, several cities: who sees which row is decided here, by PostgreSQL itself.
CREATE EXTENSION IF NOT EXISTS btree_gist;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onsil_app') THEN
    CREATE ROLE onsil_app NOLOGIN;
  END IF;
  EXECUTE format('GRANT onsil_app TO %I', current_user);
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- another database of the same server is being built at this moment
END $$;

GRANT USAGE ON SCHEMA public TO onsil_app;

-- The city whose rows this session may touch; '*' is the operator's view over all of them.
CREATE FUNCTION onsil_sees(city text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN city = current_setting('onsil.city', true) OR current_setting('onsil.city', true) = '*';

-- A table of several cities: rows of the session's city only, read and written by the app role.
-- The setting is read in sub-selects, which PostgreSQL evaluates once a query, not once a row.
CREATE FUNCTION onsil_tenant(target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  mine text := $sql$city = (SELECT current_setting('onsil.city', true))
               OR (SELECT current_setting('onsil.city', true)) = '*'$sql$;
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('DROP POLICY IF EXISTS city_isolation ON %s', target);
  EXECUTE format('CREATE POLICY city_isolation ON %s USING (%s) WITH CHECK (%s)', target, mine, mine);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO onsil_app', target);
END $$;

-- The same for a journal: the app role can add rows and read them, never change or remove one.
CREATE FUNCTION onsil_append_only(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM onsil_tenant(target);
  EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM onsil_app', target);
END $$;

ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO onsil_app;
