"""S09: a second factor by app or passkey, and its recovery codes."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from operational.access import second_factor
from tests.tokens import bearer

PASSWORD = "right horse battery staple"
DASHBOARD, PAGE = "/admin/operational/", "/admin/second-factor/"
API = "/api/operational/alignment-score"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to("2026-11-30 12:00:00+00:00", tick=False)
    return time_machine


@pytest.fixture
def ada():
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def app(ada):
    return TOTPDevice.objects.create(user=ada, name="Authenticator app")


@pytest.fixture
def client(ada):
    """Ada's browser after the right password."""
    return with_password()


def with_password(username="ada"):
    browser = Client()
    browser.post("/admin/login/", {"username": username, "password": PASSWORD})
    return browser


def code_of(device):
    return f"{TOTP(device.bin_key).token():06}"


def send_code(client, code, **data):
    return client.post(f"{PAGE}verify/", {"code": code} | data)


def opens(client, path=DASHBOARD):
    return client.get(path).status_code == 200


def recovery_codes(page):
    return re.findall(r"<li><code>([a-z2-7-]+)</code>", page.content.decode())


def test_s09_without_a_second_factor_the_password_opens_the_admin(client):
    assert opens(client)


def test_s09_with_one_the_password_alone_leads_to_its_page(app, client):
    response = client.get(f"{DASHBOARD}?a=1")
    assert response.headers["Location"] == f"{PAGE}verify/?next=%2Fadmin%2Foperational%2F%3Fa%3D1"


@pytest.mark.parametrize(
    "path", [DASHBOARD, PAGE, "/admin/auth/user/", "/admin/password_change/", "/admin/login/"]
)
def test_s09_nothing_else_of_the_admin_opens(app, client, path):
    assert client.get(path).status_code == 302
    assert client.post(path).status_code in {302, 403}


def test_s09_a_page_that_refreshes_itself_gets_401(app, client):
    assert client.get("/admin/operational/now/", headers={"HX-Request": "true"}).status_code == 401


def test_s09_the_session_does_not_open_the_api(app, client):
    response = client.get(API)
    assert (response.status_code, response.json()["status"]) == (403, 403)
    assert "second factor" in response.json()["detail"]


def test_s09_the_session_is_anonymous_elsewhere(app, client):
    assert client.get("/metrics").status_code == 401
    assert client.get("/livez").status_code == 200


def test_s09_the_apps_code_completes_the_login(app, client):
    response = send_code(client, code_of(app), next="/admin/auth/user/")
    assert response.headers["Location"] == "/admin/auth/user/"
    assert opens(client)
    assert opens(client, API)


def test_s09_the_session_gets_a_new_key(app, client):
    before = client.session.session_key
    send_code(client, code_of(app))
    assert client.session.session_key != before


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "javascript:x"])
def test_s09_the_login_leads_to_no_other_host(app, client, address):
    assert send_code(client, code_of(app), next=address).headers["Location"] == DASHBOARD


@pytest.mark.parametrize("code", ["000000", "", "abc", "1" * 5_000, "-1", "١٢٣", "\0", "1e3"])
def test_s09_a_wrong_code_does_not(app, client, code):
    assert send_code(client, code).status_code in {200, 400}
    assert not opens(client)


def test_s09_a_code_works_once(app, client):
    code = code_of(app)
    send_code(client, code)
    other = with_password()
    send_code(other, code)
    assert not opens(other)


def test_s09_a_code_of_another_user_does_not_work(app, client):
    grace = User.objects.create_superuser("grace", password=PASSWORD)
    device = TOTPDevice.objects.create(user=grace, name="x")
    send_code(client, code_of(device))
    assert not opens(client)


