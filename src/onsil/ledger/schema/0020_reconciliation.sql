-- Files of banks and card networks beside the books: what was brought in, what was matched, and why.
-- An imported file, its bytes as they came. One content is taken once for an account.
CREATE TABLE reconciliation_file (
  city text NOT NULL,
  id uuid NOT NULL,
  account text NOT NULL,
  format text NOT NULL,
  name text NOT NULL,
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  content bytea NOT NULL,
  lines int NOT NULL CHECK (lines >= 0),
  fresh int NOT NULL CHECK (fresh BETWEEN 0 AND lines),
  first_day date,
  last_day date,
  simulated boolean NOT NULL,
  imported_by text NOT NULL,
  imported_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, account, sha256)
);
SELECT onsil_append_only('reconciliation_file');

-- What the bank says is in the account at the end of a day.
CREATE TABLE reconciliation_balance (
  city text NOT NULL,
  account text NOT NULL,
  day date NOT NULL,
  file_id uuid NOT NULL,
  balance bigint NOT NULL,
  PRIMARY KEY (city, account, day, file_id)
);
SELECT onsil_append_only('reconciliation_balance');

-- Days for which a file was brought in, even when nothing happened on them.
CREATE TABLE reconciliation_day (
  city text NOT NULL,
  account text NOT NULL,
  day date NOT NULL,
  file_id uuid NOT NULL,
  PRIMARY KEY (city, account, day, file_id)
);
SELECT onsil_append_only('reconciliation_day');

-- Both sides, line by line: the bank's (`bank`) and the books' (`book`). Amounts as the bank sees
-- them: what comes in is above zero.
CREATE TABLE reconciliation_line (
  city text NOT NULL,
  id uuid NOT NULL,
  side text NOT NULL CHECK (side IN ('bank', 'book')),
  account text NOT NULL,
  key text NOT NULL,
  file_id uuid,
  number int NOT NULL,
  day date NOT NULL,
  at timestamptz NOT NULL,
  amount bigint NOT NULL CHECK (amount <> 0),
  balance bigint,
  reference text NOT NULL,
  text text NOT NULL,
  party text NOT NULL,
  kind text NOT NULL,
  origin_kind text NOT NULL,
  origin_id text NOT NULL,
  transfer_id uuid,
  reverses uuid,
  simulated boolean NOT NULL,
  recorded_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, side, account, key),
  CHECK ((side = 'bank') = (file_id IS NOT NULL)),
  CHECK ((side = 'book') = (transfer_id IS NOT NULL))
);
CREATE INDEX reconciliation_line_day ON reconciliation_line (city, account, side, day, id);
SELECT onsil_append_only('reconciliation_line');

-- A match: lines of one account that explain one another, by which rule or whose hand, and why.
CREATE TABLE reconciliation_match (
  city text NOT NULL,
  id uuid NOT NULL,
  account text NOT NULL,
  rule text NOT NULL,
  rules_from date,
  why_ko text NOT NULL,
  why_en text NOT NULL,
  bank_sum bigint NOT NULL,
  book_sum bigint NOT NULL,
  difference bigint NOT NULL,
  tolerance bigint NOT NULL CHECK (tolerance >= 0),
  correction uuid,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  CHECK (difference = bank_sum - book_sum),
  CHECK (abs(difference) <= tolerance)
);
SELECT onsil_append_only('reconciliation_match');

-- Which lines a match holds. A line is in one living match at most: the database says so.
CREATE TABLE reconciliation_matched (
  city text NOT NULL,
  match_id uuid NOT NULL,
  line_id uuid NOT NULL,
  live boolean NOT NULL DEFAULT true,
  PRIMARY KEY (city, match_id, line_id),
  FOREIGN KEY (city, match_id) REFERENCES reconciliation_match,
  FOREIGN KEY (city, line_id) REFERENCES reconciliation_line
);
CREATE UNIQUE INDEX reconciliation_matched_once ON reconciliation_matched (city, line_id) WHERE live;
SELECT onsil_append_only('reconciliation_matched');
GRANT UPDATE (live) ON reconciliation_matched TO onsil_app;

-- Matches that were taken back.
CREATE TABLE reconciliation_undone (
  city text NOT NULL,
  match_id uuid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  undone_by text NOT NULL,
  undone_at timestamptz NOT NULL,
  PRIMARY KEY (city, match_id),
  FOREIGN KEY (city, match_id) REFERENCES reconciliation_match
);
SELECT onsil_append_only('reconciliation_undone');

-- An act on exceptions that was asked for: done at once, or waiting for a second person.
CREATE TABLE reconciliation_proposal (
  city text NOT NULL,
  id uuid NOT NULL,
  account text NOT NULL,
  act text NOT NULL CHECK (act IN ('match', 'correct', 'undo')),
  lines uuid[] NOT NULL,
  match_id uuid,
  correction text NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  reason text NOT NULL CHECK (reason <> ''),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'done', 'declined')),
  decided_by text NOT NULL DEFAULT '',
  decided_at timestamptz,
  PRIMARY KEY (city, id),
  CHECK ((state = 'waiting') = (decided_at IS NULL))
);
SELECT onsil_tenant('reconciliation_proposal');
REVOKE DELETE, UPDATE ON reconciliation_proposal FROM onsil_app;
GRANT UPDATE (state, decided_by, decided_at, match_id) ON reconciliation_proposal TO onsil_app;

CREATE TABLE reconciliation_comment (
  city text NOT NULL,
  id uuid NOT NULL,
  line_id uuid NOT NULL,
  text text NOT NULL CHECK (text <> ''),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, line_id) REFERENCES reconciliation_line
);
SELECT onsil_append_only('reconciliation_comment');

-- Which bank lines another room has taken for itself (a charge's money has come), and what it said.
CREATE TABLE reconciliation_taken (
  city text NOT NULL,
  line_id uuid NOT NULL,
  receiver text NOT NULL,
  outcome text NOT NULL,
  note_ko text NOT NULL,
  note_en text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (city, line_id, receiver),
  FOREIGN KEY (city, line_id) REFERENCES reconciliation_line
);
SELECT onsil_append_only('reconciliation_taken');
