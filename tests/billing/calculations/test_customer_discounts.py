"""The customer's discount counts while its subscriptions have none. Amounts are cents."""

from itertools import permutations

import pytest

from billing.calculations.history import customer_history
from billing.calculations.versions.customer_discounts import CustomerRecord
from tests.billing.stripe_json import at, coupon, item, price, subscription

FAR = at("2030-01-01")
HALF = coupon(percent=50, start="2024-02-01")
FREE = coupon(percent=100, start="2024-03-01") | {"id": "di_2"}
PAID = subscription(item(price(10000)))


def customer(discount=None):
    return {"id": "cus_1", "object": "customer", "discount": discount}


def happened(kind, day, stripe_json, before=None):
    """Return an event of a customer ("updated") or of its discount ("discount.created")."""
    data = {"object": stripe_json} | ({"previous_attributes": before} if before else {})
    event_id = f"evt_{kind}_{day}_{stripe_json.get('id')}_{bool(before)}"
    return {"id": event_id, "type": f"customer.{kind}", "created": at(day), "data": data}


def changes(*events, stored=None, as_of=FAR, paid=PAID):
    """Return the MRR by the day it changes on."""
    record = CustomerRecord(stored, as_of, events)
    return by_day(customer_history([paid], [], record=record))


def by_day(history):
    days = {at(f"2024-{month:02}-01"): f"{month:02}" for month in range(1, 13)}
    return {days.get(change.moment, change.moment): change.amount for change in history.changes}


def test_b01_the_discount_of_the_customer_counts():
    assert changes(stored=customer(coupon(percent=50))) == {"01": 5000}


def test_b01_a_customer_with_everything_off_pays_nothing():
    assert changes(stored=customer(coupon(percent=100))) == {}


def test_b01_the_subscriptions_own_discount_counts_instead():
    own = subscription(item(price(10000)), discounts=[coupon(percent=10)])
    assert changes(stored=customer(coupon(percent=50)), paid=own) == {"01": 9000}


def test_b01_an_own_discount_counts_until_it_is_over():
    """10 % of its own for three months, then the customer's 50 %."""
    own = coupon(percent=10, duration="repeating", end="2024-04-01")
    paid = subscription(item(price(10000)), discounts=[own])
    assert changes(stored=customer(coupon(percent=50)), paid=paid) == {"01": 9000, "04": 5000}


def test_b01_an_own_discount_of_one_invoice_does_not_recur():
    paid = subscription(item(price(10000)), discounts=[coupon(percent=10, duration="once")])
    assert changes(stored=customer(coupon(percent=50)), paid=paid) == {"01": 5000}


def test_b01_a_discount_of_an_item_comes_off_first():
    """10000 x 0.9 x 0.5: it is not the subscription's own."""
    paid = subscription(item(price(10000), discounts=[coupon(percent=10)]))
    assert changes(stored=customer(coupon(percent=50)), paid=paid) == {"01": 4500}


def test_b01_an_amount_in_another_currency_takes_nothing_off():
    paid = subscription(item(price(10000, currency="eur")))
    assert changes(stored=customer(coupon(amount=1000)), paid=paid) == {"01": 10000}


def test_b01_a_repeating_discount_of_the_customer_ends():
    months = coupon(percent=50, duration="repeating", end="2024-04-01")
    assert changes(stored=customer(months)) == {"01": 5000, "04": 10000}


def test_b01_customer_updated_brings_and_takes_a_discount_on_its_day():
    added = happened("updated", "2024-02-01", customer(HALF), {"discount": None})
    other = happened("updated", "2024-03-01", customer(FREE), {"discount": HALF})
    taken = happened("updated", "2024-04-01", customer(None), {"discount": FREE})
    for events in permutations([added, other, taken]):
        expected = {"01": 10000, "02": 5000, "03": 0, "04": 10000}
        assert changes(*events, stored=customer(None)) == expected


def test_b01_events_of_the_discount_bring_and_take_it():
    added = happened("discount.created", "2024-02-01", HALF)
    other = happened("discount.created", "2024-03-01", FREE)
    old = happened("discount.deleted", "2024-03-01", HALF)
    taken = happened("discount.deleted", "2024-04-01", FREE)
    for events in permutations([added, other, old, taken]):
        expected = {"01": 10000, "02": 5000, "03": 0, "04": 10000}
        assert changes(*events, stored=customer(None)) == expected


def test_b01_in_a_second_with_a_change_other_updates_say_nothing():
    renamed = happened("updated", "2024-02-01", customer(None), {"name": "Ada"})
    added = happened("discount.created", "2024-02-01", HALF)
    assert changes(renamed, added) == {"01": 10000, "02": 5000}


def test_b01_a_payload_without_the_field_does_not_take_the_discount():
    bare = {"id": "cus_1", "object": "customer"}
    added = happened("updated", "2024-02-01", customer(HALF), {"discount": None})
    assert changes(added, happened("updated", "2024-03-01", bare)) == {"01": 10000, "02": 5000}


@pytest.mark.parametrize("owner", ["subscription", "subscription_item", "invoice"])
def test_b01_a_discount_of_something_else_is_not_the_customers(owner):
    assert changes(happened("discount.created", "2024-02-01", HALF | {owner: "x"})) == {"01": 10000}


def test_b01_the_oldest_event_says_what_was_there_before():
    taken = happened("updated", "2024-04-01", customer(None), {"discount": HALF})
    assert changes(taken) == {"01": 10000, "02": 5000, "04": 10000}


def test_b01_the_stored_customer_adds_a_discount_that_has_no_event():
    created = happened("created", "2024-01-01", customer(None))
    assert changes(created, stored=customer(HALF)) == {"01": 10000, "02": 5000}


def test_b01_a_discount_that_is_over_is_missing_from_the_customer_and_counted():
    months = coupon(percent=50, duration="repeating", start="2024-02-01", end="2024-04-01")
    added = happened("updated", "2024-02-01", customer(months), {"discount": None})
    assert changes(added, stored=customer(None)) == {"01": 10000, "02": 5000, "04": 10000}


def test_b01_a_customer_stored_before_the_event_does_not_correct_it():
    added = happened("discount.created", "2024-02-01", HALF)
    assert changes(added, stored=customer(None), as_of=at("2024-01-01")) == {
        "01": 10000,
        "02": 5000,
    }


def test_b01_a_change_names_the_event_that_caused_it():
    added = happened("updated", "2024-02-01", customer(HALF), {"discount": None})
    history = customer_history([PAID], [], record=CustomerRecord(None, 0, [added]))
    assert history.changes[-1].sources == ("sub_1", added["id"])


def test_b01_a_discount_of_unknown_amount_holds_what_inherits_it():
    named = HALF | {"coupon": "unknown"}
    history = customer_history([PAID], [], record=CustomerRecord(customer(named), FAR))
    assert (history.changes, [held.stripe_id for held in history.held]) == ((), ["sub_1"])
