"""MRR from files and webhooks, whatever the order in which Stripe's objects and events arrive."""

import json
from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.calculations.loaded_lines import LoadOutcome
from billing.models import HeldObject, MrrMovement, RevenueCustomer, RevenueSettings
from billing.revenue import ledger, ledger_check, mrr
from billing.revenue import settings as revenue_settings
from billing.stripe import gateway, loading
from tests.billing.stripe_json import at, coupon, event, item, price, subscription, tiered
from tests.property_tests import examples

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
COUPON = {"id": "HALF", "object": "coupon", "percent_off": 50, "duration": "forever", "created": 1}
PAID = subscription(item(price(10000)))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_the_end_of_the_year(time_machine):
    time_machine.move_to(NOW, tick=False)


def load(*objects):
    return [line.outcome for line in loading.load(json.dumps(row) for row in objects)]


def level():
    return mrr.level(date(2024, 12, 30))


def discount(coupon_id="HALF", start="2024-01-01", **more):
    named = {"id": f"di_{coupon_id}", "object": "discount", "customer": "cus_1", "end": None}
    return named | {"start": at(start), "source": {"type": "coupon", "coupon": coupon_id}} | more


def customer(own=None, **more):
    return {"id": "cus_1", "object": "customer", "discount": own} | more


def customer_event(kind, day, stripe_json, **more):
    data = {"object": stripe_json} | more
    event_id = f"evt_{kind}_{day}_{stripe_json.get('id')}"
    head = {"id": event_id, "object": "event", "type": f"customer.{kind}", "created": at(day)}
    return head | {"data": data}


def _stored(kind, object_id):
    stripe_json = gateway.stored(kind, object_id)
    assert stripe_json is not None
    return stripe_json


def in_any_order(*objects):
    """Return the MRR movements of each order in which objects are loaded, one load for each."""
    seen = set()
    for order in permutations(objects):
        with transaction.atomic():
            for row in order:
                load(row)
            rows = MrrMovement.objects.order_by("day").values_list("day", "amount")
            seen.add(tuple((str(day), amount) for day, amount in rows))
            transaction.set_rollback(True)
    return seen


def test_b01_the_customers_discount_counts_whatever_arrives_first():
    """10000 x 50 %."""
    assert in_any_order(customer(discount()), PAID, COUPON) == {(("2024-01-01", 5000),)}


def test_b01_with_everything_off_there_is_no_customer():
    load(customer(coupon(percent=100)), PAID)
    assert level() == mrr.MrrLevel(0, 0)


def test_b01_customer_updated_changes_mrr_on_its_day():
    added = {"previous_attributes": {"discount": None}}
    taken = {"previous_attributes": {"discount": discount()}}
    assert in_any_order(
        event("created", "2024-01-01", PAID),
        customer_event("updated", "2024-02-01", customer(discount()), **added),
        customer_event("updated", "2024-03-01", customer(), **taken),
        COUPON,
    ) == {(("2024-01-01", 10000), ("2024-02-01", -5000), ("2024-03-01", 5000))}


def test_b01_events_of_the_discount_change_mrr_on_their_day():
    assert in_any_order(
        event("created", "2024-01-01", PAID),
        customer_event("discount.created", "2024-02-01", discount()),
        customer_event("discount.deleted", "2024-03-01", discount()),
        COUPON,
    ) == {(("2024-01-01", 10000), ("2024-02-01", -5000), ("2024-03-01", 5000))}


def test_b02_products_of_a_coupon_that_arrives_later_count():
    """Half of one of two products: 15000, not 10000."""
    rows = [item(price(10000, product=name)) for name in ("prod_x", "prod_y")]
    embedded = coupon(percent=50) | {"coupon": COUPON}
    load(subscription(*rows, discounts=[embedded]))
    assert level().mrr == 10000
    load(COUPON | {"applies_to": {"products": ["prod_x"]}})
    assert level().mrr == 15000


