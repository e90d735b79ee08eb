-- Subscriptions (GS CIM 009 §5.2.12) to entities and to context sources, and the notifications that
-- are on their way. `doc` is what the subscriber sent, `names` the IRIs of the names in it.
CREATE TABLE hub_subscription (
  city text COLLATE "C" NOT NULL,
  sub_no int GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('entities', 'sources')),
  uri text COLLATE "C" NOT NULL,
  doc jsonb NOT NULL,
  names jsonb NOT NULL,
  context jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  modified_at timestamptz NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (city, sub_no),
  UNIQUE (city, kind, uri)
);

-- One row a city that ever had a subscription. Its lock puts those who change subscriptions in line,
-- so that what is committed under a version is all there is up to it; matching compares one number.
CREATE TABLE hub_subscription_version (
  city text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  lineage uuid NOT NULL DEFAULT gen_random_uuid()
);

-- What has become of a subscription's notifications: written by the sender alone, many at a time.
CREATE TABLE hub_subscription_state (
  city text COLLATE "C" NOT NULL,
  sub_no int NOT NULL,
  times_sent bigint NOT NULL DEFAULT 0,
  times_failed bigint NOT NULL DEFAULT 0,
  failing boolean NOT NULL DEFAULT false,
  last_notification timestamptz,
  last_success timestamptz,
  last_failure timestamptz,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (city, sub_no),
  FOREIGN KEY (city, sub_no) REFERENCES hub_subscription ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Notifications to be sent, in the transaction that caused them. A row is one transaction's entities
-- for one subscription; it goes when the receiver has answered.
CREATE TABLE hub_outbox (
  city text COLLATE "C" NOT NULL,
  outbox_id bigint GENERATED ALWAYS AS IDENTITY,
  sub_no int NOT NULL,
  notification_id uuid NOT NULL,
  at timestamptz NOT NULL,
  reason text NOT NULL DEFAULT '',
  entries jsonb NOT NULL,
  PRIMARY KEY (city, outbox_id)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
        autovacuum_analyze_threshold = 5000);
CREATE INDEX hub_outbox_order ON hub_outbox (outbox_id);
CREATE INDEX hub_outbox_subscription ON hub_outbox (city, sub_no, outbox_id);

SELECT onsil_tenant('hub_subscription');
SELECT onsil_tenant('hub_subscription_version');
SELECT onsil_tenant('hub_subscription_state');
SELECT onsil_tenant('hub_outbox');
