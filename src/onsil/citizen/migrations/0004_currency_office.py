# Fees and subsidies in settlements; lists of policy money.

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import onsil.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("citizen", "0003_wallet"),
    ]

    operations = [
        migrations.CreateModel(
            name="PolicyGrant",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("city", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=120)),
                ("file_name", models.CharField(max_length=200)),
                ("digest", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("checked", "확인됨"),
                            ("asked", "승인 요청"),
                            ("returned", "반려됨"),
                            ("approved", "지급 중"),
                            ("paid", "지급됨"),
                            ("refused", "지급 안 됨"),
                        ],
                        default="checked",
                        max_length=10,
                    ),
                ),
                ("rows", models.PositiveIntegerField()),
                ("good", models.PositiveIntegerField()),
                ("total", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=120)),
                ("made_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="PolicyRow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=onsil.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("city", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("person", models.CharField(blank=True, max_length=254)),
                ("account", models.CharField(blank=True, max_length=120)),
                ("written_amount", models.CharField(blank=True, max_length=40)),
                ("amount", models.BigIntegerField(null=True)),
                ("fund", models.CharField(blank=True, max_length=40)),
                ("last_day", models.DateField(null=True)),
                ("merchant_rule", models.CharField(blank=True, max_length=40)),
                ("problem", models.CharField(blank=True, max_length=40)),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="settlementline",
            name="settlement_line_adds_up",
        ),
        migrations.AddField(
            model_name="settlementline",
            name="fee",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="settlementline",
            name="fee_class",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="settlementline",
            name="shop_cashback",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="settlementline",
            name="subsidy",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="settlementline",
            name="subsidy_key",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="settlementline",
            name="subsidy_transfer_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "net",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("gross"), "-", models.F("cancelled")
                                    ),
                                    "-",
                                    models.F("shop_cashback"),
                                ),
                                "-",
                                models.F("fee"),
                            ),
                            "+",
                            models.F("subsidy"),
                        ),
                    )
                ),
                name="settlement_line_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fee__gte", 0), ("subsidy__gte", 0), ("subsidy__lte", models.F("fee"))
                ),
                name="subsidy_within_the_fee",
            ),
        ),
        migrations.AddConstraint(
            model_name="policygrant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by", ""),
                    models.Q(("decided_by", models.F("made_by")), _negated=True),
                    _connector="OR",
                ),
                name="policy_grant_maker_is_not_approver",
            ),
        ),
        migrations.AddConstraint(
            model_name="policygrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("good__lte", models.F("rows"))),
                name="no_more_good_rows_than_rows",
            ),
        ),
        migrations.AddConstraint(
            model_name="policygrant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["asked", "approved", "paid"])),
                fields=("city", "digest"),
                name="one_grant_a_list",
            ),
        ),
        migrations.AddField(
            model_name="policyrow",
            name="grant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="listed",
                to="citizen.policygrant",
            ),
        ),
        migrations.AddConstraint(
            model_name="policyrow",
            constraint=models.UniqueConstraint(
                fields=("city", "grant", "number"), name="one_policy_row_a_number"
            ),
        ),
    ]
