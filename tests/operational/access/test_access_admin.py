import pytest
from django.contrib.auth.models import User
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from knox.models import AuthToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(admin_user):
    return AuthToken.objects.create(admin_user)[0]


@pytest.mark.parametrize(
    "path",
    [
        "auth/user/",
        "auth/user/add/",
        "auth/group/",
        "auth/group/add/",
        "axes/accessattempt/",
        "axes/accesslog/",
        "axes/accessfailurelog/",
        "django_celery_beat/clockedschedule/add/",
        "django_celery_beat/crontabschedule/add/",
        "django_celery_beat/intervalschedule/add/",
        "django_celery_beat/periodictask/",
        "django_celery_beat/periodictask/add/",
        "django_celery_beat/solarschedule/add/",
        "knox/authtoken/",
    ],
)
def test_an_admin_page_opens(admin_client, path):
    assert admin_client.get(f"/admin/{path}").status_code == 200


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


def test_tokens_are_listed_by_user(admin_client, token):
    page = admin_client.get("/admin/knox/authtoken/").content.decode()
    assert token.token_key in page
    assert token.digest not in page.replace(f"/{token.digest}/", "").replace(
        f'"{token.digest}"', ""
    )


def test_a_token_can_neither_be_added_nor_changed(admin_client, token):
    assert admin_client.get("/admin/knox/authtoken/add/").status_code == 403
    path = f"/admin/knox/authtoken/{token.pk}/change/"
    assert admin_client.post(path, {"token_key": "other"}).status_code == 403


def test_deleting_a_token_revokes_it(admin_client, token):
    admin_client.post(
        "/admin/knox/authtoken/",
        {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"},
    )
    assert not AuthToken.objects.exists()


def test_staff_without_the_permission_see_no_tokens(client):
    client.force_login(User.objects.create(username="ada", is_staff=True))
    assert client.get("/admin/knox/authtoken/").status_code == 403
