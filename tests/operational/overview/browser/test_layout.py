"""Pages fit the screen, and keyboards and screen readers reach their content."""

import itertools

import pytest
from playwright.sync_api import expect

from analytics.models import Person
from tests.operational.overview.browser.addresses import DASHBOARD, PERSONS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

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
