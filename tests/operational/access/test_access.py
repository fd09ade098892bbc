import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from knox.models import AuthToken

pytestmark = pytest.mark.django_db


def create_token(capsys, *arguments):
    """Return the last line of standard output, and standard error."""
    call_command("create_token", *arguments)
    printed = capsys.readouterr()
    return printed.out.splitlines()[-1], printed.err


def status(client, token):
    return client.get(
        "/api/operational/alignment-score", headers={"Authorization": f"Bearer {token}"}
    ).status_code


def test_a_staff_token_opens_the_api(capsys, client):
    token, _ = create_token(capsys, "ada@example.com", "--staff")
    assert status(client, token) == 200


def test_a_token_of_a_user_who_is_not_staff_does_not_and_the_command_says_so(capsys, client):
    token, notes = create_token(capsys, "ada@example.com")
    assert status(client, token) == 403
    assert "not staff" in notes


def test_the_user_is_created_without_a_password(capsys):
    create_token(capsys, "ada@example.com")
    user = User.objects.get(username="ada@example.com")
    assert not user.has_usable_password()
    assert (user.email, user.is_staff, user.is_superuser) == ("ada@example.com", False, False)


@pytest.mark.parametrize("email", ["ada@example.com", "Ada@Example.com"])
def test_an_existing_user_gets_another_token(capsys, email):
    create_token(capsys, "ada@example.com")
    create_token(capsys, email)
    assert AuthToken.objects.filter(user=User.objects.get()).count() == 2


def test_an_administrator_is_identified_by_e_mail_address(capsys):
    admin = User.objects.create_superuser("admin", "ada@example.com")
    create_token(capsys, "ada@example.com")
    assert AuthToken.objects.get().user == admin


def test_the_staff_option_makes_an_existing_user_staff_and_says_so(capsys):
    create_token(capsys, "ada@example.com")
    _, notes = create_token(capsys, "ada@example.com", "--staff")
    assert User.objects.get().is_staff
    assert "is now staff" in notes


def test_the_token_is_not_stored(capsys):
    token, _ = create_token(capsys, "ada@example.com")
    assert token not in AuthToken.objects.values_list("digest", flat=True)


@pytest.mark.parametrize("email", ["ada", "", "ada@", "a" * 150 + "@example.com"])
def test_an_invalid_e_mail_address_is_refused_and_quoted(email):
    with pytest.raises(CommandError, match=re.escape(repr(email))):
        call_command("create_token", email)


def test_a_deactivated_user_gets_no_token():
    User.objects.create(username="ada@example.com", is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        call_command("create_token", "ada@example.com")


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
