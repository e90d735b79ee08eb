-- Multi-asset double entry. Amounts are integers of the smallest unit. The posting machine decides;
-- the constraints below only catch what must never get this far.
CREATE TABLE ledger_account (
  city text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  code text NOT NULL CHECK (code <> ''),
  asset text NOT NULL CHECK (asset <> ''),
  kind text NOT NULL,
  minimum bigint,
  maximum bigint,
  keeps_lots boolean NOT NULL,
  balance bigint NOT NULL DEFAULT 0,
  closed_at timestamptz,
  PRIMARY KEY (city, id),
  UNIQUE (city, code, asset),
  CONSTRAINT ledger_account_not_below_minimum CHECK (balance >= minimum),
  CONSTRAINT ledger_account_not_above_maximum CHECK (balance <= maximum),
  CONSTRAINT ledger_account_lots_not_negative CHECK (NOT keeps_lots OR balance >= 0)
) WITH (fillfactor = 70);
SELECT onsil_tenant('ledger_account');
REVOKE DELETE, UPDATE ON ledger_account FROM onsil_app;
GRANT UPDATE (balance, minimum, maximum, closed_at) ON ledger_account TO onsil_app;

-- Applied transfers. Ids ascend in the order of decision within a city.
CREATE TABLE ledger_transfer (
  city text NOT NULL,
  id uuid NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  kind text NOT NULL,
  effective_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  memo text NOT NULL,
  origin_kind text NOT NULL,
  origin_id text NOT NULL,
  reverses uuid,
  PRIMARY KEY (city, id),
  UNIQUE (city, key)
);
CREATE UNIQUE INDEX ledger_transfer_reversed_once ON ledger_transfer (city, reverses)
  WHERE reverses IS NOT NULL;
CREATE INDEX ledger_transfer_origin ON ledger_transfer (city, origin_kind, origin_id)
  WHERE origin_id <> '';
SELECT onsil_append_only('ledger_transfer');

-- What each transfer moved, with the balances right after.
CREATE TABLE ledger_leg (
  city text NOT NULL,
  transfer_id uuid NOT NULL,
  number smallint NOT NULL,
  source_id bigint NOT NULL,
  destination_id bigint NOT NULL CHECK (destination_id <> source_id),
  amount bigint NOT NULL CHECK (amount > 0),
  source_balance bigint NOT NULL,
  destination_balance bigint NOT NULL,
  PRIMARY KEY (city, transfer_id, number)
);
CREATE INDEX ledger_leg_source ON ledger_leg (city, source_id, transfer_id);
CREATE INDEX ledger_leg_destination ON ledger_leg (city, destination_id, transfer_id);
SELECT onsil_append_only('ledger_leg');

-- Value in an account that keeps lots, with the terms it carries.
CREATE TABLE ledger_lot (
  city text NOT NULL,
  id uuid NOT NULL,
  account_id bigint NOT NULL,
  transfer_id uuid NOT NULL,
  parent_id uuid,
  initial bigint NOT NULL CHECK (initial > 0),
  remaining bigint NOT NULL,
  live boolean NOT NULL DEFAULT true,
  fund text NOT NULL,
  expires_at timestamptz,
  merchant_rule text NOT NULL,
  refundable boolean NOT NULL,
  origin_kind text NOT NULL,
  origin_id text NOT NULL,
  PRIMARY KEY (city, id),
  CONSTRAINT ledger_lot_remaining CHECK (remaining BETWEEN 0 AND initial),
  CONSTRAINT ledger_lot_live CHECK (live = (remaining > 0))
) WITH (fillfactor = 80);
CREATE INDEX ledger_lot_live_of_account ON ledger_lot (city, account_id) WHERE live;
SELECT onsil_tenant('ledger_lot');
REVOKE DELETE, UPDATE ON ledger_lot FROM onsil_app;
GRANT UPDATE (remaining, live) ON ledger_lot TO onsil_app;

-- Which lot each piece of a leg was taken from, and which lot it became.
CREATE TABLE ledger_lot_move (
  city text NOT NULL,
  transfer_id uuid NOT NULL,
  leg smallint NOT NULL,
  piece int NOT NULL,
  taken uuid,
  made uuid,
  amount bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (city, transfer_id, leg, piece),
  CHECK (taken IS NOT NULL OR made IS NOT NULL)
);
CREATE INDEX ledger_lot_move_taken ON ledger_lot_move (city, taken) WHERE taken IS NOT NULL;
SELECT onsil_append_only('ledger_lot_move');

-- Requests that were taken in and wait for the posting writer.
CREATE TABLE ledger_intake (
  city text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL,
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  request text NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
SELECT onsil_tenant('ledger_intake');

-- Requests that were decided with a no. Their key stays used.
CREATE TABLE ledger_refusal (
  city text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
  code text NOT NULL,
  ko text NOT NULL,
  en text NOT NULL,
  facts jsonb NOT NULL,
  decided_at timestamptz NOT NULL,
  PRIMARY KEY (city, key)
);
SELECT onsil_append_only('ledger_refusal');
