-- Leaves appended together are one row: an id, a salt and a commitment of fixed width each. The
-- columns are kept out of line and uncompressed, so that one leaf is read without the others.
CREATE TYPE onsil_uuid_span AS RANGE (subtype = uuid);

CREATE TABLE proof_batch (
  city text NOT NULL,
  batch uuid NOT NULL,
  kind text NOT NULL,
  -- Set for kinds whose ids only ever ascend: their leaves are found by the span, without an index.
  first_id uuid,
  last_id uuid,
  size int NOT NULL CHECK (size > 0),
  ids bytea STORAGE EXTERNAL NOT NULL,
  salts bytea STORAGE EXTERNAL NOT NULL,
  commitments bytea STORAGE EXTERNAL NOT NULL,
  PRIMARY KEY (city, batch),
  CONSTRAINT proof_batch_packed CHECK (
    length(ids) = 16 * size AND length(salts) = 32 * size AND length(commitments) = 32 * size),
  CONSTRAINT proof_batch_span CHECK (num_nulls(first_id, last_id) <> 1 AND first_id <= last_id),
  -- A subject has one leaf of a kind, for ever: spans of a kind never meet, whoever races.
  CONSTRAINT proof_batch_once EXCLUDE USING gist (
    city WITH =, kind WITH =, onsil_uuid_span(first_id, last_id, '[]') WITH &&)
    WHERE (first_id IS NOT NULL)
);
CREATE INDEX proof_batch_find ON proof_batch (city, kind, last_id);
SELECT onsil_append_only('proof_batch');

-- Where the leaf of a subject is, for kinds whose ids come in any order; one leaf of a kind.
CREATE TABLE proof_subject (
  city text NOT NULL,
  kind text NOT NULL,
  subject_id uuid NOT NULL,
  batch uuid NOT NULL,
  position int NOT NULL CHECK (position >= 0),
  PRIMARY KEY (city, kind, subject_id)
);
SELECT onsil_append_only('proof_subject');

-- Salts that were erased, and when: without its salt a commitment says nothing about anybody.
CREATE TABLE proof_erased_salt (
  city text NOT NULL,
  kind text NOT NULL,
  subject_id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (city, kind, subject_id)
);
SELECT onsil_append_only('proof_erased_salt');
REVOKE INSERT ON proof_erased_salt FROM onsil_app; -- the function below does

-- What was logged before stays logged. Batches of transfers that ascend and meet no other batch go
-- by their span, whatever else there is goes by the index.
WITH packed AS (
  SELECT city, batch, kind, count(*)::int AS size,
    array_agg(subject_id ORDER BY position) AS given,
    array_agg(subject_id ORDER BY subject_id) AS sorted,
    string_agg(uuid_send(subject_id), ''::bytea ORDER BY position) AS ids,
    string_agg(salt, ''::bytea ORDER BY position) AS salts,
    string_agg(commitment, ''::bytea ORDER BY position) AS commitments
  FROM proof_entry GROUP BY city, batch, kind
), spanned AS (
  SELECT *, kind = 'transfer' AND given = sorted AND coalesce(
      max(sorted[size]::text COLLATE "C") OVER (PARTITION BY city, kind ORDER BY sorted[1]
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) < sorted[1]::text COLLATE "C",
      true) AS ascends
  FROM packed
)
INSERT INTO proof_batch (city, batch, kind, first_id, last_id, size, ids, salts, commitments)
SELECT city, batch, kind, CASE WHEN ascends THEN sorted[1] END,
  CASE WHEN ascends THEN sorted[size] END, size, ids, salts, commitments
FROM spanned;

INSERT INTO proof_subject (city, kind, subject_id, batch, position)
SELECT e.city, e.kind, e.subject_id, e.batch, e.position
FROM proof_entry e JOIN proof_batch b USING (city, batch) WHERE b.first_id IS NULL;

DROP TABLE proof_entry;

-- Where a subject's leaf is: no row when there is none.
CREATE FUNCTION onsil_leaf_place(of_city text, of_kind text, subject uuid)
  RETURNS TABLE (batch uuid, "position" int) LANGUAGE plpgsql STABLE AS $$
DECLARE
  held record;
  low int := 0;
  high int;
  middle int;
  wanted bytea := uuid_send(subject);
BEGIN
  SELECT b.batch, b.size, b.first_id INTO held FROM proof_batch b
    WHERE b.city = of_city AND b.kind = of_kind AND b.last_id >= subject
    ORDER BY b.last_id LIMIT 1;
  IF FOUND AND held.first_id <= subject THEN
    high := held.size - 1;
    WHILE low < high LOOP
      middle := (low + high) / 2;
      IF (SELECT substr(b.ids, 16 * middle + 1, 16) FROM proof_batch b
          WHERE b.city = of_city AND b.batch = held.batch) < wanted THEN
        low := middle + 1;
      ELSE
        high := middle;
      END IF;
    END LOOP;
    RETURN QUERY SELECT b.batch, low FROM proof_batch b
      WHERE b.city = of_city AND b.batch = held.batch AND substr(b.ids, 16 * low + 1, 16) = wanted;
  END IF;
  RETURN QUERY SELECT s.batch, s.position FROM proof_subject s
    WHERE s.city = of_city AND s.kind = of_kind AND s.subject_id = subject;
END $$;

-- The one way a salt goes: 32 zeros in its place, and a record of it. False when there was none.
CREATE FUNCTION onsil_erase_salt(of_city text, of_kind text, subject uuid) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  place record;
BEGIN
  IF onsil_sees(of_city) IS NOT TRUE THEN
    RAISE insufficient_privilege USING MESSAGE = format('this session does not see %s', of_city);
  END IF;
  SELECT * INTO place FROM onsil_leaf_place(of_city, of_kind, subject);
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO proof_erased_salt (city, kind, subject_id) VALUES (of_city, of_kind, subject)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE proof_batch b SET salts =
      overlay(b.salts PLACING decode(repeat('00', 32), 'hex') FROM 32 * place.position + 1)
    WHERE b.city = of_city AND b.batch = place.batch;
  RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION onsil_erase_salt(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION onsil_erase_salt(text, text, uuid) TO onsil_app;
