-- The register of devices: who may send what, and how often something is expected.
CREATE TABLE devices_device (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL CHECK (device_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  driver text NOT NULL,
  model text NOT NULL DEFAULT '',
  entities text[] NOT NULL,
  interval_s int NOT NULL CHECK (interval_s > 0),
  simulated boolean NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  token_hash bytea NOT NULL,
  broker_hash text NOT NULL,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (city, device_id),
  UNIQUE (token_hash)
);

-- Apart from the register, as it changes with every batch.
CREATE TABLE devices_seen (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  last_seen timestamptz NOT NULL,
  messages bigint NOT NULL,
  refused bigint NOT NULL,
  PRIMARY KEY (city, device_id),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
) WITH (fillfactor = 60);

-- Answers given to messages that carried an id, so that a message sent again gets the same one.
CREATE TABLE devices_message (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  message_id text COLLATE "C" NOT NULL CHECK (length(message_id) BETWEEN 1 AND 200),
  digest bytea NOT NULL,
  received_at timestamptz NOT NULL,
  answer jsonb NOT NULL,
  PRIMARY KEY (city, device_id, message_id),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
);

SELECT onsil_tenant('devices_device');
SELECT onsil_tenant('devices_seen');
SELECT onsil_append_only('devices_message');
