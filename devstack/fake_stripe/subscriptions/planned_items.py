"""The planned items of a subscription, checked before anything is changed."""

from devstack.fake_stripe.catalogue.currencies import price_in, price_of
from devstack.fake_stripe.errors import StripeError, missing, no_such
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.protocol.parameters import Params, boolean, metadata, natural, text
from devstack.fake_stripe.state import StripeState
from devstack.fake_stripe.subscriptions import subscriptions

ITEM = {"deleted": boolean, "id": text, "metadata": metadata, "price": text, "quantity": natural}

_MOST_ITEMS = 20

# Each: the item (None for a new one), its new price (None: deleted) and quantity, the request.
Planned = list[tuple[Object | None, Object | None, int | None, Params]]


def prices_of(
    state: StripeState, items: list[Params], where: str = "items", currency: str | None = None
) -> list[Object]:
    """Return the recurring prices of new items; raise if they cannot be billed together."""
    prices: list[Object] = []
    for position, requested in enumerate(items):
        param = f"{where}[{position}][price]"
        price = state.find("price", requested.get("price") or "", param)
        if not price["recurring"]:
            raise StripeError(
                f"The price specified is set to `type=one_time` but this field only accepts "
                f"prices with `type=recurring`: {price['id']}.",
                param=param,
            )
        if not price["active"]:
            raise StripeError(f"The price specified is inactive: {price['id']}.", param=param)
        refuse_quantity(price, requested, f"{where}[{position}][quantity]")
        prices.append(price_in(price, currency))
    if len(prices) > _MOST_ITEMS:
        raise StripeError(f"A subscription has at most {_MOST_ITEMS} items.", param=where)
    _check_together(prices)
    return prices


def refuse_quantity(price: Object, requested: Params, param: str) -> None:
    """Refuse a quantity for a metered price: what is used is billed."""
    if "quantity" in requested and price["recurring"]["usage_type"] == "metered":
        raise StripeError(
            f"Quantity should not be specified where usage_type is `metered`. Remove {param}.",
            param=param,
        )


def _check_together(prices: list[Object]) -> None:
    kinds = {
        (price["currency"], price["recurring"]["interval"], price["recurring"]["interval_count"])
        for price in prices
    }
    if len(kinds) > 1:
        raise StripeError(
            "Currency and interval fields must match across all prices on this subscription.",
            param="items",
        )


def plan_items(state: StripeState, subscription: Object, items: list[Params]) -> Planned:
    planned: Planned = []
    unchanged: list[Object] = []
    kept = {item["id"]: item for item in subscriptions.items_of(state, subscription)}
    for position, requested in enumerate(items):
        param = f"items[{position}][id]"
        item = kept.pop(requested["id"], None) if requested.get("id") else None
        if requested.get("id") and item is None:
            raise no_such("subscription_item", requested["id"], param)
        if requested.get("deleted"):
            if item is None:
                raise missing(param)
            planned.append((item, None, None, requested))
            continue
        if "price" in requested or item is None:
            price = prices_of(state, [requested], currency=subscription["currency"])[0]
        else:
            price = price_of(state, item)
        refuse_quantity(price, requested, f"items[{position}][quantity]")
        metered = price["recurring"]["usage_type"] == "metered"
        before = (item["quantity"] if item else None) or 1
        quantity = None if metered else requested.get("quantity", before)
        planned.append((item, price, quantity, requested))
        if item and (price["id"], quantity) == (item["price"], item["quantity"]):
            planned.pop()  # nothing to bill
            unchanged.append(price)
    left = unchanged + [price_of(state, item) for item in kept.values()]
    left += [price for _, price, _, _ in planned if price]
    if not left:
        raise StripeError("A subscription must have at least one active item.", param="items")
    _check_together(left)
    return planned


def everything(state: StripeState, subscription: Object, planned: Planned) -> Planned:
    """Return all items, unchanged ones too: a new cycle credits each of them."""
    touched = {item["id"] for item, *_ in planned if item}
    return planned + [
        (item, price_of(state, item), item["quantity"], {})
        for item in subscriptions.items_of(state, subscription)
        if item["id"] not in touched
    ]
