"""What discounts leave of the items of a subscription: each counts on every invoice it reduces."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import lcm

from billing.calculations.stripe_discount import Discount, Duration
from billing.calculations.stripe_price import BillingInterval, Item

_Period = tuple[BillingInterval, int]  # months or days, and their number
_NOTHING = Fraction(0)
_UNITS = {
    BillingInterval.YEAR: (BillingInterval.MONTH, 12),
    BillingInterval.MONTH: (BillingInterval.MONTH, 1),
    BillingInterval.WEEK: (BillingInterval.DAY, 7),
    BillingInterval.DAY: (BillingInterval.DAY, 1),
}


def in_force(discounts: Iterable[Discount], moment: int) -> list[Discount]:
    """Return the discounts that recur, and count at a time."""
    return [
        discount
        for discount in discounts
        if discount.duration is not Duration.ONCE
        and (discount.start is None or discount.start <= moment)
        and (discount.end is None or moment < discount.end)
    ]


def discounted(
    items: Sequence[Item], costs: Sequence[int | Fraction], discounts: Sequence[Discount]
) -> list[Fraction]:
    """Return what items cost on average per period of their own, with costs before discounts."""
    net = [_NOTHING] * len(items)
    periods = [_period(item) for item in items]
    for frequency, positions in _invoices(periods):
        invoiced = [items[position] for position in positions]
        amounts = _invoice(invoiced, [costs[position] for position in positions], discounts)
        for position, amount in zip(positions, amounts, strict=True):
            net[position] += amount * frequency * periods[position][1]
    return net


def _period(item: Item) -> _Period:
    unit, length = _UNITS[item.interval]
    return unit, length * item.interval_count


def _invoices(periods: Sequence[_Period]) -> Iterator[tuple[Fraction, list[int]]]:
    """Yield how often an invoice has exactly some items (by position), per month or day.

    Items of several intervals are on one invoice whenever their periods end together: a monthly
    and a yearly one once in twelve months, and the monthly one alone on eleven invoices.
    """
    for unit in dict.fromkeys(unit for unit, _ in periods):
        lengths = {length for its_unit, length in periods if its_unit == unit}
        together = {1}  # after as many months or days some periods end together
        for length in lengths:
            together |= {lcm(length, other) for other in together}
        exactly: dict[int, Fraction] = {}
        for length in sorted(together, reverse=True):
            rarer = [often for other, often in exactly.items() if other % length == 0]
            exactly[length] = Fraction(1, length) - sum(rarer, _NOTHING)
            due = [at for at, (its, own) in enumerate(periods) if its == unit and not length % own]
            if due:
                yield exactly[length], due


def _invoice(
    items: Sequence[Item], amounts: Sequence[int | Fraction], discounts: Sequence[Discount]
) -> list[Fraction]:
    """Return the amounts of an invoice after the discounts, applied in order."""
    net = [Fraction(amount) for amount in amounts]
    for discount in discounts:
        shares = [
            amount if not discount.products or item.product in discount.products else _NOTHING
            for item, amount in zip(items, net, strict=True)
        ]
        total = sum(shares, _NOTHING)
        if not total:
            continue
        if discount.percent_off is not None:
            off = min(discount.percent_off / 100, Fraction(1))
        else:
            off = min(Fraction(discount.amount_off or 0) / total, Fraction(1))
        net = [amount - share * off for amount, share in zip(net, shares, strict=True)]
    return net
