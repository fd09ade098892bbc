"""B09: who pays has the rights that they pay for, whichever became known first."""

from itertools import permutations

import pytest

from analytics.models import DistinctId, Event, Person
from billing import tasks
from billing.limits import plans
from billing.models import Plan, StripeCustomer
from billing.stripe import customers, gateway, sessions, subscriptions
from tests.billing.stripe_shop import Shop, create_person, deliver
from tests.events import NOON

pytestmark = pytest.mark.django_db
STEPS = ["person", "customer", "subscription"]


@pytest.fixture
def shop(stripe_account, worker):
    shop = Shop(stripe_account)
    Plan.objects.get(slug="pro").prices.create(price_id=shop.price)
    return shop


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


def plan_of(distinct_id):
    return plans.plan_of(person(distinct_id).pk, now=NOON).slug


def links():
    return dict(StripeCustomer.objects.values_list("distinct_id", "proof"))


def prove_address(distinct_id, email):
    Person.objects.filter(distinct_ids=distinct_id).update(
        properties={"email": email}, proved={"email": email}
    )
    DistinctId.objects.filter(pk=distinct_id).update(proved=True)


class Sale:
    """A person, its Stripe customer and subscription, which become known one by one."""

    def __init__(self, shop, client, naming):
        self.shop, self.client = shop, client
        customer = shop.customer("ada" if naming == "customer" else "")
        metadata = {"distinct_id": "ada"} if naming == "subscription" else {}
        shop.subscribes(customer, metadata=metadata)

    def person(self):
        create_person("ada")

    def customer(self):
        self._deliver("customer.created")

    def subscription(self):
        self._deliver("customer.subscription.created")

    def _deliver(self, event_type):
        for event in self.shop.stripe.events:
            if event["type"] == event_type:
                deliver(self.client, self.shop.stripe, event)


@pytest.mark.parametrize("naming", ["customer", "subscription"])
@pytest.mark.parametrize("order", list(permutations(STEPS)))
def test_b09_who_pays_is_linked_in_every_order(shop, client, naming, order):
    sale = Sale(shop, client, naming)
    for step in order:
        getattr(sale, step)()
    tasks.apply_pending_stripe_events()
    assert (links(), plan_of("ada")) == ({"ada": "metadata"}, "pro")


def test_b09_a_late_link_brings_the_timeline(shop, client):
    shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    create_person("ada")
    tasks.apply_pending_stripe_events()
    assert Event.objects.filter(distinct_id="ada", event="subscription_created").count() == 1


def test_b09_the_api_links_at_once(shop, client):
    customer = shop.customer("ada")
    shop.delivered(client)
    create_person("ada")
    customers.link_late(distinct_ids=["ada"])
    assert gateway.customer_ids_of(person("ada").pk) == [customer]


def test_b09_a_checkout_for_a_late_person_uses_its_customer(shop, client):
    customer = shop.customer("ada")
    shop.delivered(client)
    create_person("ada")
    person_of_ada = subscriptions.proved_person_of("ada")
    session = sessions.checkout_session(
        person_of_ada, "ada", [sessions.CheckoutLine(shop.price, 1)]
    )
    assert session["customer"] == customer


def test_b09_a_checkout_session_names_its_customer_too(shop, client):
    session = shop.call(
        "post",
        "/v1/checkout/sessions",
        mode="subscription",
        line_items=[{"price": shop.price, "quantity": 1}],
        metadata={"distinct_id": "ada"},
        customer_email="ada@example.com",
        success_url="https://example.com",
    )
    shop.pays(session)
    shop.delivered(client)
    create_person("ada")
    tasks.apply_pending_stripe_events()
    assert (links(), plan_of("ada")) == ({"ada": "metadata"}, "pro")


class TestAddresses:
    def test_b09_an_address_that_is_proved_later_links(self, shop, client):
        create_person("ada")
        shop.subscribes(shop.customer(email="ada@example.com"))
        shop.delivered(client)
        prove_address("ada", "Ada@example.com")
        tasks.apply_pending_stripe_events()
        assert (links(), plan_of("ada")) == ({"ada": "email"}, "pro")

    def test_b09_an_address_that_is_only_claimed_does_not_link_later(self, shop, client):
        shop.subscribes(shop.customer(email="ada@example.com"))
        shop.delivered(client)
        create_person("mallory")
        Person.objects.update(properties={"email": "ada@example.com"})
        tasks.apply_pending_stripe_events()
        assert (links(), plan_of("mallory")) == ({}, "free")

    def test_b09_a_second_customer_is_not_linked_by_an_address(self, shop, client):
        create_person("ada")
        prove_address("ada", "ada@example.com")
        shop.customer("ada")
        other = shop.customer(email="ada@example.com")
        shop.delivered(client)
        tasks.apply_pending_stripe_events()
        assert not StripeCustomer.objects.filter(pk=other).exists()

    def test_b09_metadata_replaces_a_link_by_address(self, shop, client):
        for name in ("ada", "ben"):
            create_person(name)
        prove_address("ada", "office@example.com")
        customer = shop.customer(email="office@example.com")
        shop.delivered(client)
        assert links() == {"ada": "email"}
        shop.subscribes(customer, metadata={"distinct_id": "ben"})
        shop.delivered(client)
        assert links() == {"ben": "metadata"}


class TestLaterDecisions:
    def named(self, shop, client, customer, distinct_id):
        metadata = {"distinct_id": distinct_id}
        shop.call("post", f"/v1/customers/{customer}", metadata=metadata)
        shop.delivered(client)

    @pytest.fixture
    def customer(self, shop, client):
        for name in ("ada", "ben"):
            create_person(name)
        customer = shop.customer("ada")
        shop.delivered(client)
        return customer

    def test_b09_a_customer_whose_metadata_changes_gets_the_new_person(
        self, shop, client, customer
    ):
        self.named(shop, client, customer, "ben")
        assert links() == {"ben": "metadata"}

    def test_b09_a_link_by_staff_stays(self, shop, client, customer):
        customers.link_by_hand(customer, "ada")
        self.named(shop, client, customer, "ben")
        tasks.apply_pending_stripe_events()
        assert links() == {"ada": "staff"}

    def test_b09_a_refused_link_does_not_come_back_later(self, customer):
        customers.refuse(customer, "ada", by="admin")
        tasks.apply_pending_stripe_events()
        assert links() == {}
