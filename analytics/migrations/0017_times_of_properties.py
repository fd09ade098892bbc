from django.db import migrations, models

HELP = {
    "set_at": "When each property was set or removed, in microseconds; negative: set once",
    "proved_set_at": "The same of what is proved",
}


class Migration(migrations.Migration):
    dependencies = [("analytics", "0016_layer_group_properties")]

    operations = [
        migrations.AddField(
            model_name=model,
            name=name,
            field=models.JSONField(
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text=HELP[name],
            ),
        )
        for model in ("person", "group")
        for name in HELP
    ]
