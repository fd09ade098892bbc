from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0014_ledger_counts_changed_events")]

    operations = [
        migrations.AddField(
            model_name="exclusionrule",
            name="with_subdomains",
            field=models.BooleanField(
                "subdomains too",
                db_default=False,
                default=False,
                help_text="Also excludes addresses such as ada@eu.example.com.",
            ),
        ),
        migrations.AlterField(
            model_name="exclusionrule",
            name="email_domain",
            field=models.CharField(
                blank=True,
                help_text="For example example.com: excludes persons with an e-mail address at it, as"
                " property “email” or as distinct id.",
                max_length=253,
            ),
        ),
        migrations.AlterField(
            model_name="exclusionrule",
            name="property_value",
            field=models.JSONField(
                blank=True,
                help_text="A text in any case, a number, true or false: true also matches “True” and 1.",
                null=True,
            ),
        ),
    ]
