"""From the login to a KPI, its goal and its people."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from analytics.capture import capture
from analytics.ingestion.inbox import Inbox
from analytics.models import Counter, Person
from analytics.people.persons import count_demo_persons
from operational.models import LoginLimit
from tests import sdk
from tests.operational.overview.browser.addresses import DASHBOARD, PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_login_with_a_wrong_and_the_right_password(page, company):
    page.goto(DASHBOARD)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Alignment score")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{DASHBOARD}$"))


def test_after_many_wrong_passwords_a_page_says_when_to_try_again(page, browser_problems):
    soon = timezone.now() + timedelta(minutes=10)
    LoginLimit.objects.create(kind="address", subject="127.0.0.1", failures=20, retry_at=soon)
    page.goto(DASHBOARD)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Too many attempts to log in")).to_be_visible()
    expect(page.get_by_text("Try again at")).to_be_visible()
    assert len(browser_problems) == 1  # the response with status 429
    browser_problems.clear()


def test_from_the_dashboard_to_a_kpi_and_a_person_behind_it(logged_in, company):
    logged_in.goto(DASHBOARD)
    logged_in.get_by_role("link", name="D7 retention").last.click()
    expect(logged_in.get_by_role("heading", name="How it is computed")).to_be_visible()
    logged_in.get_by_text(re.compile("readings as a table")).click()
    expect(logged_in.get_by_role("columnheader", name="First reported")).to_be_visible()
    logged_in.get_by_role("link", name="Signed up", exact=True).click()
    expect(logged_in.get_by_role("link", name="Signed up", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    logged_in.locator("#persons tbody a").first.click()
    expect(logged_in).to_have_url(re.compile("/admin/analytics/person/"))


def test_the_dashboard_follows_a_changed_goal(logged_in, company):
    logged_in.goto(DASHBOARD)
    kpi = logged_in.locator("[data-kpi=d7_retention]")
    expect(kpi).to_contain_text("target 25.0 %")
    kpi.get_by_role("link").click()
    logged_in.get_by_role("link", name="Change the goal").click()
    logged_in.get_by_label("Target, in %").fill("150")
    logged_in.get_by_role("button", name="Save").click()
    expect(logged_in.get_by_text("More than 100 %")).to_be_visible()
    logged_in.get_by_label("Target, in %").fill("37.5")
    logged_in.get_by_label("Reason").fill("We are better than that")
    logged_in.get_by_role("button", name="Save").click()
    expect(logged_in.get_by_text("We are better than that")).to_be_visible()
    expect(logged_in.get_by_text("Goal: version 2 is in force")).to_be_visible()
    logged_in.goto(DASHBOARD)
    expect(kpi).to_contain_text("target 37.5 %")


def test_the_waiting_page_becomes_the_dashboard_automatically(logged_in):
    logged_in.clock.install(time=timezone.now())
    logged_in.goto(DASHBOARD)
    expect(logged_in.get_by_role("heading", name="Send the first event")).to_be_visible()
    # Not with Django's client, which keeps the server's threads from closing their connections.
    key = capture.ensure_default_project_key().token
    event = {"api_key": key, "event": "signed_up", "distinct_id": "user-1"}
    sdk.post("/capture/", event)
    Inbox().process_batch()
    logged_in.clock.fast_forward(5_000)
    expect(logged_in.get_by_role("heading", name="Alignment score")).to_be_visible()


def test_a_snippet_can_be_copied(logged_in, live_server):
    logged_in.context.grant_permissions(["clipboard-read", "clipboard-write"])
    logged_in.goto(DASHBOARD)
    logged_in.get_by_role("button", name="Copy: From a terminal").click()
    expect(logged_in.locator("#refresh-announcement")).to_have_text("Copied.")
    copied = logged_in.evaluate("navigator.clipboard.readText()")
    assert copied == logged_in.locator("#code-curl").inner_text()


def test_demo_data_is_removed_with_one_click_and_a_confirmation(logged_in, company):
    logged_in.goto(DASHBOARD)
    logged_in.get_by_role("link", name="Remove demo data").click()
    expect(logged_in.get_by_text("Your own data stays")).to_be_visible()
    logged_in.get_by_role("button", name="Remove demo data").click()
    expect(logged_in.get_by_text("Demo data removed")).to_be_visible()
    expect(logged_in.get_by_role("heading", name="Send the first event")).to_be_visible()
    assert (Person.objects.exists(), count_demo_persons()) == (False, 0)
    assert not Counter.objects.filter(value__gt=0).exists()


def test_the_api_page_lists_every_endpoint(logged_in, browser_problems, live_server):
    logged_in.goto(f"{live_server.url}/api/docs/")
    expect(logged_in.get_by_text("/api/operational/alignment-score")).to_be_visible()
