-- Devices in the field: their keys, their certificates, how their sensors are calibrated, what was
-- asked of them, and what is wrong with them.

-- A device's tokens: the newest opens; an earlier one for as long as it was given.
CREATE TABLE devices_token (
  city text COLLATE "C" NOT NULL,
  token_id bigint GENERATED ALWAYS AS IDENTITY,
  device_id text COLLATE "C" NOT NULL,
  token_hash bytea NOT NULL,
  broker_hash text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (city, token_id),
  UNIQUE (token_hash),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
);
CREATE INDEX devices_token_device ON devices_token (city, device_id, token_id DESC);

INSERT INTO devices_token (city, device_id, token_hash, broker_hash, issued_at)
  SELECT city, device_id, token_hash, broker_hash, registered_at FROM devices_device;

ALTER TABLE devices_device
  DROP COLUMN token_hash,
  DROP COLUMN broker_hash,
  ADD COLUMN name text NOT NULL DEFAULT '',
  ADD COLUMN certificate_sha256 bytea CHECK (length(certificate_sha256) = 32),
  ADD COLUMN certificate_subject text,
  ADD COLUMN certificate_until timestamptz;
CREATE UNIQUE INDEX devices_device_certificate ON devices_device (certificate_sha256);
CREATE UNIQUE INDEX devices_device_subject ON devices_device (certificate_subject);

ALTER TABLE devices_seen
  ADD COLUMN firmware text NOT NULL DEFAULT '',
  ADD COLUMN battery_percent real CHECK (battery_percent BETWEEN 0 AND 100),
  ADD COLUMN battery_at timestamptz,
  ADD COLUMN online boolean,
  ADD COLUMN online_since timestamptz;

-- What a driver must remember between messages (a birth certificate's aliases, a pull's watermark).
CREATE TABLE devices_memory (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  memory jsonb NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (city, device_id)
) WITH (fillfactor = 60);

-- Devices that are asked (Modbus, REST): when next, and what went wrong the last time.
CREATE TABLE devices_collection (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  next_at timestamptz NOT NULL,
  failures int NOT NULL DEFAULT 0,
  succeeded_at timestamptz,
  fault_code text NOT NULL DEFAULT '',
  fault_ko text NOT NULL DEFAULT '',
  fault_en text NOT NULL DEFAULT '',
  PRIMARY KEY (city, device_id),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
) WITH (fillfactor = 60);

-- corrected = raw × scale + shift, for readings observed in [valid_from, valid_until).
CREATE TABLE devices_calibration (
  city text COLLATE "C" NOT NULL,
  calibration_id bigint GENERATED ALWAYS AS IDENTITY,
  device_id text COLLATE "C" NOT NULL,
  entity text COLLATE "C" NOT NULL,
  attribute text COLLATE "C" NOT NULL,
  unit text NOT NULL,
  scale numeric NOT NULL CHECK (scale > 0),
  shift numeric NOT NULL,
  valid_from timestamptz NOT NULL,
  valid_until timestamptz CHECK (valid_until > valid_from),
  certificate text NOT NULL DEFAULT '',
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  PRIMARY KEY (city, calibration_id),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE,
  EXCLUDE USING gist (city WITH =, device_id WITH =, entity WITH =, attribute WITH =,
                      tstzrange(valid_from, valid_until) WITH &&)
);

-- What the sensor itself said, beside the corrected point.
CREATE TABLE devices_raw (
  city text COLLATE "C" NOT NULL,
  calibration_id bigint NOT NULL,
  ts timestamptz NOT NULL,
  raw double precision NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (city, calibration_id, ts, raw)
);

-- What a long look at a series found (drift); short looks are taken when somebody asks.
CREATE TABLE devices_finding (
  city text COLLATE "C" NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  entity text COLLATE "C" NOT NULL,
  attribute text COLLATE "C" NOT NULL,
  since timestamptz NOT NULL,
  evidence jsonb NOT NULL,
  found_at timestamptz NOT NULL,
  PRIMARY KEY (city, device_id, entity, attribute),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
);

-- Orders to devices. `safe`: not an order of a person but the safe state after one went astray.
CREATE TABLE devices_command (
  city text COLLATE "C" NOT NULL,
  command_id uuid NOT NULL,
  device_id text COLLATE "C" NOT NULL,
  actuator text COLLATE "C" NOT NULL,
  value jsonb NOT NULL,
  safe boolean NOT NULL DEFAULT false,
  idempotency_key text COLLATE "C" NOT NULL,
  state text NOT NULL CHECK (state IN
    ('queued', 'sent', 'done', 'failed', 'expired', 'cancelled')),
  attempts int NOT NULL DEFAULT 0,
  attempts_max int NOT NULL CHECK (attempts_max > 0),
  retry_s int NOT NULL CHECK (retry_s > 0),
  made_by text NOT NULL,
  made_at timestamptz NOT NULL,
  expires_at timestamptz,
  due_at timestamptz NOT NULL,
  sent_at timestamptz,
  ended_at timestamptz,
  detail text NOT NULL DEFAULT '',
  PRIMARY KEY (city, command_id),
  UNIQUE (city, device_id, idempotency_key),
  FOREIGN KEY (city, device_id) REFERENCES devices_device ON DELETE CASCADE
);
-- Never two under way for one actuator, whatever the code does.
CREATE UNIQUE INDEX devices_command_under_way ON devices_command (city, device_id, actuator)
  WHERE state = 'sent';
CREATE INDEX devices_command_due ON devices_command (city, due_at) WHERE state IN ('queued', 'sent');
CREATE INDEX devices_command_device ON devices_command (city, device_id, made_at DESC);

SELECT onsil_tenant('devices_token');
SELECT onsil_tenant('devices_memory');
SELECT onsil_tenant('devices_collection');
SELECT onsil_tenant('devices_calibration');
SELECT onsil_append_only('devices_raw');
SELECT onsil_tenant('devices_finding');
SELECT onsil_tenant('devices_command');
