"""The dashboard in a real browser."""

import itertools
import re

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from analytics.capture import capture
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.ingest import store
from analytics.models import Counter, Person
from operational.kpis.goals import set_goal
from operational.overview import demo_data
from tests import sdk
from tests.demo_company import load_demo
from tests.events import record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DASHBOARD = "/admin/operational/"
PERSONS = "/admin/analytics/person/"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def staff(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return User.objects.create_superuser("ada", "ada@example.com", PASSWORD)


ARMED = """
    const live = () => document.getElementById("live");
    let armed = live();
    document.body.addEventListener("htmx:load", (event) => {
        if (event.detail.elt.id === "live") armed = event.detail.elt;
    });
    window.isArmed = () => armed === live();
"""


def a_minute_passes(page):
    """Let a minute pass once htmx has armed the next refresh of the swapped-in content."""
    page.wait_for_function("isArmed()")
    page.clock.fast_forward(60_000)


@pytest.fixture
def browser_problems(page, live_server):
    """Collect what the browser reports: errors, CSP violations, requests to other hosts."""
    messages = []
    page.on("console", lambda m: m.type in {"error", "warning"} and messages.append(m.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on(
        "request",
        lambda r: (
            r.url.startswith((live_server.url, "data:")) or messages.append(f"requested {r.url}")
        ),
    )
    return messages


@pytest.fixture(autouse=True)
def no_browser_problems(browser_problems):
    yield
    assert browser_problems == []


@pytest.fixture
def logged_in(page, client, staff, live_server):
    client.force_login(staff)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


@pytest.fixture
def company():
    load_demo(persons=120, days=60)


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


def test_after_five_wrong_passwords_the_account_is_locked(page, browser_problems):
    for _ in range(5):
        page.goto(DASHBOARD)
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Too many attempts to log in")).to_be_visible()
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


class TestRefresh:
    """The clock of the page is the test's."""

    @pytest.fixture
    def dashboard(self, logged_in, company):
        logged_in.clock.install(time=timezone.now())
        logged_in.goto(DASHBOARD)
        logged_in.evaluate(ARMED)
        return logged_in

    @pytest.fixture
    def refreshes(self, dashboard):
        seen = []
        dashboard.on("request", lambda r: r.headers.get("hx-request") and seen.append(r.url))
        return seen

    def test_a_refresh_each_minute_updates_numbers_and_keeps_focus_and_scroll(self, dashboard):
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

    def test_it_keeps_refreshing(self, dashboard):
        for target in (0.98, 0.97):
            set_goal(kpi="d7_retention", target=target, weight=20)
            a_minute_passes(dashboard)
            expect(dashboard.locator("[data-kpi=d7_retention]")).to_contain_text(
                f"target {target:.1%}".replace("%", " %")
            )

    def test_a_changed_score_is_announced_and_an_unchanged_one_is_not(self, dashboard):
        announcement = dashboard.locator("#refresh-announcement")
        with dashboard.expect_response(f"**{DASHBOARD}"):
            dashboard.clock.fast_forward(60_000)
        expect(announcement).to_be_empty()
        set_goal(kpi="d7_retention", target=0.99, weight=20)
        a_minute_passes(dashboard)
        expect(announcement).to_have_text(re.compile(r"The alignment score is now \d+\.\d\."))

    def test_a_failed_refresh_is_reported_once_and_keeps_the_old_numbers(
        self, dashboard, browser_problems
    ):
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

    def test_without_the_server_the_old_numbers_stay(self, dashboard, browser_problems):
        dashboard.route(f"**{DASHBOARD}", lambda route: route.abort())
        dashboard.clock.fast_forward(60_000)
        expect(dashboard.locator("#refresh-problem")).to_contain_text("No refresh since")
        expect(dashboard.get_by_role("heading", name="Alignment score")).to_be_visible()
        browser_problems.clear()

    def test_an_ended_session_leads_to_the_login_and_is_not_swapped_in(
        self, dashboard, browser_problems
    ):
        Session.objects.all().delete()
        dashboard.clock.fast_forward(60_000)
        expect(dashboard.locator("#refresh-problem")).to_contain_text("You are logged out")
        expect(dashboard.get_by_role("heading", name="Alignment score")).to_be_visible()
        dashboard.get_by_role("link", name="Log in again").click()
        expect(dashboard.get_by_label("Password")).to_be_visible()
        browser_problems.clear()

    def test_a_hidden_tab_refreshes_once_visible(self, dashboard, refreshes):
        hide = "Object.defineProperty(document, 'hidden', {get: () => %s, configurable: true})"
        dashboard.evaluate(hide % "true")
        dashboard.clock.fast_forward(180_000)
        assert refreshes == []
        dashboard.evaluate(hide % "false")
        with dashboard.expect_response(f"**{DASHBOARD}"):
            dashboard.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def test_it_can_be_paused(self, dashboard, refreshes):
        pause = dashboard.get_by_role("button", name="Pause refresh")
        pause.click()
        dashboard.clock.fast_forward(180_000)
        assert refreshes == []
        with dashboard.expect_response(f"**{DASHBOARD}"):
            pause.click()


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
    assert (Person.objects.exists(), demo_data.persons()) == (False, 0)
    assert not Counter.objects.filter(value__gt=0).exists()


@pytest.fixture
def two_people():
    """Ada, and an anonymous person who is Ada's laptop."""
    store(
        [
            record("signed_up", "ada", properties={"$set": {"name": "Ada", "plan": "pro"}}),
            record("used", "laptop", properties={"$set": {"plan": "free", "browser": "Firefox"}}),
        ]
    )


def test_two_persons_are_merged_after_a_preview_and_the_merge_is_undone(logged_in, two_people):
    logged_in.goto(f"{PERSONS}?q=ada")
    logged_in.get_by_role("link", name=re.compile("^person")).click()
    logged_in.get_by_label("Merge another person into this one").fill("laptop")
    logged_in.get_by_role("button", name="Preview merge").click()
    expect(logged_in.get_by_role("heading", name="Merge these two persons?")).to_be_visible()
    expect(logged_in.get_by_role("row", name="plan pro free")).to_be_visible()
    logged_in.get_by_role("button", name="Merge persons").click()
    expect(logged_in.get_by_text("“laptop” was merged into this person.")).to_be_visible()
    expect(logged_in.locator("code", has_text="laptop")).to_be_visible()
    logged_in.get_by_role("link", name="Undo… the merge of laptop").click()
    expect(logged_in.get_by_role("heading", name="Preview of undoing this merge")).to_be_visible()
    logged_in.get_by_role("button", name="Undo this merge").click()
    expect(logged_in.get_by_text("“laptop” is a separate person again.")).to_be_visible()
    assert Person.objects.count() == 2


def test_persons_are_excluded_by_a_rule_after_a_preview(logged_in, two_people):
    logged_in.goto("/admin/analytics/exclusionrule/add/")
    logged_in.get_by_label("Name", exact=False).first.fill("Free plan")
    logged_in.get_by_label("Property name").fill("plan")
    logged_in.get_by_label("Property value").fill("free")
    logged_in.get_by_role("button", name="Save").click()
    expect(logged_in.get_by_text("1 of the 2 included persons")).to_be_visible()
    logged_in.get_by_role("button", name="Save rule").click()
    expect(logged_in.get_by_text("1 person excluded from all metrics.")).to_be_visible()
    logged_in.get_by_role("link", name="Show matching persons").click()
    expect(logged_in.get_by_role("cell", name="Excluded by a rule")).to_be_visible()


PAGES = [
    PERSONS,
    "/admin/analytics/personmerge/",
    "/admin/analytics/exclusionrule/add/",
    DASHBOARD,
    f"{DASHBOARD}kpis/activation_rate/",
    f"{DASHBOARD}kpis/ltv_cac/",
    f"{DASHBOARD}kpigoal/",
    f"{DASHBOARD}kpireading/",
    f"{DASHBOARD}demo/remove/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_screen(logged_in, company, width, scheme):
    logged_in.emulate_media(color_scheme=scheme)
    logged_in.set_viewport_size({"width": width, "height": 844})
    first, second = Person.objects.prefetch_related("distinct_ids")[:2]
    person_page = f"{PERSONS}{first.pk}"
    merge = f"{person_page}/merge/?distinct_id={second.distinct_ids.all()[0]}"
    wide = []
    for url in [*PAGES, f"{person_page}/change/", merge]:
        logged_in.goto(url)
        expect(logged_in.locator("html")).to_have_class("dark" if scheme == "dark" else "")
        if logged_in.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(url)
    assert wide == []


def test_the_waiting_page_is_not_wider_than_a_phone(logged_in):
    logged_in.set_viewport_size({"width": 390, "height": 844})
    logged_in.goto(DASHBOARD)
    expect(logged_in.get_by_role("heading", name="Send the first event")).to_be_visible()
    assert logged_in.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_keyboard_reaches_the_content_first_and_the_kpis_in_order(logged_in, company):
    logged_in.goto(DASHBOARD)
    logged_in.keyboard.press("Tab")
    expect(logged_in.get_by_role("link", name="Skip to content")).to_be_focused()
    logged_in.keyboard.press("Enter")
    names = []
    expect(logged_in.locator("#tile-active-hour")).to_be_visible()
    for _ in range(30):
        logged_in.keyboard.press("Tab")
        if not logged_in.evaluate("Boolean(document.activeElement.closest('#now'))"):
            names.append(logged_in.evaluate("document.activeElement.id"))
    assert names[:3] == ["pause", "remove-demo", "gap"]
    kpis = logged_in.locator(".pl-kpi-name a").evaluate_all("links => links.map(l => l.id)")
    assert names[3] == "revenue"
    assert names[4:12] == kpis
    assert names[12] == "cohorts-scroll"


def test_every_picture_has_a_text_and_headings_skip_no_level(logged_in, company):
    logged_in.goto(DASHBOARD)
    nameless = logged_in.locator("main svg[role=img]:not([aria-label]):not([aria-labelledby])")
    expect(nameless).to_have_count(0)
    levels = logged_in.locator("h1, main h2, main h3").evaluate_all(
        "headings => headings.map(h => Number(h.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(now - before <= 1 for before, now in itertools.pairwise(levels))
    expect(logged_in.get_by_role("main")).to_have_count(1)


def test_the_api_page_lists_every_endpoint(page, browser_problems, live_server):
    page.goto(f"{live_server.url}/api/docs/")
    expect(page.get_by_text("/api/operational/alignment-score")).to_be_visible()