@pytest.mark.parametrize("day", ["2024-03-01", "2023-12-01"])
def test_b02_a_coupon_s_event_does_not_make_plumbline_forget_its_products(day):
    """The event of a new name lacks `applies_to`."""
    rows = [item(price(10000, product=name)) for name in ("prod_x", "prod_y")]
    named = coupon(percent=50) | {"coupon": "HALF"}
    renamed = {"id": "evt_coupon", "object": "event", "type": "coupon.updated", "created": at(day)}
    full = COUPON | {"applies_to": {"products": ["prod_x"]}}
    created = renamed | {"id": "evt_new", "type": "coupon.created", "created": at("2024-01-01")}
    for events in permutations(
        [renamed | {"data": {"object": COUPON}}, created | {"data": {"object": full}}]
    ):
        with transaction.atomic():
            load(subscription(*rows, discounts=[named]))
            for row in events:
                load(row)
            assert level().mrr == 15000
            transaction.set_rollback(True)


def test_b04_the_amount_in_the_subscriptions_currency_arrives_with_the_price():
    """900 EUR, held until the price says so; then converted at 1."""
    ledger_currency_is_eur()
    sold = price(1000, active=True)
    load(subscription(item(sold), currency="eur"))
    assert HeldObject.objects.get().field == "currency"
    load(sold | {"currency_options": {"eur": {"unit_amount": 900}}})
    assert (level().mrr, HeldObject.objects.count()) == (900, 0)


def ledger_currency_is_eur():
    settings = revenue_settings.current()
    settings.reporting_currency = "eur"
    settings.save()


def test_b03_mrr_with_tax_included_is_shown(admin_client):
    """11900 with a tax that only invoices name, and 10000 of 11900 whose tax is known."""
    taxed = item(price(11900, tax_behavior="inclusive"))
    vat = [{"object": "tax_rate", "percentage": 19.0, "inclusive": True}]
    taxable = subscription(item(price(11900)), default_tax_rates=vat) | {"id": "sub_2"}
    load(subscription(taxed, automatic_tax={"enabled": True}), taxable)
    answer = admin_client.get("/api/billing/revenue/mrr").json()
    assert (answer["mrr"], answer["with_tax"]) == (21900, 11900)
    page = admin_client.get("/admin/billing/revenue/").content.decode()
    assert "119.00 USD has tax included" in page


def test_a_changed_formula_of_mrr_rebuilds_the_ledger():
    load(PAID)
    RevenueSettings.objects.update(built_formula=1)
    assert "the formula of MRR" in revenue_settings.rebuild_needed()
    MrrMovement.objects.update(amount=7)
    ledger.recount_due(now=NOW)
    assert MrrMovement.objects.get().amount == 10000
    assert revenue_settings.rebuild_needed() == ""


def seats(number):
    return subscription(item(price(1000), number), quantity=number)


@pytest.mark.parametrize(
    ("changes", "earlier"),
    [
        (((3, 2), (2, 1)), []),
        # A month before: what comes first in the second is only seen from it.
        (((1, 2), (2, 1)), [event("created", "2024-01-01", seats(1), event_id="evt_0")]),
    ],
    ids=["from 3 to 1", "from 1 and back"],
)
def test_b07_updates_of_a_second_count_in_their_order_from_a_file(changes, earlier):
    """Two changes of the seats: 1 seat in the end, stored and counted."""

    def changed(before, after, event_id):
        was = {"quantity": before, "items": {"data": seats(before)["items"]["data"]}}
        return event("updated", "2024-02-01", seats(after), event_id=event_id, before=was)

    for ids in (("evt_a", "evt_b"), ("evt_b", "evt_a")):
        events = [changed(was, now, own) for (was, now), own in zip(changes, ids, strict=True)]
        for order in permutations(events + earlier):
            with transaction.atomic():
                for row in order:
                    load(row)
                assert _stored("subscription", "sub_1")["quantity"] == 1
                assert level().mrr == 1000
                transaction.set_rollback(True)


def test_b07_a_customer_s_updates_of_a_second_leave_the_last_one_stored():
    ada = customer(name="Ada")
    bea = customer(name="Bea")
    first = customer_event("updated", "2024-02-01", bea, previous_attributes={"name": "Zoe"})
    last = customer_event("updated", "2024-02-01", ada, previous_attributes={"name": "Bea"})
    for order in permutations([first | {"id": "evt_b"}, last | {"id": "evt_a"}]):
        with transaction.atomic():
            load(*order)
            assert _stored("customer", "cus_1")["name"] == "Ada"
            transaction.set_rollback(True)


