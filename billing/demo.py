"""The demo company's customers: their Stripe events, loaded in the usual way."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from analytics import demo as analytics_demo
from billing.calculations.demo.customer import DemoPerson
from billing.calculations.demo.events import events as demo_events
from billing.calculations.demo.prices import PREFIX, PRODUCTS, lookup_key, price_terms
from billing.models import Plan, PlanPrice, StripeCustomer, StripeEvent
from billing.stripe import gateway, loading
from billing.stripe.loading import LoadStep
from billing.stripe.signals import stripe_changed

Json = dict[str, Any]
_INTERVALS = ("month", "year")
_KEYS = [lookup_key(plan, interval) for plan, *_ in PRODUCTS for interval in _INTERVALS]
_MARK = {"plumbline_demo": "1"}  # recognisable in a catalogue


def load(
    *, until: datetime, seed: int, progress: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Let some of the demo's persons subscribe, up to `until`; return the number of customers.

    `progress` is called with the number of loaded events and of all events.
    """
    prices = _catalogue()
    if settings.STRIPE_IS_FAKE or not gateway.is_set_up():
        _map_to_plans(prices)  # made-up prices cannot be paid at a real Stripe
    people = [DemoPerson(*row) for row in analytics_demo.activated_persons()]
    events = list(demo_events(people, prices=prices, until=until, seed=seed))
    done = 0

    def show(step: LoadStep, more: int) -> None:
        nonlocal done
        done += more if step == LoadStep.APPLYING else 0
        progress(done, len(events))

    loaded = loading.load((json.dumps(event) for event in events), progress=show)
    return len({line.customer_id for line in loaded if line.customer_id})


def clear() -> None:
    """Remove everything that `load` created, with derived data."""
    customer_ids = set(gateway.ids_with_prefix("customer", f"cus_{PREFIX}_"))
    StripeCustomer.objects.filter(pk__in=customer_ids).delete()  # so that they are not erased ones
    gateway.delete_customers(customer_ids)
    StripeEvent.objects.filter(event_id__startswith=f"evt_{PREFIX}_").delete()
    PlanPrice.objects.filter(price_id__in=gateway.delete_prices(_KEYS)).delete()
    if customer_ids:
        stripe_changed.send(sender=None, customer_ids=customer_ids)


def _catalogue() -> dict[str, Json]:
    """Return the prices by lookup key, created at the fake Stripe if there is one."""
    if not (gateway.is_set_up() and settings.STRIPE_IS_FAKE):
        return _stored_only()
    try:
        return _at_stripe()
    except gateway.StripeProblem:
        return _stored_only()  # it is unavailable


def _at_stripe() -> dict[str, Json]:
    as_of = gateway.moment()
    existing = {price.get("lookup_key"): price for price in gateway.every("price")}
    prices = {key: existing[key] for key in _KEYS if key in existing}
    for plan, name, *_ in PRODUCTS:
        missing = [row for row in _INTERVALS if lookup_key(plan, row) not in prices]
        if not missing:
            continue
        product = gateway.call("post", "/v1/products", name=name, metadata=_MARK)
        for interval in missing:
            terms = price_terms(plan, interval)
            price = gateway.call(
                "post", "/v1/prices", product=product["id"], metadata=_MARK, **terms
            )
            prices[price["lookup_key"]] = price
    for price in prices.values():
        gateway.keep(price, as_of=as_of)
    return prices


def _stored_only() -> dict[str, Json]:
    as_of = gateway.moment()
    prices: dict[str, Json] = {}
    for plan, name, *_ in PRODUCTS:
        product = {"id": f"prod_demo_{plan}", "object": "product", "name": name, "active": True}
        gateway.store(product | {"metadata": _MARK}, as_of=as_of)
        for interval in _INTERVALS:
            price: Json = {
                "id": f"price_demo_{plan}_{interval}",
                "object": "price",
                "active": True,
                "product": product["id"],
                "type": "recurring",
                "metadata": _MARK,
                "billing_scheme": "per_unit",
                **price_terms(plan, interval),
            }
            price["recurring"] |= {"interval_count": 1, "usage_type": "licensed"}
            gateway.store(price, as_of=as_of)
            prices[price["lookup_key"]] = price
    return prices


def _map_to_plans(prices: dict[str, Json]) -> None:
    """Map these prices to the default plans that have no price yet."""
    for slug, *_ in PRODUCTS:
        plan = Plan.objects.filter(slug=slug, prices__isnull=True).first()
        if plan is None:
            continue
        for interval in _INTERVALS:
            price_id = prices[lookup_key(slug, interval)]["id"]
            PlanPrice.objects.get_or_create(price_id=price_id, defaults={"plan": plan})
