from django.db import migrations, models

# Room on each page for the next state of its rows, which then need no new entry in any index.
LEAVE_ROOM = "ALTER TABLE analytics_lastactiveblock SET (fillfactor = 50)"

TO_BLOCKS = """
INSERT INTO analytics_lastactiveblock (block, minutes)
SELECT block, string_agg(
    int4send(coalesce(floor(extract(epoch FROM at) / 60)::int, 0)), '' ORDER BY place
)
FROM (SELECT DISTINCT person_id / 128 AS block FROM analytics_lastactive) AS blocks
CROSS JOIN generate_series(0, 127) AS place
LEFT JOIN analytics_lastactive ON person_id = block * 128 + place
GROUP BY block
"""
TO_PERSONS = """
INSERT INTO analytics_lastactive (person_id, at)
SELECT block * 128 + place, to_timestamp(minute * 60)
FROM (
    SELECT block, place,
        ('x' || encode(substr(minutes, 4 * place + 1, 4), 'hex'))::bit(32)::bigint AS minute
    FROM analytics_lastactiveblock CROSS JOIN generate_series(0, 127) AS place
) AS active
WHERE minute > 0
"""


class Migration(migrations.Migration):
    """As long as it takes to read who was active in the last day."""

    dependencies = [("analytics", "0017_uuids_without_content_hash")]
    operations = [
        migrations.CreateModel(
            name="LastActiveBlock",
            fields=[
                (
                    "block",
                    models.BigIntegerField(
                        help_text="The persons' ids, divided by 128",
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "minutes",
                    models.BinaryField(
                        help_text="For each the minute since 1970 of their latest qualifying"
                        " event, if they count: 4 bytes, the highest first; 0: none"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(LEAVE_ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(TO_BLOCKS, TO_PERSONS),
        migrations.DeleteModel("LastActive"),
    ]
