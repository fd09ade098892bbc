"""The test database: migrated once for all processes, reset quickly after each test.

Migrations run once, into a template that later runs and xdist's other workers copy. After a test
that commits, only the tables that it wrote to are emptied, and those that a new database fills
(content types, permissions, schedules, default plans and goals) get their first rows back; Django's
own flush truncates every table and fills them again from Python, which takes much longer.
"""

import hashlib
import inspect
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.test import TransactionTestCase

# Deleting a few rows is quicker than truncating. The lock waits for other connections'
# transactions, as TRUNCATE does. A table's size on disk is 0 until something is written to it.
PRISTINE = """
CREATE SCHEMA pristine;

CREATE TABLE pristine.all_tables AS
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r';

-- Returns false, and does nothing, where a table is missing: a test has dropped a partition.
CREATE FUNCTION pristine.restore() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text;
    size bigint;
    differs boolean;
BEGIN
    IF EXISTS (
        SELECT FROM pristine.all_tables WHERE to_regclass(format('public.%I', relname)) IS NULL
    ) THEN
        RETURN false;
    END IF;
    SET LOCAL session_replication_role = replica;  -- checks no foreign keys
    FOR name, size IN
        SELECT relname, pg_relation_size(oid) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
            AND to_regclass(format('pristine.%I', relname)) IS NULL
        ORDER BY relname
    LOOP
        EXECUTE format('LOCK TABLE public.%I', name);
        IF size > 1000000 THEN
            EXECUTE format('TRUNCATE public.%I CASCADE', name);
        ELSE
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN
        SELECT tablename FROM pg_tables
        WHERE schemaname = 'pristine' AND tablename <> 'all_tables'
    LOOP
        EXECUTE format('LOCK TABLE public.%I', name);
        EXECUTE format(
            'SELECT EXISTS ((SELECT t::text FROM public.%1$I t EXCEPT ALL TABLE pristine.%1$I)
                UNION ALL (TABLE pristine.%1$I EXCEPT ALL SELECT t::text FROM public.%1$I t))', name
        ) INTO differs;
        IF differs THEN
            EXECUTE format('DELETE FROM public.%I', name);
            EXECUTE format(
                'INSERT INTO public.%1$I SELECT (line::public.%1$I).* FROM pristine.%1$I', name
            );
        END IF;
    END LOOP;
    RETURN true;
END $$;

DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format(
                'CREATE TABLE pristine.%1$I AS SELECT t::text AS line FROM public.%1$I t', name
            );
        END IF;
    END LOOP;
END $$;
"""

# A process or thread that waits so long never ends: it fails, with the table's name, instead.
LOCK_TIMEOUT = "120s"

PREFIX = "plumbline_template_"


def remember_first_rows() -> None:
    """Save what a migrated database contains, if the user may switch off foreign keys."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        name = connection.settings_dict["NAME"]
        cursor.execute(f"ALTER DATABASE \"{name}\" SET lock_timeout TO '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if cursor.fetchone()[0]:
            cursor.execute(PRISTINE)


def restore_first_rows(_: TransactionTestCase | None = None) -> None:
    """Replace Django's `flush` after a test that commits.

    After a flush, which creates missing partitions, the first rows come back with their first ids;
    sequences that began at 1 would use these ids a second time.
    """
    if not _restored():
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
        _restored()


def _restored() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('pristine') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT pristine.restore()")
        return bool(cursor.fetchone()[0])


def use_template() -> None:
    """Have test databases copied from a template with this checkout's migrations.

    The template has tables only, as what `post_migrate` adds may change without a migration. It
    stays on the server for the next run.
    """
    name = _template_name()
    with connection._nodb_cursor() as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [PREFIX])  # until it is closed
        server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        existing = {row[0] for row in server.fetchall()}
        if name not in existing:
            for old in existing:
                server.execute(f'DROP DATABASE "{old}"')
            server.execute(f'CREATE DATABASE "{name}_unfinished"')
            _migrate(f"{name}_unfinished")
            server.execute(f'ALTER DATABASE "{name}_unfinished" RENAME TO "{name}"')
    connection.settings_dict["TEST"]["TEMPLATE"] = name


def _template_name() -> str:
    """Return a name that changes with every migration, libraries' included."""
    migrations = MigrationLoader(None).disk_migrations
    files = sorted(inspect.getfile(type(migration)) for migration in migrations.values())
    content = b"".join(Path(file).read_bytes() for file in files)
    return PREFIX + hashlib.sha256(content).hexdigest()[:12]


def _migrate(name: str) -> None:
    connection.close()
    configured = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    finally:
        connection.close()
        connection.settings_dict["NAME"] = configured
