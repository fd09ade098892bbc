"""Staff read alerts, acknowledge and silence them, and try out new thresholds."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User

from operational.kpis import readings
from operational.messages import sending
from operational.models import Alert, AlertChannel, Delivery, KpiReading
from tests.names import Names
from tests.operational.kpi_data import AS_OF, NOW

pytestmark = pytest.mark.django_db
ALERTS = "/admin/operational/alerts/"


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def firing():
    return Alert.objects.create(
        kind="kpi", subject="churn_rate", status="critical", firing="critical", episode=1,
        fired_at=NOW, since=NOW, latest="12.0 %",
    )  # fmt: skip


def page(client, path=ALERTS):
    return client.get(path).content.decode()


def follow(client, path, **data):
    return client.post(path, data, follow=True).content.decode()


def test_before_the_first_check_the_page_says_what_to_set_up(admin_client):
    html = page(admin_client)
    assert "KPIs are not checked yet." in html
    assert "Not checked yet." in html
    assert "No one is notified of alerts." in html


def test_checking_now_reports_the_result(admin_client):
    assert "Checked. Nothing changed." in follow(admin_client, f"{ALERTS}check/")
    assert Alert.objects.count() == 8


def test_a_firing_alert_can_be_acknowledged(admin_client, firing):
    path = f"{ALERTS}{firing.pk}/"
    assert "Acknowledged by admin." in follow(admin_client, f"{path}acknowledge/")
    firing.refresh_from_db()
    assert firing.acknowledged


def test_a_silence_needs_a_reason_and_can_be_ended(admin_client, firing):
    path = f"{ALERTS}{firing.pk}/silence/"
    assert "Reason: This field is required." in follow(admin_client, path, hours="24")
    assert "Silenced for 1 day." in follow(admin_client, path, hours="24", reason="we know")
    firing.refresh_from_db()
    assert firing.silenced_until == NOW + timedelta(days=1)
    assert "Silence ended." in follow(admin_client, path)


def test_the_policy_cannot_need_more_breaches_than_readings(admin_client, firing):
    fields = {"policy-margin": "5", "policy-reminder_days": 0}
    path = f"{ALERTS}{firing.pk}/"
    html = follow(admin_client, path, **fields, **{"policy-needed": 3, "policy-window": 2})
    assert "M cannot be less than N." in html
    follow(admin_client, path, **fields, **{"policy-needed": 3, "policy-window": 5})
    firing.refresh_from_db()
    assert (firing.needed, firing.window, firing.margin) == (3, 5, 0.05)


def test_the_goal_form_backtests_a_threshold_before_it_is_saved(admin_client):
    readings.record_readings(days=[AS_OF - timedelta(days=i) for i in range(10)], now=NOW)
    KpiReading.objects.filter(kpi="churn_rate").update(value=0.06, status="ok")
    html = admin_client.post(
        "/admin/operational/kpis/churn_rate/try-goal/",
        {"target": "5", "weight": "10", "warning": "5.5", "critical": "10", "in_force": "1"},
    ).content.decode()
    assert "It would have fired once in 10 recorded days, for 9 days." in html
    html = admin_client.post(
        "/admin/operational/kpis/churn_rate/try-goal/",
        {"target": "5", "weight": "10", "warning": "6.5", "critical": "10", "in_force": "1"},
    ).content.decode()
    assert "It would not have fired in 10 recorded days." in html


def test_staff_without_the_permission_change_nothing(client, firing):
    ada = User.objects.create_user("ada", password="x", is_staff=True)
    ada.user_permissions.add(Permission.objects.get(codename="view_alert"))
    client.force_login(ada)
    assert "Acknowledge" not in page(client, f"{ALERTS}{firing.pk}/")
    for path in ("check/", "test/", f"{firing.pk}/acknowledge/", f"{firing.pk}/silence/"):
        assert client.post(ALERTS + path).status_code == 403


def test_a_test_goes_to_the_chosen_channel(admin_client, web_hook):
    channel = AlertChannel.objects.create(name="hook", url=f"json://{web_hook.address}/")
    html = follow(admin_client, f"{ALERTS}test/", channel=channel.pk)
    assert "Test queued for hook." in html
    sending.send_due()
    assert len(web_hook.posted) == 1


def test_a_test_to_an_address_that_is_not_configured_is_refused(admin_client):
    response = admin_client.post(f"{ALERTS}test/", {"email": "eve@example.com"})
    assert response.status_code == 404
    assert not Delivery.objects.exists()


ADD_CHANNEL = "/admin/operational/alertchannel/add/"
CHANNEL = {"name": "hook", "enabled": "on"}


def test_a_channel_is_saved_only_with_a_valid_address_which_is_never_displayed(
    admin_client, monkeypatch
):
    names = Names(monkeypatch)
    names["hooks.example.com"] = "93.184.216.34"
    html = follow(admin_client, ADD_CHANNEL, **CHANNEL, url="nonsense")
    assert "This is not a valid Apprise URL." in html
    follow(admin_client, ADD_CHANNEL, **CHANNEL, url="jsons://hooks.example.com/hunter2")
    channel = AlertChannel.objects.get()
    change = f"/admin/operational/alertchannel/{channel.pk}/change/"
    assert "hunter2" not in page(admin_client, change)
    names["hooks.example.com"] = "10.0.0.1"
    follow(admin_client, change, name="renamed", url="")  # not checked again, so it can be disabled
    channel.refresh_from_db()
    assert (channel.name, channel.enabled) == ("renamed", False)
    assert channel.url == "jsons://hooks.example.com/hunter2"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("jsons://internal.example.com/", "The address is not public."),
        ("jsons://2130706433/", "The address is not public."),
        ("gotifys://10.0.0.1/token", "The address is not public."),
        ("json://hooks.example.com/", "Without TLS, messages are sent only to networks in"),
        ("jsons://nowhere.invalid/", "The host name does not resolve."),
        ("syslog://", "Plumbline does not send to syslog:// addresses"),
        ("mailto://ada:x@example.com", "Plumbline does not send to mailto:// addresses"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711?template=/etc/passwd", "Remove template from"),
    ],
)
def test_s10_a_channel_that_the_guard_refuses_is_not_saved(admin_client, monkeypatch, url, problem):
    names = Names(monkeypatch)
    names["internal.example.com"], names["hooks.example.com"] = "10.0.0.1", "93.184.216.34"
    assert problem in follow(admin_client, ADD_CHANNEL, **CHANNEL, url=url)
    assert not AlertChannel.objects.exists()


def test_the_health_page_lists_every_component(admin_client):
    html = page(admin_client, "/admin/operational/system-health/")
    for component in ("Database", "Valkey", "Worker", "Watchdog", "Disk"):
        assert component in html
