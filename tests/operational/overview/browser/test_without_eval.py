"""S13: the admin's pages work under a policy without unsafe-eval."""

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import expect

from tests.operational.overview.browser.addresses import DASHBOARD, PERSONS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def addresses():
    """Return the lists and forms of all models, and the pages of operational."""
    for model in admin.site._registry:
        for page in ("changelist", "add"):
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
    for name in ("dashboard", "actions", "alerts", "reports", "data-quality", "system-health"):
        yield reverse(f"operational:{name}")
    yield from ("/admin/password_change/", "/admin/second-factor/", "/api/docs/")


def test_s13_the_policy_has_no_unsafe_eval_and_no_plug_ins(client):
    policy = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in f"{policy};"
    assert "object-src 'none'" in policy


def test_s13_every_page_opens_without_an_error_in_the_browser(logged_in, company, browser_problems):
    failed = {}
    for address in addresses():
        response = logged_in.goto(address)
        logged_in.wait_for_load_state("networkidle")
        refused = response.status == 403  # a list without such a form
        if problems := [text for text in browser_problems if not (refused and "403" in text)]:
            failed[address] = problems
        browser_problems.clear()
    assert failed == {}


def test_s13_the_menu_is_hidden_and_stays_hidden(logged_in):
    logged_in.set_viewport_size({"width": 1440, "height": 900})
    logged_in.goto(DASHBOARD)
    menu = logged_in.locator("#nav-sidebar")
    expect(menu).to_be_visible()
    logged_in.get_by_role("button", name="Menu").first.click()
    expect(menu).to_be_hidden()
    logged_in.goto(DASHBOARD)
    expect(menu).to_be_hidden()


def test_s13_the_theme_is_switched_and_kept(logged_in):
    logged_in.goto(DASHBOARD)
    logged_in.keyboard.press("Control+e")
    expect(logged_in.locator("html")).to_have_class("light")
    logged_in.goto(DASHBOARD)
    expect(logged_in.locator("html")).to_have_class("light")


def test_s13_an_action_on_selected_rows_is_offered(logged_in, company):
    logged_in.goto("/admin/auth/user/")
    logged_in.locator("input.action-select").first.check()
    logged_in.locator("select[name=action]").select_option("reset_second_factor")
    logged_in.get_by_role("button", name="Run").click()
    expect(logged_in.get_by_text("Reset the second factor of 0 users.")).to_be_visible()


def test_s13_the_search_finds_and_opens_a_page(logged_in):
    logged_in.goto(DASHBOARD)
    logged_in.keyboard.press("Control+k")
    search = logged_in.locator("#search-input-command")
    expect(search).to_be_focused()
    search.press_sequentially("Users")
    expect(logged_in.locator("#command-results-list a").first).to_be_visible()
    search.press("ArrowDown")
    search.press("Enter")
    expect(logged_in).not_to_have_url(DASHBOARD)


def test_s13_a_list_is_filtered(logged_in, company):
    logged_in.goto(f"{PERSONS}?q=zzz")
    expect(logged_in.get_by_text("No results for these filters.")).to_be_visible()
