"""Prices and coupons with several currencies.

https://docs.stripe.com/payments/checkout/localize-prices/manual-currency-prices
"""

from devstack.fake_stripe.errors import StripeError
from devstack.fake_stripe.objects import Object
from devstack.fake_stripe.state import StripeState


def price_in(price: Object, currency: str | None, param: str = "currency") -> Object:
    """Return a price as it is in a currency; refuse those it is not sold in."""
    if currency in {None, price["currency"]}:
        return price
    option = (price.get("_currency_options") or {}).get(currency)
    if option is None:
        raise StripeError(f"The price {price['id']} is not available in {currency}.", param=param)
    amounts = {name: option[name] for name in ("unit_amount", "unit_amount_decimal")}
    return price | amounts | {"currency": currency}


def price_of(state: StripeState, item: Object) -> Object:
    """Return the price of a subscription's item, in the subscription's currency."""
    currency = state.get("subscription", item["subscription"])["currency"]
    return price_in(state.get("price", item["price"]), currency)


def coupon_in(coupon: Object, currency: str) -> Object:
    """Return a coupon with its amount in a currency."""
    option = (coupon.get("_currency_options") or {}).get(currency)
    return coupon | {"amount_off": option["amount_off"], "currency": currency} if option else coupon
