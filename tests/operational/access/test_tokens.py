"""S07: tokens have scopes, an expiry and a last use; a refused token says why."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import ProjectKey
from common.api.access import covers, scope_of
from operational.access import tokens
from operational.access.groups import GROUPS
from operational.access.scopes import SCOPES, UnknownScope, checked
from operational.models import ApiToken
from tests.processes import ROOT
from tests.tokens import bearer, token

pytestmark = pytest.mark.django_db

PERSONS = "/api/analytics/persons"
NOW = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def owner():
    return User.objects.create_superuser("ada")


@pytest.fixture
def get(client):
    return lambda headers, path=PERSONS: client.get(path, headers=headers)


def reason(response, status):
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.json()["detail"]


def test_s07_a_token_opens_what_its_scope_covers(get, owner):
    assert get(bearer(owner, "analytics:read")).status_code == 200
    assert get(bearer(owner, "analytics:write")).status_code == 200


def test_s07_a_token_without_the_scope_gets_a_403_that_names_it(get, owner):
    answer = reason(get(bearer(owner, "billing:write", "operational:read")), 403)
    assert answer == "The token lacks the scope analytics:read."


def test_s07_a_scope_adds_nothing_to_its_user_s_permissions(get):
    user = User.objects.create_user("eve", is_staff=True)
    assert reason(get(bearer(user)), 403) == "eve lacks the permission analytics.view_person."


def test_s07_a_permission_and_a_scope_are_enough_for_a_user_who_is_not_staff(get):
    user = User.objects.create_user("backend")
    user.user_permissions.add(Permission.objects.get(codename="view_person"))
    assert get(bearer(user, "analytics:read")).status_code == 200
    assert get(bearer(user, "analytics:read"), "/api/analytics/events").status_code == 403


def test_s07_a_session_of_a_user_who_is_not_staff_is_refused(client):
    user = User.objects.create_user("eve")
    user.user_permissions.add(Permission.objects.get(codename="view_person"))
    client.force_login(user)
    assert reason(client.get(PERSONS), 403) == "Only staff may use the API without a token."


def test_s07_an_expired_token_gets_a_401_that_says_so(get, owner, time_machine):
    time_machine.move_to(NOW, tick=False)
    headers = bearer(owner)
    time_machine.move_to(NOW + tokens.EXPIRES_IN - timedelta(seconds=1), tick=False)
    assert get(headers).status_code == 200
    time_machine.move_to(NOW + tokens.EXPIRES_IN, tick=False)
    assert reason(get(headers), 401) == "The token 'test' is expired."
    assert ApiToken.objects.count() == 1  # staff still see it


def test_s07_a_revoked_token_gets_a_401_that_says_so_at_once(get, owner):
    headers = bearer(owner)
    assert get(headers).status_code == 200
    tokens.revoke([ApiToken.objects.get().pk], now=NOW)
    assert reason(get(headers), 401) == "The token 'test' is revoked."


@pytest.mark.parametrize("sent", ["nonsense", "plb_" + "0" * 64, "\x00", "\xff\xfe", "é" * 400])
def test_s07_an_unknown_token_gets_a_401(client, sent):
    response = client.get(PERSONS, HTTP_AUTHORIZATION=f"Bearer {sent}")
    assert reason(response, 401)


def test_s07_a_project_key_is_not_a_token(get):
    key = ProjectKey.objects.create(name="web").token
    answer = reason(get({"Authorization": f"Bearer {key}"}), 401)
    assert answer == "A project key only captures events. The API needs a token."


def test_s07_the_last_use_is_stored_to_the_minute(get, owner, time_machine):
    headers = bearer(owner)
    for seconds in (0, 15, 45):
        time_machine.move_to(NOW + timedelta(seconds=seconds), tick=False)
        get(headers)
    assert ApiToken.objects.get().last_used_at == NOW + timedelta(seconds=30)


def test_s07_a_second_use_in_a_minute_writes_nothing(get, owner, time_machine):
    time_machine.move_to(NOW, tick=False)
    headers = bearer(owner)
    get(headers)
    with CaptureQueriesContext(connection) as queries:
        get(headers)
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]


def test_s07_a_refused_token_is_not_used(get, owner):
    headers = bearer(owner)
    tokens.revoke([ApiToken.objects.get().pk], now=NOW)
    get(headers)
    assert ApiToken.objects.get().last_used_at is None


def test_s07_the_secret_is_not_stored(owner):
    secret = token(owner)
    assert secret not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize(
    ("scope", "nearest"),
    [
        ("analytic:read", "analytics:read"),
        ("billing", "billing:"),
        ("operational.read", "operational:read"),
        ("analytics:admin", "analytics:"),
        ("*", ""),
    ],
)
def test_s07_an_unknown_scope_is_refused_with_the_nearest(scope, nearest):
    with pytest.raises(UnknownScope, match=f"Did you mean {nearest}"):
        checked([scope])


def test_scopes_are_those_of_permissions():
    assert scope_of("analytics.view_person") == "analytics:read"
    assert scope_of("analytics.delete_person") == "analytics:write"
    assert covers(["billing:write"], "billing.view_plan")
    assert not covers(["billing:read"], "billing.change_plan")
    assert not covers(SCOPES, "auth.view_user")


def test_the_documentation_names_every_scope_and_group():
    page = (ROOT / "docs" / "security.md").read_text()
    assert re.findall(r"^\| `(\w+:\w+)` \|", page, re.MULTILINE) == [*SCOPES]
    assert re.findall(rf"^\| ({'|'.join(GROUPS)}) \|", page, re.MULTILINE) == [*GROUPS]
