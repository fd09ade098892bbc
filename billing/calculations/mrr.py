"""Monthly recurring revenue of a subscription, as exact fractions of minor units.

MRR is the sum over recurring licensed items of what a quantity costs, normalized to a month, net of
repeating and forever discounts and of inclusive taxes (metrics.md, Revenue). Callers that add up
subscriptions round once, at the end. Times are Unix seconds.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from billing.calculations.stripe_price import BillingInterval, Item, Tier, TiersMode
from billing.calculations.subscription import SubscriptionState, SubscriptionStatus
from billing.calculations.versions.discounting import discounted, in_force

FORMULA_VERSION = 3  # raise it when the ledger would change for the same objects: it rebuilds it
COUNTED = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
NOTHING = Fraction(0)
_FREE_PAUSES = frozenset({"void", "mark_uncollectible"})  # uncollected payments are not revenue
_PER_MONTH = {
    BillingInterval.YEAR: (1, 12),
    BillingInterval.MONTH: (1, 1),
    BillingInterval.WEEK: (52, 12),
    BillingInterval.DAY: (365, 12),
}


def mrr(state: SubscriptionState, moment: int) -> Fraction:
    """Return the MRR of a version of a subscription at a time."""
    return _total([amount for _, amount in _amounts(state, moment)])


def mrr_with_tax(state: SubscriptionState, moment: int) -> Fraction:
    """Return the part of the MRR that contains taxes, at rates that are not known."""
    return _total([amount for item, amount in _amounts(state, moment) if item.tax_included])


def change_points(state: SubscriptionState) -> set[int]:
    """Return the times at which the MRR of a version of a subscription may change on its own."""
    points = {state.created, state.trial_start, state.trial_end, state.ended_at, state.resumes_at}
    for discounts in (state.discounts, state.inherited, *(item.discounts for item in state.items)):
        for discount in discounts:
            points |= {discount.start, discount.end}
    return {point for point in points if point is not None}


def _counts(state: SubscriptionState, moment: int) -> bool:
    """Whether it counts: a canceled subscription counts until it ends, a trial does not."""
    if moment < state.created:
        return False
    if state.status is SubscriptionStatus.CANCELED:
        if state.ended_at is None or moment >= state.ended_at:
            return False
    elif state.status not in COUNTED:
        return False
    if state.trial_end is not None and moment < state.trial_end:
        return state.trial_start is not None and moment < state.trial_start
    paused = state.pause_behavior in _FREE_PAUSES
    return not (paused and (state.resumes_at is None or moment < state.resumes_at))


def _total(amounts: Sequence[Fraction]) -> Fraction:
    return amounts[0] if len(amounts) == 1 else sum(amounts, NOTHING)


def _amounts(state: SubscriptionState, moment: int) -> list[tuple[Item, Fraction]]:
    """Return what each item brings a month, net of discounts and known taxes."""
    if not _counts(state, moment):
        return []
    items = [item for item in state.items if not item.metered]
    discounts = in_force(state.discounts, moment) or in_force(state.inherited, moment)
    if not discounts and not any(item.discounts for item in items):
        return [(item, _without_tax(item, _monthly(item, _cost(item)))) for item in items]
    costs = [
        discounted([item], [_cost(item)], in_force(item.discounts, moment))[0] for item in items
    ]
    return [
        (item, _without_tax(item, _monthly(item, cost)))
        for item, cost in zip(items, discounted(items, costs, discounts), strict=True)
    ]


def _without_tax(item: Item, amount: Fraction) -> Fraction:
    return amount / (1 + item.tax) if item.tax else amount


def _monthly(item: Item, amount: int | Fraction) -> Fraction:
    times, months = _PER_MONTH[item.interval]
    return Fraction(amount * times, months * item.interval_count)


def _cost(item: Item) -> int | Fraction:
    """Return the cost of the quantity in one billing period."""
    quantity = item.quantity
    if item.divide_by != 1:
        packages = Fraction(quantity, item.divide_by)
        quantity = ceil(packages) if item.round_up else int(packages)
    if item.unit_amount is not None:
        return item.unit_amount * quantity
    if item.tiers_mode is TiersMode.VOLUME:
        return _volume(item.tiers, quantity)
    return _graduated(item.tiers, quantity)


def _volume(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """All units have the price of the tier of the quantity."""
    for tier in tiers:
        if tier.up_to is None or quantity <= tier.up_to:
            return tier.flat_amount + tier.unit_amount * quantity
    return tiers[-1].flat_amount + tiers[-1].unit_amount * quantity


def _graduated(tiers: Sequence[Tier], quantity: int) -> Fraction:
    """Each unit has the price of its own tier; a tier's flat amount is due once it is reached."""
    total, below = NOTHING, 0
    for tier in tiers:
        if quantity <= below and not (quantity == below == 0):
            break
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        total += tier.flat_amount + tier.unit_amount * (top - below)
        if top == quantity:
            break
        below = top
    return total
