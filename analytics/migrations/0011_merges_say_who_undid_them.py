from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0010_groups_have_ids"),
    ]

    operations = [
        migrations.AlterModelOptions(name="personmerge", options={"verbose_name": "merge"}),
        migrations.AddField(
            model_name="personmerge",
            name="undone_by",
            field=models.TextField(db_default="", help_text="Who did it in the admin"),
        ),
        migrations.AlterField(
            model_name="personmerge",
            name="result",
            field=models.CharField(choices=[("merged", "Merged"), ("undone", "Merged, and undone"), ("cannot_merge_already_identified", "Refused: already identified"), ("illegal_distinct_id", "Refused: the id identifies nobody")], max_length=40),
        ),
    ]
