"""S09: the second factor of a colleague who lost it is reset."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from operational.access import second_factor
from tests.operational.access.second_factor import PASSWORD, opens, with_password

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    user = User.objects.create_user("manager", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def reset(logged_in, user):
    data = {"action": "reset_second_factor", "_selected_action": [user.pk]}
    return logged_in.post("/admin/auth/user/", data, follow=True)


def test_s09_staff_with_the_permission_reset_a_colleagues_second_factor(manager):
    grace = User.objects.create_user("grace", is_staff=True)
    TOTPDevice.objects.create(user=grace, name="x")
    reset(with_password("manager"), grace)
    assert not second_factor.has_second_factor(grace)
    entry = LogEntry.objects.get(object_id=str(grace.pk))
    assert (entry.user, entry.change_message) == (manager, "Reset the second factor.")


def test_s09_they_do_not_reset_an_administrators(manager, ada, app):
    reset(with_password("manager"), ada)
    assert second_factor.has_second_factor(ada)


def test_s09_staff_without_the_permission_do_not(manager, ada):
    manager.user_permissions.set(Permission.objects.filter(codename="view_user"))
    grace = User.objects.create_user("grace", is_staff=True)
    TOTPDevice.objects.create(user=grace, name="x")
    reset(with_password("manager"), grace)
    assert second_factor.has_second_factor(grace)


@pytest.mark.parametrize("path", ["otp_totp/totpdevice/", "otp_static/staticdevice/"])
def test_s09_secrets_have_no_page_in_the_admin(logged_in, path):
    assert logged_in.get(f"/admin/{path}").status_code == 404


def test_s09_the_operator_resets_it_by_a_command(ada, app, logged_in, capsys):
    call_command("reset_second_factor", "ada")
    assert "Removed the second factor of ada" in capsys.readouterr().out
    assert opens(logged_in)
    assert "manage.py reset_second_factor" in LogEntry.objects.get().change_message
    call_command("reset_second_factor", "ada")
    assert "has no second factor" in capsys.readouterr().out


def test_s09_the_command_names_a_user_that_does_not_exist():
    with pytest.raises(CommandError, match="no user 'grace'"):
        call_command("reset_second_factor", "grace")
