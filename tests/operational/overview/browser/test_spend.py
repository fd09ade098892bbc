"""The pages of spend in a browser: they fit the screen, and a file is uploaded from a preview."""

import pytest
from playwright.sync_api import expect

from billing.revenue import ledger
from growth.models import SpendDay
from tests.billing.stripe_json import Store
from tests.growth.spend import company
from tests.growth.spend.company import AS_OF, line, record

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE, ADD = f"/admin/growth/acquisition/?as_of={AS_OF}", "/admin/growth/spend/add/"
LISTS = ["/admin/growth/spendday/", "/admin/growth/channelalias/"]


@pytest.fixture
def spent(monkeypatch):
    """Customers of a channel, of another and of none, and spend on two channels."""
    stripe = Store().install(monkeypatch)
    for number in range(40):
        company.subscribe(stripe, number, since="2024-06-05" if number > 15 else "2024-01-01")
        if number > 20:
            source = "google" if number % 3 else "linkedin"
            stripe.persons[f"cus_{number}"] = company.person("2024-06-01", source=source).pk
    ledger.rebuild(now=company.NOW)
    days = "2024-04-02", "2024-06-30"
    record(line(300_000, *days, campaign="spring"), line(90_000, *days, channel="bing"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.usefixtures("spent")
def test_no_page_is_wider_than_the_screen(logged_in, width, scheme):
    logged_in.emulate_media(color_scheme=scheme)
    logged_in.set_viewport_size({"width": width, "height": 844})
    wide = []
    for url in [PAGE, ADD, *LISTS]:
        logged_in.goto(url)
        if logged_in.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(url)
    assert wide == []


def test_a_file_is_previewed_and_then_stored(logged_in):
    logged_in.goto("/admin/growth/acquisition/")
    logged_in.get_by_role("link", name="Enter spend").first.click()
    content = b"channel,day,amount\nadwords,2024-06-01,1.00\nx,2024-06-01,2\n"
    file = {"name": "spend.csv", "mimeType": "text/csv", "buffer": content}
    logged_in.locator("#field-file").set_input_files(file)
    logged_in.locator("#csv button").click()
    expect(logged_in.locator("#added")).to_have_text("2")
    assert not SpendDay.objects.exists()
    logged_in.get_by_role("button", name="Store").click()
    expect(logged_in.get_by_text("Stored: 2 days added")).to_be_visible()
    assert SpendDay.objects.count() == 2
