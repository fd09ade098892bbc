"""Cash: paid invoices minus refunds, in minor units of their own currencies."""

import csv
import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.calculations.cash import CashKind
from billing.models import CashEntry, HeldObject, RevenueCustomer
from billing.revenue import cash, ledger
from tests.billing.stripe_json import Store, at, subscription
from tests.real_data import DATA, needed

START, END = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(monkeypatch):
    return Store().install(monkeypatch)


def invoice(number, amount, moment="2024-01-02", *, customer="cus_1", currency="usd", **more):
    return {
        "id": f"in_{number}",
        "object": "invoice",
        "customer": customer,
        "status": "paid",
        "amount_paid": amount,
        "currency": currency,
        "charge": f"ch_{number}",
        "created": at(moment),
        "status_transitions": {"paid_at": at(moment)},
    } | more


def refund(number, amount, moment="2024-01-02", *, customer="cus_1", currency="usd", **more):
    return {
        "id": f"re_{number}",
        "object": "refund",
        "customer": customer,
        "status": "succeeded",
        "amount": amount,
        "currency": currency,
        "charge": f"ch_{number}",
        "created": at(moment),
    } | more


def revenue():
    return cash.revenue(start=START, end=END)


def test_revenue_is_payments_minus_refunds_by_currency(stripe):
    """5000 + 3000 - 1000 = 7000 cents, and 900 yen."""
    stripe.invoice_rows = [invoice(1, 5000), invoice(2, 3000), invoice(3, 900, currency="jpy")]
    stripe.refund_rows = [refund(1, 1000)]
    ledger.recount({"cus_1"})
    assert revenue() == {"jpy": 900, "usd": 7000}


def test_a_window_includes_its_start_but_not_its_end(stripe):
    moments = ("2024-01-01T23:59:59", "2024-01-02", "2024-01-02T23:59:59", "2024-01-03")
    stripe.invoice_rows = [
        invoice(number, 10**number, moment) for number, moment in enumerate(moments)
    ]
    cash.recount()
    assert revenue() == {"usd": 110}


@pytest.mark.parametrize(
    "other", [{"status": "open"}, {"status": "void"}, {"amount_paid": 0}, {"status": "draft"}]
)
def test_only_a_paid_invoice_is_cash(stripe, other):
    stripe.invoice_rows = [invoice(1, 5000) | other]
    cash.recount()
    assert not CashEntry.objects.exists()


@pytest.mark.parametrize("status", ["failed", "canceled", "pending", "requires_action"])
def test_an_unsuccessful_refund_does_not_count(stripe, status):
    stripe.invoice_rows, stripe.refund_rows = [invoice(1, 5000)], [refund(1, 5000, status=status)]
    cash.recount()
    assert not CashEntry.objects.filter(kind=CashKind.REFUND).exists()


def test_a_refund_that_fails_later_is_removed(stripe):
    stripe.invoice_rows, stripe.refund_rows = [invoice(1, 5000)], [refund(1, 5000)]
    cash.recount({"cus_1"})
    assert revenue() == {"usd": 0}
    stripe.refund_rows[0]["status"] = "failed"
    cash.recount({"cus_1"})
    assert revenue() == {"usd": 5000}


def test_a_credit_note_counts_what_was_paid_outside_stripe(stripe):
    """5000 - 700 = 4300: a refund of the note counts itself, and credit is not cash."""
    note = {"id": "cn_1", "object": "credit_note", "customer": "cus_1", "currency": "usd"}
    stripe.note_rows = [
        note | {"amount": 2000, "out_of_band_amount": 700, "created": at("2024-01-02")}
    ]
    stripe.invoice_rows = [invoice(1, 5000)]
    cash.recount()
    assert revenue() == {"usd": 4300}


def test_a_refund_belongs_to_the_customer_of_its_charge(stripe):
    stripe.invoice_rows = [invoice(1, 5000)]
    stripe.refund_rows = [refund(1, 100, customer=None)]
    cash.recount()
    assert CashEntry.objects.get(kind=CashKind.REFUND).customer_id == "cus_1"


def test_p15_duplicate_cash_counts_once(stripe):
    stripe.invoice_rows = [invoice(1, 5000)] * 2
    cash.recount({"cus_1"})
    cash.recount({"cus_1"})
    assert revenue() == {"usd": 5000}


