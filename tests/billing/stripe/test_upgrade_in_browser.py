"""From the prompt in the product to the movement in the waterfall, in a real browser."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from billing.limits.plans import create_defaults
from billing.models import Plan, PlanPrice
from tests.api import staff_client
from tests.billing.limited_usage import limit, ran
from tests.billing.stripe_shop import WEBHOOK, Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="session")
def base_url(live_server):
    return live_server.url


@pytest.fixture
def shop(stripe_account, worker, live_server, settings):
    create_defaults()
    settings.PLUMBLINE_URL = live_server.url
    stripe_account.webhook_url = live_server.url + WEBHOOK
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


def check_usage():
    """Check, as the product does, whether ada may run another workflow."""
    body = {"distinct_id": "ada", "meter": "workflow_runs"}
    return staff_client().post("/api/billing/usage/check", body, format="json").json()


def follow_prompt(page):
    """Show the product's banner with the prompt, and follow its link."""
    prompt = check_usage()["prompt"]
    page.set_content(f'<p>{prompt["message"]}</p><a href="{prompt["upgrade_url"]}">Upgrade</a>')
    page.get_by_role("link", name="Upgrade").click()


def log_in(page, live_server, client):
    client.force_login(User.objects.create_superuser("staff"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
    page.context.add_cookies([cookie | {"url": live_server.url}])


def test_a_person_at_a_limit_pays_and_continues(page, shop, live_server, client):
    limit(3)
    ran(3, at=timezone.now())
    assert check_usage()["allowed"] is False
    follow_prompt(page)
    page.get_by_role("button", name="Decline the card").click()
    expect(page.locator("body")).to_contain_text("declined")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading")).to_have_text("Thank you")
    assert set(shop.stripe.deliver(copies=2)) == {200}
    answer = check_usage()
    assert (answer["allowed"], answer["current_plan"]) == (True, "pro")

    log_in(page, live_server, client)
    page.goto(f"{live_server.url}/admin/billing/revenue/")
    expect(page.locator("body")).to_contain_text("20.00 USD")
    month = f"{timezone.now():%B %Y}"
    page.get_by_role("link", name=month).first.click()
    expect(page.locator("#result_list")).to_contain_text("new")


def test_a_subscriber_gets_to_the_portal_and_back(page, shop, live_server):
    ran(3, at=timezone.now())
    limit(3)
    limit(3, plan="pro")
    subscription = shop.subscribes(shop.customer("ada"))
    shop.stripe.deliver()
    dear = shop.priced(9000)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="team"), price_id=dear)
    follow_prompt(page)
    expect(page.locator("body")).to_contain_text("Your subscription")
    assert subscription["status"] == "active"
    page.get_by_role("link", name="Return").click()
    expect(page.get_by_role("heading")).to_have_text("Thank you")
