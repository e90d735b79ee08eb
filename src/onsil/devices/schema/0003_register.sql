-- Writers that remember devices and calibrations are told of their changes.
CREATE TRIGGER tell_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON devices_device
  FOR EACH STATEMENT EXECUTE FUNCTION hub_tell_register();
CREATE TRIGGER tell_register AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON devices_calibration
  FOR EACH STATEMENT EXECUTE FUNCTION hub_tell_register();
