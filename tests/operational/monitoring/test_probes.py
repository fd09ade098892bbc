"""The probes for load balancers and supervisors."""

import pytest
from django.db import OperationalError, connection

from operational.monitoring import probes


def test_p35_the_process_lives_without_database_and_valkey(client, no_valkey):
    assert client.get("/livez").content == b"ok\n"  # and this test may not use a database


@pytest.mark.django_db
def test_it_is_ready_with_its_migrations(client, monkeypatch):
    monkeypatch.setattr(probes, "_applied", False)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_it_is_not_ready_while_a_migration_is_missing(client, monkeypatch):
    monkeypatch.setattr(probes, "_applied", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operational'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert b"python manage.py migrate" in answer.content


@pytest.mark.django_db
def test_it_is_not_ready_without_its_database(client, monkeypatch):
    def unavailable(*_, **__):
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", unavailable)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert b"is not responding" in answer.content
