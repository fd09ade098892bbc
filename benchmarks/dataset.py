"""Large event logs: inside PostgreSQL for reading, as a file for importing."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum

from analytics.calculations import company
from analytics.capture.capture import ensure_default_project_key
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from analytics.models import EventDay
from analytics.rollups import rebuild

FIRST_DAY = date(2025, 7, 1)
LAST_DAY = date(2026, 6, 30)  # the end of a month, so that it is complete
DAYS = (LAST_DAY - FIRST_DAY).days

# Sign-ups are spread evenly over the days; a person's events become rarer afterwards. One person
# in ten never activates.
_EVENTS = """
INSERT INTO analytics_event (person_id, timestamp, uuid, event, distinct_id, properties)
SELECT person, signup + CASE number
           WHEN 0 THEN interval '0'
           WHEN 1 THEN random() ^ 3 * interval '12 days'
           ELSE random() ^ 4 * (%(end)s::timestamptz - signup) END,
       gen_random_uuid(),
       CASE number
           WHEN 0 THEN 'signed_up'
           WHEN 1 THEN CASE person %% 10 WHEN 0 THEN 'used' ELSE 'workflow_created' END
           ELSE (ARRAY['used', 'viewed', 'workflow_run'])[number %% 3 + 1] END,
       'p' || person, '{"n": 1}'
FROM (SELECT person, number, %(start)s::timestamptz
          + (person * 7919 %% %(persons)s)::float8 / %(persons)s * %(days)s * interval '1 day'
          AS signup
      FROM generate_series(1, %(persons)s) AS person,
           generate_series(0, %(events)s / %(persons)s - 1) AS number) AS life
"""


def use_database(name: str) -> None:
    """Connect to a database of the benchmarks' own server, creating it if it is missing."""
    if connection.settings_dict["NAME"] == name:
        return
    connection.close()
    connection.settings_dict["NAME"] = "postgres"
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if cursor.rowcount == 0:
            cursor.execute(f"CREATE DATABASE {name}")
    connection.close()
    connection.settings_dict["NAME"] = name


def copy_database(name: str, copy: str) -> None:
    """Replace a database by a copy of another."""
    use_database("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {copy}")
        cursor.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")


def url(name: str) -> str:
    """Return the DATABASE_URL of a database of the benchmarks' own server."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def empty_database(name: str) -> str:
    """Connect to a database that contains only a project key; return its token."""
    use_database(name)
    call_command("migrate", verbosity=0)
    empty()
    token: str = ensure_default_project_key().token
    return token


def empty() -> None:
    """Delete all data of analytics."""
    tables = ", ".join(
        model._meta.db_table for model in apps.get_app_config("analytics").get_models()
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


def fill(*, events: int, persons: int) -> None:
    """Store `events` events of `persons` persons, unless they are there already."""
    call_command("migrate", verbosity=0)
    if EventDay.objects.aggregate(Sum("value"))["value__sum"] == events:
        return
    empty()
    start = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    parameters = {
        "start": start,
        "end": start + timedelta(DAYS + 1),
        "days": DAYS,
        "persons": persons,
        "events": events,
    }
    with transaction.atomic():
        cursor = psycopg.ClientCursor(connection.connection)
        lock_and_ensure_partitions(
            cursor, {month_of(start + timedelta(day)) for day in range(DAYS + 32)}
        )
        cursor.execute(
            "INSERT INTO analytics_person (id, excluded, is_demo, properties)"
            " SELECT id, false, false, '{}' FROM generate_series(1, %(persons)s) AS id",
            parameters,
        )
        cursor.execute(_EVENTS, parameters)
    rebuild.rebuild()
    with connection.cursor() as cursor:
        # Raw SQL gets the index that suits it.
        cursor.execute(
            "CREATE INDEX IF NOT EXISTS benchmark ON analytics_event (event, timestamp, person_id)"
        )
        cursor.execute("VACUUM (ANALYZE)")


def write_file(path: Path, *, events: int) -> int:
    """Write at least `events` events of a made-up company as JSON Lines; return their number."""
    until = datetime.combine(LAST_DAY, datetime.min.time(), UTC)
    persons = events // 25
    written = 0
    with path.open("wb") as file:
        for event in company.events(persons=persons, days=180, until=until, seed=1):
            file.write(msgspec.json.encode(event) + b"\n")
            written += 1
    return written
