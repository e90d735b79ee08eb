-- Writers remember series, devices and open months between their transactions. Whoever changes these
-- tells them so, when the change is committed.
CREATE FUNCTION hub_tell_register() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('onsil_register', '');
  RETURN NULL;
END $$;

CREATE TRIGGER tell_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hub_series
  FOR EACH STATEMENT EXECUTE FUNCTION hub_tell_register();
CREATE TRIGGER tell_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hub_lake_file
  FOR EACH STATEMENT EXECUTE FUNCTION hub_tell_register();
