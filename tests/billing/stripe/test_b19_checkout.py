"""B18, B19, B20, B23: what a checkout sells, and that a person has one that can be paid."""

import pytest

from analytics.models import Person
from billing.models import Plan, PlanPrice, StripeEvent
from billing.stripe import gateway, open_checkouts, subscriptions
from tests.billing.stripe_shop import Shop, create_person, deliver

pytestmark = pytest.mark.django_db
URL = "/api/billing/stripe/"


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada", proved=True)
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


@pytest.fixture
def metered(shop):
    meter = shop.call(
        "post",
        "/v1/billing/meters",
        display_name="Calls",
        event_name="calls",
        default_aggregation={"formula": "sum"},
    )
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter["id"]}
    price = shop.call(
        "post",
        "/v1/prices",
        product=shop.product,
        currency="usd",
        unit_amount=5,
        recurring=recurring,
    )
    return price["id"]


def sessions(status=None):
    filters = {"status": status} if status else {}
    return gateway.call("get", "/v1/checkout/sessions", limit=100, **filters)["data"]


def lines_of(session_id):
    path = f"/v1/checkout/sessions/{session_id}/line_items"
    rows = gateway.call("get", path)["data"]
    return [(row["price"], row["quantity"]) for row in rows]


def fields(answer):
    assert answer.status_code == 400, answer.content
    return [error["field"] for error in answer.json()["errors"]]


class TestMeteredPrices:
    def test_b19_a_metered_price_is_sold_without_a_quantity(self, ask, metered):
        answer = ask("checkout-session", price=metered)
        assert answer.status_code == 200, answer.content
        assert lines_of(answer.json()["id"]) == [(metered, None)]

    def test_b19_a_metered_price_in_an_upgrade_link_is_sold_without_a_quantity(
        self, shop, client, metered
    ):
        ada = Person.objects.get(distinct_ids="ada")
        url = gateway.checkout_url(ada, metered).removeprefix("http://localhost:8000")
        assert client.post(url).status_code == 302
        assert lines_of(sessions()[0]["id"]) == [(metered, None)]

    def test_b19_licensed_and_metered_prices_are_sold_together(self, shop, ask, metered):
        items = [{"plan": "pro", "quantity": 3}, {"price": metered}]
        answer = ask("checkout-session", items=items)
        assert answer.status_code == 200, answer.content
        assert lines_of(answer.json()["id"]) == [(shop.price, 3), (metered, None)]

    def test_b19_the_quantity_of_a_licensed_price_is_1_where_none_is_named(self, shop, ask):
        assert lines_of(ask("checkout-session", plan="pro").json()["id"]) == [(shop.price, 1)]

    def test_b04_a_checkout_sells_in_another_currency_of_the_price(self, shop, ask):
        price = shop.call(
            "post",
            "/v1/prices",
            product=shop.product,
            currency="usd",
            unit_amount=1000,
            recurring={"interval": "month"},
            currency_options={"eur": {"unit_amount": 900}},
        )["id"]
        assert ask("checkout-session", price=price, currency="eur").status_code == 200
        [session] = sessions()
        assert (session["currency"], session["amount_total"]) == ("eur", 900)

    @pytest.mark.parametrize("as_items", [True, False])
    def test_b19_a_quantity_of_a_metered_price_is_refused(self, ask, metered, as_items):
        line = {"price": metered, "quantity": 2}
        answer = ask("checkout-session", **({"items": [line]} if as_items else line))
        assert (fields(answer), sessions()) == (["quantity"], [])

    @pytest.mark.parametrize(
        ("items", "field"),
        [
            ([], "items"),
            ([{"price": "price_1"}] * 21, "items"),
            ([{}], "plan"),
            ([{"plan": "x"}], "plan"),
            ([{"plan": "pro", "quantity": 0}], "items.0.quantity"),
            ([{"plan": "pro", "quantty": 2}], "items.0.quantty"),
        ],
    )
    def test_b19_invalid_items_are_refused(self, shop, ask, items, field):
        assert (fields(ask("checkout-session", items=items)), sessions()) == ([field], [])

    def test_b19_items_beside_a_plan_are_refused(self, shop, ask):
        answer = ask("checkout-session", plan="pro", items=[{"price": shop.price}])
        assert fields(answer) == ["items"]

    def test_b19_changing_to_a_metered_price_sends_no_quantity(self, shop, ask, client, metered):
        shop.subscribes(shop.customer("ada"))
        shop.delivered(client)
        assert fields(ask("change-plan", price=metered, quantity=2)) == ["quantity"]
        answer = ask("change-plan", price=metered)
        assert answer.status_code == 200, answer.content
        assert answer.json()["items"][0]["quantity"] is None


