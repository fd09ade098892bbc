"""Health checks of the database, this machine's clock, Valkey and the disk."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone
from redis.exceptions import RedisError

from common.calculations.health import Component, Health
from common.formatting import decimals, duration, percent

DISK_WARNING, DISK_CRITICAL = 0.15, 0.05  # free
CLOCK_WARNING = timedelta(seconds=5)


def database(_now: datetime) -> Iterator[Component]:
    """Query the database, and compare this machine's clock with the database's."""
    before = timezone.now()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), clock_timestamp()")
            version, database_time = cursor.fetchone()
    except (DatabaseError, psycopg.Error) as error:
        yield Component(
            "database",
            Health.CRITICAL,
            f"Not responding: {type(error).__name__}.",
            remedy="Check PostgreSQL and DATABASE_URL.",
        )
        return
    yield Component("database", Health.OK, f"PostgreSQL {version.split()[0]} is responding.")
    yield _clock(abs(database_time - before))


def _clock(difference: timedelta) -> Component:
    if difference <= CLOCK_WARNING:
        return Component("clock", Health.OK, "In sync with the database's clock.")
    detail = f"Differs from the database's clock by {duration(difference)}."
    return Component("clock", Health.WARNING, detail, remedy="Synchronize the clocks, e.g. by NTP.")


def valkey(_now: datetime) -> Iterator[Component]:
    try:
        cache.get("health")
    except RedisError as error:
        yield Component(
            "valkey",
            Health.CRITICAL,
            f"Not responding: {type(error).__name__}.",
            remedy="Check Valkey and REDIS_URL. Capture works without it; jobs wait.",
        )
        return
    yield Component("valkey", Health.OK, "Responding.")


def disk(_now: datetime) -> Iterator[Component]:
    """Check the disk of the embedded servers' data; without them, that of Plumbline itself."""
    data = settings.PLUMBLINE_DATA_DIR / "servers"  # may be a link to another disk
    usage = shutil.disk_usage(data if data.exists() else settings.BASE_DIR)
    free = usage.free / usage.total
    where = "in the data directory" if data.exists() else "on this machine"
    detail = f"{decimals(usage.free / 2**30, 1)} GiB free {where} ({percent(free, 0)})."
    if free >= DISK_WARNING:
        yield Component("disk", Health.OK, detail)
        return
    health = Health.CRITICAL if free < DISK_CRITICAL else Health.WARNING
    remedy = "Free up disk space, or drop the partitions of old months."
    yield Component("disk", health, detail, remedy=remedy)
