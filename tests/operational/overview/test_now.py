"""The part of the dashboard with its own refresh: what is happening, and what to do."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operational.actions import priority_actions
from operational.models import Alert, Report
from tests.operational.kpi_data import NOW, a_filled_project

NOW_PAGE = "/admin/operational/now/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


def now_page(admin_client):
    return admin_client.get(NOW_PAGE, headers={"HX-Request": "true"}).content.decode()


def test_it_says_when_all_is_well(admin_client):
    Alert.objects.create(kind="kpi", subject="churn_rate", checked_at=NOW)
    page = now_page(admin_client)
    assert "No active alerts." in page
    assert "Nothing needs doing right now." in page
    assert "No reports sent yet." in page


def test_before_the_first_check_it_does_not_say_that_no_alert_is_active(admin_client):
    Alert.objects.create(kind="health", subject="disk", checked_at=NOW)
    page = now_page(admin_client)
    assert "KPIs have not been checked yet." in page
    assert "No active alerts." not in page


def test_alerts_actions_and_the_last_report_link_to_their_pages(admin_client):
    a_filled_project()
    priority_actions.refresh(now=NOW)
    alert = Alert.objects.create(
        kind="kpi", subject="churn_rate", status="critical", firing="critical", fired_at=NOW
    )
    report = Report.objects.create(kind="daily", day=NOW.date(), made_at=NOW, content={})
    page = now_page(admin_client)
    assert f"/admin/operational/alerts/{alert.pk}/" in page
    assert f"/admin/operational/reports/{report.pk}/" in page
    assert "Bring people back in their first week" in page


def test_it_reads_roll_ups_and_few_rows(admin_client):
    a_filled_project()
    priority_actions.refresh(now=NOW)
    now_page(admin_client)
    with CaptureQueriesContext(connection) as queries:
        now_page(admin_client)
    assert len(queries) <= 31
    assert not [query["sql"] for query in queries if 'analytics_event"' in query["sql"]]


def test_anonymous_users_get_nothing(client):
    assert client.get(NOW_PAGE, headers={"HX-Request": "true"}).status_code == 401
