-- Who gets what of a sale's won, and orders: asked, accepted, paid into escrow, settled or undone.

-- How the revenue of a project's units is shared, from a day on; the city's own rule where no
-- project is named. Proposed by one, in force when another has approved it.
CREATE TABLE footprint_revenue_rule (
  city text NOT NULL,
  id uuid NOT NULL,
  project_id uuid,
  starts_on date NOT NULL,
  shares jsonb NOT NULL CHECK (jsonb_typeof(shares) = 'array' AND jsonb_array_length(shares) > 0),
  reason text NOT NULL CHECK (reason <> ''),
  maker text NOT NULL,
  proposed_at timestamptz NOT NULL,
  checker text,
  approved_at timestamptz,
  PRIMARY KEY (city, id),
  FOREIGN KEY (city, project_id) REFERENCES footprint_project,
  CONSTRAINT footprint_revenue_two_people CHECK (checker IS NULL OR checker <> maker),
  CHECK ((checker IS NULL) = (approved_at IS NULL))
);
SELECT onsil_tenant('footprint_revenue_rule');
REVOKE DELETE ON footprint_revenue_rule FROM onsil_app;

CREATE FUNCTION footprint_revenue_rule_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.checker IS NOT NULL OR NEW.checker IS NULL
     OR (NEW.city, NEW.id, NEW.project_id, NEW.starts_on, NEW.shares, NEW.reason, NEW.maker,
         NEW.proposed_at)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.project_id, OLD.starts_on, OLD.shares, OLD.reason,
         OLD.maker, OLD.proposed_at) THEN
    RAISE EXCEPTION 'a proposed rule can only be approved, once' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_revenue_rule_step BEFORE UPDATE ON footprint_revenue_rule
  FOR EACH ROW EXECUTE FUNCTION footprint_revenue_rule_step();

-- The shares add up to the whole, and name accounts of funds or revenue alone.
CREATE FUNCTION footprint_revenue_rule_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum((one ->> 'bp')::int) FROM jsonb_array_elements(NEW.shares) one) <> 10000
     OR EXISTS (SELECT FROM jsonb_array_elements(NEW.shares) one
       WHERE (one ->> 'bp')::int <= 0 OR NOT (one ->> 'account') ~ '^(fund|revenue):[a-z0-9-]+$')
  THEN
    RAISE EXCEPTION 'the shares must add up to the whole' USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_revenue_rule_whole BEFORE INSERT ON footprint_revenue_rule
  FOR EACH ROW EXECUTE FUNCTION footprint_revenue_rule_whole();

-- offered → accepted → escrowed → settled; offered → declined; any unsettled → cancelled or lapsed.
CREATE TABLE footprint_order (
  city text NOT NULL,
  id uuid NOT NULL,
  listing_id uuid NOT NULL,
  batch_id uuid NOT NULL,
  buyer text NOT NULL CHECK (buyer <> ''),
  tonnes int NOT NULL CHECK (tonnes > 0),
  unit_price_krw bigint NOT NULL CHECK (unit_price_krw > 0),
  status text NOT NULL CHECK (status IN
    ('offered', 'accepted', 'escrowed', 'settled', 'declined', 'cancelled', 'lapsed')),
  key text NOT NULL,
  message text NOT NULL DEFAULT '',
  placed_by text NOT NULL,
  placed_at timestamptz NOT NULL,
  lapses_at timestamptz NOT NULL,
  accepted_by text,
  accepted_at timestamptz,
  escrow_transfer_id uuid,
  escrowed_at timestamptz,
  settled_by text,
  settled_at timestamptz,
  sale_id uuid,
  closed_by text,
  closed_at timestamptz,
  refund_transfer_id uuid,
  reason text NOT NULL DEFAULT '',
  PRIMARY KEY (city, id),
  UNIQUE (city, key),
  FOREIGN KEY (city, listing_id) REFERENCES footprint_listing,
  FOREIGN KEY (city, batch_id) REFERENCES footprint_batch,
  FOREIGN KEY (city, sale_id) REFERENCES footprint_sale,
  CHECK (lapses_at > placed_at),
  CONSTRAINT footprint_seller_is_not_buyer
    CHECK (accepted_by IS NULL OR accepted_by <> placed_by),
  CONSTRAINT footprint_settler_is_another
    CHECK (settled_by IS NULL OR (settled_by <> placed_by AND settled_by <> accepted_by)),
  CHECK (status NOT IN ('accepted', 'escrowed', 'settled') OR accepted_at IS NOT NULL),
  CHECK (status NOT IN ('escrowed', 'settled') OR escrow_transfer_id IS NOT NULL),
  CHECK ((status = 'settled') = (sale_id IS NOT NULL AND settled_by IS NOT NULL)),
  CHECK (status NOT IN ('declined', 'cancelled', 'lapsed') OR closed_at IS NOT NULL),
  CHECK (status NOT IN ('cancelled', 'lapsed') OR
    (escrow_transfer_id IS NULL) = (refund_transfer_id IS NULL))
);
SELECT onsil_tenant('footprint_order');
REVOKE DELETE ON footprint_order FROM onsil_app;
CREATE INDEX footprint_order_listing ON footprint_order (city, listing_id);

CREATE FUNCTION footprint_order_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.city, NEW.id, NEW.listing_id, NEW.batch_id, NEW.buyer, NEW.tonnes, NEW.unit_price_krw,
      NEW.key, NEW.placed_by, NEW.placed_at)
     IS DISTINCT FROM (OLD.city, OLD.id, OLD.listing_id, OLD.batch_id, OLD.buyer, OLD.tonnes,
      OLD.unit_price_krw, OLD.key, OLD.placed_by, OLD.placed_at) THEN
    RAISE EXCEPTION 'an order keeps its terms' USING ERRCODE = '23514';
  END IF;
  IF (OLD.status, NEW.status) NOT IN
     (('offered', 'accepted'), ('offered', 'declined'), ('offered', 'cancelled'),
      ('offered', 'lapsed'), ('accepted', 'escrowed'), ('accepted', 'cancelled'),
      ('accepted', 'lapsed'), ('escrowed', 'settled'), ('escrowed', 'cancelled'),
      ('escrowed', 'lapsed')) THEN
    RAISE EXCEPTION 'an order cannot go from % to %', OLD.status, NEW.status
      USING ERRCODE = '23514';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_order_step BEFORE UPDATE ON footprint_order
  FOR EACH ROW EXECUTE FUNCTION footprint_order_step();
