"""S07: staff list tokens, make new ones and revoke them."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User

from operational.models import ApiToken
from tests.tokens import bearer

pytestmark = pytest.mark.django_db

TOKENS = "/admin/operational/apitoken/"
ENTERED = {"name": "Grafana", "scopes": ["operational:read"], "days": 30}


@pytest.fixture
def token(admin_user):
    bearer(admin_user, "analytics:read")
    return ApiToken.objects.get()


@pytest.fixture
def revoke(admin_client):
    def post(token):
        data = {"action": "revoke_selected", "_selected_action": [token.pk]}
        return admin_client.post(TOKENS, data, follow=True).content.decode()

    return post


def add(client, user, **entered):
    return client.post(f"{TOKENS}add/", ENTERED | {"user": user.pk} | entered)


def secret_of(page):
    (secret,) = re.findall(r"<code>(plb_[0-9a-f]{64})</code>", page.content.decode())
    return secret


def test_tokens_are_listed_with_user_scopes_and_state_but_no_secret(admin_client, token):
    page = admin_client.get(TOKENS).content.decode()
    assert "analytics:read" in page
    assert "Active" in page
    hidden = page.replace(f"/{token.digest}/", "").replace(f'"{token.digest}"', "")
    assert token.digest not in hidden


def test_a_new_token_works_and_is_displayed_once(admin_client, admin_user, client):
    page = add(admin_client, admin_user)
    secret = secret_of(page)
    assert "no-store" in page.headers["Cache-Control"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/operational/kpi-status", headers=headers).status_code == 200
    stored = ApiToken.objects.get()
    assert stored.expiry - stored.created < timedelta(days=31)
    for path in (TOKENS, f"{TOKENS}{stored.pk}/change/", "/admin/operational/"):
        assert secret not in admin_client.get(path).content.decode()


def test_a_token_may_never_expire_if_that_is_chosen(admin_client, admin_user):
    assert "never expires" in add(admin_client, admin_user, never="on").content.decode()
    assert ApiToken.objects.get().expiry is None


@pytest.mark.parametrize(
    "entered",
    [{"scopes": []}, {"scopes": ["billing:all"]}, {"days": 0}, {"days": ""}, {"name": ""}],
)
def test_an_incomplete_form_makes_no_token(admin_client, admin_user, entered):
    assert add(admin_client, admin_user, **entered).status_code == 200
    assert not ApiToken.objects.exists()


def test_s07_a_revoked_token_stops_at_once_and_remains_listed(revoke, admin_user, client):
    headers = bearer(admin_user)
    assert client.get("/api/operational/kpi-status", headers=headers).status_code == 200
    page = revoke(ApiToken.objects.get())
    assert client.get("/api/operational/kpi-status", headers=headers).status_code == 401
    assert "1 token revoked." in page
    assert "Revoked" in page


def test_a_token_cannot_be_changed(admin_client, token):
    path = f"{TOKENS}{token.pk}/change/"
    assert admin_client.get(path).status_code == 200
    assert admin_client.post(path, {"name": "other"}).status_code == 403


def test_staff_without_the_permission_see_no_tokens(client):
    client.force_login(User.objects.create(username="eve", is_staff=True))
    assert client.get(TOKENS).status_code == 403


def test_s07_who_may_not_change_users_makes_tokens_only_for_themselves(client, admin_user):
    eve = User.objects.create(username="eve", is_staff=True)
    eve.user_permissions.add(*Permission.objects.filter(codename__endswith="apitoken"))
    client.force_login(eve)
    add(client, admin_user)
    assert not ApiToken.objects.exists()
    add(client, eve)
    assert ApiToken.objects.get().user == eve
