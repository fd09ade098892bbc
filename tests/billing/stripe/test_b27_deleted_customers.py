"""B27: the subscriptions of a deleted customer have ended, in every number and on every page."""

import json
from datetime import UTC, datetime
from itertools import permutations

import pytest

from analytics.models import Person
from billing.limits import plans
from billing.models import MrrMovement, Plan, RevenueCustomer
from billing.revenue import ledger
from billing.stripe import gateway, loading, subscriptions, sync
from tests.billing.stripe_shop import Shop, create_person, deliver
from tests.events import NOON

pytestmark = pytest.mark.django_db
DELETED_AT = 1_790_000_000  # 2026-09-21


@pytest.fixture
def shop(stripe_account, worker):
    shop = Shop(stripe_account)
    Plan.objects.get(slug="pro").prices.create(price_id=shop.price)
    create_person("ada")
    return shop


@pytest.fixture
def sold(shop):
    """The ids of a customer and its subscription."""
    customer = shop.customer("ada")
    return customer, shop.subscribes(customer)["id"]


def truths():
    """Return the plan, the MRR, and the statuses of the person's and all subscriptions."""
    ada = Person.objects.get(distinct_ids="ada")
    mrr = sum(RevenueCustomer.objects.values_list("mrr", flat=True))
    statuses = {row["status"] for row in gateway.subscriptions_of()}
    own = len(subscriptions.current(ada))
    return plans.plan_of(ada.pk, now=NOON).slug, mrr, own, statuses


NOTHING_LEFT = ("free", 0, 0, {"canceled"})


def deliver_all_but(shop, client, event_type):
    for event in shop.stripe.events:
        if event["type"] != event_type:
            deliver(client, shop.stripe, event)


@pytest.mark.parametrize("status", ["active", "past_due", "trialing", "unpaid"])
def test_b27_deleting_a_customer_ends_its_subscriptions(shop, client, sold, status):
    customer, subscription = sold
    shop.stripe.state.objects["subscription"][subscription]["status"] = status
    shop.delivered(client)
    shop.call("delete", f"/v1/customers/{customer}")
    shop.stripe.state.objects["subscription"][subscription]["status"] = status  # a lost event
    deliver_all_but(shop, client, "customer.subscription.deleted")
    assert truths() == NOTHING_LEFT


def test_b27_sync_ends_the_subscriptions_of_a_customer_whose_deletion_was_missed(
    shop, client, sold
):
    shop.delivered(client)
    assert truths() == ("pro", 2000, 1, {"active"})
    shop.call("delete", f"/v1/customers/{sold[0]}")
    sync.sync()
    assert truths() == NOTHING_LEFT


def objects(shop, sold):
    """Return the customer and the subscription before, and the deleted customer."""
    customer, subscription = sold
    kept = [
        gateway.call("get", f"/v1/customers/{customer}"),
        gateway.call("get", f"/v1/subscriptions/{subscription}"),
    ]
    deleted = {
        "id": "evt_deleted",
        "object": "event",
        "type": "customer.deleted",
        "created": DELETED_AT,
        "livemode": False,
        "data": {"object": kept[0]},
    }
    return [json.dumps(row) for row in (*kept, deleted)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_b27_a_file_may_name_the_deletion_in_any_order(shop, sold, order):
    lines = objects(shop, sold)
    loading.load([lines[number] for number in order])
    assert truths()[1:] == NOTHING_LEFT[1:]


def test_b27_the_deletion_is_churn_on_its_day(shop, client, sold):
    at = datetime.fromtimestamp(DELETED_AT, UTC)
    customer, subscription = sold
    shop.delivered(client)
    shop.stripe.state.objects["subscription"][subscription]["created"] = DELETED_AT - 86400 * 9
    shop.stripe.state.objects["subscription"][subscription]["start_date"] = DELETED_AT - 86400 * 9
    gateway.note_deletion(customer, at)
    gateway.store({"id": customer, "object": "customer", "deleted": True}, as_of=gateway.moment())
    stored = gateway.stored("subscription", subscription)
    assert stored
    assert (stored["status"], stored["ended_at"]) == ("canceled", DELETED_AT)


def test_b27_a_deletion_that_comes_again_changes_nothing(shop, client, sold):
    shop.delivered(client)
    shop.call("delete", f"/v1/customers/{sold[0]}")
    shop.delivered(client)
    before = list(MrrMovement.objects.order_by("pk").values_list("day", "kind", "amount"))
    shop.delivered(client)
    sync.sync()
    ledger.rebuild()
    rows = MrrMovement.objects.order_by("pk").values_list("day", "kind", "amount")
    assert sorted(rows) == sorted(before)


def test_b27_an_older_version_of_a_subscription_does_not_bring_it_back(shop, client, sold):
    customer, subscription = sold
    before = gateway.call("get", f"/v1/subscriptions/{subscription}")
    shop.delivered(client)
    shop.call("delete", f"/v1/customers/{customer}")
    shop.delivered(client)
    gateway.store(before, as_of=gateway.moment(), read_now=True)
    assert truths()[3] == {"canceled"}