def test_s09_codes_are_limited_after_the_password(app, client):
    answers = [send_code(client, "000000").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_s09_a_new_login_gives_no_further_codes(app):
    answers = [send_code(with_password(), "000000").status_code for _ in range(6)]
    assert answers[-1] == 429


def test_s09_who_knows_the_password_cannot_delay_a_known_browser(app, client, noon):
    send_code(client, code_of(app))
    client.post("/admin/logout/")
    for _ in range(6):
        send_code(with_password(), "000000")
    noon.shift(30)
    client.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    send_code(client, code_of(app))
    assert opens(client)


def test_s09_after_the_delay_the_right_code_works(app, client, noon):
    for _ in range(6):
        send_code(client, "000000")
    noon.shift(2)
    send_code(client, code_of(app))
    assert opens(client)


def test_s09_an_app_is_set_up_with_a_code_that_is_scanned(ada, client):
    client.post(f"{PAGE}start-app/")
    device = TOTPDevice.objects.get(confirmed=False)
    page = client.get(PAGE).content.decode()
    assert '<svg width="' in page
    assert "style=" not in page[page.index("<svg") : page.index("</svg")]
    done = client.post(f"{PAGE}confirm-app/", {"code": code_of(device)})
    assert len(recovery_codes(done)) == 10
    assert opens(client)
    assert not opens(with_password())


def test_s09_the_page_is_not_stored_by_the_browser(client):
    client.post(f"{PAGE}start-app/")
    assert "no-store" in client.get(PAGE).headers["Cache-Control"]


def test_s09_an_app_that_was_not_confirmed_is_not_asked_for(client):
    client.post(f"{PAGE}start-app/")
    assert opens(with_password())


def test_s09_a_wrong_code_does_not_set_up_an_app(client):
    client.post(f"{PAGE}start-app/")
    client.post(f"{PAGE}confirm-app/", {"code": "000000"})
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_s09_a_recovery_code_works_once(ada, app, client):
    code, *_ = second_factor.new_recovery_codes(ada)
    send_code(client, f" {code.upper()} ")
    assert opens(client)
    other = with_password()
    send_code(other, code)
    assert not opens(other)


def test_s09_recovery_codes_are_stored_as_hashes(ada, app):
    codes = second_factor.new_recovery_codes(ada)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10
    assert not stored & {code.replace("-", "") for code in codes}


def test_s09_new_codes_need_the_password_and_replace_the_old_ones(ada, app, client):
    send_code(client, code_of(app))
    old = second_factor.new_recovery_codes(ada)
    assert not recovery_codes(client.post(f"{PAGE}codes/", {"password": "x"}, follow=True))
    new = recovery_codes(client.post(f"{PAGE}codes/", {"password": PASSWORD}))
    assert len(new) == 10
    assert not set(new) & set(old)


def test_s09_recovery_codes_alone_do_not_count(ada, client):
    client.post(f"{PAGE}codes/", {"password": PASSWORD})
    assert not StaticToken.objects.exists()


def test_s09_removing_needs_the_password(ada, app, client):
    send_code(client, code_of(app))
    client.post(f"{PAGE}remove/", {"device": app.persistent_id, "password": "wrong"})
    assert second_factor.has_second_factor(ada)
    second_factor.new_recovery_codes(ada)
    client.post(f"{PAGE}remove/", {"device": app.persistent_id, "password": PASSWORD})
    assert not second_factor.has_second_factor(ada)
    assert not StaticToken.objects.exists()
    assert "Removed" in LogEntry.objects.latest("pk").change_message


@pytest.mark.parametrize("device", ["", "x", "otp_totp.totpdevice/0", "auth.user/1", "a/b/c"])
def test_s09_an_odd_device_is_not_removed(app, client, device):
    send_code(client, code_of(app))
    client.post(f"{PAGE}remove/", {"device": device, "password": PASSWORD})
    assert TOTPDevice.objects.exists()


def test_s09_a_device_of_another_user_is_not_removed(app, client):
    grace = User.objects.create_superuser("grace", password=PASSWORD)
    other = TOTPDevice.objects.create(user=grace, name="x")
    send_code(client, code_of(app))
    client.post(f"{PAGE}remove/", {"device": other.persistent_id, "password": PASSWORD})
    assert second_factor.has_second_factor(grace)


def test_s09_the_password_cannot_be_guessed_there(app, client):
    send_code(client, code_of(app))
    data = {"device": app.persistent_id, "password": "wrong"}
    answers = [client.post(f"{PAGE}remove/", data).status_code for _ in range(11)]
    assert answers[-1] == 429


def test_s09_a_passkey_is_a_second_factor(ada, client):
    WebAuthnCredential.objects.create(user=ada, credential_id=b"1", public_key=b"2", sign_count=0)
    assert not opens(client)
    page = client.get(f"{PAGE}verify/").content.decode()
    assert "passkey-verification-button" in page


def test_s09_a_passkey_cannot_be_added_before_the_second_factor(app, client):
    assert client.post("/admin/passkeys/registration/begin/").status_code == 302


@pytest.mark.parametrize("step", ["registration/begin", "authentication/begin"])
def test_s09_passkeys_need_a_login(step):
    answer = Client().post(f"/admin/passkeys/{step}/")
    assert answer.status_code in {302, 401, 403}
    assert "challenge" not in answer.content.decode()


@pytest.fixture
def required(settings):
    settings.PLUMBLINE_REQUIRE_MFA = True


def test_s09_where_required_staff_set_it_up_first(required, client):
    assert client.get(DASHBOARD).headers["Location"].startswith(PAGE)
    assert "Set one up to continue" in client.get(PAGE).content.decode()
    client.post(f"{PAGE}start-app/")
    client.post(f"{PAGE}confirm-app/", {"code": code_of(TOTPDevice.objects.get())})
    assert opens(client)


def test_s09_where_required_a_session_does_not_open_the_api_before(required, client):
    response = client.get(API)
    assert response.status_code == 403
    assert "Set up a second factor" in response.json()["detail"]


def test_s09_where_required_tokens_work_as_before(required, ada):
    assert Client().get(API, headers=bearer(ada)).status_code == 200


@pytest.fixture
def manager():
    user = User.objects.create_user("manager", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return user


def reset(client, user):
    data = {"action": "reset_second_factor", "_selected_action": [user.pk]}
    return client.post("/admin/auth/user/", data, follow=True)


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
def test_s09_secrets_have_no_page_in_the_admin(client, path):
    assert client.get(f"/admin/{path}").status_code == 404


def test_s09_the_operator_resets_it_by_a_command(ada, app, client, capsys):
    call_command("reset_second_factor", "ada")
    assert "Removed the second factor of ada" in capsys.readouterr().out
    assert opens(client)
    assert "manage.py reset_second_factor" in LogEntry.objects.get().change_message
    call_command("reset_second_factor", "ada")
    assert "has no second factor" in capsys.readouterr().out


def test_s09_the_command_names_a_user_that_does_not_exist():
    with pytest.raises(CommandError, match="no user 'grace'"):
        call_command("reset_second_factor", "grace")
