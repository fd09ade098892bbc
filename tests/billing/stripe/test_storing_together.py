"""Stripe's objects stored together leave the same rows as one at a time."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.calculations.loaded_lines import LoadOutcome
from billing.models import (
    CashEntry,
    ErasedCustomer,
    HeldObject,
    MrrMovement,
    RevenueCustomer,
    StripeCustomer,
)
from billing.stripe import gateway, loading
from billing.stripe.gateway import StoreOutcome
from tests.billing.stripe_json import at, coupon, item, price, subscription
from tests.billing.stripe_shop import create_person
from tests.property_tests import examples

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(days=1), NOW
ERASED = "cus_2"
OWNERS = {1: "cus_1", 2: ERASED, 3: "cus_3"}  # a subscription keeps its customer
LEDGERS = MrrMovement, RevenueCustomer, HeldObject, CashEntry, StripeCustomer

pytestmark = pytest.mark.django_db

customer_ids = st.sampled_from(["cus_1", ERASED, "cus_3"])
times = st.sampled_from([at("2024-01-01"), at("2024-03-01")])
products = st.builds(
    lambda number, name: {"id": f"prod_{number}", "object": "product", "name": name},
    st.integers(1, 2),
    st.sampled_from(["Pro", "Team", None]),
)
prices = st.builds(
    lambda amount, product, more: price(amount, product=product) | more,
    st.sampled_from([1000, 2000]),
    st.sampled_from(["prod_1", "prod_unknown"]),
    st.sampled_from(
        [
            {"active": True},
            {"active": True, "nickname": "Old"},
            {"active": False, "currency_options": {"eur": {"unit_amount": 900}}},
            # PostgreSQL refuses it; another version of the same price would replace it before.
            {"active": True, "lookup_key": "k" * 251, "id": "price_refused"},
            {},  # its `active` is missing
        ]
    ),
)
coupons = st.builds(
    lambda percent, more: (
        {"id": "HALF", "object": "coupon", "percent_off": percent, "duration": "forever"} | more
    ),
    st.sampled_from([50, 20]),
    st.sampled_from([{}, {"applies_to": {"products": ["prod_1"]}}, {"livemode": False}]),
)
customers = st.builds(
    lambda own, more: {"id": own, "object": "customer"} | more,
    customer_ids,
    st.sampled_from(
        [
            {"name": "Ada", "email": "ada@example.com", "metadata": {"distinct_id": "ada"}},
            {"name": "Ada", "discount": coupon(percent=50)},
            {"deleted": True},
            {"created": "yesterday"},
        ]
    ),
)
discounts = st.sampled_from([[], [coupon(percent=50)], ["di_unknown"]])
subscriptions = st.builds(
    lambda number, has_owner, rows, own, status, created: (
        subscription(
            *rows,
            status=status,
            customer=OWNERS[number] if has_owner else None,
            discounts=own,
        )
        | {"id": f"sub_{number}", "created": created}
    ),
    st.sampled_from([*OWNERS]),
    st.sampled_from([True, True, True, False]),
    st.lists(st.builds(item, prices, st.integers(1, 3), discounts=discounts), max_size=3),
    discounts,
    st.sampled_from(["active", "past_due", "canceled"]),
    times,
)
charges = st.builds(
    lambda owner, amount: {
        "id": "ch_1",
        "object": "charge",
        "customer": owner,
        "amount": amount,
        "currency": "usd",
        "created": at("2024-02-01"),
        "receipt_email": "ada@example.com",
        "status": "succeeded",
    },
    st.one_of(customer_ids, st.none()),
    st.sampled_from([1000, "10.00"]),
)
refunds = st.builds(
    lambda charge, name: {
        "id": "re_1",
        "object": "refund",
        "charge": charge,
        "amount": 500,
        "currency": "usd",
        "created": at("2024-02-02"),
        "destination_details": name,
        "status": "succeeded",
    },
    st.sampled_from(["ch_1", "ch_unknown"]),
    st.sampled_from(["Ada", "Bob"]),
)
strange = st.sampled_from(
    [{"object": "customer"}, {"object": "product", "id": {"id": "prod_1"}, "name": "x"}]
)
objects = st.one_of(products, prices, coupons, customers, subscriptions, charges, refunds, strange)
files = st.lists(st.one_of(objects, subscriptions, customers), max_size=14)


@pytest.fixture(autouse=True)
def a_moment(time_machine):
    time_machine.move_to(NOW, tick=False)
    create_person("ada")
    ErasedCustomer.objects.create(customer_id=ERASED, excluded=False, signup_month=None)


def rows_of(models):
    """Return all rows, without what differs between any two databases."""
    rows = {}
    for model in models:
        names = [field.attname for field in model._meta.concrete_fields]
        own = {"djstripe_id", "djstripe_created"} | ({"id"} if model in LEDGERS else set())
        rows[model.__name__] = sorted(
            repr({name: row[name] for name in names if name not in own})
            for row in model.objects.values()
        )
    return rows


def after(do):
    """Return what `do` returns, and all rows that it leaves; then undo it."""
    with transaction.atomic():
        answer = do()
        rows = rows_of([*gateway.KINDS.values(), *LEDGERS])
        transaction.set_rollback(True)
    return answer, rows


def text_of(outcome):
    return outcome.value if isinstance(outcome, StoreOutcome) else str(outcome).partition("\n")[0]


@given(
    before=files,
    file=files,
    as_of=st.sampled_from([EARLIER, LATER]),
    read_now=st.booleans(),
)
@examples(200)
def test_objects_stored_together_leave_the_rows_of_one_at_a_time(before, file, as_of, read_now):
    def stored(*parts):
        for row in before:
            gateway.store_all([row], as_of=EARLIER)
        outcomes = [
            outcome
            for part in parts
            for outcome in gateway.store_all(part, as_of=as_of, read_now=read_now)
        ]
        return list(map(text_of, outcomes))

    assert after(lambda: stored(file)) == after(lambda: stored(*([row] for row in file)))


CHARGE = {"id": "ch_1", "object": "charge", "amount": 1000, "currency": "usd"}
REFUND = {"id": "re_1", "object": "refund", "charge": "ch_1", "amount": 1000, "currency": "usd"}
GONE = {"id": "cus_1", "object": "customer", "deleted": True}
OPTIONS = {"currency_options": {"eur": {"unit_amount": 900}}}


@pytest.mark.parametrize(
    "file",
    [
        pytest.param([subscription(), GONE], id="a subscription, then the end of its customer"),
        pytest.param([GONE, subscription()], id="the end of a customer, then its subscription"),
        pytest.param([GONE, {"id": "cus_1", "object": "customer"}, subscription()], id="a return"),
        pytest.param(
            [CHARGE | {"customer": ERASED}, REFUND | {"metadata": {"name": "Ada"}}],
            id="the charge of a person who was erased, then its refund",
        ),
        pytest.param(
            [subscription(customer="cus_3"), subscription(customer="cus_1"), GONE],
            id="another customer of a subscription, then its end",
        ),
        pytest.param(
            [price(active=True) | OPTIONS, price(active=True, nickname="Old")],
            id="a version with all fields, then one without",
        ),
        pytest.param(
            [price(active=True), {"id": "prod_a", "object": "product", "name": "Pro"}],
            id="a price, then its product",
        ),
        pytest.param(
            [subscription(customer="cus_9"), {"id": "cus_9", "object": "customer", "name": 7}],
            id="a subscription, then its customer",
        ),
    ],
)
@pytest.mark.parametrize("read_now", [False, True])
def test_what_depends_on_what_is_before_it_is_stored_as_after_it(file, read_now):
    def stored(*parts):
        for part in parts:
            gateway.store_all(part, as_of=NOW, read_now=read_now)

    _, together = after(lambda: stored(file))
    assert together == after(lambda: stored(*([row] for row in file)))[1]


@given(file=files)
@examples(80)
def test_a_file_leaves_the_ledgers_of_its_lines_loaded_one_at_a_time(file):
    lines = list(map(json.dumps, file))
    _, together = after(lambda: loading.load(lines))
    _, apart = after(lambda: [loading.load([line]) for line in lines])
    assert together == apart


def test_what_postgresql_refuses_is_one_problem_and_nothing_else_is_lost():
    rows = [price(100 + number, active=True) for number in range(50)]
    rows[20]["lookup_key"] = "k" * 251
    outcomes = gateway.store_all(rows, as_of=NOW)
    assert [outcome == StoreOutcome.NEW for outcome in outcomes].index(False) == 20
    assert outcomes.count(StoreOutcome.NEW) == 49
    assert len(gateway.stored_ids("price")) == 49


def test_a_thousand_objects_take_no_more_queries_than_ten(django_assert_max_num_queries):
    for number in (10, 1_000):
        rows = [subscription(customer=f"cus_{number}_{row}") for row in range(number)]
        rows = [row | {"id": f"sub_{number}_{position}"} for position, row in enumerate(rows)]
        with django_assert_max_num_queries(10):
            gateway.store_all(rows, as_of=NOW)


def test_the_end_of_a_customer_ends_stored_subscriptions_that_are_not_in_the_batch():
    gateway.store(subscription(), as_of=EARLIER)
    gone = {"id": "cus_1", "object": "customer", "deleted": True}
    gateway.store_all([gone, price(active=True)], as_of=LATER)
    stored = gateway.stored("subscription", "sub_1")
    assert stored
    assert stored["status"] == "canceled"


def test_a_file_is_read_as_a_stream():
    """No more than a batch is read before it is stored."""
    read = 0

    def lines():
        nonlocal read
        for number in range(2_500):
            read += 1
            yield json.dumps(price(number, active=True))

    seen = []
    loaded = loading.load(lines(), progress=lambda step, more: seen.append((read, more)))
    assert seen[:3] == [(1_000, 1_000), (2_000, 1_000), (2_500, 500)]
    assert {line.outcome for line in loaded} == {LoadOutcome.STORED}
