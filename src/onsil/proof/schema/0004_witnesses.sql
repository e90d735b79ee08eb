-- What each witness last said about a log. The cosigned checkpoints themselves lie with the log.
CREATE TABLE proof_witness (
  city text NOT NULL,
  year int NOT NULL,
  vkey text NOT NULL,
  name text NOT NULL,
  size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
  cosigned_at timestamptz,
  asked_at timestamptz NOT NULL,
  -- A tree size that the witness has seen and that is not on record here: nothing is signed then.
  ahead bigint CHECK (ahead > 0),
  problem text NOT NULL DEFAULT '',
  PRIMARY KEY (city, year, vkey)
);
SELECT onsil_tenant('proof_witness');

-- Who has cosigned which checkpoint, and when: for the graph of growth.
CREATE TABLE proof_cosignature (
  city text NOT NULL,
  year int NOT NULL,
  size bigint NOT NULL,
  name text NOT NULL,
  key_id bytea NOT NULL CHECK (length(key_id) = 4),
  cosigned_at timestamptz NOT NULL,
  PRIMARY KEY (city, year, size, name, key_id)
);
SELECT onsil_append_only('proof_cosignature');
