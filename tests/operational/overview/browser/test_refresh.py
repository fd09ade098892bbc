"""The dashboard's refresh; the clock of the page is the test's."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from operational.kpis.goals import set_goal
from tests.operational.overview.browser.addresses import DASHBOARD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# An attribute, as the page's policy forbids what polls a script: its text would be evaluated.
MARK_ARMED = """
    document.getElementById("live").dataset.armed = "";
    document.body.addEventListener("htmx:load", (event) => {
        if (event.detail.elt.id === "live") event.detail.elt.dataset.armed = "";
    });
"""


def a_minute_passes(page):
    """Let a minute pass once htmx has armed the next refresh of the swapped-in content."""
    expect(page.locator("#live[data-armed]")).to_be_attached()
    page.clock.fast_forward(60_000)


@pytest.fixture
def dashboard(logged_in, company):
    logged_in.clock.install(time=timezone.now())
    logged_in.goto(DASHBOARD)
    logged_in.evaluate(MARK_ARMED)
    return logged_in


@pytest.fixture
def refreshes(dashboard):
    seen = []
    dashboard.on("request", lambda r: r.headers.get("hx-request") and seen.append(r.url))
    return seen


def test_a_refresh_each_minute_updates_numbers_and_keeps_focus_and_scroll(dashboard):
    dashboard.set_viewport_size({"width": 390, "height": 600})
    updated = dashboard.locator("#updated")
    before = updated.inner_text()
    link = dashboard.locator("#kpi-growth_mom")
    link.focus()
    dashboard.locator("#cohorts-scroll").evaluate("table => { table.scrollLeft = 150 }")
    scroll = dashboard.evaluate("scrollY")
    set_goal(kpi="d7_retention", target=0.99, weight=20)
    dashboard.clock.fast_forward(60_000)
    expect(dashboard.locator("[data-kpi=d7_retention]")).to_contain_text("target 99.0 %")
    expect(updated).not_to_have_text(before)
    expect(link).to_be_focused()
    assert dashboard.evaluate("scrollY") == scroll
    assert dashboard.locator("#cohorts-scroll").evaluate("table => table.scrollLeft") == 150


def test_it_keeps_refreshing(dashboard):
    for target in (0.98, 0.97):
        set_goal(kpi="d7_retention", target=target, weight=20)
        a_minute_passes(dashboard)
        expect(dashboard.locator("[data-kpi=d7_retention]")).to_contain_text(
            f"target {target:.1%}".replace("%", " %")
        )


def test_a_changed_score_is_announced_and_an_unchanged_one_is_not(dashboard):
    announcement = dashboard.locator("#refresh-announcement")
    with dashboard.expect_response(f"**{DASHBOARD}"):
        dashboard.clock.fast_forward(60_000)
    expect(announcement).to_be_empty()
    set_goal(kpi="d7_retention", target=0.99, weight=20)
    a_minute_passes(dashboard)
    expect(announcement).to_have_text(re.compile(r"The alignment score is now \d+\.\d\."))


def test_a_failed_refresh_is_reported_once_and_keeps_the_old_numbers(dashboard, browser_problems):
    score = dashboard.locator("[data-score]").get_attribute("data-score")
    problem = dashboard.locator("#refresh-problem")
    problem.evaluate(
        "line => new MutationObserver(() => { window.reports = (window.reports ?? 0) + 1 })"
        ".observe(line, {childList: true})"
    )
    dashboard.route(f"**{DASHBOARD}", lambda route: route.fulfill(status=500, body="broken"))
    dashboard.clock.fast_forward(60_000)
    expect(problem).to_contain_text("No refresh since")
    with dashboard.expect_response(f"**{DASHBOARD}"):
        dashboard.clock.fast_forward(60_000)
    assert dashboard.evaluate("window.reports") == 1
    assert dashboard.locator("[data-score]").get_attribute("data-score") == score
    dashboard.unroute(f"**{DASHBOARD}")
    a_minute_passes(dashboard)
    expect(problem).to_be_empty()
    browser_problems.clear()  # the failures above


def test_without_the_server_the_old_numbers_stay(dashboard, browser_problems):
    dashboard.route(f"**{DASHBOARD}", lambda route: route.abort())
    dashboard.clock.fast_forward(60_000)
    expect(dashboard.locator("#refresh-problem")).to_contain_text("No refresh since")
    expect(dashboard.get_by_role("heading", name="Alignment score")).to_be_visible()
    browser_problems.clear()


def test_an_ended_session_leads_to_the_login_and_is_not_swapped_in(dashboard, browser_problems):
    Session.objects.all().delete()
    dashboard.clock.fast_forward(60_000)
    expect(dashboard.locator("#refresh-problem")).to_contain_text("You are logged out")
    expect(dashboard.get_by_role("heading", name="Alignment score")).to_be_visible()
    dashboard.get_by_role("link", name="Log in again").click()
    expect(dashboard.get_by_label("Password")).to_be_visible()
    browser_problems.clear()


def test_a_hidden_tab_refreshes_once_visible(dashboard, refreshes):
    hide = "Object.defineProperty(document, 'hidden', {get: () => %s, configurable: true})"
    dashboard.evaluate(hide % "true")
    dashboard.clock.fast_forward(180_000)
    assert refreshes == []
    dashboard.evaluate(hide % "false")
    with dashboard.expect_response(f"**{DASHBOARD}"):
        dashboard.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_it_can_be_paused(dashboard, refreshes):
    pause = dashboard.get_by_role("button", name="Pause refresh")
    pause.click()
    dashboard.clock.fast_forward(180_000)
    assert refreshes == []
    with dashboard.expect_response(f"**{DASHBOARD}"):
        pause.click()
