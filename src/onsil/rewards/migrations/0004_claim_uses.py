from django.db import migrations

# What is given for a claim stands against its release, by whatever way the row came: the claims'
# own trigger gives the claim its fate, or refuses. Evidence and awards of before are told too.
_USES = """
INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
SELECT e.city, e.claim_id, 'evidence', e.id::text, e.recorded_at
FROM rewards_evidence e
JOIN footprint_claim c ON c.city = e.city AND c.id = e.claim_id
WHERE NOT EXISTS (SELECT FROM footprint_claim_fate f
                  WHERE f.city = c.city AND f.claim_id = c.id AND f.fate <> 'given')
ON CONFLICT DO NOTHING;
INSERT INTO footprint_claim_use (city, claim_id, kind, subject, created_at)
SELECT DISTINCT a.city, e.claim_id, 'award', a.id::text, a.awarded_at
FROM rewards_award a
JOIN rewards_decisionevidence l
  ON l.city = a.city AND l.decision_id = a.decision_id AND l.counted
JOIN rewards_evidence e ON e.city = l.city AND e.id = l.evidence_id
JOIN footprint_claim_fate f
  ON f.city = e.city AND f.claim_id = e.claim_id AND f.fate = 'given'
ON CONFLICT DO NOTHING;
CREATE TRIGGER footprint_claim_usable BEFORE INSERT ON rewards_evidence
  FOR EACH ROW WHEN (NEW.claim_id IS NOT NULL) EXECUTE FUNCTION footprint_claim_usable();
CREATE TRIGGER footprint_claim_usable BEFORE INSERT ON rewards_award
  FOR EACH ROW WHEN (NEW.claim_id IS NOT NULL) EXECUTE FUNCTION footprint_claim_usable();
"""
_NO_MORE = """
DROP TRIGGER footprint_claim_usable ON rewards_award;
DROP TRIGGER footprint_claim_usable ON rewards_evidence;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0003_forget"),
        ("footprint_schema", "0011_claims_guard"),
    ]
    operations = [migrations.RunSQL(_USES, _NO_MORE)]
