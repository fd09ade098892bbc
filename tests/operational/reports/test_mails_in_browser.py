"""Daily, weekly and alert mails, as a real mail server received them, in a real browser."""

import re

import pytest

from config.beat_schedule import create_missing_entries
from operational.actions import priority_actions
from operational.alerting import kpi_alerts
from operational.kpis import readings
from operational.messages import sending
from operational.models import Alert, KpiReading, ReportKind
from operational.reports import reports
from tests.operational.kpi_data import NOW, a_filled_project

pytestmark = [pytest.mark.django_db, pytest.mark.browser]


@pytest.fixture
def mails(mail_server, time_machine):
    """The HTML of each mail by its subject."""
    time_machine.move_to(NOW, tick=False)
    create_missing_entries()
    a_filled_project()
    readings.record_recent(now=NOW)
    KpiReading.objects.filter(kpi="d7_retention").update(value=0.10)
    measured, readings.record_readings = readings.record_readings, lambda **_: None
    try:
        kpi_alerts.check(now=NOW)
    finally:
        readings.record_readings = measured
    priority_actions.refresh(now=NOW)
    for kind in ReportKind:
        reports.send_now(kind, now=NOW)
    sending.send_due()
    assert Alert.objects.filter(firing="critical").exists()
    return {
        message["Subject"]: mail_server.html(number)
        for number, message in enumerate(mail_server.messages)
    }


@pytest.mark.parametrize("width", [390, 700])
def test_every_mail_fits_its_window_and_makes_no_requests(page, mails, width):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_viewport_size({"width": width, "height": 800})
    assert len(mails) == 3
    for subject, html in mails.items():
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, subject
        assert page.locator("h1").count() == 1
        assert not re.search(r"<(script|img|link|iframe)", html), subject
    assert requests == []


def test_styles_are_inline_since_many_mail_clients_drop_the_others(mails):
    for html in mails.values():
        body = html[html.index("<body") :]
        assert 'class="m-inside" style="padding: 24px;' in body.replace("24px ;", "24px;")
