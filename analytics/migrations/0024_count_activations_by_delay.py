from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from analytics.models.activation_delay import ACTIVATION_DELAY, ActivationDelay

# What rebuild_rollups would count, so that installations need no rebuild.
COUNT = f"""
INSERT INTO analytics_counter (name, number, day, value)
SELECT 'activation_delay', {ACTIVATION_DELAY}, (signup_at AT TIME ZONE time_zone)::date, count(*)
FROM analytics_person CROSS JOIN analytics_rollupdefinition
WHERE NOT excluded AND has_profile AND {ACTIVATION_DELAY} BETWEEN 1 AND 16
GROUP BY 2, 3
"""
FORGET = "DELETE FROM analytics_counter WHERE name = 'activation_delay'"


class Migration(migrations.Migration):

    atomic = False  # persons stay writable meanwhile

    dependencies = [
        ('analytics', '0023_retry_rejected_events_by_workers'),
    ]

    operations = [
        migrations.AlterField(
            model_name='counter',
            name='name',
            field=models.CharField(choices=[('active_day', 'active_day'), ('active_week', 'active_week'), ('active_month', 'active_month'), ('trailing_7', 'trailing_7'), ('trailing_30', 'trailing_30'), ('month_new', 'month_new'), ('month_retained', 'month_retained'), ('month_resurrected', 'month_resurrected'), ('month_churned', 'month_churned'), ('signup', 'signup'), ('signup_retained', 'signup_retained'), ('signup_week', 'signup_week'), ('signup_week_retained', 'signup_week_retained'), ('activated', 'activated'), ('activated_quickly', 'activated_quickly'), ('activation_delay', 'activation_delay'), ('first_event', 'first_event'), ('first_event_retained', 'first_event_retained'), ('first_event_week', 'first_event_week'), ('first_event_week_retained', 'first_event_week_retained')], max_length=32),
        ),
        AddIndexConcurrently(
            model_name='person',
            index=models.Index(ActivationDelay(), models.F('signup_at'), include=('activated_at', 'excluded', 'has_profile'), name='person_by_activation_delay'),
        ),
        migrations.RunSQL(f"{FORGET}; {COUNT}", FORGET),
    ]
