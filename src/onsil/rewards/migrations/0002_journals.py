from django.db import migrations

# Evidence, decisions and awards are journals: the application adds rows and never changes one.
_JOURNALS = """
SELECT onsil_append_only('rewards_evidence');
SELECT onsil_append_only('rewards_decision');
SELECT onsil_append_only('rewards_decisionevidence');
SELECT onsil_append_only('rewards_award');
SELECT onsil_append_only('rewards_budgetfunding');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rewards", "0001_initial"),
        ("core_schema", "0001_tenancy"),
    ]
    operations = [migrations.RunSQL(_JOURNALS, migrations.RunSQL.noop)]
