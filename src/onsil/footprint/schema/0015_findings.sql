-- Every look at a run's data has a leaf in the log, which holds its findings. Looks of before this
-- have none; whatever comes after has one.
ALTER TABLE footprint_inspection ADD COLUMN logged boolean NOT NULL DEFAULT false;
ALTER TABLE footprint_inspection ALTER COLUMN logged SET DEFAULT true;
CREATE FUNCTION footprint_inspection_logged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.logged THEN
    RAISE EXCEPTION 'a look at a run has a leaf in the log' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_inspection_logged BEFORE INSERT ON footprint_inspection
  FOR EACH ROW EXECUTE FUNCTION footprint_inspection_logged();