class TestOpenSessions:
    def test_b23_a_second_request_gets_the_open_session(self, shop, ask):
        first, second = (ask("checkout-session", plan="pro").json() for _ in range(2))
        assert (first, len(sessions())) == (second, 1)

    def test_b23_another_offer_expires_the_open_session(self, shop, ask):
        ask("checkout-session", plan="pro")
        other = ask("checkout-session", plan="pro", quantity=2).json()["id"]
        assert [session["id"] for session in sessions("open")] == [other]

    def test_b23_a_link_and_the_api_leave_one_open_session(self, shop, ask, client):
        ask("checkout-session", plan="pro")
        ada = Person.objects.get(distinct_ids="ada")
        url = gateway.checkout_url(ada, shop.price).removeprefix("http://localhost:8000")
        location = client.post(url)["Location"]
        [session] = sessions("open")
        assert session["url"] == location
        buyer = gateway.fetch("customer", session["customer"])
        assert buyer is not None
        assert buyer["email"] is None

    def test_b23_a_link_whose_session_was_replaced_leads_to_a_new_one(self, shop, ask, client):
        ada = Person.objects.get(distinct_ids="ada")
        url = gateway.checkout_url(ada, shop.price).removeprefix("http://localhost:8000")
        first = client.post(url)["Location"]
        ask("checkout-session", plan="pro")
        second = client.post(url)["Location"]
        assert first != second
        assert [session["url"] for session in sessions("open")] == [second]

    def test_b23_a_session_that_was_paid_before_its_webhook_came_is_a_conflict(self, shop, ask):
        ask("checkout-session", plan="pro")
        shop.pays(sessions()[0])
        answer = ask("checkout-session", plan="pro", quantity=2)
        assert (answer.status_code, "change-plan" in answer.json()["detail"]) == (409, True)
        assert len(subscriptions.current(Person.objects.get(distinct_ids="ada"))) == 1

    def test_b23_a_session_that_expired_at_stripe_is_not_reused(self, shop, ask):
        first = ask("checkout-session", plan="pro").json()
        shop.call("post", f"/v1/checkout/sessions/{first['id']}/expire")
        assert ask("checkout-session", plan="pro").json()["id"] != first["id"]

    def test_b23_a_session_that_soon_expires_is_replaced(self, shop, ask):
        first = ask("checkout-session", plan="pro").json()
        kept = shop.stripe.state.objects["checkout.session"][first["id"]]
        kept["expires_at"] -= 24 * 3600 - 600
        assert ask("checkout-session", plan="pro").json()["id"] != first["id"]
        assert kept["status"] == "expired"

    def test_b23_of_sessions_created_at_once_one_stays_and_both_get_it(self, shop, ask):
        ask("checkout-session", plan="pro")
        ada = Person.objects.get(distinct_ids="ada")
        metadata = sessions()[0]["metadata"]
        kept = open_checkouts.keep_newest(ada, self.created_at_once(shop, metadata))
        assert [session["id"] for session in sessions("open")] == [kept["id"]]
        assert [session["id"] for session in sessions("expired")] != []

    def test_b23_of_two_offers_created_at_once_the_older_is_a_conflict(self, shop, ask):
        older = self.created_at_once(shop, {"distinct_id": "ada", "plumbline_offer": "another"})
        shop.stripe.state.objects["checkout.session"][older["id"]]["created"] -= 10
        ask("checkout-session", plan="pro")
        ada = Person.objects.get(distinct_ids="ada")
        with pytest.raises(subscriptions.SubscriptionConflict):
            open_checkouts.keep_newest(ada, older | {"created": older["created"] - 10})
        assert len(sessions("open")) == 1

    def created_at_once(self, shop, metadata):
        return shop.call(
            "post",
            "/v1/checkout/sessions",
            mode="subscription",
            line_items=[{"price": shop.price, "quantity": 1}],
            metadata=metadata,
            success_url="https://example.com",
        )

    def test_b23_the_same_key_gets_the_same_session(self, shop, ask):
        first, second = (ask("checkout-session", plan="pro", key="k").json() for _ in range(2))
        assert first == second

    def test_b23_another_id_of_the_person_has_no_session_of_its_own(self, shop, ask):
        ask("checkout-session", plan="pro")
        Person.objects.get(distinct_ids="ada").distinct_ids.create(pk="ada-2", proved=True)
        ask("checkout-session", plan="pro", distinct_id="ada-2")
        assert len(sessions("open")) == 1

    @pytest.mark.parametrize(
        "event_type", ["checkout.session.completed", "customer.subscription.created"]
    )
    def test_b23_a_purchase_expires_what_else_is_open(self, shop, ask, client, event_type):
        ask("checkout-session", plan="pro")
        other = shop.call(
            "post",
            "/v1/checkout/sessions",
            mode="subscription",
            line_items=[{"price": shop.price, "quantity": 1}],
            metadata={"distinct_id": "ada"},
            subscription_data={"metadata": {"distinct_id": "ada"}},
            success_url="https://example.com",
            customer_email="ada@example.com",
        )
        shop.pays(other)
        for event in shop.stripe.events:
            if event["type"] == event_type:
                deliver(client, shop.stripe, event)
        assert sessions("open") == []
        assert set(StripeEvent.objects.values_list("state", flat=True)) == {"applied"}


