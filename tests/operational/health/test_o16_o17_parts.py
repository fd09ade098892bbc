"""O16, O17: what counts as a problem of mail and disk, and parts that are not set up."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from operational.alerting import health_alerts
from operational.health import servers
from operational.health.system_health import system_health
from operational.messages import deliveries, sending
from operational.messages.deliveries import Message
from operational.models import Alert, AlertChannel, DeliveryKind
from tests.clocks import stopped

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def part(name, now=NOW):
    return next(part for part in system_health(now).components if part.name == name)


def checked_for(minutes=3):
    for minute in range(minutes):
        health_alerts.check(now=NOW + minute * MINUTE)


def test_o16_a_failed_test_mail_is_not_a_problem_and_a_failed_alert_is(mail_server):
    mail_server.refusal = "554 no thanks"
    deliveries.post_test("ada@example.com", now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert part("mail").health == "ok"
    message = Message("Subject", "Text")
    deliveries.post(DeliveryKind.ALERT, "key", message, to=["ada@example.com"], now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert part("mail").detail == "Messages that could not be sent: 1."


def test_o16_a_test_that_was_given_up_is_not_a_problem_either(mail_server):
    mail_server.refusal = "554 no thanks"
    deliveries.post_test("ada@example.com", now=NOW)
    sending.send_due(clock=stopped(NOW))
    sending.send_due(clock=stopped(NOW + timedelta(hours=1)))
    assert part("mail", NOW + timedelta(hours=1)).health == "ok"


@pytest.fixture
def disks(settings, tmp_path, monkeypatch):
    """A data directory on a full disk of its own; the code is on a disk with space."""
    settings.PLUMBLINE_DATA_DIR = tmp_path
    full = tmp_path / "full"
    full.mkdir()
    usages = {os.fspath(full): SimpleNamespace(total=100, free=1)}

    def disk_usage(path):
        return usages.get(os.path.realpath(path), SimpleNamespace(total=100, free=80))

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    return full


def test_o16_the_disk_that_is_checked_is_that_of_the_data(disks, tmp_path):
    (tmp_path / "servers").symlink_to(disks)
    (component,) = servers.disk(NOW)
    assert (component.health, "free in the data directory (1 %)" in component.detail) == (
        "critical",
        True,
    )


def test_o16_without_embedded_servers_the_disk_of_plumbline_is_checked(disks):
    (component,) = servers.disk(NOW)
    assert (component.health, "free on this machine (80 %)" in component.detail) == ("ok", True)


def test_o17_a_part_that_is_not_set_up_is_off_in_health_and_in_alerts(settings):
    settings.PLUMBLINE_EMAIL_FROM = ""
    checked_for()
    off = {part.name for part in system_health(NOW).components if part.health == "off"}
    assert "mail" in off
    assert set(Alert.objects.filter(status="off").values_list("subject", flat=True)) == off


def test_o17_a_broken_part_that_is_switched_off_resolves(settings, mail_server):
    mail_server.refusal = "554 no thanks"
    message = Message("Subject", "Text")
    deliveries.post(DeliveryKind.ALERT, "key", message, to=["ada@example.com"], now=NOW)
    sending.send_due(clock=stopped(NOW))
    checked_for()
    assert Alert.objects.get(subject="mail").firing == "warning"
    settings.PLUMBLINE_EMAIL_FROM = ""
    health_alerts.check(now=NOW + 10 * MINUTE)
    alert = Alert.objects.get(subject="mail")
    assert (alert.status, alert.firing) == ("off", "ok")


NO_ONE = "No one is notified of alerts."


@pytest.mark.parametrize(
    ("sender", "admins", "enabled", "expected"),
    [
        ("", [], None, True),
        ("", ["ada@x.example"], None, True),
        ("p@x.example", [], False, True),
        ("p@x.example", ["ada@x.example"], None, False),
        ("", [], True, False),
    ],
)
def test_o17_health_and_alerts_say_that_no_one_is_notified(
    settings, admin_client, sender, admins, enabled, expected
):
    settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL = sender, admins
    if enabled is not None:
        AlertChannel.objects.create(name="hook", url="json://127.0.0.1/", enabled=enabled)
    page = admin_client.get("/admin/operational/alerts/").content.decode()
    assert (NO_ONE in part("mail").detail, NO_ONE in page) == (expected, expected)
