"""S09: logging in with a second factor."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp_webauthn.models import WebAuthnCredential

from tests.operational.access.second_factor import (
    API,
    DASHBOARD,
    PAGE,
    PASSWORD,
    code_of,
    opens,
    send_code,
    with_password,
)
from tests.tokens import bearer

pytestmark = pytest.mark.django_db


def test_s09_without_a_second_factor_the_password_opens_the_admin(logged_in):
    assert opens(logged_in)


def test_s09_with_one_the_password_alone_leads_to_its_page(app, logged_in):
    response = logged_in.get(f"{DASHBOARD}?a=1")
    assert response.headers["Location"] == f"{PAGE}verify/?next=%2Fadmin%2Foperational%2F%3Fa%3D1"


@pytest.mark.parametrize(
    "path", [DASHBOARD, PAGE, "/admin/auth/user/", "/admin/password_change/", "/admin/login/"]
)
def test_s09_nothing_else_of_the_admin_opens(app, logged_in, path):
    assert logged_in.get(path).status_code == 302
    assert logged_in.post(path).status_code in {302, 403}


def test_s09_a_page_that_refreshes_itself_gets_401(app, logged_in):
    assert (
        logged_in.get("/admin/operational/now/", headers={"HX-Request": "true"}).status_code == 401
    )


def test_s09_the_session_does_not_open_the_api(app, logged_in):
    response = logged_in.get(API)
    assert (response.status_code, response.json()["status"]) == (403, 403)
    assert "second factor" in response.json()["detail"]


def test_s09_the_session_is_anonymous_elsewhere(app, logged_in):
    assert logged_in.get("/metrics").status_code == 401
    assert logged_in.get("/livez").status_code == 200


def test_s09_the_apps_code_completes_the_login(app, logged_in):
    response = send_code(logged_in, code_of(app), next="/admin/auth/user/")
    assert response.headers["Location"] == "/admin/auth/user/"
    assert opens(logged_in)
    assert opens(logged_in, API)


def test_s09_the_session_gets_a_new_key(app, logged_in):
    before = logged_in.session.session_key
    send_code(logged_in, code_of(app))
    assert logged_in.session.session_key != before


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "javascript:x"])
def test_s09_the_login_leads_to_no_other_host(app, logged_in, address):
    assert send_code(logged_in, code_of(app), next=address).headers["Location"] == DASHBOARD


@pytest.mark.parametrize("code", ["000000", "", "abc", "1" * 5_000, "-1", "١٢٣", "\0", "1e3"])
def test_s09_a_wrong_code_does_not(app, logged_in, code):
    assert send_code(logged_in, code).status_code in {200, 400}
    assert not opens(logged_in)


def test_s09_a_code_works_once(app, logged_in):
    code = code_of(app)
    send_code(logged_in, code)
    other = with_password()
    send_code(other, code)
    assert not opens(other)


def test_s09_a_code_of_another_user_does_not_work(app, logged_in):
    grace = User.objects.create_superuser("grace", password=PASSWORD)
    device = TOTPDevice.objects.create(user=grace, name="x")
    send_code(logged_in, code_of(device))
    assert not opens(logged_in)


def test_s09_codes_are_limited_after_the_password(app, logged_in):
    answers = [send_code(logged_in, "000000").status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_s09_a_new_login_gives_no_further_codes(app):
    answers = [send_code(with_password(), "000000").status_code for _ in range(6)]
    assert answers[-1] == 429


def test_s09_who_knows_the_password_cannot_delay_a_known_browser(app, logged_in, noon):
    send_code(logged_in, code_of(app))
    logged_in.post("/admin/logout/")
    for _ in range(6):
        send_code(with_password(), "000000")
    noon.shift(30)
    logged_in.post("/admin/login/", {"username": "ada", "password": PASSWORD})
    send_code(logged_in, code_of(app))
    assert opens(logged_in)


def test_s09_after_the_delay_the_right_code_works(app, logged_in, noon):
    for _ in range(6):
        send_code(logged_in, "000000")
    noon.shift(2)
    send_code(logged_in, code_of(app))
    assert opens(logged_in)


def test_s09_a_passkey_is_a_second_factor(ada, logged_in):
    WebAuthnCredential.objects.create(user=ada, credential_id=b"1", public_key=b"2", sign_count=0)
    assert not opens(logged_in)
    page = logged_in.get(f"{PAGE}verify/").content.decode()
    assert "passkey-verification-button" in page


def test_s09_a_passkey_cannot_be_added_before_the_second_factor(app, logged_in):
    assert logged_in.post("/admin/passkeys/registration/begin/").status_code == 302


@pytest.mark.parametrize("step", ["registration/begin", "authentication/begin"])
def test_s09_passkeys_need_a_login(step):
    answer = Client().post(f"/admin/passkeys/{step}/")
    assert answer.status_code in {302, 401, 403}
    assert "challenge" not in answer.content.decode()


@pytest.fixture
def required(settings):
    settings.PLUMBLINE_REQUIRE_MFA = True


def test_s09_where_required_staff_set_it_up_first(required, logged_in):
    assert logged_in.get(DASHBOARD).headers["Location"].startswith(PAGE)
    assert "Set one up to continue" in logged_in.get(PAGE).content.decode()
    logged_in.post(f"{PAGE}start-app/")
    logged_in.post(f"{PAGE}confirm-app/", {"code": code_of(TOTPDevice.objects.get())})
    assert opens(logged_in)


def test_s09_where_required_a_session_does_not_open_the_api_before(required, logged_in):
    response = logged_in.get(API)
    assert response.status_code == 403
    assert "Set up a second factor" in response.json()["detail"]


def test_s09_where_required_tokens_work_as_before(required, ada):
    assert Client().get(API, headers=bearer(ada)).status_code == 200
