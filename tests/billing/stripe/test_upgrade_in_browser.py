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
    expect(page.get_by_role("heading")).to_have_text("Upgrade to Pro")
    page.get_by_role("button", name="Continue to checkout").click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_role("button", name="Decline the card").click()
    expect(page.locator("body")).to_contain_text("declined")
    page.get_by_label("E-mail").fill("ada@example.com")
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


def test_s01_a_subscriber_is_asked_to_log_in_at_stripe(page, shop):
    ran(3, at=timezone.now())
    limit(3)
    limit(3, plan="pro")
    shop.subscribes(shop.customer("ada"))
    shop.stripe.deliver()
    dear = shop.priced(9000)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="team"), price_id=dear)
    follow_prompt(page)
    expect(page.get_by_role("heading")).to_have_text("You already have a subscription")
    page.get_by_role("link", name="Log in at Stripe").click()
    expect(page.locator("body")).to_contain_text("Stripe would send a link")
