-- A renewable energy certificate serves one company's year: the use of a claim by an inventory, of
-- which the database allows one a claim, and of claims of certificates alone.

CREATE UNIQUE INDEX footprint_certificate_once ON footprint_claim_use (city, claim_id)
  WHERE kind = 'rec-retirement';

CREATE FUNCTION footprint_certificate_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM footprint_claim c WHERE c.city = NEW.city AND c.id = NEW.claim_id
                 AND footprint_programme_kind(c.programme) = 'rec') THEN
    RAISE EXCEPTION 'only a certificate can be retired for an inventory'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_certificate_fits';
  END IF;
  IF NOT EXISTS (SELECT FROM footprint_inventory i WHERE i.city = NEW.city
                 AND i.id::text = NEW.subject AND i.kind = 'company') THEN
    RAISE EXCEPTION 'a certificate is retired for a company''s inventory'
      USING ERRCODE = '23514', CONSTRAINT = 'footprint_certificate_fits';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER footprint_certificate_fits BEFORE INSERT ON footprint_claim_use
  FOR EACH ROW WHEN (NEW.kind = 'rec-retirement') EXECUTE FUNCTION footprint_certificate_fits();
