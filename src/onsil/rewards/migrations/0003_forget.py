from django.db import migrations

# Awards and their evidence are journals that nobody changes, but for the one act below: once an
# award's leaf has lost its salt on record, what says whose it was goes too. Evidence that another
# award still rests on waits for that one.
_FORGET = """
CREATE FUNCTION rewards_forget(of_city text, of_award uuid) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  nobody uuid := gen_random_uuid();
  of_decision uuid;
BEGIN
  IF onsil_sees(of_city) IS NOT TRUE THEN
    RAISE insufficient_privilege USING MESSAGE = format('this session does not see %s', of_city);
  END IF;
  IF NOT EXISTS (SELECT FROM proof_erased_salt
                 WHERE (city, kind, subject_id) = (of_city, 'award', of_award)) THEN
    RAISE insufficient_privilege USING MESSAGE = 'the leaf of this award has not been erased';
  END IF;
  UPDATE rewards_award SET person = nobody WHERE city = of_city AND id = of_award
    RETURNING decision_id INTO of_decision;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE rewards_decision SET person = nobody, facts = '{}', evidence_digest = ''
    WHERE city = of_city AND id = of_decision;
  UPDATE rewards_evidence e
    SET person = nobody, key = gen_random_uuid()::text, reference = '', facts = '{}',
      digest = repeat('0', 64)
    WHERE e.city = of_city
      AND EXISTS (SELECT FROM rewards_decisionevidence l
                  WHERE (l.city, l.evidence_id, l.decision_id) = (of_city, e.id, of_decision))
      AND NOT EXISTS (
        SELECT FROM rewards_decisionevidence l
        JOIN rewards_award a ON (a.city, a.decision_id) = (l.city, l.decision_id)
        WHERE (l.city, l.evidence_id) = (of_city, e.id)
          AND NOT EXISTS (SELECT FROM proof_erased_salt s
                          WHERE (s.city, s.kind, s.subject_id) = (l.city, 'award', a.id)));
  RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION rewards_forget(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewards_forget(text, uuid) TO onsil_app;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0002_journals"),
        ("proof_schema", "0002_packed_leaves"),
    ]
    operations = [migrations.RunSQL(_FORGET, "DROP FUNCTION rewards_forget(text, uuid)")]
