from django.db import migrations, models

RENAME = "UPDATE analytics_capturehour SET outcome = '{}' WHERE outcome = '{}'"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0013_describe_imports")]

    operations = [
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
                    ("changed", "Changed"),
                    ("limited", "Limited"),
                ],
                max_length=10,
            ),
        ),
        migrations.RunSQL(RENAME.format("changed", "trimmed"), RENAME.format("trimmed", "changed")),
    ]
