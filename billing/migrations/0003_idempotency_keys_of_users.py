"""Idempotency keys belong to users. Requests are only kept for two days: they start again empty."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("analytics", "0004_mail_claims"),
        ("billing", "0002_mail_and_links"),
    ]

    operations = [
        migrations.DeleteModel("IdempotentRequest"),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(help_text="SHA-256 of path and body", max_length=64)),
                ("status", models.PositiveSmallIntegerField(help_text="Empty: still in progress", null=True)),
                ("answer", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "key"), name="one_request_per_user_and_idempotency_key"),
                ],
            },
        ),
        migrations.RemoveConstraint("usagereservation", "one_reservation_per_idempotency_key"),
        migrations.AddField(
            model_name="usagereservation",
            name="key_of",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name="usagereservation",
            constraint=models.UniqueConstraint(fields=("distinct_id", "meter", "key_of", "idempotency_key"), name="one_reservation_per_idempotency_key"),
        ),
    ]
