# People, shops, codes, payments and settlements.

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import onsil.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("citizen", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
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
                ("scope", models.CharField(max_length=40)),
                ("subject", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["city", "scope", "subject", "at"], name="attempts_of_a_guesser"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Merchant",
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
                ("name", models.CharField(max_length=80)),
                ("business_number", models.CharField(max_length=12)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("restaurant", "음식점"),
                            ("cafe", "카페"),
                            ("bakery", "제과점"),
                            ("grocery", "식료품·로컬푸드"),
                            ("market", "전통시장 점포"),
                            ("repair", "수리·수선"),
                            ("refill", "제로웨이스트·리필"),
                            ("books", "서점·문구"),
                            ("health", "약국·의원"),
                            ("service", "생활 서비스"),
                            ("large-store", "대형 마트·백화점"),
                            ("gambling", "사행 업종"),
                            ("adult", "유흥 업종"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=200)),
                ("yearly_sales_krw", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("applied", "심사 중"),
                            ("approved", "승인됨"),
                            ("refused", "반려됨"),
                            ("closed", "이용 중지"),
                        ],
                        default="applied",
                        max_length=10,
                    ),
                ),
                ("applied_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "applicant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("key", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "처리 중"),
                            ("applied", "완료"),
                            ("refused", "거절됨"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                ("amount", models.BigIntegerField()),
                ("confirmation", models.CharField(max_length=4)),
                (
                    "citizen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="citizen.merchant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Cancellation",
            fields=[
                ("key", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "처리 중"),
                            ("applied", "완료"),
                            ("refused", "거절됨"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cancellation",
                        to="citizen.payment",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PaymentCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("city", models.CharField(max_length=40)),
                (
                    "shown_by",
                    models.CharField(
                        choices=[("merchant", "merchant"), ("citizen", "citizen")], max_length=10
                    ),
                ),
                ("amount", models.BigIntegerField(null=True)),
                ("limit", models.BigIntegerField(null=True)),
                ("typed", models.CharField(max_length=8)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("cancelled_at", models.DateTimeField(null=True)),
                (
                    "citizen",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "merchant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizen.merchant",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="payment",
            name="code",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payment",
                to="citizen.paymentcode",
            ),
        ),
        migrations.CreateModel(
            name="ResidenceCode",
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
                ("digest", models.CharField(max_length=64)),
                ("district", models.CharField(blank=True, max_length=80)),
                ("uses_left", models.PositiveIntegerField(default=1)),
                ("issued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("city", "digest"), name="residence_code_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Residency",
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
                ("method", models.CharField(max_length=40)),
                ("district", models.CharField(blank=True, max_length=80)),
                ("verified_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="residencies",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Settlement",
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
                ("day", models.DateField()),
                ("pay_day", models.DateField()),
                ("content", models.BinaryField()),
                ("digest", models.CharField(max_length=64)),
                ("payments", models.PositiveIntegerField()),
                ("net", models.BigIntegerField()),
                ("made_by", models.CharField(max_length=120)),
                ("made_at", models.DateTimeField()),
                ("released_by", models.CharField(blank=True, max_length=120)),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("city", "day"), name="one_settlement_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_by", ""),
                            models.Q(("released_by", models.F("made_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="settlement_maker_is_not_releaser",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="payment",
            name="settlement",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sales",
                to="citizen.settlement",
            ),
        ),
        migrations.CreateModel(
            name="SettlementLine",
            fields=[
                ("key", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "처리 중"),
                            ("applied", "완료"),
                            ("refused", "거절됨"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                ("payments", models.PositiveIntegerField()),
                ("gross", models.BigIntegerField()),
                ("cancellations", models.PositiveIntegerField()),
                ("cancelled", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                ("payout_key", models.CharField(blank=True, max_length=120)),
                ("payout_transfer_id", models.UUIDField(blank=True, null=True)),
                (
                    "merchant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="citizen.merchant",
                    ),
                ),
                (
                    "settlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="citizen.settlement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                ("key", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "처리 중"),
                            ("applied", "완료"),
                            ("refused", "거절됨"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("transfer_id", models.UUIDField(blank=True, null=True)),
                ("refusal_code", models.CharField(blank=True, max_length=60)),
                ("refusal_ko", models.TextField(blank=True)),
                ("refusal_en", models.TextField(blank=True)),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("city", models.CharField(max_length=40)),
                ("points", models.BigIntegerField()),
                ("won", models.BigIntegerField()),
                (
                    "citizen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("city", "key"), name="one_conversion_a_key"),
                    models.CheckConstraint(
                        condition=models.Q(("points__gt", 0)), name="points_above_zero"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="merchant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "refused"), _negated=True),
                fields=("city", "business_number"),
                name="one_shop_a_business_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="merchant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("decided_by", models.F("applicant")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_approves_an_own_shop",
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentcode",
            constraint=models.UniqueConstraint(
                fields=("city", "typed"), name="one_code_a_spelling"
            ),
        ),
        migrations.AddConstraint(
            model_name="paymentcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__gt", 0),
                        ("citizen__isnull", True),
                        ("merchant__isnull", False),
                        ("shown_by", "merchant"),
                    ),
                    models.Q(
                        ("amount__isnull", True),
                        ("citizen__isnull", False),
                        ("limit__gt", 0),
                        ("merchant__isnull", True),
                        ("shown_by", "citizen"),
                    ),
                    _connector="OR",
                ),
                name="a_code_has_one_side",
            ),
        ),
        migrations.AddConstraint(
            model_name="residency",
            constraint=models.UniqueConstraint(
                fields=("city", "user"), name="one_residency_a_city"
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["city", "merchant", "submitted_at"], name="sales_of_a_shop"),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("state", "pending")),
                fields=["city", "state"],
                name="open_payments",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(fields=("city", "key"), name="one_payment_a_key"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payment_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.UniqueConstraint(
                fields=("city", "settlement", "merchant"), name="one_line_a_shop_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="settlementline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "net",
                        django.db.models.expressions.CombinedExpression(
                            models.F("gross"), "-", models.F("cancelled")
                        ),
                    )
                ),
                name="settlement_line_adds_up",
            ),
        ),
    ]
