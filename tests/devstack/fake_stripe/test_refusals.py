"""The fake Stripe refuses what Stripe refuses: asked through the real library."""

import json
from pathlib import Path

import pytest
import requests
import stripe

from devstack.fake_stripe import FakeStripe
from tests.devstack.fake_stripe.stripe_calls import again, new_customer, new_price, subscribe

pytestmark = pytest.mark.usefixtures("fake_stripe")


def refusal(call, **parameters):
    with pytest.raises(stripe.StripeError) as caught:
        call(**parameters)
    return caught.value


@pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_" + "1" * 24, "rk_live_" + "1" * 24])
def test_another_api_key_is_refused(key):
    error = refusal(stripe.Customer.list, api_key=key)
    assert isinstance(error, stripe.AuthenticationError)
    assert error.http_status == 401


def test_a_missing_key_is_refused(fake_stripe):
    assert requests.get(f"{fake_stripe.url}/v1/customers", timeout=10).status_code == 401


def test_an_unknown_parameter_is_named():
    error = refusal(stripe.Customer.create, color="red")
    assert (error.http_status, error.code, error.param) == (400, "parameter_unknown", "color")


def test_an_unknown_nested_parameter_is_named_in_full():
    error = refusal(new_price, recurring={"interval": "month", "often": 1})
    assert (error.code, error.param) == ("parameter_unknown", "recurring[often]")


def test_a_missing_parameter_is_named():
    error = refusal(stripe.Price.create, currency="usd", unit_amount=1)
    assert (error.code, error.param) == ("parameter_missing", "product")


def test_a_missing_nested_parameter_is_named_in_full():
    error = refusal(stripe.Subscription.create, customer=new_customer().id, items=[{"quantity": 2}])
    assert (error.code, error.param) == ("parameter_missing", "items[0][price]")


def test_an_amount_that_is_not_an_integer_is_refused():
    error = refusal(new_price, amount="9.99")
    assert (error.code, error.param) == ("parameter_invalid_integer", "unit_amount")


def test_an_invalid_interval_is_refused():
    assert refusal(new_price, interval="fortnight").param == "recurring[interval]"


def test_an_unknown_object_is_not_found():
    error = refusal(stripe.Customer.retrieve, id="cus_unknown")
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert "No such customer: 'cus_unknown'" in str(error)


def test_an_unknown_id_in_a_parameter_is_a_bad_request():
    items = [{"price": "price_none"}]
    error = refusal(stripe.Subscription.create, customer=new_customer().id, items=items)
    assert (error.http_status, error.param) == (400, "items[0][price]")


def test_an_unknown_address_is_not_found(fake_stripe):
    headers = {"Authorization": f"Bearer {fake_stripe.api_key}"}
    answer = requests.get(f"{fake_stripe.url}/v1/nothing", headers=headers, timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_the_same_idempotency_key_gives_the_same_response(fake_stripe):
    first, second = (stripe.Customer.create(name="A", idempotency_key="key") for _ in range(2))
    assert first.id == second.id
    assert len(stripe.Customer.list().data) == 1


def test_an_idempotency_key_with_other_parameters_is_refused():
    stripe.Customer.create(name="A", idempotency_key="key")
    error = refusal(stripe.Customer.create, name="B", idempotency_key="key")
    assert isinstance(error, stripe.IdempotencyError)


def test_the_event_names_the_idempotency_key(fake_stripe):
    stripe.Customer.create(idempotency_key="key")
    assert fake_stripe.events[-1]["request"]["idempotency_key"] == "key"


def test_an_expanded_id_becomes_an_object():
    subscription = subscribe(new_customer(name="Ada"), expand=["customer", "latest_invoice"])
    assert subscription.customer.name == "Ada"
    assert subscription.latest_invoice.status == "paid"


def test_objects_in_a_list_are_expanded():
    subscribe(new_customer(name="Ada"))
    listed = stripe.Subscription.list(expand=["data.customer", "data.latest_invoice.payments"])
    assert listed.data[0].customer.name == "Ada"
    assert listed.data[0].latest_invoice.payments.data[0].status == "paid"


def test_other_fields_cannot_be_expanded():
    new_customer("")
    assert "cannot be expanded" in str(refusal(stripe.Customer.list, expand=["data.color"]))


def test_pages_follow_each_other_newest_first():
    made = [stripe.Customer.create().id for _ in range(5)]
    first = stripe.Customer.list(limit=2)
    assert ([customer.id for customer in first.data], first.has_more) == (made[:-3:-1], True)
    assert [customer.id for customer in first.auto_paging_iter()] == made[::-1]


def test_a_page_before_an_object_has_its_nearest_neighbors():
    made = [stripe.Customer.create().id for _ in range(4)]
    page = stripe.Customer.list(limit=2, ending_before=made[0])
    assert [customer.id for customer in page.data] == [made[2], made[1]]


def test_lists_are_filtered():
    stripe.Customer.create(email="a@example.com")
    stripe.Customer.create(email="b@example.com")
    assert [customer.email for customer in stripe.Customer.list(email="b@example.com").data] == [
        "b@example.com"
    ]


def test_metadata_is_merged_and_an_empty_text_removes_a_key():
    customer = stripe.Customer.create(metadata={"a": "1", "b": "2"})
    changed = stripe.Customer.modify(customer.id, metadata={"b": "", "c": "3"})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}


