import re

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_the_first_start_creates_an_administrator_and_prints_the_password(capsys, client):
    call_command("ensure_admin")
    printed = capsys.readouterr().out
    [password] = re.findall(r"Password: (\S{16,})", printed)
    client.post("/admin/login/", {"username": "admin", "password": password})
    assert client.session["_auth_user_id"] == str(User.objects.get(username="admin").pk)
    assert "`make password` sets a new one" in printed


def test_the_next_start_changes_nothing_and_prints_a_hint(capsys):
    call_command("ensure_admin")
    before = User.objects.values().get()
    capsys.readouterr()
    call_command("ensure_admin")
    (hint,) = capsys.readouterr().out.splitlines()
    assert "Log in as admin." in hint
    assert "`make password`" in hint
    assert User.objects.values().get() == before


def test_the_hint_names_the_existing_superuser(capsys):
    User.objects.create_superuser("grace")
    call_command("ensure_admin")
    assert "Log in as grace." in capsys.readouterr().out


def test_a_new_password_replaces_the_lost_one(capsys, client):
    user = User.objects.create_superuser("grace", password="lost")
    call_command("ensure_admin", new_password=True)
    (password,) = re.findall(r"Password: (\S{16,})", capsys.readouterr().out)
    client.post("/admin/login/", {"username": "grace", "password": password})
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_user_named_admin_without_superuser_rights_is_not_changed(capsys):
    User.objects.create_user("admin")
    call_command("ensure_admin")
    assert "createsuperuser" in capsys.readouterr().out
    assert not User.objects.get().is_superuser
