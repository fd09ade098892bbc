from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0005_identity'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExclusionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('email_domain', models.CharField(blank=True, help_text='Such as example.com; subdomains have a rule each', max_length=200)),
                ('property_name', models.CharField(blank=True, max_length=200)),
                ('property_value', models.JSONField(blank=True, help_text='As JSON: true, 1 or &quot;text&quot;', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name='person',
            name='excluded_by_hand',
            field=models.BooleanField(blank=True, help_text='What somebody decided; empty: the exclusion rules decide', null=True),
        ),
    ]
