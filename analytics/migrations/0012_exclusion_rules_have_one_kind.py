from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0011_merges_say_who_undid_them"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exclusionrule",
            name="email_domain",
            field=models.CharField(blank=True, help_text="Such as example.com: excludes whoever has an e-mail address there, as property “email” or as distinct id. Subdomains need rules of their own.", max_length=253),
        ),
        migrations.AlterField(
            model_name="exclusionrule",
            name="property_name",
            field=models.CharField(blank=True, help_text="Such as is_staff: a property of the person", max_length=200),
        ),
        migrations.AlterField(
            model_name="exclusionrule",
            name="property_value",
            field=models.JSONField(blank=True, help_text="A text, a number, true or false", null=True),
        ),
        migrations.AddConstraint(
            model_name="exclusionrule",
            constraint=models.CheckConstraint(
                condition=Q(property_name="", property_value__isnull=True) & ~Q(email_domain="")
                | Q(email_domain="", property_value__isnull=False) & ~Q(property_name=""),
                name="exclusion_rule_of_one_kind",
                violation_error_message="Give either an e-mail domain, or the name of a property and its value.",
            ),
        ),
    ]
