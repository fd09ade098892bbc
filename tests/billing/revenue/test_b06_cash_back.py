"""B06: money that goes back counts where it came in: by an invoice, of a customer that counts."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from analytics.models import DistinctId, Person
from billing.calculations.loaded_lines import LoadOutcome
from billing.models import CashEntry, HeldObject, RevenueCustomer, StripeCustomer
from billing.revenue import cash, ledger
from billing.stripe import loading
from tests.billing.stripe_json import at

pytestmark = pytest.mark.django_db

DAY = "2024-01-02"
CUSTOMER = {"id": "cus_1", "object": "customer", "created": at("2023-01-01")}
OLD = {"charge": "ch_1", "payment_intent": "pi_1"}


def charge(number=1, amount=5000, **more):
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "customer": "cus_1",
        "amount": amount,
        "currency": "usd",
        "status": "succeeded",
        "payment_intent": f"pi_{number}",
        "created": at(DAY),
    } | more


def invoice(number=1, amount=5000, **more):
    """Return a paid invoice as current versions send it: without its payments."""
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "customer": "cus_1",
        "status": "paid",
        "amount_paid": amount,
        "amount_due": amount,
        "amount_remaining": 0,
        "currency": "usd",
        "created": at(DAY),
        "status_transitions": {"paid_at": at(DAY)},
    } | more


def back(kind="refund", number=1, amount=5000, day=DAY, **more):
    status = {"refund": "succeeded", "dispute": "lost"}[kind]
    return {
        "id": f"{kind[:2]}_{number}",
        "object": kind,
        "charge": f"ch_{number}",
        "payment_intent": f"pi_{number}",
        "amount": amount,
        "currency": "usd",
        "status": status,
        "reason": "general",
        "created": at(day),
    } | more


def closed(dispute, day):
    """Return the event that says when a dispute was closed."""
    event = {"id": "evt_closed", "object": "event", "type": "charge.dispute.closed"}
    return event | {"created": at(day), "data": {"object": dispute}}


def load(*objects):
    return loading.load(json.dumps(row) for row in (CUSTOMER, *objects))


def exclude():
    """Link the customer to a person that is excluded."""
    person = Person.objects.create(excluded=True)
    distinct_id = DistinctId.objects.create(distinct_id="tester", person=person)
    StripeCustomer.objects.create(customer_id="cus_1", distinct_id=distinct_id)


def revenue(day=DAY):
    """Return the revenue of a day in cents, which a rebuild does not change."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    amount = cash.revenue(start=start, end=start + timedelta(days=1)).get("usd", 0)
    ledger.rebuild()
    assert cash.revenue(start=start, end=start + timedelta(days=1)).get("usd", 0) == amount
    return amount


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_b06_what_goes_back_of_a_charge_without_an_invoice_changes_nothing(kind):
    load(charge(amount=700), back(kind, amount=700))
    assert revenue() == 0
    load(invoice(2), charge(2, invoice=None), back(kind, 2))
    assert revenue() == 5000  # the charge says itself that it is of no invoice


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_b06_an_excluded_customer_s_refund_changes_nothing_although_its_invoice_names_no_charge(
    kind,
):
    exclude()
    load(invoice(), charge(), back(kind))
    assert revenue() == 0
    assert set(CashEntry.objects.values_list("customer_id", flat=True)) == {"cus_1"}
    assert RevenueCustomer.objects.get().excluded  # it has no subscription


PAYMENTS = {"data": [{"payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}


@pytest.mark.parametrize("kind", ["refund", "dispute"])
@pytest.mark.parametrize(
    "paid",
    [
        [invoice(**OLD), charge()],
        [invoice(**OLD)],
        [invoice(payments=PAYMENTS), charge()],
        [invoice(), charge()],
        [invoice(), charge(created=at(DAY) - 86_400)],
    ],
    ids=["2024", "no charge stored", "payments expanded", "2025", "bank debit"],
)
def test_b06_a_counted_customer_s_refund_of_an_invoice_counts_in_every_api_version(kind, paid):
    """5000 - 2000 = 3000."""
    load(*paid, back(kind, amount=2000))
    assert revenue() == 3000


@pytest.mark.parametrize(
    "other",
    [{"amount": 4999}, {"currency": "eur"}, {"created": at("2023-11-02")}, {"customer": None}],
)
def test_b06_a_charge_that_cannot_have_paid_the_invoice_is_not_taken_for_its_payment(other):
    load(invoice(), charge(**other), back())
    assert revenue() == 5000


def test_b06_a_lost_dispute_takes_its_amount_off_on_the_day_it_was_lost():
    dispute = back("dispute", amount=5000, day="2024-01-05")
    load(invoice(**OLD), charge(), closed(dispute, "2024-02-20"))
    assert [revenue(day) for day in (DAY, "2024-01-05", "2024-02-20")] == [5000, 0, -5000]


def test_b06_a_lost_dispute_of_unknown_end_counts_when_it_was_opened():
    load(invoice(**OLD), charge(), back("dispute", day="2024-01-05"))
    assert [revenue(day) for day in (DAY, "2024-01-05")] == [5000, -5000]


@pytest.mark.parametrize("status", ["won", "needs_response", "under_review", "warning_closed"])
def test_b06_a_dispute_that_is_not_lost_takes_nothing_off(status):
    load(invoice(**OLD), charge(), back("dispute", status=status))
    assert revenue() == 5000


def test_b06_a_refund_counts_in_any_order_of_its_invoice_and_charge():
    for row in (back(), charge(), invoice()):
        load(row)
    assert revenue() == 0
    assert CashEntry.objects.count() == 2


def test_b06_a_refund_whose_charge_is_unknown_is_reported_as_held_not_guessed():
    line = load(invoice(), back())[-1]
    assert (line.outcome, "load the charge" in line.reason) == (LoadOutcome.HELD, True)
    assert revenue() == 5000


def test_b06_an_excluded_customer_without_a_subscription_follows_its_person():
    """Excluded after the invoice was paid, and included again."""
    load(invoice(**OLD), charge())
    assert revenue() == 5000
    exclude()
    ledger.recount_due(now=datetime(2024, 6, 1, tzinfo=UTC))
    assert revenue() == 0
    Person.objects.update(excluded=False)
    ledger.recount_due(now=datetime(2024, 6, 1, tzinfo=UTC))
    assert revenue() == 5000
    assert not RevenueCustomer.objects.exists()


def test_b06_an_unusable_refund_of_a_guest_or_unlinked_charge_is_not_held_either():
    load(charge(), back(currency="zzz"))
    assert not HeldObject.objects.exists()