def test_an_unusable_invoice_is_held_with_a_reason(stripe):
    stripe.invoice_rows = [invoice(1, 50.5), invoice(2, 100, currency="zzz"), invoice(3, 7)]
    ledger.recount({"cus_1"})
    fields = HeldObject.objects.order_by("field").values_list("field", flat=True)
    assert list(fields) == ["currency", "invoice.amount_paid"]
    assert revenue() == {"usd": 7}


def test_refunds_and_credit_notes_do_not_touch_mrr(stripe):
    stripe.subscriptions["sub_1"] = subscription()
    stripe.refund_rows = [refund(1, 1000)]
    ledger.recount({"cus_1"})
    assert RevenueCustomer.objects.get().mrr == 1000


def test_created_subscriptions_count_even_if_they_ended(stripe):
    for number, created in enumerate(
        ["2024-01-01", "2024-01-02", "2024-01-02T23:59", "2024-01-03"]
    ):
        stripe_json = subscription(created=created, status="incomplete_expired") | {
            "id": f"sub_{number}"
        }
        stripe.subscriptions[stripe_json["id"]] = stripe_json
    ledger.recount({"cus_1"})
    assert cash.subscriptions_created(start=START, end=END) == 2


def retail():
    """Return (invoice number, first moment, customer, total in 1/1000 GBP) of each invoice."""
    totals: defaultdict[str, int] = defaultdict(int)
    first: dict[str, str] = {}
    customer: dict[str, str] = {}
    with gzip.open(DATA / "retail" / "lines.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            number = row["invoice_no"]
            milli = Decimal(row["unit_price"]) * int(row["quantity"]) * 1000
            assert milli == int(milli)
            totals[number] += int(milli)
            first.setdefault(number, row["invoice_ts"].removesuffix("Z"))
            customer.setdefault(number, row["customer_id"])
    return [(number, first[number], customer[number], totals[number]) for number in totals]


def replay(stripe):
    """Replay the shop: C invoices and negative adjustments are credit notes, paid outside Stripe.

    Prices such as 0.001 GBP give totals finer than a penny, which a Stripe invoice in GBP cannot
    have. So 1/1000 GBP, the oracle's unit, is the minor unit of a currency with three decimals:
    kwd. The ledger adds up integers of any currency.
    """
    for number, moment, customer, total in retail():
        if total < 0 or number.startswith("C"):
            note = {"id": f"cn_{number}", "object": "credit_note", "customer": customer}
            note |= {"out_of_band_amount": -total, "created": at(moment), "currency": "kwd"}
            stripe.note_rows.append(note)
        else:
            row = invoice(number, total, moment, customer=customer, currency="kwd")
            stripe.invoice_rows.append(row)


@needed("retail/lines.csv.gz", "retail/oracle.json")
def test_the_retail_shop_is_reproduced_to_the_last_unit(stripe):
    oracle = json.loads((DATA / "retail" / "oracle.json").read_text())
    replay(stripe)
    assert cash.recount() == []
    rows = list(CashEntry.objects.values_list("kind", "customer_id", "happened_at", "amount"))
    canceled = CashEntry.objects.filter(stripe_id__startswith="cn_C")
    start, end = datetime(2010, 1, 1, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC)
    assert cash.revenue(start=start, end=end) == {"kwd": oracle["net_revenue_milli"]}
    assert -sum(canceled.values_list("amount", flat=True)) == oracle["cancel_value_milli"]
    orders = [row for row in rows if row[0] == CashKind.PAYMENT and row[1]]
    assert len(orders) == oracle["orders"]
    assert sum(amount for *_, amount in orders) == oracle["order_value_milli"]
    bought = Counter(customer for _, customer, _, _ in orders)
    assert len(bought) == oracle["buyers"]
    assert sum(times > 1 for times in bought.values()) == oracle["repeat_buyers"]
    for month, expected in oracle["months"]:
        first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
        after = (first.replace(day=28) + (END - START) * 4).replace(day=1)
        assert cash.revenue(start=first, end=after) == {"kwd": expected["net_revenue_milli"]}
        of_month = [row for row in orders if first <= row[2] < after]
        assert len(of_month) == expected["orders"]
        assert sum(amount for *_, amount in of_month) == expected["order_value_milli"]
        assert len({customer for _, customer, _, _ in of_month}) == expected["buyers"]
