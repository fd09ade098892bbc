"""The ledger does not depend on the order and number of Stripe's deliveries."""

import json

from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from billing.models import HeldObject, MrrMovement, RevenueCustomer
from billing.revenue import ledger, ledger_check
from billing.stripe import gateway, loading
from tests.billing.revenue.test_revenue_ledger import NOW, STEPS, apply_steps, rate
from tests.billing.stripe_json import Store
from tests.property_tests import examples


def everything():
    movements = MrrMovement.objects.order_by("customer_id", "day", "currency")
    customers = RevenueCustomer.objects.order_by("customer_id")
    held = HeldObject.objects.order_by("customer_id", "stripe_id", "reason")
    return (
        list(movements.values_list("customer_id", "day", "kind", "amount", "closing", "sources")),
        list(customers.values_list("customer_id", "mrr", "at_risk", "scheduled_churn")),
        list(held.values_list("customer_id", "stripe_id", "reason")),
        sorted(gateway.subscriptions_of(), key=lambda row: row["id"]),
    )


def ledger_after(*deliveries):
    """Return the ledger after these deliveries to an empty database."""
    with transaction.atomic():
        rate("2024-02-28", "1.1")
        for events in deliveries:
            loading.load(json.dumps(event) for event in events)
        kept = everything()
        assert ledger_check.check() == []
        ledger.rebuild(now=NOW)
        assert everything() == kept
        transaction.set_rollback(True)
    return kept


@examples(30)
@given(steps=STEPS, data=st.data())
def test_p15_p16_shuffled_and_duplicated_events_change_nothing(db, time_machine, steps, data):
    time_machine.move_to(NOW, tick=False)
    store = Store()
    apply_steps(store, steps)
    events = [event | {"id": f"evt_{number:03}"} for number, event in enumerate(store.events)]
    in_order = ledger_after(*([event] for event in events))
    shuffled = data.draw(st.permutations(events + events))
    half = data.draw(st.integers(0, len(shuffled)))
    assert ledger_after(shuffled[:half], shuffled[half:]) == in_order
