"""S09: setting up a second factor and logging in with it, as people do."""

import re
from base64 import b32decode

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from operational.access import second_factor
from tests.operational.overview.browser.addresses import DASHBOARD, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGE = "/admin/second-factor/"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@pytest.fixture(autouse=True)
def origin(settings, live_server):
    settings.OTP_WEBAUTHN_ALLOWED_ORIGINS = [live_server.url]


def log_in(page):
    page.goto(DASHBOARD)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def log_out(page):
    page.context.clear_cookies()


def code(key, *, steps=0):
    """Return what an app shows, or will show after some steps of 30 seconds."""
    totp = TOTP(b32decode(key), drift=steps)
    return f"{totp.token():06}"


def set_up_app(page):
    page.goto(PAGE)
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    key = page.locator("#app-key").inner_text()
    page.get_by_role("textbox", name="Code").fill(code(key))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    return key, page.locator("#recovery-codes li").all_inner_texts()


def test_s09_an_app_is_set_up_and_asked_for_at_the_next_login(page):
    log_in(page)
    key, _ = set_up_app(page)
    log_out(page)
    log_in(page)
    expect(page.get_by_text("Enter the code that your app shows")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The code is wrong, used or expired.")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code(key, steps=1))
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile(f"{DASHBOARD}$"))


def test_s09_a_recovery_code_replaces_a_lost_app(page):
    log_in(page)
    _, (recovery_code, *_) = set_up_app(page)
    log_out(page)
    log_in(page)
    page.get_by_role("textbox", name="Code").fill(recovery_code)
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile(f"{DASHBOARD}$"))
    page.goto(PAGE)
    expect(page.get_by_text("9 left")).to_be_visible()


def test_s09_a_passkey_is_added_and_used_at_the_next_login(page, staff):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    log_in(page)
    page.goto(PAGE)
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    log_out(page)
    log_in(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile(f"{DASHBOARD}$"))
    assert second_factor.has_second_factor(staff)


def test_s09_where_required_the_set_up_comes_first(page, settings):
    settings.PLUMBLINE_REQUIRE_MFA = True
    log_in(page)
    expect(page.get_by_text("Set one up to continue")).to_be_visible()
    set_up_app(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile(f"{DASHBOARD}$"))
