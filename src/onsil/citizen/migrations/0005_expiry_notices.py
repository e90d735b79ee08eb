# That people were told of value that ends soon.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import onsil.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("citizen", "0004_currency_office"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExpiryNotice",
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
                ("fund", models.CharField(blank=True, max_length=80)),
                ("expires_at", models.DateTimeField()),
                ("days", models.PositiveIntegerField()),
                ("amount", models.BigIntegerField()),
                ("told_at", models.DateTimeField()),
                (
                    "citizen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("city", "citizen", "fund", "expires_at", "days"),
                        name="one_expiry_notice_a_day",
                    )
                ],
            },
        ),
    ]