def test_b21_a_file_with_coupon_and_tiers_in_any_order():
    """10 % off 10000, and 5 x 100 + 3 x 80 for tiers."""
    ten = COUPON | {"percent_off": 10}
    full = tiered("graduated", (5, 100, 0), (None, 80, 0)) | {"active": True}
    bare = {name: value for name, value in full.items() if name != "tiers"}
    flat = subscription(item(price(10000)), discounts=[coupon() | {"coupon": "HALF"}])
    by_tier = subscription(item(bare, 8)) | {"id": "sub_2", "customer": "cus_2"}
    for order in permutations([ten, full, flat, by_tier]):
        with transaction.atomic():
            assert set(load(*order)) == {LoadOutcome.STORED}
            mrr_of = RevenueCustomer.objects.order_by("pk").values_list("mrr", flat=True)
            assert list(mrr_of) == [9000, 740]
            transaction.set_rollback(True)


def test_b21_what_was_held_counts_once_the_coupon_is_loaded():
    named = subscription(item(price(10000)), discounts=["di_HALF"])
    assert load(named) == [LoadOutcome.HELD]
    assert load(discount()) == [LoadOutcome.HELD, LoadOutcome.STORED][1:]
    assert level().mrr == 0
    load(COUPON)
    assert (level().mrr, HeldObject.objects.count()) == (5000, 0)


MONTHS = st.integers(1, 11)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("discount"), MONTHS, st.sampled_from([None, "HALF", "TENTH", "OFF"])),
        st.tuples(st.just("seats"), MONTHS, st.integers(0, 4)),
        st.tuples(st.just("own"), MONTHS, st.sampled_from([None, "TENTH"])),
    ),
    max_size=7,
)
CATALOGUE = [
    COUPON | {"applies_to": {"products": ["prod_a"]}},
    COUPON | {"id": "TENTH", "percent_off": 10},
    COUPON | {"id": "OFF", "percent_off": None, "amount_off": 700, "currency": "usd"},
]


def events_of(steps):
    """Return Stripe's events of changes, several of them within the same second."""
    rows = [event("created", "2024-01-01", PAID, event_id="evt_sub")]
    state = {"discount": None, "seats": 1, "own": None}
    for number, (what, month, value) in enumerate(sorted(steps, key=lambda step: step[1])):
        was = state | {}
        state[what] = value
        day = f"2024-{month + 1:02}-01"
        if what == "discount":
            changed = customer(state[what] and discount(state[what], day), name=str(number))
            last = rows_of_customer(rows)
            before = {"discount": last["discount"], "name": last.get("name")}
            row = customer_event("updated", day, changed, previous_attributes=before)
        else:
            previous = {"items": {"data": paid(was)["items"]["data"]}}
            previous["discounts"] = paid(was)["discounts"]
            row = event("updated", day, paid(state), before=previous)
        rows.append(row | {"id": f"evt_{number * 7 % 10}{number}"})
    return rows


def rows_of_customer(rows):
    named = [row["data"]["object"] for row in rows if row["data"]["object"]["object"] == "customer"]
    return named[-1] if named else customer()


def paid(state):
    own = [discount("TENTH", id="di_own")] if state["own"] else []
    rows = [item(price(1000), state["seats"]), item(price(6000, "year", product="prod_y"))]
    return subscription(*rows, discounts=own)


def everything():
    rows = MrrMovement.objects.order_by("day").values_list("day", "kind", "amount", "closing")
    customers = RevenueCustomer.objects.values_list("pk", "mrr", "refers_to")
    held = HeldObject.objects.order_by("stripe_id", "reason").values_list("stripe_id", "reason")
    return list(rows), list(customers), list(held)


@examples(40)
@given(steps=STEPS, data=st.data())
def test_b01_b07_any_order_of_arrival_leaves_the_same_ledger(db, time_machine, steps, data):
    time_machine.move_to(NOW, tick=False)
    objects = [*events_of(steps), *CATALOGUE]
    ledgers = []
    for order in (objects, data.draw(st.permutations(objects))):
        cut = data.draw(st.integers(0, len(order)))
        with transaction.atomic():
            load(*order[:cut])
            load(*order[cut:])
            ledgers.append(everything())
            assert ledger_check.check() == []
            ledger.rebuild(now=NOW)
            assert everything() == ledgers[-1]
            transaction.set_rollback(True)
    assert ledgers[0] == ledgers[1]
