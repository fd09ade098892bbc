from django.db import migrations, models

HELP = {
    "properties": "The values in effect: the proved one where there is one",
    "proved": "The proved values among the properties",
    "claimed": "Claims that contradict a proved value",
}


class Migration(migrations.Migration):
    dependencies = [("analytics", "0015_exclude_subdomains")]

    operations = [
        migrations.AddField(
            model_name="group",
            name=name,
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text=HELP[name],
            ),
        )
        for name in ("proved", "claimed")
    ] + [
        migrations.AlterField(
            model_name="group",
            name="properties",
            field=models.JSONField(default=dict, help_text=HELP["properties"]),
        ),
    ]
