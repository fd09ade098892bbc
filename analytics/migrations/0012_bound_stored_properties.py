from django.db import migrations

# Of a layer that is beyond the bounds, the properties that fit stay, in order of their names. Only
# values that PostgreSQL stores apart from their row or compressed can be that large.
_BOUND = """
CREATE FUNCTION pg_temp.bounded(layer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM (
        SELECT key, value, row_number() OVER by_name AS names, sum(size) OVER by_name AS total
        FROM (
            SELECT key, value,
                octet_length(to_json(key)::text) + octet_length(value::text) + 2 AS size
            FROM jsonb_each(layer)
        ) AS sized
        WHERE size <= 64 * 1024 WINDOW by_name AS (ORDER BY key COLLATE "C")
    ) AS fitting
    WHERE names <= 1000 AND total <= 512 * 1024
$$;
CREATE FUNCTION pg_temp.without(layer jsonb, names jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT layer - ARRAY(SELECT jsonb_object_keys(names))
$$;

UPDATE analytics_person AS person SET
    properties = claims || new_proved,
    proved = new_proved,
    claimed = pg_temp.without(claims, pg_temp.without(claims, new_proved))
FROM (
    SELECT id, pg_temp.bounded(proved) AS new_proved,
        pg_temp.bounded(pg_temp.without(properties, proved) || claimed) AS claims
    FROM analytics_person
    WHERE pg_column_size(properties) + pg_column_size(claimed) > 2000
) AS layers
WHERE layers.id = person.id
    AND (properties, proved) IS DISTINCT FROM (claims || new_proved, new_proved);

UPDATE analytics_group SET properties = pg_temp.bounded(properties)
WHERE pg_column_size(properties) > 2000 AND properties <> pg_temp.bounded(properties);

-- Undoing a merge reads what it brought, no longer the whole person before.
UPDATE analytics_personmerge SET before = jsonb_set(before, '{person}',
    (before -> 'person') - '{properties,proved,claimed}'::text[] || jsonb_build_object(
        'taken_over', jsonb_build_object(
            'claims', ARRAY(
                SELECT jsonb_object_keys(pg_temp.without(
                    pg_temp.without(before #> '{other,properties}', before #> '{other,proved}')
                        || (before #> '{other,claimed}'),
                    pg_temp.without(before #> '{person,properties}', before #> '{person,proved}')
                        || (before #> '{person,claimed}')))),
            'proved', ARRAY(
                SELECT jsonb_object_keys(pg_temp.without(
                    before #> '{other,proved}', before #> '{person,proved}'))))))
WHERE result = 'merged' AND before #> '{person,claimed}' IS NOT NULL
    AND before #> '{other,claimed}' IS NOT NULL;

DROP FUNCTION pg_temp.bounded(jsonb);
DROP FUNCTION pg_temp.without(jsonb, jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0011_bounded_properties")]

    operations = [migrations.RunSQL(_BOUND, migrations.RunSQL.noop)]
