"""PostgreSQL beyond Django."""

from datetime import UTC, datetime

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from analytics.models import ProjectKey
from common.postgres import Compiled, Prepared, bigint, is_storable, timestamptz

REVOKE = Prepared(
    "test_revoke", "UPDATE analytics_projectkey SET revoked_at = $1::timestamptz WHERE id = $2"
)
DIVIDE = Prepared("test_divide", "UPDATE analytics_projectkey SET daily_quota = 1 / $1::bigint")
SUM = Prepared(
    "test_sum",
    "SELECT name, count(*), NULL FROM unnest($1::text[]) AS name GROUP BY name ORDER BY name",
)
MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def revoke(key, moment):
    connection.ensure_connection()
    REVOKE.execute(connection.connection, [moment, bigint(key.pk)])
    key.refresh_from_db()
    return key.revoked_at


@pytest.mark.django_db(transaction=True)
def test_a_prepared_statement_is_committed_every_time():
    key = ProjectKey.objects.create(name="web")
    assert revoke(key, timestamptz(MOMENT)) == MOMENT
    connection.close()
    key.refresh_from_db()
    assert key.revoked_at == MOMENT
    assert revoke(key, None) is None


@pytest.mark.django_db(transaction=True)
def test_a_prepared_statement_is_part_of_the_surrounding_transaction():
    key = ProjectKey.objects.create(name="web")
    connection.close()
    with transaction.atomic():
        connection.ensure_connection()
        REVOKE.execute(connection.connection, [timestamptz(MOMENT), bigint(key.pk)])
        transaction.set_rollback(True)
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "rows"), [("{b,a,b}", [("a", 1, None), ("b", 2, None)]), ("{}", [])]
)
def test_a_prepared_statement_returns_its_rows_every_time(names, rows):
    connection.ensure_connection()
    assert [SUM.rows(connection.connection, [names]) for _ in range(2)] == [rows, rows]


@pytest.mark.django_db
def test_a_database_error_is_raised_as_by_psycopg():
    ProjectKey.objects.create(name="web")
    with pytest.raises(psycopg.errors.DivisionByZero), transaction.atomic():
        DIVIDE.execute(connection.connection, [bigint(0)])


@pytest.mark.parametrize(("text", "storable"), [("ä", True), ("a\0b", False), ("\ud800", False)])
def test_a_text_that_postgres_cannot_hold_is_not_storable(text, storable):
    assert is_storable(text) == storable


@pytest.mark.django_db
def test_a_compiled_query_reads_what_there_is_now_and_is_compiled_once(
    django_assert_num_queries, monkeypatch
):
    compiled = Compiled(lambda: Group.objects.order_by("name").values_list("name")[:2])
    Group.objects.all().delete()
    assert compiled.rows() == []
    Group.objects.create(name="b")
    monkeypatch.setattr(compiled, "_queryset", None)
    with django_assert_num_queries(1):
        assert compiled.rows() == [("b",)]