class TestAnyText:
    @pytest.mark.parametrize("name", ["名前@example.jp", "Zoë O'Hara / 50 %", "x" * 200, "a\tb"])
    def test_b18_a_checkout_is_possible_for_any_distinct_id(self, shop, ask, name):
        create_person(name, proved=True)
        answer = ask("checkout-session", plan="pro", distinct_id=name)
        assert answer.status_code == 200, answer.content
        assert sessions()[0]["client_reference_id"] == name

    @pytest.mark.parametrize("key", ["caf\xe9", "k" * 200, "a b/%?"])
    def test_b18_any_idempotency_key_reaches_stripe_as_ascii(self, shop, ask, key):
        answers = [ask("checkout-session", plan="pro", key=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert len(sessions()) == 1

    @pytest.mark.parametrize("price", ["../customers", "名前", "a?b=c", "price_1/../x", " "])
    def test_b20_a_price_that_was_typed_is_looked_up_as_it_is(self, shop, ask, price):
        assert fields(ask("checkout-session", price=price)) == ["price"]

    def test_b20_an_older_plan_is_sold_by_its_id(self, shop, ask):
        kept = shop.stripe.state.objects["price"]
        kept["gold monthly/€"] = kept[shop.price] | {"id": "gold monthly/€"}
        answer = ask("checkout-session", price="gold monthly/€")
        assert answer.status_code == 200, answer.content
        assert lines_of(answer.json()["id"]) == [("gold monthly/€", 1)]


def test_the_page_of_a_link_explains_a_checkout_that_was_paid_meanwhile(shop, client):
    ada = Person.objects.get(distinct_ids="ada")
    url = gateway.checkout_url(ada, shop.price).removeprefix("http://localhost:8000")
    client.post(url)
    shop.pays(sessions()[0])
    assert "This link buys nothing more" in client.post(url).content.decode()
    assert "You already have a subscription" in client.get(url).content.decode()
