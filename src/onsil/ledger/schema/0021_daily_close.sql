-- A day that was closed: its figures as they were then, for ever.
CREATE TABLE daily_close (
  city text NOT NULL,
  day date NOT NULL,
  id uuid NOT NULL,
  figures jsonb NOT NULL,
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  override_reason text NOT NULL,
  closed_by text NOT NULL,
  approved_by text NOT NULL,
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (city, day),
  UNIQUE (city, id),
  CHECK ((override_reason = '') = (approved_by = '')),
  CHECK (approved_by <> closed_by)
);
SELECT onsil_append_only('daily_close');

-- Somebody asks to close a day although not everything is in order; another decides.
CREATE TABLE daily_close_request (
  city text NOT NULL,
  id uuid NOT NULL,
  day date NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'done', 'declined')),
  decided_by text NOT NULL DEFAULT '',
  decided_at timestamptz,
  PRIMARY KEY (city, id)
);
CREATE UNIQUE INDEX daily_close_request_open ON daily_close_request (city, day)
  WHERE state = 'waiting';
SELECT onsil_tenant('daily_close_request');
REVOKE DELETE, UPDATE ON daily_close_request FROM onsil_app;
GRANT UPDATE (state, decided_by, decided_at) ON daily_close_request TO onsil_app;
