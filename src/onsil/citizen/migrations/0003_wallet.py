# Charging, gifts, refunds, cashback, partial cancellations, shops' facts, and finding one another.

from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onsil.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("citizen", "0002_wallets_and_shops"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cashback",
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
                ("funder", models.CharField(max_length=60)),
                ("words_ko", models.CharField(max_length=120)),
                ("words_en", models.CharField(max_length=120)),
                ("percent", models.DecimalField(decimal_places=4, max_digits=7)),
                ("base", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("short", models.BigIntegerField(default=0)),
                ("returned", models.BigIntegerField(default=0)),
                ("base_returned", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="ChargeOrder",
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
                ("expires_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("open", "진행 중"),
                            ("done", "완료"),
                            ("given-up", "취소됨"),
                            ("lapsed", "기한 지남"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("outcome_key", models.CharField(blank=True, max_length=120)),
                ("outcome_transfer_id", models.UUIDField(blank=True, null=True)),
                ("outcome_at", models.DateTimeField(blank=True, null=True)),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("city", models.CharField(max_length=40)),
                ("amount", models.BigIntegerField()),
                ("reference", models.CharField(max_length=14)),
                ("month", models.CharField(max_length=7)),
                ("standing", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Deposit",
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
                ("bank_id", models.CharField(max_length=120)),
                ("amount", models.BigIntegerField()),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("depositor", models.CharField(blank=True, max_length=80)),
                ("booked_at", models.DateTimeField()),
                ("simulated", models.BooleanField(default=False)),
                (
                    "fate",
                    models.CharField(
                        choices=[
                            ("matched", "충전됨"),
                            ("exception", "확인 필요"),
                            ("assigned", "사람이 연결함"),
                            ("returned", "돌려줌"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason_code", models.CharField(blank=True, max_length=60)),
                ("reason_ko", models.TextField(blank=True)),
                ("reason_en", models.TextField(blank=True)),
                ("seen_to_by", models.CharField(blank=True, max_length=120)),
                ("seen_to_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Gift",
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
                ("expires_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("open", "진행 중"),
                            ("done", "완료"),
                            ("given-up", "취소됨"),
                            ("lapsed", "기한 지남"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("outcome_key", models.CharField(blank=True, max_length=120)),
                ("outcome_transfer_id", models.UUIDField(blank=True, null=True)),
                ("outcome_at", models.DateTimeField(blank=True, null=True)),
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("city", models.CharField(max_length=40)),
                ("amount", models.BigIntegerField()),
                ("words", models.CharField(blank=True, max_length=80)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("accepted", "받음"),
                            ("declined", "거절함"),
                            ("withdrawn", "보낸 사람이 거둠"),
                            ("lapsed", "기한이 지나 돌아감"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Member",
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
                ("code", models.CharField(max_length=8)),
                ("phone_digest", models.CharField(blank=True, max_length=64)),
                ("phone_end", models.CharField(blank=True, max_length=4)),
                ("phone_confirmed_by", models.CharField(blank=True, max_length=120)),
                ("phone_confirmed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="MerchantFacts",
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
                ("valid_from", models.DateField()),
                ("yearly_sales_krw", models.BigIntegerField()),
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
                ("region", models.CharField(blank=True, max_length=40)),
                ("in_city", models.BooleanField(default=True)),
                ("tags", models.JSONField(default=list)),
                ("checked_on", models.DateField()),
                ("source", models.CharField(blank=True, max_length=300)),
                ("noted_by", models.CharField(max_length=120)),
                ("noted_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
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
                ("taken", models.BigIntegerField()),
                ("payout", models.BigIntegerField()),
                ("lines", models.JSONField(default=list)),
                ("bank", models.CharField(max_length=40)),
                ("holder", models.CharField(max_length=80)),
                ("account_sealed", models.TextField(blank=True)),
                ("account_end", models.CharField(max_length=4)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("asked", "확인 중"),
                            ("approved", "지급 대기"),
                            ("refused", "반려됨"),
                            ("paid", "지급함"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("seen_to_by", models.CharField(blank=True, max_length=120)),
                ("seen_to_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("payout_key", models.CharField(blank=True, max_length=120)),
                ("payout_transfer_id", models.UUIDField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="RefundFile",
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
                ("sealed", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("payouts", models.PositiveIntegerField()),
                ("total", models.BigIntegerField()),
                ("released_by", models.CharField(max_length=120)),
                ("released_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="cancellation",
            name="amount",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="merchant",
            name="cashback_percent",
            field=models.DecimalField(decimal_places=2, default=Decimal(0), max_digits=5),
        ),
        migrations.AddField(
            model_name="cancellation",
            name="rest_transfer_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="cancelled",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="payment",
            name="rewarded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="shop_cashback",
            field=models.BigIntegerField(default=0),
        ),
        migrations.RunSQL(
            """UPDATE citizen_cancellation c SET amount = p.amount
                 FROM citizen_payment p WHERE p.id = c.payment_id;
               UPDATE citizen_payment p SET cancelled = p.amount
                 FROM citizen_cancellation c WHERE c.payment_id = p.id AND c.state = 'applied';
               UPDATE citizen_payment SET rewarded_at = coalesce(decided_at, submitted_at)""",
            migrations.RunSQL.noop,
        ),
        # The rows just filled in are checked at once: what follows alters their table.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="cancellation",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cancellations",
                to="citizen.payment",
            ),
        ),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                condition=models.Q(("rewarded_at__isnull", True)),
                fields=["city", "state"],
                name="payments_to_reward",
            ),
        ),
        migrations.AddConstraint(
            model_name="cancellation",
            constraint=models.UniqueConstraint(
                fields=("city", "key"), name="one_cancellation_a_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="cancellation",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="cancellation_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("cancelled__gte", 0), ("cancelled__lte", models.F("amount"))),
                name="no_more_cancelled_than_paid",
            ),
        ),
        migrations.AddField(
            model_name="cashback",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cashbacks",
                to="citizen.payment",
            ),
        ),
        migrations.AddField(
            model_name="chargeorder",
            name="citizen",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="charges",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="deposit",
            name="order",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deposits",
                to="citizen.chargeorder",
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="giver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gifts_given",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="gift",
            name="receiver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="gifts_received",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="merchantfacts",
            name="merchant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="facts",
                to="citizen.merchant",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="citizen",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="file",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="refunds",
                to="citizen.refundfile",
            ),
        ),
        migrations.AddConstraint(
            model_name="cashback",
            constraint=models.UniqueConstraint(
                fields=("city", "payment", "funder"), name="one_cashback_a_payment_and_funder"
            ),
        ),
        migrations.AddConstraint(
            model_name="cashback",
            constraint=models.CheckConstraint(
                condition=models.Q(("returned__gte", 0), ("returned__lte", models.F("amount"))),
                name="no_more_returned_than_given",
            ),
        ),
        migrations.AddIndex(
            model_name="chargeorder",
            index=models.Index(
                condition=models.Q(("outcome", "open")),
                fields=["city", "expires_at"],
                name="open_charges",
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeorder",
            constraint=models.UniqueConstraint(fields=("city", "key"), name="one_charge_a_key"),
        ),
        migrations.AddConstraint(
            model_name="chargeorder",
            constraint=models.UniqueConstraint(
                fields=("city", "reference"), name="one_charge_a_reference"
            ),
        ),
        migrations.AddConstraint(
            model_name="chargeorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="charge_above_zero"
            ),
        ),
        migrations.AddIndex(
            model_name="deposit",
            index=models.Index(
                condition=models.Q(("fate", "exception")),
                fields=["city", "submitted_at"],
                name="deposits_to_see_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="deposit",
            constraint=models.UniqueConstraint(
                fields=("city", "bank_id"), name="one_deposit_a_bank_line"
            ),
        ),
        migrations.AddConstraint(
            model_name="deposit",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="deposit_above_zero"
            ),
        ),
        migrations.AddIndex(
            model_name="gift",
            index=models.Index(
                fields=["city", "receiver", "submitted_at"], name="gifts_of_a_receiver"
            ),
        ),
        migrations.AddIndex(
            model_name="gift",
            index=models.Index(
                condition=models.Q(("outcome", "open")),
                fields=["city", "expires_at"],
                name="open_gifts",
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.UniqueConstraint(fields=("city", "key"), name="one_gift_a_key"),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="gift_above_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="gift",
            constraint=models.CheckConstraint(
                condition=models.Q(("giver", models.F("receiver")), _negated=True),
                name="nobody_gives_to_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(fields=("city", "user"), name="one_member_a_city"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(fields=("city", "code"), name="one_member_a_code"),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                condition=models.Q(("phone_digest", ""), _negated=True),
                fields=("city", "phone_digest"),
                name="one_member_a_phone",
            ),
        ),
        migrations.AddConstraint(
            model_name="merchantfacts",
            constraint=models.UniqueConstraint(
                fields=("city", "merchant", "valid_from"), name="one_fact_sheet_a_shop_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="merchantfacts",
            constraint=models.CheckConstraint(
                condition=models.Q(("yearly_sales_krw__gte", 0)), name="sales_not_below_zero"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("stage__in", ("asked", "approved"))),
                fields=["city", "stage"],
                name="refunds_to_see_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(fields=("city", "key"), name="one_refund_a_key"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("payout__gt", 0)), name="refund_above_zero"
            ),
        ),
    ]
