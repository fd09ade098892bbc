from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0010_exclusions_by_events")]

    operations = [
        migrations.AddField(
            model_name=model,
            name="refused",
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="Why properties were not stored, by name",
            ),
        )
        for model in ("person", "group")
    ] + [
        migrations.AlterField(
            model_name="capturehour",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("accepted", "Accepted"),
                    ("stored", "Stored"),
                    ("duplicate", "Duplicate"),
                    ("rejected", "Rejected"),
                    ("erased", "Erased"),
                    ("refused", "Refused"),
                    ("trimmed", "Trimmed"),
                    ("limited", "Limited"),
                ],
                max_length=10,
            ),
        ),
    ]
