"""The demo company's customers: what Stripe would have told of them, taken in as it always is."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from analytics import demo as analytics_demo
from billing.calculations import demo
from billing.models import Plan, PlanPrice, StripeEvent
from billing.stripe import gateway, loading
from billing.stripe.signals import stripe_changed

Json = dict[str, Any]
_INTERVALS = ("month", "year")
_KEYS = [demo.lookup_key(plan, one) for plan, *_ in demo.PRODUCTS for one in _INTERVALS]
_MARK = {"plumbline_demo": "1"}  # for whoever meets them in a catalogue


def load(
    *, until: datetime, seed: int, progress: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Let some of the demo's persons subscribe, up to `until`; return the customers.

    `progress` is told the events done, and of how many.
    """
    prices = _catalogue()
    if settings.STRIPE_IS_FAKE or not gateway.is_set_up():
        _map(prices)  # nobody pays for made-up prices at a real Stripe
    people = [demo.DemoPerson(*row) for row in analytics_demo.activated_persons()]
    told = list(demo.events(people, prices=prices, until=until, seed=seed))
    done = 0

    def show() -> None:
        nonlocal done
        done += 1
        progress(done, len(told))

    loaded = loading.load((json.dumps(event) for event in told), progress=show)
    return len({line.customer_id for line in loaded if line.customer_id})


def clear() -> None:
    """Remove what `load` has made, wherever it has gone from there."""
    customer_ids = set(gateway.ids_beginning("customer", f"cus_{demo.PREFIX}_"))
    gateway.delete_customers(customer_ids)
    StripeEvent.objects.filter(event_id__startswith=f"evt_{demo.PREFIX}_").delete()
    PlanPrice.objects.filter(price_id__in=gateway.delete_prices(_KEYS)).delete()
    if customer_ids:
        stripe_changed.send(sender=None, customer_ids=customer_ids)


def _catalogue() -> dict[str, Json]:
    """Return the prices by lookup key, made at the fake Stripe where there is one."""
    if not (gateway.is_set_up() and settings.STRIPE_IS_FAKE):
        return _made_up()
    try:
        return _at_stripe()
    except gateway.StripeProblem:
        return _made_up()  # it cannot be reached


def _at_stripe() -> dict[str, Json]:
    as_of = gateway.moment()
    found = {price.get("lookup_key"): price for price in gateway.every("price")}
    prices = {key: found[key] for key in _KEYS if key in found}
    for plan, name, *_ in demo.PRODUCTS:
        wanted = [one for one in _INTERVALS if demo.lookup_key(plan, one) not in prices]
        if not wanted:
            continue
        product = gateway.call("post", "/v1/products", name=name, metadata=_MARK)
        for interval in wanted:
            terms = demo.price_terms(plan, interval)
            price = gateway.call(
                "post", "/v1/prices", product=product["id"], metadata=_MARK, **terms
            )
            prices[price["lookup_key"]] = price
    for price in prices.values():
        gateway.keep(price, as_of=as_of)
    return prices


def _made_up() -> dict[str, Json]:
    as_of = gateway.moment()
    prices: dict[str, Json] = {}
    for plan, name, *_ in demo.PRODUCTS:
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
                **demo.price_terms(plan, interval),
            }
            price["recurring"] |= {"interval_count": 1, "usage_type": "licensed"}
            gateway.store(price, as_of=as_of)
            prices[price["lookup_key"]] = price
    return prices


def _map(prices: dict[str, Json]) -> None:
    """Let the default plans be bought by these prices, where they have none yet."""
    for slug, *_ in demo.PRODUCTS:
        plan = Plan.objects.filter(slug=slug, prices__isnull=True).first()
        if plan is None:
            continue
        for interval in _INTERVALS:
            price_id = prices[demo.lookup_key(slug, interval)]["id"]
            PlanPrice.objects.get_or_create(price_id=price_id, defaults={"plan": plan})
