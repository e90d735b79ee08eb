-- What became of each checkpoint that was to be kept outside the operator's reach: a row a change
-- of state. What is sent is recorded before it is sent, so a crash neither loses nor repeats it.
CREATE TABLE proof_anchor (
  city text NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,
  place text NOT NULL,
  development boolean NOT NULL,
  year int NOT NULL,
  size bigint NOT NULL CHECK (size > 0),
  root bytea NOT NULL CHECK (length(root) = 32),
  state text NOT NULL CHECK (state IN ('sending', 'pending', 'confirmed', 'vanished', 'failed')),
  at timestamptz NOT NULL,
  receipt jsonb NOT NULL DEFAULT '{}',
  proof jsonb,
  problem jsonb,
  PRIMARY KEY (city, number)
);
CREATE INDEX proof_anchor_course ON proof_anchor (city, place, year, size, number);
SELECT onsil_append_only('proof_anchor');
