-- Positions instead of lot rows: one journal row a leg, the live value of an account beside its
-- balance. What 0.1 wrote cannot be carried over: its lots have no positions.
DO $$
BEGIN
  IF EXISTS (SELECT FROM ledger_transfer) THEN
    RAISE EXCEPTION 'this database holds transfers of onsil 0.1, whose lots have no positions; they cannot be carried over'
      USING HINT = 'Start version 0.2 with a new data folder.';
  END IF;
END $$;

DROP TABLE ledger_transfer, ledger_leg, ledger_lot, ledger_lot_move, ledger_intake;

-- `held` and `coming` are set aside by pending transfers. `received` is all that ever came in, and
-- `purse` the live positions: [[terms, born, end, start, stop, ...], ...] in spending order.
ALTER TABLE ledger_account
  ADD held bigint NOT NULL DEFAULT 0,
  ADD coming bigint NOT NULL DEFAULT 0,
  ADD received bigint NOT NULL DEFAULT 0,
  ADD purse text NOT NULL DEFAULT '[]',
  DROP CONSTRAINT ledger_account_not_below_minimum,
  DROP CONSTRAINT ledger_account_not_above_maximum,
  ADD CONSTRAINT ledger_account_not_below_minimum CHECK (balance - held >= minimum),
  ADD CONSTRAINT ledger_account_not_above_maximum CHECK (balance + coming <= maximum),
  ADD CONSTRAINT ledger_account_set_aside CHECK (held >= 0 AND coming >= 0),
  ADD CONSTRAINT ledger_account_received CHECK (NOT keeps_lots OR received >= balance),
  SET (fillfactor = 50);
GRANT UPDATE (balance, held, coming, received, purse, minimum, maximum, closed_at)
  ON ledger_account TO onsil_app;

-- One row a city: who posts locks it, and what it says tells a writer whether somebody else did.
CREATE TABLE ledger_head (
  city text PRIMARY KEY,
  sequence bigint NOT NULL DEFAULT 0,
  last_id uuid,
  recorded_at timestamptz
);
SELECT onsil_tenant('ledger_head');
REVOKE DELETE ON ledger_head FROM onsil_app;

-- Terms that value carries, by small numbers. The origin of value is on the leg that issued it.
CREATE TABLE ledger_terms (
  city text NOT NULL,
  id bigint NOT NULL,
  fund text NOT NULL,
  expires_at timestamptz,
  merchant_rule text NOT NULL,
  refundable boolean NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE NULLS NOT DISTINCT (city, fund, expires_at, merchant_rule, refundable)
);
SELECT onsil_append_only('ledger_terms');

-- The journal: what each transfer moved, with the balances right after. Ids ascend in the order of
-- decision. Leg 0 carries what is said of the whole transfer. `pieces` is
-- [[terms, taken, made, amount], ...]; `phase` is 0 single, 1 pending, 2 post, 3 void, and only
-- 0 and 2 move value.
CREATE TABLE ledger_leg (
  city text NOT NULL,
  transfer_id uuid NOT NULL,
  number smallint NOT NULL,
  phase smallint NOT NULL CHECK (phase BETWEEN 0 AND 3),
  source_id bigint NOT NULL,
  destination_id bigint NOT NULL CHECK (destination_id <> source_id),
  amount bigint NOT NULL CHECK (amount > 0),
  source_balance bigint NOT NULL,
  destination_balance bigint NOT NULL,
  recorded_at timestamptz NOT NULL,
  effective_at timestamptz NOT NULL,
  pieces text NOT NULL,
  issued_kind text,
  issued_id text,
  key text COLLATE "C",
  fingerprint bytea CHECK (length(fingerprint) = 32),
  kind text,
  memo text,
  origin_kind text,
  origin_id text,
  reverses uuid,
  pending_id uuid,
  timeout_at timestamptz,
  PRIMARY KEY (city, transfer_id, number),
  CONSTRAINT ledger_leg_head
    CHECK ((number = 0) = (key IS NOT NULL) AND (key IS NULL) = (fingerprint IS NULL)
           AND (key IS NULL) = (kind IS NULL))
);
-- Accounts' ids and most keys are distinct without the city, and comparing them first is cheaper.
CREATE UNIQUE INDEX ledger_leg_key ON ledger_leg (key, city) WHERE number = 0;
CREATE INDEX ledger_leg_source ON ledger_leg (source_id, transfer_id) WHERE phase IN (0, 2);
CREATE INDEX ledger_leg_destination ON ledger_leg (destination_id, transfer_id)
  WHERE phase IN (0, 2);
CREATE UNIQUE INDEX ledger_leg_reversed_once ON ledger_leg (city, reverses)
  WHERE reverses IS NOT NULL;
CREATE UNIQUE INDEX ledger_leg_settled_once ON ledger_leg (city, pending_id)
  WHERE pending_id IS NOT NULL;
CREATE INDEX ledger_leg_origin ON ledger_leg (city, origin_kind, origin_id)
  WHERE origin_id <> '';
-- What counts at another time than about when it was recorded, for balances of the effective time.
CREATE INDEX ledger_leg_dated_source ON ledger_leg (source_id, effective_at)
  WHERE phase IN (0, 2)
    AND recorded_at - effective_at NOT BETWEEN interval '-1 minute' AND interval '1 minute';
CREATE INDEX ledger_leg_dated_destination ON ledger_leg (destination_id, effective_at)
  WHERE phase IN (0, 2)
    AND recorded_at - effective_at NOT BETWEEN interval '-1 minute' AND interval '1 minute';
SELECT onsil_append_only('ledger_leg');

-- Pending transfers: what they hold, exactly, and who settled them.
CREATE TABLE ledger_pending (
  city text NOT NULL,
  id uuid NOT NULL,
  timeout_at timestamptz,
  legs text NOT NULL,
  settled_by uuid,
  PRIMARY KEY (city, id)
);
CREATE INDEX ledger_pending_timeout ON ledger_pending (city, timeout_at)
  WHERE settled_by IS NULL AND timeout_at IS NOT NULL;
CREATE INDEX ledger_pending_open ON ledger_pending (city, id) WHERE settled_by IS NULL;
SELECT onsil_tenant('ledger_pending');
REVOKE DELETE, UPDATE ON ledger_pending FROM onsil_app;
GRANT UPDATE (settled_by) ON ledger_pending TO onsil_app;

-- Requests that were handed in and wait for the posting writer, one row a submission. Who waits
-- for the answers of a whole submission knows it by its token.
CREATE TABLE ledger_intake (
  city text NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  token uuid,
  size int NOT NULL CHECK (size > 0),
  keys text[] NOT NULL,
  requests text NOT NULL,
  PRIMARY KEY (city, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE ledger_intake ALTER keys SET STORAGE EXTERNAL, ALTER requests SET STORAGE EXTERNAL;
SELECT onsil_tenant('ledger_intake');

-- Requests to be handed in at a later time.
CREATE TABLE ledger_scheduled (
  city text NOT NULL,
  key text NOT NULL,
  due_at timestamptz NOT NULL,
  requests text NOT NULL,
  PRIMARY KEY (city, key)
);
CREATE INDEX ledger_scheduled_due ON ledger_scheduled (city, due_at);
SELECT onsil_tenant('ledger_scheduled');
