"""Probes for load balancers and supervisors: /livez and /readyz."""

from http import HTTPStatus

import psycopg
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.formatting import counted

_applied = False  # not checked again: no one reverts migrations under a running process


@never_cache
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Return 200 while the process runs, whatever else is unavailable (P35)."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Return 200 if the database responds and has every migration, else 503 and the reason."""
    problem = _problem()
    status = HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK
    return HttpResponse(f"{problem or 'ok'}\n", status=status, content_type="text/plain")


def _problem() -> str:
    global _applied  # noqa: PLW0603
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _applied:
            executor = MigrationExecutor(connection)
            plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
            if plan:
                return f"Missing: {counted(len(plan), 'migration')}. Run: python manage.py migrate"
            _applied = True
    except (DatabaseError, psycopg.Error) as error:
        return f"The database is not responding: {type(error).__name__}"
    return ""
