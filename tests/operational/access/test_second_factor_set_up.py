"""S09: setting up a second factor, its recovery codes, and removing it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from operational.access import second_factor
from tests.operational.access.second_factor import (
    PAGE,
    PASSWORD,
    code_of,
    opens,
    recovery_codes,
    send_code,
    with_password,
)

pytestmark = pytest.mark.django_db


def test_s09_an_app_is_set_up_with_a_code_that_is_scanned(ada, logged_in):
    logged_in.post(f"{PAGE}start-app/")
    device = TOTPDevice.objects.get(confirmed=False)
    page = logged_in.get(PAGE).content.decode()
    assert '<svg width="' in page
    assert "style=" not in page[page.index("<svg") : page.index("</svg")]
    done = logged_in.post(f"{PAGE}confirm-app/", {"code": code_of(device)})
    assert len(recovery_codes(done)) == 10
    assert opens(logged_in)
    assert not opens(with_password())


def test_s09_the_page_is_not_stored_by_the_browser(logged_in):
    logged_in.post(f"{PAGE}start-app/")
    assert "no-store" in logged_in.get(PAGE).headers["Cache-Control"]


def test_s09_an_app_that_was_not_confirmed_is_not_asked_for(logged_in):
    logged_in.post(f"{PAGE}start-app/")
    assert opens(with_password())


def test_s09_a_wrong_code_does_not_set_up_an_app(logged_in):
    logged_in.post(f"{PAGE}start-app/")
    logged_in.post(f"{PAGE}confirm-app/", {"code": "000000"})
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


def test_s09_a_recovery_code_works_once(ada, app, logged_in):
    code, *_ = second_factor.new_recovery_codes(ada)
    send_code(logged_in, f" {code.upper()} ")
    assert opens(logged_in)
    other = with_password()
    send_code(other, code)
    assert not opens(other)


def test_s09_recovery_codes_are_stored_as_hashes(ada, app):
    codes = second_factor.new_recovery_codes(ada)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10
    assert not stored & {code.replace("-", "") for code in codes}


def test_s09_new_codes_need_the_password_and_replace_the_old_ones(ada, app, logged_in):
    send_code(logged_in, code_of(app))
    old = second_factor.new_recovery_codes(ada)
    assert not recovery_codes(logged_in.post(f"{PAGE}codes/", {"password": "x"}, follow=True))
    new = recovery_codes(logged_in.post(f"{PAGE}codes/", {"password": PASSWORD}))
    assert len(new) == 10
    assert not set(new) & set(old)


def test_s09_recovery_codes_alone_do_not_count(ada, logged_in):
    logged_in.post(f"{PAGE}codes/", {"password": PASSWORD})
    assert not StaticToken.objects.exists()


def test_s09_removing_needs_the_password(ada, app, logged_in):
    send_code(logged_in, code_of(app))
    logged_in.post(f"{PAGE}remove/", {"device": app.persistent_id, "password": "wrong"})
    assert second_factor.has_second_factor(ada)
    second_factor.new_recovery_codes(ada)
    logged_in.post(f"{PAGE}remove/", {"device": app.persistent_id, "password": PASSWORD})
    assert not second_factor.has_second_factor(ada)
    assert not StaticToken.objects.exists()
    assert "Removed" in LogEntry.objects.latest("pk").change_message


@pytest.mark.parametrize("device", ["", "x", "otp_totp.totpdevice/0", "auth.user/1", "a/b/c"])
def test_s09_an_odd_device_is_not_removed(app, logged_in, device):
    send_code(logged_in, code_of(app))
    logged_in.post(f"{PAGE}remove/", {"device": device, "password": PASSWORD})
    assert TOTPDevice.objects.exists()


def test_s09_a_device_of_another_user_is_not_removed(app, logged_in):
    grace = User.objects.create_superuser("grace", password=PASSWORD)
    other = TOTPDevice.objects.create(user=grace, name="x")
    send_code(logged_in, code_of(app))
    logged_in.post(f"{PAGE}remove/", {"device": other.persistent_id, "password": PASSWORD})
    assert second_factor.has_second_factor(grace)


def test_s09_the_password_cannot_be_guessed_there(app, logged_in):
    send_code(logged_in, code_of(app))
    data = {"device": app.persistent_id, "password": "wrong"}
    answers = [logged_in.post(f"{PAGE}remove/", data).status_code for _ in range(11)]
    assert answers[-1] == 429


def start(browser, password):
    browser.post(f"{PAGE}add/", {"password": password})
    browser.post(f"{PAGE}start-app/")
    return TOTPDevice.objects.filter(confirmed=False)


def test_s09_a_verified_session_alone_adds_no_factor(app, logged_in):
    send_code(logged_in, code_of(app))
    assert not start(logged_in, "wrong").exists()
    for step in ("begin", "complete"):
        answer = logged_in.post(f"/admin/passkeys/registration/{step}/", "{}", "application/json")
        assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)


def test_s09_with_the_password_a_second_app_is_added_and_the_codes_stay(ada, app, logged_in):
    second_factor.new_recovery_codes(ada)
    send_code(logged_in, code_of(app))
    second = start(logged_in, PASSWORD).get()
    done = logged_in.post(f"{PAGE}confirm-app/", {"code": code_of(second)}, follow=True)
    assert not recovery_codes(done)
    assert second_factor.recovery_codes_left(ada) == 10
    assert len(second_factor.devices(ada)) == 2


def test_s09_the_password_is_asked_for_again_later(app, logged_in, noon):
    send_code(logged_in, code_of(app))
    logged_in.post(f"{PAGE}add/", {"password": PASSWORD})
    noon.shift(601)
    logged_in.post(f"{PAGE}start-app/")
    assert not TOTPDevice.objects.filter(confirmed=False).exists()


def test_s09_long_after_a_login_the_first_factor_takes_the_password(logged_in, noon):
    noon.shift(601)
    logged_in.post(f"{PAGE}start-app/")
    assert not TOTPDevice.objects.exists()