def test_a_seed_gives_the_same_ids():
    servers = [FakeStripe(seed=7), FakeStripe(seed=7), FakeStripe(seed=8)]
    ids = [server.state.new_id("cus") for server in servers]
    for server in servers:
        server.stop()
    assert ids[0] == ids[1] != ids[2]


def test_a_file_keeps_everything_across_restarts(tmp_path: Path, monkeypatch):
    servers = []
    for _ in range(2):
        servers.append(FakeStripe(data=tmp_path / "stripe.json", webhook_url="http://127.0.0.1:9/"))
        servers[-1].start()
        monkeypatch.setattr(stripe, "api_base", servers[-1].url)
        if len(servers) == 1:
            subscription = subscribe(new_customer())
        else:
            assert again(subscription) == subscription
            assert len(servers[1].state.undelivered) == len(servers[1].events)
        servers[-1].stop()


def half_done():
    """Calls that are refused for the last thing they say."""
    price, customer = new_price(), new_customer()
    items, bad = [{"price": price.id}], [{"coupon": "none"}]
    kept = subscribe(customer, price)
    return [
        (stripe.Customer.create, {"payment_method": "pm_none"}),
        (new_price, {"amount": None}),
        (stripe.Subscription.create, {"customer": customer.id, "items": items, "discounts": bad}),
        (stripe.Subscription.modify, {"id": kept.id, "metadata": {"a": "b"}, "discounts": bad}),
        (stripe.Subscription.modify, {"id": kept.id, "metadata": {"a": "b"}, "cancel_at": 1}),
        (stripe.Invoice.pay, {"invoice": kept.latest_invoice}),
    ]


def contents(fake_stripe):
    return json.dumps({kind: kept for kind, kept in fake_stripe.state.objects.items() if kept})


def test_a_refused_request_changes_nothing(fake_stripe):
    for call, parameters in half_done():
        before = contents(fake_stripe)
        assert refusal(call, **parameters).http_status == 400
        assert contents(fake_stripe) == before, parameters


def test_a_bug_of_the_fake_is_an_api_error(fake_stripe, monkeypatch, capsys):
    monkeypatch.setattr(fake_stripe.state, "new_id", None)
    assert isinstance(refusal(stripe.Customer.create), stripe.APIError)
    assert "TypeError" in capsys.readouterr().err


def test_a_deleted_customer_is_a_stub_and_not_listed():
    customer = new_customer()
    subscription = subscribe(customer)
    stripe.Customer.delete(customer.id)
    assert stripe.Customer.retrieve(customer.id).deleted is True
    assert stripe.Customer.list().data == []
    assert again(subscription).status == "canceled"
