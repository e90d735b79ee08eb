-- What entered the transparency log. An entry is a salted commitment; its place in the tree is
-- (its batch's first index + its position), so that appending writes no index at all.
CREATE TABLE proof_entry (
  city text NOT NULL,
  kind text NOT NULL,
  subject_id uuid NOT NULL,
  batch uuid NOT NULL,
  position int NOT NULL CHECK (position >= 0),
  salt bytea NOT NULL CHECK (length(salt) = 32),
  commitment bytea NOT NULL CHECK (length(commitment) = 32),
  PRIMARY KEY (city, kind, subject_id)
);
CREATE UNIQUE INDEX proof_entry_place ON proof_entry (city, batch, position);
SELECT onsil_append_only('proof_entry');

-- Batches that are committed and not yet in the tree. A batch is seen here only once it is
-- committed, whatever its number, so none can be passed over.
CREATE TABLE proof_pending (
  city text NOT NULL,
  batch uuid NOT NULL,
  size int NOT NULL CHECK (size > 0),
  PRIMARY KEY (city, batch)
);
SELECT onsil_tenant('proof_pending');

-- Where each batch stands in the tree of its year. Derived from the signed log on disk.
CREATE TABLE proof_span (
  city text NOT NULL,
  year int NOT NULL,
  first_index bigint NOT NULL CHECK (first_index >= 0),
  size int NOT NULL CHECK (size > 0),
  batch uuid NOT NULL,
  PRIMARY KEY (city, year, first_index),
  UNIQUE (city, batch)
);
SELECT onsil_append_only('proof_span');

-- The checkpoints that were signed, for graphs and receipts of the past; the folder is the truth.
CREATE TABLE proof_checkpoint (
  city text NOT NULL,
  year int NOT NULL,
  size bigint NOT NULL,
  root bytea NOT NULL CHECK (length(root) = 32),
  signed_at timestamptz NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (city, year, size)
);
SELECT onsil_append_only('proof_checkpoint');

-- Who did what, with the state before and after.
CREATE TABLE proof_audit (
  city text NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  before jsonb,
  after jsonb,
  PRIMARY KEY (city, id)
);
CREATE INDEX proof_audit_subject ON proof_audit (city, subject_kind, subject_id, id);
SELECT onsil_append_only('proof_audit');
