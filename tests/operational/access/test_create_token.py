"""S07: `manage.py create_token` takes scopes and an expiry and makes no account unless asked to."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from operational.access.scopes import SCOPES
from operational.models import ApiToken

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return User.objects.create_superuser("admin", "ada@example.com")


def create_token(capsys, *arguments):
    """Return the last line of standard output, and standard error."""
    call_command("create_token", *arguments)
    printed = capsys.readouterr()
    return printed.out.splitlines()[-1], printed.err


def status(client, token, path="/api/operational/alignment-score"):
    return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("name", ["admin", "Admin", "ada@example.com", "ADA@example.com"])
def test_s07_a_user_is_identified_by_username_or_e_mail_address(capsys, admin, name):
    create_token(capsys, name)
    assert ApiToken.objects.get().user == admin


def test_s07_by_default_a_token_reads_kpis_for_90_days_and_no_persons(capsys, client, admin):
    token, notes = create_token(capsys, "admin")
    stored = ApiToken.objects.get()
    assert stored.scopes == ["operational:read"]
    assert stored.expiry - stored.created == pytest.approx(timedelta(days=90), abs=timedelta(1))
    assert status(client, token) == 200
    assert status(client, token, "/api/analytics/persons") == 403
    assert f"valid until {stored.expiry:%Y-%m-%d} for operational:read" in notes


def test_s07_a_token_gets_the_requested_scopes_name_and_expiry(capsys, admin):
    options = "--scope", "billing:write", "--scope", "analytics:read", "--expires-in", "7"
    create_token(capsys, "admin", *options, "--name", "product")
    token = ApiToken.objects.get()
    assert (token.name, token.scopes) == ("product", ["analytics:read", "billing:write"])
    assert (token.expiry - token.created).days in {6, 7}


def test_s07_a_token_that_never_expires_is_made_explicitly(capsys, admin):
    _, notes = create_token(capsys, "admin", "--never")
    assert ApiToken.objects.get().expiry is None
    assert "valid forever" in notes


@pytest.mark.parametrize("days", ["0", "-1", "3651", "9" * 20])
def test_s07_an_impossible_expiry_is_refused(admin, days):
    with pytest.raises(CommandError, match=r"--expires-in: -?\d+ is not from 1 to 3650 days"):
        call_command("create_token", "admin", f"--expires-in={days}")


def test_s07_an_unknown_scope_is_refused_with_the_nearest_and_nothing_is_made(admin):
    with pytest.raises(CommandError, match=r"'analytics:reed' is not a scope.*analytics:read\?"):
        call_command("create_token", "new@example.com", "--create", "--scope", "analytics:reed")
    assert [*User.objects.all()] == [admin]
    assert not ApiToken.objects.exists()


def test_s07_an_unknown_user_is_refused_and_not_created():
    with pytest.raises(CommandError, match=r"There is no user 'adda@example.com'.*--create"):
        call_command("create_token", "adda@example.com")
    assert not User.objects.exists()


def test_s07_create_makes_a_user_without_a_password_or_permissions_and_says_so(capsys):
    _, notes = create_token(capsys, "ada@example.com", "--create")
    user = User.objects.get(username="ada@example.com")
    assert not user.has_usable_password()
    assert (user.email, user.is_staff, user.is_superuser) == ("ada@example.com", False, False)
    assert "Created the user ada@example.com" in notes
    assert "has no permission that operational:read covers" in notes


def test_s07_create_takes_an_existing_user(capsys, admin):
    create_token(capsys, "admin", "--create")
    assert User.objects.get() == admin


def test_a_service_s_user_gets_its_permissions_from_a_group(capsys, client):
    options = "--create", "--group", "viewer", "--staff", "--scope", "operational:read"
    token, notes = create_token(capsys, "grafana", *options)
    assert [group.name for group in User.objects.get().groups.all()] == ["Viewer"]
    assert "no permission" not in notes
    assert status(client, token) == 200


def test_an_unknown_group_is_refused_and_the_existing_are_named(admin):
    with pytest.raises(CommandError, match="Analyst, Operator, Owner, Viewer"):
        call_command("create_token", "admin", "--group", "Viewers")


def test_that_an_operational_scope_needs_staff_is_said(capsys):
    _, notes = create_token(capsys, "ada@example.com", "--create", "--group", "Viewer")
    assert "is not staff, which operational:read needs" in notes


def test_the_staff_option_makes_an_existing_user_staff_and_says_so(capsys):
    create_token(capsys, "ada@example.com", "--create")
    _, notes = create_token(capsys, "ada@example.com", "--staff")
    assert User.objects.get().is_staff
    assert "is now staff" in notes


@pytest.mark.parametrize("name", ["", "a b", "a" * 151, "a\nb", "@", "ada@"])
def test_an_invalid_name_is_refused_and_quoted(name):
    with pytest.raises(CommandError, match=re.escape(repr(name.strip()))):
        call_command("create_token", name, "--create")
    assert not User.objects.exists()


def test_a_deactivated_user_gets_no_token():
    User.objects.create(username="ada@example.com", is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        call_command("create_token", "ada@example.com")


def test_an_address_of_several_users_is_refused_with_their_names(admin):
    User.objects.create(username="ada", email="ada@example.com")
    with pytest.raises(CommandError, match="may be ada, admin"):
        call_command("create_token", "ada@example.com")


def test_the_help_names_every_scope(capsys):
    with pytest.raises(SystemExit):
        call_command("create_token", "--help")
    words = " ".join(capsys.readouterr().out.split())
    assert all(scope in words for scope in SCOPES)
