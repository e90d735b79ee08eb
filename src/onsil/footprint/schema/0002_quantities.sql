-- Quantities other than energy: cubic metres, kilograms, tree-years, kilometres. A run keeps the
-- tables and coefficients it rests on beside its readings.

ALTER TABLE footprint_run ADD COLUMN format text NOT NULL DEFAULT 'onsil-run-1';

ALTER TABLE footprint_claim
  DROP CONSTRAINT footprint_claim_co2e_t_check,
  DROP CONSTRAINT footprint_claim_energy_wh_check,
  ADD CONSTRAINT footprint_claim_amounts CHECK (co2e_t >= 0 AND energy_wh >= 0);

ALTER TABLE footprint_claim_line RENAME COLUMN amount_wh TO amount;
ALTER TABLE footprint_claim_line ADD COLUMN unit text NOT NULL DEFAULT 'Wh' CHECK (unit <> '');

-- Rows of a table that a run rests on, by the hash of their lines: canonical JSON (RFC 8785), one
-- row each, in order of their ids. They lie with the readings, under the same kind of hash.
CREATE TABLE footprint_run_table (
  city text NOT NULL,
  run_id uuid NOT NULL,
  role text NOT NULL,
  sha256 text NOT NULL,
  PRIMARY KEY (city, run_id, role),
  FOREIGN KEY (city, run_id) REFERENCES footprint_run,
  FOREIGN KEY (city, sha256) REFERENCES footprint_readings
);
SELECT onsil_append_only('footprint_run_table');

-- Which rows those are, so that a record's way to claims and credits can be found.
CREATE TABLE footprint_run_record (
  city text NOT NULL,
  run_id uuid NOT NULL,
  role text NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (city, record, run_id, role),
  FOREIGN KEY (city, run_id, role) REFERENCES footprint_run_table
);
SELECT onsil_append_only('footprint_run_record');
