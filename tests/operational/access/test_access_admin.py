import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "auth/user/",
        "auth/user/add/",
        "auth/group/",
        "auth/group/add/",
        "django_celery_beat/clockedschedule/add/",
        "django_celery_beat/crontabschedule/add/",
        "django_celery_beat/intervalschedule/add/",
        "django_celery_beat/periodictask/",
        "django_celery_beat/periodictask/add/",
        "operational/apitoken/",
        "operational/apitoken/add/",
        "operational/loginlimit/",
    ],
)
def test_an_admin_page_opens(admin_client, path):
    assert admin_client.get(f"/admin/{path}").status_code == 200


def test_the_actions_of_a_list_are_not_a_page_of_their_own(admin_client):
    """Templates named like the admin's, such as admin/<app>/actions.html, replace them."""
    assert admin_client.get("/admin/operational/apitoken/").content.count(b"<html") == 1


def test_a_user_can_be_opened_and_their_password_set(admin_client, admin_user):
    for page in ("change", "password"):
        assert admin_client.get(f"/admin/auth/user/{admin_user.pk}/{page}/").status_code == 200


def test_a_job_can_be_switched_off_by_its_form(admin_client):
    task = PeriodicTask.objects.get(task="operational.tasks.record_kpi_readings")
    page = admin_client.get(f"/admin/django_celery_beat/periodictask/{task.pk}/change/")
    data = {
        name: value
        for name, value in page.context["adminform"].form.initial.items()
        if value is not None and name != "enabled"
    }
    admin_client.post(
        f"/admin/django_celery_beat/periodictask/{task.pk}/change/",
        data | {"start_time_0": "", "start_time_1": "", "expires_0": "", "expires_1": ""},
    )
    task.refresh_from_db()
    assert not task.enabled


def test_a_schedule_can_be_opened(admin_client):
    schedule = CrontabSchedule.objects.first()
    path = f"/admin/django_celery_beat/crontabschedule/{schedule.pk}/change/"
    assert admin_client.get(path).status_code == 200
