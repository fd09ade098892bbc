"""MRR by the invoices that Stripe would make if everything stayed as it is at a moment.

The second, independent computation: it shares no code with Plumbline. Invoices are made period by
period, until all intervals begin together again, and are averaged over the months between. Lines
are exact: Stripe rounds each, MRR does not (metrics.md, Revenue).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import lcm

from tests.billing.simulation.shop import Customer, Discount, Item, Price, Shop, Subscription

PAYING = {"active", "past_due"}
# Clocks that tick monthly, weekly or daily: how often in a year, and the ticks of an interval.
CLOCKS = ((12, {"month": 1, "year": 12}), (52, {"week": 1}), (365, {"day": 1}))


def paid_per_month(shop: Shop, moment: int) -> dict[str, int]:
    """Return what each customer pays per month, rounded for each currency."""
    things = shop.at(moment)
    amounts: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for thing in things.values():
        if isinstance(thing, Subscription):
            customer = things[thing.customer]
            assert isinstance(customer, Customer)
            if thing.status in PAYING and not customer.deleted:
                amounts[customer.id, thing.currency] += _monthly(thing, customer, moment)
    paid = {thing.id: 0 for thing in things.values() if isinstance(thing, Customer)}
    for (customer_id, _), amount in amounts.items():
        paid[customer_id] += _rounded(amount)
    return paid


def _rounded(amount: Fraction) -> int:
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _monthly(subscription: Subscription, customer: Customer, moment: int) -> Fraction:
    """Return the average of the invoices. Items of different clocks are never on one of them."""
    licensed = [item for item in subscription.items if not item.price.metered]
    total = Fraction(0)
    for ticks_a_year, ticks in CLOCKS:
        items = [item for item in licensed if item.price.interval in ticks]
        if not items:
            continue
        every = {item.id: ticks[item.price.interval] * item.price.count for item in items}
        period = lcm(*every.values())
        for tick in range(period):
            due = [item for item in items if tick % every[item.id] == 0]
            invoice = _invoice(due, subscription, customer, moment)
            total += invoice * Fraction(ticks_a_year, 12 * period)
    return total


def _invoice(
    due: Sequence[Item], subscription: Subscription, customer: Customer, moment: int
) -> Fraction:
    """Return an invoice's total without the tax that it includes."""
    currency = subscription.currency
    lines = {item.id: Fraction(_cost(item.price, item.quantity, currency)) for item in due}
    products = {item.id: item.price.product for item in due}
    for item in due:
        for discount in _lasting(item.discounts, moment):
            _take_off(discount, {item.id: products[item.id]}, lines, currency)
    own = _lasting(subscription.discounts, moment)
    of_customer = _lasting([customer.discount] if customer.discount else [], moment)
    for discount in own or of_customer:
        _take_off(discount, products, lines, currency)
    return sum((_without_tax(lines[item.id], item, subscription) for item in due), Fraction(0))


def _cost(price: Price, quantity: int, currency: str) -> int:
    """Sell the units one by one: a tier's flat amount is due with the first unit in it."""
    if not price.tiers:
        return price.amounts[currency] * quantity
    total, entered = 0, set()
    for unit in range(1, quantity + 1):
        tier = next(row for row in price.tiers if row[0] is None or unit <= row[0])
        total += tier[1] + (tier[2] if tier not in entered else 0)
        entered.add(tier)
    return total if quantity else price.tiers[0][2]


def _lasting(discounts: Iterable[Discount], moment: int) -> list[Discount]:
    return [
        row
        for row in discounts
        if row.coupon.duration != "once"
        and row.start <= moment
        and (row.end is None or moment < row.end)
    ]


def _take_off(
    discount: Discount, products: dict[str, str], lines: dict[str, Fraction], currency: str
) -> None:
    """Reduce the lines: by a percentage each, or by their shares of an amount."""
    coupon = discount.coupon
    eligible = [
        line for line, product in products.items() if product in (coupon.products or [product])
    ]
    subtotal = sum((lines[line] for line in eligible), Fraction(0))
    if not subtotal:
        return
    amount = subtotal * coupon.percent / 100 if coupon.percent else coupon.amounts[currency]
    for line in eligible:
        lines[line] -= min(Fraction(amount), subtotal) * lines[line] / subtotal


def _without_tax(amount: Fraction, item: Item, subscription: Subscription) -> Fraction:
    """Take out the inclusive taxes: those of the item, or else of the subscription."""
    taxes = item.taxes or subscription.taxes
    included = sum(tax.percentage for tax in taxes if tax.inclusive)
    return amount / (1 + Fraction(included, 100))
